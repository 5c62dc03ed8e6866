"""The state of the screen, and its changes by events."""

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from irchat.client.view.chat_state import ITEMS_MAX, KEPT_ITEMS
from irchat.client.view.navigation import Place
from irchat.client.view.screen_state import ScreenState
from irchat.protocol import events
from tests.helpers.client_fakes import message, sent, welcome


class ScreenStateCase(SynchronousTestCase):
    def setUp(self) -> None:
        """A signed-in view of alice, with GLOBAL and a chat with bob."""
        self.view = ScreenState("host:7667")
        self.view.welcome(welcome())
        self.view.list_chats(events.Chats([_chat("GLOBAL"), _chat("@bob")]))
        self.view.go_home()

    def texts(self, name: str = "GLOBAL") -> list[str]:
        """Return the loaded texts of a chat."""
        return [item.text for item in self.view.chat(name).items]

    def load(self, *messages: events.Message, name: str = "GLOBAL", more: bool = False, direction: int = 0) -> None:
        """Receive a page."""
        self.view.page(events.History(name, list(messages), more), 0.0, direction=direction)


class MessageTests(ScreenStateCase):
    """Receiving and reading messages."""

    def test_unread(self) -> None:
        """Messages of others are counted. The user's own are not, and mark the chat read."""
        self.view.apply(message("one", seq=1), 0.0)
        self.view.apply(message("two", seq=2), 0.0)
        self.assertEqual((self.view.chat("GLOBAL").unread, self.view.unread), (2, 2))
        self.view.apply(message("mine", seq=3, sender="alice"), 0.0)
        self.assertEqual((self.view.unread, self.view.chat("GLOBAL").read_seq), (0, 3))

    def test_only_loaded_chats_keep_texts(self) -> None:
        """Messages in a chat that is not loaded are counted and not kept."""
        self.view.apply(message("one", seq=1), 0.0)
        self.assertEqual(self.texts(), [])
        self.load(message("one", seq=1))
        self.view.apply(message("two", seq=2), 0.0)
        self.assertEqual(self.texts(), ["one", "two"])

    def test_twice(self) -> None:
        """A message received twice is kept once."""
        self.load(message("one", seq=1))
        self.view.apply(message("one", seq=1), 0.0)
        self.load(message("one", seq=1))
        self.assertEqual((self.texts(), self.view.unread), (["one"], 0))

    def test_while_loading(self) -> None:
        """Messages received while a page is loading are kept until the page arrives, in order."""
        self.view.chat("GLOBAL").loading = True
        self.view.apply(message("two", seq=2), 0.0)
        self.load(message("one", seq=1))
        self.assertEqual(self.texts(), ["one", "two"])

    def test_pages(self) -> None:
        """Older and newer pages extend the loaded part. While newer ones are missing, new messages are not added."""
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
        """The part around a message replaces the loaded part."""
        self.load(message("nine", seq=9))
        page = events.History
        self.view.page_around(
            "GLOBAL", page("GLOBAL", [message("three", seq=3)], True), page("GLOBAL", [message("four", seq=4)], True), 0
        )
        chat = self.view.chat("GLOBAL")
        self.assertEqual((self.texts(), chat.older, chat.newer), (["three", "four"], True, True))

    def test_seen(self) -> None:
        """The end of the open chat is read when it is visible, but not while the pane is elsewhere."""
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
        """After opening, unread messages begin at the line, which disappears when the chat is left."""
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
        """While the user looks at old messages, the number of kept new ones is bounded too."""
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
        """Forgetting a note or a timed message keeps stored messages known. Forgetting a stored one frees its seq."""
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
        """A forgotten timed message is shown again if the server sends it again."""
        self.load()
        self.view.apply(message("psst", id="t1", left_ms=30_000), 0.0)
        chat = self.view.chat("GLOBAL")
        chat.forget(list(chat.items))
        self.view.apply(message("psst", id="t1", left_ms=30_000), 0.0)
        self.assertEqual(self.texts(), ["psst"])

    def test_read_to_the_end(self) -> None:
        """A chat read to its last message or beyond needs no request for its count, whatever is loaded."""
        chat = self.view.chat("@bob")
        for seq in (3, 4):
            chat.unread, chat.last_seq, chat.read_seq = 3, 3, 0
            self.assertIs(chat.read_to(seq), True)
            self.assertEqual((chat.unread, chat.read_seq), (0, seq))

    def test_read_elsewhere(self) -> None:
        """Messages read by another session of the user are read."""
        self.view.apply(message("one", seq=1), 0.0)
        self.view.apply(events.Read("GLOBAL", 0), 0.0)
        self.assertEqual(self.view.unread, 1)
        self.view.apply(events.Read("GLOBAL", 1), 0.0)
        self.assertEqual(self.view.unread, 0)


