"""The last seq of a chat for each reader, with blocks and late members; and times that never decrease."""

from irchat.protocol import events
from irchat.protocol.errors import Code
from tests.helpers.chat import WorldTestCase


class EndTests(WorldTestCase):
    """Alice blocks bob, and carol writes too."""

    def chat_of(self, name: str, label: str = "GLOBAL") -> events.Chat:
        """Return a chat as listed."""
        return next(chat for chat in self.done(self.world.chats(name)).chats if chat.chat == label)

    def read(self, name: str, chat: str, seq: int) -> None:
        """Move a marker."""
        self.done(self.world.chat.reading.mark(self.world[name], chat, seq, None))

    def test_list_does_not_move(self) -> None:
        """Nothing in a user's list changes by a message hidden from them, in either direction."""
        self.group("team", "alice", "bob", "carol")
        for chat in "GLOBAL", "*team", "@alice":
            self.done(self.world.send("carol", chat))
            self.world.pass_time(1)
        for blocker, blocked in ("alice", "bob"), ("bob", "alice"):
            self.block(blocker, blocked)
            before = self.done(self.world.chats("alice"))
            for chat in "GLOBAL", "*team":
                for seconds in None, 9:
                    self.done(self.world.send("bob", chat, expires_in=seconds))
                    self.world.pass_time(1)
            self.assertEqual(self.done(self.world.chats("alice")), before)
            self.world.pass_time(9)
            self.block(blocker, blocked, False)
        self.assertEqual(self.chat_of("alice").last_seq, 3)

    def test_read_at_the_end(self) -> None:
        """Reading up to the visible end reads everything: hidden messages behind it, and timed ones."""
        self.block("alice", "bob")
        self.world.enter("alice", 2)
        self.world.enter("alice", 2)
        for sender in "carol", "carol", "bob", "bob":
            self.done(self.world.send(sender, "GLOBAL"))
        self.done(self.world.send("carol", "GLOBAL", expires_in=60))
        listed = self.chat_of("alice")
        self.assertEqual((listed.unread, listed.last_seq, listed.read_seq), (3, 2, 0))
        self.world.published.clear()
        self.read("alice", "GLOBAL", 1)
        self.assertEqual(self.chat_of("alice").unread, 2)
        self.read("alice", "GLOBAL", 2)
        self.assertEqual(self.world.told("alice"), [events.Read("GLOBAL", 1), events.Read("GLOBAL", 2)])
        listed = self.chat_of("alice")
        self.assertEqual((listed.unread, listed.last_seq, listed.read_seq), (0, 2, 2))
        self.done(self.world.send("bob", "GLOBAL"))
        self.done(self.world.send("carol", "GLOBAL", expires_in=60))
        self.world.published.clear()
        self.read("alice", "GLOBAL", 2**63 - 1)
        self.assertEqual(self.world.told("alice"), [events.Read("GLOBAL", 2)])
        self.assertEqual(self.chat_of("alice").unread, 0)

    def test_page_that_is_marked_read(self) -> None:
        """A page that marks its messages as read reveals nothing hidden to the other sessions."""
        self.block("alice", "bob")
        for _ in range(2):
            self.world.enter("alice", 2)
        for sender in "carol", "bob":
            self.done(self.world.send(sender, "GLOBAL"))
        self.world.published.clear()
        self.done(self.world.history("alice", "GLOBAL", mark_read=True))
        self.assertEqual(self.world.told("alice"), [events.Read("GLOBAL", 1)])
        self.assertEqual(self.chat_of("alice").unread, 0)
        self.block("alice", "bob", False)
        self.assertEqual(self.chat_of("alice").unread, 0)

    def test_late_member(self) -> None:
        """A group with only earlier messages is listed as empty to a new member, and its timed ones can be read."""
        self.group("team", "alice")
        self.done(self.world.send("alice", "*team"))
        self.done(self.world.chat.groups.add(self.world["alice"], "team", "bob", None))
        self.done(self.world.send("alice", "*team", expires_in=60))
        listed = self.chat_of("bob", "*team")
        self.assertEqual((listed.unread, listed.last_seq, listed.read_seq), (1, 0, 0))
        self.read("bob", "*team", 0)
        self.assertEqual(self.chat_of("bob", "*team").unread, 0)

    def test_marker_in_no_group(self) -> None:
        """A user with blocks gets the usual refusal for a group that they are not in."""
        self.block("alice", "bob")
        self.refused(Code.NO_SUCH_GROUP, lambda: self.world.chat.reading.mark(self.world["alice"], "*team", 1, None))


class TimeTests(WorldTestCase):
    """The clock goes back."""

    def test_times(self) -> None:
        """Each message is published with the time that is stored, and a timed one is not earlier."""
        self.world.enter("bob", 2)
        sent = [self.done(self.world.send("alice", "GLOBAL"))]
        self.world.ms -= 400
        for seconds in None, 9, None:
            sent.append(self.done(self.world.send("alice", "GLOBAL", expires_in=seconds)))
        self.world.ms += 10_000
        for seconds in 9, None:
            sent.append(self.done(self.world.send("alice", "GLOBAL", expires_in=seconds)))
        ats = [one.at[20:23] for one in sent]
        self.assertEqual(ats, ["000", "001", "001", "002", "600", "600"])
        told = [event for event in self.world.told("bob") if isinstance(event, events.Message)]
        self.assertEqual([event.at for event in told], [one.at for one in sent])
        stored = [one.at for one in sent if one.seq is not None]
        page = self.done(self.world.history("bob", "GLOBAL"))
        self.assertEqual([event.at for event in page.messages if event.seq is not None], stored)
