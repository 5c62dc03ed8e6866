"""The state machine of registration, row by row of its documentation."""

from irchat.irc.command_table import Phase
from irchat.irc.registration.steps import Ask, Options
from irchat.protocol.errors import Code
from irchat.protocol.requests import Login, Register
from tests.helpers.irc_registrations import MachineTestCase, error, machine, plain, welcome


class SaslTests(MachineTestCase):
    """SASL."""

    def test_before_registration(self) -> None:
        """SASL signs in; 001 comes when CAP END, NICK and USER came, and names the account."""
        self.send("CAP LS 302", "CAP REQ :sasl", "NICK al_", "USER u 0 * :Real")
        self.assertEqual(self.said(self.send("AUTHENTICATE PLAIN")), ["AUTHENTICATE +"])
        self.assertEqual(self.send(plain("alice", "secret")), [Ask(Login(name="alice", password="secret"))])
        self.assertEqual(self.send("CAP END"), [])
        self.assertEqual(
            self.answer(welcome("Alice")),
            [
                "900 * al_!u@irchat Alice :You are now logged in as Alice",
                "903 * :SASL authentication successful",
                "SignedIn Alice",
            ],
        )
        self.assertEqual(
            (self.machine.phase, self.machine.nick, self.machine.prefix), (Phase.SIGNED_IN, "Alice", "Alice!u@irchat")
        )

    def test_irssi(self) -> None:
        """irssi sends NICK and USER after SASL and CAP END, and a JOIN without a channel before."""
        self.assertEqual(self.said(self.send("CAP LS 302", "JOIN :"))[-1], "451 * :You have not registered")
        self.assertEqual(
            self.said(self.send("CAP REQ :sasl", "AUTHENTICATE PLAIN")), ["CAP * ACK :sasl", "AUTHENTICATE +"]
        )
        self.send(plain("alice", "secret"))
        self.assertEqual(self.answer(welcome("alice"))[0], "900 * *!*@irchat alice :You are now logged in as alice")
        self.assertEqual(self.said(self.send("CAP END", "NICK bad-nick", "USER u 0 * :R")), ["SignedIn alice"])

    def test_failures(self) -> None:
        """A wrong password is 904 with the reason; one may try again."""
        self.send("CAP LS")
        for code in (Code.BAD_CREDENTIALS, Code.TOO_MANY_TRIES, Code.UNAVAILABLE):
            self.send("AUTHENTICATE PLAIN", plain("alice", "wrong"))
            self.assertEqual(self.answer(error(code)), ["904 * :No."])
        self.assertEqual(self.said(self.send("AUTHENTICATE PLAIN")), ["AUTHENTICATE +"])
        self.assertEqual(self.said(self.send("AUTHENTICATE *")), ["906 * :SASL authentication aborted"])
        self.assertEqual(
            self.said(self.send("AUTHENTICATE EXTERNAL")),
            ["908 * PLAIN :are available SASL mechanisms", "904 * :SASL authentication failed"],
        )
        self.send("AUTHENTICATE PLAIN")
        self.assertEqual(self.said(self.send(f"AUTHENTICATE {'A' * 401}")), ["905 * :SASL message too long"])

    def test_twice(self) -> None:
        """A signed-in user gets 907, before registration and after it."""
        self.send("CAP LS", "AUTHENTICATE PLAIN", plain("alice", "secret"))
        self.answer(welcome("alice"))
        already = "You have already authenticated using SASL"
        self.assertEqual(self.said(self.send("AUTHENTICATE PLAIN")), [f"907 * :{already}"])
        self.send("NICK alice", "USER u 0 * :R", "CAP END")
        self.assertEqual(self.said(self.send("AUTHENTICATE PLAIN")), [f"907 alice :{already}"])

    def test_registration_goes_on_without(self) -> None:
        """The end of registration aborts an exchange."""
        self.send("CAP LS", "NICK zoe", "USER u 0 * :R", "AUTHENTICATE PLAIN")
        self.assertEqual(
            self.said(self.send("CAP END"))[:2], ["906 * :SASL authentication aborted", "EnterWaitingRoom"]
        )

    def test_chunks(self) -> None:
        """Chunks after the first are not answered."""
        self.send("CAP LS")
        self.assertEqual(self.said(self.send("AUTHENTICATE PLAIN", f"AUTHENTICATE {'A' * 400}")), ["AUTHENTICATE +"])

    def test_banned(self) -> None:
        """A banned user learns it after the right password, and the connection ends."""
        self.send("CAP LS", "AUTHENTICATE PLAIN", plain("alice", "secret"))
        self.send("NICK alice")
        self.assertEqual(
            self.answer(error(Code.BANNED, "Banned until Monday.")),
            ["Close", "904 * :Banned until Monday.", "465 * :Banned until Monday.", "ERROR :You are banned"],
        )
        self.assertEqual(self.send("USER u 0 * :R", "PING x"), [])


