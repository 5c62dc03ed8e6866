"""One session of an SSH connection, from its requests to the start of its program."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import asyncssh
from prompt_toolkit.data_structures import Size

from irchat.client.exceptions import ClientError
from irchat.ssh.channel_transport import ChannelTransport
from irchat.ssh.session_channel import SessionChannel

_ROWS, _ROWS_MIN, _ROWS_MAX = 24, 2, 500
_COLUMNS, _COLUMNS_MIN, _COLUMNS_MAX = 80, 10, 1_000
_TERM_LENGTH = 64
# A frame takes time for each cell, and other screens wait meanwhile. On a larger terminal, fewer rows are used.
_CELLS_MOST = 60_000

# Programs that clients run to copy files, with or without a path before them.
_FILE_PROGRAMS = re.compile(r"(?:\S*/)?(?:scp|rsync|sftp-server|git-[\w-]+)(?:\s|$)")
_NO_FILES = "This is a chat: there are no files to copy."


class Run(Protocol):
    """The program of a session. The channel is open until `channel_lost`."""

    def feed(self, data: bytes) -> None:
        """Take input."""

    def end_of_input(self) -> None:
        """Note the end of the input."""

    def resized(self) -> None:
        """Note that the terminal has another size."""

    def end(self, why: ClientError) -> None:
        """End with an error that the user sees."""

    def channel_lost(self) -> None:
        """End: the channel is gone."""


@dataclass
class Terminal:
    """The terminal of a session. ``size`` is always one that a screen can be drawn in."""

    term: str = "dumb"
    size: Size = field(default_factory=lambda: Size(_ROWS, _COLUMNS))


@dataclass
class Started:
    """The request of a client. ``terminal``: None without a pty. ``command``: None for a shell."""

    transport: ChannelTransport
    environment: dict[str, str]
    terminal: Terminal | None
    command: str | None


class ChannelSession(asyncssh.SSHServerSession[bytes]):
    """The session on a channel. ``run`` starts the requested program. ``on_end`` is called when it ends."""

    def __init__(
        self,
        new_transport: Callable[[SessionChannel], ChannelTransport],
        run: Callable[[Started], Run | None],
        on_end: Callable[[], None],
    ) -> None:
        self._new_transport = new_transport
        self._start = run
        self._on_end = on_end
        self._terminal: Terminal | None = None
        self._command: str | None = None
        self._is_subsystem = self._has_started = False
        self._run: Run | None = None

    def connection_made(self, chan: asyncssh.SSHServerChannel[bytes]) -> None:
        """Begin."""
        assert isinstance(chan, SessionChannel)
        self._channel = chan
        self.transport = self._new_transport(chan)
        chan.set_write_buffer_limits(0, 0)

    def pty_requested(self, term_type: str, term_size: tuple[int, int, int, int], term_modes: object) -> bool:
        """Take a terminal. Its modes do not matter: clients send raw keys."""
        term = term_type if re.fullmatch(r"[\w.+-]+", term_type, re.ASCII) else "dumb"
        self._terminal = Terminal(term[:_TERM_LENGTH], usable_size(*term_size[:2]))
        return True

    def terminal_size_changed(self, width: int, height: int, pixwidth: int, pixheight: int) -> None:
        """Take another size of the terminal."""
        if self._terminal is not None:
            self._terminal.size = usable_size(width, height)
            if self._run is not None:
                self._run.resized()

    def shell_requested(self) -> bool:
        """Take the request for the screen, or for lines."""
        return True

    def exec_requested(self, command: str) -> bool:
        """Take a typed line."""
        self._command = command
        return True

    def subsystem_requested(self, subsystem: str) -> bool:
        """Take a subsystem, to refuse it by a line: a user would not see another refusal."""
        self._is_subsystem = True
        return True

    def session_started(self) -> None:
        """Start the requested program."""
        if self._is_subsystem or (self._command is not None and _FILE_PROGRAMS.match(self._command.strip())):
            self.refuse(_NO_FILES)
            return
        environment = self._channel.variables
        if self._terminal is not None:
            environment["TERM"] = self._terminal.term
        self._has_started = True
        self._run = self._start(Started(self.transport, environment, self._terminal, self._command))

    def end(self, why: ClientError) -> None:
        """End what runs, with an error that the user sees."""
        if self._run is not None:
            self._run.end(why)

    def refuse(self, text: str) -> None:
        """Show a refusal, and end with status 1."""
        end = "\r\n" if self._terminal is not None else "\n"
        self.transport.write_error(f"! {text}{end}".encode())
        self.transport.status = 1
        self.transport.loseConnection()

    def data_received(self, data: bytes, datatype: object) -> None:
        """Take input."""
        self.transport.input_comes()
        if self._run is not None:
            self._run.feed(data)

    def eof_received(self) -> bool:
        """Note the end of the input. The channel stays open for output."""
        if self._run is not None:
            self._run.end_of_input()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        if self._run is not None:
            self._run.channel_lost()
        if self._has_started:
            self._on_end()

    def pause_writing(self) -> None:
        """Note that the client does not read."""
        self.transport.window_full(True)

    def resume_writing(self) -> None:
        """Note that the client reads again."""
        self.transport.window_full(False)


def usable_size(columns: int, rows: int) -> Size:
    """Return the size of a terminal within the limits of the screen. 0 means that the client does not know."""
    width = max(_COLUMNS_MIN, min(columns, _COLUMNS_MAX)) if columns else _COLUMNS
    height = max(_ROWS_MIN, min(rows, _ROWS_MAX)) if rows else _ROWS
    return Size(rows=min(height, _CELLS_MOST // width), columns=width)
