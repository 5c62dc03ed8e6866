"""The state of the screen: how each event changes it."""

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from irchat.client.view.chat_state import ITEMS_MAX, KEPT_ITEMS
from irchat.client.view.navigation import Place
from irchat.client.view.screen_state import ScreenState
from irchat.protocol import events
from tests.helpers.client_fakes import message, sent, welcome


class ScreenStateCase(SynchronousTestCase):
    def setUp(self) -> None:
        """A view of alice's, signed in, with GLOBAL and a chat with bob."""
        self.view = ScreenState("host:7667")
        self.view.welcome(welcome())
        self.view.list_chats(events.Chats([_chat("GLOBAL"), _chat("@bob")]))
        self.view.go_home()

    def texts(self, name: str = "GLOBAL") -> list[str]:
        """The texts that are loaded of a chat."""
        return [item.text for item in self.view.chat(name).items]

    def load(self, *messages: events.Message, name: str = "GLOBAL", more: bool = False, direction: int = 0) -> None:
        """A page comes."""
        self.view.page(events.History(name, list(messages), more), 0.0, direction=direction)


class MessageTests(ScreenStateCase):
    """Messages come and are read."""

    def test_unread(self) -> None:
        """Messages of others are counted, one's own are not and mark the chat read."""
        self.view.apply(message("one", seq=1), 0.0)
        self.view.apply(message("two", seq=2), 0.0)
        self.assertEqual((self.view.chat("GLOBAL").unread, self.view.unread), (2, 2))
        self.view.apply(message("mine", seq=3, sender="alice"), 0.0)
        self.assertEqual((self.view.unread, self.view.chat("GLOBAL").read_seq), (0, 3))

    def test_only_loaded_chats_keep_texts(self) -> None:
        """What comes in a chat that is not loaded is counted and not kept."""
        self.view.apply(message("one", seq=1), 0.0)
        self.assertEqual(self.texts(), [])
        self.load(message("one", seq=1))
        self.view.apply(message("two", seq=2), 0.0)
        self.assertEqual(self.texts(), ["one", "two"])

    def test_twice(self) -> None:
        """A message that comes twice is there once."""
        self.load(message("one", seq=1))
        self.view.apply(message("one", seq=1), 0.0)
        self.load(message("one", seq=1))
        self.assertEqual((self.texts(), self.view.unread), (["one"], 0))

    def test_while_loading(self) -> None:
        """What comes while a page is on its way is kept until the page is there, in order."""
        self.view.chat("GLOBAL").loading = True
        self.view.apply(message("two", seq=2), 0.0)
        self.load(message("one", seq=1))
        self.assertEqual(self.texts(), ["one", "two"])

    def test_pages(self) -> None:
        """Older and newer pages join what is loaded; while newer ones are missing, what comes is not added."""
        self.load(message("three", seq=3), more=True)
        self.assertTrue(self.view.chat("GLOBAL").older)
        self.load(message("one", seq=1), message("two", seq=2), direction=-1)
        self.load(message("four", seq=4), more=True, direction=1)
        self.view.apply(message("nine", seq=9), 0.0)
        self.assertEqual(self.texts(), ["one", "two", "three", "four"])
        self.load(message("nine", seq=9), direction=1)
        self.assertEqual(self.texts()[-1], "nine")
        self.assertEqual((self.view.chat("GLOBAL").first_seq, self.view.chat("GLOBAL").end_seq), (1, 9))

    def test_around(self) -> None:
        """The part around a message takes the place of what was loaded."""
        self.load(message("nine", seq=9))
        page = events.History
        self.view.page_around(
            "GLOBAL", page("GLOBAL", [message("three", seq=3)], True), page("GLOBAL", [message("four", seq=4)], True), 0
        )
        chat = self.view.chat("GLOBAL")
        self.assertEqual((self.texts(), chat.older, chat.newer), (["three", "four"], True, True))

    def test_seen(self) -> None:
        """The end of the open chat is read when it shows, and not while the pane is elsewhere."""
        self.view.apply(message("one", seq=1), 0.0)
        self.view.open_chat("GLOBAL")
        self.assertIsNone(self.view.seen())
        self.load(message("one", seq=1))
        self.view.pane.show((1, 0, 0))
        self.assertIsNone(self.view.seen())
        self.view.pane.to_end()
        self.view.filter = ""
        self.assertIsNone(self.view.seen())
        self.view.filter = None
        self.assertEqual(self.view.seen(), ("GLOBAL", 1))
        self.assertIsNone(self.view.seen())

    def test_unread_line(self) -> None:
        """On opening, what is unread begins at the line, which goes when the chat is left."""
        self.view.apply(message("one", seq=1), 0.0)
        self.assertEqual(self.view.open_chat("GLOBAL").line, 0)
        self.view.go_home()
        self.assertIsNone(self.view.chat("GLOBAL").line)
        self.assertIsNone(self.view.open_chat("@bob").line)

    def test_kept(self) -> None:
        """A chat that shows its end keeps a bounded number of items, and can load the others again."""
        self.load()
        for seq in range(1, KEPT_ITEMS + 11):
            self.view.apply(message("x", seq=seq), 0.0)
        chat = self.view.chat("GLOBAL")
        self.assertEqual((len(chat.items), chat.older, chat.first_seq), (KEPT_ITEMS, True, 11))

    def test_kept_elsewhere(self) -> None:
        """While the user looks at what is long ago, what comes is not kept without end either."""
        self.load(message("first", seq=1))
        self.view.open_chat("GLOBAL")
        self.view.pane.show((1, 0, 0))
        for seq in range(2, ITEMS_MAX + 10):
            self.view.apply(message("x", seq=seq), 0.0)
        chat = self.view.chat("GLOBAL")
        self.assertEqual((len(chat.items), chat.newer, chat.last_seq), (ITEMS_MAX, True, ITEMS_MAX + 9))

    def test_timed_moves_no_seq(self) -> None:
        """A timed message leaves the last seq of an empty chat at 0, and the place of the first stored message free."""
        self.load()
        self.view.apply(message("psst", id="t1", left_ms=30_000), 0.0)
        chat = self.view.chat("GLOBAL")
        self.assertEqual((chat.last_seq, chat.read_seq, chat.unread), (0, 0, 1))
        self.view.apply(message("psst too", id="t2", left_ms=30_000, sender="alice"), 0.0)
        self.assertEqual((chat.last_seq, chat.read_seq), (0, 0))
        self.view.apply(message("one", seq=1), 0.0)
        self.assertEqual((chat.last_seq, self.texts()), (1, ["psst", "psst too", "one"]))

    def test_forgotten_alone(self) -> None:
        """Forgetting a note or a timed message leaves stored messages known; forgetting one of these frees its seq."""
        self.load(message("one", seq=1))
        self.view.open_chat("GLOBAL")
        self.view.note("a note")
        self.view.apply(message("psst", id="t1", left_ms=30_000), 0.0)
        chat = self.view.chat("GLOBAL")
        first, *others = chat.items
        chat.forget(others)
        self.assertEqual((self.texts(), chat.has(1)), (["one"], True))
        self.view.apply(message("one", seq=1), 0.0)
        self.assertEqual(self.texts(), ["one"])
        chat.forget([first])
        self.assertEqual((self.texts(), chat.has(1)), ([], False))

    def test_forgotten_timed_comes_again(self) -> None:
        """A timed message that was forgotten is shown again when the server sends it again."""
        self.load()
        self.view.apply(message("psst", id="t1", left_ms=30_000), 0.0)
        chat = self.view.chat("GLOBAL")
        chat.forget(list(chat.items))
        self.view.apply(message("psst", id="t1", left_ms=30_000), 0.0)
        self.assertEqual(self.texts(), ["psst"])

    def test_read_to_the_end(self) -> None:
        """A chat read to its last message or beyond needs no question to the server, whatever is loaded of it."""
        chat = self.view.chat("@bob")
        for seq in (3, 4):
            chat.unread, chat.last_seq, chat.read_seq = 3, 3, 0
            self.assertIs(chat.read_to(seq), True)
            self.assertEqual((chat.unread, chat.read_seq), (0, seq))

    def test_read_elsewhere(self) -> None:
        """What another session of the user read is read."""
        self.view.apply(message("one", seq=1), 0.0)
        self.view.apply(events.Read("GLOBAL", 0), 0.0)
        self.assertEqual(self.view.unread, 1)
        self.view.apply(events.Read("GLOBAL", 1), 0.0)
        self.assertEqual(self.view.unread, 0)


