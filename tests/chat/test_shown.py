"""Stored messages as one reader sees them."""

from twisted.trial.unittest import SynchronousTestCase

from irchat.chat.shown import message_event, present_states
from irchat.chat.state.directory import Directory
from irchat.interfaces.stored import GLOBAL, Page, Snapshot, StoredMark, StoredMessage, StoredUser
from irchat.protocol import events, wire

_AT = "1970-01-01T00:00:01.000Z"


class ShownTests(SynchronousTestCase):
    """`message_event` and `present_states`."""

    def setUp(self) -> None:
        """Three users, of whom bob and carol do not see each other."""
        users = [StoredUser(number, name, name) for number, name in enumerate(("alice", "bob", "carol"), 1)]
        self.directory = Directory(Snapshot(users, [], [(2, 3)]))
        self.alice, self.bob = self.directory.user("alice"), self.directory.user("bob")
        self.chat = self.directory.chat(self.alice, "GLOBAL")

    def test_unchanged(self) -> None:
        """A message that was never changed has no further fields."""
        event = message_event(self.directory, self.alice, "GLOBAL", StoredMessage(GLOBAL, 1, 2, 1_000, "hi"))
        self.assertEqual(event, events.Message("GLOBAL", "bob", _AT, "hi", 1))
        stored = StoredMessage(GLOBAL, 1, 2, 1_000, "hi", notice=True)
        notice = message_event(self.directory, self.alice, "GLOBAL", stored)
        self.assertEqual((type(notice), wire.encode(notice)), (events.Notice, wire.encode(event)))

    def test_changed(self) -> None:
        """A changed one has its rev, its last edit, its marks and mentions, without the names of hidden users."""
        marks = (StoredMark("ok", 2, (1, 3), True),)
        stored = StoredMessage(GLOBAL, 1, 2, 1_000, "hi", 7, 1_000, marks, (1, 3))
        event = message_event(self.directory, self.alice, "GLOBAL", stored)
        self.assertEqual((event.rev, event.edited, event.to), (7, _AT, ["alice", "carol"]))
        self.assertEqual(event.marks, [events.Mark("ok", 2, ["alice", "carol"], True)])
        event = message_event(self.directory, self.bob, "GLOBAL", stored)
        self.assertEqual((event.to, event.marks), (["alice"], [events.Mark("ok", 2, ["alice"], True)]))
        event = message_event(self.directory, self.alice, "GLOBAL", stored._replace(to=()))
        self.assertEqual((event.rev, event.edited, event.to, len(event.marks or ())), (7, _AT, None, 1))
        event = message_event(self.directory, self.alice, "GLOBAL", stored._replace(marks=(), rev=0, edited_at=None))
        self.assertEqual((event.rev, event.edited, event.marks), (None, None, None))

    def test_present_states(self) -> None:
        """Changed and deleted messages come in the order of their revs, without those of hidden senders."""
        messages = [
            StoredMessage(GLOBAL, 5, 1, 0, "edited", 2, 1_000),
            StoredMessage(GLOBAL, 3, 1, 1_000, "marked", 4, None, (StoredMark("ok", 1, (1,), False),)),
            StoredMessage(GLOBAL, 2, 3, 0, "hidden", 5),
        ]
        page = Page(messages, False, 9, 0, 6, (4,), (3,))
        edited, deleted, marked = present_states(self.directory, self.bob, self.chat, page, 1_000)
        self.assertEqual(edited, (events.Amended("GLOBAL", 5, 2, "", _AT, text="edited", edited=_AT, marks=[]), 1))
        self.assertEqual(deleted, (events.Amended("GLOBAL", 4, 3, "", _AT, deleted=True), None))
        mark = events.Mark("ok", 1, ["alice"], False)
        self.assertEqual(marked, (events.Amended("GLOBAL", 3, 4, "", _AT, text="marked", marks=[mark]), 1))
