"""Batches of draft/multiline: collect those of a client, and compose those for clients."""

from collections.abc import Callable
from typing import NamedTuple

from irchat.irc.irc_lines import TEXT_BYTES, Line, cut

MAX_BYTES = 16_000
MAX_LINES = 100
TIMEOUT_SECONDS = 30

_KIND = "draft/multiline"
_CONCAT = "draft/multiline-concat"


class Piece(NamedTuple):
    """One line of a multiline message. ``concat``: it continues the line before it."""

    text: str
    concat: bool = False


class MultilineError(Exception):
    """A batch that is refused as ``FAIL BATCH <code> <context...>``. It is dropped as a whole.

    ``label``: that of its BATCH line, which the refusal answers.
    """

    def __init__(self, code: str, *context: str, text: str, label: str | None = None) -> None:
        super().__init__(code, context, text, label)
        self.code = code
        self.context = context
        self.text = text
        self.label = label


class Collected(NamedTuple):
    """A whole batch of one ``command`` (PRIVMSG or NOTICE). ``tags``: those of its BATCH line.

    ``text`` has its lines joined, ``pieces`` as they were sent.
    """

    command: str
    target: str
    tags: dict[str, str]
    label: str | None
    text: str
    pieces: list[Piece]


class _Open:
    """An open batch. ``is_refused``: it was refused, and the rest of it is dropped."""

    def __init__(self, line: Line, reference: str, ends_at: float) -> None:
        self.reference = reference
        self.target = line.param(2)
        self.tags = line.tags
        self.label = line.label
        self.ends_at = ends_at
        self.command = ""
        self.pieces: list[Piece] = []
        self.bytes = 0
        self.is_refused = False

    def joined(self) -> str:
        return "".join(
            f"{'' if piece.concat or not number else chr(10)}{piece.text}" for number, piece in enumerate(self.pieces)
        )


class Collector:
    """The open batch of a session: one at most. ``now``: a clock in seconds.

    The lines of a refused batch are dropped up to its end, so that no line of it becomes a message.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._batch: _Open | None = None

    @property
    def ends_at(self) -> float | None:
        """When the open batch times out, by the clock, or None if there is none to be answered."""
        return None if self._batch is None or self._batch.is_refused else self._batch.ends_at

    def batch(self, line: Line) -> Collected | None:
        """Handle a BATCH line. Return the batch that it ends, if any. Raises `MultilineError`."""
        sign, reference = line.param(0)[:1], line.param(0)[1:]
        if sign == "+" and reference:
            self._begin(line, reference)
            return None
        if sign == "-" and self._batch is not None and self._batch.reference == reference:
            return self._end(self._batch)
        raise MultilineError("INVALID_REFTAG", line.param(0), text="No such batch", label=line.label)

    def takes(self, line: Line) -> bool:
        """Return whether a line is part of a batch, by its ``batch`` tag, and take it. Raises `MultilineError`."""
        reference = line.tags.get("batch")
        if reference is None:
            return False
        batch = self._batch
        if batch is None or batch.reference != reference:
            raise MultilineError("MULTILINE_INVALID", text="No such batch is open", label=line.label)
        if not batch.is_refused:
            self._add(batch, line)
        return True

    def check_time(self) -> None:
        """Refuse a batch that is open too long. Raises `MultilineError` ``TIMEOUT``."""
        batch = self._batch
        if batch is not None and not batch.is_refused and self._now() >= batch.ends_at:
            raise self._refused(batch, "TIMEOUT", batch.reference, text="The batch was not ended in time")

    def _begin(self, line: Line, reference: str) -> None:
        if line.param(1) != _KIND:
            raise MultilineError("UNKNOWN_TYPE", line.param(1, "*"), text="Unknown type of batch", label=line.label)
        former = self._batch
        if former is not None and not former.is_refused:
            raise self._refused(former, "MULTILINE_INVALID", text="Another batch is open")
        self._batch = _Open(line, reference, self._now() + TIMEOUT_SECONDS)
        if not self._batch.target:
            raise self._refused(self._batch, "MULTILINE_INVALID", text="The batch names no target")

    def _end(self, batch: _Open) -> Collected | None:
        if batch.is_refused:
            self._batch = None
            return None
        self.check_time()
        self._batch = None
        text = batch.joined()
        if not batch.pieces or not text.strip("\n"):
            raise self._refused(batch, "MULTILINE_INVALID", text="The batch has no text")
        return Collected(batch.command, batch.target, batch.tags, batch.label, text, batch.pieces)

    def _add(self, batch: _Open, line: Line) -> None:
        self.check_time()
        text = line.param(1)
        concat = _CONCAT in line.tags
        if line.command not in ("PRIVMSG", "NOTICE") or len(line.params) < 2:
            raise self._refused(batch, "MULTILINE_INVALID", text="A batch has PRIVMSG or NOTICE lines with a text")
        if batch.command and line.command != batch.command:
            raise self._refused(batch, "MULTILINE_INVALID", text="A batch has lines of one command")
        if line.params[0] != batch.target:
            context = (batch.target, line.params[0])
            raise self._refused(batch, "MULTILINE_INVALID_TARGET", *context, text="The batch has another target")
        if concat and not text:
            raise self._refused(batch, "MULTILINE_INVALID", text="A line that continues another is not empty")
        batch.command = line.command
        continues = concat and bool(batch.pieces)
        batch.bytes += len(text.encode()) + (bool(batch.pieces) and not continues)
        batch.pieces.append(Piece(text, continues))
        if batch.bytes > MAX_BYTES:
            raise self._refused(batch, "MULTILINE_MAX_BYTES", str(MAX_BYTES), text="The batch has too many bytes")
        if len(batch.pieces) > MAX_LINES:
            raise self._refused(batch, "MULTILINE_MAX_LINES", str(MAX_LINES), text="The batch has too many lines")

    def _refused(self, batch: _Open, code: str, *context: str, text: str) -> MultilineError:
        batch.is_refused = True
        batch.pieces = []
        return MultilineError(code, *context, text=text, label=batch.label)


def lines_of(text: str) -> list[str]:
    """Return the lines of a text: at most 100, for each line to a client costs much more than its text.

    The last of so many has the rest of the text, with the pictures of its line feeds.
    """
    *lines, rest = text.split("\n", MAX_LINES - 1)
    return [*lines, rest.replace("\n", "\u240a")]


def compose(text: str, most: int = TEXT_BYTES) -> list[Piece]:
    """Return the lines of a text, long ones cut. Joined as a client joins them, they are those of `lines_of`."""
    return [Piece(piece, concat=number > 0) for part in lines_of(text) for number, piece in enumerate(cut(part, most))]
