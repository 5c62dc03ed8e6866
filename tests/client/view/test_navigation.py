"""Moving between chats, lists and search results."""

from irchat.client.view.navigation import Place
from irchat.client.view.rows import Row
from irchat.protocol import events
from tests.client.view.test_screen_state import ScreenStateCase
from tests.helpers.client_fakes import message


class MovingTests(ScreenStateCase):
    """Moving between chats."""

    def test_next_unread_first(self) -> None:
        """The next chat is an unread one if there is any, otherwise the next in the list, wrapping around."""
        self.view.chats.of_id("*team", "g")
        self.view.open_chat("GLOBAL")
        self.assertEqual((self.view.next_chat(1), self.view.next_chat(-1)), ("*team", "@bob"))
        self.view.apply(message("hi", seq=1, chat="*team"), 0.0)
        self.assertEqual((self.view.next_chat(1), self.view.next_chat(-1)), ("*team", "*team"))
        self.view.go_home()
        self.view.open = None
        self.assertEqual((self.view.next_chat(1), self.view.next_chat(-1)), ("*team", "*team"))
        self.view.chat("*team").all_read()
        self.assertEqual((self.view.next_chat(1), self.view.next_chat(-1)), ("GLOBAL", "@bob"))

    def test_missing(self) -> None:
        """A chat that turned out not to exist is left for home, if it is on the screen, and its reason shown there."""
        chat = self.view.open_chat("@nobody")
        self.view.leave_missing_chat()
        self.assertIs(self.view.open, chat)
        chat.gone = "There is no @nobody."
        chat.add_note(chat.gone, error=True)
        self.view.go_home()
        self.view.leave_missing_chat()
        self.assertIs(self.view.open, chat)
        self.view.open_chat("@nobody")
        self.view.leave_missing_chat()
        self.assertEqual((self.view.place, self.view.open), (Place.HOME, None))
        self.assertIn(chat.gone, [item.text for item in self.view.own.items])

    def test_numbers(self) -> None:
        """Chats are numbered from 1 in the order of the list."""
        self.assertEqual([self.view.numbered(n) for n in (0, 1, 2, 3)], [None, "GLOBAL", "@bob", None])

    def test_filter(self) -> None:
        """The filter finds chats, and users without a chat, by a part of the name."""
        self.view.list_users(events.Users(["alice", "Bobby"], ["carol"], False))
        self.view.begin_filter()
        self.assertEqual([chat.name for chat in self.view.listed()], ["GLOBAL", "@bob"])
        self.view.filter = "bO"
        self.assertEqual([chat.name for chat in self.view.listed()], ["@bob", "@Bobby"])
        self.view.filter = "ali"
        self.assertEqual(self.view.listed(), [])

    def test_latest_first(self) -> None:
        """Of the unread chats, the one with the latest message comes first."""
        self.view.apply(message("hi", seq=1, chat="@bob", at="2026-11-22T13:00:01.000Z"), 0.0)
        self.view.apply(message("hi", seq=1, chat="*team", at="2026-11-22T13:00:02.000Z"), 0.0)
        self.assertEqual([chat.name for chat in self.view.listed()], ["*team", "@bob"])
        self.view.apply(message("hi", seq=2, chat="@bob", at="2026-11-22T13:00:03.000Z"), 0.0)
        self.assertEqual([chat.name for chat in self.view.listed()], ["@bob", "*team"])

    def test_complaint_in_view(self) -> None:
        """An error about a message is visible below the visible ones, also where the pane was moved up."""
        for number in range(1, 30):
            self.view.chat("*team").add_message(message("hi", seq=number, chat="*team"), "alice", 0.0)
        chat, pane = self.view.open_chat("*team"), self.view.pane
        for lowest in (None, 12):
            if lowest is not None:
                pane.show((lowest, 0, 0))
            pane.rows(chat.items, lambda index: [Row((("", chat.items[index].text),))], 5)
            self.view.complain_in_view("no")
            rows = pane.rows(chat.items, lambda index: [Row((("", chat.items[index].text),))], 5)
            self.assertEqual([row.pieces[0][1] for row in rows], ["hi"] * 4 + ["no"])

    def test_found(self) -> None:
        """Search results are listed newest first."""
        self.view.show_found(events.Found([message("two", seq=2), message("one", seq=1)], True), "o")
        self.assertEqual([item.text for item in self.view.found], ["two", "one"])
        self.assertIn("more", self.view.found_for)
        self.assertIs(self.view.here, self.view.own)
        self.view.show_found(events.Found([message("mine", seq=3, sender="alice"), message("one", seq=1)], False), "o")
        self.assertEqual([item.own for item in self.view.found], [True, False])
