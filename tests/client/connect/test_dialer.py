"""Dialing a server: each kind of failure has its own error."""

import ssl

from twisted.internet import error
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IProtocol
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from irchat.client.connect.address import Target
from irchat.client.connect.dialer import Dialer
from irchat.client.connect.server_connection import ServerConnection
from irchat.client.exceptions import ClientError
from irchat.net.fingerprints import fingerprint_of
from tests.helpers.client_fakes import GREETING, Network, Peer, certificate, over_tls

_HOST = "chat.example"


def _trusting() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=certificate(_HOST)[1])
    return context


class _Dialling(SynchronousTestCase):
    def setUp(self) -> None:
        """A network with an IRChat server without TLS."""
        self.clock = Clock()
        self.network = Network(lambda: self.peer)
        self.peer: IProtocol = Peer(GREETING)

    def dial(
        self, context: ssl.SSLContext | None, *, host: str = _HOST, port: int = 7667
    ) -> Deferred[ServerConnection]:
        """Dial, and deliver all bytes."""
        dialer = Dialer(self.clock, self.network, Target(host, port, context is not None))
        dialled = Deferred.fromCoroutine(dialer.dial(context))
        if self.network.calls:
            self.network.flush()
        return dialled

    def stopped(self, dialled: Deferred[ServerConnection]) -> str:
        """Return the error of a failed connection. Check that no time limit is pending."""
        text = self.failureResultOf(dialled, ClientError).value.text
        self.assertEqual(self.clock.getDelayedCalls(), [])
        return text


class PlainTests(_Dialling):
    """Connections without TLS."""

    def test_greeted(self) -> None:
        """A server that greets is connected, and nothing has been sent to it."""
        connection = self.successResultOf(self.dial(None))
        connection.send(b"{}\n")
        self.assertEqual(self.peer.heard, b"")
        self.network.flush()
        self.assertEqual(self.peer.heard, b"{}\n")
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_other_server(self) -> None:
        """A peer with another greeting is not an IRChat server."""
        self.peer = Peer(b"220 mail.example ESMTP\r\n")
        self.assertIn("chat.example:7667 is not an IRChat server", self.stopped(self.dial(None)))

    def test_silence(self) -> None:
        """A peer that does not greet within 10 seconds is given up, with a hint about TLS."""
        self.peer = Peer(b"")
        dialled = self.dial(None)
        self.clock.advance(9.9)
        self.assertNoResult(dialled)
        self.clock.advance(0.1)
        text = self.stopped(dialled)
        self.assertIn("No greeting from", text)
        self.assertIn("leave out --no-tls", text)
        self.network.flush()
        self.assertTrue(self.peer.left)

    def _failed(self, failure: Exception, port: int = 7667) -> str:
        def answer() -> IProtocol:
            raise failure

        dialer = Dialer(self.clock, Network(answer), Target(_HOST, port, False))
        return self.stopped(Deferred.fromCoroutine(dialer.dial(None)))

    def test_no_host(self) -> None:
        """A nonexistent or impossible host name is reported as such."""
        for failure in error.DNSLookupError(), ValueError("invalid hostname"):
            self.assertIn("There is no host 'chat.example'", self._failed(failure))

    def test_refused(self) -> None:
        """If nothing listens, the error explains how to start a server there."""
        self.assertIn("Nothing is listening at chat.example:7667", self._failed(error.ConnectionRefusedError()))
        self.assertTrue(self._failed(error.ConnectionRefusedError()).endswith(": irchat-server"))
        self.assertTrue(self._failed(error.ConnectionRefusedError(), 9).endswith(": irchat-server --port 9"))

    def test_no_answer(self) -> None:
        """A machine that is off has its own error."""
        for failure in error.TimeoutError(), error.TCPTimedOutError():
            self.assertIn("No answer from chat.example:7667", self._failed(failure))

    def test_other_failure(self) -> None:
        """Any other failure is reported in the system's words."""
        self.assertIn("No route to host", self._failed(error.NoRouteError()))


class TLSTests(_Dialling):
    """Connections with TLS."""

    def test_verified(self) -> None:
        """A certificate accepted by the context is enough, and its fingerprint is available."""
        self.peer = over_tls(Peer(GREETING), _HOST)
        connection = self.successResultOf(self.dial(_trusting()))
        self.assertEqual(connection.fingerprint(), fingerprint_of(certificate(_HOST)[1]))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_address_with_zone(self) -> None:
        """The zone of an IPv6 address is not part of the name to verify."""
        self.peer = over_tls(Peer(GREETING), _HOST)
        failure = self.failureResultOf(self.dial(_trusting(), host="fe80::1%eth0"), ssl.SSLCertVerificationError)
        self.assertIn("IP address mismatch", failure.value.verify_message)

    def test_unverified(self) -> None:
        """A refused certificate raises the error of the standard library, and nothing was sent."""
        peer = Peer(GREETING)
        self.peer = over_tls(peer, _HOST)
        dialled = self.dial(ssl.create_default_context())
        failure = self.failureResultOf(dialled, ssl.SSLCertVerificationError)
        self.assertIn("self-signed", failure.value.verify_message)
        self.assertEqual((peer.heard, self.clock.getDelayedCalls()), (b"", []))

    def test_server_without_tls(self) -> None:
        """An IRChat server without TLS may be an attack, so the error does not suggest leaving out TLS."""
        text = self.stopped(self.dial(_trusting()))
        self.assertIn("answers without TLS", text)
        self.assertIn("Ask the administrator of the server", text)
        self.assertNotIn("--no-tls", text)

    def test_no_tls(self) -> None:
        """A peer with another protocol is reported as such."""
        self.peer = Peer(b"SSH-2.0-OpenSSH_9.2\r\n")
        self.assertIn("does not speak TLS, so it is not an IRChat server", self.stopped(self.dial(_trusting())))

    def test_closed(self) -> None:
        """A peer that closes at once may be a server that turns this address away, or a balancer without one."""
        self.peer = Peer(b"")
        dialled = self.dial(_trusting())
        self.peer.transport.loseConnection()
        self.network.flush()
        text = self.stopped(dialled)
        self.assertIn("closed the connection at once", text)
        self.assertIn("Try again later", text)

    def test_no_agreement(self) -> None:
        """A failed TLS handshake is reported as such."""
        self.peer = Peer(b"\x15\x03\x03\x00\x02\x02\x28")  # the alert handshake_failure
        self.assertIn("The TLS handshake with chat.example:7667 failed", self.stopped(self.dial(_trusting())))

    def test_silence_in_handshake(self) -> None:
        """A peer that is silent in the handshake is given up, and its later close changes nothing."""
        self.peer = Peer(b"")
        dialled = self.dial(_trusting())
        self.clock.advance(10)
        self.network.flush()
        self.assertNotIn("--no-tls", self.stopped(dialled))
        self.assertTrue(self.peer.left)

    def test_silence_after_handshake(self) -> None:
        """A peer that is silent after the handshake is given up."""
        self.peer = over_tls(Peer(b""), _HOST)
        dialled = self.dial(_trusting())
        self.assertNoResult(dialled)
        self.clock.advance(10)
        self.assertIn("No greeting from", self.stopped(dialled))