class SendingTests(ScreenStateCase):
    """Sending messages."""

    def test_pending_then_sent(self) -> None:
        """A message is pending at the end, and moves to its place when it is sent."""
        self.load(message("one", seq=1))
        self.view.chat("GLOBAL").add_pending("mine", "alice", "n1", None)
        self.view.apply(message("two", seq=2), 0.0)
        self.assertEqual(self.texts(), ["one", "two", "mine"])
        self.view.sent(self.view.chat("GLOBAL"), "n1", sent(seq=3), 0.0)
        items = self.view.chat("GLOBAL").items
        self.assertEqual([(item.text, item.seq, item.own) for item in items][-1], ("mine", 3, True))
        self.assertEqual(self.view.unread, 0)

    def test_sent_to_a_chat_not_loaded(self) -> None:
        """A message sent to a chat that is not loaded is not shown as its only message."""
        self.view.chat("@bob").add_pending("mine", "alice", "n1", None)
        self.view.sent(self.view.chat("@bob"), "n1", sent(chat="@bob", seq=3), 0.0)
        self.assertEqual(self.texts("@bob"), [])

    def test_timed(self) -> None:
        """A timed message ends by the client's own clock, even if the server starts counting later."""
        self.load()
        self.view.chat("GLOBAL").add_pending("psst", "alice", "n1", 30.0)
        self.view.sent(self.view.chat("GLOBAL"), "n1", sent(id="t1", left_ms=30_000), 2.0)
        self.assertEqual(self.view.expire(29.9), 30.0)
        self.assertEqual(self.texts(), ["psst"])
        self.assertIsNone(self.view.expire(30.0))
        self.assertEqual(self.texts(), [])

    def test_timed_never_sent(self) -> None:
        """A timed message that expired unsent disappears all the same."""
        self.view.chat("GLOBAL").add_pending("psst", "alice", "n1", 3.0)
        self.view.expire(3.0)
        self.assertEqual(self.texts(), [])


class PeopleTests(ScreenStateCase):
    """Presence and groups."""

    def test_presence(self) -> None:
        """Users go online and offline."""
        self.view.apply(events.Presence(["bob", "carol"], []), 0.0)
        self.view.apply(events.Presence([], ["bob"]), 0.0)
        self.assertEqual((list(self.view.online), self.view.online_count), (["alice", "carol"], 2))
        self.assertIn("bob", self.view.known)

    def test_group(self) -> None:
        """An added user has the group. A removed one sees a note, and the open chat until leaving it."""
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
        """When blocks change, loaded messages are loaded again."""
        self.load(message("one", seq=1))
        self.view.apply(events.Blocks([]), 0.0)
        self.assertEqual(self.texts(), ["one"])
        self.view.apply(events.Blocks(["bob"]), 0.0)
        self.assertEqual((self.texts(), self.view.chat("GLOBAL").loaded), ([], False))

    def test_loaded_again(self) -> None:
        """Messages unloaded after a block or a jump are visible when they are loaded again."""
        self.load(message("one", seq=1))
        self.view.apply(events.Blocks(["bob"]), 0.0)
        self.load(message("one", seq=1))
        self.assertEqual(self.texts(), ["one"])
        page = events.History("GLOBAL", [message("one", seq=1)], False)
        self.view.page_around("GLOBAL", page, events.History("GLOBAL", [], False), 0.0)
        self.assertEqual(self.texts(), ["one"])

    def test_forgotten_twice(self) -> None:
        """Removing an item that is gone removes no other."""
        self.load(message("one", seq=1), message("two", seq=2))
        chat = self.view.chat("GLOBAL")
        gone = chat.items[0]
        chat.forget([gone])
        chat.forget([gone])
        self.assertEqual(self.texts(), ["two"])

    def test_goodbye(self) -> None:
        """The server's reason is shown in the chat."""
        self.view.open_chat("@bob")
        self.view.apply(events.Bye("the server stops"), 0.0)
        self.assertEqual(self.texts("@bob"), ["The server says goodbye: the server stops"])

    def test_welcome_again(self) -> None:
        """After a lost connection unread counts come from the server, and loaded chats are stale."""
        self.load(message("one", seq=1))
        self.view.welcome(welcome())
        self.assertTrue(self.view.chat("GLOBAL").stale)
        self.load(message("two", seq=2), direction=1)
        self.assertFalse(self.view.chat("GLOBAL").stale)


class EpochTests(ScreenStateCase):
    """The server was restored from a backup."""

    def test_all_is_loaded_anew(self) -> None:
        """Loaded messages, counts and markers are forgotten. Pending messages and typed text stay."""
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
