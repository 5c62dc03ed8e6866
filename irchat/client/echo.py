"""The echo of a terminal: off while a password is typed."""

import contextlib
import termios

_LOCAL_MODES = 3


class Echo:
    """The echo of the terminal open at ``descriptor``, which is left in the end as it was found."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._found = termios.tcgetattr(descriptor)

    def on(self) -> None:
        """Show what is typed, as it was before. A terminal that is gone needs no more."""
        with contextlib.suppress(termios.error):
            termios.tcsetattr(self._descriptor, termios.TCSANOW, self._found)

    def discard(self) -> None:
        """Throw away what was typed and not read, a line that is not finished too."""
        with contextlib.suppress(termios.error):
            termios.tcflush(self._descriptor, termios.TCIFLUSH)

    def off(self) -> None:
        """Do not show what is typed."""
        silent = list(self._found)
        silent[_LOCAL_MODES] &= ~termios.ECHO
        termios.tcsetattr(self._descriptor, termios.TCSANOW, silent)
