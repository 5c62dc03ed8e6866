"""The contract of a store."""

from collections.abc import Collection, Sequence
from typing import NamedTuple, Protocol

from twisted.internet.defer import Deferred

from irchat.interfaces import stored
from irchat.interfaces.log import SharedLog
from irchat.interfaces.stored import ChatKey, Page, StoredMessage
from irchat.interfaces.writes import Write


class PageQuery(NamedTuple):
    """The choice of a page of a chat: after ``after`` going up, before ``before`` going down, or the last page.

    ``around``: half of ``limit`` before this seq, and half from it on. ``since``: from this time (ms) on, going up.
    ``after_rev``: the messages changed after this change, in the order of their last changes, and the deleted numbers.
    ``unread`` starts after the reader's marker. ``hidden``: senders hidden from the reader. A page has at most
    ``limit`` messages, whose texts plus ``overhead`` bytes each fit in ``page_bytes``. A page never splits messages
    with the same time: it has fewer messages or, if all of them have that time, more than ``limit``.
    """

    user: int
    chat: ChatKey
    limit: int
    before: int | None = None
    after: int | None = None
    unread: bool = False
    around: int | None = None
    since: int | None = None
    after_rev: int | None = None
    hidden: Collection[int] = ()
    overhead: int = 0
    page_bytes: int = 1 << 62


class SearchQuery(NamedTuple):
    """A search for the messages with all ``words`` that the user may see, in one or all chats.

    With ``mark`` (its key), only those with that mark; with ``mentions``, only those that mention the user. One of the
    three must be given. The limits are those of `PageQuery`.
    """

    user: int
    words: Sequence[str]
    chat: ChatKey | None
    hidden: Collection[int]
    limit: int
    overhead: int = 0
    page_bytes: int = 1 << 62
    mark: str | None = None
    mentions: bool = False


class Store(Protocol):
    """Stores everything that survives a restart. Any method may fail with Refusal ``unavailable``, without changes.

    ``epoch``: a string that changes when the contents are replaced by an older state. ``log``: the log of a store that
    several nodes share. Commits go through it, and a read returns only what this node has applied. None for a store of
    one node.
    """

    epoch: str

    @property
    def log(self) -> SharedLog | None:
        """The log, or None."""

    def snapshot(self) -> stored.Snapshot:
        """Return the data that the core keeps in memory.

        Called before the server listens, and again when the node cannot follow a shared log.
        """

    def commit(self, writes: Sequence[Write[object]]) -> Deferred[list[object]]:
        """Commit all writes or none, in order and durably. Return the result of each write."""

    def page(self, query: PageQuery) -> Deferred[Page]:
        """Return a page of a chat of the user. The page is empty if the chat does not exist yet."""

    def place(self, user: int, chat: ChatKey, at: int) -> Deferred[int]:
        """Return the seq of the first message of a chat of the user from the time ``at`` (ms) on, also a hidden one.

        If there is none, return the seq after the last message, or 1 if the chat does not exist yet.
        """

    def chats(self, user: int, hidden: Collection[int]) -> Deferred[list[stored.StoredChat]]:
        """Return the chats of the user, most recent first, chats without messages last. Omit empty private chats."""

    def search(self, query: SearchQuery) -> Deferred[tuple[list[StoredMessage], bool]]:
        """Return the messages that a search finds, newest first, and whether there are more.

        A search that takes too long returns its results so far, and True.
        """

    def alert(self, user: int, chat: ChatKey) -> Deferred[str | None]:
        """Return when the chat alerts the user, or None if the user has not set it."""

    def password(self, user: int) -> Deferred[str | None]:
        """Return the password hash of the user, or None if the account has no password."""

    def token(self, token: bytes) -> Deferred[stored.StoredToken | None]:
        """Return the token with this hash, or None if it is unknown."""

    def keys(self, user: int) -> Deferred[list[stored.StoredKey]]:
        """Return the public keys of the user, in the order in which they were added."""

    def sign_ins(self, user: int, limit: int) -> Deferred[list[stored.StoredSignIn]]:
        """Return the tokens of the user, most recently used first, at most ``limit``."""

    def accounts(self, after: str, limit: int) -> Deferred[list[stored.StoredAccount]]:
        """Return the accounts with keys after ``after``, sorted by key, without removed accounts."""

    def messages_of(self, user: int, after: tuple[int, int] | None, limit: int) -> Deferred[stored.Places]:
        """Return the places of some messages of ``user``: at most ``limit``, and few enough to be deleted quickly.

        ``after``: the ``further`` of the last result. A call scans only a part of the messages, so a result may be
        empty although more follow.
        """

    def marks_of(self, users: Collection[int], limit: int) -> Deferred[list[stored.PlacedMark]]:
        """Return at most ``limit`` of the marks of these users."""

    def figures(self) -> Deferred[stored.Figures]:
        """Return the figures of the store."""

    def close(self) -> None:
        """Wait for running calls, and close."""
