"""The parts of the screen: which one comes first, and the styles of what is counted, chosen or wrong."""

from irchat.client.view.rows import Row
from irchat.protocol import events
from irchat.protocol.rules import FEATURES
from irchat.text.cells import cells
from tests.client.view.test_panels_edges import PanelsCase
from tests.helpers.client_fakes import message


def _text(row: Row) -> str:
    return "".join(text for _, text in row.pieces)


class StatusTests(PanelsCase):
    """The status line."""

    def status(self, line: str = "", trouble: str = "", width: int = 80) -> tuple[str, str]:
        """Return the style and the text of the first row."""
        row = self.painter.status(width, 2, line, trouble)[0]
        return row.pieces[0][0].split()[-1], _text(row)

    def test_what_comes_first(self) -> None:
        """Trouble comes first, then what waits, the chosen message, and the usage of the typed command."""
        chat = self.view.open_chat("GLOBAL")
        self.load(message("hi", seq=7))
        line = "@bob hi"
        self.view.waits = "3 changes wait"
        self.view.choice.begin(chat.items, self.view.pane)
        self.assertEqual(self.status(line, "bad"), ("class:wrong", " bad" + " " * 76))
        self.assertEqual(self.status(line), ("class:hint", " 3 changes wait" + " " * 65))
        self.view.waits = ""
        self.assertTrue(self.status(line)[1].startswith(" #7  r, Enter: answer"))
        self.view.choice.forget()
        style, text = self.status(line)
        self.assertEqual((style, "say it to one user alone" in text), ("class:hint", True))
        self.assertEqual(self.status("!nothing")[0], "class:wrong")

    def test_lost_connection(self) -> None:
        """A lost connection is shown instead of keys and usages, as an error. Connecting is none."""
        chat = self.view.open_chat("GLOBAL")
        self.load(message("hi", seq=7))
        self.view.choice.begin(chat.items, self.view.pane)
        for link, style in (
            ("connecting", "class:status"),
            ("signing in again", "class:status"),
            ("The server has gone away", "class:wrong"),
        ):
            self.view.link = link
            self.assertEqual(self.status("@bob hi"), (style, f" {link}".ljust(80)))

    def test_message_referred_to(self) -> None:
        """The message that a line refers to is shown with the usage, unless the server cannot show single messages."""
        self.view.open_chat("GLOBAL")
        self.load(message("what was said", seq=7))
        for features, is_shown in ((FEATURES, True), ([name for name in FEATURES if name != "around"], False)):
            self.view.features = frozenset(features)
            self.assertEqual("#7 bob: what was said" in self.status("#7 yes", width=120)[1], is_shown)

    def test_no_usage_in_a_list(self) -> None:
        """While the list of chats is filtered, the typed text is not a command."""
        self.view.begin_filter()
        self.assertIn("alice@host:7667", self.status("@bob hi")[1])

    def test_four_chats(self) -> None:
        """Up to four chats with unread messages are named, and only those beyond are counted."""
        for number, end in ((1, "*1 1"), (2, "*1 1"), (3, "*1 1"), (4, "*1 1"), (5, "*2 1 and 1 more")):
            at = f"2026-11-22T13:00:0{number}.000Z"
            self.view.apply(message("hi", seq=1, chat=f"*{number}", at=at), 0.0)
            text = self.status(width=100)[1].rstrip().removesuffix("Ctrl-K: chats  F1: help").rstrip()
            self.assertTrue(text.endswith(end), text)

    def test_links(self) -> None:
        """Over the list of links, the header and the status line say what it is and what the keys do."""
        chat = self.view.open_chat("GLOBAL")
        self.load(message("see https://a.example", seq=7))
        self.view.choice.begin(chat.items, self.view.pane)
        self.view.choice.list_links(chat.items)
        self.assertIn("copy an address", self.status()[1])
        self.assertEqual(_text(self.painter.header(60)).rstrip(), " Links  of the chosen message")

    def test_rows(self) -> None:
        """A text fills its row between two spaces, and takes as many rows as it may, the last one cut."""
        for text, max_rows, shown in (
            ("x" * 10, 2, [" " + "x" * 10 + " "]),
            ("x" * 11, 2, [" " + "x" * 10 + " ", " x" + " " * 10]),
            ("one two three four", 1, [" one two th…"]),
        ):
            rows = self.painter.status(12, max_rows, "", text)
            self.assertEqual([_text(row) for row in rows], shown, text)

    def test_too_narrow(self) -> None:
        """Where not even the name fits, it ends with an ellipsis before the keys."""
        keys = "Ctrl-K: chats  F1: help"
        self.assertEqual(self.status(width=len(keys) + 4)[1], f" … {keys} ")
        self.assertEqual(self.status(width=len(keys) + 6)[1], f" al… {keys} ")


