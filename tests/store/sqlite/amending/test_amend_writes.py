"""Edits, deletions, marks and alerts: a part of what every store must do."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from irchat.interfaces.stored import GLOBAL, ChatKey, PlacedMark, Stored, StoredChange, StoredMark, StoredMessage
from irchat.interfaces.writes import (
    AlertSet,
    MarkSet,
    MarksRemoved,
    MemberAdded,
    MemberRemoved,
    MessageDeleted,
    MessageEdited,
    MessagesDeleted,
    NonceSought,
    UserRemoved,
)
from irchat.protocol.errors import Code
from irchat.store import message_changes
from tests.helpers.stores import NOW, SQLiteHands, StoreHands, message


class AmendContract(StoreHands):
    """The contract of stores for changes of messages, as `StoreHands` calls it."""

    patch: Any

    def marks(self, user: int, chat: ChatKey, seq: int, **how: Any) -> list[tuple[Any, ...]]:
        """Return the marks on a message as a user sees them."""
        (marks,) = [one.marks for one in self.page(user, chat, **how).messages if one.seq == seq]
        return [tuple(mark) for mark in marks]

    # Edits

    def test_after_a_mark(self) -> None:
        """A message that is marked and edited, or deleted, in one commit has the later rev."""
        self.write(message(GLOBAL, self.alice, "words"), message(GLOBAL, self.alice, "others"))
        mark = MarkSet(GLOBAL, 1, self.bob, "ok", "ok", True, NOW + 5)
        results = self.write(mark, MessageEdited(GLOBAL, 1, self.alice, "new", NOW + 10, 0))
        self.assertEqual([change.rev for change in results], [1, 2])
        self.assertEqual(
            [(one.text, one.rev) for one in self.page(self.bob, GLOBAL).messages], [("new", 2), ("others", 0)]
        )
        self.write(
            mark.__class__(GLOBAL, 2, self.bob, "ok", "ok", True, NOW + 5), MessageDeleted(GLOBAL, 2, None, NOW + 10)
        )
        self.assertEqual([one.text for one in self.page(self.bob, GLOBAL).messages], ["new"])

    def test_edit(self) -> None:
        """An edited message has its new text on pages and in searches, with its rev and time, and not the old one."""
        self.write(message(GLOBAL, self.alice, "first words"), message(GLOBAL, self.bob, "other"))
        for indexed in False, True:
            if indexed:
                self.found(self.alice, "x")
            old, new = ("second words", "third words") if indexed else ("first words", "second words")
            change = self.edit(GLOBAL, 1, self.alice, new)
            self.assertEqual(change, StoredChange(1, 1 + indexed, self.alice, NOW + 10, NOW))
            edited = StoredMessage(GLOBAL, 1, self.alice, NOW, new, 1 + indexed, NOW + 10)
            self.reopen()
            self.assertEqual(self.page(self.bob, GLOBAL).messages[0], edited)
            self.assertEqual(self.found(self.bob, "words"), ([edited], False))
            self.assertEqual(self.found_texts(self.bob, old.split()[0]), [])
        self.assertEqual((self.page(self.bob, GLOBAL).rev, self.chats(self.bob)[0].rev), (2, 2))

    def test_edit_in_its_commit(self) -> None:
        """A message can be changed in the commit that stores it, and the place of a change rises within a commit."""
        results = self.write(
            message(GLOBAL, self.alice, "one"),
            amend_edit(GLOBAL, 1, self.alice, "two"),
            message(GLOBAL, self.alice, "three"),
            amend_edit(GLOBAL, 1, self.alice, "four"),
            amend_edit(GLOBAL, 2, self.alice, "five"),
        )
        self.assertEqual([change.rev for change in (results[1], results[3], results[4])], [1, 2, 3])
        self.assertEqual([one.text for one in self.page(self.bob, GLOBAL).messages], ["four", "five"])
        self.assertEqual(self.found_texts(self.bob, "five"), ["five"])

    def test_all_or_nothing(self) -> None:
        """If a commit fails, its changes take no effect and their revs are given to the next ones."""
        self.write(message(GLOBAL, self.alice, "old"))
        self.failureResultOf(self.store.commit([amend_edit(GLOBAL, 1, self.alice, "lost"), self.user("ALICE")]))
        self.assertEqual(self.page(self.bob, GLOBAL).rev, 0)
        self.assertEqual(self.found_texts(self.bob, "old"), ["old"])
        self.assertEqual(self.edit(GLOBAL, 1, self.alice).rev, 1)

    def test_edit_of_many(self) -> None:
        """Edits of messages that wait for the index leave it whole."""
        self.write(*(message(GLOBAL, self.alice, f"old {number}") for number in range(40)))
        for seq in (40, 1, 20):
            self.edit(GLOBAL, seq, self.alice, f"new {seq}")
        self.assertEqual(self.found_texts(self.bob, "new"), ["new 40", "new 20", "new 1"])
        self.assertEqual(len(self.found_texts(self.bob, "old")), 37)

    def test_edit_refused(self) -> None:
        """Only the sender edits, and only in time. A message that a user must not know of is as one that never was."""
        team = self.team(self.alice, self.carol)
        self.write(
            message(team, self.alice),
            message(team, self.carol),
            MemberAdded(team, self.bob, self.alice),
            message(team, self.alice, at=NOW + 2),
            message(team, self.bob, at=NOW + 3),
        )
        self.delete(team, 4, self.bob)
        for seq, how in ((0, {}), (1, {}), (4, {}), (5, {}), (2**63 - 1, {}), (3, {"hidden": {self.alice}})):
            self.refused(self.edit(team, seq, self.bob, **how))
        self.refused(self.edit(999, 1, self.bob))
        self.refused(self.edit((self.bob, self.carol), 1, self.bob))
        self.refused(self.edit(self.pair, 1, self.carol))
        self.refused(self.edit(team, 3, self.bob), Code.NOT_YOURS)
        self.refused(self.edit(team, 3, self.bob, sent_since=NOW + 9), Code.NOT_YOURS)
        self.refused(self.edit(team, 3, self.alice, sent_since=NOW + 3), Code.TOO_LATE)
        self.refused(self.edit(team, 3, self.alice, seq_from=4))
        self.assertEqual(self.edit(team, 3, self.alice, sent_since=NOW + 2, seq_from=3).rev, 2)
        self.write(MemberRemoved(team, self.alice, self.carol, self.alice))
        self.refused(self.edit(team, 3, self.alice))
        self.assertEqual(self.page(self.bob, team).rev, 2)

    # Deletions

    def test_delete(self) -> None:
        """A deleted message is on no page, in no search and no count; its number is not given again and ends stay."""
        self.write(
            message(GLOBAL, self.alice, "vanishing", nonce="n"), message(GLOBAL, self.bob, "word"),
            message(GLOBAL, self.alice, "vanishing", at=NOW + 2),
        )  # fmt: skip
        self.mark(GLOBAL, 3, self.bob)
        before = self.chats(self.carol)[0]
        self.found(self.bob, "x")
        self.assertEqual(self.delete(GLOBAL, 3, self.alice), StoredChange(3, 2, self.alice, NOW + 10, NOW + 2))
        self.assertEqual(self.delete(GLOBAL, 1, self.alice).rev, 3)
        self.refused(self.delete(GLOBAL, 1, self.alice))
        self.reopen()
        self.assertEqual(self.seqs(self.carol, GLOBAL), ([2], False))
        self.assertEqual(self.found_texts(self.carol, "vanishing"), [])
        self.assertEqual(self.chats(self.carol)[0], before._replace(rev=3, unread=1))
        self.assertEqual(self.unread(self.carol, GLOBAL, [self.bob]), 0)
        self.assertEqual(self.page(self.carol, GLOBAL, hidden=[self.bob]).end, 3)
        (stored,) = self.write(message(GLOBAL, self.alice, "next"))
        self.assertEqual((stored.seq, self.unread(self.carol, GLOBAL)), (4, 2))

    def test_delete_refused(self) -> None:
        """The sender deletes, and whoever may delete what others wrote, but nothing that is hidden from them."""
        team = self.team(self.alice, self.bob)
        self.write(*(message(team, self.bob) for _ in range(5)), MemberAdded(team, self.carol, self.alice))
        self.refused(self.delete(team, 1, self.alice), Code.NOT_YOURS)
        self.refused(self.delete(team, 1, self.alice, of_anyone=True, hidden=[self.bob]))
        self.refused(self.delete(team, 1, self.carol, of_anyone=True))
        self.refused(self.delete(team, 6, None))
        self.refused(self.delete(team, 1, self.bob, seq_from=2))
        self.assertEqual([self.delete(team, seq, user, of_anyone=anyone).rev for seq, user, anyone in (
            (1, self.alice, True), (2, None, False), (3, self.bob, False))], [1, 2, 3])  # fmt: skip
        self.assertEqual(self.seqs(self.bob, team), ([4, 5], False))

    def test_delete_with_its_nonce(self) -> None:
        """The nonce of a deleted message returns its number, so that a repeated send does not store it again."""
        self.write(message(self.pair, self.alice, nonce="n"))
        self.delete(self.pair, 1, self.alice)
        again, sought = self.write(message(self.pair, self.alice, nonce="n"), NonceSought(self.alice, "n", 0))
        self.assertEqual((again, sought), (Stored(self.pair, 1, NOW, True),) * 2)
        self.assertEqual(self.seqs(self.bob, self.pair), ([], False))

    def test_private_chat_stays(self) -> None:
        """A private chat without messages after a deletion counts on, and keeps its rev."""
        self.write(message(self.pair, self.alice))
        self.delete(self.pair, 1, self.alice)
        self.assertEqual([state.chat for state in self.chats(self.bob)], [self.pair, GLOBAL])
        (stored,) = self.write(message(self.pair, self.bob))
        self.assertEqual((stored.seq, self.page(self.bob, self.pair).rev), (2, 1))

    # The last message

    def test_last(self) -> None:
        """Without a number the user's last message is changed that still stands, wherever others wrote after it."""
        self.write(*(message(GLOBAL, self.alice, str(number)) for number in range(3)), message(GLOBAL, self.bob))
        self.assertEqual(self.edit(GLOBAL, None, self.alice, "edited").seq, 3)
        self.assertEqual([self.delete(GLOBAL, None, self.alice).seq for _ in range(3)], [3, 2, 1])
        self.refused(self.delete(GLOBAL, None, self.alice))
        self.refused(self.edit(GLOBAL, None, self.carol))
        self.refused(self.edit(self.pair, None, self.alice))

    def test_last_is_far_back(self) -> None:
        """It is sought among a limited number of messages."""
        self.patch(message_changes, "LAST_SOUGHT", 3)
        self.write(message(GLOBAL, self.alice), *(message(GLOBAL, self.bob) for _ in range(3)))
        self.refused(self.edit(GLOBAL, None, self.alice))
        self.delete(GLOBAL, 4, self.bob)
        self.assertEqual(self.edit(GLOBAL, None, self.alice).seq, 1)

    # Marks

    def test_marks(self) -> None:
        """Each reader sees the marks in the order in which they came, with the first ten users and their number."""
        more = self.write(*(self.user(f"u{number}") for number in range(10)))
        self.write(message(GLOBAL, self.alice))
        for at, user in enumerate(more):
            self.mark(GLOBAL, 1, user, "OK" if user == more[0] else "ok", at=NOW + at)
        self.mark(GLOBAL, 1, self.bob, "👍", at=NOW - 1)
        change = self.mark(GLOBAL, 1, self.bob, at=NOW + 99)
        self.assertEqual(change, StoredChange(1, 12, self.alice, NOW + 99, NOW, on=True))
        self.reopen()
        thumbs, first_ten = StoredMark("👍", 1, (self.bob,), False), tuple(more)
        marks = thumbs, StoredMark("OK", 11, first_ten, False)
        expected = StoredMessage(GLOBAL, 1, self.alice, NOW, "hi", 12, None, marks)
        self.assertEqual(self.page(self.carol, GLOBAL).messages, [expected])
        self.assertEqual(self.marks(self.bob, GLOBAL, 1), [("👍", 1, (self.bob,), True), ("OK", 11, first_ten, True)])
        self.assertEqual(self.marks(self.carol, GLOBAL, 1, hidden=more[:9]), [
            ("👍", 1, (self.bob,), False), ("ok", 2, (more[9], self.bob), False)])  # fmt: skip
        self.assertEqual(self.marks(self.carol, GLOBAL, 1, hidden=[*more, self.bob]), [])

    def test_toggle(self) -> None:
        """A mark is put, taken off or toggled. Where nothing changes there is no rev."""
        self.write(message(GLOBAL, self.alice))
        steps = (
            (None, True, True),
            (True, True, False),
            (None, False, True),
            (False, False, False),
            (True, True, True),
        )
        rev = 0
        for on, is_on, is_new in steps:
            rev += is_new
            change = self.mark(GLOBAL, 1, self.bob, on=on)
            expected = StoredChange(1, rev if is_new else 0, self.alice, NOW + 10, NOW, is_on, is_new)
            self.assertEqual(change, expected)
            self.assertEqual(self.marks(self.bob, GLOBAL, 1), [("ok", 1, (self.bob,), True)] if is_on else [])
        self.assertEqual(self.page(self.bob, GLOBAL).rev, 3)

    def test_marks_refused(self) -> None:
        """Nobody marks what is hidden from them. Users and messages have room for a few marks."""
        team = self.team(self.alice)
        self.write(message(team, self.alice), MemberAdded(team, self.bob, self.alice), message(team, self.alice))
        self.refused(self.mark(team, 1, self.bob))
        self.refused(self.mark(team, 2, self.bob, hidden=[self.alice]))
        self.refused(self.mark(team, 2, self.carol))
        for number in range(6):
            self.mark(team, 2, self.alice, f"a{number}")
            self.mark(team, 2, self.bob, f"b{number}")
        self.refused(self.mark(team, 2, self.bob, "a1"), Code.TOO_MANY)
        self.assertEqual(self.mark(team, 2, self.bob, "b1").is_new, False)
        self.write(message(team, self.bob))
        self.mark(team, 2, self.bob, "b0", on=False)
        self.mark(team, 2, self.bob, "a1")
        self.mark(team, 2, self.alice, "a0", on=False)
        self.assertTrue(self.mark(team, 2, self.alice, "c").is_new)
        self.assertEqual(self.mark(team, 3, self.bob, "a1").rev, self.page(self.alice, team).rev)
        self.assertEqual(len(self.marks(self.bob, team, 2)), 11)

    def test_thirteenth(self) -> None:
        """A message has at most twelve different marks, and any number of users put one of them."""
        self.write(message(GLOBAL, self.alice))
        for number in range(12):
            self.mark(GLOBAL, 1, (self.alice, self.bob)[number % 2], f"m{number}")
        self.refused(self.mark(GLOBAL, 1, self.carol, "m12"), Code.TOO_MANY)
        self.assertTrue(self.mark(GLOBAL, 1, self.carol, "m3").is_new)
        self.mark(GLOBAL, 1, self.alice, "m0", on=False)
        self.assertTrue(self.mark(GLOBAL, 1, self.carol, "m12").is_new)

    def test_mark_and_edit(self) -> None:
        """A mark keeps the time of an edit, and an edit keeps the marks."""
        self.write(message(GLOBAL, self.alice))
        self.mark(GLOBAL, 1, self.bob)
        self.edit(GLOBAL, 1, self.alice)
        self.mark(GLOBAL, 1, self.carol)
        (one,) = self.page(self.carol, GLOBAL).messages
        self.assertEqual((one.rev, one.edited_at), (3, NOW + 10))
        self.assertEqual(one.marks, (StoredMark("ok", 2, (self.bob, self.carol), True),))

    def test_in_one_commit(self) -> None:
        """Changes of the same messages in one commit take effect in their order."""

        def mark(seq: int, user: int, name: str = "ok") -> MarkSet:
            return MarkSet(GLOBAL, seq, user, name, name, True, NOW)

        self.write(*(message(GLOBAL, self.alice) for _ in range(4)))
        changes = self.write(
            mark(1, self.bob), amend_edit(GLOBAL, 1, self.alice, "new"), mark(1, self.carol), mark(1, self.bob),
            mark(2, self.bob), MessageDeleted(GLOBAL, 2, self.alice, NOW), message(GLOBAL, self.alice),
            mark(3, self.bob), mark(3, self.bob, "a"), mark(5, self.bob), MessagesDeleted(((GLOBAL, 3),)),
            mark(4, self.carol),
        )  # fmt: skip
        revs = [change.rev for change in changes if isinstance(change, StoredChange)]
        self.assertEqual(revs, [1, 2, 3, 0, 4, 5, 6, 7, 8, 9])
        page = self.page(self.bob, GLOBAL, after_rev=0)
        self.assertEqual([(one.seq, one.rev) for one in page.messages], [(1, 3), (5, 8), (4, 9)])
        self.assertEqual((page.deleted, page.rev), ((2,), 9))
        self.assertEqual(self.marks(self.bob, GLOBAL, 1), [("ok", 2, (self.bob, self.carol), True)])

    # Members

    def test_late(self) -> None:
        """A change names the members that joined after the message, also those that came back."""
        team = self.team(self.alice, self.bob)
        self.write(
            message(team, self.alice),
            MemberRemoved(team, self.bob, self.alice, self.bob),
            MemberAdded(team, self.carol, self.alice),
            message(team, self.alice),
            MemberAdded(team, self.bob, self.alice),
        )
        changes = [self.edit(team, 1, self.alice), self.mark(team, 2, self.alice), self.delete(team, 2, self.alice)]
        self.assertEqual([change.late for change in changes], [{self.bob, self.carol}, {self.bob}, {self.bob}])
        self.write(message(GLOBAL, self.alice), message(self.pair, self.alice))
        self.assertEqual([self.edit(chat, 1, self.alice).late for chat in (GLOBAL, self.pair)], [frozenset()] * 2)

    def test_removed_user(self) -> None:
        """A removed account keeps its messages. The end of each of its marks is a change of the message."""
        team = self.team(self.alice, self.bob)
        self.write(*(message(chat, self.alice) for chat in (GLOBAL, team, self.pair)), message(GLOBAL, self.bob))
        for chat in (GLOBAL, team, self.pair):
            self.mark(chat, 1, self.bob, "a")
            self.mark(chat, 1, self.bob, "b")
        self.mark(GLOBAL, 1, self.carol, "b")
        self.write(UserRemoved(self.bob, "bob#2", "bob#2", NOW, ((team, self.alice),)))
        placed = self.successResultOf(self.store.marks_of([self.carol, self.bob], 99))
        self.assertEqual(len(placed), 7)
        self.assertEqual(self.successResultOf(self.store.marks_of([self.carol, self.bob], 3)), placed[:3])
        self.assertIn(PlacedMark(self.pair, 1, self.bob, "a", "a"), placed)
        placed = self.successResultOf(self.store.marks_of([self.bob], 99))
        (results,) = self.write(MarksRemoved(tuple(placed), NOW + 20))
        self.assertEqual(sorted(result.rev for result in results), [3, 3, 4, 4, 4, 5])
        self.assertEqual({(result.sender, result.on, result.is_new) for result in results}, {(self.alice, False, True)})
        (again,) = self.write(MarksRemoved((*placed, PlacedMark(99, 1, self.bob, "", "")), NOW + 20))
        self.assertEqual([(result.rev, result.is_new) for result in again], [(0, False)] * 7)
        self.assertEqual(self.successResultOf(self.store.marks_of([self.bob], 99)), [])
        self.assertEqual(self.marks(self.alice, GLOBAL, 1), [("b", 1, (self.carol,), False)])
        self.assertEqual([self.page(self.alice, chat).rev for chat in (GLOBAL, team, self.pair)], [5, 4, 4])
        self.assertEqual(self.page(self.alice, team).messages[0][5:8], (4, None, ()))
        self.assertEqual(self.edit(self.pair, 1, self.alice).rev, 5)

    def test_alert(self) -> None:
        """A member chooses when a chat alerts it, also before the first message of a private chat."""
        team = self.team(self.alice, self.bob)
        self.write(
            AlertSet(team, self.bob, "all"), AlertSet(self.pair, self.bob, "none"), AlertSet(999, self.bob, "all")
        )
        self.write(message(self.pair, self.alice))
        self.reopen()
        self.assertEqual(
            {state.chat: state.alert for state in self.chats(self.bob)}, {GLOBAL: None, team: "all", self.pair: "none"}
        )
        self.assertEqual([state.alert for state in self.chats(self.alice, [self.carol])], [None] * 3)


def amend_edit(chat: ChatKey, seq: int, user: int, text: str) -> Any:
    """Return an edit."""
    return MessageEdited(chat, seq, user, text, NOW + 10, 0)


class AmendTests(AmendContract, SQLiteHands, SynchronousTestCase):
    """SQLite does what every store must."""
