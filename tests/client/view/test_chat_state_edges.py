"""One chat: the order of its items, its unread count, and what it keeps."""

from twisted.trial.unittest import SynchronousTestCase

from irchat.client.view import screen_state
from irchat.client.view.chat_state import KEPT_ITEMS, ChatState
from irchat.client.view.screen_state import ScreenState
from irchat.protocol import events
from tests.helpers.client_fakes import AT, message, sent, welcome


class _Case(SynchronousTestCase):
    def setUp(self) -> None:
        """Sign in as alice, with GLOBAL."""
        self.view = ScreenState("host:7667")
        self.view.welcome(welcome())
        self.view.list_chats(events.Chats([events.Chat("GLOBAL", "g", 0, 0, 0, None)]))
        self.view.go_home()
        self.chat = self.view.chat("GLOBAL")

    @property
    def texts(self) -> list[str]:
        """Return the texts of the items of GLOBAL."""
        return [item.text for item in self.chat.items]

    def load(self, *messages: events.Message, more: bool = False, direction: int = 0) -> None:
        """Load a page of GLOBAL."""
        self.view.page(events.History("GLOBAL", list(messages), more), 0.0, direction=direction)

    def tell(self, text: str, **fields: object) -> None:
        """Receive a message in GLOBAL."""
        self.view.apply(message(text, **fields), 0.0)


class ReadPartTests(_Case):
    """A chat of which a part is read in another session."""

    def test_counts(self) -> None:
        """Unread messages and mentions are counted down as far as they are loaded, to none at last."""
        self.load(*(message(f"m{seq}", seq=seq) for seq in (1, 2, 3)))
        self.chat.unread = 3
        for seq, expected in (2, (True, 1)), (1, (False, 1)), (3, (True, 0)), (3, (False, 0)):
            self.assertEqual((self.chat.read_part(seq), self.chat.unread), expected)


class PendingTests(_Case):
    """Messages that are being sent."""

    def test_stays_last(self) -> None:
        """A message that is being sent stays after all others when the notes before it get their place."""
        self.chat.add_note("note")
        self.chat.add_pending("mine", "alice", "n", None)
        self.chat.place_notes(1)
        self.load(message("two", seq=2))
        self.assertEqual(self.texts, ["note", "two", "mine"])


class ReadElsewhereTests(_Case):
    """A chat that is read in another session."""

    def test_only_a_part_is_loaded(self) -> None:
        """While newer messages are not loaded, only the server knows how many remain unread."""
        self.load(*(message(f"m{seq}", seq=seq) for seq in (1, 2)), more=True, direction=1)
        self.chat.last_seq, self.chat.unread = 9, 9
        self.assertEqual((self.chat.read_to(2), self.chat.unread), (False, 9))
        self.load(message("m9", seq=9), direction=1)
        self.assertEqual((self.chat.read_to(2), self.chat.unread), (True, 1))


