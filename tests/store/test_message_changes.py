"""The rules of changes of messages, without SQL. The contract suite of the stores tests them with it."""

from twisted.trial.unittest import SynchronousTestCase

from irchat.interfaces.stored import GLOBAL, ChatKey, PlacedMark, StoredChange
from irchat.interfaces.writes import MarkSet, MarksRemoved, MessageDeleted, MessageEdited, MessagesDeleted
from irchat.protocol.errors import Code
from irchat.protocol.marks import MESSAGE_MARKS, USER_MARKS
from irchat.store.chat_row import ChatRow
from irchat.store.message_changes import Found, Mark, MessageChanges, Places, Target

ALICE, BOB = 1, 2
SENT_AT = 50


class Recorder(MessageChanges):
    """One message of Alice, number 7 of every chat. Records the statements."""

    def __init__(self) -> None:
        self.done: list[object] = []
        self.marks = False, 0, 0
        self.message = Found(ALICE, SENT_AT, 700, joined_at=7, has_marks=True)
        self.row = ChatRow(1, 7, SENT_AT, 3)
        self._touched = {}

    def _chat(self, key: ChatKey) -> ChatRow | None:
        return None if key == 99 else self.row

    def _find(self, chat: int, seq: int, user: int | None) -> Found | None:
        return self.message if seq == 7 else None

    def _last_of(self, chat: int, user: int | None, sought: int) -> int | None:
        return 7 if user == ALICE else None

    def _put_text(self, target: Target, text: str) -> None:
        self.done.append((target.message.id, text))

    def _note_ends(self, places: Places) -> None:
        self.done.append(("ends", *places))

    def _delete(self, places: Places) -> None:
        self.done.append(("delete", *places))

    def _leave_gaps(self, places: Places) -> None:
        self.done.append(("gaps", *places))

    def _drop_if_empty(self, key: ChatKey, chat: int) -> None:
        self.done.append(("drop", key, chat))

    def _marks_now(self, mark: Mark) -> tuple[bool, int, int]:
        return self.marks

    def _put_mark(self, mark: Mark, text: str, at: int) -> None:
        self.done.append((text, mark))

    def _take_mark(self, mark: Mark) -> bool:
        self.done.append(mark)
        return mark.key != "unknown"

    def _note_change(self, chat: int, seq: int, rev: int, edited_at: int | None, deleted: bool) -> None:
        self.done.append((seq, rev, edited_at, deleted))

    def _note_mark(self, chat: int, seq: int, rev: int) -> None:
        self.done.append((seq, rev))

    def _late(self, chat: int, seq: int) -> frozenset[int]:
        return frozenset({BOB})


class MessageChangesTests(SynchronousTestCase):
    """`MessageChanges`."""

    def setUp(self) -> None:
        """Make a store."""
        self.store = Recorder()

    def test_edit(self) -> None:
        """An edit takes the next rev of its chat. Only a group has members that have joined since."""
        edit = MessageEdited(5, None, ALICE, "new", at=90, sent_since=0)
        self.assertEqual(self.store.edit_message(edit), StoredChange(7, 4, ALICE, 90, SENT_AT, late=frozenset({BOB})))
        self.assertEqual(self.store.done, [(700, "new"), (7, 4, 90, False)])
        self.assertEqual((self.store.row.rev, self.store._touched), (4, {1: self.store.row}))
        for chat in GLOBAL, (ALICE, BOB):
            self.assertEqual(self.store.edit_message(MessageEdited(chat, 7, ALICE, "x", 90, 0)).late, frozenset())
        self.store.message = self.store.message._replace(joined_at=6)
        self.assertEqual(self.store.edit_message(MessageEdited(5, 7, ALICE, "x", 90, 0)).late, frozenset())

    def test_refused(self) -> None:
        """A refused change changes nothing: a message that is hidden, of another, or in no chat."""
        for change, code in (
            (self.store.edit_message(MessageEdited(99, 7, ALICE, "new", 90, 0)), Code.NO_SUCH_MESSAGE),
            (self.store.edit_message(MessageEdited(5, None, BOB, "new", 90, 0)), Code.NO_SUCH_MESSAGE),
            (self.store.edit_message(MessageEdited(5, 7, BOB, "new", 90, 0)), Code.NOT_YOURS),
            (self.store.delete_message(MessageDeleted(5, 8, ALICE, 90)), Code.NO_SUCH_MESSAGE),
            (self.store.delete_message(MessageDeleted(5, 7, BOB, 90)), Code.NOT_YOURS),
            (self.store.set_mark(MarkSet(5, 7, BOB, "+1", "+1", True, 90, frozenset({ALICE}))), Code.NO_SUCH_MESSAGE),
        ):
            self.assertEqual(change, StoredChange(refusal=code))
        self.assertEqual((self.store.done, self.store.row.rev), ([], 3))

    def test_delete(self) -> None:
        """A deletion notes the end that readers see, and leaves a change."""
        self.assertEqual(self.store.delete_message(MessageDeleted(GLOBAL, 7, ALICE, 90)).rev, 4)
        self.assertEqual(self.store.done, [("ends", (1, 7)), ("delete", (1, 7)), (7, 4, None, True)])

    def test_delete_many(self) -> None:
        """Messages deleted without a trace leave gaps. Only a private chat may end. Unknown chats are skipped."""
        self.store.delete_messages(MessagesDeleted(((99, 1),)))
        self.assertEqual(self.store.done, [])
        self.store.delete_messages(MessagesDeleted(((5, 1), (99, 1), ((ALICE, BOB), 2))))
        places = (1, 1), (1, 2)
        drop = "drop", (ALICE, BOB), 1
        self.assertEqual(self.store.done, [("ends", *places), ("delete", *places), ("gaps", *places), drop])

    def test_marks(self) -> None:
        """A mark is put, taken or toggled. One that is as asked changes nothing, and too many are refused."""
        mark = Mark(1, 7, "ok", BOB)
        put, taken = [("OK", mark), (7, 4)], [mark, (7, 4)]
        for now, on, done in (
            ((False, 0, 0), True, put), ((False, 0, 0), None, put), ((True, 1, 1), False, taken),
            ((True, 1, 1), None, taken), ((True, 1, 1), True, []), ((False, 0, 0), False, []),
            ((False, USER_MARKS, 1), True, []), ((False, 1, MESSAGE_MARKS), True, []),
        ):  # fmt: skip
            self.store = Recorder()
            self.store.marks = now
            change = self.store.set_mark(MarkSet(5, 7, BOB, "OK", "ok", on, 90))
            self.assertEqual(self.store.done, done, (now, on))
            is_full = max(now[1:]) > 1
            self.assertEqual(change.refusal, Code.TOO_MANY if is_full else None)
            self.assertEqual(change.rev, 4 if done else 0)

    def test_first_mark(self) -> None:
        """The marks of a message are not looked up if it has none."""
        self.store.message = self.store.message._replace(has_marks=False)
        self.store.marks = True, USER_MARKS, MESSAGE_MARKS
        self.assertTrue(self.store.set_mark(MarkSet(5, 7, BOB, "OK", "ok", None, 90)).on)

    def test_marks_of_removed_accounts(self) -> None:
        """The marks of removed accounts are changes of their messages, if they still exist."""
        marks = tuple(PlacedMark(5, seq, BOB, key, key) for seq, key in ((7, "ok"), (8, "ok"), (7, "unknown")))
        changes = self.store.remove_marks(MarksRemoved(marks, 90))
        self.assertEqual(
            [(change.seq, change.rev, change.is_new) for change in changes],
            [(7, 4, True), (8, 0, False), (7, 0, False)],
        )
