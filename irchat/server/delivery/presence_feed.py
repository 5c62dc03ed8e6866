"""Who comes and goes, told to each session at once and then at most once a second, with all that changed meanwhile."""

from bisect import bisect_right

from twisted.internet.interfaces import IReactorTime

from irchat.chat.directory import User
from irchat.protocol.events import Presence
from irchat.protocol.rules import PRESENCE_SECONDS
from irchat.server.delivery.delivery import Delivery, Recipient

# Sessions whose second ends within the same tenth are told together, so that they share one encoding from then on.
_TICKS_A_SECOND = 10

# Names in one event; what is over waits for the next.
_NAMES_MOST = 1_000

# A turn of the reactor tells for at most this long, some sessions at a time.
_SLICE_SECONDS = 0.005
_SESSIONS_AT_A_TIME = 256

# Changes that are no longer the last of their user may be half of all that are kept, and so many.
_OUTDATED = 1_000


class PresenceFeed:
    """Keeps for each session up to which change it was told."""

    def __init__(self, clock: IReactorTime, delivery: Delivery) -> None:
        self._clock = clock
        self._delivery = delivery
        self._count = 0
        # The number of the last change of each; and all changes in their order, among them some that are outdated.
        self._last_change: dict[User, int] = {}
        self._numbers: list[int] = []
        self._users: list[User] = []
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
        self._last_change[user] = self._count
        self._numbers.append(self._count)
        self._users.append(user)
        if len(self._users) > 2 * len(self._last_change) + _OUTDATED:
            self._forget_outdated()
        self._tell_soon()

    def caught_up(self) -> None:
        """A session that was behind is no longer."""
        self._tell_soon()

    def _tell_soon(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            self._clock.callLater(0, self._tell_ready)

    def _tell_ready(self) -> None:
        """Tell those whose second is over what they do not know, a slice of them in each turn; sessions that are behind
        are told later."""
        self._scheduled = False
        deadline = self._clock.seconds() + _SLICE_SECONDS
        to_tell: dict[int, list[Recipient]] = {}
        for session in self._ready:
            if self._told[session] < self._count and not session.outbox.behind:
                to_tell.setdefault(self._told[session], []).append(session)
        for told, sessions in to_tell.items():
            presence, up_to = self._since(told)
            for begin in range(0, len(sessions), _SESSIONS_AT_A_TIME):
                some = sessions[begin : begin + _SESSIONS_AT_A_TIME]
                self._delivery.tell(some, presence)
                for session in some:
                    self._told[session] = up_to
                    del self._ready[session]
                self._rest(some)
                if self._clock.seconds() > deadline:
                    self._tell_soon()
                    return

    def _since(self, told: int) -> tuple[Presence, int]:
        """What changed after the change ``told``, as much of it as a line holds, and up to which change that is."""
        changed: list[User] = []
        up_to = told
        for at in range(bisect_right(self._numbers, told), len(self._numbers)):
            user, number = self._users[at], self._numbers[at]
            if self._last_change[user] == number:
                changed.append(user)
                up_to = number
                if len(changed) == _NAMES_MOST:
                    break
        presence = Presence(
            online=[user.name for user in changed if user.sessions],
            offline=[user.name for user in changed if not user.sessions],
        )
        return presence, up_to

    def _forget_outdated(self) -> None:
        last = [
            (number, user)
            for number, user in zip(self._numbers, self._users, strict=True)
            if self._last_change[user] == number
        ]
        self._numbers = [number for number, _ in last]
        self._users = [user for _, user in last]

    def _rest(self, sessions: list[Recipient]) -> None:
        now = self._clock.seconds()
        tick = int((now + PRESENCE_SECONDS) * _TICKS_A_SECOND) + 1
        if tick not in self._resting:
            self._resting[tick] = []
            self._clock.callLater(tick / _TICKS_A_SECOND - now, self._rested, tick)
        self._resting[tick].extend(sessions)

    def _rested(self, tick: int) -> None:
        self._ready.update(dict.fromkeys(session for session in self._resting.pop(tick) if session in self._told))
        self._tell_soon()
