"""What the pane shows of its items, and what it all looks like as rows."""

import re
from datetime import UTC, date

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from irchat.client.terminal.styles import STYLE
from irchat.client.view.items import Item, Kind
from irchat.client.view.listing import Cursor, first_row
from irchat.client.view.paint import NAME_COLOURS
from irchat.client.view.pane import Pane
from irchat.client.view.panels import Painter
from irchat.client.view.rows import Brush, Row
from irchat.client.view.screen_state import ScreenState
from irchat.commands import REGISTRY
from irchat.protocol import events
from irchat.text.cells import cells, fit
from tests.helpers.client_fakes import message, welcome


def _items(heights: list[int]) -> list[Item]:
    return [Item(Kind.NOTE, (n, 0, 0), "\n".join(f"{n}.{r}" for r in range(h))) for n, h in enumerate(heights)]


def _text(row: Row) -> str:
    return "".join(text for _, text in row.pieces)


class PaneTests(SynchronousTestCase):
    """Moving up and down."""

    def setUp(self) -> None:
        """A pane of four rows over items of one, two and three rows."""
        self.pane = Pane()
        self.items = _items([1, 2, 3, 1, 2])

    def paint(self, index: int) -> list[Row]:
        """The rows of an item."""
        return [Row((("", line),)) for line in self.items[index].text.split("\n")]

    def shown(self, height: int = 4) -> list[str]:
        """What shows."""
        return [_text(row) for row in self.pane.rows(self.items, self.paint, height)]

    def test_end(self) -> None:
        """The end shows, and what comes then shows too."""
        self.assertEqual(self.shown(), ["2.2", "3.0", "4.0", "4.1"])
        self.items += _items([1, 1, 1, 1, 1, 1])[5:]
        self.assertEqual(self.shown()[-1], "5.0")

    def test_up_and_down(self) -> None:
        """A page up keeps one row, goes no further than the top, and down leads back to the end."""
        self.shown()
        self.assertTrue(self.pane.up(self.items, self.paint))
        self.assertEqual(self.shown(), ["1.1", "2.0", "2.1", "2.2"])
        self.assertTrue(self.pane.up(self.items, self.paint))
        self.assertEqual(self.shown(), ["0.0", "1.0", "1.1", "2.0"])
        self.assertFalse(self.pane.up(self.items, self.paint))
        self.assertEqual(self.shown(), ["0.0", "1.0", "1.1", "2.0"])
        self.pane.down(self.items, self.paint)
        self.assertEqual(self.shown(), ["2.0", "2.1", "2.2", "3.0"])
        self.pane.down(self.items, self.paint)
        self.assertTrue(self.pane.follows)
        self.pane.down(self.items, self.paint)
        self.assertTrue(self.pane.follows)

    def test_down_to_the_very_last_row(self) -> None:
        """A page down that ends exactly at the last row follows the end again."""
        self.shown()
        self.pane.lowest = (self.items[3].key, 1)
        self.pane.height = 3  # one row of item 3, and two more of item 4
        self.pane.down(self.items, self.paint)
        self.assertTrue(self.pane.follows)

    def test_stays(self) -> None:
        """What shows stays in its place when something comes at the end, or is loaded at the beginning."""
        self.shown()
        self.pane.up(self.items, self.paint)
        before = self.shown()
        self.items.append(Item(Kind.NOTE, (9, 0, 0), "new"))
        self.items.insert(0, Item(Kind.NOTE, (-1, 0, 0), "old"))
        self.assertEqual(self.shown(), before)

    def test_gone(self) -> None:
        """When the item at the bottom is gone, the one before it is the lowest; when all are, nothing shows."""
        self.shown()
        self.pane.up(self.items, self.paint)
        del self.items[2]
        self.assertEqual(self.shown(3), ["0.0", "1.0", "1.1"])
        self.pane.show((-1, 0, 0))
        self.assertEqual(len(self.shown(2)), 2)
        self.items.clear()
        self.assertEqual(self.shown(), [])
        self.assertFalse(self.pane.up(self.items, self.paint))

    def test_down_past_all(self) -> None:
        """A page down follows the end where it shows, and where all that was shown is gone."""
        self.shown()
        self.pane.down(self.items, self.paint)
        self.assertTrue(self.pane.follows)
        self.pane.up(self.items, self.paint)
        self.assertFalse(self.pane.follows)
        self.items.clear()
        self.pane.down(self.items, self.paint)
        self.assertTrue(self.pane.follows)
        self.items += _items([1])
        self.assertEqual(self.shown(), ["0.0"])

    def test_all_fits(self) -> None:
        """Where all there is fits, it all shows, wherever the pane was."""
        self.pane.show(self.items[0].key)
        self.assertEqual(len(self.shown(20)), 9)
        self.assertTrue(self.pane.follows)

    @given(st.lists(st.integers(1, 5), min_size=1, max_size=12), st.integers(2, 6), st.lists(st.booleans(), max_size=9))
    def test_always_full(self, heights: list[int], height: int, moves: list[bool]) -> None:
        """However it is moved, the pane is as full as can be, and its rows follow each other."""
        self.items, self.pane = _items(heights), Pane()
        rows = [_text(row) for index in range(len(heights)) for row in self.paint(index)]
        self.shown(height)
        for is_up in moves:
            if is_up:
                self.pane.up(self.items, self.paint)
            else:
                self.pane.down(self.items, self.paint)
            shown = self.shown(height)
            self.assertEqual(len(shown), min(height, len(rows)))
            first = rows.index(shown[0])
            self.assertEqual(rows[first : first + len(shown)], shown)


