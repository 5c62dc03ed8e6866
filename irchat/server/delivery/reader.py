"""The contract of the session behind an outbox."""

from collections.abc import Awaitable, Sequence
from typing import Protocol

from irchat.interfaces.bus import Publication
from irchat.interfaces.stored import ChatKey, Page, StoredMessage


class Reader(Protocol):
    """Encodes for one session, in its protocol, what the session may see."""

    def say(self, publication: Publication) -> bytes:
        """Encode a publication."""

    def say_run(self, run: Sequence[Publication]) -> bytes:
        """Encode several publications of stored messages."""

    def say_stored(self, message: StoredMessage) -> bytes:
        """Encode a stored message; return nothing if the session may no longer see it."""

    def say_timed_since(
        self, order: int, own: set[tuple[ChatKey, int]], page_bytes: int
    ) -> tuple[bytes, int | None, float]:
        """Encode the living timed messages from ``order`` on, without the session's ``own``, about ``page_bytes``.

        Returns the bytes, the order of the next message (None at the end), and the time at which the first one ends.
        """

    def page_after(self, chat: ChatKey, seq: int, limit: int, page_bytes: int) -> Awaitable[Page]:
        """Read the stored messages of a chat after ``seq``."""

    def caught_up(self) -> None:
        """Take note that the session is no longer behind."""

    def drained(self) -> None:
        """Take note that everything was sent, after `Outbox.full` was true."""
