"""SASL PLAIN."""

import base64

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from irchat.irc.numerics import Numeric
from irchat.irc.registration.sasl import Credentials, PlainExchange, SaslFailure

_FAILED = SaslFailure((Numeric.ERR_SASLFAIL,))


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


class PlainTests(SynchronousTestCase):
    """An exchange."""

    def exchange(self, *parameters: str) -> Credentials | SaslFailure | None:
        """Send PLAIN, then ``parameters``. Return the last outcome."""
        exchange = PlainExchange()
        self.assertTrue(exchange.expects_mechanism)
        self.assertIsNone(exchange.take("PLAIN"))
        *firsts, last = parameters
        for parameter in firsts:
            self.assertIsNone(exchange.take(parameter))
        outcome = exchange.take(last)
        self.assertEqual(exchange.expects_mechanism, outcome is not None)
        return outcome

    def test_credentials(self) -> None:
        """The name and the password are read. The other name is the same or empty."""
        for text in ("\0alice\0secret", "alice\0alice\0secret", "ALICE\0alice\0secret"):
            self.assertEqual(self.exchange(_encoded(text)), Credentials("alice", "secret"))
        self.assertEqual(self.exchange(_encoded("\0é\0ü ü")), Credentials("é", "ü ü"))

    def test_wrong_forms(self) -> None:
        """Anything else fails."""
        for parameter in (
            _encoded("bob\0alice\0secret"), _encoded("\0\0secret"), _encoded("\0alice\0"), _encoded("alice\0secret"),
            _encoded("\0alice\0secret\0"), _encoded(""), "+", "x", "=", "ä", "AAAA\n",
            base64.b64encode(b"\0a\0\xff").decode(),
        ):  # fmt: skip
            self.assertEqual(self.exchange(parameter), _FAILED, parameter)

    def test_chunks(self) -> None:
        """Chunks of 400 characters are followed by others, the last of them maybe empty."""
        text = "\0alice\0" + "p" * 893
        encoded = _encoded(text)
        self.assertEqual(len(encoded), 1200)
        chunks = [encoded[at : at + 400] for at in range(0, 1200, 400)]
        self.assertEqual(self.exchange(*chunks, "+"), Credentials("alice", "p" * 893))
        encoded = _encoded(text + "p")
        self.assertEqual(self.exchange(*chunks, encoded[1200:]), Credentials("alice", "p" * 894))

    def test_too_long(self) -> None:
        """A chunk over 400 characters is too long; more than 4,000 in all fail."""
        self.assertEqual(self.exchange("A" * 401), SaslFailure((Numeric.ERR_SASLTOOLONG,)))
        self.assertEqual(self.exchange(*["A" * 400] * 10, "A"), SaslFailure((Numeric.ERR_SASLFAIL,)))
        password = "p" * (3_000 - len("\0alice\0"))
        encoded = _encoded(f"\0alice\0{password}")
        self.assertEqual(
            self.exchange(*(encoded[at : at + 400] for at in range(0, 4_000, 400)), "+"), Credentials("alice", password)
        )

    def test_aborted(self) -> None:
        """The client may end it, at the beginning too."""
        aborted = SaslFailure((Numeric.ERR_SASLABORTED,))
        self.assertEqual(self.exchange("A" * 400, "*"), aborted)
        self.assertEqual(PlainExchange().take("*"), aborted)

    def test_other_mechanism(self) -> None:
        """Other mechanisms are answered with the list, and the next one may be PLAIN, in any case."""
        exchange = PlainExchange()
        for mechanism in ("EXTERNAL", "SCRAM-SHA-256", "", "+"):
            self.assertEqual(exchange.take(mechanism), SaslFailure((Numeric.RPL_SASLMECHS, Numeric.ERR_SASLFAIL)))
        self.assertIsNone(exchange.take("plain"))
        self.assertTrue(exchange.is_empty)

    @given(st.lists(st.sampled_from(["PLAIN", "+", "*", "A" * 400, "AA==", "AGEAYg=="]) | st.text(max_size=500)))
    def test_any_parameters(self, parameters: list[str]) -> None:
        """Any parameters have an outcome, and little is kept."""
        exchange = PlainExchange()
        for parameter in parameters:
            exchange.take(parameter)
        self.assertLessEqual(len(exchange._chunks), 4_000)
