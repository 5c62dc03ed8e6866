"""A store under test, with short names for the calls of the contract."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from irchat.interfaces.store import PageQuery, SearchQuery, Store
from irchat.interfaces.stored import ChatKey, Page, StoredChange, StoredChat, StoredMessage
from irchat.interfaces.writes import (
    GroupCreated,
    MarkSet,
    MessageAdded,
    MessageDeleted,
    MessageEdited,
    UserCreated,
    Write,
)
from irchat.protocol.errors import Code
from irchat.store.postgres.connecting import Database
from irchat.store.postgres.engine import PostgresStore
from irchat.store.postgres.search import searching
from irchat.store.sqlite.engine import SQLiteStore
from irchat.store.threads import NoThreads
from tests.helpers.services import shared_postgres

NOW = 1_795_356_000_000


def message(
    chat: ChatKey, sender: int, text: str = "hi", at: int = NOW, nonce: str | None = None, notice: bool = False
) -> MessageAdded:
    """A message. Its nonce, if any, is searched among those of the last ten minutes."""
    return MessageAdded(chat, sender, text, at, nonce, at - 600_000 if nonce else 0, notice=notice)


class StoreHands:
    """A mixin for a SynchronousTestCase that defines how a store is opened. The store answers within the call."""

    successResultOf: Any
    failureResultOf: Any
    assertEqual: Any
    assertIn: Any
    assertIsNone: Any
    assertTrue: Any

    def open_store(self) -> Store:
        """Open the store of this test. Reopened, it has the same contents."""
        raise NotImplementedError

    def setUp(self) -> None:
        """Open a store with three users."""
        self.store = self.open_store()
        self.alice, self.bob, self.carol = self.write(*map(self.user, ("Alice", "bob", "carol")))
        self.pair = (self.alice, self.bob)

    def tearDown(self) -> None:
        """Close the store."""
        self.store.close()

    def reopen(self) -> None:
        """Close and reopen the store."""
        self.store.close()
        self.store = self.open_store()

    @staticmethod
    def user(name: str, password: str | None = None, token: bytes | None = None) -> UserCreated:
        """Create an account."""
        return UserCreated(name, name.casefold(), password, NOW, token)

    def write(self, *writes: Write[object]) -> list[Any]:
        """Commit changes."""
        results: list[Any] = self.successResultOf(self.store.commit(writes))
        return results

    def team(self, *members: int, name: str = "team") -> int:
        """Create a group."""
        group: int = self.write(GroupCreated(name, name, members, NOW))[0]
        return group

    def edit(self, chat: ChatKey, seq: int | None, user: int, text: str = "new", **how: Any) -> StoredChange:
        """Edit a message, ten ms after the others."""
        change: StoredChange = self.write(
            MessageEdited(chat, seq, user, text, NOW + 10, how.pop("sent_since", 0), **how)
        )[0]
        return change

    def delete(self, chat: ChatKey, seq: int | None, user: int | None, **how: Any) -> StoredChange:
        """Delete a message, ten ms after the others."""
        change: StoredChange = self.write(MessageDeleted(chat, seq, user, NOW + 10, **how))[0]
        return change

    def mark(
        self, chat: ChatKey, seq: int, user: int, mark: str = "ok", on: bool | None = True, **how: Any
    ) -> StoredChange:
        """Put a mark on a message, ten ms after the others, or take it off."""
        change: StoredChange = self.write(
            MarkSet(chat, seq, user, mark, mark.casefold(), on, how.pop("at", NOW + 10), **how)
        )[0]
        return change

    def refused(self, change: StoredChange, code: Code = Code.NO_SUCH_MESSAGE) -> None:
        """Check that a change was refused."""
        self.assertEqual(change, StoredChange(refusal=code))

    def page(self, user: int, chat: ChatKey, limit: int = 50, **how: Any) -> Page:
        """Return a page of a chat."""
        page: Page = self.successResultOf(self.store.page(PageQuery(user, chat, limit, **how)))
        return page

    def seqs(self, user: int, chat: ChatKey, limit: int = 50, **how: Any) -> tuple[list[int], bool]:
        """Return the seqs on a page, and whether there are more."""
        page = self.page(user, chat, limit, **how)
        return [message.seq for message in page.messages], page.more

    def chats(self, user: int, hidden: Sequence[int] = ()) -> list[StoredChat]:
        """Return the user's chats."""
        chats: list[StoredChat] = self.successResultOf(self.store.chats(user, hidden))
        return chats

    def unread(self, user: int, chat: ChatKey, hidden: Sequence[int] = ()) -> int:
        """Return the unread count of a chat."""
        return next(state.unread for state in self.chats(user, hidden) if state.chat == chat)

    def found(
        self,
        user: int,
        *words: str,
        chat: ChatKey | None = None,
        hidden: Sequence[int] = (),
        limit: int = 50,
        **how: Any,
    ) -> tuple[list[StoredMessage], bool]:
        """Return the result of a search."""
        found: tuple[list[StoredMessage], bool] = self.successResultOf(
            self.store.search(SearchQuery(user, words, chat, hidden, limit, **how))
        )
        return found

    def found_texts(self, user: int, *words: str, **how: Any) -> list[str]:
        """Return the texts that a search finds."""
        return [message.text for message in self.found(user, *words, **how)[0]]


class SQLiteHands(StoreHands):
    """Opens an SQLite store without threads, so that every Deferred has fired."""

    mktemp: Any

    def setUp(self) -> None:
        """Choose the file."""
        self.path = Path(self.mktemp())
        super().setUp()

    def open_store(self) -> Store:
        """Open the file."""
        return SQLiteStore(self.path, NoThreads(), lambda: NOW)


class PostgresHands(StoreHands):
    """Opens a store in a database of its own on the PostgreSQL server of the tests, without threads."""

    addCleanup: Any
    patch: Any

    def setUp(self) -> None:
        """Make the database."""
        server = shared_postgres()
        # No search ends early because the machine is slow.
        self.patch(searching, "_SEARCH_SECONDS", 60)
        self.patch(searching, "_STATEMENT_SECONDS", 60)
        self.url = server.new_database()
        self.addCleanup(server.drop_database, self.url)
        super().setUp()

    def open_store(self) -> PostgresStore:
        """Open the database."""
        return PostgresStore(Database(self.url), NoThreads())
