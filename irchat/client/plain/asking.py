"""The screen used when standard output is redirected, as in ``irchat HOST | tee log``."""

import contextlib
import os
from collections.abc import Callable

from irchat.client.plain.console import Console
from irchat.client.plain.screens import Switch, TypingScreen


class AskingScreen(TypingScreen):
    """Standard input is a terminal, standard output is not.

    Messages go to standard output, questions and notes to the terminal. ``write_terminal`` writes to the terminal
    immediately.
    """

    def __init__(
        self,
        console: Console,
        write_error: Callable[[str], None],
        echo: Switch,
        write_terminal: Callable[[str], None],
    ) -> None:
        super().__init__(console, write_error, echo)
        self._write_terminal = write_terminal

    def note(self, text: str) -> None:
        """Show a note on the terminal."""
        self._write_terminal(f"{self._renderer.note(text).text}\n")

    def _prompt(self, text: str) -> None:
        self._write_terminal(text)


def write_to(descriptor: int, text: str) -> None:
    """Write to the terminal open at ``descriptor``. Do nothing if it is gone or accepts no output."""
    with contextlib.suppress(OSError):
        os.write(descriptor, text.encode("utf-8", "replace"))
