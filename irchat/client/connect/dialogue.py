"""The interface for questions to the user while connecting and signing in."""

from typing import Protocol


class Dialogue(Protocol):
    """The screen that asks the questions. ``interactive``: the user can answer again after a wrong answer."""

    interactive: bool

    def note(self, text: str) -> None:
        """Show a note about progress."""

    def complain(self, text: str) -> None:
        """Show an error of one or more lines."""

    def suggest(self, text: str) -> None:
        """Offer a text as the answer to the next question, if the screen can do that."""

    async def ask(self, question: str, *, secret: bool = False, can_cancel: bool = False) -> str:
        """Return the answer to a question. A ``secret`` answer is never shown.

        Raises ClientError, which is Cancelled if the user cancelled a question that has ``can_cancel``.
        """
