"""The answers to PRIVMSG: whether the recipient is there, and refusals of replies."""

from tests.helpers.irc import IRCTestCase, numerics


class SayingAnswersTests(IRCTestCase):
    """Messages of alice."""

    def setUp(self) -> None:
        """Two users."""
        super().setUp()
        self.alice, self.bob = self.irc("alice", "message-tags"), self.irc("bob")
        self.server.advance(2)

    def test_there(self) -> None:
        """A message to a user who is not away gets no reply, with or without tags."""
        self.assertEqual(self.alice.ask("PRIVMSG bob :hi", "@+a=b PRIVMSG bob :hi", "PRIVMSG bob hi"), [])
        self.assertEqual(len(self.bob.got()), 3)

    def test_away(self) -> None:
        """Each PRIVMSG to an away user is answered with the AWAY text; a NOTICE and a message in a channel are not."""
        self.bob.ask("AWAY :lunch")
        for _ in range(2):
            self.assertEqual(self.alice.ask("PRIVMSG bob :hi"), [":irchat 301 alice bob :lunch"])
        self.assertEqual(self.alice.ask("NOTICE bob :hi", "PRIVMSG #global :hi"), [])

    def test_offline(self) -> None:
        """That a user is offline comes once, and again ten minutes later."""
        self.bob.leave()
        self.assertEqual(numerics(self.alice.ask("PRIVMSG bob :hi", "PRIVMSG bob :there")), ["301"])
        self.server.clock.rightNow += 600
        self.assertEqual(numerics(self.alice.ask("PRIVMSG bob :hi")), ["301"])

    def test_reply_to_nobody(self) -> None:
        """A reply to a chat that one does not have is refused as any message is."""
        self.alice.ask("PRIVMSG #global :lunch?")
        for target, numeric in ("nobody", "401"), ("#nope", "403"):
            self.assertEqual(numerics(self.alice.ask(f"@+draft/reply=g-1 PRIVMSG {target} :yes")), [numeric])

    def test_reply_elsewhere(self) -> None:
        """A reply in another chat than that of its message is no reply."""
        json = self.server.json("bob")
        self.alice.ask("PRIVMSG #global :lunch?")
        json.got()
        self.alice.ask("@+draft/reply=g-1 PRIVMSG bob :yes")
        self.assertEqual(json.one("message")["text"], "yes")

    def test_reply_by_hand(self) -> None:
        """A reply whose text has the number already gets no second one."""
        json = self.server.json("dave")
        self.alice.ask("PRIVMSG #global :lunch?")
        json.got()
        self.alice.ask("@+draft/reply=g-1 PRIVMSG #global :#1 yes")
        self.assertEqual(json.one("message")["text"], "#1 yes")

    def test_no_text(self) -> None:
        """A line without a text is 412 for PRIVMSG, and has no answer for NOTICE."""
        for line in "PRIVMSG #global", "PRIVMSG #global :", "PRIVMSG #global :  ":
            self.assertEqual(self.alice.ask(line), [":irchat 412 alice :No text to send"])
        self.assertEqual(self.alice.ask("NOTICE #global", "NOTICE #global :"), [])
        self.assertEqual(self.bob.got(), [])
