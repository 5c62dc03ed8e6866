"""The connection of the plain client. On a terminal a lost one is restored, in a pipe its loss ends the client."""

from collections.abc import Awaitable, Callable

from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from irchat.client.connect.request_channel import Reply, RequestChannel
from irchat.client.connect.server_connection import ServerConnection
from irchat.client.control.reconnecting import Link
from irchat.client.exceptions import ClientError, Later
from irchat.client.plain.console import Console
from irchat.client.plain.screens import PlainScreen
from irchat.protocol import events, requests

_log = Logger()


class ConnectionLost(ClientError):
    """The connection is lost, and comes back."""


class Staying:
    """Stay signed in. ``on_event`` is called with each event, ``on_welcome`` after each sign-in.

    If the connection is lost while a question waits for its answer, the client ends: the rest of a password that is
    being typed must not become a message.
    """

    is_asking = False

    def __init__(
        self,
        clock: IReactorTime,
        console: Console,
        screen: PlainScreen,
        on_event: Callable[[events.ANY], None],
        on_welcome: Callable[[events.Welcome], None],
        jitter: Callable[[], float],
    ) -> None:
        self._console = console
        self._screen = screen
        self._on_welcome = on_welcome
        self._link = Link(clock, self._entered, lambda state: None, self, jitter)
        self._link.on_event = on_event
        self._link.on_pause = self._say_why
        self._said = ""
        self._has_entered = self._has_left = False
        self._end: ClientError | None = None
        self._up: Deferred[None] = Deferred()
        self._running: Deferred[None] = succeed(None)

    async def enter(
        self,
        connect: Callable[[], Awaitable[ServerConnection]],
        sign_in: Callable[[RequestChannel], Awaitable[events.Welcome]],
    ) -> None:
        """Sign in. Raises ClientError."""

        async def connect_and_show() -> ServerConnection:
            connection = await connect()
            self._console.pace(connection)
            self._screen.note(f"connected to {connection.server_name}")
            return connection

        async def sign_in_now(channel: RequestChannel) -> events.Welcome:
            try:
                return await sign_in(channel)
            except Later as later:
                if self._has_entered:
                    raise
                raise ClientError(later.text) from None

        self._running = Deferred.fromCoroutine(self._link.run(connect_and_show, sign_in_now))
        self._running.addErrback(self._failed)
        await self.until_up()

    def ask(self, request: requests.Request) -> Deferred[Reply]:
        """Make a request. Fails with ClientError if there is no connection, or if it is lost before the reply."""
        return self._link.ask(request).addErrback(self._note_lost)

    async def until_up(self) -> None:
        """Wait until the connection is back. Raises ClientError if it does not come back."""
        await self._up
        if self._end is not None:
            raise self._end

    def leave(self) -> None:
        """Stop reconnecting, because the user has left."""
        self._has_left = True
        self._link.leave()
        self._running.cancel()

    # As the link uses it

    def mend(self) -> None:
        """Do nothing: a question that was broken off has ended the client."""

    def dismiss(self) -> None:
        """Do nothing: the screen ends the dialogue with the next line that it reads."""

    def complain(self, text: str) -> None:
        """Show why the server refuses the user for a while."""
        self._screen.complain(text)

    def break_off(self, stop: ClientError) -> None:
        """Interrupt the input, because the connection is lost."""
        if self._has_left:
            return
        if self._has_entered and self._screen.interactive and not self._screen.is_asking:
            self._go_down()
            self._console.interrupt(ConnectionLost(stop.text))
        else:
            self._give_up(stop)

    def _note_lost(self, failure: Failure) -> Failure:
        """Note that the connection is lost: requests fail before the link notices."""
        self._go_down()
        return failure

    def _go_down(self) -> None:
        if self._up.called:
            self._up = Deferred()

    def _give_up(self, stop: ClientError) -> None:
        self._end = stop
        self._console.break_off(stop)
        if self._has_entered:
            self._link.leave()
        if not self._up.called:
            self._up.callback(None)

    def _say_why(self, why: str) -> None:
        """Show why the connection is lost, once for each reason."""
        if why != self._said:
            self._said = why
            self._screen.note(f"{why} Reconnecting; what you type is sent then. Ctrl-C leaves.")

    def _entered(self, welcome: events.Welcome) -> None:
        self._has_entered = True
        self._said = ""
        self._on_welcome(welcome)
        if not self._up.called:
            self._up.callback(None)

    def _failed(self, failure: Failure) -> None:
        if failure.check(CancelledError) or self._end is not None:
            return
        if not failure.check(ClientError):
            if not self._has_entered:
                self._up.errback(failure)
                return
            _log.failure("the connection did not come back", failure)
            failure = Failure(ClientError("The client cannot connect again. Start it again."))
        self._give_up(failure.value)  # type: ignore[arg-type]
