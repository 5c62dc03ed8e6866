"""Events, and the lines that show them, for tests of rendering."""

import datetime
import re

from twisted.trial.unittest import SynchronousTestCase

from irchat.protocol import events
from irchat.rendering.lines import Renderer

SGR = re.compile(r"\x1b\[(?:0|1;(?:3[1-6]|9[1245])|2|31|33)m")
AT = "2026-11-22T14:03:05.120Z"


def half_past_three() -> int:
    """Return the time of a wall clock at half past three on the day of ``AT``."""
    return int(datetime.datetime(2026, 11, 22, 15, 30, tzinfo=datetime.UTC).timestamp() * 1000)


def message(text: str, **fields: object) -> events.Message:
    """Return a message."""
    return events.Message(**{"chat": "GLOBAL", "sender": "alice", "at": AT, "text": text, "seq": 1} | fields)


def timed(text: str, left_ms: int = 29_001) -> events.Message:
    """Return a timed message."""
    return message(text, seq=None, id="t1", expires_at=AT, left_ms=left_ms)


def amended(**fields: object) -> events.Amended:
    """Return a change."""
    return events.Amended(**{"chat": "*team", "seq": 17, "rev": 3, "by": "bob", "at": AT} | fields)


class LinesCase(SynchronousTestCase):
    """A test of lines without colours, in UTC, at half past three."""

    def _shown(self, event: events.Event, **options: bool) -> list[str]:
        renderer = Renderer(colour=False, zone=datetime.UTC, wall_ms=half_past_three, **options)
        return [line.text for line in renderer.lines(event)]
