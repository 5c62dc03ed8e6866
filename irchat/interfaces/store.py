"""The contract of a store."""

from collections.abc import Collection, Sequence
from typing import NamedTuple, Protocol

from twisted.internet.defer import Deferred

from irchat.interfaces.stored import (
    ChatKey,
    ChatState,
    Figures,
    Page,
    Places,
    Snapshot,
    StoredAccount,
    StoredMessage,
    StoredToken,
)
from irchat.interfaces.writes import Write


class PageQuery(NamedTuple):
    """Which page of a chat: after ``after`` upwards, or before ``before`` downwards, or the end.

    ``unread`` starts after the reader's marker. ``hidden`` are senders that the reader does not see. The page holds at
    most ``limit`` messages, and ends before their texts and ``overhead`` bytes for each exceed ``page_bytes``. It never
    ends between messages of one time: it holds fewer or, if all on it have that time, more than ``limit``.
    """

    user: int
    chat: ChatKey
    limit: int
    before: int | None = None
    after: int | None = None
    unread: bool = False
    hidden: Collection[int] = ()
    overhead: int = 0
    page_bytes: int = 1 << 62


class Store(Protocol):
    """Keeps what must survive. Every method may fail with the Refusal ``unavailable``, and then has changed nothing.

    ``epoch``: a string that changes when the contents are replaced by an older state of them.
    """

    epoch: str

    def snapshot(self) -> Snapshot:
        """Return what the core keeps in memory. Called once, before the server listens."""

    def commit(self, writes: Sequence[Write[object]]) -> Deferred[list[object]]:
        """Write all or nothing, in order and durably. Return the result of each write."""

    def page(self, query: PageQuery) -> Deferred[Page]:
        """Return a page of a chat that the user is in, an empty one if the chat does not exist yet."""

    def chats(self, user: int, hidden: Collection[int]) -> Deferred[list[ChatState]]:
        """Return the user's chats, latest first, those without messages last, without private chats that are empty."""

    def search(
        self,
        user: int,
        words: Sequence[str],
        chat: ChatKey | None,
        hidden: Collection[int],
        limit: int,
        overhead: int = 0,
        page_bytes: int = 1 << 62,
    ) -> Deferred[tuple[list[StoredMessage], bool]]:
        """Return the messages that hold all ``words`` and that the user may see, newest first, and if there are more.

        The limits are those of `PageQuery`. A search that takes too long ends with what it has found, and with more.
        """

    def password(self, user: int) -> Deferred[str | None]:
        """Return the user's password hash, None if the account has none."""

    def token(self, token: bytes) -> Deferred[StoredToken | None]:
        """Return the token with that hash, None if it is unknown."""

    def accounts(self, after: str, limit: int) -> Deferred[list[StoredAccount]]:
        """Return the accounts whose keys follow ``after``, in the order of keys, without removed ones."""

    def messages_of(self, user: int, after: tuple[int, int] | None, limit: int) -> Deferred[Places]:
        """Return the places of some messages of ``user``: ``limit`` at most, and few enough to be deleted quickly.

        ``after``: where the last answer said to continue. One call looks at a part of all messages, so an answer may be
        empty although more follow.
        """

    def figures(self) -> Deferred[Figures]:
        """Return how much there is."""

    def close(self) -> None:
        """Wait for running calls, and close."""
