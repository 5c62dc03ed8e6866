"""The transcript of a plain terminal, which can be printed again without an ended or deleted message."""

from collections import deque
from collections.abc import Iterable

from irchat.protocol.events import Amended, Sent
from irchat.protocol.rules import TRANSCRIPT_LENGTH, TRANSCRIPT_LINES, visible
from irchat.rendering.lines import Place, TextLine

# In any other order, tmux 3.3a and GNU screen 4.09 keep a copy of the text in their scrollback.
CLEAR = "\x1b[H\x1b[2J\x1b[3J"


class Transcript:
    """The last 500 lines of a terminal, typed and shown.

    It keeps fewer if they exceed 262,144 characters: a line may have 65,536.
    """

    def __init__(self) -> None:
        self._lines: deque[TextLine] = deque()
        self._length = 0

    def show(self, lines: Iterable[TextLine]) -> None:
        """Add lines that are shown."""
        for line in lines:
            self._lines.append(line)
            self._length += len(line.text)
        while len(self._lines) > TRANSCRIPT_LINES or self._length > TRANSCRIPT_LENGTH:
            self._length -= len(self._lines.popleft().text)

    def typed(self, text: str) -> None:
        """Add a line that was typed."""
        self.show([_typed_line(text)])

    def sent(self, typed: str, reply: Sent | Amended) -> None:
        """Link the line ``typed`` to the message that it sent or edited, so that both disappear together."""
        is_shown = isinstance(reply, Sent) or reply.text is not None
        if is_shown and (index := self._find(typed)) is not None:
            stored = None if reply.seq is None else (reply.chat, reply.seq)
            timed = reply.id if isinstance(reply, Sent) else None
            self._lines[index] = TextLine(self._lines[index].text, timed, stored)

    def forget(self, typed: str) -> None:
        """Drop the last typed line with that text."""
        if (index := self._find(typed)) is not None:
            self._length -= len(self._lines[index].text)
            del self._lines[index]

    def erase(self, timed_ids: Iterable[str], deleted: Iterable[Place] = ()) -> bool:
        """Drop every line of these timed and stored messages. Return whether there was one."""
        ended, gone = set(timed_ids), set(deleted)
        kept = deque(line for line in self._lines if line.timed not in ended and line.stored not in gone)
        has_erased = len(kept) < len(self._lines)
        self._lines = kept
        self._length = sum(len(line.text) for line in kept)
        return has_erased

    def last(self, most: int) -> list[TextLine]:
        """Return as many of the last lines as have at most ``most`` characters together."""
        if self._length <= most:
            return list(self._lines)
        lines: list[TextLine] = []
        for line in reversed(self._lines):
            most -= len(line.text)
            if most < 0:
                break
            lines.append(line)
        return lines[::-1]

    def reprint(self) -> str:
        """Return the bytes that clear the terminal and its scrollback and print the lines again, each with CR LF."""
        return printed(self._lines)

    def _find(self, typed: str) -> int | None:
        line = _typed_line(typed)
        return next((index for index in reversed(range(len(self._lines))) if self._lines[index] == line), None)


def printed(lines: Iterable[TextLine]) -> str:
    """Return the bytes that clear the terminal and its scrollback and print ``lines``, each with CR LF."""
    return CLEAR + "".join(f"{line.text}\r\n" for line in lines)


def _typed_line(text: str) -> TextLine:
    # A terminal must not obey pasted text when it is printed again.
    return TextLine(visible(text))