class KeptTests(_Case):
    """The limits of a chat."""

    def test_unloaded(self) -> None:
        """Unloading a chat removes the client's own lines too, unless they are to stay."""
        for keep_notes, expected in (True, ["note", "mine"]), (False, ["mine"]):
            self.load(message("one", seq=1))
            if keep_notes:
                self.chat.add_note("note", after=1)
                self.chat.add_pending("mine", "alice", "n", None)
                self.chat.unload(keep_notes=True)
            else:
                self.chat.unload()
            self.assertEqual(self.texts, expected)

    def test_as_many_as_are_kept(self) -> None:
        """A chat at the limit keeps all of its items, and one more drops the oldest."""
        self.load()
        for seq in range(1, KEPT_ITEMS + 1):
            self.tell("x", seq=seq)
        self.assertEqual((len(self.chat.items), self.chat.older), (KEPT_ITEMS, False))
        self.chat.add_pending("mine", "alice", "n1", None)
        self.chat.trim()
        self.assertEqual((self.chat.first_seq, self.chat.older, self.chat.is_pending("n1")), (2, True, True))

    def test_pages(self) -> None:
        """A page says whether there is more at its own end only. The end of a chat has no more."""
        self.load(message("three", seq=3), more=True, direction=-1)
        self.assertEqual((self.chat.older, self.chat.newer), (True, False))
        self.load(message("two", seq=2), direction=-1)
        self.load(message("four", seq=4), more=True, direction=1)
        self.assertEqual((self.chat.older, self.chat.newer), (False, True))
        self.load(message("nine", seq=9), more=True)
        self.assertEqual((self.chat.older, self.chat.newer), (True, False))

    def test_what_came_early(self) -> None:
        """Messages received while an older page was loaded wait until the end of the chat is loaded."""
        self.load(message("one", seq=1), more=True, direction=1)
        self.chat.loading = True
        self.tell("three", seq=3)
        self.load(message("zero", seq=0), direction=-1)
        self.assertEqual(self.texts, ["zero", "one"])
        self.load(message("two", seq=2), direction=1)
        self.assertEqual((self.texts, self.chat.early), (["zero", "one", "two", "three"], []))

    def test_erased_early(self) -> None:
        """Of the timed messages received while a page was loaded, an erased one disappears and the others stay."""
        self.chat.loading = True
        for timed_id in "ab":
            self.tell(timed_id, id=timed_id, left_ms=30_000)
        self.view.apply(events.Erased("GLOBAL", "a"), 0.0)
        self.load()
        self.assertEqual((self.texts, self.chat.unread), (["b"], 1))

    def test_welcome_again(self) -> None:
        """After a reconnect only loaded chats are stale, and nothing waits for a page that does not arrive."""
        self.load(message("one", seq=1))
        other = self.view.chat("@bob")
        for chat in self.chat, other:
            chat.loading, chat.unread = True, 5
            chat.early.append(message("early", seq=9))
        self.view.welcome(welcome())
        self.assertEqual([(chat.stale, chat.loading, chat.early, chat.unread) for chat in (self.chat, other)],
                         [(True, False, [], 0), (False, False, [], 0)])  # fmt: skip


class PlaceTests(_Case):
    """The order of items."""

    def test_same_moment(self) -> None:
        """A timed message comes after a stored one of the same moment."""
        self.load(message("one", seq=1, at=AT), message("timed", id="t1", left_ms=30_000, at=AT))
        self.assertEqual(self.texts, ["one", "timed"])

    def test_note_before_ones_own(self) -> None:
        """A note in an empty chat comes before the user's next message."""
        self.load()
        self.chat.add_note("noted")
        self.chat.add_pending("mine", "alice", "n1", None)
        self.view.sent(self.chat, "n1", sent(seq=1), 0.0)
        self.tell("two", seq=2)
        self.assertEqual(self.texts, ["noted", "mine", "two"])

    def test_note_before_a_timed_message(self) -> None:
        """A note in an empty chat comes before the next timed message, and both before stored ones."""
        self.load()
        self.chat.add_note("noted")
        self.tell("timed", id="t1", left_ms=30_000)
        self.tell("one", seq=1)
        self.assertEqual(self.texts, ["noted", "timed", "one"])

    def test_note_in_a_list(self) -> None:
        """When the list of chats contains the last seq, a note comes after it."""
        other = self.view.chat("*team")
        other.add_note("noted")
        self.view.list_chats(events.Chats([events.Chat("*team", "t", 0, 4, 0, None)]))
        self.assertEqual([item.key[0] for item in other.items], [4])


