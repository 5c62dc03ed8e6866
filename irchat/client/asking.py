"""What a user sees and types whose output goes elsewhere, as with ``irchat HOST | tee log``."""

import contextlib
import os
from collections.abc import Callable

from irchat.client.console import Console
from irchat.client.pasting import read_secret, unmarked
from irchat.client.screen import Screen, Switch
from irchat.client.stop import InputEnded


class AskingScreen(Screen):
    """Standard input is a terminal, standard output is not: messages go to standard output, questions and notes to the
    terminal, which echoes no secret.

    ``write_terminal`` writes to the terminal at once.
    """

    interactive = True

    def __init__(
        self,
        console: Console,
        write_error: Callable[[str], None],
        echo: Switch,
        write_terminal: Callable[[str], None],
    ) -> None:
        super().__init__(console, write_error)
        self._echo = echo
        self._write_terminal = write_terminal

    def note(self, text: str) -> None:
        """Tell what goes on."""
        self._write_terminal(f"{self._renderer.note(text).text}\n")

    async def read(self) -> str | None:
        """The next line that was typed."""
        self._echo.on()
        line = await super().read()
        return None if line is None else unmarked(line)

    async def ask(self, question: str, *, secret: bool = False) -> str:
        """The answer to a question; a ``secret`` one is shown nowhere. Raises Stop."""
        self._write_terminal(question)
        if secret:
            self._echo.off()
        else:
            self._echo.on()
        try:
            answer = await (read_secret(super().read) if secret else super().read())
        finally:
            self._echo.off()
            if secret:
                self._write_terminal("\n")
        if answer is None:
            raise InputEnded
        return unmarked(answer)

    def finish(self, *, interrupted: bool) -> None:
        """The client ends."""
        self._echo.on()


def write_to(descriptor: int, text: str) -> None:
    """Write to the terminal open at ``descriptor``. One that is gone or stands still shows no more."""
    with contextlib.suppress(OSError):
        os.write(descriptor, text.encode("utf-8", "replace"))
