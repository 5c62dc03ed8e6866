"""Who comes and goes, told to each session at once and then at most once a second, with all that changed meanwhile."""

from collections import OrderedDict
from itertools import takewhile

from twisted.internet.interfaces import IReactorTime

from irchat.chat.directory import User
from irchat.events import Presence
from irchat.rules import PRESENCE_SECONDS
from irchat.server.delivery import Delivery, Recipient

# Sessions whose second ends within the same tenth are told together, so that they share one encoding from then on.
_TICKS_A_SECOND = 10

# Names in one event; what is over waits for the next.
_NAMES_MOST = 1_000


class PresenceFeed:
    """Keeps for each session up to which change it was told."""

    def __init__(self, clock: IReactorTime, delivery: Delivery) -> None:
        self._clock = clock
        self._delivery = delivery
        self._count = 0
        # Who changed, in the order of the last change of each, with the number of that change.
        self._changes: OrderedDict[User, int] = OrderedDict()
        self._told: dict[Recipient, int] = {}
        self._ready: dict[Recipient, None] = {}
        self._resting: dict[int, list[Recipient]] = {}
        self._scheduled = False

    def add(self, session: Recipient) -> None:
        """A session, which knows who is here at this moment."""
        self._told[session] = self._count
        self._ready[session] = None

    def remove(self, session: Recipient) -> None:
        """A session is over."""
        self._told.pop(session, None)
        self._ready.pop(session, None)

    def changed(self, user: User) -> None:
        """``user`` came or went."""
        self._count += 1
        self._changes[user] = self._count
        self._changes.move_to_end(user)
        self._tell_soon()

    def caught_up(self) -> None:
        """A session that was behind is no longer."""
        self._tell_soon()

    def _tell_soon(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            self._clock.callLater(0, self._tell_ready)

    def _tell_ready(self) -> None:
        """Tell those whose second is over what they do not know; sessions that are behind are told later."""
        self._scheduled = False
        to_tell: dict[int, list[Recipient]] = {}
        for session in self._ready:
            if self._told[session] < self._count and not session.outbox.behind:
                to_tell.setdefault(self._told[session], []).append(session)
        for told, sessions in to_tell.items():
            presence, up_to = self._since(told)
            self._delivery.tell(sessions, presence)
            for session in sessions:
                self._told[session] = up_to
                del self._ready[session]
        self._rest([session for sessions in to_tell.values() for session in sessions])

    def _since(self, told: int) -> tuple[Presence, int]:
        """What changed after the change ``told``, as much of it as a line holds, and up to which change that is."""
        newest_first = takewhile(lambda change: change[1] > told, reversed(self._changes.items()))
        changes = list(newest_first)[::-1][:_NAMES_MOST]
        presence = Presence(
            online=[user.name for user, _ in changes if user.sessions],
            offline=[user.name for user, _ in changes if not user.sessions],
        )
        return presence, changes[-1][1]

    def _rest(self, sessions: list[Recipient]) -> None:
        if not sessions:
            return
        now = self._clock.seconds()
        tick = int((now + PRESENCE_SECONDS) * _TICKS_A_SECOND) + 1
        if tick not in self._resting:
            self._resting[tick] = []
            self._clock.callLater(tick / _TICKS_A_SECOND - now, self._rested, tick)
        self._resting[tick].extend(sessions)

    def _rested(self, tick: int) -> None:
        self._ready.update(dict.fromkeys(session for session in self._resting.pop(tick) if session in self._told))
        self._tell_ready()
