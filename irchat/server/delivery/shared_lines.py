"""Events rendered once for all text sessions."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from twisted.internet.interfaces import IReactorTime

from irchat.interfaces.bus import Publication, StoredPlace
from irchat.interfaces.stored import ChatKey
from irchat.protocol import events
from irchat.rendering.lines import Renderer, TextLine

Shown = tuple[list[TextLine], bytes]
"""The lines that show an event, and their bytes."""


class ShownRun(NamedTuple):
    """Several rendered messages: their lines, the bytes of the lines, and the last seq of each chat."""

    lines: list[TextLine]
    said: bytes
    marks: dict[ChatKey, int]


class SharedRenderer(Renderer):
    """The renderer of all text sessions. It caches its results until the end of the reactor's turn."""

    def __init__(self, clock: IReactorTime, wall_ms: Callable[[], int]) -> None:
        super().__init__(colour=True, wall_ms=wall_ms)
        self._clock = clock
        self._kept: dict[int, tuple[events.Event, Shown]] = {}
        self._run: tuple[Sequence[Publication], ShownRun] | None = None

    def shown(self, event: events.Event) -> Shown:
        """Render ``event``, which must not be a reply, or return the cached lines of the same object."""
        kept = self._kept.get(id(event))  # the cache holds the event, so that no other event has this id
        if kept is None:
            if not self._kept:
                self._clock.callLater(0, self._forget)
            lines = self.lines(event)
            kept = self._kept[id(event)] = event, (lines, joined(lines))
        return kept[1]

    def shown_run(self, run: Sequence[Publication]) -> ShownRun:
        """Render ``run``, which must contain only stored messages, or return the cached result."""
        if self._run is None or self._run[0] is not run:
            each = [self.shown(publication.event) for publication in run]
            lines = [line for shown, _ in each for line in shown]
            places = (publication.place for publication in run)
            marks = {place.chat: place.seq for place in places if isinstance(place, StoredPlace)}
            self._run = run, ShownRun(lines, b"".join(said for _, said in each), marks)
        return self._run[1]

    def _forget(self) -> None:
        self._kept.clear()
        self._run = None


def joined(lines: Iterable[TextLine]) -> bytes:
    """Return the bytes of ``lines``."""
    return "".join(f"{line.text}\n" for line in lines).encode("utf-8", "replace")
