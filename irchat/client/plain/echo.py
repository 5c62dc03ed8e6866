"""Turn the echo of a terminal in line mode off, so that a typed password does not show."""

import contextlib
import os
import select
import termios

from irchat.client.plain.pasting import MARKS_OFF, MARKS_ON

_LOCAL_MODES = 3


class Echo:
    """The terminal at the file descriptor ``descriptor``, and its echo.

    ``marks``: ask the terminal to mark pastes while the echo is off. With the echo on, the marks would be visible.
    """

    def __init__(self, descriptor: int, *, marks: bool = False) -> None:
        self._descriptor = descriptor
        self._found = termios.tcgetattr(descriptor)
        self._marks = marks
        self._is_marking = False

    def switch(self, *, on: bool) -> None:
        """Restore the original modes of the terminal if ``on``, otherwise turn its echo off."""
        modes = list(self._found)
        if not on:
            modes[_LOCAL_MODES] &= ~termios.ECHO
        marking = self._marks and not on
        with contextlib.suppress(termios.error):  # the terminal is gone
            termios.tcsetattr(self._descriptor, termios.TCSANOW, modes)
            if marking != self._is_marking:
                self._is_marking = marking
                self.write(MARKS_ON if marking else MARKS_OFF)

    def has_more(self) -> bool:
        """Return whether the terminal holds an unread line."""
        return bool(select.select([self._descriptor], [], [], 0)[0])

    def discard(self) -> None:
        """Discard unread input, including an unfinished line."""
        with contextlib.suppress(termios.error):
            termios.tcflush(self._descriptor, termios.TCIFLUSH)

    def write(self, text: str) -> None:
        """Write to the terminal. Do nothing if it is gone or accepts no output."""
        with contextlib.suppress(OSError):
            os.write(self._descriptor, text.encode("utf-8", "replace"))
