"""Registration of an IRC client, row by row, with a whole server."""

from irchat.interfaces.limits import Limits
from tests.helpers.irc import IRCTestCase, numerics, plain
from tests.helpers.server import GREETING, PASSWORD


class OrderTests(IRCTestCase):
    """The end of the registration."""

    def test_any_order(self) -> None:
        """It ends when NICK and USER came and no negotiation is open, in whatever order."""
        self.irc("alice")
        for lines in (
            ("USER u 0 * :U", "NICK x", "CAP LS 302", "CAP END"),
            ("CAP LS 302", "NICK x", "CAP REQ :server-time", "USER u 0 * :U", "CAP END"),
            ("NICK x", "USER u 0 * :U"),
        ):
            client = self.irc()
            begun = lines[:2] if lines[0].startswith("USER") else lines[:-1]
            is_over_early = lines[0].startswith("USER")
            self.assertEqual("001" in numerics(client.ask(*begun)), is_over_early)
            if not is_over_early:
                self.assertIn("001", numerics(client.ask(lines[-1])))

    def test_greeting_was_sent(self) -> None:
        """The main port has greeted before the first line chooses IRC, in any case; a name without a space is text."""
        client = self.irc(keep_greeting=True)
        self.assertEqual(client.read(), GREETING)
        self.assertEqual(client.ask("cap ls 302")[0][:16], ":irchat CAP * LS")
        for text in "nick", "PASSport", "Userland":
            client = self.irc()
            client.type(text)
            self.assertNotIn(":irchat", client.read())

    def test_irssi(self) -> None:
        """A JOIN before the registration is 451 and no more."""
        client = self.irc()
        client.type("CAP LS 302")
        self.assertEqual(client.ask("JOIN :"), [":irchat 451 * :You have not registered"])
        self.assertTrue(client.is_open)


class SaslTests(IRCTestCase):
    """SASL PLAIN."""

    def setUp(self) -> None:
        """Create an account, and begin another session."""
        super().setUp()
        self.irc("Alice")
        self.client = self.irc()
        self.client.ask("CAP LS 302", "CAP REQ :sasl", "NICK alice", "USER u 0 * :U")

    def try_(self, *parameters: str) -> list[str]:
        """Send parameters of AUTHENTICATE. Return the numerics."""
        return numerics(self.client.ask(*(f"AUTHENTICATE {parameter}" for parameter in parameters)))

    def test_right(self) -> None:
        """The right password signs in, before the end of the negotiation; the nick is the account's spelling."""
        self.assertEqual(self.try_("PLAIN", plain("alice")), ["900", "903"])
        lines = self.client.ask("CAP END")
        self.assertEqual(lines[0], ":irchat 001 Alice :Welcome to Test, Alice")
        self.assertIn(":Alice!u@irchat JOIN #global", lines)

    def test_wrong(self) -> None:
        """A wrong password and an unknown name are 904 alike. Another try may follow."""
        wrong = self.client.ask("AUTHENTICATE PLAIN", f"AUTHENTICATE {plain('alice', 'battery staple')}")
        unknown = self.client.ask("AUTHENTICATE PLAIN", f"AUTHENTICATE {plain('nobody')}")
        self.assertEqual(wrong, unknown)
        self.assertEqual(numerics(wrong), ["904"])
        self.assertEqual(self.try_("PLAIN", plain("alice")), ["900", "903"])

    def test_other_mechanism(self) -> None:
        """Another mechanism is named the right one. An abort is 906, a second sign-in 907, too much 905."""
        self.assertEqual(self.try_("SCRAM-SHA-256"), ["908", "904"])
        self.assertEqual(self.try_("PLAIN", "*"), ["906"])
        self.assertEqual(self.try_("PLAIN", "a" * 401), ["905"])
        self.assertEqual(self.try_("PLAIN", plain("alice"), "PLAIN"), ["900", "903", "907"])

    def test_in_the_waiting_room(self) -> None:
        """It signs in after the registration too, with the burst."""
        self.client.ask("CAP END")
        self.assertEqual(self.try_("PLAIN", plain("alice"))[:2], ["900", "903"])