class CursorTests(SynchronousTestCase):
    """A list to choose from."""

    def test_moves(self) -> None:
        """It goes round, and chooses what is there."""
        cursor: Cursor[str] = Cursor()
        self.assertIsNone(cursor.choose([]))
        cursor.move(1, [])
        cursor.move(-1, [*"abc"])
        self.assertEqual(cursor.choose([]), "c")
        cursor.move(1, [*"abc"])
        self.assertEqual(cursor.choose([]), "a")

    def test_another_order(self) -> None:
        """It stays with its entry when the list changes its order."""
        cursor: Cursor[str] = Cursor()
        self.assertEqual(cursor.settle([*"abc"]), 0)
        self.assertEqual((cursor.settle([*"cba"]), cursor.choose([])), (2, "a"))

    def test_gone(self) -> None:
        """What was drawn is chosen even if it has left the list; drawn again, the entry in its row is chosen."""
        cursor: Cursor[str] = Cursor()
        cursor.move(1, [*"abc"])
        self.assertEqual(cursor.choose([]), "b")
        self.assertEqual((cursor.settle([*"ac"]), cursor.choose([])), (1, "c"))
        self.assertEqual((cursor.settle([]), cursor.choose([])), (0, None))

    def test_shows(self) -> None:
        """The place is always among the rows that show."""
        self.assertEqual((first_row(9, 20, 4), first_row(9, 10, 4), first_row(2, 3, 4)), (7, 6, 0))


