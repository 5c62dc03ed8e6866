"""Reading: opening chats, paging, searching, and read markers of hidden screens."""

from irchat.client.view.navigation import Place
from irchat.protocol import events, requests
from tests.client.control.test_controller import ControllerCase as _ControllerCase
from tests.helpers.client_fakes import FakeServer, error, message, welcome


class ReadingTests(_ControllerCase):
    """Opening, paging, reading."""

    def test_what_is_seen_is_read(self) -> None:
        """Visible messages are reported as read within a second, hidden ones are not."""
        self.open("@bob", message("hi", chat="@bob", seq=1))
        self.server.tell(message("ho", chat="@bob", seq=2))
        self.clock.advance(1.0)
        self.assertEqual(self.asked(), [requests.Read(chat="@bob", seq=2)])
        self.controller.hidden = True
        self.server.tell(message("hu", chat="@bob", seq=3))
        self.clock.advance(1.0)
        self.assertEqual((self.asked(), self.view.unread), ([], 1))

    def test_much_unread(self) -> None:
        """All unread messages are loaded, up to one page."""
        self.view.chat("@bob").unread = 300
        self.controller.open("@bob")
        self.assertEqual(self.asked(), [requests.History(chat="@bob", limit=330)])

    def test_choosing(self) -> None:
        """Enter on an empty line opens the chosen unread chat, or the latest one, or none."""
        self.controller.home()
        self.submit("")
        self.assertIs(self.view.place, Place.HOME)
        self.server.tell(message("hi", chat="@bob", seq=1))
        self.controller.home()
        self.submit("")
        self.assertEqual(self.view.here.name, "@bob")
        self.controller.home()
        self.view.chat("@bob").all_read()
        self.controller.changed()
        self.submit("")
        self.assertEqual(self.view.here.name, "@bob")

    def test_older(self) -> None:
        """At the top older messages are loaded, one page at a time, until there are none."""
        self.open("@bob", message("hi", chat="@bob", seq=9), more=True)
        self.controller.page_up(moved=True)
        self.assertEqual(self.asked(), [])
        self.controller.page_up(moved=False)
        self.controller.page_up(moved=False)
        self.assertEqual(self.asked(), [requests.History(chat="@bob", before=9, limit=100)])
        self.server.answer(events.History("@bob", [message("old", chat="@bob", seq=8)], False))
        self.controller.page_up(moved=False)
        self.assertEqual((self.asked(), self.texts()), ([], ["old", "hi"]))

    def test_a_page_is_refused(self) -> None:
        """If a page cannot be loaded, the user sees an error."""
        self.controller.open("*gone")
        self.server.answer(error("no-such-group", "No such group."))
        self.assertEqual(self.texts(), ["No such group."])

    def test_ls(self) -> None:
        """``ls @bob`` opens the chat, also by a bare name."""
        self.submit("ls bob")
        self.assertEqual(self.asked(), [requests.History(chat="bob", limit=100)])
        self.server.answer(events.History("@bob", [message("hi", chat="@bob", seq=1)], False))
        self.assertEqual((self.view.here.name, self.texts()), ("@bob", ["hi"]))
        self.submit("ls @bob")
        self.server.answer(events.History("@bob", [message("hi", chat="@bob", seq=1)], False))
        self.assertEqual(self.texts(), ["hi"])

    def test_search(self) -> None:
        """A search result opens in its chat, from which the user can return to the end."""
        self.submit("?old")
        self.assertEqual(self.asked(), [requests.Search(words="old")])
        self.server.answer(events.Found([message("old one", chat="@bob", seq=5)], False))
        self.submit("")
        page = events.History
        self.assertEqual(self.asked(), [requests.History(chat="@bob", before=6, limit=50)])
        self.server.answer(page("@bob", [message("old one", chat="@bob", seq=5)], True))
        self.server.answer(page("@bob", [message("next", chat="@bob", seq=6)], True))
        chat = self.view.here
        self.assertEqual((self.texts(), chat.marked, chat.newer), (["old one", "next"], 5, True))
        self.view.pane.to_end()
        self.controller.page_down()
        self.assertEqual(self.asked(), [requests.History(chat="@bob", after=6, limit=500)])
        self.server.answer(page("@bob", [message("seven", chat="@bob", seq=7)], True))
        self.controller.to_end()
        self.assertEqual(self.asked(), [requests.History(chat="@bob", limit=100)])
        self.server.answer(page("@bob", [message("nine", chat="@bob", seq=9)], True))
        self.assertEqual((self.texts(), chat.newer), (["nine"], False))
        self.controller.page_down()
        self.assertEqual(self.asked(), [])

    def find(self, found: events.Message) -> None:
        """Search, and open a result."""
        self.submit("?old")
        self.server.answer(events.Found([found], False))
        self.submit("")

    def test_back(self) -> None:
        """Leaving the results returns to the previous place."""
        self.controller.home()
        self.view.open = None
        self.submit("?old")
        self.server.answer(events.Found([], False))
        self.controller.back()
        self.assertIs(self.view.place, Place.HOME)
        self.open("@bob")
        self.submit("?old")
        self.server.answer(events.Found([], False))
        self.assertIs(self.view.place, Place.FOUND)
        self.controller.back()
        self.assertEqual((self.view.place, self.view.here.name), (Place.CHAT, "@bob"))

    def test_search_of_what_is_loaded(self) -> None:
        """Loaded messages are not loaded again."""
        self.open("@bob", message("old one", chat="@bob", seq=5))
        self.find(message("old one", chat="@bob", seq=5))
        self.assertEqual((self.view.here.name, self.asked()), ("@bob", []))

    def test_found_at_the_end(self) -> None:
        """A result near the end shows the end and is read; any other result is shown itself."""
        self.view.pane.height = 20
        self.find(message("old one", chat="@bob", seq=5))
        self.server.answer(events.History("@bob", [message("old one", chat="@bob", seq=5)], False))
        self.server.answer(events.History("@bob", [message("next", chat="@bob", seq=6)], False))
        self.assertTrue(self.view.pane.follows)
        self.find(message("old one", chat="*x", seq=5))
        self.server.answer(events.History("*x", [message("old one", chat="*x", seq=5)], False))
        later = [message("next", chat="*x", seq=seq) for seq in range(6, 26)]
        self.server.answer(events.History("*x", later, False))
        self.assertFalse(self.view.pane.follows)

    def test_found_and_gone(self) -> None:
        """If a result can no longer be loaded, the user sees an error."""
        self.find(message("old one", chat="*x", seq=5))
        self.server.answer(error("no-such-group", "Gone."), error("no-such-group", "Gone."))
        self.assertEqual(self.texts(), ["Gone."])