class PassTests(IRCTestCase):
    """PASS."""

    def setUp(self) -> None:
        """Create an account."""
        super().setUp()
        self.irc("alice")

    def test_right(self) -> None:
        """The password of the nick, or of a named account, signs in at the end of the registration."""
        for given, nick in (PASSWORD, "alice"), (f"alice:{PASSWORD}", "other"):
            lines = self.irc().ask(f"PASS :{given}", f"NICK {nick}", "USER u 0 * :U")
            self.assertIn(":irchat 001 alice :Welcome to Test, alice", lines)

    def test_wrong(self) -> None:
        """A wrong one is 464 and the end. It never makes an account."""
        for nick in "alice", "newcomer":
            client = self.irc()
            lines = client.ask("PASS :battery staple", f"NICK {nick}", "USER u 0 * :U")
            self.assertEqual(numerics(lines), ["464"])
            self.assertTrue(lines[-1].startswith("ERROR :"))
            self.assertFalse(client.is_open)
        self.assertIsNone(self.server.chat.directory.find_user("newcomer"))


class RegisterTests(IRCTestCase):
    """REGISTER, before the end of the registration and in the waiting room."""

    def register(self, *lines: str, nick: str = "alice") -> list[str]:
        """Return the answer to REGISTER lines."""
        client = self.irc()
        client.ask("CAP LS 302", f"NICK {nick}", "USER u 0 * :U")
        return client.ask(*lines)

    def test_success(self) -> None:
        """The account is made, and signed in."""
        lines = self.register(f"REGISTER * mail@example.org :{PASSWORD}", "CAP END")
        self.assertTrue(lines[0].startswith(":irchat REGISTER SUCCESS alice :"))
        self.assertEqual(numerics(lines)[:2], ["900", "001"])

    def test_refusals(self) -> None:
        """Each has its code, and nothing is made."""
        self.irc("taken")
        for line, nick, code in (
            (f"REGISTER bob * :{PASSWORD}", "alice", "ACCOUNT_NAME_MUST_BE_NICK"),
            (f"REGISTER * * :{PASSWORD}", "taken", "ACCOUNT_EXISTS"),
            ("REGISTER * * :short", "alice", "WEAK_PASSWORD"),
            (f"REGISTER * * :{PASSWORD}", "NickServ", "BAD_ACCOUNT_NAME"),
            ("VERIFY alice 1", "alice", "INVALID_CODE"),
        ):
            self.assertIn(f" {code} ", self.register(line, nick=nick)[0])
        client = self.irc()
        client.ask("CAP LS 302")
        self.assertIn(" NEED_NICK ", client.ask(f"REGISTER * * :{PASSWORD}")[0])
        again = self.irc("bob").ask(f"REGISTER * * :{PASSWORD}")
        self.assertIn(" ALREADY_AUTHENTICATED ", again[0])

    def test_closed(self) -> None:
        """With closed registration the capability is not offered, and REGISTER is refused."""
        self.server.accounts.registration_open = False
        self.assertNotIn("account-registration", " ".join(self.irc().ask("CAP LS 302")))
        self.assertIn(" DISALLOWED ", self.register(f"REGISTER * * :{PASSWORD}")[0])

    def test_store_fails(self) -> None:
        """A store that fails is a temporary state."""
        client = self.irc()
        client.ask("CAP LS 302", "NICK alice", "USER u 0 * :U")
        self.server.threads.write.holds = True
        client.type(f"REGISTER * * :{PASSWORD}")
        self.server.threads.write.fail(OSError("disk"))
        self.server.turn()
        self.assertIn(" TEMPORARILY_UNAVAILABLE ", client.got()[0])
        self.flushLoggedErrors()


