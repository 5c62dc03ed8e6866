"""Messages shown above their answers and in the status line, and what deletions do to the pane."""

import re
from datetime import UTC

from irchat.client.view.panels import Painter
from irchat.client.view.rows import Row
from irchat.protocol import events
from tests.client.view.test_screen_state import ScreenStateCase
from tests.helpers.client_fakes import amended, message


def _text(row: Row) -> str:
    return "".join(text for _, text in row.pieces)


class WaitingTests(ScreenStateCase):
    """Where something waits."""

    def setUp(self) -> None:
        """Create unread messages: two in a group, one of which mentions alice, one private, one in a muted group."""
        super().setUp()
        self.view.link = ""
        self.painter = Painter(self.view, UTC)
        self.view.apply(message("hi", chat="*team", seq=1), 0.0)
        self.view.apply(message("hi @alice", chat="*team", seq=2, to=["alice"]), 0.0)
        self.view.apply(message("hi", chat="@bob", seq=1, at="2026-11-23T00:00:00.000Z"), 0.0)
        self.view.apply(message("hi", chat="*noise", seq=1), 0.0)
        self.view.apply(events.Alert("*noise", "none"), 0.0)

    def styles(self, rows: list[Row], text: str) -> set[str]:
        """Return the styles of the pieces with a text."""
        return {style for row in rows for style, piece in row.pieces if text in piece}

    def test_status(self) -> None:
        """The status line names the chats with their counts, the latest first, in 80 columns."""
        (row,) = self.painter.status(80, 3, "", "")
        self.assertIn("3 unread: @bob 1, *team 2 @1  ", _text(row))
        self.assertIn("alice", _text(row))
        for name in "abcd":
            self.view.apply(message("hi", chat=f"*{name * 32}", seq=1), 0.0)
        (row,) = self.painter.status(80, 3, "", "")
        self.assertTrue(_text(row).startswith(" 7 unread: @bob 1, "))
        self.assertIn("and 2 more", _text(self.painter.status(200, 3, "", "")[0]))
        self.view.open_chat("@bob")
        self.assertNotIn("@bob", _text(self.painter.status(200, 3, "", "")[0]))

    def test_muted(self) -> None:
        """A muted chat is dim in the lists, comes last, and is in no total."""
        self.assertEqual(self.view.unread, 3)
        side = self.painter.sidebar(30, 10)
        self.assertEqual(self.styles(side, "*noise"), {"class:muted"})
        self.assertTrue(any(re.search(r"\*team +2 @1 *$", _text(row)) for row in side))
        home = self.painter.pane(60, 10, 0.0)
        self.assertEqual(self.styles(home, "*noise"), {"class:muted"})
        self.assertEqual([chat.name for chat in self.view.listed()], ["@bob", "*team", "*noise"])
        self.assertNotEqual(self.view.next_chat(1), "*noise")

    def test_latest(self) -> None:
        """Where nothing is unread, the home screen lists the latest chats."""
        for name in "@bob", "*team", "*noise":
            self.view.chat(name).all_read()
        self.view.go_home()
        self.assertEqual(self.view.listed()[0].name, "@bob")
        rows = [_text(row).strip() for row in self.painter.pane(60, 10, 0.0)]
        self.assertEqual(rows[:2], ["Nothing unread. The latest chats:", "▸ @bob"])

    def test_mention(self) -> None:
        """A message that mentions the user has a bar of its own, and the name is marked in it."""
        self.load(message("hi @Alice, you", chat="*team", seq=2, to=["alice"]), name="*team")
        self.view.open_chat("*team")
        rows = self.painter.pane(60, 3, 0.0)
        self.assertEqual(self.styles(rows, "@Alice"), {"class:mention"})
        self.assertEqual(self.styles(rows, "┃"), {"class:mention"})
        self.assertIn("hi @Alice, you", _text(rows[-1]))