class SendingTests(ScreenStateCase):
    """Messages on their way."""

    def test_pending_then_sent(self) -> None:
        """A message is pending at the end, and takes its place when it is sent."""
        self.load(message("one", seq=1))
        self.view.chat("GLOBAL").add_pending("mine", "alice", "n1", None)
        self.view.apply(message("two", seq=2), 0.0)
        self.assertEqual(self.texts(), ["one", "two", "mine"])
        self.view.sent(self.view.chat("GLOBAL"), "n1", sent(seq=3), 0.0)
        items = self.view.chat("GLOBAL").items
        self.assertEqual([(item.text, item.seq, item.own) for item in items][-1], ("mine", 3, True))
        self.assertEqual(self.view.unread, 0)

    def test_sent_to_a_chat_not_loaded(self) -> None:
        """What was sent to a chat that is not loaded is not shown as its only message."""
        self.view.chat("@bob").add_pending("mine", "alice", "n1", None)
        self.view.sent(self.view.chat("@bob"), "n1", sent(chat="@bob", seq=3), 0.0)
        self.assertEqual(self.texts("@bob"), [])

    def test_timed(self) -> None:
        """A timed message ends when the client's own clock says so, even if the server counts from later."""
        self.load()
        self.view.chat("GLOBAL").add_pending("psst", "alice", "n1", 30.0)
        self.view.sent(self.view.chat("GLOBAL"), "n1", sent(id="t1", left_ms=30_000), 2.0)
        self.assertEqual(self.view.expire(29.9), 30.0)
        self.assertEqual(self.texts(), ["psst"])
        self.assertIsNone(self.view.expire(30.0))
        self.assertEqual(self.texts(), [])

    def test_timed_never_sent(self) -> None:
        """A timed message that could not be sent in its time is gone all the same."""
        self.view.chat("GLOBAL").add_pending("psst", "alice", "n1", 3.0)
        self.view.expire(3.0)
        self.assertEqual(self.texts(), [])


