"""Pastes on a terminal in line mode: they arrive as lines, between two marks if the terminal was asked for these."""

from collections.abc import Awaitable, Callable

# Ask a terminal for the marks, and stop that (mode 2004).
MARKS_ON, MARKS_OFF = "\x1b[?2004h", "\x1b[?2004l"
_BEGIN, _END = "\x1b[200~", "\x1b[201~"


def unmarked(line: str) -> str:
    """Return ``line`` without the marks of a paste."""
    return line.replace(_BEGIN, "").replace(_END, "")


async def read_secret(read: Callable[[], Awaitable[str | None]]) -> str | None:
    """Return the next line that is not empty, or a paste of several lines. None after the last.

    Line ends around a pasted password were copied with it and are removed. An empty line is not an answer: after a
    paste without marks, the second half of CR LF arrives as one.
    """
    lines: list[str] = []
    while (line := await read()) is not None:
        lines.append(line)
        text = "\n".join(lines)
        if text.count(_BEGIN) > text.count(_END):
            continue
        if secret := unmarked(text).strip("\r\n"):
            return secret
        lines.clear()
    return None
