"""The process of the SSH door: it listens for the relay of the server, and runs the sessions."""

import asyncio
import gc
import logging
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.internet.endpoints import UNIXClientEndpoint
from twisted.logger import LogEvent, globalLogBeginner
from twisted.python.failure import Failure

from irchat.client.connect.server_connection import ServerConnection
from irchat.client.control.questions import Questions
from irchat.client.exceptions import ClientError
from irchat.client.terminal.frame_pacing import FramePacing
from irchat.protocol.ssh_door import DOOR_SOCKET, HOST_KEY_FILE, READY, RELAY_SOCKET, DoorConfig
from irchat.ssh.algorithms import server_options
from irchat.ssh.channel_session import ChannelSession, Run, Started
from irchat.ssh.channel_transport import ChannelTransport
from irchat.ssh.door import Door
from irchat.ssh.doorkeeper import Doorkeeper, take_passwords_as_typed
from irchat.ssh.one_command import OneCommand
from irchat.ssh.relayed_connection import RelayedConnection
from irchat.ssh.remote_entry import RemoteEntry
from irchat.ssh.remote_screen import RemoteScreen, fail_current
from irchat.ssh.session_channel import SessionChannel
from irchat.ssh.typed_lines import TypedLines

_STOPPED = "The server has stopped. Connect again later."
# Seconds for the clients to take their last bytes.
_LEAVING_SECONDS = 2
_FULL = "The server has as many SSH sessions as it allows. Try again later."
_LINES_OF_GUEST = "Lines need a key or a password: in the chat, !keys add takes your key."
_COMMAND_OF_GUEST = "A command needs a key: sign in once by ssh without a command, and type !keys add there."


class DoorProcess:
    """All SSH connections of the server."""

    def __init__(self, reactor: Any, config: DoorConfig) -> None:
        self._reactor = reactor
        self._config = config
        self._door = Door(reactor, UNIXClientEndpoint(reactor, DOOR_SOCKET), config.name)
        self._pacing = FramePacing()
        self._sessions: set[ChannelSession] = set()
        self._is_ending = False

    async def listen(self) -> None:
        """Listen for the relay. The working directory contains the sockets and the host key.

        Raises OSError or ValueError.
        """
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda loop, context: fail_current(context, report))
        take_passwords_as_typed()
        options = server_options(Path(HOST_KEY_FILE), self._new_doorkeeper)
        Path(RELAY_SOCKET).unlink(missing_ok=True)
        old = os.umask(0o177)
        try:
            await loop.create_unix_server(lambda: RelayedConnection(loop, options), RELAY_SOCKET)
        finally:
            os.umask(old)

    def end(self) -> None:
        """End all sessions: each screen is erased and left. Stop the reactor when the clients have taken that."""
        for session in list(self._sessions):
            session.end(ClientError(_STOPPED))
        self._reactor.callLater(_LEAVING_SECONDS, self._stop)
        self._is_ending = True
        self._look_ended()

    def _look_ended(self) -> None:
        if self._is_ending and not self._sessions:
            self._stop()

    def _stop(self) -> None:
        if self._reactor.running:
            self._reactor.stop()

    def _new_doorkeeper(self) -> Doorkeeper:
        return Doorkeeper(self._door, self._new_session, with_passwords=self._config.passwords)

    def _new_session(self, keeper: Doorkeeper) -> ChannelSession:
        connection = keeper.connection
        transports: list[ChannelTransport] = []

        def new_transport(channel: SessionChannel) -> ChannelTransport:
            transport = ChannelTransport(self._reactor, channel, lambda: connection.is_drained)
            connection.on_drained.add(transport.drained)
            transports.append(transport)
            return transport

        def end() -> None:
            self._sessions.discard(session)
            keeper.sessions -= 1
            for transport in transports:
                connection.on_drained.discard(transport.drained)
            self._look_ended()

        session = ChannelSession(new_transport, lambda started: self._run(keeper, session, started), end)
        return session

    def _run(self, keeper: Doorkeeper, session: ChannelSession, started: Started) -> Run | None:
        """Start the program of a session, or refuse it. The session counts until its channel is gone."""
        self._sessions.add(session)
        keeper.sessions += 1
        identity = keeper.identity
        assert identity is not None
        is_screen = started.terminal is not None and started.command is None
        if len(self._sessions) > self._config.sessions:
            session.refuse(_FULL)
            return None
        if identity.is_guest and not is_screen:
            session.refuse(_LINES_OF_GUEST if started.command is None else _COMMAND_OF_GUEST)
            return None

        async def connect() -> ServerConnection:
            return await self._door.connect(keeper.relay, list(keeper.offered.values()))

        def new_entry(questions: Questions | None, on_over: Callable[[ClientError], None]) -> RemoteEntry:
            return RemoteEntry(identity, questions, lambda: keeper.sessions <= 1, keeper.release, on_over)

        run: RemoteScreen | TypedLines | OneCommand
        if is_screen:
            run = RemoteScreen(self._reactor, started, self._config.name, self._pacing, connect, new_entry, report)
        elif started.command is None:
            run = TypedLines(self._reactor, started, connect, new_entry, report)
        else:
            run = OneCommand(self._reactor, started, connect, new_entry, report)
        run.begin()
        return run


def report(failure: Failure) -> None:
    """Write one line about a failure to standard error: its type and its place, for its text may be secret."""
    frames = traceback.extract_tb(failure.getTracebackObject())
    place = f" in {Path(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else ""
    sys.stderr.write(f"an SSH session failed: {failure.type.__name__ if failure.type else 'unknown'}{place}\n")
    sys.stderr.flush()


def observe(event: LogEvent) -> None:
    """Report the failures in the log of Twisted."""
    if failure := event.get("log_failure"):
        report(failure)


def run(reactor: Any, config: DoorConfig) -> int:
    """Run the process until its standard input ends. Return the exit status."""
    os.chdir(config.folder)
    logging.disable(logging.CRITICAL)  # the libraries log names and commands of users
    observers: Any = [observe]
    globalLogBeginner.beginLoggingTo(observers, discardBuffer=True, redirectStandardIO=False)
    process = DoorProcess(reactor, config)
    status = 0

    async def begin() -> None:
        nonlocal status
        try:
            await process.listen()
        except (OSError, ValueError) as error:
            sys.stderr.write(f"the SSH door cannot open: {error}\n")
            status = 1
            reactor.stop()
            return
        gc.freeze()
        asyncio.get_running_loop().add_reader(0, _read_input, process.end)
        os.write(1, READY)

    reactor.callWhenRunning(lambda: asyncio.ensure_future(begin()))
    reactor.run()
    return status


def _read_input(at_end: Callable[[], None]) -> None:
    """Call ``at_end`` at the end of standard input: the server stops, or is gone."""
    if not os.read(0, 1_024):
        asyncio.get_running_loop().remove_reader(0)
        at_end()
