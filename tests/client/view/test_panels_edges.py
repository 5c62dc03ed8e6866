"""The parts of the screen, row by row: their order, and what is dropped without room."""

from datetime import UTC

from twisted.trial.unittest import SynchronousTestCase

from irchat.client.view.panels import Painter
from irchat.client.view.rows import Row
from irchat.client.view.screen_state import ScreenState
from irchat.protocol import events
from irchat.text.cells import cells
from tests.helpers.client_fakes import message, welcome


def _text(row: Row) -> str:
    return "".join(text for _, text in row.pieces)


def _styled(rows: list[Row], style: str) -> list[int]:
    """Return the numbers of the rows with this style."""
    return [number for number, row in enumerate(rows) if any(style in styles.split() for styles, _ in row.pieces)]


class PanelsCase(SynchronousTestCase):
    def setUp(self) -> None:
        """Sign in as alice, with GLOBAL."""
        self.view = ScreenState("host:7667")
        self.painter = Painter(self.view, UTC)
        self.view.welcome(welcome())
        self.view.link = ""
        self.view.list_chats(events.Chats([events.Chat("GLOBAL", "g", 0, 0, 0, None)]))

    def pane(self, width: int = 60, height: int = 8) -> list[Row]:
        """Return the rows of the pane."""
        return self.painter.pane(width, height, 0.0)

    def load(self, *messages: events.Message, more: bool = False) -> None:
        """Load a page of GLOBAL."""
        self.view.page(events.History("GLOBAL", list(messages), more), 0.0, direction=0)


class ChatPaneTests(PanelsCase):
    """An open chat."""

    def test_lines_between_messages(self) -> None:
        """The hint about older messages is shown once, at the top. Messages do not name the open chat."""
        chat = self.view.open_chat("GLOBAL")
        self.load(*(message(f"m{seq}", seq=seq) for seq in (5, 6, 7)), more=True)
        rows = [_text(row) for row in self.pane()]
        self.assertEqual([number for number, row in enumerate(rows) if "PgUp: older" in row], [8 - len(chat.items) - 2])
        self.assertNotIn("GLOBAL", "\n".join(rows))

    def test_marked(self) -> None:
        """Only the message that a search led to is marked."""
        chat = self.view.open_chat("GLOBAL")
        self.load(*(message(f"m{seq}", seq=seq) for seq in (5, 6, 7)))
        self.assertEqual(_styled(self.pane(), "class:marked"), [])
        chat.marked = 6
        chat.add_note("a note")
        self.assertEqual(_styled(self.pane(), "class:marked"), [5])

    def test_unread_line(self) -> None:
        """The line for unread messages comes before the first unread one of another user."""
        chat = self.view.open_chat("GLOBAL")
        senders = ("bob", "alice", "bob", "bob")
        self.load(*(message(f"m{seq}", seq=seq, sender=sender) for seq, sender in enumerate(senders, 1)))
        chat.line = 1
        rows = self.pane()
        (line,) = _styled(rows, "class:unread-line")
        self.assertIn("m3", _text(rows[line + 1]))

    def test_gone(self) -> None:
        """A lost chat shows the reason, and that nothing can be sent. An empty one does not invite to type."""
        chat = self.view.open_chat("*team")
        chat.gone = "bob removed you."
        self.assertIn("bob removed you. Nothing can be sent here.", _text(self.painter.header(80)))
        self.assertEqual([_text(row) for row in self.pane()], [""] * 8)

    def test_loads_more(self) -> None:
        """While a chat with messages loads, they are visible."""
        self.view.open_chat("GLOBAL").loading = True
        self.load(message("hi", seq=1))
        self.view.open_chat("GLOBAL").loading = True
        self.assertIn("hi", _text(self.pane()[-1]))


class ListTests(PanelsCase):
    """The lists in the pane."""

    def test_found(self) -> None:
        """Only the chosen message is marked, and it is in the middle if there is more above and below."""
        self.view.show_found(events.Found([message(f"m{n}", seq=n) for n in range(30, 0, -1)], False), "m")
        for by, day, number in ((0, [0], 1), (2, [0], 3), (1, [], 3), (22, [], 3), (1, [], 4), (3, [], 7)):
            self.view.cursor.move(by, self.view.choices())
            rows = self.pane()
            self.assertEqual((_styled(rows, "class:day"), _styled(rows, "class:chosen")), (day, [number]))
        self.assertTrue(_text(rows[-1]).rstrip().endswith(" m1"))

    def test_home_without_room(self) -> None:
        """If only the list fits, the client's own lines are dropped."""
        self.view.go_home()
        self.view.apply(message("hi", seq=1), 0.0)
        self.view.note("done")
        self.assertEqual([("GLOBAL" in _text(row), "done" in _text(row)) for row in self.pane(60, 4)],
                         [(True, False)] + [(False, False)] * 3)  # fmt: skip
        self.assertIn("done", _text(self.pane(60, 5)[2]))

    def test_home_counts(self) -> None:
        """The header shows the number of unread messages."""
        self.view.go_home()
        for seq, count in enumerate(("1 message", "2 messages", "3 messages"), 1):
            self.view.apply(message("hi", seq=seq), 0.0)
            self.assertEqual(_text(self.painter.header(40)).split("  ", 1)[1].strip(), count)

    def test_choices(self) -> None:
        """One entry is chosen, at full width. A lost chat shows that it is lost."""
        chat = self.view.open_chat("*team")
        chat.has_draft = True
        self.view.chats.drop("*team", "bob removed you.")
        self.view.begin_filter()
        rows = self.pane()
        self.assertEqual(_styled(rows, "class:chosen"), [0])
        self.assertEqual([_text(row)[:2] for row in rows[:2]], ["▸ ", "  "])
        self.assertEqual(cells(_text(rows[0])), 60)
        self.assertTrue(_text(rows[1]).endswith("left"))