class PassTests(MachineTestCase):
    """PASS."""

    def test_password(self) -> None:
        """The password is tried at the end of registration, for the nick or the account before its colon."""
        for typed, name, password in (
            ("secret", "zoe", "secret"),
            ("Alice:secret:x", "Alice", "secret:x"),
            ("nobody:secret", "zoe", "nobody:secret"),
            (":odd", "zoe", ":odd"),
            ("bad name:odd", "zoe", "bad name:odd"),
        ):
            self.machine = machine()
            self.assertEqual(self.send(f"PASS :{typed}", "NICK zoe"), [])
            self.assertEqual(self.send("USER u 0 * :R"), [Ask(Login(name=name, password=password))], typed)
            self.assertEqual(self.answer(welcome("Zoe")), ["SignedIn Zoe"])

    def test_wrong(self) -> None:
        """A wrong password ends the connection with 464."""
        self.send("PASS wrong", "NICK zoe", "USER u 0 * :R")
        self.assertEqual(self.answer(error(Code.BAD_CREDENTIALS)), ["Close", "464 * :No.", "ERROR :No."])

    def test_other_refusals(self) -> None:
        """A ban is 465; any other refusal ends the connection with its text."""
        self.send("PASS secret", "NICK zoe", "USER u 0 * :R")
        self.assertEqual(self.answer(error(Code.BANNED)), ["Close", "465 * :No.", "ERROR :You are banned"])
        self.machine = machine()
        self.send("PASS secret", "NICK zoe", "USER u 0 * :R")
        self.assertEqual(self.answer(error(Code.UNAVAILABLE)), ["Close", "ERROR :No."])

    def test_too_late(self) -> None:
        """PASS and USER after registration are 462."""
        self.wait()
        for text in ("PASS x", "USER a b c d"):
            self.assertEqual(self.said(self.send(text)), ["462 zoe :You may not reregister"])


