"""TAGMSG: signals to those online, and marks on messages, in both directions."""

from typing import Any

from irchat.irc.irc_lines import build
from irchat.server.protocols.irc.talk import message_events
from tests.helpers.irc import IRCTestCase


class SignalTests(IRCTestCase):
    """Tags without a text."""

    def setUp(self) -> None:
        """Clients with and without tags."""
        super().setUp()
        self.alice = self.irc("alice", "message-tags")
        self.bob, self.plain = self.irc("bob", "message-tags", "account-tag"), self.irc("carol")
        self.json, self.text = self.server.json("dave"), self.server.text("erin")
        self.server.advance(2)
        self._clear()

    def _clear(self) -> None:
        for client in self.alice, self.bob, self.plain, self.json, self.text:
            client.read()

    def test_channel_and_query(self) -> None:
        """They reach clients with message-tags that are online, and nobody else, and are stored nowhere."""
        self.assertEqual(self.alice.ask("@+typing=active TAGMSG #global", "@+typing=done TAGMSG bob"), [])
        first, second = self.bob.got()
        self.assertRegex(first, r"^@account=alice;msgid=t-[0-9-]+;\+typing=active :alice!alice@irchat TAGMSG #global$")
        self.assertRegex(second, r"^@account=alice;msgid=t-[0-9-]+;\+typing=done :alice!alice@irchat TAGMSG bob$")
        self.assertNotEqual(first.split(";")[1], second.split(";")[1])
        for client in self.plain, self.json, self.text:
            self.assertEqual(client.read(), "")
        self.assertEqual(self.server.store._connection.execute("SELECT count(*) FROM messages").fetchone(), (0,))

    def test_one_msgid(self) -> None:
        """The echo and all readers get the same msgid, also with as many tags as a line can have."""
        carol = self.irc("zoe", "message-tags", "echo-message")
        for tags in "+typing=active", f"+a={'x' * 4_091}":
            self._clear()
            (echo,) = carol.ask(f"@{tags} TAGMSG #global")
            self.assertRegex(echo, r"^@msgid=t-[0-9-]+;")
            self.assertEqual(self.alice.got(), [echo])
            self.assertTrue(self.bob.got()[0].endswith(echo.partition(";")[2]))

    def test_made_once(self) -> None:
        """The line is built once for all sessions that show it alike, and again for each signal."""
        others = [self.irc(name, "message-tags") for name in ("zoe", "yan", "xia")]
        built: list[str] = []

        def noting(command: str, *params: str, **how: Any) -> bytes:
            built.append(command)
            return build(command, *params, **how)

        self.patch(message_events, "build", noting)
        for count in 2, 4:
            self.alice.type("@+typing=active TAGMSG #global")
            self.assertEqual(built, ["TAGMSG"] * count)  # one has account-tag
        first, second = ([line for line in other.got() if "typing" in line] for other in others[:2])
        self.assertEqual((len(first), first), (2, second))
        self.assertNotEqual(*first)

    def test_many_tags_cost_work(self) -> None:
        """A line with hundreds of tags costs more, for each of its targets."""
        tags = ";".join(f"+a{number}" for number in range(500))
        spent = []
        for line in "@+a TAGMSG bob", f"@{tags} TAGMSG bob", f"@{tags} TAGMSG bob,carol", f"@{tags} PING x":
            before = self._work_left()
            self.alice.type(line)
            spent.append(before - self._work_left())
        self.assertGreater(spent[1], spent[0] + 1)
        self.assertGreater(spent[2], spent[1] + 1)
        self.assertGreater(spent[3], 0.5)

    def _work_left(self) -> float:
        limiter = self.alice.connection.session._allowance._user_limiter
        assert limiter is not None
        return limiter.work

    def test_other_sessions(self) -> None:
        """The user's other sessions get them too, with the same target."""
        other = self.irc("alice", "message-tags")
        other.got()
        self.alice.type("@+typing=active TAGMSG bob")
        self.assertRegex(other.got()[0], r" :alice!alice@irchat TAGMSG bob$")

    def test_bot(self) -> None:
        """The tags of a user that calls itself a bot come with the tag for that."""
        self.alice.ask("MODE alice +B", "@+typing=active TAGMSG bob")
        self.assertRegex(self.bob.got()[-1], r"^@account=alice;msgid=t-[0-9-]+;bot;\+typing=active :")

    def test_services(self) -> None:
        """Tags to a service are ignored."""
        self.assertEqual(self.alice.ask("@+typing=active TAGMSG *irchat"), [])

    def test_not_passed_on(self) -> None:
        """Other tags, tags with control characters, and lines without tags go nowhere."""
        self.assertEqual(
            self.alice.ask("@typing=active TAGMSG #global", "TAGMSG #global", "@+a=\\n\\r TAGMSG #global"), []
        )
        self.assertEqual(self.bob.got(), [])
        self.assertEqual(self.plain.ask("@+typing=active TAGMSG #global"), [])
        self.assertEqual(self.bob.got(), [])

    def test_blocks_and_hidden_chats(self) -> None:
        """They are hidden as messages are."""
        self.bob.ask("PART #global")
        self.alice.type("@+typing=active TAGMSG #global")
        self.assertEqual(self.bob.got(), [])
        self.bob.ask("JOIN #global", "SILENCE +alice")
        self.alice.type("@+typing=active TAGMSG #global")
        self.assertEqual(self.bob.got(), [])
        (line,) = self.alice.ask("@+typing=active TAGMSG bob")
        self.assertTrue(line.startswith(":irchat 531 alice bob :"), line)

    def test_refused(self) -> None:
        """An unknown target is refused as that of a message."""
        self.assertEqual(self.alice.ask("@+a TAGMSG nobody"), [":irchat 401 alice nobody :No such nick"])
        self.assertEqual(self.alice.ask("@+a TAGMSG #nope"), [":irchat 403 alice #nope :No such channel"])

    def test_no_target(self) -> None:
        """A target that cannot be the name of a chat is 401."""
        self.assertEqual(self.alice.ask("@+a=b TAGMSG #"), [":irchat 401 alice # :No such nick"])

    def test_longest(self) -> None:
        """Tags of 4,094 bytes are passed on, longer ones are 417."""
        self.assertEqual(self.alice.ask(f"@+a={'x' * 4_091} TAGMSG #global"), [])
        self.assertIn(f"+a={'x' * 4_091} ", self.bob.got()[0])
        self.assertEqual(
            self.alice.ask(f"@+a={'x' * 4_092} TAGMSG #global"), [":irchat 417 alice :Input line was too long"]
        )

    def test_echo(self) -> None:
        """With echo-message it comes back with its label."""
        alice = self.irc("alice", "message-tags", "echo-message", "labeled-response", "batch")
        (line,) = alice.ask("@label=1;+a=b TAGMSG #global")
        self.assertRegex(line, r"^@label=1;msgid=t-[0-9-]+;\+a=b :alice!alice@irchat TAGMSG #global$")


