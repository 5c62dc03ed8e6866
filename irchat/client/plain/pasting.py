"""Handle pastes in line mode, which arrive as lines.

A terminal that supports bracketed paste (mode 2004) sends a mark before and after each paste.
"""

from collections.abc import Awaitable, Callable

# Turn bracketed paste (mode 2004) on and off.
MARKS_ON, MARKS_OFF = "\x1b[?2004h", "\x1b[?2004l"
_BEGIN, _END = "\x1b[200~", "\x1b[201~"


def unmarked(line: str) -> str:
    """Return ``line`` without paste marks."""
    return line.replace(_BEGIN, "").replace(_END, "")


async def read_secret(read: Callable[[], Awaitable[str | None]]) -> str | None:
    """Return the next line that is not empty, or the next marked paste, or None at the end of the input.

    Line ends around a pasted password were copied by accident and are removed. Empty lines are skipped, because the
    second half of a CR LF in a paste without marks arrives as an empty line.
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
