"""The requests of a session."""

from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from irchat.client.exceptions import ClientError
from irchat.ssh.channel_session import ChannelSession, Started, usable_size
from irchat.ssh.channel_transport import ChannelTransport
from irchat.ssh.session_channel import SessionChannel
from tests.ssh.test_channel_transport import FakeChannel


class _Channel(FakeChannel, SessionChannel):
    """A channel without a connection."""

    limits: tuple[int | None, int | None] = (None, None)

    @property
    def variables(self) -> dict[str, str]:
        return {"NO_COLOR": "1"}

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self.limits = high, low


class _Run:
    """Keeps what happens."""

    def __init__(self) -> None:
        self.calls: list[Any] = []

    def feed(self, data: bytes) -> None:
        self.calls.append(data)

    def end_of_input(self) -> None:
        self.calls.append("end")

    def resized(self) -> None:
        self.calls.append("resized")

    def end(self, why: ClientError) -> None:
        self.calls.append(why.text)

    def channel_lost(self) -> None:
        self.calls.append("lost")

    def resumeProducing(self) -> None:
        self.calls.append("written")


class SessionTests(SynchronousTestCase):
    """The program that is started."""

    def setUp(self) -> None:
        """Make a session."""
        self.started: list[Started] = []
        self.ended: list[bool] = []
        self.run_ = _Run()
        self.channel = _Channel()
        self.session = ChannelSession(self.new_transport, self.start, lambda: self.ended.append(True))
        self.session.connection_made(self.channel)

    def new_transport(self, channel: SessionChannel) -> ChannelTransport:
        """Return a transport."""
        return ChannelTransport(Clock(), channel, lambda: True)

    def start(self, started: Started) -> _Run:
        """Start something."""
        self.started.append(started)
        return self.run_

    def test_screen(self) -> None:
        """A shell with a terminal is a screen, of the terminal's type, and it follows its size."""
        self.assertEqual(self.channel.limits, (0, 0))
        self.assertTrue(self.session.pty_requested("xterm-256color", (100, 30, 0, 0), {}))
        self.assertTrue(self.session.shell_requested())
        self.session.session_started()
        (started,) = self.started
        assert started.terminal is not None
        self.assertEqual((started.command, tuple(started.terminal.size)), (None, (30, 100)))
        self.assertEqual(started.environment, {"NO_COLOR": "1", "TERM": "xterm-256color"})
        self.session.data_received(b"x", None)
        self.session.terminal_size_changed(50, 10, 0, 0)
        self.assertEqual(tuple(started.terminal.size), (10, 50))
        self.assertTrue(self.session.eof_received())
        self.session.connection_lost(None)
        self.assertEqual(self.run_.calls, [b"x", "resized", "end", "lost"])
        self.assertEqual(self.ended, [True])

    def test_answer_at_once(self) -> None:
        """What runs learns that its output was written before it takes the input that answers it."""
        self.session.pty_requested("xterm", (80, 24, 0, 0), {})
        self.session.session_started()
        self.session.transport.registerProducer(self.run_, False)
        self.session.transport.write(b"Your name: ")
        self.session.data_received(b"carol\r", None)
        self.assertEqual(self.run_.calls, ["written", b"carol\r"])

    def test_lines_and_command(self) -> None:
        """Without a terminal, a shell is lines. A command is one."""
        self.session.shell_requested()
        self.session.session_started()
        self.assertIsNone(self.started[0].terminal)
        self.session.terminal_size_changed(1, 1, 0, 0)
        self.session.exec_requested("ls")
        self.session.session_started()
        self.assertEqual(self.started[1].command, "ls")
        self.assertEqual(self.run_.calls, [])

    def test_files(self) -> None:
        """A subsystem and programs that copy files get a line and status 1. Similar words are for the chat."""
        for command in "scp -t x", " /usr/bin/scp -f x", "rsync --server", "sftp-server", "git-receive-pack 'x'":
            self.setUp()
            self.session.exec_requested(command)
            self.session.session_started()
            self.assertEqual((self.channel.status, self.started), (1, []))
            self.assertEqual(self.channel.errors, b"! This is a chat: there are no files to copy.\n")
        self.setUp()
        self.assertTrue(self.session.subsystem_requested("sftp"))
        self.session.session_started()
        self.assertEqual(self.channel.status, 1)
        for command in "scpx", "@scp hi", "ls", "gitter":
            self.setUp()
            self.session.exec_requested(command)
            self.session.session_started()
            self.assertEqual(len(self.started), 1)

    def test_refused(self) -> None:
        """A refusal on a terminal ends its line as one. Input after it is dropped."""
        self.session.pty_requested("xterm", (80, 24, 0, 0), {})
        self.session.refuse("No.")
        self.assertEqual((self.channel.errors, self.channel.status), (b"! No.\r\n", 1))
        self.session.data_received(b"x", None)
        self.session.eof_received()
        self.session.connection_lost(None)
        self.assertEqual((self.run_.calls, self.ended), ([], []))

    def test_odd_terminals(self) -> None:
        """A terminal's type is a word, or unknown."""
        for term, taken in ("xterm", "xterm"), ("x\x1b[2J", "dumb"), ("", "dumb"), ("a" * 99, "a" * 64):
            self.setUp()
            self.session.pty_requested(term, (80, 24, 0, 0), {})
            self.session.session_started()
            assert self.started[0].terminal is not None
            self.assertEqual(self.started[0].terminal.term, taken)

    def test_sizes(self) -> None:
        """A size is within the limits of the screen. 0 is the usual one."""
        for given, usable in [
            ((0, 0), (24, 80)),
            ((1, 1), (2, 10)),
            ((2**32 - 1, 2**32 - 1), (60, 1_000)),
            ((100, 2**32 - 1), (500, 100)),
            ((100, 0), (24, 100)),
        ]:
            self.assertEqual(tuple(usable_size(*given)), usable)

    def test_end(self) -> None:
        """An end from outside reaches what runs, if anything does."""
        self.session.end(ClientError("too early"))
        self.session.shell_requested()
        self.session.session_started()
        self.session.end(ClientError("over"))
        self.assertEqual(self.run_.calls, ["over"])

    def test_window(self) -> None:
        """A full window of the client stops the transport."""
        self.session.pause_writing()
        self.assertFalse(self.session.transport.is_drained)
        self.session.resume_writing()
        self.assertTrue(self.session.transport.is_drained)
