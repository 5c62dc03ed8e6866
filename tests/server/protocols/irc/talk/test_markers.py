"""MARKREAD: markers as times of messages, in the burst, on request, and from other sessions."""

from twisted.python.failure import Failure

from irchat.interfaces.stored import GLOBAL
from irchat.protocol.errors import Code, Refusal
from irchat.server.protocols.irc.talk import markers
from tests.helpers.irc import IRCTestCase

MARKER = "draft/read-marker"


class MarkReadTests(IRCTestCase):
    """A client with draft/read-marker."""

    def setUp(self) -> None:
        """Three messages in #global, a second apart, that alice has not read."""
        super().setUp()
        self.alice, self.bob = self.irc("alice", MARKER), self.irc("bob")
        self.began = self.server.clock.seconds()
        for number in range(3):
            self.server.advance(1)
            self.bob.type(f"PRIVMSG #global :{number}")
        self.alice.got()

    def _at(self, second: int, target: str = "#global") -> str:
        return f":irchat MARKREAD {target} timestamp=2026-11-22T14:00:{second:02}.000Z"

    def _unread(self) -> int:
        chats = self.server.json("alice").welcome["unread"]
        return sum(chat["unread"] for chat in chats)

    def test_nothing_is_read(self) -> None:
        """A message that was only delivered is not read."""
        self.server.advance(30)
        self.assertEqual(self.alice.ask("MARKREAD #global"), [":irchat MARKREAD #global *"])
        self.assertEqual(self._unread(), 3)

    def test_moves(self) -> None:
        """The marker moves to the last message at or before the time, and the reply has that message's time."""
        self.assertEqual(self.alice.ask("MARKREAD #global timestamp=2026-11-22T14:00:02.700Z"), [self._at(2)])
        self.assertEqual(self._unread(), 1)
        self.assertEqual(self.alice.ask("MARKREAD #global"), [self._at(2)])

    def test_just_before(self) -> None:
        """A message a millisecond after the time is not read."""
        self.assertEqual(self.alice.ask("MARKREAD #global timestamp=2026-11-22T14:00:01.999Z"), [self._at(1)])

    def test_never_back(self) -> None:
        """An earlier time does not move it back; the reply says where it is."""
        self.alice.ask("MARKREAD #global timestamp=2026-11-22T14:00:03.000Z")
        self.assertEqual(self.alice.ask("MARKREAD #global timestamp=2026-11-22T14:00:01.000Z"), [self._at(3)])
        self.assertEqual(self._unread(), 0)

    def test_before_all(self) -> None:
        """Before the first message nothing is read."""
        line = "MARKREAD #global timestamp=2020-01-01T00:00:00.000Z"
        self.assertEqual(self.alice.ask(line), [":irchat MARKREAD #global *"])

    def test_own_message(self) -> None:
        """Sending moves the marker to what was sent."""
        self.server.advance(1)
        self.alice.type("PRIVMSG #global :mine")
        self.assertEqual(self.alice.ask("MARKREAD #global"), [self._at(4)])

    def test_other_sessions(self) -> None:
        """The user's other sessions with the capability get the line, those without it nothing."""
        other, plain = self.irc("alice", MARKER), self.irc("alice")
        for client in other, plain:
            client.got()
        self.alice.type("MARKREAD #global timestamp=2026-11-22T14:00:02.000Z")
        self.assertEqual(other.got(), [self._at(2)])
        self.assertEqual(plain.got(), [])
        json = self.server.json("alice")
        json.ask("read", chat="GLOBAL", seq=3)
        self.assertEqual(other.got(), [self._at(3)])

    def test_burst(self) -> None:
        """The lines of the sign-in and of JOIN have the marker before the names."""
        self.alice.ask("MARKREAD #global timestamp=2026-11-22T14:00:02.000Z")
        burst = self.irc("alice", MARKER).burst
        self.assertEqual(burst[burst.index(self._at(2)) - 1], ":alice!alice@irchat JOIN #global")
        self.assertEqual(
            self.alice.ask("JOIN #team")[:2],
            [":alice!alice@irchat JOIN #team", ":irchat MARKREAD #team *"],
        )

    def test_hidden_chat(self) -> None:
        """The line of a chat that JOIN shows again has the present marker, also if one's own message moved it."""
        for _ in range(2):
            self.server.advance(1)
            self.alice.ask("PRIVMSG #global :mine", "PART #global")
            at = self._at(int(self.server.clock.seconds() - self.began))
            self.assertEqual(self.alice.ask("JOIN #global")[1], at)

    def test_query(self) -> None:
        """The marker of a private chat, by the name of the other user."""
        self.server.advance(1)
        self.bob.type("PRIVMSG alice :x")
        self.assertEqual(self.alice.ask("MARKREAD bob"), [":irchat MARKREAD bob *"])
        line = "MARKREAD bob timestamp=2027-01-01T00:00:00.000Z"
        self.assertEqual(self.alice.ask(line), [self._at(4, "bob")])

    def test_no_chat(self) -> None:
        """A target that is no chat has no marker, and nothing tells whether a group exists."""
        self.bob.ask("JOIN #secret")
        for target in "#secret", "#nope", "nobody", "*irchat":
            self.assertEqual(self.alice.ask(f"MARKREAD {target}"), [f":irchat MARKREAD {target} *"])
            line = f"MARKREAD {target} timestamp=2027-01-01T00:00:00.000Z"
            self.assertEqual(self.alice.ask(line), [f":irchat MARKREAD {target} *"])

    def test_bad(self) -> None:
        """Missing and bad parameters are FAIL."""
        (line,) = self.alice.ask("MARKREAD")
        self.assertTrue(line.startswith(":irchat FAIL MARKREAD NEED_MORE_PARAMS :"), line)
        for value in "*", "timestamp=yesterday", "2026-11-22T14:00:02.000Z":
            (line,) = self.alice.ask(f"MARKREAD #global {value}")
            self.assertTrue(line.startswith(":irchat FAIL MARKREAD INVALID_PARAMS #global :"), line)

    def test_blocks(self) -> None:
        """A message that is hidden by a block is not where the marker stops."""
        self.server.advance(1)
        carol = self.irc("carol")
        carol.type("PRIVMSG #global :x")
        self.alice.ask("SILENCE +carol")
        line = "MARKREAD #global timestamp=2027-01-01T00:00:00.000Z"
        self.assertEqual(self.alice.ask(line), [self._at(3)])

    def test_failures(self) -> None:
        """A marker that cannot be looked up is logged, unless its chat or session has ended."""
        markers._untold(Failure(Refusal(Code.NOT_LOGGED_IN, "The session has ended.")))
        self.assertEqual(self.flushLoggedErrors(), [])
        markers._untold(Failure(OSError("the disk is gone")))
        self.assertEqual(len(self.flushLoggedErrors(OSError)), 1)

    def test_store(self) -> None:
        """While the store cannot be used, MARKREAD says so."""
        self.server.threads.read.holds = True
        self.alice.type("MARKREAD #global timestamp=2027-01-01T00:00:00.000Z")
        self.server.threads.read.fail(Refusal(Code.UNAVAILABLE, "The disk fails."))
        self.server.turn()
        self.assertEqual(self.alice.got(), [":irchat FAIL MARKREAD UNAVAILABLE #global :The disk fails."])

    def test_of_hidden_messages(self) -> None:
        """A marker of another session at messages that a block hides has no line, and is no error."""
        json = self.server.json("alice")
        self.alice.ask("SILENCE +bob")
        json.ask("read", chat="GLOBAL", seq=3)
        self.assertEqual(self.alice.got(), [])
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_ended_chat(self) -> None:
        """A chat that has ended has no line."""
        protocol = self.alice.connection.session.protocol
        self.assertEqual(markers.line(protocol, 999), b"")
        self.assertNotEqual(markers.line(protocol, GLOBAL), b"")
