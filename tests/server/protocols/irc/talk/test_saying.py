"""PRIVMSG and NOTICE: to all kinds of chats, refusals, echo, and texts that are not sent as they are."""

from itertools import product
from types import SimpleNamespace

from twisted.trial.unittest import SynchronousTestCase

from irchat.commands.messages import looks_timed
from irchat.interfaces.limits import Limits
from irchat.irc.irc_lines import parse
from irchat.irc.targets import chat_of
from irchat.irc.text_codes import Said, read_said
from irchat.protocol.errors import Code, Refusal
from irchat.protocol.requests import Send
from irchat.protocol.rules import visible
from irchat.server.protocols.irc.talk.saying import say_plainly
from tests.helpers.irc import IRCTestCase
from tests.helpers.server import PASSWORD

COMMANDS = ["PRIVMSG ", "privmsg ", "PRIVMSG  ", "NOTICE ", ":x PRIVMSG ", "@a PRIVMSG "]
TARGETS = ["#global", "#team", "bob", "é", "bob,carol", ":bob", "*irchat", "NickServ", "", " #a", "#", "#a b"]
TEXTS = ["hi", " a :b ", "*é", "*30@bob hi", "*30* hi", "*30*team hi", "", " ", "\x01VERSION\x01", "\x0304red", "a\0b"]
TEXTS += ["a\tb", "\x7f", "\x85", "\u202e", "\ufeff", "x" * 501]
TAGS = ("message-tags", "server-time", "account-tag")


