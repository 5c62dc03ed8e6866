"""Peers that vanish are noticed, and shown as offline, within 90 seconds."""

import socket
import sys
import time
from unittest import SkipTest

from irchat.protocol.rules import LOGIN_SECONDS, PING_AFTER, SILENCE_ENDS
from irchat.server.listeners import connection
from tests.helpers.server import ServerTestCase


class VanishedTests(ServerTestCase):
    """Bob watches while other users vanish."""

    def setUp(self) -> None:
        """Sign in bob."""
        self.server = self.make_server()
        self.bob = self.server.json("bob")

    def wait(self, seconds: float) -> None:
        """Let time pass while only bob sends pings."""
        while seconds > 0:
            self.server.advance(min(seconds, 30))
            seconds -= 30
            self.bob.ask("ping")

    def offline(self) -> list[str]:
        """Return the users whom bob was shown as offline."""
        return [name for line in self.bob.told("presence") for name in line["offline"]]

    def test_silent(self) -> None:
        """A silent client gets a ping after 45 seconds, and after 90 ``bye``, and is shown as offline."""
        alice = self.server.json("alice")
        alice.got()
        self.wait(PING_AFTER - 1)
        self.assertEqual(alice.told("ping"), [])
        self.wait(1)
        self.assertEqual(len(alice.told("ping")), 1)
        self.wait(SILENCE_ENDS - PING_AFTER - 1)
        self.assertEqual((alice.is_open, self.offline()), (True, []))
        self.wait(2)
        self.assertEqual([line["type"] for line in alice.got()], ["bye"])
        self.assertEqual((alice.is_open, self.offline()), (False, ["alice"]))

    def test_any_line_is_a_sign_of_life(self) -> None:
        """Any line from a client is a sign of life. Lines to it are not."""
        for sign in b'{"type":"pong"}\n', b'{"type":"ping"}\n', b"nonsense\n":
            alice = self.server.json("alice")
            self.wait(SILENCE_ENDS - 1)
            alice.send(sign)
            self.wait(SILENCE_ENDS - 1)
            self.assertTrue(alice.is_open)
            self.bob.ask("send", chat="GLOBAL", text="anyone?")
            self.wait(2)
            self.assertFalse(alice.is_open)

    def test_neither_speaks_nor_reads(self) -> None:
        """A client that neither sends nor reads is shown as offline just as soon, and is then aborted."""
        alice = self.server.json("alice", room=0)
        self.bob.ask("send", chat="GLOBAL", text="x" * 4_000)
        self.wait(SILENCE_ENDS + 1)
        self.assertEqual(self.offline(), ["alice"])
        self.wait(11)
        self.assertTrue(alice.socket.aborted)
        self.assertFalse(alice.is_open)

    def test_reads_no_reply_but_speaks(self) -> None:
        """A client that sends but reads no replies is disconnected as well."""
        alice = self.server.json("alice", room=0)
        for _ in range(20):
            alice.send(b'{"type":"help"}\n' * 200)
        self.assertFalse(alice.socket.is_read)
        self.wait(SILENCE_ENDS + 12)
        self.assertEqual((alice.is_open, self.offline()), (False, ["alice"]))

    def test_not_signed_in(self) -> None:
        """A connection that has not signed in after a minute gets a goodbye and is closed, whatever was typed."""
        silent, person = self.server.json(), self.server.text()
        person.type("zoe")
        self.wait(LOGIN_SECONDS - 1)
        person.type("short")
        self.assertTrue(silent.is_open and person.is_open)
        self.wait(2)
        self.assertFalse(silent.is_open or person.is_open)
        self.assertIn("nobody signed in", person.shown())

    def test_text_protocol_amid_talk(self) -> None:
        """A person whose system is silent goes offline within 90 seconds even amid traffic. A live one stays."""
        person, other = self.server.text("alice"), self.server.text("carol")
        self.wait(20)
        person.socket.heard_at = other.socket.heard_at = self.server.clock.seconds()
        for second in range(0, SILENCE_ENDS, 5):
            self.assertTrue(person.is_open or second > 60)
            if second == 60:
                other.socket.heard_at = None
            self.bob.ask("send", chat="GLOBAL", text="anyone?")
            self.wait(5)
        self.assertEqual(self.offline(), ["alice"])
        self.assertFalse(person.is_open)
        self.assertIn("nothing heard for", person.shown())
        self.assertTrue(other.is_open)

    def test_what_the_system_tells(self) -> None:
        """On Linux, TCP_INFO has the time since the last sign of the peer where the server reads it."""
        if not sys.platform.startswith("linux"):
            raise SkipTest("only Linux tells")
        began = time.monotonic()
        with socket.create_server(("127.0.0.1", 0)) as port, socket.create_connection(port.getsockname()) as client:
            peer, _ = port.accept()
            with peer:
                time.sleep(0.3)
                self.assertGreater(self._silence(peer), 0.2)
                self.assertLess(self._silence(peer), time.monotonic() - began + 0.1)
                began = time.monotonic()
                peer.send(b"x")  # only an acknowledgement comes back
                client.recv(1)
                self.assertLess(self._silence(peer), time.monotonic() - began + 0.1)

    def _silence(self, peer: socket.socket) -> float:
        told = peer.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, connection._LAST_HEARD.size)
        return connection._LAST_HEARD.unpack(told)[0] / 1_000

    def test_text_protocol(self) -> None:
        """A silent person stays connected, and TCP keepalive detects a dead peer within 90 seconds."""
        person = self.server.text("alice")
        self.wait(10 * SILENCE_ENDS)
        self.assertTrue(person.is_open)
        self.assertTrue(person.socket.keeps_alive)
        options = {option: value for _, option, value in person.socket.options}
        probing = options[socket.TCP_KEEPIDLE] + options[socket.TCP_KEEPINTVL] * options[socket.TCP_KEEPCNT]
        self.assertEqual(probing, SILENCE_ENDS)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            self.assertEqual(options[socket.TCP_USER_TIMEOUT], SILENCE_ENDS * 1_000)
