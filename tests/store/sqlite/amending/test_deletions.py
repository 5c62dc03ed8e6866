"""Deletions leave no row behind, and take a bounded number of them at a time."""

from twisted.trial.unittest import SynchronousTestCase

from irchat.interfaces.store import SearchQuery
from irchat.interfaces.stored import GLOBAL
from irchat.interfaces.writes import GroupCreated, GroupRemoved, MarkSet, MessageAdded, MessageDeleted, MessagesDeleted
from irchat.store.sqlite.amending import deletions
from irchat.store.sqlite.amending.deletions import few
from irchat.store.sqlite.checking import problems
from irchat.store.sqlite.copying import opened
from irchat.store.sqlite.engine import SQLiteStore
from irchat.store.sqlite.search.indexing import DELETED_CHARACTERS
from tests.helpers.databases import DatabaseCase
from tests.helpers.stores import NOW, message

_TABLES = "messages", "message_places", "marks", "mentions"


def _mark(chat: int, seq: int, user: int, mark: str = "ok") -> MarkSet:
    return MarkSet(chat, seq, user, mark, mark, True, NOW)


class RowsTests(DatabaseCase):
    """The rows of messages that two users mark, and that mention one of them."""

    def fill(self, store: SQLiteStore, chat: int) -> None:
        """Write four messages, put marks on two of them, and delete the others."""
        self.successResultOf(store.commit([MessageAdded(chat, 1, "vanishing", NOW, None, 0, (2,))] * 4))
        self.successResultOf(store.search(SearchQuery(1, ["x"], None, (), 1)))
        self.successResultOf(store.commit([
            _mark(chat, 1, 1), _mark(chat, 1, 2), _mark(chat, 2, 2, "pin"), MessageDeleted(chat, 3, 1, NOW),
            MessageDeleted(chat, 4, 1, NOW),
        ]))  # fmt: skip

    def counts(self) -> list[int]:
        """Return the numbers of rows, and check the index."""
        self.look("INSERT INTO message_words (message_words) VALUES ('integrity-check')")
        return [self.look(f"SELECT count(*) FROM {table}")[0][0] for table in (*_TABLES, "amended")]

    def test_one(self) -> None:
        """With a message go its marks and mentions, and what remains is that it was deleted."""
        store = self.open_store()
        self.fill(store, GLOBAL)
        self.assertEqual(self.counts(), [2, 2, 3, 2, 4])
        self.successResultOf(store.commit([MessageDeleted(GLOBAL, seq, None, NOW) for seq in (1, 2)]))
        self.assertEqual(self.counts(), [0, 0, 0, 0, 4])
        self.assertEqual(
            self.look("SELECT seq, rev, edited_at, deleted FROM amended ORDER BY rev"),
            [(3, 4, None, 1), (4, 5, None, 1), (1, 6, None, 1), (2, 7, None, 1)],
        )
        self.assertEqual(self.look("SELECT rowid FROM message_words WHERE message_words MATCH 'vanishing'"), [])

    def test_all_of_a_user(self) -> None:
        """With all messages of a user go their changes too, except those of earlier deletions."""
        store = self.open_store()
        self.fill(store, GLOBAL)
        self.successResultOf(store.commit([MessagesDeleted(tuple((GLOBAL, seq) for seq in (1, 2, 3)))]))
        self.assertEqual(self.counts(), [0, 0, 0, 0, 2])
        states = [self.successResultOf(store.chats(2, hidden))[0] for hidden in ((), (9,))]
        self.assertEqual([(state.unread, state.mentions, state.rev) for state in states], [(0, 0, 5)] * 2)

    def test_private_chat(self) -> None:
        """A private chat that goes with all messages of a user leaves nothing."""
        store = self.open_store()
        self.successResultOf(store.commit([message((1, 2), 1), message((1, 2), 1), MessageDeleted((1, 2), 1, 1, NOW)]))
        self.successResultOf(store.commit([MessagesDeleted((((1, 2), 2),))]))
        self.assertEqual(self.counts(), [0] * 5)
        self.assertEqual(self.look("SELECT count(*) FROM chats"), [(1,)])

    def test_group(self) -> None:
        """An ended group leaves nothing, and a few rows go at a time."""
        self.patch(deletions, "_ROWS_SWEPT_TOGETHER", 2)
        self.patch(deletions, "_SWEPT_TOGETHER", 1)
        store = self.open_store()
        (group,) = self.successResultOf(store.commit([GroupCreated("team", "team", (1, 2), NOW)]))
        self.fill(store, group)
        self.fill(store, GLOBAL)
        sweeps = []
        sweep = store._writer.sweep

        def noting() -> None:
            sweep()
            sweeps.append(self.counts())
            with opened(self.path) as connection:
                self.assertEqual(list(problems(connection)), [])

        self.patch(type(store._writer), "sweep", lambda writer: noting())
        self.successResultOf(store.commit([GroupRemoved(group)]))
        self.assertEqual(sweeps, [
            [4, 4, 4, 4, 8], [4, 4, 3, 4, 8], [4, 4, 3, 2, 8], [4, 4, 3, 2, 6], [4, 4, 3, 2, 4], [3, 3, 3, 2, 4],
            [2, 2, 3, 2, 4],
        ])  # fmt: skip
        self.assertEqual(self.look("SELECT count(*) FROM chats"), [(1,)])


class TogetherTests(SynchronousTestCase):
    """How many messages are deleted together."""

    def test_few(self) -> None:
        """As many as have so many characters together, and one at least."""
        half = DELETED_CHARACTERS // 2
        cases = (([], 0), ([half, half, 0], 3), ([half, half, 1], 2), ([half, half + 1], 1), ([3 * half, 1], 1))
        self.assertEqual([few(lengths) for lengths, _ in cases], [count for _, count in cases])
