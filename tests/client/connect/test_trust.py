"""Trust in a server."""

import ssl
from pathlib import Path

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from irchat.client.connect.address import Target
from irchat.client.connect.dialer import Dialer
from irchat.client.connect.known_hosts import Known, KnownHosts
from irchat.client.connect.server_connection import UNENCRYPTED, VERIFIED, ServerConnection
from irchat.client.connect.tokens import Tokens
from irchat.client.connect.trust import Trust
from irchat.client.exceptions import ClientError, InputEnded
from irchat.client.plain.screens import PlainScreen, TerminalScreen
from irchat.net.fingerprints import fingerprint_of
from tests.helpers.client_fakes import GREETING, FakeEcho, Keyboard, Network, Peer, certificate, over_tls

_HOST = "chat.example"
_LABEL = "chat.example:7667"
# How what a client of TLS sends begins; a peer without TLS sees it.
_HANDSHAKE = b"\x16\x03"


class TrustTests(SynchronousTestCase):
    """Nothing is sent to a server that is not trusted."""

    def setUp(self) -> None:
        """Create a server with its own certificate, and a user who knows no server."""
        self.clock = Clock()
        self.keyboard = Keyboard()
        self.peers: list[Peer] = []
        self.certificate = _HOST
        self.network = Network(self._answer)
        self.known = KnownHosts(Path(self.mktemp()) / "known_hosts")
        self.tokens = Tokens(Path(self.mktemp()) / "tokens")
        self.warnings: list[str] = []
        self.fingerprint = fingerprint_of(certificate(_HOST)[1])
        self.other = fingerprint_of(certificate("other.example")[1])

    def tearDown(self) -> None:
        """Check that nothing was sent."""
        heard = [peer.heard for peer in self.peers if not peer.heard.startswith(_HANDSHAKE)]
        self.assertEqual(heard, [b""] * len(heard))

    def _answer(self) -> object:
        self.peers.append(Peer(GREETING))
        return over_tls(self.peers[-1], self.certificate) if self.certificate else self.peers[-1]

    def _terminal(self) -> PlainScreen:
        return TerminalScreen(
            self.keyboard.console, self.keyboard.errors.append, self.clock, FakeEcho(), colour=False, errors_apart=True
        )

    def _connect(
        self, *, terminal: bool = True, pinned: str | None = None, tls: bool = True, noted: str = ""
    ) -> Deferred[ServerConnection]:
        screen = self._terminal() if terminal else PlainScreen(self.keyboard.console, self.keyboard.errors.append)
        dialer = Dialer(self.clock, self.network, Target(_HOST, 7667, tls, noted))
        self.trust = Trust(dialer, self.known, self.tokens, screen, pinned, self.warnings.append)
        connected = Deferred.fromCoroutine(self.trust.connect())
        self._flush()
        return connected

    def _flush(self) -> None:
        if self.network.calls:
            self.network.flush()

    def _stopped(self, connected: Deferred[ServerConnection]) -> str:
        return self.failureResultOf(connected, ClientError).value.text

    def test_verified(self) -> None:
        """A certificate trusted by the system needs no question and is not saved."""

        def trusting() -> ssl.SSLContext:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.load_verify_locations(cadata=certificate(_HOST)[1])
            return context

        self.patch(ssl, "create_default_context", trusting)
        self.assertEqual(self.successResultOf(self._connect()).identity, VERIFIED)
        self.assertEqual((self.network.calls, self.keyboard.shown(), self.known.find(_LABEL)), (1, "", None))

    def test_first_contact(self) -> None:
        """An unknown certificate is shown, the question repeated until a clear answer, and yes is saved."""
        connected = self._connect()
        shown = self.keyboard.shown()
        self.assertIn(self.fingerprint, shown)
        self.assertIn("self-signed", shown)
        self.assertTrue(shown.endswith("Trust this server? [yes/no] "))
        self.keyboard.type("maybe", "")
        self.assertIsNone(self.known.find(_LABEL))
        self.assertNoResult(connected)
        self.assertIn("type yes if both are the same", self.keyboard.shown())
        self.keyboard.type("YES ")
        self._flush()
        self.assertEqual(self.successResultOf(connected).fingerprint(), self.fingerprint)
        self.assertEqual(self.known.find(_LABEL), Known(1, self.fingerprint))
        self.assertIn("remembered in", self.keyboard.shown())

    def test_no(self) -> None:
        """No ends the client, and nothing is saved."""
        for answer in "no", "n":
            connected = self._connect()
            self.keyboard.type(answer)
            self.assertIn("not trusted", self._stopped(connected))
            self.assertIsNone(self.known.find(_LABEL))

    def test_y(self) -> None:
        """y means yes."""
        connected = self._connect()
        self.keyboard.type("y")
        self._flush()
        self.assertEqual(self.successResultOf(connected).fingerprint(), self.fingerprint)

    def test_no_answer(self) -> None:
        """The end of the input is not a yes."""
        connected = self._connect()
        self.keyboard.end()
        self.failureResultOf(connected, InputEnded)
        self.assertIsNone(self.known.find(_LABEL))

    def test_not_while_asking(self) -> None:
        """The connection is closed during the question. Afterwards the server must have the same certificate."""
        connected = self._connect()
        self.assertTrue(self.peers[-1].left)
        self.certificate = "other.example"
        self.keyboard.type("yes")
        self._flush()
        self.assertIn("NOT THE EXPECTED ONE", self._stopped(connected))

    def test_pipe(self) -> None:
        """Without a terminal an unknown certificate is refused, with instructions to trust it."""
        text = self._stopped(self._connect(terminal=False))
        self.assertIn(f"--fingerprint {self.fingerprint}", text)
        self.assertIsNone(self.known.find(_LABEL))

    def test_known(self) -> None:
        """A known server needs no question, with or without a terminal."""
        self.known.remember(_LABEL, self.fingerprint)
        for terminal in True, False:
            self.assertEqual(self.successResultOf(self._connect(terminal=terminal)).identity, self.fingerprint)
        self.assertEqual(self.keyboard.shown(), "")

    def test_changed(self) -> None:
        """A changed certificate is refused with both fingerprints and the line to delete."""
        self.known.remember("other:1", self.fingerprint)
        self.known.remember(_LABEL, self.other)
        text = self._stopped(self._connect())
        for part in "WARNING", self.other, self.fingerprint, "line 2", str(self.known.path):
            self.assertIn(part, text)

    def test_given(self) -> None:
        """The pinned fingerprint takes precedence over known_hosts and is not saved."""
        self.known.remember(_LABEL, self.other)
        self.successResultOf(self._connect(terminal=False, pinned=self.fingerprint))
        self.assertEqual(self.known.find(_LABEL), Known(1, self.other))

    def test_other_than_given(self) -> None:
        """Any other than the pinned fingerprint is refused, even a known one."""
        self.known.remember(_LABEL, self.fingerprint)
        text = self._stopped(self._connect(pinned=self.other))
        self.assertIn("--fingerprint", text)
        self.assertNotIn("delete", text)

    def test_no_tls(self) -> None:
        """Without TLS the user is warned that others can read everything."""
        self.certificate = ""
        self.assertEqual(self.successResultOf(self._connect(tls=False)).identity, UNENCRYPTED)
        self.assertIn("not encrypted", self.keyboard.shown())
        self.tokens.keep(_LABEL, "alice", "t", UNENCRYPTED)
        self.successResultOf(self._connect(tls=False))

    def test_no_tls_any_more(self) -> None:
        """A server that used TLS before, by known_hosts or by a token issued over TLS, is not dialed without it."""
        self.certificate = ""
        self.tokens.keep(_LABEL, "alice", "t", VERIFIED)
        for path in self.tokens.path, self.known.path:
            for terminal in True, False:
                text = self._stopped(self._connect(tls=False, terminal=terminal))
                for part in "USED TLS BEFORE", "Connect with TLS", "delete line 1", str(path):
                    self.assertIn(part, text)
            self.known.remember(_LABEL, self.fingerprint)
        self.assertEqual(self.network.calls, 0)

    def test_answer_without_tls(self) -> None:
        """If a server known to use TLS answers without it, the error does not suggest --no-tls."""
        self.certificate = ""
        text = self._stopped(self._connect())
        self.assertIn("somebody between you and it", text)
        self.assertNotIn("--no-tls", text)
        self.tokens.keep(_LABEL, "alice", "t", VERIFIED)
        texts = [self._stopped(self._connect())]
        self.known.remember(_LABEL, self.fingerprint)
        texts += [self._stopped(self._connect()), self._stopped(self._connect(pinned=self.fingerprint))]
        for text in texts:
            self.assertIn("ANSWERED WITHOUT TLS", text)
            self.assertNotIn("--no-tls", text)

    def test_on_this_machine(self) -> None:
        """The certificate in the note of a server on this machine is trusted without a question, and remembered."""
        for terminal in True, False:
            connected = self._connect(terminal=terminal, noted=self.fingerprint)
            self.assertEqual(self.successResultOf(connected).identity, self.fingerprint)
        known = self.known.find(_LABEL)
        assert known is not None
        self.assertEqual(known.fingerprint, self.fingerprint)

    def test_another_one_on_this_machine(self) -> None:
        """If the note has another fingerprint, the user is asked. A known one counts more than the note."""
        self._connect(noted=self.other)
        self.assertIn("Trust this server?", self.keyboard.shown())
        self.known.remember(_LABEL, self.other)
        self.assertIn("NOT THE EXPECTED ONE", self._stopped(self._connect(noted=self.fingerprint)))

    def test_other_certificate_than_at_the_sign_in(self) -> None:
        """If there is a token, the first question about a certificate says that the server had another one."""
        self.tokens.keep(_LABEL, "alice", "t", VERIFIED)
        self._connect()
        self.assertIn("it had another certificate (line 1", self.keyboard.complaints())

    def test_cannot_remember(self) -> None:
        """If the folder cannot be written, yes counts until the client exits, with a warning."""
        self.known.path.parent.write_text("no folder")
        connected = self._connect()
        self.keyboard.type("yes")
        self._flush()
        self.assertEqual(self.successResultOf(connected).identity, self.fingerprint)
        self.assertIn("Cannot save the server", self.warnings[0])
        again = Deferred.fromCoroutine(self.trust.connect())
        self._flush()
        self.assertEqual(self.successResultOf(again).identity, self.fingerprint)
        self.certificate = "other.example"
        again = Deferred.fromCoroutine(self.trust.connect())
        self._flush()
        self.assertIn("that you accepted before", self._stopped(again))

    def test_another_client_was_first(self) -> None:
        """A fingerprint saved meanwhile by another client counts."""
        connected = self._connect()
        self.known.remember(_LABEL, self.other)
        self.keyboard.type("yes")
        self._flush()
        self.assertIn("NOT THE EXPECTED ONE", self._stopped(connected))

    def test_damaged_line(self) -> None:
        """A damaged line of this server ends the client before any question or data, with and without TLS."""
        self.known.path.parent.mkdir(parents=True)
        self.known.path.write_text(f"{_LABEL} sha256:AB\n")
        for tls in True, False:
            self.assertIn("is damaged", self._stopped(self._connect(tls=tls)))
        self.assertEqual(self.network.calls, 0)

    def test_no_tls_but_fingerprint(self) -> None:
        """Without TLS a pinned fingerprint cannot be verified, so nothing is dialed."""
        self.certificate = ""
        self.assertIn("--fingerprint needs TLS", self._stopped(self._connect(tls=False, pinned=self.other)))
        self.assertEqual(self.network.calls, 0)
