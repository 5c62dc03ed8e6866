"""PRIVMSG with tags: replies, and the client-only tags for those online."""

from tests.helpers.irc import IRCTestCase


class ReplyTests(IRCTestCase):
    """Replies, in both directions."""

    def test_from_irc(self) -> None:
        """The tag of a reply stores the number before the text; clients get the text as it stands, and the tag."""
        alice, bob = self.irc("alice", "message-tags", "echo-message"), self.irc("bob", "message-tags")
        json = self.server.json("carol")
        alice.ask("PRIVMSG #global :lunch?")
        bob.got()
        json.got()
        self.assertEqual(
            alice.ask("@+draft/reply=g-1;+x=y PRIVMSG #global :yes"),
            ["@+draft/reply=g-1;+x=y;msgid=g-2 :alice!alice@irchat PRIVMSG #global :yes"],
        )
        self.assertEqual(bob.got(), ["@+draft/reply=g-1;+x=y;msgid=g-2 :alice!alice@irchat PRIVMSG #global :yes"])
        self.assertEqual(json.one("message")["text"], "#1 yes")
        self.assertEqual(
            alice.ask("@+draft/reply=g-1 PRIVMSG #global :#1 no"),
            ["@+draft/reply=g-1;msgid=g-3 :alice!alice@irchat PRIVMSG #global :#1 no"],
        )

    def test_elsewhere(self) -> None:
        """A reply to a message of another chat, or to none, is a plain text."""
        alice = self.irc("alice", "message-tags", "echo-message")
        self.irc("bob")
        for msgid in "g-1", "nonsense", "7-1", "1.9-1":
            (line,) = alice.ask(f"@+draft/reply={msgid} PRIVMSG bob :x")
            self.assertRegex(line, r"^@msgid=1\.2-\d+ :alice!alice@irchat PRIVMSG bob :x$")

    def test_old_tag(self) -> None:
        """The tag without the prefix of a draft is read too; of both, none is passed on."""
        alice = self.irc("alice", "message-tags", "echo-message")
        alice.ask("PRIVMSG #global :lunch?")
        for tags in "+reply=g-1", "+reply=g-9;+draft/reply=g-1":
            (line,) = alice.ask(f"@{tags} PRIVMSG #global :yes")
            self.assertRegex(line, r"^@\+draft/reply=g-1;msgid=g-\d :alice!alice@irchat PRIVMSG #global :yes$")
        (line,) = alice.ask("@+reply=g-1 PRIVMSG nobody :yes")
        self.assertTrue(line.startswith(":irchat 401 alice nobody :"), line)

    def test_from_json(self) -> None:
        """A reply of another protocol has the tag too."""
        bob, json = self.irc("bob", "message-tags"), self.server.json("carol")
        json.ask("send", chat="GLOBAL", text="one")
        bob.got()
        json.ask("send", chat="GLOBAL", text="#1 two")
        self.assertEqual(bob.got(), ["@+draft/reply=g-1;msgid=g-2 :carol!carol@irchat PRIVMSG #global :#1 two"])


class ClientTagsTests(IRCTestCase):
    """Client-only tags on messages."""

    def test_online_only(self) -> None:
        """They reach those online with message-tags, in private chats too, and are stored nowhere."""
        alice = self.irc("alice", "message-tags")
        bob, plain = self.irc("bob", "message-tags", "draft/chathistory"), self.irc("bob")
        bob.got()
        plain.got()
        alice.type("@+a=b\\sc;d=e;+f PRIVMSG bob :hi")
        self.assertEqual(bob.got(), ["@+a=b\\sc;+f;msgid=1.2-1 :alice!alice@irchat PRIVMSG bob :hi"])
        self.assertEqual(plain.got(), [":alice!alice@irchat PRIVMSG bob :hi"])
        self.assertEqual(bob.ask("CHATHISTORY LATEST alice * 1"), ["@msgid=1.2-1 :alice!alice@irchat PRIVMSG bob :hi"])
        self.assertEqual(self.server.irc_shared.talk.encoding._extras, {})

    def test_hidden_chat(self) -> None:
        """They reach a session that hides a chat too, whose lines are made for it alone."""
        alice, bob = self.irc("alice", "message-tags"), self.irc("bob", "message-tags")
        bob.ask("PART #global")
        alice.type("@+a=b PRIVMSG bob :hi")
        self.assertEqual(bob.got(), ["@+a=b;msgid=1.2-1 :alice!alice@irchat PRIVMSG bob :hi"])

    def test_lost_session(self) -> None:
        """The extras of a text are forgotten when the session ends before the answer."""
        alice = self.irc("alice", "message-tags")
        self.server.threads.write.holds = True
        alice.type("@+a=b PRIVMSG #global :hi")
        alice.leave()
        self.assertEqual(self.server.irc_shared.talk.encoding._extras, {})
        self.server.threads.write.release()
