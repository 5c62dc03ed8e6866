"""Clients that close their sending side, as ``nc -N`` does at the end of its input."""

import json
import socket
import tempfile
from pathlib import Path

from twisted.internet import reactor
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from irchat.protocol.rules import SILENCE_ENDS
from irchat.tap import ChatServer
from tests.helpers.server import PASSWORD, ServerTestCase, request
from tests.helpers.service import Terminal, options_of, sighup_kept

_REASON = "all that you sent is answered"


class HalfClosedTests(ServerTestCase):
    """Bob watches while another client sends some requests and closes its sending side."""

    def setUp(self) -> None:
        """Sign in bob, who has an account with a password."""
        self.server = self.make_server()
        self.bob = self.server.json("bob")

    def offline(self) -> list[str]:
        """Return the users whose departure bob saw."""
        self.bob.ask("ping")
        self.server.advance(1)
        return [name for line in self.bob.told("presence") for name in line["offline"]]

    def test_nothing_asked(self) -> None:
        """Without pending requests the client gets a bye and is offline at once, in both protocols and in none."""
        program, person, stranger = self.server.json("alice"), self.server.text("carol"), self.server.json()
        stranger.read()
        self.assertEqual(self.offline(), [])
        for client in program, person, stranger:
            client.end_sending()
            self.assertFalse(client.is_open)
        self.assertEqual(program.told("bye"), [{"type": "bye", "reason": _REASON}])
        self.assertIn(f"goodbye: {_REASON}", person.shown())
        self.assertIn(f"goodbye: {_REASON}", stranger.read())
        self.assertEqual(self.offline(), ["alice", "carol"])

    def test_answered_first(self) -> None:
        """Requests that wait for the disk are answered in order before the connection closes."""
        alice = self.server.json("alice")
        alice.got()
        self.server.threads.write.holds = self.server.threads.read.holds = True
        alice.send(*(request("send", chat="GLOBAL", text=text, ref=text) for text in "ab"), request("chats", ref="c"))
        alice.end_sending()
        self.assertTrue(alice.is_open)
        self.server.threads.write.release()
        self.server.turn()
        self.assertEqual([line["ref"] for line in alice.got()], ["a", "b"])
        self.assertTrue(alice.is_open)
        self.server.threads.read.release()
        self.server.turn()
        self.assertEqual([line["type"] for line in alice.got()], ["chats", "bye"])
        self.assertFalse(alice.is_open)

    def test_whole_conversation(self) -> None:
        """A sign-in with its password, further lines and the end can arrive in one piece."""
        self.server.hashing.holds = True
        person = self.server.text()
        person.send(f"bob\n{PASSWORD}\nhello all\nls GLOBAL\nunfinished".encode())
        person.end_sending()
        self.assertTrue(person.is_open)
        self.server.hashing.release()
        self.server.advance(0, 0, 0, 0)
        shown = person.shown()
        self.assertIn("Welcome back", shown)
        ends_with = f"bob: hello all\n-- end of GLOBAL\n-- goodbye: {_REASON}\n"
        self.assertTrue(shown.endswith(ends_with), shown)
        self.assertNotIn("unfinished", shown)
        self.assertFalse(person.is_open)

    def test_many_lines(self) -> None:
        """Lines that wait for their turn at the end are all answered."""
        alice = self.server.json("alice")
        alice.got()
        alice.connection.dataReceived(b"".join(request("ping", ref=number) for number in range(100)))
        self.assertTrue(alice.connection.paused)
        alice.connection.readConnectionLost()  # as by a reactor that read the end in the same round
        alice.socket.ended = True
        self.server.advance(0, 0, 0, 0, 0)
        lines = alice.got()
        self.assertEqual([line.get("ref") for line in lines], [*range(100), None])
        self.assertEqual((lines[-1]["type"], alice.is_open), ("bye", False))

    def wait(self, seconds: float) -> None:
        """Let time pass, while bob answers pings."""
        while seconds > 0:
            self.bob.ask("ping")
            self.server.advance(min(seconds, 30))
            seconds -= 30

    def test_replies_are_not_read(self) -> None:
        """A client with many requests is answered as it reads. One that reads nothing is paused and dropped."""
        for reads in True, False:
            alice = self.server.json("alice", room=0)
            alice.send(b"".join(request("help", ref=number) for number in range(200)))
            alice.end_sending()
            self.wait(SILENCE_ENDS - 5)
            self.assertEqual((alice.is_open, "alice" in self.offline()), (True, False))
            alice.socket.room = None if reads else 0
            self.server.advance(*[0] * 20, 5, 10)
            self.assertEqual((alice.is_open, alice.socket.aborted), (False, not reads))
            self.assertEqual(alice.read().count('"type":"help"'), 200 if reads else 0)
            self.assertEqual(self.offline(), ["alice"])

    def test_no_answer(self) -> None:
        """A connection that accepts no answer is dropped after 90 seconds, in both protocols, signed in or not."""
        program, person = self.server.json("alice"), self.server.text("carol")
        self.server.hashing.holds = self.server.threads.write.holds = True
        stranger = self.server.text()
        stranger.type("bob", PASSWORD, "hi")
        stranger.end_sending()
        self.server.hashing.release()
        self.server.advance(0, 0)
        self.assertIn("Welcome back", stranger.shown())
        program.send(request("send", chat="GLOBAL", text="hi"))
        person.type("hi")
        for client in program, person:
            client.end_sending()
        self.wait(SILENCE_ENDS - 1)
        self.assertEqual([client.is_open for client in (program, person, stranger)], [True] * 3)
        self.wait(2)
        self.assertEqual([client.is_open for client in (program, person, stranger)], [False] * 3)
        self.server.threads.write.release()

    def test_goodbye_is_not_read(self) -> None:
        """A client that does not even accept the bye is offline at once, and dropped 10 seconds later."""
        alice = self.server.json("alice", room=0)
        self.assertEqual(self.offline(), [])
        alice.end_sending()
        self.assertEqual((self.offline(), alice.is_open), (["alice"], True))
        self.server.advance(10)
        self.assertFalse(alice.is_open)

    def test_no_timers_are_left(self) -> None:
        """A connection lost in the middle leaves no delayed call."""
        alice = self.server.json("alice", room=0)
        alice.send(b"".join(request("help") for _ in range(200)))
        alice.end_sending()
        alice.leave()
        self.bob.leave()
        self.server.advance(2)
        self.assertEqual(self.server.clock.calls, [])


