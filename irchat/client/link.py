"""The line to the server: made, lost, and made again with growing pauses."""

from collections.abc import Awaitable, Callable
from itertools import chain, repeat

from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from irchat import events, requests
from irchat.client.connection import Connection
from irchat.client.questions import Questions
from irchat.client.session import Reply, Session
from irchat.client.stop import Stop

# Seconds between one try and the next.
PAUSES = (1, 2, 4, 8, 15, 30)


class Link:
    """Keeps a signed-in session with the server until `leave`.

    ``on_event`` is called with each event; ``on_welcome`` when signed in, first and again; ``on_state`` with what there
    is to say of the line, empty while it is up. ``questions`` are broken off when the line is lost while signing in.
    """

    def __init__(
        self,
        clock: IReactorTime,
        connect: Callable[[], Awaitable[Connection]],
        sign_in: Callable[[Session], Awaitable[events.Welcome]],
        on_event: Callable[[events.ANY], None],
        on_welcome: Callable[[events.Welcome], None],
        on_state: Callable[[str], None],
        questions: Questions,
    ) -> None:
        self.connection: Connection | None = None
        self._clock = clock
        self._connect = connect
        self._sign_in = sign_in
        self._on_event = on_event
        self._on_welcome = on_welcome
        self._on_state = on_state
        self._questions = questions
        self._session: Session | None = None
        self._lost: Deferred[Stop] = Deferred()
        self._left = False
        self._was_asking = False

    @property
    def is_up(self) -> bool:
        """Whether requests can be made."""
        return self._session is not None

    async def run(self) -> None:
        """Sign in, and stay so until `leave`. Raises Stop where the first time does not succeed.

        A server does not wait long for an answer; one that went away before it came is called again.
        """
        while not self.is_up:
            try:
                await self._join()
            except Stop:
                if not self._was_asking:
                    raise
        while not self._left:
            stop = await self._lost
            if not self._left:
                await self._come_back(stop)

    def ask(self, request: requests.Request) -> Deferred[Reply]:
        """Make a request. Fails with Stop where the line is down or goes down before the reply."""
        if self._session is None:
            return fail(Stop("There is no line to the server now."))
        return self._session.request(request)

    def leave(self) -> None:
        """The user has left: the line is not to be made again."""
        self._left = True
        if not self._lost.called:
            self._lost.callback(Stop("You left."))

    async def _come_back(self, stop: Stop) -> None:
        why = stop.text
        for pause in chain(PAUSES, repeat(PAUSES[-1])):
            for left in range(pause, 0, -1):
                self._on_state(f"{_first_sentence(why)} Trying again in {left} s")
                await deferLater(self._clock, 1)
                if self._left:
                    return
            self._on_state("connecting again")
            try:
                await self._join()
            except Stop as again:
                why = again.text
                self._drop()
            else:
                return

    async def _join(self) -> None:
        self._lost = Deferred()
        self._was_asking = False
        self._questions.mend()
        try:
            self.connection = await self._connect()
            session = Session(self._clock, self.connection, self._on_event, self._on_lost)
            self._on_state("signing in")
            welcome = await self._sign_in(session)
        finally:
            self._questions.dismiss()
        self._session = session
        self._on_state("")
        self._on_welcome(welcome)

    def _on_lost(self, stop: Stop) -> None:
        self._session = None
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
