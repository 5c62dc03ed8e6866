"""Pastes on a terminal in line mode, which arrive as lines, between two marks where the terminal was asked for them."""

from collections.abc import Awaitable, Callable

# What asks a terminal for the marks, and ends that (mode 2004).
MARKS_ON, MARKS_OFF = "\x1b[?2004h", "\x1b[?2004l"
_BEGIN, _END = "\x1b[200~", "\x1b[201~"


def unmarked(line: str) -> str:
    """``line`` without the marks of a paste."""
    return line.replace(_BEGIN, "").replace(_END, "")


async def read_secret(read: Callable[[], Awaitable[str | None]]) -> str | None:
    """The next line that is not empty, which may be a paste of several. None after the last.

    The line ends around it are no part of a password: they were copied with it. After a paste without marks the second
    half of CR LF comes as an empty line, which is therefore no answer.
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
