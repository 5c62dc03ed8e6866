"""Keep a connection to the server: reconnect whenever it is lost, with growing pauses."""

import math
from collections.abc import Awaitable, Callable
from typing import Protocol

from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from irchat.client.connect.request_channel import Reply, RequestChannel
from irchat.client.connect.server_connection import ServerConnection
from irchat.client.exceptions import ClientError, Later
from irchat.protocol import events, requests

# Seconds between two attempts. Each pause is lengthened or shortened by up to half at random, so that the clients of a
# restarted server do not all reconnect at once.
PAUSES = (1, 2, 4, 8, 15, 30)
# Seconds after which a connection counts as stable, which resets the pauses.
STEADY = 60


class OpenQuestions(Protocol):
    """The questions of the sign-in, as `Link` uses them."""

    @property
    def is_asking(self) -> bool:
        """Whether a question waits for its answer."""

    def mend(self) -> None:
        """Allow questions again, for a new connection."""

    def dismiss(self) -> None:
        """End the dialogue."""

    def break_off(self, stop: ClientError) -> None:
        """Fail an open question, because the connection is lost."""

    def complain(self, text: str) -> None:
        """Show an error."""


class Link:
    """Stay signed in to the server until `leave`.

    ``on_event`` is called with each event, ``on_welcome`` after each sign-in, and ``on_state`` with the state of the
    connection, which is empty while it is up. An open question in ``questions`` is cancelled when the connection is
    lost. ``jitter`` returns a random number from 0 to 1. ``on_pause`` is called with the reason before each pause.
    """

    def __init__(
        self,
        clock: IReactorTime,
        on_welcome: Callable[[events.Welcome], None],
        on_state: Callable[[str], None],
        questions: OpenQuestions,
        jitter: Callable[[], float],
    ) -> None:
        self.connection: ServerConnection | None = None
        self.on_event: Callable[[events.ANY], None] = lambda event: None
        self.on_pause: Callable[[str], None] = lambda why: None
        self._clock = clock
        self._on_welcome = on_welcome
        self._on_state = on_state
        self._questions = questions
        self._jitter = jitter
        self._pauses = 0
        self._began = 0.0
        self._refused = ""
        self._channel: RequestChannel | None = None
        self._lost: Deferred[ClientError] = Deferred()
        self._left = False
        self._was_asking = False

    @property
    def is_up(self) -> bool:
        """Whether the user is signed in and can make requests."""
        return self._channel is not None

    async def run(
        self,
        connect: Callable[[], Awaitable[ServerConnection]],
        sign_in: Callable[[RequestChannel], Awaitable[events.Welcome]],
    ) -> None:
        """Sign in, and stay signed in until `leave`. Raises ClientError if the first sign-in fails.

        The sign-in is repeated if the connection is lost while the user answers a question (the server closes it if
        that takes too long), and if the server refuses temporarily.
        """
        self._connect, self._sign_in = connect, sign_in
        while not self.is_up and not self._left:
            try:
                await self._join()
            except Later as later:
                self._drop()
                await self._come_back(later)
            except ClientError as stop:
                if not self._was_asking:
                    raise
                if self._clock.seconds() - self._began < STEADY:
                    await self._pause(stop)
        while not self._left:
            lost = await self._lost
            if not self._left:
                await self._come_back(lost)

    def ask(self, request: requests.Request) -> Deferred[Reply]:
        """Make a request. Fails with ClientError without a connection, or if it is lost before the reply arrives."""
        if self._channel is None:
            return fail(ClientError("Not connected. Send it again when the connection is back."))
        return self._channel.request(request)

    def leave(self) -> None:
        """Stop reconnecting, because the user has left."""
        self._left = True
        if not self._lost.called:
            self._lost.callback(ClientError("You left."))

    async def _come_back(self, why: ClientError) -> None:
        while not self._left:
            await self._pause(why)
            if self._left:
                return
            self._on_state("reconnecting")
            try:
                await self._join()
                return
            except ClientError as again:
                why = again
                self._drop()

    async def _pause(self, why: ClientError) -> None:
        """Wait before the next attempt, longer each time up to a limit. `leave` ends the wait."""
        pause: float = PAUSES[min(self._pauses, len(PAUSES) - 1)]
        self._pauses += 1
        if isinstance(why, Later):
            pause = max(pause, why.pause)
            if why.text != self._refused:  # the status line has room only for its first sentence
                self._refused = why.text
                self._questions.complain(why.text)
        self.on_pause(_first_sentence(why.text))
        left = pause * (0.5 + self._jitter())
        while left > 0 and not self._left:
            self._on_state(f"{_first_sentence(why.text)} Trying again in {math.ceil(left)} s")
            await deferLater(self._clock, min(left, 1))
            left -= 1

    async def _join(self) -> None:
        self._lost = Deferred()
        self._was_asking = False
        self._questions.mend()
        try:
            self.connection = await self._connect()
            self._began = self._clock.seconds()
            channel = RequestChannel(self._clock, self.connection, self.on_event, self._on_lost)
            self._on_state("signing in")
            welcome = await self._sign_in(channel)
        finally:
            self._questions.dismiss()
        self._channel = channel
        self._began = self._clock.seconds()
        self._refused = ""
        self._on_state("")
        self._on_welcome(welcome)

    def _on_lost(self, stop: ClientError) -> None:
        if self._channel is not None and self._clock.seconds() - self._began >= STEADY:
            self._pauses = 0
        self._channel = None
        self._was_asking = self._questions.is_asking and not self._left
        self._questions.break_off(stop)
        if not self._lost.called:
            self._lost.callback(stop)

    def _drop(self) -> None:
        if self.connection is not None:
            self.connection.close()
            self.connection = None


def _first_sentence(text: str) -> str:
    return text.split("\n", maxsplit=1)[0].partition(". ")[0].rstrip(".") + "."
