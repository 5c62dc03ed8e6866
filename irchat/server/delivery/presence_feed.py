"""Presence for sessions: the first change is sent at once, further changes together once a second."""

from bisect import bisect_right
from operator import itemgetter

from twisted.internet.interfaces import IReactorTime

from irchat.protocol.events import Presence
from irchat.protocol.rules import PRESENCE_SECONDS
from irchat.server.delivery.delivery import Delivery, Recipient

# Sessions whose second ends in the same tenth are served together, so that they share one encoding afterwards.
_TICKS_A_SECOND = 10

# Maximum number of names in one event. The others wait for the next event.
_NAMES_MOST = 1_000

# Seconds per turn of the reactor for sending, and the number of sessions between two checks of the clock.
_SLICE_SECONDS = 0.005
_SESSIONS_AT_A_TIME = 256

# Outdated changes may be half of all kept changes, plus this number.
_OUTDATED = 1_000


class PresenceFeed:
    """Sends presence changes. Keeps for each session the number of the last change sent to it."""

    def __init__(self, clock: IReactorTime, delivery: Delivery) -> None:
        self._clock = clock
        self._delivery = delivery
        self._count = 0
        # By name: the number of its last change, and whether it is online. A name can pass to another account.
        self._last_change: dict[str, tuple[int, bool]] = {}
        # All changes in order: number and name. Some are outdated.
        self._changes: list[tuple[int, str]] = []
        self._sent: dict[Recipient, int] = {}
        self._ready: dict[Recipient, None] = {}
        self._resting: dict[int, list[Recipient]] = {}
        self._scheduled = False

    def add(self, session: Recipient) -> None:
        """Add a session that has the current state."""
        self._sent[session] = self._count
        self._ready[session] = None

    def remove(self, session: Recipient) -> None:
        """Remove a session."""
        self._sent.pop(session, None)
        self._ready.pop(session, None)

    def changed(self, name: str, is_online: bool) -> None:
        """Note that the user called ``name`` came online or went offline."""
        self._count += 1
        self._last_change[name] = self._count, is_online
        self._changes.append((self._count, name))
        if len(self._changes) > 2 * len(self._last_change) + _OUTDATED:
            self._changes = sorted((number, name) for name, (number, _) in self._last_change.items())
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
            presence, up_to = self._since(sent)
            for begin in range(0, len(sessions), _SESSIONS_AT_A_TIME):
                some = sessions[begin : begin + _SESSIONS_AT_A_TIME]
                self._delivery.send(some, presence)
                for session in some:
                    self._sent[session] = up_to
                    del self._ready[session]
                self._rest(some)
                if self._clock.seconds() > deadline:
                    self.send_soon()
                    return

    def _since(self, sent: int) -> tuple[Presence, int]:
        """Return the changes after ``sent``, as many as fit in a line, and the number of the last one."""
        presence = Presence(online=[], offline=[])
        up_to = sent
        for at in range(bisect_right(self._changes, sent, key=itemgetter(0)), len(self._changes)):
            number, name = self._changes[at]
            last, is_online = self._last_change[name]
            if number == last:
                (presence.online if is_online else presence.offline).append(name)
                up_to = number
                if len(presence.online) + len(presence.offline) == _NAMES_MOST:
                    break
        return presence, up_to

    def _rest(self, sessions: list[Recipient]) -> None:
        now = self._clock.seconds()
        tick = int((now + PRESENCE_SECONDS) * _TICKS_A_SECOND) + 1
        if tick not in self._resting:
            self._resting[tick] = []
            self._clock.callLater(tick / _TICKS_A_SECOND - now, self._rested, tick)
        self._resting[tick].extend(sessions)

    def _rested(self, tick: int) -> None:
        self._ready.update(dict.fromkeys(session for session in self._resting.pop(tick) if session in self._sent))
        self.send_soon()