class CountTests(_Case):
    """Unread messages."""

    def test_timed_twice(self) -> None:
        """A timed message received twice counts once, loaded or not."""
        for times in 1, 2:
            self.tell("psst", id="t1", left_ms=30_000)
            self.assertEqual((times, self.chat.unread), (times, 1))
        self.load()
        self.chat.all_read()
        self.tell("psst", id="t2", left_ms=30_000)
        self.chat.all_read()
        self.tell("psst", id="t2", left_ms=30_000)
        self.assertEqual(self.chat.unread, 0)

    def test_read_in_part(self) -> None:
        """Messages read by another session are counted if all later ones are loaded, otherwise not."""
        stored = [message(f"m{seq}", seq=seq) for seq in (5, 6, 7, 8)]
        cases = ((True, 3, False, 9), (True, 4, True, 4), (False, 3, True, 4), (True, 6, True, 2))
        for more, seq, known, unread in cases:
            self.chat.reset()
            self.load(*stored, message("mine", seq=9, sender="alice"), more=more)
            self.chat.unread = 9
            self.assertEqual((self.chat.read_to(seq), self.chat.unread), (known, unread), (more, seq))

    def test_read_in_part_where_something_is_missing(self) -> None:
        """The count is unknown while the chat's end is missing or loading, or timed messages may have been read."""
        self.load(message("one", seq=1), message("two", seq=2))
        self.tell("mine", id="t1", left_ms=30_000, sender="alice")
        self.assertTrue(self.chat.read_to(1))
        for name in "loading", "newer":
            setattr(self.chat, name, True)
            self.assertFalse(self.chat.read_to(1))
            setattr(self.chat, name, False)
        self.tell("psst", id="t2", left_ms=30_000)
        self.assertFalse(self.chat.read_to(1))

    def test_read_never_moves_back(self) -> None:
        """Neither a late marker nor an older list of chats moves the marker back."""
        self.load(message("one", seq=1), message("two", seq=2), message("three", seq=3))
        self.chat.read_to(2)
        self.chat.read_to(1)
        self.assertEqual((self.chat.read_seq, self.chat.unread), (2, 1))
        self.chat.last_at = AT
        self.view.list_chats(events.Chats([events.Chat("GLOBAL", "g", 1, 2, 1, "2026-11-22T12:00:00.000Z")]))
        self.assertEqual((self.chat.last_seq, self.chat.read_seq, self.chat.last_at), (3, 2, AT))


class ListTests(_Case):
    """The list of chats."""

    def test_list_that_may_be_cut(self) -> None:
        """A group missing from the list was left, unless the list has the maximum length."""
        self.patch(screen_state, "CHATS_MAX", 2)
        self.view.chats.of_id("*team", "t")
        listed = [events.Chat(name, "id", 0, 0, 0, None) for name in ("@bob", "@carol")]
        self.view.list_chats(events.Chats(listed))
        self.assertIn("*team", self.view.chats)
        self.view.list_chats(events.Chats(listed[:1]))
        self.assertEqual(list(self.view.chats), ["GLOBAL", "@bob", "@carol"])

    def test_people_online(self) -> None:
        """The server's count of users includes names that it does not list, and is never lower than the list."""
        self.view.online_count = 100
        self.view.apply(events.Presence(["bob", "carol"], ["dave"]), 0.0)
        self.assertEqual(self.view.online_count, 101)
        self.view.online_count = 1
        self.view.apply(events.Presence([], ["bob"]), 0.0)
        self.assertEqual((list(self.view.online), self.view.online_count), (["alice", "carol"], 2))


class NeverWasTests(SynchronousTestCase):
    """`ChatState.is_missing`."""

    def test_missing(self) -> None:
        """A chat never was if it is gone, has no id and no messages, and nothing is typed for it."""

        def chat(gone: str = "There is no @x.", chat_id: str = "", *, draft: bool = False, said: bool = False) -> bool:
            chat = ChatState("@x")
            chat.id = chat_id
            chat.gone, chat.has_draft = gone, draft
            if said:
                chat.add_message(message("hi", seq=1), "alice", 0.0)
            return chat.is_missing

        self.assertEqual([chat(), chat(""), chat(chat_id="id"), chat(draft=True), chat(said=True)],
                         [True, False, False, False, False])  # fmt: skip