class SendingTests(IRCTestCase):
    """Messages to others."""

    def test_everyone(self) -> None:
        """A message to #global reaches JSON, text and IRC sessions, and each kind of IRC session has its tags."""
        alice, plain, full = self.irc("alice"), self.irc("bob"), self.irc("carol", *TAGS)
        json, text = self.server.json("dave"), self.server.text("erin")
        self.server.advance(2)
        for client in plain, full, json, text:
            client.read()
        self.assertEqual(alice.ask("PRIVMSG #global :Hello World!"), [])
        self.assertEqual(plain.got(), [":alice!alice@irchat PRIVMSG #global :Hello World!"])
        self.assertEqual(
            full.got(),
            [
                "@time=2026-11-22T14:00:02.000Z;account=alice;msgid=g-1"
                " :alice!alice@irchat PRIVMSG #global :Hello World!"
            ],
        )
        self.assertEqual(json.one("message")["text"], "Hello World!")
        self.assertIn("[GLOBAL #1] alice: Hello World!", text.shown())

    def test_group(self) -> None:
        """A message to a group reaches its members, under its first spelling, and nobody else."""
        alice, bob, carol = self.irc("alice"), self.irc("bob"), self.irc("carol")
        alice.ask("JOIN #Team", "INVITE bob #Team")
        bob.got()
        carol.got()
        self.assertEqual(alice.ask("PRIVMSG #tEAM :hi"), [])
        self.assertEqual(bob.got(), [":alice!alice@irchat PRIVMSG #Team :hi"])
        self.assertEqual(carol.got(), [])
        self.assertEqual(
            carol.ask("PRIVMSG #team :hi", "PRIVMSG #nope :hi"),
            [":irchat 403 carol #team :No such channel", ":irchat 403 carol #nope :No such channel"],
        )

    def test_query(self) -> None:
        """A private message reaches the other user, and the user's other sessions, with the same target."""
        alice, other, bob = self.irc("alice"), self.irc("alice"), self.irc("bob", "message-tags")
        other.got()
        self.assertEqual(alice.ask("PRIVMSG BOB :psst"), [])
        self.assertEqual(bob.got(), ["@msgid=1.2-1 :alice!alice@irchat PRIVMSG bob :psst"])
        self.assertEqual(other.got(), [":alice!alice@irchat PRIVMSG bob :psst"])
        self.assertEqual(alice.got(), [])

    def test_several_targets(self) -> None:
        """Up to four targets get a message each. A fifth is refused, and then nobody gets one."""
        alice = self.irc("alice")
        others = [self.irc(name) for name in ("bob", "carol", "dave", "erin")]
        for client in others:
            client.got()
        self.assertEqual(alice.ask("PRIVMSG bob,carol,dave,erin,bob :hi"), [])
        self.assertEqual([len(client.got()) for client in others], [1] * 4)
        self.assertEqual(
            alice.ask("PRIVMSG bob,carol,dave,erin,#global :hi"), [":irchat 407 alice #global :Too many targets"]
        )
        self.assertEqual([client.got() for client in others], [[]] * 4)

    def test_notice(self) -> None:
        """A notice is stored with its mark: IRC sessions see NOTICE, now and in history, others a message."""
        alice, bob, json = self.irc("alice"), self.irc("bob", "draft/chathistory"), self.server.json("carol")
        bob.got()
        json.got()
        self.assertEqual(alice.ask("NOTICE #global :look"), [])
        self.assertEqual(bob.got(), [":alice!alice@irchat NOTICE #global :look"])
        self.assertEqual(json.one("message")["text"], "look")
        self.assertEqual(bob.ask("CHATHISTORY LATEST #global * 5"), [":alice!alice@irchat NOTICE #global :look"])

    def test_blocks(self) -> None:
        """A block hides messages in channels both ways, and refuses private ones."""
        alice, bob, carol = self.irc("alice"), self.irc("bob"), self.irc("carol")
        alice.ask("SILENCE +bob")
        for client in alice, bob, carol:
            client.got()
        bob.type("PRIVMSG #global :from bob", "NOTICE #global :from bob too")
        alice.type("PRIVMSG #global :from alice")
        self.assertEqual(alice.got(), [])
        self.assertEqual(bob.got(), [])
        self.assertEqual(len(carol.got()), 3)
        self.assertEqual(bob.ask("PRIVMSG alice :x"), [":irchat 531 bob alice :You cannot send messages to this user"])
        self.assertEqual(bob.ask("NOTICE alice :x"), [])

    def test_hidden_chat(self) -> None:
        """A session that left a channel with PART does not get its messages, until it joins again. Others do."""
        alice, bob, other = self.irc("alice"), self.irc("bob"), self.irc("bob")
        bob.ask("PART #global")
        other.got()
        alice.ask("PRIVMSG #global :one", "PRIVMSG bob :private")
        self.assertEqual(bob.got(), [":alice!alice@irchat PRIVMSG bob :private"])
        self.assertEqual(len(other.got()), 2)
        bob.ask("JOIN #global")
        alice.ask("PRIVMSG #global :two")
        self.assertEqual(bob.got(), [":alice!alice@irchat PRIVMSG #global :two"])

    def test_many_sessions_share_the_bytes(self) -> None:
        """Messages to many IRC sessions take the fast path of delivery: one write, of bytes shared by a class."""
        alice = self.irc("alice")
        clients = [self.irc(f"user{number}", *(TAGS if number % 2 else ())) for number in range(20)]
        self.server.advance(2)
        for client in clients:
            client.got()
        alice.send(b"PRIVMSG #global :hi\r\n")
        written = [client.socket.writes for client in clients]
        self.assertEqual([len(writes) for writes in written], [1] * 20)
        self.assertEqual(len({id(writes[0]) for writes in written}), 2)


