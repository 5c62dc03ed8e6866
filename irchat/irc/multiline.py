"""Batches of draft/multiline: collect those of a client, and compose those for clients."""

from collections.abc import Callable
from typing import NamedTuple

from irchat.irc.irc_lines import TEXT_BYTES, Line

MAX_BYTES = 16_000
MAX_LINES = 100
TIMEOUT_SECONDS = 30


class Piece(NamedTuple):
    """One line of a multiline message. ``concat``: it continues the line before it."""

    text: str
    concat: bool


class MultilineError(Exception):
    """A batch that is refused as ``FAIL BATCH <code> <context...>``. It is dropped as a whole."""

    def __init__(self, code: str, *context: str, text: str, label: str | None = None) -> None:
        super().__init__(code, context, text, label)
        self.code = code
        self.context = context
        self.text = text
        self.label = label


class Collected(NamedTuple):
    """A whole batch. ``tags``: those of its BATCH line. ``text`` has its lines joined, ``pieces`` as they were sent."""

    command: str
    target: str
    tags: dict[str, str]
    label: str | None
    text: str
    pieces: list[Piece]


class Collector:
    """The open batch of a session: one at most. ``now``: a clock in seconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.is_open = False
        self._now = now

    def batch(self, line: Line) -> Collected | None:
        """Handle a BATCH line. Return the batch that it ends. Raises `MultilineError`."""
        raise NotImplementedError

    def takes(self, line: Line) -> bool:
        """Return whether a line belongs to the open batch (its ``batch`` tag), and take it. Raises `MultilineError`."""
        raise NotImplementedError

    def check_time(self) -> None:
        """Drop a batch that is open too long. Raises `MultilineError` ``TIMEOUT``."""
        raise NotImplementedError


def compose(text: str, most: int = TEXT_BYTES) -> list[Piece]:
    """Return the lines of a text, long ones cut. Joined (line feed before each that does not ``concat``), they are it."""
    raise NotImplementedError