class WaitingRoomTests(IRCTestCase):
    """A client that has registered and is not signed in."""

    def setUp(self) -> None:
        """Put a client under a taken and one under a free name there."""
        super().setUp()
        self.alice = self.irc("alice")
        self.client = self.irc()
        self.lines = self.client.ask("NICK alice", "USER u 0 * :U")

    def test_entrance(self) -> None:
        """001 to 005 and 422 come, and a notice that says how to sign in. Nobody sees who waits."""
        self.assertEqual(sorted(set(numerics(self.lines)))[:5], ["001", "002", "003", "004", "005"])
        self.assertIn("422", numerics(self.lines))
        self.assertIn("IDENTIFY <password>", self.lines[-1])
        free = self.irc().ask("NICK newcomer", "USER u 0 * :U")
        self.assertIn("/msg NickServ REGISTER <password>", free[-1])
        self.assertEqual(self.alice.got(), [])
        self.assertEqual(self.alice.ask("ISON newcomer"), [":irchat 303 alice :"])
        self.assertIn(":irchat 253 alice 2 :unregistered connections", self.alice.ask("LUSERS"))

    def test_several_of_one_nick(self) -> None:
        """Several may wait under one nick, and NICK is free there."""
        self.assertIn("001", numerics(self.irc().ask("NICK alice", "USER u 0 * :U")))
        self.assertEqual(self.client.ask("NICK dave")[0], ":alice!u@irchat NICK dave")

    def test_taken_and_refused(self) -> None:
        """Some commands are answered, some are swallowed, and the rest is 477."""
        for line, numeric in (
            ("LUSERS", "251"), ("MOTD", "422"), ("VERSION", "351"), ("TIME", "391"), ("HELP", "704"), ("INFO", "371"),
            ("ADMIN", "256"), ("ISUPPORT", "005"), ("JOIN #team", "477"), ("PRIVMSG #global :hi", "477"),
            ("PRIVMSG bob :hi", "477"), ("SILENCE", "477"), ("TOPIC #team", "477"), ("CHATHISTORY", "477"),
        ):  # fmt: skip
            self.assertEqual(numerics(self.client.ask(line))[:1], [numeric], line)
        for line in (
            "MODE #global",
            "WHO #global",
            "MONITOR + a",
            "USERHOST a",
            "ISON a",
            "NOTICE a :b",
            "TAGMSG #global",
        ):
            self.assertEqual(self.client.ask(line), [], line)
        self.assertEqual(self.client.ask("PING t"), [":irchat PONG irchat :t"])
        self.assertEqual(self.alice.got(), [])

    def test_identify(self) -> None:
        """IDENTIFY signs in, names differing end in a NICK line, and the burst follows. A wrong one may try again."""
        self.irc("carol", password="staple-battery").leave()
        self.client.ask("NICK dave")
        wrong = self.client.ask("PRIVMSG NickServ :IDENTIFY carol battery-staple")
        self.assertTrue(wrong[0].startswith(":NickServ!irchat@irchat NOTICE dave :"))
        lines = self.client.ask("PRIVMSG nickserv :IDENTIFY carol staple-battery")
        self.assertIn(":dave!u@irchat NICK carol", lines)
        self.assertIn(":carol!u@irchat JOIN #global", lines)
        self.assertIn("900", numerics(lines))
        self.assertNotIn("001", numerics(lines))

    def test_register(self) -> None:
        """REGISTER of NickServ makes the account of the nick. It answers with a notice and 900."""
        client = self.irc()
        client.ask("NICK newcomer", "USER u 0 * :U")
        lines = client.ask("NS REGISTER hunter2hunter2")
        self.assertEqual(numerics(lines)[0], "900")
        self.assertIn(":newcomer!u@irchat JOIN #global", lines)
        self.assertNotIn("SUCCESS", " ".join(lines))

    def test_time(self) -> None:
        """It ends five minutes after the connection; a connection without USER after one."""
        silent = self.irc()
        silent.ask("NICK x")
        self.server.advance(61)
        self.assertFalse(silent.is_open)
        self.assertTrue(self.client.is_open)
        self.client.read()
        self.server.advance(240)
        self.assertTrue(self.client.read().startswith("ERROR :"))
        self.assertFalse(self.client.is_open)