class QuoteTests(ScreenStateCase):
    """Quotes in the pane, and in the status line while a reference is typed."""

    def setUp(self) -> None:
        """Open GLOBAL with a question, its answer, and an answer to a message that is not loaded."""
        super().setUp()
        self.view.link = ""
        self.painter = Painter(self.view, UTC)
        self.load(message("lunch?", seq=17), message("#17 yes", seq=18), message("#3 no", seq=19))
        self.chat = self.view.open_chat("GLOBAL")

    def pane(self, height: int = 8) -> str:
        """Return the pane as text."""
        return "\n".join(_text(row).rstrip() for row in self.painter.pane(60, height, 0.0))

    def status(self, line: str) -> str:
        """Return the status line while a line is typed."""
        return " ".join(_text(row).strip() for row in self.painter.status(100, 3, line, ""))

    def test_loaded(self) -> None:
        """The answer shows the message as it is now, and nothing if that is deleted. Nothing is requested for it."""
        self.assertIn("┌ bob: lunch?", self.pane())
        self.view.amend(amended(seq=17, rev=1, text="dinner?", edited="e"))
        self.assertIn("┌ bob: dinner?", self.pane())
        self.view.wanted.clear()
        self.view.amend(amended(seq=17, rev=2, deleted=True))
        self.assertNotIn("┌", self.pane())
        self.assertEqual(self.view.wanted, {self.chat: 3})

    def test_not_loaded(self) -> None:
        """A message that is not loaded is wanted once, and then shown, or known not to be there."""
        self.pane()
        self.assertEqual(self.view.wanted, {self.chat: 3})
        self.view.wanted.clear()
        self.view.page_of_quotes(self.chat, 3, events.History("GLOBAL", [message("tea?", seq=3)], False))
        self.assertIn("┌ bob: tea?", self.pane())
        self.view.amend(amended(seq=3, rev=1, text="coffee?", edited="e"))
        self.assertIn("┌ bob: coffee?", self.pane())
        self.view.amend(amended(seq=3, rev=2, deleted=True))
        self.assertNotIn("coffee", self.pane())
        self.assertIn("#3 was deleted", self.status("#3 yes"))
        self.view.page_of_quotes(self.chat, 4, None)
        self.assertIn("#4 cannot be seen here", self.status("#4+ok"))
        self.assertEqual(self.view.wanted, {})

    def test_crossing(self) -> None:
        """A page with an answered message that was read before its change shows the change."""
        self.chat.quoting = True
        self.view.amend(amended(seq=3, rev=5, text="new", edited="e"))
        self.view.page_of_quotes(self.chat, 3, events.History("GLOBAL", [message("old", seq=3)], False))
        self.assertIn("┌ bob: new", self.pane())

    def test_kept_for_both(self) -> None:
        """A change that crosses both a page and an answered message is applied to both."""
        self.chat.loading = self.chat.quoting = True
        self.view.amend(amended(seq=3, rev=5, text="new", edited="e"))
        self.view.page_of_quotes(self.chat, 3, events.History("GLOBAL", [message("old", seq=3)], False))
        self.load(message("old", seq=3), direction=-1)
        self.assertEqual(self.texts()[0], "new")

    def test_status(self) -> None:
        """While a reference is typed, the status line shows the message, then the usage."""
        self.assertTrue(self.status("#17").startswith("#17 bob: lunch?"))
        self.assertIn("#<number>-", self.status("#17-"))
        self.assertTrue(self.status("#17 I think").startswith("#17 bob: lunch?"))
        self.assertTrue(self.status("@bob #2").startswith("#2 …"))
        self.assertEqual(self.view.wanted, {self.view.chat("@bob"): 2})
        self.assertNotIn("lunch", self.status("#17x"))

    def test_older_server(self) -> None:
        """On a server without the features nothing of this is shown or offered."""
        self.view.features = frozenset()
        self.assertNotIn("┌", self.pane())
        self.assertNotIn("lunch", self.status("#17-"))
        self.assertNotIn("#<number>", self.status("#17-"))
        self.view.manual = 0
        self.assertNotIn("#<number>", self.pane(200))
        self.assertEqual(self.view.wanted, {})

    def test_keeps_its_place(self) -> None:
        """When a message in a pane that was moved up is deleted, what is above it stays where it is."""
        self.load(*(message(f"text {seq}", seq=seq) for seq in range(20, 60)))
        self.pane()
        self.view.pane.show((40, 0, 0))
        self.assertTrue(self.pane().endswith("text 40"))
        self.view.amend(amended(seq=40, rev=1, deleted=True))
        self.assertTrue(self.pane().endswith("text 39"))
        self.view.amend(amended(seq=50, rev=2, deleted=True))
        self.assertTrue(self.pane().endswith("text 39"))
