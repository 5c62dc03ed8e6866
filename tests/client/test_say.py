"""``irchat say``: one request, repeated by its nonce, and the exit status."""

import contextlib
import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.error import ConnectionLost
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from irchat.client import __main__, say
from irchat.client.connect.server_connection import ServerConnection
from irchat.client.exceptions import ClientError, InputEnded, NoServer
from irchat.client.say import Saying, SilentDialogue, read_standard_input, read_token, show
from irchat.protocol import events, requests
from irchat.system import clock, core_dumps
from tests.helpers.client_fakes import FakeServer, error, sent, welcome

_LINE = requests.Line(line="*ops disk full", nonce="n")


class SayingTests(SynchronousTestCase):
    """`Saying`, with servers of the test."""

    def setUp(self) -> None:
        """Create a clock, and no server yet."""
        self.clock = Clock()
        self.servers: list[FakeServer] = []
        self.failures: list[ClientError] = []

    async def connect(self) -> ServerConnection:
        """Connect to a new server, or fail."""
        if self.failures:
            raise self.failures.pop(0)
        self.servers.append(FakeServer())
        return self.servers[-1].connection

    def begin(self, request: requests.Request = _LINE) -> "Deferred[events.ANY]":
        """Begin."""
        return ensureDeferred(Saying(self.clock, self.connect, "secret", lambda: 1.0).run(request))

    def signed_in(self) -> FakeServer:
        """Let the last server accept the token."""
        server = self.servers[-1]
        self.assertEqual(server.asked(), [requests.Resume(token="secret")])
        server.answer(welcome())
        return server

    def test_said(self) -> None:
        """It signs in by the token, makes the request, leaves, and has the reply."""
        saying = self.begin()
        server = self.signed_in()
        self.assertEqual(server.asked(), [_LINE])
        server.tell(events.Presence(["bob"], []))
        server.answer(sent(seq=1))
        self.assertEqual(server.asked(), [requests.Logout()])
        self.assertEqual(self.successResultOf(saying), sent(seq=1))
        self.assertTrue(server.connection.is_over)

    def test_refused(self) -> None:
        """A refused token, and a refused line, are the reply. Nothing is repeated."""
        saying = self.begin()
        self.servers[-1].answer(error("bad-token"))
        self.assertEqual(self.successResultOf(saying), error("bad-token"))
        saying = self.begin()
        self.signed_in().answer(error("no-such-group"))
        self.assertEqual(self.successResultOf(saying), error("no-such-group"))
        self.assertEqual(len(self.servers), 2)

    def test_lost_answer(self) -> None:
        """If the connection is lost before the answer, the same line with the same nonce goes over the next one."""
        saying = self.begin()
        self.signed_in().lose(ConnectionLost())
        self.failures.append(NoServer("not yet"))
        self.clock.advance(1.0)
        self.assertEqual(len(self.servers), 1)
        self.clock.advance(2.0)
        server = self.signed_in()
        self.assertEqual(server.asked(), [_LINE])
        server.answer(sent(seq=1))
        self.assertEqual(self.successResultOf(saying), sent(seq=1))

    def test_lost_command(self) -> None:
        """A command that is no message is not repeated: nobody knows whether it was carried out."""
        saying = self.begin(requests.Line(line="+bob team", nonce="n"))
        self.signed_in().lose(ConnectionLost())
        self.assertIn("carried out or not", self.failureResultOf(saying, NoServer).value.text)

    def test_gives_up(self) -> None:
        """Without a server, a message is not tried for longer than a minute, and a timed one not beyond its end."""
        for line, most in ("@bob hi", 60.0), ("*5@bob hi", 5.0):
            began = self.clock.seconds()
            saying = self.begin(requests.Line(line=line, nonce="n"))
            self.signed_in().lose(ConnectionLost())
            self.failures += [NoServer("gone")] * 100
            while not saying.called:
                self.clock.advance(0.5)
            self.failures.clear()
            self.failureResultOf(saying, NoServer)
            self.assertLessEqual(self.clock.seconds() - began, most)

    def test_full_disk(self) -> None:
        """While the server cannot store it, the line is repeated for a minute. Then that is the answer."""
        saying = self.begin()
        while not saying.called:
            server = self.signed_in()
            self.assertEqual(server.asked(), [_LINE])
            server.answer(error("unavailable"))
            self.clock.advance(8.0)
        self.assertEqual(self.successResultOf(saying), error("unavailable"))
        self.assertGreater(len(self.servers), 3)

    def test_no_server(self) -> None:
        """Without a server, and without one that lets it sign in, it ends at once."""
        self.failures.append(NoServer("nobody"))
        self.failureResultOf(self.begin(), NoServer)
        saying = self.begin()
        self.servers[-1].lose(ConnectionLost())
        self.failureResultOf(saying, NoServer)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_not_trusted(self) -> None:
        """A server that is not trusted gets no token."""
        self.failures.append(ClientError("another fingerprint"))
        failure = self.failureResultOf(self.begin(), ClientError)
        self.assertFalse(failure.check(NoServer))
        self.assertEqual(self.servers, [])