class BrushTests(SynchronousTestCase):
    """Items as rows."""

    def brush(self, width: int = 60) -> Brush:
        """A brush at moment 10."""
        return Brush(width, 10.0, name_width=5, zone=UTC, today=date(2026, 11, 22))

    def talk(self, text: str, **fields: object) -> Item:
        """A message of bob's."""
        return Item(Kind.MESSAGE, (1, 0, 0), text, "bob", "2026-11-22T13:00:00.000Z", **fields)

    def lines(self, item: Item, before: Item | None = None, width: int = 60, **options: bool) -> list[str]:
        """The rows as text."""
        rows = self.brush(width).rows(item, before, unread_line=options.get("unread_line", False),
                                      with_chat=options.get("with_chat", False))  # fmt: skip
        return [_text(row).rstrip() for row in rows]

    def test_message(self) -> None:
        """Time, name, text; further rows stand under the text."""
        self.assertEqual(self.lines(self.talk("hi")), ["13:00   bob │ hi"])
        self.assertEqual(
            self.lines(self.talk("one two three four five six seven eight nine ten")),
            ["13:00   bob │ one two three four five six seven eight nine", "            │ ten"],
        )

    def test_own_and_pending(self) -> None:
        """One's own have a bar of their own, what is being sent has no time yet."""
        self.assertEqual(self.lines(self.talk("hi", own=True)), ["13:00   bob ┃ hi"])
        pending = self.talk("hi", own=True)
        pending.kind = Kind.PENDING
        self.assertEqual(self.lines(pending), ["  …     bob ┃ hi"])

    def test_timed(self) -> None:
        """A timed one shows what is left of it."""
        self.assertEqual(self.lines(self.talk("psst", ends=38.5)), ["13:00   bob │ (29s) psst"])

    def test_found(self) -> None:
        """What a search found shows its chat."""
        self.assertEqual(self.lines(self.talk("hi", chat="*team"), with_chat=True), ["13:00   bob │ *team hi"])

    def test_narrow(self) -> None:
        """On a very narrow pane the text begins beside the name and goes on below it."""
        self.assertEqual(
            self.lines(self.talk("one two three four five", ends=11.0), width=24),
            ["13:00 bob │ (1s) one two", "  three four five"],
        )

    def test_days(self) -> None:
        """A new day has a line; today at the beginning has none. What is no message does not count."""
        earlier = self.talk("old")
        earlier.at = "2026-11-21T13:00:00.000Z"
        self.assertEqual(len(self.lines(self.talk("hi"))), 1)
        self.assertIn("Saturday, 21 November 2026", self.lines(earlier)[0])
        self.assertIn("Sunday, 22 November 2026", self.lines(self.talk("hi"), earlier)[0])
        self.assertEqual(len(self.lines(self.talk("hi"), self.talk("before"))), 1)
        odd = self.talk("hi")
        odd.at = "?"
        self.assertEqual(self.lines(odd), ["--:--   bob │ hi"])

    def test_unread_line(self) -> None:
        """The unread line stands before the message."""
        self.assertIn(" unread ", self.lines(self.talk("hi"), unread_line=True)[0])

    def test_notes(self) -> None:
        """The chat's own lines and errors are told apart without colour."""
        self.assertEqual(self.lines(Item(Kind.NOTE, (0, 0, 0), "done")), ["  done"])
        self.assertEqual(self.lines(Item(Kind.ERROR, (0, 0, 0), "no\nuse")), ["! no", "  use"])