class PaneTests(PanelsCase):
    """The pane."""

    def styles(self, rows: list[Row], text: str) -> list[str]:
        """Return the styles of the first row that has a text, without those of empty pieces."""
        row = next(row for row in rows if text in _text(row))
        return [style for style, piece in row.pieces if piece.strip()]

    def test_home_without_anything(self) -> None:
        """Where there are no messages at all, the home screen explains how to begin."""
        self.view.go_home()
        rows = [_text(row).strip() for row in self.pane()]
        self.assertEqual((rows[1], rows[4]), ("Nothing unread.", "F1 shows keys and commands."))

    def test_home_with_latest(self) -> None:
        """The latest chats leave room for the client's own lines."""
        self.view.go_home()
        for number in range(9):
            self.view.apply(message("hi", seq=1, chat=f"@user{number}"), 0.0)
            self.view.chat(f"@user{number}").all_read()
        for text in ("one", "two"):
            self.view.note(text)
        rows = [_text(row).split()[-1] if row.pieces else "" for row in self.pane()]
        self.assertEqual(rows, ["chats:", "@user8", "@user7", "@user6", "", "one", "two", ""])

    def test_counts(self) -> None:
        """In the list, counts are emphasized, and a muted chat is dim with its count."""
        self.view.go_home()
        for name in "@bob", "@eve", "*noise":
            self.view.apply(message("hi", seq=1, chat=name), 0.0)
        self.view.apply(events.Alert("*noise", "none"), 0.0)
        rows = self.pane()
        self.assertEqual(self.styles(rows, "@eve"), ["class:choice", "class:unread"])
        self.assertEqual(self.styles(rows, "*noise"), ["class:muted", "class:muted"])

    def test_found_names_chats(self) -> None:
        """Each search result names its chat."""
        self.view.show_found(events.Found([message("hi", seq=2), message("ho", seq=1, chat="@bob")], False), "h")
        rows = [_text(row) for row in self.pane()]
        self.assertTrue(rows[1].endswith("GLOBAL hi") and rows[2].endswith("@bob ho"), rows)

    def test_one_day(self) -> None:
        """A note between two messages of one day does not begin that day again."""
        self.view.open_chat("GLOBAL")
        self.load(message("one", seq=1))
        self.view.note("a note")
        self.view.apply(message("two", seq=2), 0.0)
        self.assertEqual(sum("22 November 2026" in _text(row) for row in self.pane()), 1)

    def test_chosen_and_marked(self) -> None:
        """While messages are chosen, the one that a search led to is not marked."""
        chat = self.view.open_chat("GLOBAL")
        self.load(message("hi", seq=1), message("ho", seq=2))
        chat.marked = 1
        self.assertTrue(all("class:marked" in style for style in self.styles(self.pane(), "hi")))
        self.view.choice.begin(chat.items, self.view.pane)
        rows = self.pane()
        self.assertFalse(any("class:marked" in style for style in self.styles(rows, "hi")))
        self.assertTrue(all("class:chosen" in style for style in self.styles(rows, "ho")))

    def test_whole_manual(self) -> None:
        """A manual that fits begins at its first row, wherever it was."""
        self.view.manual = 9
        rows = [_text(row).rstrip() for row in self.pane(120, 300)]
        self.assertEqual((self.view.manual, rows[-1], any("PgDn: more" in row for row in rows)), (0, "", False))


class SidebarTests(PanelsCase):
    """The sidebar and the header."""

    def side(self, height: int) -> list[Row]:
        """Return the rows of the list of chats."""
        return self.painter.sidebar(22, height, with_online=False)

    def test_as_many_as_fit(self) -> None:
        """If exactly all chats fit, all are shown. With one row less, the last rows are counted."""
        for number in range(5):
            self.view.chats.of_id(f"*{number}", "id")
        self.view.go_home()
        rows = [_text(row).rstrip() for row in self.side(6)]
        self.assertEqual(rows, ["1  GLOBAL", *(f"{number + 2}  *{number}" for number in range(5))])
        rows = [_text(row).rstrip() for row in self.side(5)]
        self.assertEqual(rows, ["1  GLOBAL", *(f"{number + 2}  *{number}" for number in range(3)), " ↓ 2 more"])
        self.view.open_chat("*4")
        rows = [_text(row).rstrip() for row in self.side(5)]
        self.assertEqual(rows, [" ↑ 2 more", *(f"{number + 2}  *{number}" for number in range(1, 5))])

    def test_long_name_with_a_count(self) -> None:
        """A long name is cut before its count, and the row has the full width."""
        name = "*" + "x" * 30
        self.view.apply(message("hi", seq=1, chat=name), 0.0)
        row = next(row for row in self.side(5) if "*x" in _text(row))
        self.assertEqual((cells(_text(row)), _text(row)[-5:]), (22, "x… 1 "))
        self.assertEqual([style for style, _ in row.pieces][2:], ["class:has-unread", "class:unread"])

    def test_styles(self) -> None:
        """Chats with unread messages stand out, muted ones are dim, and the open one is marked, whatever it has."""
        for name in "*one", "*two", "*three":
            self.view.chats.of_id(name, "id")
        self.view.chat("*two").unread = self.view.chat("*three").unread = self.view.chat("GLOBAL").unread = 1
        self.view.chat("*three").alert = "none"
        self.view.open_chat("GLOBAL")
        styles = {_text(row).split()[1]: [style for style, _ in row.pieces[2:]] for row in self.side(4)}
        self.assertEqual(styles, {
            "GLOBAL": ["class:open", "class:unread"], "*one": ["", "class:unread"],
            "*two": ["class:has-unread", "class:unread"], "*three": ["class:muted", "class:muted"],
        })  # fmt: skip

    def test_hidden_unread(self) -> None:
        """The row that counts hidden chats stands out if they have unread messages, without those of muted chats."""
        for number in range(9):
            self.view.chats.of_id(f"*{number}", "id")
        self.assertEqual(self.side(5)[-1].pieces, (("class:detail", " ↓ 6 more"),))
        self.view.chat("*8").unread, self.view.chat("*7").unread = 2, 5
        self.view.chat("*7").alert = "none"
        self.assertEqual(self.side(5)[-1].pieces, (("class:unread", " ↓ 6 more, 2 unread"),))

    def test_header_that_just_fits(self) -> None:
        """The members fill the header to its last cell but one."""
        self.view.open_chat("*team")
        self.view.list_members(events.Group("*team", "*1", "bob", ["alice", "bob", "carol"]))
        whole = " *team  3 members: bob (owner), alice, carol "
        self.assertEqual(_text(self.painter.header(len(whole))), whole)
        self.assertTrue(_text(self.painter.header(len(whole) - 1)).rstrip().endswith("alice, …"))
