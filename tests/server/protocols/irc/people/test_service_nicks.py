"""``*irchat`` and NickServ, after the sign-in."""

from irchat.protocol import events
from irchat.rendering.lines import OWN_MARK
from irchat.server.protocols.irc.people import service_nicks
from tests.helpers.irc import IRCTestCase, numerics
from tests.helpers.server import PASSWORD

_NOTICE = ":*irchat!irchat@irchat NOTICE alice :"


class CommandNickTests(IRCTestCase):
    """``*irchat``."""

    options = {"admins": frozenset({"root"})}

    def setUp(self) -> None:
        """Sign in two users."""
        super().setUp()
        self.alice, self.bob = self.irc("alice"), self.irc("bob")
        self.alice.ask("PRIVMSG bob :one", "PRIVMSG #global :two")
        self.bob.got()

    def say(self, line: str) -> list[str]:
        """Say a line. Return what it answers."""
        lines = self.alice.ask(f"PRIVMSG *irchat :{line}")
        self.assertTrue(all(one.startswith(_NOTICE) for one in lines), lines)
        return [one.removeprefix(_NOTICE) for one in lines]

    def test_looks(self) -> None:
        """Answers are those of the text protocol, without colours."""
        self.assertEqual(self.say("ls"), [f"{OWN_MARK}your chats, latest first:", *self.say("ls")[1:]])
        self.assertIn("@bob", "".join(self.say("ls")))
        page = self.say("ls @bob 10")
        self.assertTrue(page[1].endswith("[@bob #1] alice: one"), page)
        self.assertEqual(self.say("~bob"), [f"{OWN_MARK}you block: bob"])
        self.assertEqual(self.say("~"), [f"{OWN_MARK}you block: bob"])
        self.assertIn("two", "".join(self.say("?two")))
        self.assertTrue(any(line.startswith("~<user>") for line in self.say("!help")))
        self.assertTrue(self.say("@")[0].startswith("online:"))
        self.assertNotIn("\x1b", "".join(self.say("@")))

    def test_errors(self) -> None:
        """A mistake shows as the text protocol shows it, with the usage."""
        said = self.say("+dave")
        self.assertTrue(said[0].startswith("! "), said)
        self.assertTrue(self.say("/join #x")[0].startswith("! Nothing was sent."))
        self.assertTrue(self.say("  ")[0].startswith("! "))

    def test_sends(self) -> None:
        """A message goes to its chat, and is confirmed."""
        self.assertEqual(self.say("@bob hello there"), [f"{OWN_MARK}sent to @bob"])
        self.assertEqual(self.bob.got(), [":alice!alice@irchat PRIVMSG bob :hello there"])

    def test_refused_here(self) -> None:
        """Timed messages, exit, passwords and plain text belong elsewhere, and nothing happens."""
        for line, hint in (
            ("*30@bob secret", "Timed messages are for IRChat clients"),
            ("*30* secret", "Timed messages are for IRChat clients"),
            ("exit", "Use /quit"),
            ("!password", "NickServ PASSWORD"),
            ("hello all", "say it in #global"),
            ("\\/hello", "say it in #global"),
        ):
            said = self.say(line)
            self.assertIn(hint, said[0], line)
            self.assertEqual([one for one in said[1:] if one.startswith("! ")], [], "it is answered once")
        self.assertEqual(self.bob.got(), [])
        self.assertTrue(self.alice.is_open)

    def test_help(self) -> None:
        """The manual and the usage of a mistake list only what is taken here, and no advice that is refused here."""
        manual = self.say("!help")
        self.assertTrue(any(line.startswith("ls <chat_name> ") for line in manual))
        for line in manual:
            self.assertFalse(line.startswith(("<message>", "\\<message>", "*<time>", "exit", "!password")), line)
        self.assertEqual([line.split("  ")[0] for line in self.say("!help ~")], ["~<user>", "~"])
        (unknown,) = [line for line in self.say("!help \\") if line.startswith("! ")]
        self.assertNotIn("\\", unknown)
        for line in "*30 hi", "@nobody hi", "/join #x", "+dave":
            said = "".join(self.say(line))
            self.assertTrue(said.startswith("! "), said)
            self.assertNotIn("*<time>", said)
            self.assertNotIn("\\", said)

    def test_timed_in_history(self) -> None:
        """No page and no search shows a timed message."""
        eve = self.server.json("eve")
        eve.ask("send", chat="GLOBAL", text="secret thing", expires_in=600)
        self.alice.got()
        for line in "ls GLOBAL", "ls -n GLOBAL", "?secret", "ls":
            said = self.say(line)
            self.assertNotIn("secret", "".join(said))
            self.assertTrue(said)
            self.assertEqual(len(said), len(set(said)), "an answer comes once")

    def test_timed_in_any_answer(self) -> None:
        """No answer shows the text of a timed message, whatever event it is."""
        protocol = self.alice.connection.session.protocol
        fields = {"chat": "GLOBAL", "sender": "bob", "at": "2026-11-22T14:00:00.000Z", "text": "secret"}
        for fields_of_kind, is_shown in (({"id": "t-1", "left_ms": 1_000}, False), ({"seq": 1}, True)):
            said = service_nicks._shown(protocol, "ls", events.Message(**fields, **fields_of_kind))
            self.assertEqual(b"secret" in said, is_shown)

    def test_many_lines(self) -> None:
        """A long answer is cut after 100 lines, and says so."""
        for number in range(150):
            self.alice.ask(f"PRIVMSG bob :line {number}")
        said = self.say("ls @bob 150")
        self.assertEqual(len(said), 101)
        self.assertEqual(said[-1], "-- 52 more lines: ask for fewer (!help)")
        said = self.say("ls @bob 98")
        self.assertEqual(len(said), 100)
        self.assertNotIn("more lines", said[-1])

    def test_moderation(self) -> None:
        """Administrators kick by it; others have no such command."""
        self.assertTrue(self.say("!kick bob")[0].startswith("! "))
        self.assertTrue(self.bob.is_open)
        root = self.irc("root")
        root.ask("PRIVMSG *irchat :!kick bob")
        self.server.turn()
        self.assertFalse(self.bob.is_open)
        self.assertTrue(self.bob.got()[-1].startswith("ERROR :"))

    def test_is_online(self) -> None:
        """It is online to MONITOR, WHOIS and ISON, and in no chat."""
        self.assertEqual(self.alice.ask("ISON *irchat"), [":irchat 303 alice :*irchat"])
        self.assertEqual(self.alice.ask("MONITOR + *irchat"), [":irchat 730 alice :*irchat!irchat@irchat"])
        self.assertEqual(numerics(self.alice.ask("WHOIS *IRCHAT")), ["311", "312", "318"])
        self.assertNotIn("*irchat", self.alice.ask("NAMES #global")[0])

    def test_notice(self) -> None:
        """A NOTICE to it is ignored: clients answer by them."""
        self.assertEqual(self.alice.ask("NOTICE *irchat :ls", "NOTICE NickServ :HELP"), [])


