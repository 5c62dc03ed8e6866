"""The changes of messages: the contract of the stores on PostgreSQL, and what it does not prove."""

from twisted.trial.unittest import SynchronousTestCase

from irchat.interfaces.store import PageQuery
from irchat.interfaces.stored import GLOBAL, ChatKey, PlacedMark, StoredChange
from irchat.interfaces.writes import (
    AlertSet,
    GroupCreated,
    MarkSet,
    MarksRemoved,
    MemberAdded,
    MessageDeleted,
    MessageEdited,
    UserRemoved,
)
from irchat.protocol.errors import Code
from tests.helpers.postgres_nodes import NodesCase
from tests.helpers.stores import NOW, PostgresHands, message
from tests.store.sqlite.amending.test_amend_writes import AmendContract


class AmendTests(AmendContract, PostgresHands, SynchronousTestCase):
    """PostgreSQL does what every store must."""


class AmendWritesTests(NodesCase):
    """Changes of messages of a node."""

    def change(self, *writes: object) -> list[StoredChange]:
        """Commit changes together."""
        return [result for result in self.commit(self.a, *writes).results if isinstance(result, StoredChange)]  # type: ignore[arg-type]

    def test_huge_numbers(self) -> None:
        """A number that no message can have is refused like any other."""
        for seq in 2**63 - 1, 2**63, 2**90:
            (change,) = self.change(MessageEdited(GLOBAL, seq, 1, "x", NOW, 0))
            self.assertEqual(change, StoredChange(refusal=Code.NO_SUCH_MESSAGE))

    def test_with_messages(self) -> None:
        """Changes see the messages of their commit before them, and are numbered in order."""
        changes = self.change(
            message(GLOBAL, 1, "one"), MessageEdited(GLOBAL, None, 1, "uno", NOW, 0), message(GLOBAL, 1, "two"),
            MessageDeleted(GLOBAL, None, 1, NOW), MarkSet(GLOBAL, 1, 2, "ok", "ok", None, NOW),
        )  # fmt: skip
        self.assertEqual([(change.seq, change.rev) for change in changes], [(1, 1), (2, 2), (1, 3)])
        page = self.successResultOf(self.a.page(PageQuery(3, GLOBAL, 9)))
        self.assertEqual([(one.text, one.rev, one.marks[0].users) for one in page.messages], [("uno", 3, (2,))])
        self.assertEqual((page.rev, page.last_seq), (3, 2))

    def test_late_members(self) -> None:
        """A change names the members that joined after the message."""
        (team,) = self.successResultOf(self.a.commit([GroupCreated("team", "team", (1,), NOW)]))
        self.commit(self.a, message(team, 1), MemberAdded(team, 2, 1), message(team, 1), MemberAdded(team, 3, 1))
        changes = self.change(*(MarkSet(team, seq, 1, "ok", "ok", True, NOW) for seq in (1, 2)))
        self.assertEqual([change.late for change in changes], [{2, 3}, {3}])

    def test_marks_removed(self) -> None:
        """Marks of a removed user go: each is a change of its message, once, also of a chat that it has left."""
        self.commit(self.a, *(message(GLOBAL, 1) for _ in range(3)), message((1, 2), 1))
        self.change(
            *(MarkSet(GLOBAL, seq, 2, "a", "a", True, NOW) for seq in (3, 1)),
            MarkSet(GLOBAL, 2, 3, "a", "a", True, NOW), MarkSet((1, 2), 1, 2, "a", "a", True, NOW),
        )  # fmt: skip
        self.commit(self.a, UserRemoved(2, "bob#2", "bob#2", NOW, ()))
        places: tuple[tuple[ChatKey, int], ...] = ((GLOBAL, 3), (GLOBAL, 1), ((1, 2), 1), (GLOBAL, 2), ((1, 3), 1))
        marks = tuple(PlacedMark(chat, seq, 2, "a", "a") for chat, seq in places)
        (changes,) = self.commit(self.a, MarksRemoved(marks, NOW)).results
        self.assertEqual([(one.rev, one.is_new) for one in changes[:3]], [(4, True), (5, True), (2, True)])  # type: ignore[index]
        self.assertEqual([one.is_new for one in changes[3:]], [False, False])  # type: ignore[index]
        self.assertEqual(self.sql("SELECT seq, user_id FROM marks"), [(2, 3)])

    def test_alert(self) -> None:
        """An alert is set also for a private chat that does not exist yet, and not for a group that is none."""
        self.commit(self.a, AlertSet((1, 2), 1, "none"), AlertSet(99, 1, "all"))
        self.assertEqual(self.successResultOf(self.a.alert(1, (1, 2))), "none")
        self.assertIsNone(self.successResultOf(self.a.alert(2, (1, 2))))
