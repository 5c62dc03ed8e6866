"""Sessions of one typed line."""

import msgspec
from prompt_toolkit.data_structures import Size
from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure

from irchat.client.exceptions import ClientError
from irchat.protocol import events, requests
from irchat.protocol.errors import Refusal
from irchat.ssh.channel_session import Started, Terminal
from irchat.ssh.one_command import OneCommand, read
from tests.ssh.test_typed_lines import LinesCase


class OneCommandTests(LinesCase):
    """Commands."""

    def run_command(self, line: str) -> OneCommand:
        """Run a typed line."""
        command = OneCommand(*self.parts(line))
        command.begin()
        return command

    def test_reply(self) -> None:
        """The reply goes to standard output, the status is 0, and the token ends."""
        command = self.run_command("ls")
        command.resized()
        command.end_of_input()
        command.feed(b"dropped")
        self.assertEqual((self.typed(), self.channel.status, self.channel.errors), (["ls"], 0, b""))
        self.assertIn(b"your chats", self.channel.output)
        self.assertEqual(msgspec.structs.replace(self.door.asked[-1], ref=1), requests.Logout(ref=1, forget=True))
        self.assertTrue(self.door.transports[0].disconnecting)

    def test_message(self) -> None:
        """A message that was sent shows nothing."""
        self.run_command("@bob hi")
        self.assertEqual((self.channel.output, self.channel.errors, self.channel.status), (b"", b"", 0))
        self.assertIsNotNone(next(ask for ask in self.door.asked if isinstance(ask, requests.Line)).nonce)

    def test_refusal(self) -> None:
        """A refusal goes to standard error, with status 1."""
        self.run_command("@nobody hi")
        self.assertEqual(self.channel.errors, b"! There is no user 'nobody'.\n")
        self.assertEqual((self.channel.output, self.channel.status), (b"", 1))

    def test_bare_text(self) -> None:
        """A text that may be meant for a shell is not sent, and no connection is made for it."""
        self.run_command("uptime")
        self.assertEqual((self.channel.status, self.typed(), self.door.connections), (1, [], []))
        self.assertIn(b"'uptime' is no command of it, so nothing was sent", self.channel.errors)
        self.assertIn(b"type \\ before it", self.channel.errors)
        self.assertIn(b"ssh -T", self.channel.errors)

    def test_other_encoding(self) -> None:
        """A line that is not UTF-8 is refused with a reason, and no connection is made for it."""
        self.run_command("@bob caf\udce9")
        self.assertEqual((self.channel.status, self.door.connections), (1, []))
        self.assertEqual(
            self.channel.errors, b"! This line is not UTF-8 and was not sent. Set your terminal or program to UTF-8.\n"
        )

    def test_terminal(self) -> None:
        """On a terminal, lines end as there, and Ctrl-C ends the session."""
        clock, started, *more = self.parts("ls")
        terminal = Terminal("xterm", Size(24, 80))
        OneCommand(clock, Started(started.transport, {}, terminal, "ls"), *more).begin()
        self.assertIn(b"latest first:\r\n", self.channel.output)
        self.setUp()
        self.door.answer = lambda request: None
        command = self.run_command("ls")
        command.feed(b"x\x03")
        self.assertEqual(self.channel.status, 1)

    def test_lost(self) -> None:
        """A client that goes before the reply closes the connection to the server."""
        self.door.answer = lambda request: None
        self.run_command("ls").channel_lost()
        self.assertTrue(self.door.transports[0].disconnecting)

    def test_ended(self) -> None:
        """If the session ends before the reply, the reason is shown once, from the server or from the process."""
        self.door.answer = lambda request: None if isinstance(request, requests.Line) else self.answer(request)
        command = self.run_command("ls")
        self.door.tell(events.Bye("you are banned: spam"))
        self.door.connections[0].connectionLost(Failure(ConnectionDone()))
        self.assertEqual(
            (self.channel.status, self.channel.errors),
            (1, b"! The session has ended: you are banned: spam. Connect again.\n"),
        )
        command.end(ClientError("Once more."))
        self.setUp()
        self.door.answer = lambda request: None if isinstance(request, requests.Line) else self.answer(request)
        self.run_command("ls").end(ClientError("It is over."))
        self.assertEqual((self.channel.status, self.channel.errors), (1, b"! It is over.\n"))

    def test_failures(self) -> None:
        """A server that is gone or that cannot be read, and a failure of the program, give a line and status 1."""
        self.door.is_down = True
        self.run_command("ls")
        self.assertEqual((self.channel.status, self.channel.errors), (1, b"! The server does not answer.\n"))
        self.setUp()
        clock, started, _, entry, report = self.parts("ls")
        OneCommand(clock, started, lambda: 1 / 0, entry, report).begin()  # type: ignore[arg-type, return-value]
        self.assertEqual([failure.type for failure in self.reported], [ZeroDivisionError])
        self.assertEqual(self.channel.errors, b"! The command failed. Try again.\n")

    def test_exit(self) -> None:
        """A command to leave leaves."""
        self.door.answer = lambda request: (
            events.Bye("bye") if isinstance(request, requests.Line) else self.answer(request)
        )
        self.run_command("exit")
        self.assertEqual((self.channel.status, self.channel.output), (0, b""))

    def test_read(self) -> None:
        """Commands, escaped texts, habits of other chats and wrong uses go to the server, which knows the reason."""
        for line in "ls", "@bob hi", "*team hi", "?word", "\\hi", "!help", "exit", "/msg bob hi", "ls is nice", "":
            self.assertEqual(read(line).line, line)
        for line in "uptime", "hi all", "x" * 70_000, "Grüße":
            self.assertRaises(Refusal, read, line)
