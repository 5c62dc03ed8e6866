"""Deletions of messages, with all that belongs to them."""

from irchat.interfaces.stored import GLOBAL
from irchat.interfaces.writes import GroupCreated, GroupRemoved, MarkSet, MessageAdded, MessagesDeleted
from irchat.store.postgres import cleaning
from irchat.store.postgres.search.indexing import index_all
from tests.helpers.postgres_nodes import NodesCase
from tests.helpers.stores import NOW, message


class DeletionTests(NodesCase):
    """Messages that are deleted for good."""

    def test_all_goes(self) -> None:
        """The text, the words, the marks and the mentions of a message go with it, indexed or not."""
        for is_indexed in False, True:
            done = self.commit(
                self.a, MessageAdded(GLOBAL, 1, "secret", NOW, None, 0, (2,)), message(GLOBAL, 2, "stays"),
                message((1, 2), 1, "secret"),
            )  # fmt: skip
            seq = done.results[0].seq  # type: ignore[attr-defined]
            self.commit(self.a, MarkSet(GLOBAL, seq, 2, "ok", "ok", True, NOW))
            if is_indexed:
                self.a._maintain(index_all)
            self.commit(self.a, MessagesDeleted(((GLOBAL, seq), ((1, 2), 1), (999, 1), ((2, 3), 1))))
            for table in "messages", "marks", "mentions":
                self.assertEqual(self.sql(f"SELECT count(*) FROM {table} WHERE seq = %s AND chat = 1", seq), [(0,)])
            self.assertEqual(self.sql("SELECT count(*) FROM places WHERE words @@ '''secret'''"), [(0,)])
            self.assertEqual(self.sql("SELECT count(*) FROM chats WHERE low IS NOT NULL"), [(0,)])

    def test_ended_group(self) -> None:
        """A group that ends has no members from then on, also before its messages are swept."""
        self.patch(cleaning, "sweep", lambda connection: False)
        (team,) = self.successResultOf(self.a.commit([GroupCreated("team", "team", (1, 2), NOW)]))
        self.commit(self.a, message(team, 1), GroupRemoved(team))
        left = [self.sql(f"SELECT count(*) FROM {table} WHERE chat = %s", team) for table in ("members", "messages")]
        self.assertEqual(left, [[(0,)], [(1,)]])

    def test_end_of_a_chat(self) -> None:
        """The last deleted message of each sender is remembered, the latest one, and up to where there are gaps."""
        self.commit(self.a, *(message(GLOBAL, 1 + number % 2, at=NOW + number) for number in range(6)))
        for seqs in (3, 5, 4), (1,):
            self.commit(self.a, MessagesDeleted(tuple((GLOBAL, seq) for seq in seqs)))
            ends = self.sql("SELECT sender, seq, at FROM deleted_ends ORDER BY sender")
            self.assertEqual(ends, [(1, 5, NOW + 4), (2, 4, NOW + 3)])
            self.assertEqual(self.sql("SELECT gaps_up_to FROM chats WHERE id = 1"), [(5,)])