class MarkTests(IRCTestCase):
    """Marks on messages."""

    def setUp(self) -> None:
        """A message of bob, and clients of all kinds."""
        super().setUp()
        self.alice = self.irc("alice", "message-tags")
        self.bob, self.plain = self.irc("bob", "message-tags"), self.irc("carol")
        self.json = self.server.json("dave")
        self.bob.type("PRIVMSG #global :lunch?", "PRIVMSG alice :psst")
        for client in self.alice, self.bob, self.plain, self.json:
            client.read()

    def test_from_irc(self) -> None:
        """A reaction is a mark, and is taken off by unreact."""
        self.assertEqual(self.alice.ask("@+draft/react=ok;+draft/reply=g-1 TAGMSG #global"), [])
        amended = self.json.one("amended")
        self.assertEqual((amended["seq"], amended["mark"], amended["on"], amended["by"]), (1, "ok", True, "alice"))
        (line,) = self.bob.got()
        self.assertRegex(
            line, r"^@msgid=t-[0-9-]+;\+draft/react=ok;\+draft/reply=g-1 :alice!alice@irchat TAGMSG #global$"
        )
        self.assertEqual(self.plain.got(), [])
        self.alice.type("@+draft/unreact=ok;+draft/reply=g-1 TAGMSG #global")
        self.assertFalse(self.json.one("amended").get("on", False))
        self.assertIn("+draft/unreact=ok;+draft/reply=g-1 ", self.bob.got()[0])

    def test_from_json(self) -> None:
        """A mark of another protocol is a reaction, in private chats with the other user as target."""
        other = self.irc("bob", "message-tags")
        other.got()
        json = self.server.json("alice")
        json.ask("mark", chat="@bob", seq=1, mark="👍")
        for client in other, self.bob:
            self.assertRegex(client.got()[0], r";\+draft/react=👍;\+draft/reply=1\.2-1 :alice!alice@irchat TAGMSG bob$")
        self.assertRegex(self.alice.got()[0], r" :alice!alice@irchat TAGMSG bob$")

    def test_echo(self) -> None:
        """With echo-message it comes back."""
        alice = self.irc("alice", "message-tags", "echo-message")
        (line,) = alice.ask("@+draft/react=ok;+draft/reply=1.2-1 TAGMSG bob")
        self.assertRegex(line, r";\+draft/react=ok;\+draft/reply=1\.2-1 :alice!alice@irchat TAGMSG bob$")

    def test_refused(self) -> None:
        """A message that does not exist, or of a chat that one is not in, is UNKNOWN_MSGID; a bad mark is refused."""
        for msgid in "g-9", "7-1", "2.3-1", "x":
            (line,) = self.alice.ask(f"@+draft/react=ok;+draft/reply={msgid} TAGMSG #global")
            self.assertTrue(line.startswith(":irchat FAIL TAGMSG UNKNOWN_MSGID #global"), line)
        (line,) = self.alice.ask(f"@+draft/react={'x' * 17};+draft/reply=g-1 TAGMSG #global")
        self.assertTrue(line.startswith(":irchat 461 alice TAGMSG :"), line)
        self.assertEqual(self.json.got(), [])

    def test_no_message(self) -> None:
        """A mark that names no message is refused with ``*``."""
        (line,) = self.alice.ask("@+draft/react=ok TAGMSG #global")
        self.assertEqual(line, ":irchat FAIL TAGMSG UNKNOWN_MSGID #global * :No such message")
        (line,) = self.alice.ask("@+draft/react=ok;+draft/reply=nothing TAGMSG #global")
        self.assertEqual(line, ":irchat FAIL TAGMSG UNKNOWN_MSGID #global nothing :No such message")