class NickServTests(IRCTestCase):
    """NickServ."""

    def setUp(self) -> None:
        """Sign in."""
        super().setUp()
        self.alice = self.irc("alice", password="staple-battery")

    def say(self, words: str) -> str:
        """Say words. Return the only line of the answer."""
        (line,) = self.alice.ask(f"PRIVMSG NickServ :{words}")
        return line.removeprefix(":NickServ!irchat@irchat NOTICE alice :")

    def test_password(self) -> None:
        """PASSWORD changes it, after the right old one."""
        self.assertIn("old password is wrong", self.say("PASSWORD wrong-one new-password"))
        self.assertIn("8 to", self.say("PASSWORD staple-battery short"))
        self.assertEqual(self.say("password staple-battery new-password"), "Your password is changed.")
        self.assertIn(" 001 ", " ".join(self.irc("alice", password="new-password").burst))

    def test_signed_in(self) -> None:
        """Signing in again is not needed."""
        for words in f"IDENTIFY {PASSWORD}".replace(" horse", ""), "REGISTER something-new":
            self.assertEqual(self.say(words), "You are signed in as alice.")

    def test_help(self) -> None:
        """HELP, NS and mistakes list the commands."""
        for line in "PRIVMSG nickserv :HELP", "NS help", "NICKSERV HELP":
            self.assertEqual(len(self.alice.ask(line)), 3)
        self.assertIn("PASSWORD <old> <new>", self.say("PASSWORD x"))

    def test_name(self) -> None:
        """Nobody can have its name."""
        client = self.irc()
        client.ask("CAP LS 302", "NICK NickServ", "USER u 0 * :U")
        self.assertIn("BAD_ACCOUNT_NAME", client.ask(f"REGISTER * * :{PASSWORD}")[0])