class SocketTests(TestCase):
    """Real sockets."""

    timeout = 60

    async def test_in_one_piece(self) -> None:
        """A client that closes its sending side and reads on gets every reply. A full close shows it offline."""
        folder = tempfile.TemporaryDirectory(prefix="irchat-")
        self.addCleanup(folder.cleanup)
        options = options_of(
            "--data", folder.name, "--host", "127.0.0.1", "--port", "0", "--no-tls", "--no-passwords", "--rate", "0"
        )
        self.enterContext(sighup_kept())
        server = ChatServer(options, Terminal(), Path(folder.name))
        server.startService()
        self.addCleanup(server.stopService)
        lines = [json.loads(line) for line in (await deferToThread(_converse, server.port)).splitlines()[1:]]
        kinds = [line["type"] for line in lines if line["type"] != "presence"]
        self.assertEqual(kinds, ["welcome", *["sent"] * 200, "history", "bye"])
        self.assertEqual(len(lines[-2]["messages"]), 200)
        await deferToThread(_connect_and_close, server.port)
        while server._chat.presence.count(server._chat.directory.user("bob").id):
            await deferLater(reactor, 0.01)


def _converse(port: int) -> bytes:
    requests = [{"type": "login", "name": "alice"}]
    requests += [{"type": "send", "chat": "GLOBAL", "text": "hi"}] * 200
    requests += [{"type": "history", "chat": "GLOBAL", "limit": 500}]
    with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
        client.sendall(b"".join(json.dumps(one).encode() + b"\n" for one in requests))
        client.shutdown(socket.SHUT_WR)
        said = b""
        while data := client.recv(65_536):
            said += data
    return said


def _connect_and_close(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
        client.sendall(b'{"type":"login","name":"bob"}\n')
        while b"welcome" not in client.recv(65_536):
            pass
