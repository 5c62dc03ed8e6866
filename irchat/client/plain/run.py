"""One run of the client, from the first connection to the exit status."""

from collections.abc import Awaitable, Callable
from typing import Any

from twisted.internet.defer import Deferred, DeferredList, TimeoutError, succeed
from twisted.internet.interfaces import IReactorCore, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from irchat.client.connect.connection import Connection
from irchat.client.errors import ClientError
from irchat.client.plain.console import Console
from irchat.client.plain.screen import Screen

# Seconds. For a terminal that stands still, or a server that does not read, the end waits no longer.
_LEAVING = 2.0


class Run:
    """Connects and talks, and stops the reactor when that is over.

    Whatever ends the run, a signal as well, takes the same way out: the connection is closed, the terminal left as
    it was found, all that was shown written. ``status`` is then the exit status.
    """

    def __init__(self, reactor: IReactorCore, clock: IReactorTime, console: Console, screen: Screen) -> None:
        self.status = 0
        self._reactor = reactor
        self._clock = clock
        self._console = console
        self._screen = screen
        self._log = Logger()
        self._conversation: Deferred[None] = succeed(None)
        self._connection: Connection | None = None
        self._leaving = False
        self._over = False

    def begin(
        self, connect: Callable[[], Awaitable[Connection]], talk: Callable[[Connection], Awaitable[None]]
    ) -> None:
        """Begin when the reactor runs."""
        self._reactor.addSystemEventTrigger("before", "shutdown", self._leave)
        self._console.unread.addCallback(lambda _: self.stop())
        self._reactor.callWhenRunning(self._begin, connect, talk)

    def _begin(
        self, connect: Callable[[], Awaitable[Connection]], talk: Callable[[Connection], Awaitable[None]]
    ) -> None:
        async def converse() -> None:
            self._connection = await connect()
            await talk(self._connection)

        self._conversation = Deferred.fromCoroutine(converse())
        self._conversation.addErrback(self._failed).addBoth(self._end)

    def _failed(self, failure: Failure) -> None:
        if self._leaving:
            return  # that is how the conversation was cancelled: by an error of whatever it was waiting for
        self.status = 1
        if isinstance(failure.value, ClientError):
            self._screen.complain(failure.value.text)
        else:
            self._log.failure("The client failed", failure)

    def _end(self, _: None) -> None:
        self._over = True
        self.stop()

    def interrupt(self) -> None:
        """Break off the question that is asked, or end the run."""
        if not self._screen.cancel():
            self.stop()

    def stop(self) -> None:
        """End the run."""
        if not self._leaving:
            self._leaving = True
            self._reactor.stop()

    def _leave(self) -> Deferred[Any]:
        self._leaving = True
        interrupted = not self._over
        self._conversation.cancel()
        self._screen.finish(interrupted=interrupted)
        ends = [self._console.finish()]
        if self._connection is not None:
            ends.append(self._connection.close())
        left: Deferred[Any] = DeferredList(ends, consumeErrors=True)
        left.addTimeout(_LEAVING, self._clock)
        return left.addErrback(lambda failure: failure.trap(TimeoutError))
