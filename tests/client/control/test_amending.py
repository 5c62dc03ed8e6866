"""Changes of messages by the user and by others, and the catch-up after a reconnect."""

from irchat.protocol import events, requests
from tests.client.control.test_controller import ControllerCase
from tests.helpers.client_fakes import FakeServer, amended, message, welcome


class CatchUpTests(ControllerCase):
    """The requests after a reconnect."""

    def come_back(self, rev: int, name: str = "@bob") -> None:
        """Load @bob at rev 3, reconnect, and receive the list of chats with the rev of @bob."""
        self.controller.open(name)
        self.server.answer(events.History(name, [message("one", chat=name, seq=1)], False, 3))
        self.lose()
        self.servers.append(FakeServer())
        self.clock.pump([1] * 10)
        self.server.answer(welcome())
        self.asked()
        self.server.answer(events.Chats([events.Chat(name, "id", 0, 1, 0, None, rev)]))

    def test_nothing_changed(self) -> None:
        """If the rev is the same, only messages are requested."""
        self.come_back(3)
        self.assertEqual(self.asked(), [requests.History(chat="@bob", after=1, limit=500)])

    def test_changed(self) -> None:
        """Changes are requested until there are no more, then messages."""
        self.come_back(5)
        self.assertEqual(self.asked(), [requests.History(chat="@bob", after_rev=3, limit=500)])
        users = events.Users([], [], False), events.Blocks([])
        page = message("new", chat="@bob", seq=1, rev=4)
        self.server.answer(*users, events.History("@bob", [page], True, 4))
        self.assertEqual(self.texts(), ["new"])
        self.assertEqual(self.asked(), [requests.History(chat="@bob", after_rev=4, limit=500)])
        self.server.answer(events.History("@bob", [], False, 5, [1]))
        self.assertEqual(self.texts(), [])
        self.assertEqual(self.asked(), [requests.History(chat="@bob", after=0, limit=500)])
        self.assertEqual(self.view.here.rev, 5)

    def test_far_behind(self) -> None:
        """Over 1,000 changes behind, what is loaded is dropped and the end is loaded again."""
        self.come_back(1_004)
        self.assertEqual(self.asked(), [requests.History(chat="@bob", limit=100)])

    def test_page_without_end(self) -> None:
        """A server that always says "more" is not asked forever."""
        self.come_back(5)
        self.server.answer(events.Users([], [], False), events.Blocks([]), events.History("@bob", [], True, 3))
        self.assertEqual(self.asked(), [requests.History(chat="@bob", after=1, limit=500)])


class OwnChangesTests(ControllerCase):
    """Typed edits, deletions and marks."""

    def test_edit(self) -> None:
        """A typed edit is applied when the reply comes, and moves the rev like an event."""
        self.open("@bob", message("old", chat="@bob", seq=7, sender="alice"))
        self.asked()
        self.assertTrue(self.submit("#7= new").accepted)
        self.assertEqual(self.asked(), [requests.Amend(chat="@bob", seq=7, text="new")])
        self.server.answer(amended(chat="@bob", seq=7, rev=2, by="alice", text="new", edited="e"))
        self.assertEqual((self.texts(), self.view.here.rev), (["new"], 2))

    def test_older_server(self) -> None:
        """A server without the features is not asked, and its chats are not asked for changes."""
        self.view.features = frozenset()
        self.assertIn("older", self.submit("#7-").trouble)
        self.assertEqual(self.asked()[-1:], [])

    def test_by_others(self) -> None:
        """A change by others rings no bell. A deletion of an unknown unread message has the counts asked again."""
        self.server.tell(message("hi", chat="@bob", seq=1))
        self.told.clear()
        self.asked()
        self.server.tell(amended(chat="@bob", rev=1, mark="ok", on=True))
        self.server.tell(amended(chat="@bob", rev=2, deleted=True))
        self.clock.advance(1)
        self.assertEqual((self.told, self.asked()), ([], [requests.Chats()]))


class ShowTests(ControllerCase):
    """Opening a chat at a message or a day."""

    def test_number(self) -> None:
        """``#17`` opens the chat at that message, which is loaded if needed."""
        self.open("@bob", message("hi", chat="@bob", seq=99), more=True)
        self.asked()
        self.submit("#17")
        self.server.answer(events.History("@bob", [message("it", chat="@bob", seq=17)], True, 1))
        self.server.answer(events.History("@bob", [message("next", chat="@bob", seq=18)], True, 2))
        self.assertEqual((self.texts(), self.view.here.marked, self.view.here.rev), (["it", "next"], 17, 1))

    def test_number_unknown(self) -> None:
        """A number without a message is an error that says so."""
        self.open("@bob", message("hi", chat="@bob", seq=1))
        self.submit("#17")
        for _ in range(2):
            self.server.answer(events.History("@bob", [], False))
        self.assertIn("no message 17 in @bob", self.texts()[-1])

    def test_day(self) -> None:
        """``ls @bob`` with a day opens the chat there, with more in both directions."""
        self.asked()
        self.submit("ls bob 2026-03-01")
        (asked,) = self.asked()
        assert isinstance(asked, requests.History)
        self.assertEqual(asked.chat, "bob")
        self.server.answer(events.History("@bob", [message("then", chat="@bob", seq=50)], True))
        chat = self.view.here
        self.assertEqual((chat.name, self.texts(), chat.older, chat.newer), ("@bob", ["then"], True, True))

    def test_day_without_messages(self) -> None:
        """A day after the last message is an error that says so, and the end is loaded."""
        self.submit("ls @bob 2026-03-01")
        self.asked()
        self.server.answer(events.History("@bob", [], False))
        self.assertIn("no message in @bob from that day on", self.texts()[-1])
        self.assertEqual(self.asked(), [requests.History(chat="@bob", limit=100)])
