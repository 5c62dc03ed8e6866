"""Changes for sessions: the first ones are sent at once, further ones together once a second."""

from bisect import bisect_right
from collections.abc import Hashable, Sequence
from operator import itemgetter
from typing import Generic, TypeVar

from twisted.internet.interfaces import IReactorTime

from irchat.protocol.events import Event
from irchat.protocol.rules import PRESENCE_SECONDS
from irchat.server.delivery.delivery import Delivery, Recipient

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

# Sessions whose second ends in the same tenth are served together, so that they share one encoding afterwards.
_TICKS_A_SECOND = 10

# Seconds per turn of the reactor for sending, and the number of sessions between two checks of the clock.
_SLICE_SECONDS = 0.005
_SESSIONS_AT_A_TIME = 256

# Outdated changes may be half of all kept changes, plus this number.
_OUTDATED = 1_000


class ChangeFeed(Generic[Key, Value]):
    """Sends the current values of keys that changed. Keeps for each session the number of the last change sent to it.

    ``most``: the maximum number of changes in one event. The others wait for the next event. ``at_once``: the number of
    events that a session gets before it waits for a second.
    """

    most = 1_000
    at_once = 1

    def __init__(self, clock: IReactorTime, delivery: Delivery) -> None:
        self._clock = clock
        self._delivery = delivery
        self._count = 0
        # By key: the number of its last change, and its value.
        self._last_change: dict[Key, tuple[int, Value]] = {}
        # All changes in order: number and key. Some are outdated.
        self._changes: list[tuple[int, Key]] = []
        self._sent: dict[Recipient, int] = {}
        # The sessions whose second is over, with the number of events that each has had since.
        self._ready: dict[Recipient, int] = {}
        self._resting: dict[int, list[Recipient]] = {}
        self._scheduled = False

    def event(self, changes: Sequence[tuple[Key, Value]]) -> Event:
        """Return the event of some keys and their values."""
        raise NotImplementedError

    def add(self, session: Recipient) -> None:
        """Add a session that has the current state."""
        self._sent[session] = self._count
        self._ready[session] = 0

    def remove(self, session: Recipient) -> None:
        """Remove a session."""
        self._sent.pop(session, None)
        self._ready.pop(session, None)

    def note(self, key: Key, value: Value) -> None:
        """Note a new value."""
        self._count += 1
        self._last_change[key] = self._count, value
        self._changes.append((self._count, key))
        if len(self._changes) > 2 * len(self._last_change) + _OUTDATED:
            self._changes = sorted(((number, key) for key, (number, _) in self._last_change.items()), key=itemgetter(0))
        self.send_soon()

    def send_soon(self) -> None:
        """Send waiting changes in a later turn, such as those for a session that is no longer behind."""
        if not self._scheduled:
            self._scheduled = True
            self._clock.callLater(0, self._send_ready)

    def _send_ready(self) -> None:
        """Send changes to sessions whose second is over, in slices of a turn. Skip sessions that are behind."""
        self._scheduled = False
        deadline = self._clock.seconds() + _SLICE_SECONDS
        ready: dict[int, list[Recipient]] = {}
        for session in self._ready:
            if self._sent[session] < self._count and not session.outbox.behind:
                ready.setdefault(self._sent[session], []).append(session)
        for sent, sessions in ready.items():
            changes, up_to = self._since(sent)
            event = self.event(changes)
            for begin in range(0, len(sessions), _SESSIONS_AT_A_TIME):
                some = sessions[begin : begin + _SESSIONS_AT_A_TIME]
                self._delivery.send(some, event)
                for session in some:
                    self._sent[session] = up_to
                    self._ready[session] += 1
                self._rest([session for session in some if self._ready[session] >= self.at_once])
                if self._clock.seconds() > deadline:
                    self.send_soon()
                    return

    def _since(self, sent: int) -> tuple[list[tuple[Key, Value]], int]:
        """Return the changes after ``sent``, as many as fit in an event, and the number of the last one."""
        changes: list[tuple[Key, Value]] = []
        up_to = sent
        for at in range(bisect_right(self._changes, sent, key=itemgetter(0)), len(self._changes)):
            number, key = self._changes[at]
            last, value = self._last_change[key]
            if number == last:
                changes.append((key, value))
                up_to = number
                if len(changes) == self.most:
                    break
        return changes, up_to

    def _rest(self, sessions: list[Recipient]) -> None:
        for session in sessions:
            del self._ready[session]
        now = self._clock.seconds()
        tick = int((now + PRESENCE_SECONDS) * _TICKS_A_SECOND) + 1
        if tick not in self._resting:
            self._resting[tick] = []
            self._clock.callLater(tick / _TICKS_A_SECOND - now, self._rested, tick)
        self._resting[tick].extend(sessions)

    def _rested(self, tick: int) -> None:
        self._ready.update(dict.fromkeys((one for one in self._resting.pop(tick) if one in self._sent), 0))
        self.send_soon()