class WithoutPasswordsTests(IRCTestCase):
    """A server with --no-passwords."""

    options = {"passwords": False}

    def test_nick_is_account(self) -> None:
        """The nick is the account, new or not; PASS and SASL are ignored, and no account is claimed."""
        alice = self.irc("alice", "extended-join")
        lines = self.irc().ask("PASS whatever", "NICK Alice", "USER u 0 * :U")
        self.assertIn(":irchat 001 alice :Welcome to Test, alice", lines)
        bob = self.irc()
        bob.ask("CAP LS 302", "CAP REQ sasl", "NICK bob", "USER u 0 * :B")
        self.assertEqual(numerics(bob.ask("AUTHENTICATE PLAIN", f"AUTHENTICATE {plain('zed', 'nothing')}")), ["903"])
        self.assertIn("001", numerics(bob.ask("CAP END")))
        self.assertIn(":bob!u@irchat JOIN #global * :B", alice.got())
        self.assertNotIn("330", numerics(alice.ask("WHOIS bob")))
        self.assertIn(":irchat 354 alice bob 0", alice.ask("WHO bob %na"))


class NamesTests(IRCTestCase):
    """Nicks that differ from the account, and bad ones."""

    def test_bad_name(self) -> None:
        """432 says what is wrong with it."""
        client = self.irc()
        client.type("CAP LS 302")
        for nick in "al-ice", "[alice]", "alice|away", "12", "ls":
            (line,) = client.ask(f"NICK {nick}")
            self.assertEqual(line.split(" ")[1:4], ["432", "*", nick])
        self.assertIn("names do not have -", client.ask("NICK al-ice")[0])

    def test_own_second_session(self) -> None:
        """A second connection with the account is another session, never 433."""
        self.irc("alice")
        self.assertIn("001", numerics(self.irc("alice").burst))


class BanTests(IRCTestCase):
    """Bans."""

    def setUp(self) -> None:
        """Ban a user."""
        super().setUp()
        self.irc("alice")
        self.successResultOf(self.server.chat.moderation.ban("alice", None, "spam", by=None))

    def test_user(self) -> None:
        """The ban is shown only after the right password."""
        for password, expected in (PASSWORD, ["904", "465"]), ("battery staple", ["904"]):
            client = self.irc()
            client.ask("CAP LS 302", "CAP REQ sasl", "NICK alice", "USER u 0 * :U")
            lines = client.ask("AUTHENTICATE PLAIN", f"AUTHENTICATE {plain('alice', password)}")
            self.assertEqual(numerics(lines), expected)
            self.assertEqual(client.is_open, password != PASSWORD)
        lines = self.irc().ask(f"PASS :{PASSWORD}", "NICK alice", "USER u 0 * :U")
        self.assertEqual(numerics(lines), ["465"])
        self.assertIn("You are banned: spam", lines[0])
        self.assertTrue(lines[-1].startswith("ERROR :"))

    def test_address(self) -> None:
        """A banned address gets the ban as its first answer, and is closed."""
        self.successResultOf(self.server.chat.moderation.ban("192.0.2.1", None, "flood", by=None))
        client = self.irc(host="192.0.2.1")
        lines = client.ask("CAP LS 302")
        self.assertEqual(numerics(lines), ["465"])
        self.assertTrue(lines[-1].startswith("ERROR :You are banned: flood"))
        self.assertFalse(client.is_open)

    def test_while_online(self) -> None:
        """A ban ends the sessions of its user with the reason."""
        bob = self.irc("bob")
        self.successResultOf(self.server.chat.moderation.ban("bob", None, "spam", by=None))
        self.server.turn()
        self.assertEqual(bob.got(), [
            ":irchat 465 bob :You are banned: spam",
            "ERROR :You are banned: spam",
        ])  # fmt: skip


class TooManyTests(IRCTestCase):
    """Limits."""

    options = {"limits": Limits(per_address=10, per_user=0, timed=0, rate=0, tries=2)}

    def test_tries(self) -> None:
        """Too many wrong passwords say how long to wait."""
        self.irc("alice").leave()
        client = self.irc()
        client.ask("CAP LS 302", "CAP REQ sasl", "NICK alice", "USER u 0 * :U")
        for _ in range(3):
            lines = client.ask("AUTHENTICATE PLAIN", f"AUTHENTICATE {plain('alice', 'battery staple')}")
        self.assertEqual(numerics(lines), ["904"])
        self.assertIn("Wait", lines[-1])
