"""One chat: what it keeps and what it forgets, and its labels."""

from twisted.trial.unittest import SynchronousTestCase

from irchat.client.view import chat_state
from irchat.client.view.chat_state import ChatState, message_item
from irchat.client.view.items import AFTER_ALL, Kind
from irchat.protocol import events
from tests.helpers.client_fakes import AT, amended, message


class _Case(SynchronousTestCase):
    def setUp(self) -> None:
        """Create a chat with two messages of bob."""
        self.chat = ChatState("*team")
        self.chat.loaded = True
        for seq in 1, 2:
            self.chat.add_message(message(f"m{seq}", seq=seq), "alice", 0.0)

    @property
    def texts(self) -> list[str]:
        """Return the texts of the items."""
        return [item.text for item in self.chat.items]

    def timed(self, timed_id: str = "t1", now: float = 5.0) -> events.Message:
        """Receive a timed message of 30 seconds, which is counted and not added. Return it."""
        timed = message("psst", id=timed_id, left_ms=30_000)
        self.chat.count_unread(timed, now)
        return timed


class LabelTests(_Case):
    """What is shown of a chat."""

    def test_kinds(self) -> None:
        """A chat is for everyone, of a group, or between two users."""
        kinds = [(chat.is_group, chat.is_private) for chat in map(ChatState, ("GLOBAL", "*team", "@bob"))]
        self.assertEqual(kinds, [(False, False), (True, False), (False, True)])

    def test_unread(self) -> None:
        """The label has the number of unread messages, and that of mentions, where they are not 0."""
        for unread, mentions, label in ((0, 0, ""), (5, 0, "5"), (1_234, 2, "1,234 @2"), (0, 1_000, "@1,000")):
            self.chat.unread, self.chat.mentions = unread, mentions
            self.assertEqual(self.chat.unread_label, label)

    def test_listed(self) -> None:
        """GLOBAL, a chat with an id, and one with messages are listed by all clients."""
        chats = [ChatState(name) for name in ("GLOBAL", "*a", "*b", "*c")]
        chats[1].id, chats[2].last_at = "*1", AT
        self.assertEqual([chat.is_listed for chat in chats], [True, True, True, False])

    def test_item(self) -> None:
        """An item has the state of its message, as the user sees it."""
        mark = events.Mark("ok", 1, ["bob"], False)
        changed = message("hi\x1b @alice", seq=3, rev=7, edited=AT, marks=[mark], to=["Alice"])
        item = message_item(changed, "alice", (3, 0, 0))
        self.assertEqual((item.text, item.sender, item.at, item.chat), ("hi\u241b @alice", "bob", AT, "GLOBAL"))
        self.assertEqual((item.rev, item.edited, item.marks, item.calls, item.own), (7, AT, [mark], True, False))
        plain = message_item(message("hi", seq=4), "bob", (4, 0, 0))
        self.assertEqual((plain.rev, plain.edited, plain.marks, plain.calls, plain.own), (0, None, [], False, True))


class ChangedTests(_Case):
    """Changes, quotes, and typed lines."""

    def test_pins(self) -> None:
        """A mark changes the pins, also of a message that is not loaded, and the last known change."""
        self.chat.pins.load(events.Found([], False), "alice")
        self.chat.amend(amended(seq=77, rev=4, mark="pin", on=True), "alice")
        self.assertEqual((str(self.chat.pins), self.chat.last_rev), ("pin 1", 4))
        self.chat.amend(amended(seq=1, rev=3, mark="ok", on=True), "alice")
        self.assertEqual(self.chat.last_rev, 4)

    def test_deleted(self) -> None:
        """A deleted message goes, and neither a page nor an answer brings it back."""
        self.chat.quote(message("m1", seq=1), "alice")
        self.chat.amend(amended(seq=1, rev=1, deleted=True), "alice")
        self.assertEqual((self.texts, self.chat.was_deleted(1), self.chat.quotes), (["m2"], True, {1: None}))
        self.chat.add_message(message("m1", seq=1), "alice", 0.0)
        self.chat.quote(message("m1", seq=1), "alice")
        self.chat.quote(message("psst", id="t1"), "alice")
        self.assertEqual((self.texts, self.chat.quotes), (["m2"], {1: None}))

    def test_quotes(self) -> None:
        """A bounded number of answered messages is kept."""
        self.patch(chat_state, "_QUOTES_KEPT", 2)
        for seq, kept in ((7, [7]), (8, [7, 8]), (9, [9])):
            self.chat.quote(message("hi", seq=seq), "alice")
            self.assertEqual(list(self.chat.quotes), kept)

    def test_typed(self) -> None:
        """The typed lines of the last own messages are kept, all lines of each."""
        self.patch(chat_state, "_TYPED_KEPT", 2)
        for seq, line in ((7, "one"), (7, "#7 new"), (8, "two")):
            self.chat.keep_typed(seq, line)
        self.assertEqual(self.chat.typed, {7: {"one", "#7 new"}, 8: {"two"}})
        self.chat.keep_typed(9, "three")
        self.assertEqual(self.chat.typed, {8: {"two"}, 9: {"three"}})


