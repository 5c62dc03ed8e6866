"""Moving between chats, lists and search results."""

from irchat.client.view import chat_state
from irchat.client.view.chat_state import ChatState
from irchat.client.view.items import Kind
from irchat.client.view.navigation import Navigation, Place
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
        self.assertIn((chat.gone, Kind.ERROR), [(item.text, item.kind) for item in self.view.own.items])

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

    def test_first_entry(self) -> None:
        """Each list begins at its first entry, whichever was chosen in the one before."""
        found = events.Found([message("two", seq=2), message("one", seq=1)], False)
        for show in (self.view.begin_filter, lambda: self.view.show_found(found, "o"), self.view.begin_filter):
            show()
            self.assertEqual(self.view.cursor.settle(self.view.choices()), 0)
            self.view.cursor.move(1, self.view.choices())
        self.view.go_home()
        self.assertIsNone(self.view.cursor.key)

    def test_latest_first(self) -> None:
        """Of the unread chats, the one with the latest message comes first."""
        self.view.apply(message("hi", seq=1, chat="@bob", at="2026-11-22T13:00:01.000Z"), 0.0)
        self.view.apply(message("hi", seq=1, chat="*team", at="2026-11-22T13:00:02.000Z"), 0.0)
        self.assertEqual([chat.name for chat in self.view.listed()], ["*team", "@bob"])
        self.view.apply(message("hi", seq=2, chat="@bob", at="2026-11-22T13:00:03.000Z"), 0.0)
        self.assertEqual([chat.name for chat in self.view.listed()], ["@bob", "*team"])
        self.view.chat("@bob").all_read()
        self.assertEqual([chat.name for chat in self.view.listed()], ["*team"])

    def test_at_first(self) -> None:
        """Before the sign-in, there is no name, no chat and no result, and own lines have a place."""
        view = Navigation()
        self.assertEqual((view.place, view.me, view.open, view.own.name), (Place.SIGN_IN, "", None, ""))
        self.assertEqual((view.here, view.last_own, view.found_for, view.manual), (view.own, None, "", None))

    def test_backwards_from_home(self) -> None:
        """Without an open chat, the one before is the last and the one after the first, also next to a lost chat."""
        self.view.open_chat("GLOBAL")
        self.view.go_home()
        self.assertEqual((self.view.next_chat(1), self.view.next_chat(-1)), ("@bob", "@bob"))
        lost = self.view.open_chat("@bob")
        self.view.chats.drop("@bob", "why")
        self.view.chats.of_id("*team", "g")
        self.assertTrue(lost.gone)
        self.assertEqual((self.view.next_chat(1), self.view.next_chat(-1)), ("GLOBAL", "*team"))

    def test_unread_but_open(self) -> None:
        """The open chat is not the next one, even if it has unread messages."""
        self.view.open_chat("GLOBAL")
        self.view.apply(message("hi", seq=1), 0.0)
        self.assertEqual(self.view.next_chat(1), "@bob")

    def test_number_of_a_lost_chat(self) -> None:
        """A lost chat is listed last, and no number opens it."""
        lost = self.view.open_chat("@bob")
        self.view.chats.drop("@bob", "why")
        self.assertEqual(self.view.chats.in_order()[1], lost)
        self.assertIsNone(self.view.numbered(2))

    def test_nine_latest(self) -> None:
        """Where nothing is unread, the nine chats with the latest messages are listed, the latest first."""
        for number in range(12):
            name = f"@user{number:02}"
            self.view.apply(message("hi", seq=1, chat=name, at=f"2026-11-22T13:00:{number:02}.000Z"), 0.0)
            self.view.chat(name).all_read()
        self.assertEqual(self.view.choices(), [f"@user{number:02}" for number in range(11, 2, -1)])

    def test_leaving(self) -> None:
        """Whatever is over the pane closes with the move to another chat: the manual, a list, and a chosen message."""
        chat = self.view.open_chat("GLOBAL")
        self.load(message("hi", seq=1))
        for leave in (self.view.go_home, lambda: self.view.open_chat("@bob")):
            self.view.open_chat("GLOBAL")
            self.view.choice.begin(chat.items, self.view.pane)
            self.assertTrue(self.view.is_choosing)
            self.view.filter, self.view.manual = "x", 3
            self.assertFalse(self.view.is_choosing)
            leave()
            self.assertEqual((self.view.filter, self.view.manual, self.view.choice.is_on), (None, None, False))
        self.view.manual = 3
        self.view.begin_filter()
        self.assertEqual((self.view.filter, self.view.manual), ("", None))

    def test_opened_again(self) -> None:
        """Opening the chat that is open shows its end, and chooses nothing."""
        chat = self.view.open_chat("GLOBAL")
        self.load(*(message("hi", seq=seq) for seq in range(1, 9)))
        self.view.choice.begin(chat.items, self.view.pane)
        self.view.pane.show((3, 0, 0))
        self.view.open_chat("GLOBAL")
        self.assertEqual((self.view.pane.follows, self.view.choice.is_on), (True, False))

    def test_trimmed_on_leaving(self) -> None:
        """A chat that has grown while its pane was moved up is trimmed when it is left."""
        self.patch(chat_state, "KEPT_ITEMS", 5)
        chat = self.view.open_chat("GLOBAL")
        self.load(message("hi", seq=1))
        self.view.pane.show((1, 0, 0))
        for seq in range(2, 10):
            self.view.apply(message("hi", seq=seq), 0.0)
        self.assertEqual(len(chat.items), 9)
        self.view.go_home()
        self.assertEqual((len(chat.items), chat.first_seq), (5, 5))

    def test_lost_chat_opened(self) -> None:
        """A lost chat that was left can be opened once more, and is listed once."""
        lost = self.view.chat("@bob")
        self.view.chats.drop("@bob", "why")
        self.assertNotIn(lost, self.view.chats.gone)
        for _ in range(2):
            self.view.open_chat(lost)
            self.assertEqual(self.view.chats.gone, [lost])

    def test_typed_names(self) -> None:
        """A typed name is compared by the server's rules with those of chats and users. As it is, it comes first."""
        self.view.known["Carol"] = None
        names = ["@BOB", "@carol", "@nobody"]
        self.assertEqual([self.view.chat_typed(name).name for name in names], ["@bob", "@Carol", "@nobody"])
        both = [self.view.chat(name) for name in ("*TEAM", "*team")]
        self.assertEqual([self.view.chat_typed(name) for name in ("*TEAM", "*team")], both)

    def test_not_seen(self) -> None:
        """Nothing is read in a chat that is lost or not on the screen, or that a list or the manual covers."""
        chat = self.view.open_chat("GLOBAL")
        self.load(message("hi", seq=1))
        chat.unread = 1
        for name, value in (("filter", ""), ("manual", 0), ("place", Place.FOUND), ("open", None)):
            setattr(self.view, name, value)
            self.assertIsNone(self.view.seen(), name)
            self.view.filter, self.view.manual, self.view.place, self.view.open = None, None, Place.CHAT, chat
        chat.gone = "why"
        self.assertIsNone(self.view.seen())
        chat.gone = ""
        self.assertEqual(self.view.seen(), ("GLOBAL", 1))

    def test_not_drawn(self) -> None:
        """In a pane that was moved up, nothing is read before it is drawn, or while messages may be missing."""
        chat = self.view.open_chat("GLOBAL")
        self.load(*(message("hi", seq=seq) for seq in (1, 2, 3)))
        chat.unread = 3
        self.view.pane.show((2, 0, 0))
        self.assertIsNone(self.view.seen())
        self.view.pane.whole, chat.stale = (2, 0, 0), True
        self.assertIsNone(self.view.seen())
        chat.stale = False
        self.assertEqual((self.view.seen(), chat.unread), (("GLOBAL", 2), 1))

    def test_seen_without_a_count(self) -> None:
        """The end of a chat counts as read if the read marker is behind it, even if nothing is counted as unread."""
        chat = self.view.open_chat("GLOBAL")
        self.load(message("mine", seq=3, sender="alice"))
        self.assertEqual((self.view.seen(), chat.read_seq), (("GLOBAL", 3), 3))
        self.assertIsNone(self.view.seen())

    def test_last_own(self) -> None:
        """The last own message is the lowest one of the user that is drawn, sent or being sent."""
        chat = self.view.open_chat("GLOBAL")
        senders = ("alice", "bob", "alice", "bob", "alice")
        self.load(*(message("hi", seq=seq, sender=sender) for seq, sender in enumerate(senders, 1)))
        self.view.note("a note")
        chat.add_pending("mine", "alice", "n", None)
        self.assertIsNone(self.view.last_own)
        for first, last, expected in ((0, 6, 6), (0, 5, 4), (1, 4, 4), (1, 3, 2), (2, 3, 2), (3, 3, None)):
            self.view.pane.drawn = chat.items[first].key, chat.items[last].key
            self.assertIs(self.view.last_own, None if expected is None else chat.items[expected], (first, last))

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
        self.assertEqual({item.kind for item in chat.items if item.text == "no"}, {Kind.ERROR})

    def test_complaint_at_the_end(self) -> None:
        """An error does not move a pane that follows the end, and needs no drawn pane."""
        chat, pane = self.view.open_chat("GLOBAL"), self.view.pane
        self.load(message("hi", seq=1))
        pane.drawn = chat.items[0].key, chat.items[0].key
        self.view.complain_in_view("first")
        self.assertTrue(pane.follows)
        pane.show(chat.items[0].key)
        pane.drawn = None
        self.view.complain_in_view("second")
        self.assertEqual(self.texts()[1:], ["first", "second"])

    def test_opening(self) -> None:
        """A chat that is loaded is open at once; another one is being opened until its page is there."""
        chat = self.view.open_chat("GLOBAL")
        self.assertIs(self.view.opening, chat)
        self.load(message("one", seq=1))
        self.view.go_home()
        self.view.open_chat("GLOBAL")
        self.assertIsNone(self.view.opening)

    def test_seen_timed(self) -> None:
        """Unread timed messages are seen with the end of the chat, whose last number was read before."""
        self.load(message("one", seq=1))
        chat = self.view.open_chat("GLOBAL")
        chat.all_read()
        chat.unread = 1
        self.assertEqual(self.view.seen(), ("GLOBAL", 1))
        self.assertEqual(chat.unread, 0)

    def test_found(self) -> None:
        """Search results are listed newest first."""
        self.view.show_found(events.Found([message("two", seq=2), message("one", seq=1)], True), "o")
        self.assertEqual([item.text for item in self.view.found], ["two", "one"])
        self.assertIn("more", self.view.found_for)
        self.assertIs(self.view.here, self.view.own)
        self.view.show_found(events.Found([message("mine", seq=3, sender="alice"), message("one", seq=1)], False), "o")
        self.assertEqual([item.own for item in self.view.found], [True, False])

    def test_found_titles(self) -> None:
        """The title of results has the words or another text, and asks for more words only where there are words."""
        none = events.Found([], False)
        self.view.show_found(none, "lunch\x1b")
        self.assertEqual(self.view.found_for, "lunch\u241b")
        self.view.show_found(none, "lunch", "pins of *team")
        self.assertEqual(self.view.found_for, "pins of *team")
        for words, more in (("lunch", "pins — there is more: use more words"), ("", "pins — there is more")):
            self.view.show_found(events.Found([], True), words, "pins")
            self.assertEqual(self.view.found_for, more)

    def test_found_leaves_the_chat(self) -> None:
        """Results replace the open chat, which is left: its line and the manual go, and the pane is at its end."""
        self.view.apply(message("one", seq=1), 0.0)
        chat = self.view.open_chat("GLOBAL")
        self.assertEqual(chat.line, 0)
        self.view.pane.show((1, 0, 0))
        self.view.manual = 0
        self.view.show_found(events.Found([], False), "o")
        self.assertEqual((chat.line, self.view.manual, self.view.pane.follows), (None, None, True))

    def test_manual_moves(self) -> None:
        """The manual moves down by rows, and up to its first one. It is not opened by that."""
        self.view.scroll_manual(3)
        self.assertIsNone(self.view.manual)
        self.view.manual = 0
        for by, first in ((3, 3), (2, 5), (-4, 1), (-4, 0)):
            self.view.scroll_manual(by)
            self.assertEqual(self.view.manual, first)

    def test_found_choices(self) -> None:
        """The cursor is over the results, or over the chats while their list is open."""
        self.view.show_found(events.Found([message("one", seq=1)], False), "o")
        self.assertEqual(self.view.choices(), self.view.found)
        self.view.begin_filter()
        self.assertEqual(self.view.choices(), ["GLOBAL", "@bob"])
        lost = ChatState("*team")
        lost.gone = "why"
        self.view.chats.gone.append(lost)
        self.assertEqual(self.view.choices(), ["GLOBAL", "@bob", lost])

    def test_marked_words(self) -> None:
        """A result has the searched words marked, and the key of its place in the list."""
        self.view.show_found(events.Found([message("two cups", seq=2), message("one cup", seq=1)], False), "two")
        first, second = self.view.found
        assert first.hit is not None
        self.assertEqual(list(first.hit.pieces(0, 8)), [("two", True), (" cups", False)])
        self.assertEqual((first.key, second.key), ((0, 0, 0), (1, 0, 0)))
