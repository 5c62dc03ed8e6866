"""Messages delivered to a session without draft/read-marker count as read, but not while it is away."""

from tests.helpers.irc import IRCClient, IRCTestCase
from tests.helpers.server import PASSWORD, JSONClient


class DeliveredMarksTests(IRCTestCase):
    """A user with an IRC session, and bob who writes."""

    def setUp(self) -> None:
        """Two users, and a program that watches the markers of one."""
        super().setUp()
        self.alice, self.bob = self.irc("alice"), self.irc("bob")
        self.watcher: JSONClient = self.server.json("alice")
        self.server.advance(15)

    def _say(self, target: str, text: str = "x", client: IRCClient | None = None) -> None:
        (client or self.bob).type(f"PRIVMSG {target} :{text}")

    def _reads(self) -> list[tuple[str, int]]:
        return [(line["chat"], line["seq"]) for line in self.watcher.told("read")]

    def _unread(self, name: str = "alice") -> int:
        return sum(chat["unread"] for chat in self.server.json(name).welcome["unread"])

    def test_live(self) -> None:
        """A second after a message in any chat, it is read."""
        self.bob.ask("JOIN #team", "INVITE alice #team")
        for target in "#global", "#team", "alice":
            self._say(target)
        self.assertEqual(self._reads(), [])
        self.server.advance(1.1, 0)
        self.assertEqual(sorted(self._reads()), [("*team", 1), ("@bob", 1), ("GLOBAL", 1)])

    def test_client_without_capabilities(self) -> None:
        """Messages to a client without capabilities count as read too."""
        self.alice.leave()
        old = self.irc()
        old.ask(f"PASS :{PASSWORD}", "NICK alice", "USER alice 0 * :alice")
        self._say("#global")
        self.server.advance(2)
        self.assertIn(":bob!bob@irchat PRIVMSG #global :x", old.got())
        self.assertEqual(self._reads(), [("GLOBAL", 1)])

    def test_seldom(self) -> None:
        """While messages go on, markers move once in ten seconds, and the last is not forgotten."""
        for _ in range(25):
            self._say("#global")
            self.server.advance(1)
        self.assertEqual(len(self._reads()), 3)
        self.server.advance(10)
        self.assertEqual(self._reads(), [("GLOBAL", 25)])

    def test_hidden_until_later(self) -> None:
        """A message that a block hid stays unread after the block ends."""
        self.alice.ask("SILENCE +bob")
        self._say("#global")
        self.alice.ask("SILENCE -bob")
        self.server.advance(15, 2)
        self.assertEqual((self._reads(), self._unread()), ([], 1))

    def test_end(self) -> None:
        """The end of the session saves what was delivered before."""
        self._say("#global")
        self.alice.leave()
        self._say("#global")
        self.assertEqual(self._unread(), 1)

    def test_new_session(self) -> None:
        """A session that begins after a message does not count as having it."""
        self.irc("carol")  # reads it
        self.alice.leave()
        self.watcher.leave()
        self._say("#global")
        self.irc("alice", "draft/chathistory")
        self.server.advance(2)
        self.assertEqual(self._unread(), 1)

    def test_away(self) -> None:
        """Nothing is read while the session is away; what came meanwhile is read when it is back."""
        self._say("#global", "before")
        self.alice.ask("AWAY :lunch")
        self.assertEqual(self._reads(), [("GLOBAL", 1)])
        for target in "#global", "alice":
            self._say(target)
        self.server.advance(20)
        self.assertEqual(self._reads(), [])
        self._say("#global", "after a round")
        self.alice.ask("AWAY")
        self.server.advance(0)
        self.assertEqual(sorted(self._reads()), [("@bob", 1), ("GLOBAL", 3)])

    def test_away_until_the_end(self) -> None:
        """Messages to a session that was away until its end are not read."""
        self.alice.ask("AWAY :lunch")
        self._say("#global")
        self.server.advance(2)
        self.alice.leave()
        self.assertEqual(self._unread(), 1)

    def test_hidden_chat(self) -> None:
        """A chat that the session left with PART is not read."""
        self.alice.ask("PART #global")
        self._say("#global")
        self._say("alice")
        self.server.advance(2)
        self.assertEqual(self._reads(), [("@bob", 1)])

    def test_several_senders(self) -> None:
        """The marker goes to the newest message, whoever of several sent it."""
        carol = self.irc("carol")
        for client in self.bob, carol:
            self._say("#global", client=client)
        self.server.advance(2)
        self.assertEqual(self._reads(), [("GLOBAL", 2)])

    def test_end_of_any_chat(self) -> None:
        """The end of the session saves what was delivered in groups and private chats, before the next round."""
        self.bob.ask("JOIN #team", "INVITE alice #team")
        for target in "#global", "#team", "alice":
            self._say(target)
        self.alice.leave()
        self.assertEqual(self._unread(), 0)

    def test_away_without_markers(self) -> None:
        """Giving up the capability for markers does not end AWAY: nothing is read until the session is back."""
        self.alice.ask("CAP REQ draft/read-marker", "AWAY :lunch", "CAP REQ -draft/read-marker")
        self._say("#global")
        self.server.advance(20)
        self.assertEqual(self._reads(), [])
        self.alice.ask("AWAY :still lunch")
        self.server.advance(15)
        self.assertEqual(self._reads(), [])
        self.alice.ask("AWAY")
        self.assertEqual(self._reads(), [("GLOBAL", 1)])

    def test_away_with_a_hidden_chat(self) -> None:
        """Messages encoded for one session wait too while it is away, and no timer runs for them."""
        self.alice.ask("PART #global", "AWAY :lunch")
        self._say("alice")
        self.server.advance(15)
        self.assertEqual(self._reads(), [])
        self.assertIsNone(self.server.irc_shared.talk.delivered._scheduled)
        self.alice.ask("AWAY")
        self.assertEqual(self._reads(), [("@bob", 1)])

    def test_dissolved(self) -> None:
        """A group that ends before the round does not keep the markers of other chats from moving."""
        self.bob.ask("JOIN #mine")
        self._say("#mine")
        self._say("#global")
        self.bob.ask("PART #mine :leave")
        self.server.advance(2)
        self.assertEqual(self._reads(), [("GLOBAL", 1)])

    def test_blocks(self) -> None:
        """A message that is hidden from the session is not where the marker stops."""
        carol = self.irc("carol")
        self.alice.ask("SILENCE +carol")
        self._say("#global")
        self._say("#global", client=carol)
        self.server.advance(2)
        self.assertEqual(self._reads(), [("GLOBAL", 1)])

    def test_with_markers(self) -> None:
        """A session that takes the capability later is no longer followed; what it had is saved."""
        self._say("#global")
        self.alice.ask("CAP REQ draft/read-marker")
        self.assertEqual(self._reads(), [("GLOBAL", 1)])
        self._say("#global")
        self.server.advance(20)
        self.assertEqual(self._reads(), [])
        self.alice.ask("CAP REQ -draft/read-marker")
        self._say("#global")
        self.server.advance(20)
        self.assertEqual(self._reads(), [("GLOBAL", 3)])

    def test_slow_reader(self) -> None:
        """A session that fell behind has nothing read before it is fed from the store."""
        self.alice.socket.room = 0
        for _ in range(80):
            self._say("#global", "x" * 400)
        json = self.server.json("bob")
        for _ in range(80):
            json.ask("send", chat="GLOBAL", text="y" * 4_000)
        self.assertTrue(self.alice.outbox.behind)
        self.server.advance(15)
        self.assertEqual(self._reads(), [])
        self.alice.socket.room = None
        for _ in range(20):
            self.server.advance(1)
        self.assertEqual(self._reads()[-1], ("GLOBAL", 160))
        self.assertEqual(self.alice.read().count("y" * 500), 80 * 8)

    def test_nobody_follows(self) -> None:
        """Without such sessions nothing is noted."""
        self.alice.leave()
        self.bob.ask("CAP REQ draft/read-marker")
        self._say("#global")
        self.assertEqual(self.server.irc_shared.talk.delivered._notes, {})

    def test_away_at_once(self) -> None:
        """AWAY saves what any chat delivered before it, and a second AWAY nothing that came after the first."""
        self.bob.ask("JOIN #team", "INVITE alice #team")
        for target in "#global", "#team", "alice":
            self._say(target)
        self.alice.ask("AWAY :lunch")
        self.assertEqual(sorted(self._reads()), [("*team", 1), ("@bob", 1), ("GLOBAL", 1)])
        self._say("alice")
        self.alice.ask("AWAY :still at lunch")
        self.server.advance(20)
        self.assertEqual(self._reads(), [])

    def test_waits_while_behind(self) -> None:
        """A marker of a session that is behind moves in a later round, without another message."""
        self._say("#global")
        self.alice.outbox.behind = True
        self.server.advance(2)
        self.assertEqual(self._reads(), [])
        self.alice.outbox.behind = False
        self.server.advance(10, 0)
        self.assertEqual(self._reads(), [("GLOBAL", 1)])

    def test_no_idle_rounds(self) -> None:
        """Rounds end with the last marker, and a session that ended while it was behind needs none."""
        delivered = self.server.irc_shared.talk.delivered
        self._say("#global")
        self.server.advance(2, 0)
        self.assertIsNone(delivered._scheduled)
        self.server.advance(10)
        self._say("#global")
        self.alice.outbox.behind = True
        self.server.advance(2, 0)
        self.assertIsNotNone(delivered._scheduled)
        self.alice.leave()
        self.server.advance(10, 0)
        self.assertIsNone(delivered._scheduled)
        self.assertEqual((delivered._late, delivered._private), ({}, {}))

    def test_second_session(self) -> None:
        """The end of one session of a user leaves the markers of another at work."""
        self.irc("alice").leave()
        self._say("#global")
        self.server.advance(2)
        self.assertEqual(self._reads(), [("GLOBAL", 1)])

    def test_dissolved_group(self) -> None:
        """A group that is dissolved before the round has no markers, and other chats keep theirs."""
        self.bob.ask("JOIN #team", "INVITE alice #team")
        self._say("#team")
        self._say("#global")
        for client in self.alice, self.bob:
            client.ask("PART #team :leave")
        self.assertEqual(self.server.chat.directory.groups, {})
        self.server.advance(2)
        self.assertEqual(self._reads()[-1], ("GLOBAL", 1))