class RefusalTests(IRCTestCase):
    """Messages that are not sent."""

    options = {"limits": Limits(per_address=0, per_user=0, timed=0, rate=0)}

    def _refused(self, line: str) -> list[str]:
        return self.alice.ask(line)

    def setUp(self) -> None:
        """A user, and somebody who must get nothing."""
        super().setUp()
        self.alice, self.bob = self.irc("alice", "labeled-response", "batch"), self.irc("bob")
        self.alice.got()
        self.bob.got()

    def tearDown(self) -> None:
        """Nobody got anything."""
        self.assertEqual(self.bob.got(), [])

    def test_no_text(self) -> None:
        """Without a text: 412; without a target: 411."""
        for text in "", " :", " :   ", " :\x02\x02", " :\x01ACTION \x01":
            line = f"PRIVMSG bob{text}"
            self.assertEqual(self._refused(line), [":irchat 412 alice :No text to send"], line)
        self.assertEqual(self._refused("PRIVMSG"), [":irchat 411 alice :No recipient given (PRIVMSG)"])

    def test_nobody(self) -> None:
        """An unknown user is 401, as is what cannot be a target. Oneself is 531."""
        self.assertEqual(self._refused("PRIVMSG nobody :x"), [":irchat 401 alice nobody :No such nick"])
        self.assertEqual(self._refused("PRIVMSG @bob :x"), [":irchat 401 alice @bob :No such nick"])
        self.assertEqual(
            self._refused("PRIVMSG alice :x"), [":irchat 531 alice alice :You cannot send messages to this user"]
        )

    def test_notices_are_silent(self) -> None:
        """A refused NOTICE has no answer, but for ACK with a label."""
        for line in (
            "NOTICE bob", "NOTICE", "NOTICE nobody :x", "NOTICE bob :", "NOTICE alice :x", "NOTICE bob :*30@bob x",
            "NOTICE bob :\x01VERSION x\x01", "NOTICE a,b,c,d,e :x", "NOTICE *irchat :ls",
        ):  # fmt: skip
            self.assertEqual(self._refused(line), [], line)
        self.assertEqual(self._refused("@label=1 NOTICE nobody :x"), ["@label=1 :irchat ACK"])

    def test_ctcp(self) -> None:
        """Of CTCP only ACTION is passed on."""
        for request in "VERSION", "DCC SEND x 2130706433 1 1", "PING 1":
            (line,) = self._refused(f"PRIVMSG bob :\x01{request}\x01")
            self.assertEqual(line, ":irchat 404 alice bob :Of CTCP only ACTION is passed on")

    def test_looks_timed(self) -> None:
        """A text that begins like a timed message is refused in any chat, whatever formatting it has."""
        for text in "*30@bob hi", "*30*team hi", "*30* hi", " *5@ bob hi", "\x02*30\x02@bob hi", "*30@bob", "*٣@bob x":
            for target in "bob", "#global":
                (line,) = self._refused(f"PRIVMSG {target} :{text}")
                self.assertTrue(line.startswith(f":irchat FAIL PRIVMSG TIMED_ELSEWHERE {target} :"), line)

    def test_unavailable(self) -> None:
        """A message that the disk cannot hold is refused, and shown to nobody."""
        self.server.threads.write.holds = True
        self.alice.type("@label=1 PRIVMSG bob :x")
        self.assertEqual(self.alice.got(), [])
        self.server.threads.write.fail(Refusal(Code.UNAVAILABLE, "The disk is full."))
        self.server.turn()
        self.assertEqual(self.alice.got(), ["@label=1 :irchat FAIL PRIVMSG UNAVAILABLE bob :The disk is full."])


class TooLongTests(IRCTestCase):
    """The limit of a text."""

    options = {"limits": Limits(per_address=0, per_user=0, timed=0, rate=0, text_length=20)}

    def test_too_long(self) -> None:
        """A text over the limit is FAIL TEXT_TOO_LONG."""
        (line,) = self.irc("alice").ask("PRIVMSG #global :" + "x" * 21)
        self.assertTrue(line.startswith(":irchat FAIL PRIVMSG TEXT_TOO_LONG #global :"), line)


class NotTimedTests(IRCTestCase):
    """Texts that only resemble timed messages."""

    def test_sent(self) -> None:
        """A text with stars is a text, as is a time in its middle."""
        alice, bob = self.irc("alice"), self.irc("bob")
        for text in "*bold* hi", "** hi", "*30", "* 30", "2*30*5", "see *30@bob", "/me *30@bob":
            bob.got()
            self.assertEqual(alice.ask(f"PRIVMSG bob :{text}"), [], text)
            self.assertEqual(len(bob.got()), 1, text)


