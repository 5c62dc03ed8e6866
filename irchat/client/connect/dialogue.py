"""Questions and answers: what connecting and signing in ask of whoever can answer."""

from typing import Protocol

from irchat.protocol import events


class Dialogue(Protocol):
    """Whoever is asked. ``interactive``: somebody who can try again."""

    interactive: bool

    def show(self, event: events.Event) -> None:
        """Show a reply."""

    def note(self, text: str) -> None:
        """Tell what goes on."""

    def complain(self, text: str) -> None:
        """Say what went wrong, in one or more lines."""

    async def ask(self, question: str, *, secret: bool = False) -> str:
        """The answer to a question; a ``secret`` one is shown nowhere. Raises ClientError."""
