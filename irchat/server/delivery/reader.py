"""The interface of a session to its outbox."""

from collections.abc import Awaitable, Sequence
from typing import Protocol

from irchat.interfaces.bus import Publication
from irchat.interfaces.stored import ChatKey, Page, StoredMessage


class Reader(Protocol):
    """Encodes the messages that a session may see, in its protocol."""

    @property
    def shows_timed(self) -> bool:
        """Whether the protocol shows timed messages."""

    def say(self, publication: Publication) -> bytes:
        """Encode a publication."""

    def say_run(self, run: Sequence[Publication]) -> bytes:
        """Encode several publications of stored messages."""

    def say_stored(self, message: StoredMessage) -> bytes:
        """Encode a stored message. Return empty bytes if the session may no longer see it."""

    def say_timed_since(
        self, order: int, own: set[tuple[ChatKey, int]], page_bytes: int
    ) -> tuple[bytes, int | None, float]:
        """Encode about ``page_bytes`` of live timed messages from ``order``, except the session's ``own``.

        Returns the bytes, the order of the next message (None at the end), and the earliest end among them.
        """

    def missed_page(self, chat: ChatKey, after: int | None = None, after_rev: int | None = None) -> Awaitable[Page]:
        """Read the stored messages of a chat ``after`` a seq, or those changed ``after_rev``."""

    def missed(self, change: Publication) -> None:
        """Note a change of a stored message that the session misses now. Its present state comes by `say_changes`."""

    def say_changes(self, chat: ChatKey, page: Page) -> bytes:
        """Encode the present states of a page of changes. Return empty bytes if the session has left the chat."""

    def caught_up(self) -> None:
        """Note that the session is no longer behind."""

    def drained(self) -> None:
        """Note that everything was sent, after `irchat.server.delivery.outbox.Outbox.full` was true."""