class SidebarTests(PanelsCase):
    """The sidebar."""

    def rows(self, height: int = 16) -> list[str]:
        """Return the rows of the sidebar."""
        rows = [_text(row) for row in self.painter.sidebar(22, height)]
        self.assertEqual(len(rows), height)
        return rows

    def test_keys(self) -> None:
        """The first nine chats show the number of their key, and every row of a chat is of full width."""
        for number in range(10):
            self.view.chats.of_id(f"*{number}" + "x" * 30, "id")
        rows = self.rows(20)[:11]
        self.assertEqual("".join(row[0] for row in rows), "123456789  ")
        self.assertEqual([cells(row) for row in rows], [22] * 11)
        self.assertEqual({row[-2:] for row in rows[1:]}, {"… "})

    def test_dots(self) -> None:
        """An online user has a dot. An absent one, or a group of the same name, has none."""
        self.view.apply(events.Presence(["bob"], []), 0.0)
        for name in "*bob", "@bob", "@carol":
            self.view.chats.of_id(name, "id")
        self.assertEqual([row.rstrip() for row in self.rows()[1:4]], ["2  *bob", "3● @bob", "4  @carol"])

    def test_drafts_and_lost(self) -> None:
        """A draft is shown unless its chat is open. A lost chat has no key and shows that it is lost."""
        self.view.open_chat("GLOBAL").has_draft = True
        for name in "*one", "*two":
            self.view.chats.of_id(name, "id").has_draft = True
        self.view.chats.drop("*two", "bob removed you.")
        self.assertEqual([row.rstrip() for row in self.rows()[:3]],
                         ["1  GLOBAL", "2  *one             ✎", "   *two        left ✎"])  # fmt: skip

    def test_online(self) -> None:
        """As many other users as fit are shown, below all chats or at least three rows of them."""
        self.view.apply(events.Presence([f"user{number}" for number in range(9)], []), 0.0)
        rows = self.rows(9)
        self.assertEqual([row.strip() for row in rows[1:]],
                         ["", "Online 10", *(f"● user{number}" for number in range(6))])  # fmt: skip
        for number in range(9):
            self.view.chats.of_id(f"*{number}", "id")
        rows = self.rows(9)
        self.assertEqual(rows[5].strip(), "↓ 5 more")
        self.assertEqual([row.strip() for row in rows[6:]], ["", "Online 10", "● user0"])
        self.view.open_chat("*4")
        self.assertEqual([row.strip() for row in self.rows(5)], ["↑ 4 more", "5  *3", "6  *4", "↓ 4 more", ""])


class StatusTests(PanelsCase):
    """The status line."""

    def status(self, width: int) -> str:
        """Return the status line."""
        (row,) = self.painter.status(width, 1, "", "")
        self.assertEqual(cells(_text(row)), width)
        return _text(row)

    def test_room(self) -> None:
        """The status line shows all that fits, and otherwise less: the server, the name, or what is unread."""
        whole, keys = " alice@host:7667  ·  1 online", "Ctrl-K: chats  F1: help"
        just = len(whole) + len(keys) + 2
        self.assertEqual(self.status(just), f"{whole} {keys} ")
        self.assertEqual(self.status(just + 5), f"{whole}      {keys} ")
        self.assertEqual(self.status(just - 1), " alice@host:7667" + " " * (just - 18 - len(keys)) + f"{keys} ")
        self.assertEqual(self.status(just - 20), " alice" + " " * (just - 27 - len(keys)) + f"{keys} ")
        self.view.go_home()
        self.view.apply(message("hi", seq=1), 0.0)
        self.assertEqual(self.status(100)[:55].rstrip(), f"{whole}  ·  1 unread: GLOBAL 1")
        self.assertTrue(self.status(just).startswith(" alice  ·  1 unread: GLOBAL 1 "))
        self.assertTrue(self.status(just - 10).startswith(" 1 unread: GLOBAL 1 "))

    def test_more_below(self) -> None:
        """The status line shows that there is more below if the pane was moved up, or if the end is not loaded."""
        chat = self.view.open_chat("GLOBAL")
        self.load(message("hi", seq=1))
        self.assertNotIn("below", self.status(80))
        chat.newer = True
        self.assertIn("↓ more below: End", self.status(80))
        chat.newer = False
        self.view.pane.show((1, 0, 0))
        chat.unread = 2
        self.assertIn("↓ 2 new below: End", self.status(80))
        self.view.go_home()
        chat.newer = True
        self.assertNotIn("below", self.status(80))
