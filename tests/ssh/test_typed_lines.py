"""Sessions of lines."""

from collections.abc import Callable
from typing import Any

from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from irchat.client.connect.server_connection import ServerConnection
from irchat.client.exceptions import ClientError
from irchat.protocol import events, requests
from irchat.ssh.channel_session import Started
from irchat.ssh.channel_transport import ChannelTransport
from irchat.ssh.identity import Identity
from irchat.ssh.remote_entry import RemoteEntry
from irchat.ssh.typed_lines import TypedLines
from tests.helpers.client_fakes import message, sent
from tests.helpers.ssh_peers import FakeDoor, default_answer
from tests.ssh.test_channel_transport import FakeChannel


class LinesCase(SynchronousTestCase):
    """A session without a terminal."""

    def setUp(self) -> None:
        self.door = FakeDoor(self.answer)
        self.reported: list[Failure] = []
        self.channel = FakeChannel()

    def answer(self, request: Any) -> events.Event | None:
        """Answer a request."""
        match request:
            case requests.Line(line="@nobody hi"):
                return events.Error("no-such-user", "There is no user 'nobody'.")
            case requests.Line(line="ls"):
                return events.Chats([events.Chat("GLOBAL", "id", 0, 0, 0, None)])
            case requests.Line():
                return sent(seq=1)
        return default_answer(request)

    def parts(self, command: str | None = None) -> tuple[Any, ...]:
        """Return what a session is made with."""
        transport = ChannelTransport(self.door.clock, self.channel, lambda: True)  # type: ignore[arg-type]

        def entry(questions: None, on_over: Callable[[ClientError], None]) -> RemoteEntry:
            identity = Identity("alice", fingerprint="SHA256:x")
            return RemoteEntry(identity, questions, lambda: True, lambda: None, on_over)

        async def connect() -> ServerConnection:
            return await self.door.connect(7)

        started = Started(transport, {}, None, command)
        return self.door.clock, started, connect, entry, self.reported.append

    def typed(self) -> list[str]:
        """Return the lines that the server got."""
        return [request.line for request in self.door.asked if isinstance(request, requests.Line)]


class TypedLinesTests(LinesCase):
    """Lines of a pipe."""

    def start(self) -> TypedLines:
        """Start a session."""
        lines = TypedLines(*self.parts())
        lines.begin()
        return lines

    def finish(self, lines: TypedLines) -> None:
        """Let the client take all output and close the channel."""
        self.door.clock.advance(0)
        lines.channel_lost()

    def test_lines(self) -> None:
        """Lines are run in order, in any pieces, and the session ends after the last one with status 0."""
        lines = self.start()
        lines.feed(b"hel")
        lines.feed(b"lo\nls\nlast")
        lines.resized()
        lines.end_of_input()
        self.assertEqual(self.typed(), ["hello", "ls", "last"])
        self.assertEqual(self.channel.status, 0)
        self.assertIn(b"your chats", self.channel.output)
        self.assertEqual(self.channel.errors, b"")
        self.assertNotIn(b"Welcome", self.channel.output)
        self.assertTrue(self.door.transports[0].disconnecting)
        self.finish(lines)

    def test_refused(self) -> None:
        """A refused line goes to standard error, the others are run, and the status is 1."""
        lines = self.start()
        lines.feed(b"@nobody hi\nls\n\xff\n")
        lines.end_of_input()
        self.assertEqual(self.typed(), ["@nobody hi", "ls"])
        self.assertEqual(self.channel.status, 1)
        self.assertIn(b"! There is no user 'nobody'.\n", self.channel.errors)
        self.assertIn(b"not UTF-8", self.channel.errors)
        self.finish(lines)

    def test_password(self) -> None:
        """The lines after ``!password`` are not sent."""
        lines = self.start()
        lines.feed(b"ls\n!password\nold\nnew\n")
        lines.end_of_input()
        self.assertEqual((self.typed(), self.channel.status), (["ls"], 1))
        self.assertIn(b"! !password needs a terminal.", self.channel.errors)
        self.finish(lines)

    def test_events(self) -> None:
        """Messages of others are shown while the session lasts, timed ones without their text."""
        lines = self.start()
        self.door.tell(message("hi all", seq=1))
        self.door.tell(message("secret", id="t", expires_at="2026-11-22T13:01:00.000Z", left_ms=1_000))
        self.assertIn(b"bob: hi all\n", self.channel.output)
        self.assertNotIn(b"secret", self.channel.output)
        self.assertIsNone(self.channel.status)
        lines.channel_lost()
        self.assertTrue(self.door.transports[0].disconnecting)
        self.assertEqual(self.reported, [])

    def test_no_server(self) -> None:
        """Without the server, the session ends with a line."""
        self.door.is_down = True
        self.finish(self.start())
        self.assertEqual((self.channel.status, self.channel.errors), (1, b"! The server does not answer.\n"))

    def test_ended(self) -> None:
        """The reason why a session ends is shown once, from the server or from the process."""
        lines = self.start()
        self.door.tell(events.Bye("the key that signed you in was removed"))
        self.door.connections[0].connectionLost(Failure(ConnectionDone()))
        reason = b"! The session has ended: the key that signed you in was removed. Connect again.\n"
        self.assertEqual((self.channel.status, self.channel.errors), (1, reason))
        self.finish(lines)
        self.setUp()
        lines = self.start()
        lines.end(ClientError("It is over."))
        lines.end(ClientError("Once more."))
        self.assertEqual((self.channel.status, self.channel.errors), (1, b"! It is over.\n"))
        self.finish(lines)

    def test_failure(self) -> None:
        """A failure of the program ends the session with a line, and is reported."""
        lines = TypedLines(*self.parts())
        self.patch(lines._chat, "run", lambda *how: 1 / 0)
        lines.begin()
        self.assertEqual([failure.type for failure in self.reported], [ZeroDivisionError])
        self.assertEqual(self.channel.status, 1)
        self.finish(lines)
