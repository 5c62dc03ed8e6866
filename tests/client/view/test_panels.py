"""The parts of the screen."""

import re
from datetime import UTC

from twisted.trial.unittest import SynchronousTestCase

from irchat.client.terminal.styles import STYLE
from irchat.client.view.panels import Painter
from irchat.client.view.rows import NAME_COLOURS, Row
from irchat.client.view.screen_state import ScreenState
from irchat.commands import REGISTRY
from irchat.protocol import events
from irchat.text.cells import cells, fit
from tests.helpers.client_fakes import message, welcome


def _text(row: Row) -> str:
    return "".join(text for _, text in row.pieces)


class PainterTests(SynchronousTestCase):
    """The whole screen."""

    def setUp(self) -> None:
        """Create a view before the sign-in."""
        self.view = ScreenState("host:7667")
        self.painter = Painter(self.view, UTC)

    def enter(self) -> None:
        """Sign in."""
        self.view.welcome(welcome())
        self.view.link = ""
        self.view.list_chats(events.Chats([events.Chat("GLOBAL", "g", 0, 0, 0, None)]))

    def pane(self, width: int = 60, height: int = 8) -> str:
        """Return the pane as text."""
        rows = self.painter.pane(width, height, 0.0)
        self.assertEqual(len(rows), height)
        for row in rows:
            self.assertLessEqual(cells(_text(row)), width)
        return "\n".join(_text(row).rstrip() for row in rows)

    def test_sign_in(self) -> None:
        """Before the sign-in, questions are at the bottom."""
        self.view.note("trust me")
        self.assertTrue(self.pane().endswith("trust me"))
        self.assertIn("host:7667", _text(self.painter.header(40)))

    def test_long_detail(self) -> None:
        """A detail that is too long for the header ends with an ellipsis, before the last cell."""
        self.view.server = "host.example." * 9
        shown = _text(self.painter.header(40))
        self.assertEqual((cells(shown), shown[-2:]), (40, "… "))

    def test_home(self) -> None:
        """Unread chats come first, or a text that there are none. Replies are below."""
        self.enter()
        self.view.go_home()
        self.assertIn("Nothing unread", self.pane())
        self.view.apply(message("hi", seq=1), 0.0)
        self.assertIn("▸ GLOBAL", self.pane())
        self.assertIn("1 unread", self.pane(40))
        self.view.note("done")
        self.assertTrue(self.pane(height=6).rstrip().endswith("done"))
        self.assertTrue(_text(self.painter.header(40)).rstrip().endswith("1 message"))

    def test_home_with_muted(self) -> None:
        """Where only muted chats have unread messages, the title does not say that nothing is unread."""
        self.enter()
        self.view.go_home()
        self.assertTrue(_text(self.painter.header(60)).rstrip().endswith("nothing"))
        self.view.chat("*team").unread, self.view.chat("*team").alert = 3, "none"
        self.assertIn("nothing in chats that alert you", _text(self.painter.header(60)))

    def test_home_says_how(self) -> None:
        """The unread list explains how to open a chat, and leaves room for that. It shows no target."""
        self.enter()
        self.view.go_home()
        self.assertNotIn("goes to everyone", self.pane())
        for number in range(12):
            self.view.apply(message("hi", seq=1, chat=f"@user{number:02}"), 0.0)
        rows = self.pane(height=4).split("\n")
        self.assertEqual(len([row for row in rows if "@user" in row]), 2)
        self.assertIn("Enter open one; Ctrl-N goes to the next.", rows[3])

    def test_home_in_columns(self) -> None:
        """Unread counts are in one column. After a longer name, and at the right edge, one space stays."""
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
        """Many lines of the client's own leave room for the unread list."""
        self.enter()
        self.view.go_home()
        self.view.apply(message("hi", seq=1), 0.0)
        for number in range(12):
            self.view.note(f"note {number}")
        shown = self.pane(height=8)
        self.assertIn("▸ GLOBAL", shown)
        self.assertEqual(shown.count("note "), 4)

    def test_chat(self) -> None:
        """An open chat shows that it is loading, that it is empty, or its messages, with a hint about older ones."""
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
        """All colours are readable on black and on white: a contrast of 3 on each, of 4.5 on one of them (WCAG 2)."""

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
        """In a private chat, the header shows whether the other user is online."""
        self.enter()
        self.view.open_chat("@bob")
        self.assertIn("away", _text(self.painter.header(40)))
        self.view.apply(events.Presence(["bob"], []), 0.0)
        self.assertIn("online", _text(self.painter.header(40)))
        self.view.open_chat("*team")
        self.assertIn("group", _text(self.painter.header(40)))

    def test_header_of_a_group(self) -> None:
        """The header of a group shows its pins, and as many members as fit."""
        self.enter()
        chat = self.view.open_chat("*team")
        self.view.list_members(events.Group("*team", "*1", "bob", ["alice", "bob", "carol"]))
        self.assertEqual(_text(self.painter.header(80)).rstrip(), " *team  3 members: bob (owner), alice, carol")
        chat.pins.load(events.Found([message("x", seq=1, marks=[events.Mark("pin", 1, ["bob"], False)])], False), "")
        header = _text(self.painter.header(52)).rstrip()
        self.assertEqual(header, " *team  pin 1  ·  3 members: bob (owner), alice, …")
        self.view.open_chat("GLOBAL").pins = chat.pins
        self.assertIn("pin 1  ·  everyone", _text(self.painter.header(40)))

    def test_found(self) -> None:
        """Search results are listed with one chosen, which is visible in a list of any length."""
        self.enter()
        self.view.show_found(events.Found([], False), "x")
        self.assertIn("Nothing found", self.pane())
        self.view.show_found(events.Found([message(f"m{n}", seq=n) for n in range(30, 0, -1)], False), "m")
        self.view.cursor.move(20, self.view.choices())
        self.assertIn("m10", self.pane())
        self.assertIn("m", _text(self.painter.header(40)))
        self.assertIn("Enter: open", _text(self.painter.status(80, 1, "", "")[0]))

    def test_whole_result_is_marked(self) -> None:
        """All rows of the chosen result are marked, but not the line of its day."""
        self.enter()
        self.view.show_found(events.Found([message("word " * 12, seq=1)], False), "word")
        chosen = ["class:chosen" in str(row.pieces) for row in self.painter.pane(60, 5, 0.0)]
        self.assertEqual(chosen, [False, True, True, False, False])

    def test_height(self) -> None:
        """The height of the pane is known before a chat was open: search results are placed by it."""
        self.enter()
        self.pane(60, 12)
        self.assertEqual(self.view.pane.height, 12)

    def test_filter_and_manual(self) -> None:
        """The filter lists chats, the manual lists keys and commands."""
        self.enter()
        self.view.begin_filter()
        self.assertIn("▸ GLOBAL", self.pane())
        self.assertIn("Go to", _text(self.painter.header(40)))
        self.view.filter, self.view.manual = None, 0
        self.assertRegex(self.pane(120, 47), "@ <user> <message> +say it to one user alone")
        self.assertIn("Keys", _text(self.painter.header(40)))

    def test_manual_moves(self) -> None:
        """A manual without enough room can be moved to its end and back, and shows that there is more."""
        self.enter()
        self.view.manual = 0
        seen = [self.pane(80, 21)]
        self.assertIn("PgDn: more", seen[0])
        for _ in range(4):
            self.view.scroll_manual(19)
            seen.append(self.pane(80, 21))
        self.assertEqual(seen[3:], [seen[3]] * 2)
        self.assertNotIn("PgDn", seen[-1])
        for usage in re.findall(r"^(\S.*?)  +\S", REGISTRY.manual(None), re.MULTILINE):
            self.assertIn(usage, "\n".join(seen))
        self.view.scroll_manual(-100)
        self.assertEqual(self.pane(80, 21), seen[0])
        self.view.manual = None
        self.view.scroll_manual(1)
        self.assertIsNone(self.view.manual)

    def test_sidebar(self) -> None:
        """Chats show their number and unread count, private ones show who is online."""
        self.enter()
        self.view.apply(events.Presence(["bob", "zoe"], []), 0.0)
        self.view.apply(message("hi", seq=1, chat="@bob"), 0.0)
        self.view.open_chat("GLOBAL")
        rows = [_text(row) for row in self.painter.sidebar(22, 8)]
        self.assertEqual(rows[:2], ["1  GLOBAL             ", "2● @bob             1 "])
        self.assertIn(" Online 3", rows)
        self.assertIn(" ● zoe", rows)
        self.assertEqual(len(rows), 8)

    def test_people(self) -> None:
        """The list at the right shows the members of the open group, those online first, else the users online."""
        self.enter()
        self.view.apply(events.Presence(["carol"], []), 0.0)
        self.view.open_chat("*team")

        def people(height: int) -> list[str]:
            return [_text(row) for row in self.painter.people(20, height)]

        self.assertEqual(people(4), [" Online 2", " ● carol", "", ""])
        self.view.list_members(events.Group("*team", "*1", "bob", ["bob", "alice", "carol"]))
        self.assertEqual(people(5), [" Members 3", " ● alice", " ● carol", "   bob (owner)", ""])
        self.assertEqual(people(3), [" Members 3", " ● alice", " ● carol"])
        self.view.go_home()
        self.assertEqual(people(2), [" Online 2", " ● carol"])
        self.assertNotIn(" Online 2", [_text(row) for row in self.painter.sidebar(20, 9, with_online=False)])

    def test_sidebar_with_many(self) -> None:
        """If not all chats fit, the open one is visible, and rows above and below count the others."""
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
        """The status line shows the user, counts and errors, and the usage of a command being typed."""

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
