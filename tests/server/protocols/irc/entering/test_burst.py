"""The burst after the sign-in."""

from irchat.protocol.errors import unavailable
from tests.helpers.irc import IRCTestCase, plain


class BurstTests(IRCTestCase):
    """The lines for the chats, and what happens meanwhile."""

    def setUp(self) -> None:
        """Create groups."""
        super().setUp()
        alice = self.alice = self.irc("alice")
        alice.ask("JOIN #Zoo,#ant")

    def joins(self, *caps: str) -> list[str]:
        """Return the commands of a new session's burst, without numerics of the welcome."""
        burst = self.irc("alice", *caps).burst
        begin = next(index for index, line in enumerate(burst) if " JOIN " in line)
        return [" ".join(line.split(" ")[1:]) for line in burst[begin:]]

    def test_all_chats(self) -> None:
        """Everyone first, then the groups by name."""
        self.assertEqual(self.joins(), [
            "JOIN #global", "353 alice = #global :alice", "366 alice #global :End of /NAMES list",
            "JOIN #ant", "353 alice = #ant :@alice", "366 alice #ant :End of /NAMES list",
            "JOIN #Zoo", "353 alice = #Zoo :@alice", "366 alice #Zoo :End of /NAMES list",
        ])  # fmt: skip

    def test_markers(self) -> None:
        """With draft/read-marker the marker of each chat follows its JOIN."""
        self.alice.ask("PRIVMSG #ant :hi")
        lines = self.joins("draft/read-marker", "no-implicit-names")
        self.assertEqual([line.split("=")[0] for line in lines], [
            "JOIN #global", "MARKREAD #global *",
            "JOIN #ant", "MARKREAD #ant timestamp",
            "JOIN #Zoo", "MARKREAD #Zoo *",
        ])  # fmt: skip

    def test_persona(self) -> None:
        """The user and realname of the session are those of the user from now on, and AWAY of before."""
        client = self.irc()
        client.ask("CAP LS 302", "CAP REQ :draft/pre-away sasl", "NICK bob", "AWAY :early", "USER bobby 0 * :Bob B.")
        client.ask("REGISTER * * :long enough", "CAP END")
        self.assertEqual(self.alice.ask("WHO bob"), [
            ":irchat 352 alice * bobby irchat irchat bob G :0 Bob B.",
            ":irchat 315 alice bob :End of WHO list",
        ])  # fmt: skip

    def test_known_at_once(self) -> None:
        """Others see the user and realname with the JOIN, and an AWAY soon after is not delayed by them."""
        watcher = self.irc("watcher", "extended-join", "away-notify", "setname")
        self.server.advance(2)
        watcher.got()
        bob = self.irc()
        bob.ask("CAP LS 302", "NICK bob", "USER bobby 0 * :Bob B.", "REGISTER * * :long enough", "CAP END")
        self.assertEqual(watcher.got(), [":bob!bobby@irchat JOIN #global bob :Bob B."])
        bob.ask("AWAY :lunch")
        self.assertEqual(watcher.got(), [":bob!bobby@irchat AWAY :lunch"])

    def test_late_user(self) -> None:
        """A client that signs in before USER, as irssi does, is introduced when it came."""
        self.irc("bob").leave()
        watcher = self.irc("watcher", "setname")
        bob = self.irc()
        bob.ask("CAP LS 302", "CAP REQ sasl", "AUTHENTICATE PLAIN", f"AUTHENTICATE {plain('bob')}", "CAP END")
        self.server.advance(2)
        watcher.got()
        self.assertIn(":bob!b@irchat JOIN #global", bob.ask("NICK bob", "USER b 0 * :Bob B."))
        self.assertIn(":bob!b@irchat SETNAME :Bob B.", watcher.got())

    def test_lines_wait(self) -> None:
        """Lines that come meanwhile, and events, wait until the burst is sent."""
        client = self.irc()
        client.ask("CAP LS 302", "CAP REQ :draft/read-marker", "NICK bob", "USER u 0 * :U")
        self.alice.got()
        self.server.threads.read.holds = True
        client.type("REGISTER * * :long enough")
        client.send(b"CAP END\r\nPING x\r\nPING y\r\n")
        self.server.threads.read.release(1)
        self.alice.type("PRIVMSG #global :hello")
        begun = client.got()
        self.assertNotIn("hello", " ".join(begun))
        while self.server.threads.read.held:
            self.server.threads.read.release()
            self.server.turn()
        self.server.threads.read.holds = False
        lines = [*begun, *client.got()]
        words = "JOIN #global", "366", "hello", "PONG irchat :x", "PONG irchat :y"
        order = [next(i for i, line in enumerate(lines) if word in line) for word in words]
        self.assertEqual(order, sorted(order))
        self.assertEqual(sum("hello" in line for line in lines), 1)
        self.assertTrue(client.socket.is_read)

    def test_store_fails(self) -> None:
        """If the store cannot be read, the session ends, so that the client tries again."""
        client = self.irc()
        client.ask("CAP LS 302", "CAP REQ :draft/read-marker", "NICK bob", "USER u 0 * :U")

        async def fail(user: object) -> None:
            raise unavailable()

        self.patch(self.server.chat.reading, "stored_chats", fail)
        lines = client.ask("REGISTER * * :long enough", "CAP END")
        self.assertTrue(lines[-1].startswith("ERROR :the server cannot read its data now"))
        self.assertFalse(client.is_open)

    def test_lost_meanwhile(self) -> None:
        """A client that leaves before the burst leaves nothing behind."""
        client = self.irc()
        client.ask("CAP LS 302", "CAP REQ :draft/read-marker", "NICK bob", "USER u 0 * :U")
        self.server.threads.read.holds = True
        client.type("REGISTER * * :long enough", "CAP END")
        client.leave()
        self.server.threads.read.holds = False
        while self.server.threads.read.held:
            self.server.threads.read.release()
            self.server.turn()
        self.assertEqual(len(self.server.delivery), 1)
