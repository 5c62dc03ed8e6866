"""The replay of unread messages at the sign-in."""

from datetime import UTC

from irchat.server.protocols.irc.talk import replay
from tests.helpers.irc import IRCClient, IRCTestCase


def said(client: IRCClient) -> list[str]:
    """Return the lines of the sign-in after the last line of the names."""
    last = max(number for number, line in enumerate(client.burst) if " 366 " in line)
    return client.burst[last + 1 :]


class ReplayTests(IRCTestCase):
    """A user that was away."""

    def setUp(self) -> None:
        """A group and two users, of whom alice is away."""
        super().setUp()
        self.bob = self.irc("bob")
        self.irc("alice").leave()
        self.bob.ask("JOIN #team", "INVITE alice #team")

    def _say(self, *lines: str) -> None:
        for line in lines:
            self.server.advance(1)
            self.bob.type(f"PRIVMSG {line}")

    def test_order(self) -> None:
        """Of each chat what is unread, oldest first, private chats last. Live messages follow."""
        self._say("alice :one", "#global :two", "#team :three", "#global :four")
        alice = self.irc("alice", "server-time")
        lines = [line.partition(" ")[2] for line in said(alice)]
        self.assertEqual(
            lines,
            [
                ":bob!bob@irchat PRIVMSG #global :two",
                ":bob!bob@irchat PRIVMSG #global :four",
                ":bob!bob@irchat PRIVMSG #team :three",
                ":bob!bob@irchat PRIVMSG alice :one",
            ],
        )
        self.assertTrue(said(alice)[0].startswith("@time=2026-11-22T14:00:02.000Z "))
        self._say("#global :five")
        self.assertEqual(len(alice.got()), 1)

    def test_one_older(self) -> None:
        """One message that is not played is named too, and keeps its chat unread."""
        self.patch(replay, "PAGE_MAX", 3)
        self._say(*(f"#team :{number}" for number in range(4)))
        lines = said(self.irc("alice"))
        self.assertIn("#team: 1 older unread;", lines[0])
        self.server.advance(20, 2)
        self.assertEqual([chat["unread"] for chat in self.server.json("alice").welcome["unread"]], [4])

    def test_counts_as_read(self) -> None:
        """Played messages are read, so that the next sign-in plays nothing."""
        self._say("#global :one", "alice :two")
        alice = self.irc("alice")
        self.assertEqual(len(said(alice)), 2)
        self.server.advance(2)
        self.assertEqual(said(self.irc("alice")), [])
        self.assertEqual(self.server.json("alice").welcome["unread"], [])

    def test_only_unread(self) -> None:
        """Messages that were already read are not replayed."""
        self._say("#global :one")
        self.irc("alice").leave()
        self._say("#global :two", "#global :three")
        texts = [line.rpartition(" ")[2] for line in said(self.irc("alice"))]
        self.assertEqual(texts, ["two", "three"])

    def test_read_at_the_end(self) -> None:
        """It is read also if the session ends at once."""
        self._say("#global :one")
        self.irc("alice").leave()
        self.assertEqual(said(self.irc("alice")), [])

    def test_without_time(self) -> None:
        """To a client without server-time each text begins with its time, an ACTION too."""
        play = replay.play
        self.patch(replay, "play", lambda protocol, welcome: play(protocol, welcome, zone=UTC))
        self._say("#global :one", "#global :\x01ACTION waves\x01")
        self.assertEqual(
            said(self.irc("alice")),
            [
                ":bob!bob@irchat PRIVMSG #global :[2026-11-22 14:00] one",
                ":bob!bob@irchat PRIVMSG #global :\x01ACTION [2026-11-22 14:00] waves\x01",
            ],
        )

    def test_action_of_lines(self) -> None:
        """A text of several lines that begins with /me is no ACTION: its time is put before its first line."""
        play = replay.play
        self.patch(replay, "play", lambda protocol, welcome: play(protocol, welcome, zone=UTC))
        self.server.json("bob").ask("send", chat="GLOBAL", text="/me waves\nand goes")
        self.assertEqual(
            said(self.irc("alice")),
            [
                ":bob!bob@irchat PRIVMSG #global :[2026-11-22 14:00] /me waves",
                ":bob!bob@irchat PRIVMSG #global :and goes",
            ],
        )

    def test_batch(self) -> None:
        """With batch each chat is a batch."""
        self._say("#global :one", "alice :two")
        lines = said(self.irc("alice", "server-time", "batch"))
        self.assertEqual(lines[0], ":irchat BATCH +b1 chathistory #global")
        self.assertEqual(lines[3], ":irchat BATCH +b2 chathistory bob")
        self.assertEqual(len(lines), 6)

    def test_with_chathistory(self) -> None:
        """A client that asks for history gets nothing, and nothing is read."""
        self._say("#global :one")
        self.assertEqual(said(self.irc("alice", "draft/chathistory")), [])
        self.server.advance(30)
        self.assertEqual(self.server.json("alice").welcome["unread"][0]["unread"], 1)

    def test_older(self) -> None:
        """The latest 500 are played, and a notice says how many older ones are unread, and how to see them.

        They are still unread for that, and so are those that were played.
        """
        json = self.server.json("bob")
        for _ in range(503):
            json.ask("send", chat="*team", text="x")
        self._say("alice :y")
        alice = self.irc("alice", "server-time")
        lines = said(alice)
        self.assertEqual(
            lines[0],
            ":*irchat!irchat@irchat NOTICE alice :#team: 3 older unread; /msg *irchat ls -n team",
        )
        self.assertEqual(len(lines), 1 + 500 + 1)
        self.server.advance(12)
        unread = {chat["chat"]: chat["unread"] for chat in self.server.json("alice").welcome["unread"]}
        self.assertEqual(unread, {"*team": 503})
        self.assertGreater(len(alice.ask("PRIVMSG *irchat :ls -n team")), 99)

    def test_blocks(self) -> None:
        """Messages of a user that is hidden by a block are not played."""
        self._say("#global :one", "#team :two", "alice :three")
        self.server.json("alice").ask("block", name="bob")
        self.irc("carol").type("PRIVMSG #global :four")
        self.assertEqual(len(said(self.irc("alice"))), 1)

    def test_meanwhile(self) -> None:
        """Messages that are sent during the replay come after it, once."""
        self._say("#global :one")
        self.server.threads.read.holds = True
        alice = IRCClient(self.server)
        alice.type("CAP LS 302", "NICK alice", "USER a 0 * :a", "PASS :correct horse", "CAP END")
        for _ in range(8):
            self.server.threads.read.release(1)
            self.server.turn()
            self._say("#global :more", "#team :more")
        self.server.threads.read.holds = False
        self.server.threads.read.release()
        self.server.turn()
        texts = [line for line in alice.got() if " PRIVMSG " in line]
        self.assertEqual(len([line for line in texts if "#global" in line]), 9)
        self.assertEqual(len([line for line in texts if "#team" in line]), 8)
        self.assertTrue(next(line for line in texts if "#global" in line).endswith("one"))

    def test_ends_meanwhile(self) -> None:
        """A client that leaves while its replay waits for it leaves nothing behind."""
        json = self.server.json("bob")
        for _ in range(200):
            json.ask("send", chat="*team", text="x" * 2_000)
        alice = IRCClient(self.server)
        alice.socket.room = 1_000
        alice.send(b"CAP LS 302\r\nNICK alice\r\nUSER a 0 * :a\r\nPASS :correct horse\r\nCAP END\r\n")
        alice.leave()
        self.assertEqual(self.server.irc_shared.talk.delivered._of_user.get(alice.connection.session.user_id), None)

    def test_slow_reader(self) -> None:
        """The pages wait until the client has read so much that there is room, and all of them come."""
        json = self.server.json("bob")
        for _ in range(200):
            json.ask("send", chat="*team", text="x" * 2_000)
            json.ask("send", chat="GLOBAL", text="y" * 2_000)
        alice = IRCClient(self.server)
        alice.socket.room = 1_000
        alice.send(b"CAP LS 302\r\nNICK alice\r\nUSER a 0 * :a\r\nPASS :correct horse\r\nCAP END\r\n")
        self.server.turn()
        self.assertLess(alice.socket.waiting, 1_200_000)
        alice.socket.room = None
        for _ in range(10):
            self.server.turn()
        text = alice.read()
        self.assertEqual(text.count("x" * 400), 200 * 4)
        self.assertEqual(text.count("y" * 400), 200 * 4)
