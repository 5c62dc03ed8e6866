"""The echo of a terminal: off while a password is typed."""

import contextlib
import os
import select
import termios

from irchat.client.plain.pasting import MARKS_OFF, MARKS_ON

_LOCAL_MODES = 3


class Echo:
    """The echo of the terminal open at ``descriptor``. `on` restores the modes that were found.

    ``marks``: ask the terminal to mark the ends of a paste while the echo is off. With echo the marks would show.
    """

    def __init__(self, descriptor: int, *, marks: bool = False) -> None:
        self._descriptor = descriptor
        self._found = termios.tcgetattr(descriptor)
        self._marks = marks
        self._is_marking = False

    def on(self) -> None:
        """Show what is typed, as it was before."""
        self._set(self._found, marking=False)

    def has_more(self) -> bool:
        """Return whether the terminal holds a line that was not read."""
        return bool(select.select([self._descriptor], [], [], 0)[0])

    def discard(self) -> None:
        """Drop what was typed and not read, an unfinished line included."""
        with contextlib.suppress(termios.error):
            termios.tcflush(self._descriptor, termios.TCIFLUSH)

    def off(self) -> None:
        """Do not show what is typed."""
        silent = list(self._found)
        silent[_LOCAL_MODES] &= ~termios.ECHO
        self._set(silent, marking=self._marks)

    def _set(self, modes: "list[int | list[bytes | int]]", *, marking: bool) -> None:
        with contextlib.suppress(termios.error, OSError):  # a terminal that is gone needs no more
            termios.tcsetattr(self._descriptor, termios.TCSANOW, modes)
            if marking != self._is_marking:
                self._is_marking = marking
                os.write(self._descriptor, (MARKS_ON if marking else MARKS_OFF).encode())