class PeopleTests(ScreenStateCase):
    """Who is there, and in which groups."""

    def test_presence(self) -> None:
        """Who comes and goes is online and is not."""
        self.view.apply(events.Presence(["bob", "carol"], []), 0.0)
        self.view.apply(events.Presence([], ["bob"]), 0.0)
        self.assertEqual((list(self.view.online), self.view.online_count), (["alice", "carol"], 2))
        self.assertIn("bob", self.view.known)

    def test_group(self) -> None:
        """Who is added has the group; who is removed is told, and sees the open chat until leaving it."""
        self.view.apply(events.Added("*team", "g1", "alice", "bob", "bob"), 0.0)
        self.view.apply(events.Added("*team", "g1", "carol", "bob", "bob"), 0.0)
        self.assertEqual(self.texts("*team"), ["bob added alice to *team", "bob added carol to *team"])
        self.view.apply(events.Removed("*team", "g1", "carol", "bob", "bob"), 0.0)
        self.view.open_chat("*team")
        self.view.apply(events.Removed("*team", "g1", "alice", "bob", "bob"), 0.0)
        self.assertNotIn("*team", self.view.chats)
        self.assertIs(self.view.place, Place.CHAT)
        self.assertEqual(self.view.open.items[-1].text, "bob removed alice from *team")
        self.assertEqual(self.view.chats.gone, [self.view.open])
        self.view.go_home()
        self.assertEqual(self.view.chats.gone, [])
        self.view.apply(events.Removed("*team", "g1", "alice", "bob", "bob"), 0.0)

    def test_new_group_of_an_old_name(self) -> None:
        """A new group with an old name has nothing of the old one."""
        self.view.apply(events.Added("*team", "g1", "alice", "bob", "bob"), 0.0)
        self.load(message("old", seq=1, chat="*team"), name="*team")
        self.view.apply(events.Added("*team", "g2", "alice", "bob", "bob"), 0.0)
        self.assertEqual(self.texts("*team"), ["bob added alice to *team"])
        self.view.list_chats(events.Chats([_chat("*team", "g3")]))
        self.assertEqual(self.texts("*team"), [])
        self.view.list_chats(events.Chats([]))
        self.assertEqual(list(self.view.chats), ["GLOBAL", "@bob"])

    def test_blocks(self) -> None:
        """When blocks change, what was loaded is loaded again."""
        self.load(message("one", seq=1))
        self.view.apply(events.Blocks([]), 0.0)
        self.assertEqual(self.texts(), ["one"])
        self.view.apply(events.Blocks(["bob"]), 0.0)
        self.assertEqual((self.texts(), self.view.chat("GLOBAL").loaded), ([], False))

    def test_loaded_again(self) -> None:
        """What was unloaded, after a block or by a jump, shows when it is loaded again."""
        self.load(message("one", seq=1))
        self.view.apply(events.Blocks(["bob"]), 0.0)
        self.load(message("one", seq=1))
        self.assertEqual(self.texts(), ["one"])
        page = events.History("GLOBAL", [message("one", seq=1)], False)
        self.view.page_around("GLOBAL", page, events.History("GLOBAL", [], False), 0.0)
        self.assertEqual(self.texts(), ["one"])

    def test_forgotten_twice(self) -> None:
        """An item that is gone already takes no other with it."""
        self.load(message("one", seq=1), message("two", seq=2))
        chat = self.view.chat("GLOBAL")
        gone = chat.items[0]
        chat.forget([gone])
        chat.forget([gone])
        self.assertEqual(self.texts(), ["two"])

    def test_goodbye(self) -> None:
        """The server's reason is shown in place."""
        self.view.open_chat("@bob")
        self.view.apply(events.Bye("the server stops"), 0.0)
        self.assertEqual(self.texts("@bob"), ["The server says goodbye: the server stops"])

    def test_welcome_again(self) -> None:
        """After a lost line unread counts are the server's, and what is loaded has to be brought up to date."""
        self.load(message("one", seq=1))
        self.view.welcome(welcome())
        self.assertTrue(self.view.chat("GLOBAL").stale)
        self.load(message("two", seq=2), direction=1)
        self.assertFalse(self.view.chat("GLOBAL").stale)


class EpochTests(ScreenStateCase):
    """The server's data went back to a backup."""

    def test_all_is_loaded_anew(self) -> None:
        """What was loaded is forgotten, counts and markers too; what is being sent and what is typed stay."""
        self.load(message("one", seq=1))
        chat = self.view.chat("GLOBAL")
        chat.add_pending("mine", "alice", "n", None)
        chat.has_draft = True
        self.view.welcome(msgspec.structs.replace(welcome(), epoch="2"))
        self.assertEqual((self.texts(), chat.last_seq, chat.read_seq, chat.has_draft), (["mine"], 0, 0, True))
        self.view.list_chats(events.Chats([_chat("GLOBAL")]))
        self.view.apply(message("another one", seq=1), 0.0)
        self.assertEqual(chat.unread, 1)

    def test_same_epoch(self) -> None:
        """A new connection to the same data forgets nothing."""
        self.load(message("one", seq=1))
        self.view.welcome(welcome())
        self.assertEqual(self.texts(), ["one"])


def _chat(name: str, chat_id: str = "id") -> events.Chat:
    return events.Chat(name, chat_id, 0, 0, 0, None)
