"""Events as all text sessions are shown them: what many are shown is rendered once."""

from collections.abc import Iterable
from typing import Any

from twisted.internet.interfaces import IReactorTime

from irchat import events
from irchat.render import Line, Renderer

Shown = tuple[list[Line], bytes]
"""The lines that show an event, and their bytes."""


class SharedRenderer(Renderer):
    """The renderer of all text sessions. What `shown` returned is kept up to the end of the turn of the reactor."""

    def __init__(self, clock: IReactorTime, **how: Any) -> None:
        super().__init__(**how)
        self._clock = clock
        self._kept: dict[int, tuple[events.Event, Shown]] = {}

    def shown(self, event: events.Event) -> Shown:
        """Render ``event``, which is no answer, or return what another session was shown of this very event."""
        kept = self._kept.get(id(event))  # held with it, so that no other event has this id
        if kept is None:
            if not self._kept:
                self._clock.callLater(0, self._kept.clear)
            lines = self.lines(event)
            kept = self._kept[id(event)] = event, (lines, joined(lines))
        return kept[1]


def joined(lines: Iterable[Line]) -> bytes:
    """The bytes of ``lines``."""
    return "".join(f"{line.text}\n" for line in lines).encode("utf-8", "replace")
