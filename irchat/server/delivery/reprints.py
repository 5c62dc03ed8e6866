"""Reprints: when a message on a text screen ends or is deleted, the screen is printed again without it.

A screen is reprinted at a limited rate, however many messages end, and screens take turns. If reprints continue, only
the last lines are printed.
"""

import math
from collections.abc import Callable

from twisted.internet.interfaces import IReactorTime

from irchat.protocol.rules import DELETION_REPRINT_SECONDS, REPRINT_SECONDS, TRANSCRIPT_LENGTH
from irchat.rendering.lines import Place, TextLine
from irchat.rendering.transcript import Transcript, printed
from irchat.server.delivery.outbox import Outbox
from irchat.server.delivery.perishable import Perishable
from irchat.system.alarm import Alarm

# A message may stay on the screen for a second after its end: this pause, half a second of gathering, and the write.
_PAUSE_SECONDS = 0.75
# Characters of reprints per second, after a whole transcript. The minimum for one reprint is a screen.
_CHARACTERS_A_SECOND = 32_768
_SCREEN = 4_096


class Reprints:
    """Schedules the reprints of one screen, which go to its outbox. Call `go_on` when the outbox has room again.

    ``in_turn`` runs a call soon, in turn with other sessions.
    """

    def __init__(
        self,
        clock: IReactorTime,
        transcript: Transcript,
        screen: Outbox,
        in_turn: Callable[[Callable[[], None]], None],
    ) -> None:
        self._clock = clock
        self._transcript = transcript
        self._screen = screen
        self._in_turn = in_turn
        self._ends: dict[str, float] = {}
        self._ended: set[str] = set()
        self._deleted: set[Place] = set()
        self._deleted_at = -math.inf
        self._alarm = Alarm(clock, self._due)
        self._at = math.inf  # the time for which the alarm is set
        self._waits = self._is_over = False
        self._last = -math.inf
        self._allowance = float(TRANSCRIPT_LENGTH)

    def shown(self, timed_id: str, left_ms: int | None) -> None:
        """Note a timed message on the screen and its remaining time."""
        self._ends[timed_id] = self._clock.seconds() + (left_ms or 0) / 1000

    def erase(self, timed_id: str) -> None:
        """Schedule a reprint without the message: at once, or with the last message that ends within half a second."""
        if self._ends.pop(timed_id, None) is None:
            return
        if not self._ended:
            now = self._clock.seconds()
            soon = (end for end in self._ends.values() if now <= end <= now + REPRINT_SECONDS)
            self._schedule(max(max(soon, default=now), self._last + _PAUSE_SECONDS))
        self._ended.add(timed_id)

    def drop(self, chat: str, seq: int) -> None:
        """Schedule a reprint without a deleted message, if the screen shows it: at most one in two seconds."""
        self._deleted.add((chat, seq))
        self._schedule(max(self._clock.seconds(), self._deleted_at + DELETION_REPRINT_SECONDS))

    def go_on(self) -> None:
        """Continue after the outbox was full."""
        if self._waits:
            self._due()

    def over(self) -> None:
        """Stop, at the end of the session."""
        self._is_over = True
        self._alarm.cancel()
        del self._alarm  # it refers to this object

    def _schedule(self, at: float) -> None:
        if at < self._at:
            self._at = at
            self._alarm.set(at)

    def _due(self) -> None:
        # A paused reader gets one reprint afterwards: one for each end would accumulate without bound.
        self._waits = self._screen.full()
        if not self._waits:
            self._in_turn(self._print)

    def _print(self) -> None:
        if self._is_over:
            return
        self._at = math.inf
        now = self._clock.seconds()
        over = {timed_id for timed_id, end in self._ends.items() if end <= now}
        for timed_id in over:
            del self._ends[timed_id]
        has_ended = bool(self._ended or over)
        if self._deleted:
            self._deleted_at = now
        has_erased = self._transcript.erase(self._ended | over, self._deleted)
        self._ended.clear()
        self._deleted.clear()
        if not (has_ended or has_erased):
            return
        since = 0.0 if self._last == -math.inf else now - self._last
        self._last = now
        self._allowance = min(TRANSCRIPT_LENGTH, max(0.0, self._allowance) + since * _CHARACTERS_A_SECOND)
        lines = self._transcript.last(max(_SCREEN, int(self._allowance)))
        self._allowance -= sum(len(line.text) for line in lines)
        ends = {line.timed: self._ends.get(line.timed, now) for line in lines if line.timed is not None}
        if not ends:
            self._screen.put(_bytes(lines))
            return
        reprint = _Reprint(lines, ends, self._clock.seconds)
        self._screen.put_perishable(Perishable(_bytes(lines), reprint.again, reprint.until, self._clock.seconds))


class _Reprint:
    """The lines of a waiting reprint, with the ends of their timed messages."""

    def __init__(self, lines: list[TextLine], ends: dict[str, float], now: Callable[[], float]) -> None:
        self._lines = lines
        self._ends = ends
        self._now = now

    def again(self, _: float) -> bytes:
        """Return the bytes without ended messages."""
        now = self._now()
        self._ends = {timed_id: end for timed_id, end in self._ends.items() if end > now}
        return _bytes([line for line in self._lines if line.timed is None or line.timed in self._ends])

    def until(self) -> float:
        """Return the earliest end of its messages."""
        return min(self._ends.values(), default=math.inf)


def _bytes(lines: list[TextLine]) -> bytes:
    return printed(lines).encode("utf-8", "replace")
