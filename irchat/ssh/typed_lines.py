"""A session without a terminal: each line of its input is a command, as in the client in a pipe."""

import random
import secrets
from collections.abc import Awaitable, Callable
from functools import partial

from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from irchat.client.connect.entry import Entry
from irchat.client.connect.server_connection import ServerConnection
from irchat.client.exceptions import ClientError
from irchat.client.plain.console import Console
from irchat.client.plain.conversation import PlainChat
from irchat.client.plain.screens import PlainScreen
from irchat.protocol import events, requests
from irchat.protocol.rules import visible
from irchat.ssh.channel_session import Started

ENDED = "The session has ended: {reason}. Connect again."
_FAILED = "The session failed. Connect again."


class LinesScreen(PlainScreen):
    """Shows replies and events as lines. ``was_refused``: one was an error. ``goodbye``: why the session ends."""

    was_refused = False
    goodbye = ""

    def show(self, event: events.Event, asked: requests.Request | None = None) -> None:
        """Show an event, except the welcome."""
        self.was_refused |= isinstance(event, events.Error)
        if isinstance(event, events.Bye):
            self.goodbye = event.reason
        elif not isinstance(event, events.Welcome):
            super().show(event, asked)

    def complain(self, text: str) -> None:
        """Show an error."""
        self.was_refused = True
        super().complain(text)


class TypedLines:
    """Runs the lines of the input. The exit status is 1 if any of them was refused.

    ``connect`` returns a connection to the server. ``report`` is called with a failure.
    """

    def __init__(
        self,
        clock: IReactorTime,
        started: Started,
        connect: Callable[[], Awaitable[ServerConnection]],
        new_entry: Callable[[None, Callable[[ClientError], None]], Entry],
        report: Callable[[Failure], None],
    ) -> None:
        self._transport = started.transport
        self._connect = connect
        self._entry = new_entry(None, lambda why: None)
        self._report = report
        self._console = Console()
        self._screen = LinesScreen(self._console, self._write_error)
        self._chat = PlainChat(clock, self._console, self._screen, partial(secrets.token_urlsafe, 12), random.random)
        self._connection: ServerConnection | None = None
        self._talk: Deferred[None] = succeed(None)

    def begin(self) -> None:
        """Begin to read."""
        self._console.makeConnection(self._transport)  # type: ignore[no-untyped-call]
        self._talk = Deferred.fromCoroutine(self._converse())
        self._talk.addErrback(self._failed).addBoth(lambda _: self._finish())

    def feed(self, data: bytes) -> None:
        """Take input."""
        self._console.dataReceived(data)

    def end_of_input(self) -> None:
        """Leave after the last line."""
        self._console.readConnectionLost()

    def resized(self) -> None:
        """Do nothing: there is no terminal."""

    def end(self, why: ClientError) -> None:
        """End with an error."""
        if not self._talk.called:
            self._screen.complain(why.text)
            self._talk.cancel()

    def channel_lost(self) -> None:
        """End."""
        self._talk.cancel()
        self._console.writeConnectionLost()

    async def _converse(self) -> None:
        await self._chat.run(self._connect_and_note, self._entry.sign_in)

    async def _connect_and_note(self) -> ServerConnection:
        self._connection = await self._connect()
        return self._connection

    def _failed(self, failure: Failure) -> None:
        if isinstance(failure.value, ClientError):
            text = ENDED.format(reason=self._screen.goodbye) if self._screen.goodbye else failure.value.text
            self._screen.complain(visible(text))
        elif not failure.check(CancelledError):
            self._report(failure)
            self._screen.complain(_FAILED)

    def _finish(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._transport.status = int(self._screen.was_refused)
        self._console.finish()

    def _write_error(self, line: str) -> None:
        self._transport.write_error(f"{line}\n".encode("utf-8", "replace"))