class EchoTests(IRCTestCase):
    """The lines to the sending session."""

    def test_echo(self) -> None:
        """With echo-message the text comes back as it is stored, with its id and the label."""
        alice = self.irc("alice", "echo-message", "labeled-response", "message-tags", "batch")
        self.irc("bob")
        self.assertEqual(
            alice.ask("@label=7 PRIVMSG bob :\x02hi\x02\x07", "@label=8 NOTICE #global :x"),
            [
                "@label=7;msgid=1.2-1 :alice!alice@irchat PRIVMSG bob :hi\u2407",
                "@label=8;msgid=g-1 :alice!alice@irchat NOTICE #global :x",
            ],
        )

    def test_no_echo(self) -> None:
        """Without it a labeled message is answered by ACK, another one by nothing."""
        alice = self.irc("alice", "labeled-response", "batch")
        self.assertEqual(alice.ask("@label=7 PRIVMSG #global :hi"), ["@label=7 :irchat ACK"])
        self.assertEqual(alice.ask("PRIVMSG #global :hi"), [])

    def test_several_targets(self) -> None:
        """The echoes of several targets are one labeled batch."""
        alice = self.irc("alice", "echo-message", "labeled-response", "batch")
        self.irc("bob")
        self.assertEqual(
            alice.ask("@label=7 PRIVMSG bob,#global :hi"),
            [
                "@label=7 :irchat BATCH +b1 labeled-response",
                "@batch=b1 :alice!alice@irchat PRIVMSG bob :hi",
                "@batch=b1 :alice!alice@irchat PRIVMSG #global :hi",
                ":irchat BATCH -b1",
            ],
        )

    def test_after_the_commit(self) -> None:
        """Nobody is shown a line before the commit; the echo and PONG come then, in the order of the lines."""
        alice, bob = self.irc("alice", "echo-message"), self.irc("bob")
        bob.got()
        self.server.threads.write.holds = True
        self.assertEqual(alice.ask("PRIVMSG #global :hi", "PING x"), [])
        self.assertEqual(bob.got(), [])
        self.server.threads.write.release()
        self.server.turn()
        self.assertEqual(alice.got(), [":alice!alice@irchat PRIVMSG #global :hi", ":irchat PONG irchat :x"])
        self.assertEqual(bob.got(), [":alice!alice@irchat PRIVMSG #global :hi"])


class AwayTests(IRCTestCase):
    """301 about who will read it later."""

    def test_offline(self) -> None:
        """A message to who is offline is stored, and 301 says so once in ten minutes for each user."""
        self.irc("bob").leave()
        self.irc("carol").leave()
        alice = self.irc("alice")
        offline = [":irchat 301 alice bob :offline: reads it later"]
        self.assertEqual(alice.ask("PRIVMSG bob :one"), offline)
        self.assertEqual(alice.ask("PRIVMSG bob :two", "NOTICE bob :three"), [])
        self.assertEqual(len(alice.ask("PRIVMSG carol :one")), 1)
        for _ in range(14):
            self.server.advance(42)
            alice.type("PING x")
        self.assertEqual(alice.ask("PRIVMSG bob :four"), [])
        self.server.advance(10)
        self.server.advance(2)
        self.assertEqual(alice.ask("PRIVMSG bob :five"), offline)
        bob = self.server.json("bob")
        self.assertEqual(bob.welcome["unread"][0]["unread"], 5)

    def test_notice(self) -> None:
        """A notice is not answered by 301."""
        self.irc("bob").leave()
        self.assertEqual(self.irc("alice").ask("NOTICE bob :one"), [])


class NoPasswordsTests(IRCTestCase):
    """A server without passwords."""

    options = {"passwords": False}

    def test_no_account_is_claimed(self) -> None:
        """No message has the account tag."""
        alice, bob = self.irc("alice"), self.irc("bob", "account-tag")
        bob.got()
        alice.type("PRIVMSG #global :hi")
        self.assertEqual(bob.got(), [":alice!alice@irchat PRIVMSG #global :hi"])
        self.assertNotIn(PASSWORD, str(bob.burst))


class PlainLineTests(SynchronousTestCase):
    """The short way of a line that needs no closer look."""

    def test_same_meaning(self) -> None:
        """A line that goes the short way has the meaning that it has on the long one: one target, and this text."""
        taken = [line for line in product(COMMANDS, TARGETS, TEXTS) if self._is_taken(*line)]
        self.assertEqual(taken, list(product(["PRIVMSG "], ["#global", "#team", "bob", "é"], ["hi", " a :b ", "*é"])))

    def _is_taken(self, command: str, target: str, text: str) -> bool:
        asked: list[object] = []
        protocol = SimpleNamespace(session=SimpleNamespace(ask=lambda request, context: asked.append(request)))
        data = f"{command}{target} :{text}".encode()
        if not say_plainly(protocol, data):  # type: ignore[arg-type]
            self.assertEqual(asked, [])
            return False
        line = parse(data)
        assert line is not None
        self.assertEqual((line.command, line.params, read_said(text)), ("PRIVMSG", [target, text], Said(text)))
        self.assertEqual(asked, [Send(chat=chat_of(target), text=text)])
        self.assertEqual((visible(text), looks_timed(text), "," in target), (text, False, False))
        return True