class NoteTests(_Case):
    """The client's own lines."""

    def test_places(self) -> None:
        """A note comes after a given message, or after the last one, loaded or not. Notes keep their order."""
        empty = ChatState("*new")
        first, second = empty.add_note("first"), empty.add_note("second", error=True)
        self.assertEqual((first.kind, second.kind, first.key[0]), (Kind.NOTE, Kind.ERROR, AFTER_ALL))
        empty.place_notes(7)
        self.assertEqual((first.key[0], first.key[1:] < second.key[1:]), (7, True))
        self.assertEqual([len(item.key) for item in empty.items], [3, 3])
        self.assertEqual(self.chat.add_note("end").key[0], 2)
        self.chat.last_seq = 9
        self.assertEqual(self.chat.add_note("end").key[0], 9)
        self.assertEqual(self.chat.add_note("between", after=1).key[0], 1)
        self.assertEqual(self.texts, ["m1", "between", "m2", "end", "end"])

    def test_forgotten_twice(self) -> None:
        """Forgetting the last item again forgets no other."""
        note = self.chat.add_note("note")
        self.chat.forget([note])
        self.chat.forget([note])
        self.assertEqual(self.texts, ["m1", "m2"])

    def test_read_past_notes(self) -> None:
        """Notes between messages do not count when a part is read."""
        self.chat.add_note("note", after=1)
        self.chat.unread = 2
        self.assertEqual((self.chat.read_part(2), self.chat.unread), (True, 0))

    def test_first_unread(self) -> None:
        """The first unread message is a stored one of another user, not a note or an own one."""
        self.chat.line = 1
        self.chat.add_note("note", after=1)
        self.chat.delete(2)
        self.chat.add_message(message("mine", seq=3, sender="alice"), "alice", 0.0)
        self.assertIsNone(self.chat.first_unread)
        self.chat.add_message(message("m4", seq=4), "alice", 0.0)
        first = self.chat.first_unread
        assert first is not None
        self.assertEqual(first.seq, 4)


class ForgottenTests(_Case):
    """Unloading and resetting."""

    def test_unload(self) -> None:
        """Only messages being sent stay, and on demand the client's own lines. All else can be loaded again."""
        for keep_notes in (True, False):
            self.chat.add_message(message("psst", id="t1", left_ms=9_000), "alice", 0.0)
            self.chat.quote(message("m1", seq=7), "alice")
            self.chat.add_note("note")
            self.chat.add_note("error", error=True)
            self.chat.add_pending("mine", "alice", "n", None)
            self.chat.older = self.chat.newer = self.chat.stale = True
            self.chat.unload(keep_notes=keep_notes)
            self.assertEqual(self.texts, ["note", "error", "mine"] if keep_notes else ["mine"] * 2)
            self.assertEqual((self.chat.quotes, self.chat.timed("t1"), self.chat.has(1)), ({}, None, False))
            states = self.chat.loaded, self.chat.older, self.chat.newer, self.chat.stale, self.chat.rev
            self.assertEqual(states, (False, False, False, False, None))
        self.chat.add_message(message("psst", id="t1", left_ms=9_000), "alice", 0.0)
        self.assertIn("psst", self.texts)

    def test_reset(self) -> None:
        """After a reset, a chat knows no more than a new one. A draft and messages being sent stay."""
        chat = self.chat
        chat.id, chat.last_at, chat.line, chat.marked = "*1", AT, 1, 2
        chat.unread = chat.last_seq = chat.read_seq = chat.mentions = 3
        chat.stale = chat.loading = chat.has_draft = True
        chat.early.append(message("early", seq=9))
        chat.amend(amended(seq=1, rev=3, deleted=True), "alice")
        chat.keep_typed(2, "m2")
        chat.roster.load(events.Group("*team", "*1", "bob", ["bob"]))
        chat.pins.load(events.Found([], False), "alice")
        self.timed()
        chat.add_pending("mine", "alice", "n", None)
        chat.reset()
        self.assertEqual(
            (chat.has_draft, self.texts, chat.was_deleted(1), chat.expire(0.0)), (True, ["mine"], False, [])
        )
        self.assertFalse(chat.roster.is_known or chat.pins.is_known)
        new = ChatState("*team")
        for name in (
            "id", "last_at", "line", "marked", "unread", "last_seq", "read_seq", "mentions", "last_rev", "rev",
            "stale", "loading", "loaded", "early", "early_changes", "typed", "quotes",
        ):  # fmt: skip
            self.assertEqual(getattr(chat, name), getattr(new, name), name)


class TimedTests(_Case):
    """Unread timed messages that are not loaded."""

    def test_ends(self) -> None:
        """It counts as unread until its end by the client's clock."""
        self.timed(now=5.0)
        for now, unread, ends in ((34.9, 1, [35.0]), (35.0, 0, []), (40.0, 0, [])):
            self.assertEqual((self.chat.expire(now), self.chat.unread), (ends, unread))

    def test_read(self) -> None:
        """The end of one that was read counts nothing down."""
        self.timed()
        self.chat.all_read()
        self.chat.count_unread(message("m3", seq=3), 6.0)
        self.chat.expire(99.0)
        self.chat.erase("t1")
        self.assertEqual(self.chat.unread, 1)

    def test_read_in_part_elsewhere(self) -> None:
        """It stays unread when another session reads stored messages."""
        self.chat.last_seq = 2
        self.timed()
        self.assertTrue(self.chat.read_to(1))
        self.assertEqual(self.chat.unread, 2)

    def test_place(self) -> None:
        """It comes after the last stored message that was sent before it, and before later ones."""
        self.chat.add_message(message("late", seq=3, at="2026-11-22T14:00:00.000Z"), "alice", 0.0)
        self.chat.add_message(self.timed(), "alice", 5.0)
        self.chat.add_message(message("early", id="t2", left_ms=9_000, at="2026-11-21T00:00:00.000Z"), "alice", 5.0)
        self.assertEqual(self.texts, ["early", "m1", "m2", "psst", "late"])

    def test_received_again(self) -> None:
        """A second one with the same id is neither counted nor added again."""
        for _ in range(2):
            self.chat.add_message(self.timed(), "alice", 5.0)
        self.assertEqual((self.texts, self.chat.unread), (["m1", "m2", "psst"], 1))
