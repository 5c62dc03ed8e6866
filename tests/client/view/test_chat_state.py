"""The items of a chat: timed messages and the client's own lines."""

from twisted.trial.unittest import SynchronousTestCase

from irchat.client.view import chat_state
from irchat.client.view.items import Kind, clean
from irchat.protocol import events
from tests.client.view.test_screen_state import ScreenStateCase
from tests.helpers.client_fakes import AT, message


class TimedTests(ScreenStateCase):
    """Timed messages of others."""

    def timed(self, text: str = "psst", left_ms: int = 30_000, **fields: object) -> events.Message:
        """Receive a timed message."""
        return message(text, id="t1", left_ms=left_ms, **fields)

    def test_ends(self) -> None:
        """A timed message ends by the client's clock, read or not."""
        self.load()
        self.view.apply(self.timed(), 0.0)
        self.assertEqual((self.texts(), self.view.unread), (["psst"], 1))
        self.assertEqual(self.view.expire(10.0), 30.0)
        self.view.expire(30.0)
        self.assertEqual((self.texts(), self.view.unread), ([], 0))

    def test_ends_unloaded(self) -> None:
        """In a chat that is not loaded, an expired timed message is no longer unread."""
        self.view.apply(self.timed(), 0.0)
        self.assertEqual(self.view.unread, 1)
        self.view.expire(30.0)
        self.assertEqual(self.view.unread, 0)

    def test_erased(self) -> None:
        """A timed message disappears when the server says so. An unknown one is ignored."""
        self.load()
        self.view.apply(self.timed(), 0.0)
        self.view.apply(events.Erased("GLOBAL", "t1"), 1.0)
        self.view.apply(events.Erased("GLOBAL", "t2"), 1.0)
        self.view.apply(events.Erased("*gone", "t2"), 1.0)
        self.assertEqual((self.texts(), self.view.unread), ([], 0))

    def test_never_longer(self) -> None:
        """A repeated timed message may end earlier, never later."""
        self.load(self.timed())
        self.load(self.timed(left_ms=90_000))
        self.assertEqual(self.view.expire(0.0), 30.0)
        self.load(self.timed(left_ms=10_000))
        self.assertEqual(self.view.expire(0.0), 10.0)

    def test_while_loading(self) -> None:
        """A timed message received while a page was loading does not outlive its end."""
        self.view.chat("GLOBAL").loading = True
        self.view.apply(self.timed(), 0.0)
        self.view.expire(0.0)
        self.load()
        self.assertEqual(self.texts(), [])

    def test_place(self) -> None:
        """A timed message keeps its place among the stored messages, even if older ones are loaded later."""
        self.load(message("early", seq=1, at="2026-11-22T12:00:00.000Z"), self.timed(at=AT), more=True)
        self.view.apply(message("late", seq=2, at="2026-11-22T14:00:00.000Z"), 0.0)
        self.load(message("older", seq=0, at="2026-11-22T11:00:00.000Z"), direction=-1)
        self.assertEqual(self.texts(), ["older", "early", "psst", "late"])


class NoteTests(ScreenStateCase):
    """The client's own lines keep the place where they appeared."""

    def test_in_a_chat_that_is_not_loaded(self) -> None:
        """A note stays after the messages sent before it, even if those are loaded later."""
        self.view.apply(message("one", seq=1, chat="@bob"), 0.0)
        self.view.chat("@bob").add_note("added dave")
        self.view.apply(message("two", seq=2, chat="@bob"), 0.0)
        self.load(message("one", seq=1, chat="@bob"), message("two", seq=2, chat="@bob"), name="@bob")
        self.assertEqual(self.texts("@bob"), ["one", "added dave", "two"])

    def test_complaints(self) -> None:
        """A complaint is an error and a note is not, wherever they are shown."""
        for place in ("GLOBAL", None):
            if place is not None:
                self.view.open_chat(place)
            else:
                self.view.go_home()
            self.view.note("all is well")
            self.view.complain("it failed")
            kinds = [(item.kind, item.text) for item in self.view.here.items]
            self.assertEqual(kinds, [(Kind.NOTE, "all is well"), (Kind.ERROR, "it failed")])

    def test_many(self) -> None:
        """Notes do not grow without bound: the oldest goes, and no message."""
        self.view.apply(message("one", seq=1, chat="@bob"), 0.0)
        self.patch(chat_state, "ITEMS_MAX", 5)
        chat = self.view.chat("@bob")
        self.load(message("one", seq=1, chat="@bob"), name="@bob")
        for number in range(9):
            chat.add_note(f"note {number}")
        self.assertEqual(self.texts("@bob"), ["one", "note 5", "note 6", "note 7", "note 8"])

    def test_before_anything_is_known(self) -> None:
        """A note in an unknown chat comes after the page that is loaded, and before later messages."""
        self.view.chat("*new").add_note("bob added alice")
        self.load(message("old", seq=7, chat="*new"), name="*new")
        self.view.apply(message("next", seq=8, chat="*new"), 0.0)
        self.assertEqual(self.texts("*new"), ["old", "bob added alice", "next"])

    def test_in_an_empty_chat(self) -> None:
        """A note in an empty chat comes before the first message."""
        self.load()
        self.view.chat("GLOBAL").add_note("first")
        self.view.apply(message("one", seq=1), 0.0)
        self.assertEqual(self.texts(), ["first", "one"])

    def test_blocks_keep_notes(self) -> None:
        """A note about a block survives the block."""
        self.view.chat("GLOBAL").add_note("noted")
        self.view.apply(events.Blocks(["bob"]), 0.0)
        self.assertEqual(self.texts(), ["noted"])

    def test_pane_stays(self) -> None:
        """A note does not move a pane that was moved up, and messages below it stay unread."""
        self.load(message("one", seq=1), message("two", seq=2))
        self.view.open_chat("GLOBAL")
        self.view.pane.show((1, 0, 0))
        self.view.apply(events.Bye("the server stops"), 0.0)
        self.assertFalse(self.view.pane.follows)


class CleanTests(SynchronousTestCase):
    """Text without anything that a terminal obeys."""

    def test_direction(self) -> None:
        """Direction marks are removed, right-to-left letters stay."""
        self.assertEqual(clean("a\u200fb\u061c\u200e שלום"), "ab שלום")
        self.assertEqual(clean("plain"), "plain")

    def test_controls(self) -> None:
        """Control and override characters become visible."""
        self.assertEqual(clean("\x1b[2J\u202eé"), "\u241b[2J\ufffdé")
        self.assertEqual(clean("\x1b[2J"), "\u241b[2J")