class RegisterTests(MachineTestCase):
    """REGISTER and VERIFY."""

    def test_spaces_in_passwords(self) -> None:
        """A password with spaces is taken whole, whether the client puts a colon before it or not."""
        for colon in "", ":":
            self.machine = machine()
            self.send("CAP LS", "NICK zoe", "USER u 0 * :R")
            asked = self.send(f"REGISTER * * {colon}correct horse battery")
            self.assertEqual(asked, [Ask(Register(name="zoe", password="correct horse battery"))])
            self.machine = machine()
            self.send(f"PASS {colon}correct horse battery", "NICK zoe")
            asked = self.send("USER u 0 * :R")
            self.assertEqual(asked, [Ask(Login(name="zoe", password="correct horse battery"))])

    def test_before_connect(self) -> None:
        """An account is created before registration ends."""
        self.send("CAP LS 302", "NICK zoe")
        self.assertEqual(self.send("REGISTER * * long-enough"), [Ask(Register(name="zoe", password="long-enough"))])
        self.assertEqual(
            self.answer(welcome("zoe")),
            ["REGISTER SUCCESS zoe :The account is created", "900 * zoe!*@irchat zoe :You are now logged in as zoe"],
        )
        self.assertEqual(self.said(self.send("USER u 0 * :R", "CAP END")), ["SignedIn zoe"])

    def test_in_the_waiting_room(self) -> None:
        """It is created in the waiting room too, which ends the stay."""
        self.wait("zoe")
        self.send("REGISTER ZOE zoe@example.com :long enough")
        self.assertEqual(
            self.answer(welcome("zoe")),
            [
                "REGISTER SUCCESS zoe :The account is created",
                "900 zoe zoe!u@irchat zoe :You are now logged in as zoe",
                "SignedIn zoe from the waiting room",
            ],
        )

    def test_refusals(self) -> None:
        """Each refusal has its code and names the account."""
        self.assertEqual(self.said(self.send("REGISTER * * password"))[0].split(" :")[0], "FAIL REGISTER NEED_NICK *")
        self.send("CAP LS", "NICK zoe")
        self.assertEqual(
            self.said(self.send("REGISTER other * password"))[0].split(" :")[0],
            "FAIL REGISTER ACCOUNT_NAME_MUST_BE_NICK other",
        )
        for code, shown in (
            (Code.NAME_TAKEN, "ACCOUNT_EXISTS"),
            (Code.BAD_NAME, "BAD_ACCOUNT_NAME"),
            (Code.WEAK_PASSWORD, "WEAK_PASSWORD"),
            (Code.REGISTRATION_CLOSED, "DISALLOWED"),
            (Code.TOO_MANY_TRIES, "TEMPORARILY_UNAVAILABLE"),
            (Code.UNAVAILABLE, "TEMPORARILY_UNAVAILABLE"),
        ):
            self.send("REGISTER * * password")
            self.assertEqual(self.answer(error(code)), [f"FAIL REGISTER {shown} zoe :No."])
        self.send("REGISTER * * password")
        self.answer(welcome("zoe"))
        self.assertEqual(
            self.said(self.send("REGISTER * * password"))[0].split(" :")[0], "FAIL REGISTER ALREADY_AUTHENTICATED zoe"
        )

    def test_closed(self) -> None:
        """Without open registration, or without passwords, it is refused at once."""
        for options in (Options(registration_open=False), Options(passwords=False)):
            self.machine = machine(options)
            self.send("CAP LS", "NICK zoe")
            self.assertEqual(
                self.said(self.send("REGISTER * * password"))[0].split(" :")[0], "FAIL REGISTER DISALLOWED zoe"
            )

    def test_verify(self) -> None:
        """There is nothing to verify."""
        self.assertTrue(self.said(self.send("VERIFY zoe 1234"))[0].startswith("FAIL VERIFY INVALID_CODE *"))