class WantedTests(_ControllerCase):
    """Messages that others answer."""

    def test_fetched(self) -> None:
        """A wanted message is requested once, 20 around it, and not again while the reply is pending."""
        self.open("@bob")
        chat = self.view.here
        self.asked()
        for _ in range(2):
            self.view.quoted(chat, 3)
            self.controller.drawn()
        self.assertEqual(self.asked(), [requests.History(chat="@bob", around=3, limit=20)])
        self.server.answer(events.History("@bob", [message("tea?", chat="@bob", seq=3)], False))
        item = chat.stored(3)
        assert item is not None
        self.assertEqual((item.text, self.view.wanted), ("tea?", {}))

    def test_refused_or_lost(self) -> None:
        """A refusal means that it cannot be had. After a loss it is requested again."""
        self.open("@bob")
        chat = self.view.here
        self.view.quoted(chat, 3)
        self.controller.drawn()
        self.lose()
        self.view.quoted(chat, 3)
        self.assertEqual((chat.quoting, self.view.wanted), (False, {chat: 3}))
        self.view.wanted.clear()
        self.view.page_of_quotes(chat, 3, None)
        self.assertIsNone(self.view.quoted(chat, 3))
        self.assertEqual(self.view.wanted, {})


class UnreadTests(_ControllerCase):
    """Loading a chat with unread messages."""

    def test_more_than_a_page(self) -> None:
        """Of more unread messages than a page has, the first are loaded, with some before them."""
        self.view.list_chats(events.Chats([events.Chat("@bob", "id", 900, 1_000, 100, None)]))
        self.asked()
        self.controller.open("@bob")
        self.assertEqual(self.asked(), [requests.History(chat="@bob", before=101, limit=30)])
        self.server.answer(events.History("@bob", [message("read", chat="@bob", seq=100)], True))
        self.assertEqual(self.asked(), [requests.History(chat="@bob", after=100, limit=500)])
        later = [message(f"m{seq}", chat="@bob", seq=seq) for seq in range(101, 601)]
        self.server.answer(events.History("@bob", later, True))
        self.clock.advance(1)
        self.assertEqual((self.view.here.first_seq, self.view.here.newer, self.view.here.line), (100, True, 100))
        self.assertEqual(self.asked(), [requests.Read(chat="@bob", seq=119)])
        self.assertEqual(self.view.here.unread, 881)

    def test_end_of_more_than_a_page(self) -> None:
        """End shows the end of a chat, however much is unread."""
        self.open_much_unread()
        self.load_unread()
        self.assertFalse(self.view.pane.follows)
        self.go_to_end()

    def test_end_while_loading(self) -> None:
        """End counts also while the first unread messages are being loaded."""
        self.open_much_unread()
        self.controller.to_end()
        self.load_unread()
        self.assertTrue(self.view.pane.follows)
        self.go_to_end()

    def open_much_unread(self) -> None:
        """Open a chat with 900 unread messages."""
        self.view.list_chats(events.Chats([events.Chat("@bob", "id", 900, 1_000, 100, None)]))
        self.controller.open("@bob")

    def load_unread(self) -> None:
        """Answer with the first unread messages."""
        later = [message(f"m{seq}", chat="@bob", seq=seq) for seq in range(101, 601)]
        self.server.answer(events.History("@bob", [], True), events.History("@bob", later, True))
        self.asked()

    def go_to_end(self) -> None:
        """Press End, and let the server answer."""
        self.controller.to_end()
        self.assertEqual(self.asked(), [requests.History(chat="@bob", limit=100)])
        end = [message(f"m{seq}", chat="@bob", seq=seq) for seq in range(901, 1_001)]
        self.server.answer(events.History("@bob", end, True))
        self.assertEqual((self.view.here.at_end, self.view.pane.follows), (True, True))

    def test_reloaded(self) -> None:
        """A chat that is loaded again, as after a block, stays at its end."""
        self.view.list_chats(events.Chats([events.Chat("@bob", "id", 50, 50, 0, None)]))
        page = events.History("@bob", [message(f"m{seq}", chat="@bob", seq=seq) for seq in range(1, 51)], False)
        self.asked()
        self.controller.open("@bob")
        self.server.answer(page)
        self.assertFalse(self.view.pane.follows)
        self.controller.to_end()
        self.server.tell(events.Blocks(["carol"]))
        self.server.answer(events.Chats([events.Chat("@bob", "id", 0, 50, 50, None)]), page)
        self.assertEqual((self.view.here.at_end, self.view.pane.follows), (True, True))

    def test_after_a_loss(self) -> None:
        """Missed messages of the open chat are shown from the first one on, below a line."""
        self.open("@bob", message("one", chat="@bob", seq=1))
        self.lose()
        self.servers.append(FakeServer())
        self.clock.pump([1] * 10)
        self.server.answer(welcome(), events.Chats([events.Chat("@bob", "id", 99, 100, 1, None)]))
        self.server.answer(events.Users([], [], False), events.Blocks([]))
        missed = [message(f"m{seq}", chat="@bob", seq=seq) for seq in range(2, 101)]
        self.server.answer(events.History("@bob", missed, False))
        self.assertEqual((self.view.here.line, self.view.here.unread, self.view.pane.follows), (1, 80, False))
