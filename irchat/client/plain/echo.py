"""Turn off a terminal's echo while a password is typed."""

import contextlib
import os
import select
import termios

from irchat.client.plain.pasting import MARKS_OFF, MARKS_ON

_LOCAL_MODES = 3


class Echo:
    """The echo of the terminal at the file descriptor ``descriptor``.

    ``marks``: turn on bracketed paste while the echo is off. With the echo on, the paste brackets would be visible.
    """

    def __init__(self, descriptor: int, *, marks: bool = False) -> None:
        self._descriptor = descriptor
        self._found = termios.tcgetattr(descriptor)
        self._marks = marks
        self._is_marking = False

    def on(self) -> None:
        """Restore the original modes."""
        self._set(self._found, marking=False)

    def has_more(self) -> bool:
        """Return whether the terminal holds an unread line."""
        return bool(select.select([self._descriptor], [], [], 0)[0])

    def discard(self) -> None:
        """Discard unread input, including an unfinished line."""
        with contextlib.suppress(termios.error):
            termios.tcflush(self._descriptor, termios.TCIFLUSH)

    def off(self) -> None:
        """Turn the echo off."""
        silent = list(self._found)
        silent[_LOCAL_MODES] &= ~termios.ECHO
        self._set(silent, marking=self._marks)

    def _set(self, modes: "list[int | list[bytes | int]]", *, marking: bool) -> None:
        with contextlib.suppress(termios.error, OSError):  # the terminal is gone
            termios.tcsetattr(self._descriptor, termios.TCSANOW, modes)
            if marking != self._is_marking:
                self._is_marking = marking
                os.write(self._descriptor, (MARKS_ON if marking else MARKS_OFF).encode())
