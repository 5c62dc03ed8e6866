"""One run of the plain client, from the first connection to the exit status."""

from collections.abc import Awaitable, Callable
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorCore, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from irchat.client.connect.server_connection import ServerConnection
from irchat.client.exceptions import ClientError
from irchat.client.plain.console import Console
from irchat.client.plain.screens import PlainScreen
from irchat.client.shutdown import Shutdown

Connect = Callable[[], Awaitable[ServerConnection]]
Talk = Callable[[Connect], Awaitable[None]]
"""Talks over the connections that it makes, until the user leaves."""


def over_one(talk: Callable[[ServerConnection], Awaitable[None]]) -> Talk:
    """Return a `Talk` over one connection, which ends with it."""

    async def talk_once(connect: Connect) -> None:
        await talk(await connect())

    return talk_once


class PlainRun:
    """Connect, talk, then stop the reactor.

    However the run ends, it closes the connection, finishes the screen and writes all output, for at most
    `irchat.client.shutdown.LEAVING_SECONDS`. ``status`` is then the exit status: 0 if the user left, 1 after an error.
    ``to_file``: the output goes to a file. If it can no longer be written, that is an error; the reader of a pipe or a
    terminal may leave.
    """

    def __init__(
        self, reactor: IReactorCore, clock: IReactorTime, console: Console, screen: PlainScreen, *, to_file: bool
    ) -> None:
        self.status = 0
        self._to_file = to_file
        self._reactor = reactor
        self._console = console
        self._screen = screen
        self._log = Logger()
        self._conversation: Deferred[None] = succeed(None)
        self._connection: ServerConnection | None = None
        self._shutdown = Shutdown(reactor, clock, self._close)
        self.stop = self._shutdown.begin

    def begin(self, connect: Connect, talk: Talk) -> None:
        """As soon as the reactor runs, call ``talk`` with a function that connects. The run ends with it."""
        self._console.unread.addCallback(lambda _: self._output_ended())
        self._reactor.callWhenRunning(self._begin, connect, talk)

    def _begin(self, connect: Connect, talk: Talk) -> None:
        async def connect_and_note() -> ServerConnection:
            self._connection = await connect()
            return self._connection

        async def converse() -> None:
            await talk(connect_and_note)

        self._conversation = Deferred.fromCoroutine(converse())
        self._conversation.addErrback(self._failed).addBoth(lambda _: self.stop())

    def _failed(self, failure: Failure) -> None:
        if self._shutdown.has_begun:
            return  # `_close` cancelled the conversation, so this is not an error
        self.status = 1
        if isinstance(failure.value, ClientError):
            self._screen.complain(failure.value.text)
        else:
            self._log.failure("The client failed", failure)

    def _output_ended(self) -> None:
        if self._to_file and not self._shutdown.has_begun:
            self.status = 1
            self._screen.complain("The output cannot be written any more. Look whether its disk is full.")
        self.stop()

    def interrupt(self) -> None:
        """Cancel the current question, or end the run if there is none."""
        if not self._screen.cancel():
            self.stop()

    def _close(self) -> list[Deferred[Any]]:
        interrupted = not self._conversation.called
        self._conversation.cancel()
        self._screen.finish(interrupted=interrupted)
        closing: list[Deferred[Any]] = [self._console.finish()]
        if self._connection is not None:
            closing.append(self._connection.close())
        return closing
