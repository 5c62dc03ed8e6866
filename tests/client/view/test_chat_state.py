"""One chat's items: timed messages and the client's own lines."""

from twisted.trial.unittest import SynchronousTestCase

from irchat.client.view.chat_state import clean
from irchat.client.view.items import Kind
from irchat.protocol import events
from tests.client.view.test_screen_state import ScreenStateCase
from tests.helpers.client_fakes import AT, message


class TimedTests(ScreenStateCase):
    """Timed messages of others."""

    def timed(self, text: str = "psst", left_ms: int = 30_000, **fields: object) -> events.Message:
        """A timed message."""
        return message(text, id="t1", left_ms=left_ms, **fields)

    def test_ends(self) -> None:
        """It ends by the client's clock, unread or not."""
        self.load()
        self.view.apply(self.timed(), 0.0)
        self.assertEqual((self.texts(), self.view.unread), (["psst"], 1))
        self.assertEqual(self.view.expire(10.0), 30.0)
        self.view.expire(30.0)
        self.assertEqual((self.texts(), self.view.unread), ([], 0))

    def test_ends_unloaded(self) -> None:
        """One in a chat that is not loaded is unread no more when it ended."""
        self.view.apply(self.timed(), 0.0)
        self.assertEqual(self.view.unread, 1)
        self.view.expire(30.0)
        self.assertEqual(self.view.unread, 0)

    def test_erased(self) -> None:
        """It goes when the server says so, and one that is not known is nothing."""
        self.load()
        self.view.apply(self.timed(), 0.0)
        self.view.apply(events.Erased("GLOBAL", "t1"), 1.0)
        self.view.apply(events.Erased("GLOBAL", "t2"), 1.0)
        self.view.apply(events.Erased("*gone", "t2"), 1.0)
        self.assertEqual((self.texts(), self.view.unread), ([], 0))

    def test_never_longer(self) -> None:
        """Told of again, it may end earlier and never later."""
        self.load(self.timed())
        self.load(self.timed(left_ms=90_000))
        self.assertEqual(self.view.expire(0.0), 30.0)
        self.load(self.timed(left_ms=10_000))
        self.assertEqual(self.view.expire(0.0), 10.0)

    def test_while_loading(self) -> None:
        """One that came while a page was on its way does not outlive its end either."""
        self.view.chat("GLOBAL").loading = True
        self.view.apply(self.timed(), 0.0)
        self.view.expire(0.0)
        self.load()
        self.assertEqual(self.texts(), [])

    def test_place(self) -> None:
        """It stands among the stored messages where it was said, also when older ones are loaded later."""
        self.load(message("early", seq=1, at="2026-11-22T12:00:00.000Z"), self.timed(at=AT), more=True)
        self.view.apply(message("late", seq=2, at="2026-11-22T14:00:00.000Z"), 0.0)
        self.load(message("older", seq=0, at="2026-11-22T11:00:00.000Z"), direction=-1)
        self.assertEqual(self.texts(), ["older", "early", "psst", "late"])


class NoteTests(ScreenStateCase):
    """The client's own lines stand where they came."""

    def test_in_a_chat_that_is_not_loaded(self) -> None:
        """A note stands after what was said before it, also where that is loaded later."""
        self.view.apply(message("one", seq=1, chat="@bob"), 0.0)
        self.view.chat("@bob").add_note("added dave")
        self.view.apply(message("two", seq=2, chat="@bob"), 0.0)
        self.load(message("one", seq=1, chat="@bob"), message("two", seq=2, chat="@bob"), name="@bob")
        self.assertEqual(self.texts("@bob"), ["one", "added dave", "two"])

    def test_complaints(self) -> None:
        """A complaint is an error and a note is none, wherever they are shown."""
        for place in ("GLOBAL", None):
            if place is not None:
                self.view.open_chat(place)
            else:
                self.view.go_home()
            self.view.note("all is well")
            self.view.complain("it failed")
            kinds = [(item.kind, item.text) for item in self.view.here.items]
            self.assertEqual(kinds, [(Kind.NOTE, "all is well"), (Kind.ERROR, "it failed")])

    def test_before_anything_is_known(self) -> None:
        """A note in a chat of which nothing is known stands after the page that comes, and before what is said then."""
        self.view.chat("*new").add_note("bob added alice")
        self.load(message("old", seq=7, chat="*new"), name="*new")
        self.view.apply(message("next", seq=8, chat="*new"), 0.0)
        self.assertEqual(self.texts("*new"), ["old", "bob added alice", "next"])

    def test_in_an_empty_chat(self) -> None:
        """A note in an empty chat stands before the first message."""
        self.load()
        self.view.chat("GLOBAL").add_note("first")
        self.view.apply(message("one", seq=1), 0.0)
        self.assertEqual(self.texts(), ["first", "one"])

    def test_blocks_keep_notes(self) -> None:
        """What was said of a block is not forgotten by the block."""
        self.view.chat("GLOBAL").add_note("noted")
        self.view.apply(events.Blocks(["bob"]), 0.0)
        self.assertEqual(self.texts(), ["noted"])

    def test_pane_stays(self) -> None:
        """A note does not move a pane that was moved up, and what is below it is not read."""
        self.load(message("one", seq=1), message("two", seq=2))
        self.view.open_chat("GLOBAL")
        self.view.pane.show((1, 0, 0))
        self.view.apply(events.Bye("the server stops"), 0.0)
        self.assertFalse(self.view.pane.follows)


class CleanTests(SynchronousTestCase):
    """Text without anything that a terminal obeys."""

    def test_direction(self) -> None:
        """Marks of direction are removed, right-to-left letters stay."""
        self.assertEqual(clean("a\u200fb\u061c\u200e שלום"), "ab שלום")
        self.assertEqual(clean("plain"), "plain")

    def test_controls(self) -> None:
        """Controls and overrides become visible."""
        self.assertEqual(clean("\x1b[2J\u202eé"), "\u241b[2J\ufffdé")
        self.assertEqual(clean("\x1b[2J"), "\u241b[2J")