class PainterTests(SynchronousTestCase):
    """The whole screen."""

    def setUp(self) -> None:
        """A view before the sign-in."""
        self.view = ScreenState("host:7667")
        self.painter = Painter(self.view, UTC)

    def enter(self) -> None:
        """Sign in."""
        self.view.welcome(welcome())
        self.view.link = ""
        self.view.list_chats(events.Chats([events.Chat("GLOBAL", "g", 0, 0, 0, None)]))

    def pane(self, width: int = 60, height: int = 8) -> str:
        """The pane as text."""
        rows = self.painter.pane(width, height, 0.0)
        self.assertEqual(len(rows), height)
        for row in rows:
            self.assertLessEqual(cells(_text(row)), width)
        return "\n".join(_text(row).rstrip() for row in rows)

    def test_sign_in(self) -> None:
        """Before the sign-in what is asked stands at the bottom."""
        self.view.note("trust me")
        self.assertTrue(self.pane().endswith("trust me"))
        self.assertIn("host:7667", _text(self.painter.header(40)))

    def test_home(self) -> None:
        """First come the chats with unread messages, or that there are none; what was answered stands below."""
        self.enter()
        self.view.go_home()
        self.assertIn("Nothing unread", self.pane())
        self.view.apply(message("hi", seq=1), 0.0)
        self.assertIn("▸ GLOBAL", self.pane())
        self.assertIn("1 unread", self.pane(40))
        self.view.note("done")
        self.assertTrue(self.pane(height=6).rstrip().endswith("done"))
        self.assertTrue(_text(self.painter.header(40)).rstrip().endswith("1 message"))

    def test_home_says_how(self) -> None:
        """The list of what is unread says how to open one, and leaves room for that; nothing is said of a target."""
        self.enter()
        self.view.go_home()
        self.assertNotIn("goes to everyone", self.pane())
        for number in range(12):
            self.view.apply(message("hi", seq=1, chat=f"@user{number:02}"), 0.0)
        rows = self.pane(height=4).split("\n")
        self.assertEqual(len([row for row in rows if "@user" in row]), 2)
        self.assertIn("Enter open one; Ctrl-N goes to the next.", rows[3])

    def test_home_in_columns(self) -> None:
        """The counts of unread messages stand in one column; after a longer name, and at the right, one space stays."""
        self.enter()
        self.view.go_home()
        long = "@" + "漢" * 17
        for name in ("@al", long):
            self.view.apply(message("hi", seq=1, chat=name), 0.0)
        for width, column in ((80, 34), (60, 34), (59, 43), (40, 24)):
            rows = {row[2:5]: row for row in self.pane(width).split("\n")}
            self.assertEqual(rows["@al"][2:], "@al" + " " * (column - 3) + "1 unread", width)
            name = fit(long, width - 18)
            self.assertEqual(rows["@漢漢"][2:], name + " " * max(1, column - cells(name)) + "1 unread", width)

    def test_home_has_room_for_both(self) -> None:
        """Many lines of the client's own leave room for the list of what is unread."""
        self.enter()
        self.view.go_home()
        self.view.apply(message("hi", seq=1), 0.0)
        for number in range(12):
            self.view.note(f"note {number}")
        shown = self.pane(height=8)
        self.assertIn("▸ GLOBAL", shown)
        self.assertEqual(shown.count("note "), 4)

    def test_chat(self) -> None:
        """An open chat shows that it loads, that it is empty, or its messages, with the way to older ones."""
        self.enter()
        chat = self.view.open_chat("GLOBAL")
        chat.loading = True
        self.assertIn("loading", self.pane())
        chat.loading = False
        self.assertIn("No messages yet", self.pane())
        self.view.page(events.History("GLOBAL", [message("hi", seq=5), message("ho", seq=6)], True), 0.0, direction=0)
        chat.line, chat.marked = 5, 5
        shown = self.pane()
        self.assertIn("PgUp: older", shown)
        self.assertRegex(shown, "(?s)hi.*unread.*ho$")
        self.assertIn("everyone", _text(self.painter.header(40)))

    def test_colours(self) -> None:
        """All colours can be read on black and on white: a contrast of 3 on each, of 4.5 on one of them (WCAG 2)."""

        def linear(part: str) -> float:
            share = int(part, 16) / 255
            return share / 12.92 if share <= 0.03928 else ((share + 0.055) / 1.055) ** 2.4

        colours = set(re.findall("#([0-9a-f]{6})", " ".join(style for _, style in STYLE.style_rules)))
        self.assertGreaterEqual(colours, {colour[1:] for colour in NAME_COLOURS})
        for colour in colours:
            red, green, blue = (linear(colour[start : start + 2]) for start in (0, 2, 4))
            light = 0.2126 * red + 0.7152 * green + 0.0722 * blue
            contrasts = (light + 0.05) / 0.05, 1.05 / (light + 0.05)
            self.assertGreaterEqual(min(contrasts), 3, colour)
            self.assertGreaterEqual(max(contrasts), 4.5, colour)

    def test_headers(self) -> None:
        """The header tells whether the other of two is there."""
        self.enter()
        self.view.open_chat("@bob")
        self.assertIn("away", _text(self.painter.header(40)))
        self.view.apply(events.Presence(["bob"], []), 0.0)
        self.assertIn("online", _text(self.painter.header(40)))
        self.view.open_chat("*team")
        self.assertIn("group", _text(self.painter.header(40)))

    def test_found(self) -> None:
        """What was found is listed with one chosen, which shows however long the list is."""
        self.enter()
        self.view.show_found(events.Found([], False), "x")
        self.assertIn("Nothing found", self.pane())
        self.view.show_found(events.Found([message(f"m{n}", seq=n) for n in range(30, 0, -1)], False), "m")
        self.view.cursor.move(20, self.view.choices())
        self.assertIn("m10", self.pane())
        self.assertIn("m", _text(self.painter.header(40)))
        self.assertIn("Enter: open", _text(self.painter.status(80, 1, "", "")[0]))

    def test_height(self) -> None:
        """How high the pane is is known before a chat was open: what is found is placed by it."""
        self.enter()
        self.pane(60, 12)
        self.assertEqual(self.view.pane.height, 12)

    def test_filter_and_manual(self) -> None:
        """The filter lists chats, the manual keys and commands."""
        self.enter()
        self.view.begin_filter()
        self.assertIn("▸ GLOBAL", self.pane())
        self.assertIn("Go to", _text(self.painter.header(40)))
        self.view.filter, self.view.manual = None, 0
        self.assertRegex(self.pane(120, 47), "@ <user> <message> +say it to one user alone")
        self.assertIn("Keys", _text(self.painter.header(40)))

    def test_manual_moves(self) -> None:
        """Where the manual has no room it can be moved, to its end and back, and says that there is more."""
        self.enter()
        self.view.manual = 0
        seen = [self.pane(80, 21)]
        self.assertIn("PgDn: more", seen[0])
        for _ in range(3):
            self.view.scroll_manual(19)
            seen.append(self.pane(80, 21))
        self.assertEqual(seen[2:], [seen[2]] * 2)
        self.assertNotIn("PgDn", seen[-1])
        for usage in re.findall(r"^(\S.*?)  +\S", REGISTRY.manual(None), re.MULTILINE):
            self.assertIn(usage, "\n".join(seen))
        self.view.scroll_manual(-100)
        self.assertEqual(self.pane(80, 21), seen[0])
        self.view.manual = None
        self.view.scroll_manual(1)
        self.assertIsNone(self.view.manual)

    def test_sidebar(self) -> None:
        """Chats have a number and what is unread, those of two show who is online."""
        self.enter()
        self.view.apply(events.Presence(["bob", "zoe"], []), 0.0)
        self.view.apply(message("hi", seq=1, chat="@bob"), 0.0)
        self.view.open_chat("GLOBAL")
        rows = [_text(row) for row in self.painter.sidebar(22, 8)]
        self.assertEqual(rows[:2], ["1  GLOBAL             ", "2● @bob             1 "])
        self.assertIn(" Online 3", rows)
        self.assertIn(" ● zoe", rows)
        self.assertEqual(len(rows), 8)

    def test_sidebar_with_many(self) -> None:
        """Where not all chats have room the open one shows, and rows above and below tell of the others."""
        self.enter()
        for number in range(20):
            self.view.chats.of_id(f"*g{number:02}", "id")
        self.view.apply(message("hi", seq=1, chat="*g19"), 0.0)
        for number in range(20):
            self.view.open_chat(f"*g{number:02}")
            rows = [_text(row) for row in self.painter.sidebar(22, 9)]
            self.assertTrue(any(f"*g{number:02}" in row for row in rows), rows)
            shown = sum("*g" in row or "GLOBAL" in row for row in rows)
            more = sum(int(row.split()[1]) for row in rows if " more" in row)
            self.assertEqual((len(rows), shown + more), (9, 21))
        self.view.open_chat("GLOBAL")
        self.assertIn(" ↓ 16 more, 1 unread", [_text(row).rstrip() for row in self.painter.sidebar(22, 9)])

    def test_day_after_a_note(self) -> None:
        """A note between two days does not hide the line of the new day."""
        self.enter()
        self.view.page(events.History("GLOBAL", [message("old", seq=1, at="2026-11-21T13:00:00.000Z")], False), 0.0,
                       direction=0)  # fmt: skip
        self.view.note("a note")
        self.view.apply(message("new", seq=2), 0.0)
        self.assertRegex(self.pane(), "(?s)old.*a note.*22 November 2026.*new")

    def test_status(self) -> None:
        """The status line says who, how many, what is wrong, and while a command is typed its usage."""

        def status(line: str = "", trouble: str = "", width: int = 80) -> str:
            return "\n".join(_text(row).strip() for row in self.painter.status(width, 2, line, trouble))

        self.assertEqual(status(), "connecting")
        self.enter()
        self.assertIn("alice@host:7667", status())
        self.assertIn("help", status(width=30))
        self.assertIn("say it to one user alone", status("@bob hi"))
        self.assertIn("<user>", status("~bob x"))
        self.assertEqual(status("@bob", "bad"), "bad")
        self.assertEqual(status("", "one two three four", 12), "one two\nthree four")
        self.assertEqual(status("", "one two three four five", 12), "one two\nthree four…")
        self.view.link = "The server has gone away"
        self.assertEqual(status("@bob"), "The server has gone away")
        self.view.link = ""
        self.view.open_chat("GLOBAL")
        self.view.pane.show((0, 0, 0))
        self.assertIn("more below", status())
        self.view.apply(message("hi", seq=1), 0.0)
        self.assertIn("1 new below", status())
