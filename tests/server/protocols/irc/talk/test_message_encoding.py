"""The shared encoding: one function for each flavour, which leaves to the sessions what differs between them."""

from irchat.interfaces.bus import ChangePlace, Publication, StoredPlace, TimedPlace
from irchat.interfaces.stored import GLOBAL
from irchat.protocol import events
from irchat.server.protocols.irc.talk.message_lines import NO_EXTRAS, Extras, Flavour
from tests.helpers.irc import IRCTestCase

AT = "2026-11-22T14:03:05.120Z"


class MessageEncodingTests(IRCTestCase):
    """Encoders of a server with the users alice (1) and bob (2)."""

    def setUp(self) -> None:
        """Two users."""
        super().setUp()
        self.irc("alice")
        self.irc("bob")
        self.encoding = self.server.irc_shared.talk.encoding

    def _publication(self, chat: str, sender: str, key: object, text: str = "hi") -> Publication:
        event = events.Message(chat=chat, sender=sender, at=AT, text=text, seq=5)
        return Publication(event, None, place=StoredPlace(key, 5))  # type: ignore[arg-type]

    def test_one_function(self) -> None:
        """A flavour has one function, by which delivery shares the bytes; another has another."""
        self.assertIs(self.encoding.of(Flavour()), self.encoding.of(Flavour()))
        self.assertIsNot(self.encoding.of(Flavour()), self.encoding.of(Flavour(time=True)))

    def test_private(self) -> None:
        """Both users of a private chat get the same bytes."""
        encode = self.encoding.of(Flavour(tags=True))
        expected = b"@msgid=1.2-5 :alice!alice@irchat PRIVMSG bob :hi\r\n"
        self.assertEqual(encode(self._publication("@bob", "alice", (1, 2))), expected)
        self.assertEqual(encode(self._publication("@alice", "alice", (1, 2))), expected)
        back = b"@msgid=1.2-5 :bob!bob@irchat PRIVMSG alice :hi\r\n"
        self.assertEqual(encode(self._publication("@bob", "bob", (1, 2))), back)

    def test_username(self) -> None:
        """The source has the username that the client gave."""
        carol = self.irc()
        carol.ask("CAP LS", "NICK carol", "USER cc 0 * :x", "REGISTER * * long-enough", "CAP END")
        encode = self.encoding.of(Flavour())
        self.assertEqual(encode(self._publication("GLOBAL", "carol", 1)), b":carol!cc@irchat PRIVMSG #global :hi\r\n")

    def test_left_to_the_sessions(self) -> None:
        """Timed messages and all other events are left to the sessions."""
        encode = self.encoding.of(Flavour())
        timed = events.Message(chat="GLOBAL", sender="alice", at=AT, text="secret", id="t", left_ms=1_000)
        for publication in (
            Publication(timed, None, place=TimedPlace(GLOBAL, 1)),
            Publication(events.Presence(online=["alice"], offline=[]), None),
            Publication(events.Erased(chat="GLOBAL", id="t"), None),
            Publication(
                events.Amended(chat="GLOBAL", seq=1, rev=1, by="alice", at=AT), None, place=ChangePlace(GLOBAL, 1, 1)
            ),
        ):
            self.assertIsNone(encode(publication))

    def test_extras(self) -> None:
        """The extras of a text are found by sender and text, until it is answered."""
        encode = self.encoding.of(Flavour(tags=True))
        first, second = Extras({"+a": "1"}), Extras({"+a": "2"})
        self.encoding.expect(1, "hi", first)
        self.encoding.expect(1, "ho", second)
        self.assertIn(b"+a=1;", encode(self._publication("GLOBAL", "alice", GLOBAL)) or b"")
        self.assertIn(b"+a=2;", encode(self._publication("GLOBAL", "alice", GLOBAL, "ho")) or b"")
        self.assertNotIn(b"+a", encode(self._publication("GLOBAL", "bob", GLOBAL)) or b"")
        self.encoding.answered(1, "hi", first)
        self.encoding.answered(1, "ho", second)
        self.assertNotIn(b"+a", encode(self._publication("GLOBAL", "alice", GLOBAL)) or b"")
        self.assertEqual(NO_EXTRAS, Extras())

    def test_bot(self) -> None:
        """The messages of a user that calls itself a bot have the tag."""
        self.irc("alice").ask("MODE alice +B")
        encode = self.encoding.of(Flavour(tags=True))
        self.assertTrue((encode(self._publication("GLOBAL", "alice", GLOBAL)) or b"").startswith(b"@bot;msgid=g-5 "))

    def test_extras_for_one(self) -> None:
        """A session with a hidden chat, which encodes for itself, gets the tags of other chats too."""
        bob, alice = self.irc("bob", "message-tags"), self.irc("alice", "message-tags")
        bob.ask("JOIN #team", "PART #team")
        alice.type("@+a=1 PRIVMSG #global :hi", "PRIVMSG #global :hi")
        tagged, plain = (line for line in bob.got() if " PRIVMSG " in line)
        self.assertIn("+a=1;", tagged)
        self.assertNotIn("+a", plain)