class WaitingRoomTests(MachineTestCase):
    """The waiting room."""

    def test_notices(self) -> None:
        """The notice says whether the name is free or taken, on entering and after NICK."""
        enter, notice = self.wait("zoe")
        self.assertEqual(enter, "EnterWaitingRoom")
        self.assertIn("NOTICE zoe :The name zoe is free. To make it yours: /msg NickServ REGISTER <password>", notice)
        line, notice = self.said(self.send("NICK Bob"))
        self.assertEqual(line, ":zoe!u@irchat NICK Bob")
        self.assertIn("NOTICE Bob :Bob has an account. If it is yours: /msg NickServ IDENTIFY <password>", notice)
        self.assertEqual(self.said(self.send("NICK Bob")), [])
        self.assertEqual(self.said(self.send("NICK BOB")), [":Bob!u@irchat NICK BOB"])

    def test_closed(self) -> None:
        """Where registration is closed, the notice says so."""
        self.machine = machine(Options(registration_open=False))
        self.assertIn("registration is closed", self.wait("zoe")[1])

    def test_commands(self) -> None:
        """Some commands run, some are ignored, the rest is 477."""
        self.wait()
        for word in "PING PONG QUIT AWAY ISUPPORT LUSERS MOTD VERSION TIME HELP INFO ADMIN".split():  # noqa: SIM905
            self.assertEqual(self.said(self.send(f"{word} x")), [f"PassOn {word}"])
        for text in (
            "MODE zoe +i",
            "WHO #c",
            "MONITOR + bob",
            "USERHOST zoe",
            "ISON bob",
            "NOTICE bob :x",
            "TAGMSG bob",
        ):
            self.assertEqual(self.send(text), [])
        for text in (
            "JOIN #team",
            "PRIVMSG bob :hi",
            "PRIVMSG #global :hi",
            "LIST",
            "WHOIS bob",
            "CHATHISTORY x",
            "RENAME",
        ):
            self.assertTrue(self.said(self.send(text))[0].startswith("477 zoe "), text)

    def test_nickserv(self) -> None:
        """NickServ registers and identifies; it answers with notices and 900."""
        for text, request in (
            ("PRIVMSG NickServ :REGISTER long-enough", Register(name="zoe", password="long-enough")),
            ("PRIVMSG nickserv :identify secret", Login(name="zoe", password="secret")),
            ("NS IDENTIFY bob secret", Login(name="bob", password="secret")),
        ):
            self.machine = machine()
            self.wait()
            self.assertEqual(self.send(text), [Ask(request)])
            self.assertEqual(self.answer(error(Code.BAD_CREDENTIALS)), [":NickServ!irchat@irchat NOTICE zoe :No."])
            self.send(text)
            self.assertEqual(
                self.answer(welcome("Bob")),
                [
                    ":NickServ!irchat@irchat NOTICE zoe :You are signed in as Bob.",
                    "900 zoe zoe!u@irchat Bob :You are now logged in as Bob",
                    ":zoe!u@irchat NICK Bob",
                    "SignedIn Bob from the waiting room",
                ],
            )

    def test_other_words(self) -> None:
        """NickServ and *irchat answer other words with a notice."""
        self.wait()
        self.assertEqual(len(self.said(self.send("PRIVMSG NickServ HELP"))), 3)
        self.assertIn("Sign in first.", self.said(self.send("PRIVMSG NickServ :PASSWORD a b"))[0])
        self.assertEqual(
            self.said(self.send("PRIVMSG *irchat ls"))[0], ":*irchat!irchat@irchat NOTICE zoe :Sign in first."
        )

    def test_sasl(self) -> None:
        """SASL in the waiting room ends in a change of the nick and the burst."""
        self.wait()
        self.send("AUTHENTICATE PLAIN", plain("alice", "secret"))
        self.assertEqual(
            self.answer(welcome("alice"))[2:], [":zoe!u@irchat NICK alice", "SignedIn alice from the waiting room"]
        )

    def test_banned(self) -> None:
        """A banned user learns it from NickServ."""
        self.wait()
        self.send("PRIVMSG NickServ :IDENTIFY bob secret")
        self.assertEqual(
            self.answer(error(Code.BANNED)),
            ["Close", ":NickServ!irchat@irchat NOTICE zoe :No.", "465 zoe :No.", "ERROR :You are banned"],
        )

    def test_no_negotiation(self) -> None:
        """CAP LS in the waiting room holds nothing up."""
        self.wait()
        self.send("CAP LS 302", "PRIVMSG NickServ :IDENTIFY secret")
        self.assertIn("SignedIn zoe from the waiting room", self.answer(welcome("zoe")))


class NamesOnlyTests(MachineTestCase):
    """A server without passwords."""

    options = Options(passwords=False)

    def test_nick_is_the_account(self) -> None:
        """The nick signs in; passwords are ignored, and no account is claimed."""
        self.assertEqual(self.said(self.send("PASS x", "AUTHENTICATE PLAIN", plain("bob", "x"))),
                         ["AUTHENTICATE +", "903 * :SASL authentication successful"])  # fmt: skip
        self.assertEqual(self.send("NICK zoe", "USER u 0 * :R"), [Ask(Login(name="zoe"))])
        self.assertEqual(self.answer(welcome("Zoe")), ["SignedIn Zoe"])

    def test_refused(self) -> None:
        """A name that cannot be had is 432, and another may be sent; anything else ends the connection."""
        self.send("NICK zoe", "USER u 0 * :R")
        self.assertEqual(self.answer(error(Code.BAD_NAME)), ["432 * zoe :No."])
        self.assertEqual(self.send("NICK zoe2"), [Ask(Login(name="zoe2"))])
        self.assertEqual(self.answer(error(Code.REGISTRATION_CLOSED)), ["Close", "ERROR :No."])
        self.machine = machine(self.options)
        self.send("NICK zoe", "USER u 0 * :R")
        self.assertEqual(self.answer(error(Code.BANNED)), ["Close", "465 * :No.", "ERROR :You are banned"])