class CommandTests(SynchronousTestCase):
    """``say`` as the first word of the command line."""

    def test_say(self) -> None:
        """The word alone begins the command, and a host of that name with its port does not."""
        asked: list[Sequence[str]] = []
        self.patch(core_dumps, "forbid_memory_access", lambda: None)
        self.patch(clock, "install_forward_clock", lambda reactor: None)
        self.patch(say, "run_say", lambda reactor, arguments: asked.append(arguments) or 2)
        self.assertEqual(self.assertRaises(SystemExit, __main__.main, ["say", "host", "@bob hi"]).code, 2)
        self.assertEqual(asked, [["host", "@bob hi"]])
        with contextlib.redirect_stderr(io.StringIO()) as error:
            self.assertRaises(SystemExit, __main__.main, ["say:7667", "x"])
        self.assertIn("usage: irchat [-h]", error.getvalue())
        self.assertEqual(len(asked), 1)


class InputTests(SynchronousTestCase):
    """Token files, standard input and output."""

    def test_token(self) -> None:
        """A token is read from a file that only its owner can read. Each fault has its next step."""
        path = Path(self.mktemp())
        self.assertIn("irchat-admin token", self.assertRaises(ClientError, read_token, path, "host:1").text)
        for content, mode, wanted in (
            (b"abc-def\n", 0o644, f"chmod 600 {path}"),
            (b"abc-def\n", 0o640, f"chmod 600 {path}"),
            (b"\n", 0o600, "has no token"),
            (b"two words\n", 0o600, "has no token"),
            (b"\xff\n", 0o600, "has no token"),
        ):
            path.write_bytes(content)
            path.chmod(mode)
            self.assertIn(wanted, self.assertRaises(ClientError, read_token, path, "host:1").text)
        path.write_bytes(b"abc-def\n")
        self.assertEqual(read_token(path, "host:1"), "abc-def")

    def test_standard_input(self) -> None:
        """Text is read whole. Too much, and what is no text, is refused."""
        for data, wanted in (b"a\nb\n", None), (b"x" * 70_000, "too long"), (b"\xff", "not UTF-8"):
            self.patch(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
            self.patch(os, "isatty", lambda descriptor: False)
            if wanted is None:
                self.assertEqual(read_standard_input(), "a\nb\n")
            else:
                self.assertIn(wanted, self.assertRaises(ClientError, read_standard_input).text)
        self.patch(os, "isatty", lambda descriptor: True)
        self.assertIn("piped", self.assertRaises(ClientError, read_standard_input).text)

    def shown(self, reply: events.ANY) -> tuple[int, str, str]:
        """Return the status of a reply, and what it prints."""
        errors: list[str] = []
        self.patch(say, "write_error", errors.append)
        with contextlib.redirect_stdout(io.StringIO()) as output:
            status = show(reply, _LINE)
        return status, output.getvalue(), "\n".join(errors)

    def test_shown(self) -> None:
        """A sent message prints nothing, a list is printed, and an error goes to standard error."""
        self.assertEqual(self.shown(sent(seq=1)), (0, "", ""))
        self.assertEqual(self.shown(events.Blocks([])), (0, "-- you block nobody\n", ""))
        self.assertEqual(self.shown(error("no-such-group", "No.")), (1, "", "! No."))

    def test_no_output(self) -> None:
        """Output that cannot be written is an error after the fact."""
        self.patch(say, "flush_output", lambda: "the output could not be written: No space left on device")
        status, _, err = self.shown(events.Ok())
        self.assertEqual(status, 1)
        self.assertIn("was carried out, but the output", err)

    def test_no_questions(self) -> None:
        """A program answers no question."""
        self.failureResultOf(ensureDeferred(SilentDialogue().ask("Trust?")), InputEnded)
