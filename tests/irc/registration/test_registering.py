"""The state machine of registration, row by row of its documentation."""

import base64
from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from irchat.irc.command_table import COMMANDS, Phase
from irchat.irc.irc_lines import Line, parse
from irchat.irc.numerics import ServerLines
from irchat.irc.registration.capabilities import Capabilities, offered
from irchat.irc.registration.registering import Registration
from irchat.irc.registration.steps import Ask, Close, EnterWaitingRoom, Options, PassOn, Say, SignedIn, Step
from irchat.protocol.errors import Code
from irchat.protocol.events import Error, Event, Pong, Welcome
from irchat.protocol.requests import Login, Register


def _welcome(name: str) -> Welcome:
    return Welcome(name=name, new=False, token="", version=1, limits={}, online=[], online_count=1, unread=[])


def _error(code: Code, text: str = "No.") -> Error:
    return Error(code=code.value, text=text)


def _plain(name: str, password: str) -> str:
    return "AUTHENTICATE " + base64.b64encode(f"\0{name}\0{password}".encode()).decode()


def _machine(options: Options = Options()) -> Registration:  # noqa: B008
    lines = ServerLines("irchat")
    caps = Capabilities(offered(registration_open=options.registration_open), lines)
    return Registration(options, lines, caps, lambda name: name.lower() in ("alice", "bob"))


class _MachineTestCase(SynchronousTestCase):
    options = Options()

    def setUp(self) -> None:
        """Begin."""
        self.machine = _machine(self.options)

    def send(self, *texts: str) -> list[Step]:
        """Send lines. Return the steps of all of them."""
        return [step for text in texts for step in self.machine.receive(_line(text))]

    def said(self, steps: Iterable[Step]) -> list[str]:
        """Return the lines in ``steps``, without the source if it is the server. Other steps are their names."""
        lines = []
        for step in steps:
            match step:
                case Say(data) | EnterWaitingRoom(data) | Close(data):
                    if not isinstance(step, Say):
                        lines.append(type(step).__name__)
                    lines += [line.removeprefix(":irchat ") for line in data.decode().split("\r\n") if line]
                case Ask(request):
                    lines.append(f"Ask {request}")
                case PassOn(line):
                    lines.append(f"PassOn {line.command}")
                case SignedIn(welcome, was_waiting):
                    lines.append(f"SignedIn {welcome.name}{' from the waiting room' if was_waiting else ''}")
        return lines

    def answer(self, event: Event) -> list[str]:
        """Answer the request asked. Return what is said."""
        self.assertTrue(self.machine.is_asking)
        return self.said(self.machine.answered(event))

    def wait(self, nick: str = "zoe") -> list[str]:
        """Go to the waiting room."""
        return self.said(self.send(f"NICK {nick}", "USER u 0 * :Real name"))


def _line(text: str) -> Line:
    line = parse(text.encode())
    assert line is not None
    return line


class SaslTests(_MachineTestCase):
    """SASL."""

    def test_before_registration(self) -> None:
        """SASL signs in; 001 comes when CAP END, NICK and USER came, and names the account."""
        self.send("CAP LS 302", "CAP REQ :sasl", "NICK al_", "USER u 0 * :Real")
        self.assertEqual(self.said(self.send("AUTHENTICATE PLAIN")), ["AUTHENTICATE +"])
        self.assertEqual(self.send(_plain("alice", "secret")), [Ask(Login(name="alice", password="secret"))])
        self.assertEqual(self.send("CAP END"), [])
        self.assertEqual(
            self.answer(_welcome("Alice")),
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
        self.send(_plain("alice", "secret"))
        self.assertEqual(self.answer(_welcome("alice"))[0], "900 * *!*@irchat alice :You are now logged in as alice")
        self.assertEqual(self.said(self.send("CAP END", "NICK bad-nick", "USER u 0 * :R")), ["SignedIn alice"])

    def test_failures(self) -> None:
        """A wrong password is 904 with the reason; one may try again."""
        self.send("CAP LS")
        for code in (Code.BAD_CREDENTIALS, Code.TOO_MANY_TRIES, Code.UNAVAILABLE):
            self.send("AUTHENTICATE PLAIN", _plain("alice", "wrong"))
            self.assertEqual(self.answer(_error(code)), ["904 * :No."])
        self.assertEqual(self.said(self.send("AUTHENTICATE PLAIN")), ["AUTHENTICATE +"])
        self.assertEqual(self.said(self.send("AUTHENTICATE *")), ["906 * :SASL authentication aborted"])
        self.assertEqual(
            self.said(self.send("AUTHENTICATE EXTERNAL")),
            ["908 * PLAIN :are available SASL mechanisms", "904 * :SASL authentication failed"],
        )
        self.send("AUTHENTICATE PLAIN")
        self.assertEqual(self.said(self.send(f"AUTHENTICATE {'A' * 401}")), ["905 * :SASL message too long"])

    def test_twice(self) -> None:
        """Who is signed in gets 907, before registration and after it."""
        self.send("CAP LS", "AUTHENTICATE PLAIN", _plain("alice", "secret"))
        self.answer(_welcome("alice"))
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
        """A banned user is told after the right password, and the connection ends."""
        self.send("CAP LS", "AUTHENTICATE PLAIN", _plain("alice", "secret"))
        self.send("NICK alice")
        self.assertEqual(
            self.answer(_error(Code.BANNED, "Banned until Monday.")),
            ["Close", "904 * :Banned until Monday.", "465 * :Banned until Monday.", "ERROR :You are banned"],
        )
        self.assertEqual(self.send("USER u 0 * :R", "PING x"), [])


class PassTests(_MachineTestCase):
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
            self.machine = _machine()
            self.assertEqual(self.send(f"PASS :{typed}", "NICK zoe"), [])
            self.assertEqual(self.send("USER u 0 * :R"), [Ask(Login(name=name, password=password))], typed)
            self.assertEqual(self.answer(_welcome("Zoe")), ["SignedIn Zoe"])

    def test_wrong(self) -> None:
        """A wrong password ends the connection with 464."""
        self.send("PASS wrong", "NICK zoe", "USER u 0 * :R")
        self.assertEqual(self.answer(_error(Code.BAD_CREDENTIALS)), ["Close", "464 * :No.", "ERROR :No."])

    def test_other_refusals(self) -> None:
        """A ban is 465; any other refusal ends the connection with its text."""
        self.send("PASS secret", "NICK zoe", "USER u 0 * :R")
        self.assertEqual(self.answer(_error(Code.BANNED)), ["Close", "465 * :No.", "ERROR :You are banned"])
        self.machine = _machine()
        self.send("PASS secret", "NICK zoe", "USER u 0 * :R")
        self.assertEqual(self.answer(_error(Code.UNAVAILABLE)), ["Close", "ERROR :No."])

    def test_too_late(self) -> None:
        """PASS and USER after registration are 462."""
        self.wait()
        for text in ("PASS x", "USER a b c d"):
            self.assertEqual(self.said(self.send(text)), ["462 zoe :You may not reregister"])


class RegisterTests(_MachineTestCase):
    """REGISTER and VERIFY."""

    def test_before_connect(self) -> None:
        """An account is created before registration ends."""
        self.send("CAP LS 302", "NICK zoe")
        self.assertEqual(self.send("REGISTER * * long-enough"), [Ask(Register(name="zoe", password="long-enough"))])
        self.assertEqual(
            self.answer(_welcome("zoe")),
            ["REGISTER SUCCESS zoe :The account is created", "900 * zoe!*@irchat zoe :You are now logged in as zoe"],
        )
        self.assertEqual(self.said(self.send("USER u 0 * :R", "CAP END")), ["SignedIn zoe"])

    def test_in_the_waiting_room(self) -> None:
        """It is created in the waiting room too, which ends the stay."""
        self.wait("zoe")
        self.send("REGISTER ZOE zoe@example.com :long enough")
        self.assertEqual(
            self.answer(_welcome("zoe")),
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
            self.assertEqual(self.answer(_error(code)), [f"FAIL REGISTER {shown} zoe :No."])
        self.send("REGISTER * * password")
        self.answer(_welcome("zoe"))
        self.assertEqual(
            self.said(self.send("REGISTER * * password"))[0].split(" :")[0], "FAIL REGISTER ALREADY_AUTHENTICATED zoe"
        )

    def test_closed(self) -> None:
        """Without open registration, or without passwords, it is refused at once."""
        for options in (Options(registration_open=False), Options(passwords=False)):
            self.machine = _machine(options)
            self.send("CAP LS", "NICK zoe")
            self.assertEqual(
                self.said(self.send("REGISTER * * password"))[0].split(" :")[0], "FAIL REGISTER DISALLOWED zoe"
            )

    def test_verify(self) -> None:
        """There is nothing to verify."""
        self.assertTrue(self.said(self.send("VERIFY zoe 1234"))[0].startswith("FAIL VERIFY INVALID_CODE *"))


class WaitingRoomTests(_MachineTestCase):
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
        self.machine = _machine(Options(registration_open=False))
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
            self.machine = _machine()
            self.wait()
            self.assertEqual(self.send(text), [Ask(request)])
            self.assertEqual(self.answer(_error(Code.BAD_CREDENTIALS)), [":NickServ!irchat@irchat NOTICE zoe :No."])
            self.send(text)
            self.assertEqual(
                self.answer(_welcome("Bob")),
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
        self.send("AUTHENTICATE PLAIN", _plain("alice", "secret"))
        self.assertEqual(
            self.answer(_welcome("alice"))[2:], [":zoe!u@irchat NICK alice", "SignedIn alice from the waiting room"]
        )

    def test_banned(self) -> None:
        """A banned user is told by NickServ."""
        self.wait()
        self.send("PRIVMSG NickServ :IDENTIFY bob secret")
        self.assertEqual(
            self.answer(_error(Code.BANNED)),
            ["Close", ":NickServ!irchat@irchat NOTICE zoe :No.", "465 zoe :No.", "ERROR :You are banned"],
        )

    def test_no_negotiation(self) -> None:
        """CAP LS in the waiting room holds nothing up."""
        self.wait()
        self.send("CAP LS 302", "PRIVMSG NickServ :IDENTIFY secret")
        self.assertIn("SignedIn zoe from the waiting room", self.answer(_welcome("zoe")))


class NamesOnlyTests(_MachineTestCase):
    """A server without passwords."""

    options = Options(passwords=False)

    def test_nick_is_the_account(self) -> None:
        """The nick signs in; passwords are ignored, and no account is claimed."""
        self.assertEqual(self.said(self.send("PASS x", "AUTHENTICATE PLAIN", _plain("bob", "x"))),
                         ["AUTHENTICATE +", "903 * :SASL authentication successful"])  # fmt: skip
        self.assertEqual(self.send("NICK zoe", "USER u 0 * :R"), [Ask(Login(name="zoe"))])
        self.assertEqual(self.answer(_welcome("Zoe")), ["SignedIn Zoe"])

    def test_refused(self) -> None:
        """A name that cannot be had is 432, and another may be sent; anything else ends the connection."""
        self.send("NICK zoe", "USER u 0 * :R")
        self.assertEqual(self.answer(_error(Code.BAD_NAME)), ["432 * zoe :No."])
        self.assertEqual(self.send("NICK zoe2"), [Ask(Login(name="zoe2"))])
        self.assertEqual(self.answer(_error(Code.REGISTRATION_CLOSED)), ["Close", "ERROR :No."])
        self.machine = _machine(self.options)
        self.send("NICK zoe", "USER u 0 * :R")
        self.assertEqual(self.answer(_error(Code.BANNED)), ["Close", "465 * :No.", "ERROR :You are banned"])


class OrderTests(_MachineTestCase):
    """The order of lines."""

    def test_any_order(self) -> None:
        """Registration ends when NICK and USER came and no negotiation is open."""
        for texts in (
            ("NICK zoe", "USER u 0 * :R"),
            ("USER u 0 * :R", "NICK zoe"),
            ("CAP LS", "NICK zoe", "USER u 0 * :R", "CAP END"),
        ):
            self.machine = _machine()
            *firsts, last = texts
            self.assertFalse([step for step in self.send(*firsts) if isinstance(step, EnterWaitingRoom)])
            self.assertIn("EnterWaitingRoom", self.said(self.send(last)))

    def test_nicks(self) -> None:
        """A bad nick is 432 and an empty one 431."""
        for nick in ("a-b", "[x]", "*", "1234", "x" * 33, "a!b@c", "#x"):
            self.assertTrue(self.said(self.send(f"NICK {nick}"))[0].startswith("432 * "), nick)
        self.assertIn("names do not have -", self.said(self.send("NICK a-b"))[0])
        for text in ("NICK", "NICK :"):
            self.assertEqual(self.said(self.send(text)), ["431 * :No nickname given"])

    def test_user(self) -> None:
        """USER needs a user and a realname, and keeps them safe."""
        for text in ("USER u 0 *", "USER u 0 * :", "USER u 0 * : ", "USER : 0 * :R"):
            self.assertTrue(self.said(self.send(text))[0].startswith(("461 * USER", "EnterWaitingRoom")), text)
        self.send("USER a!b@c\x01defghijkl 0 * :Real\x1b[2J name")
        self.assertEqual((self.machine.user, self.machine.realname), ("abcdefghij", "Real␛[2J name"))

    def test_away_before(self) -> None:
        """AWAY before registration needs draft/pre-away."""
        self.assertEqual(self.said(self.send("AWAY x")), ["451 * :You have not registered"])
        self.send("CAP REQ draft/pre-away")
        self.assertEqual(self.said(self.send("AWAY x")), ["PassOn AWAY"])

    def test_lines_wait(self) -> None:
        """Lines that come while a request is asked are handled after its answer, in order."""
        self.wait()
        self.send("PRIVMSG NickServ :IDENTIFY secret")
        self.assertEqual(self.send("PING 1", "JOIN #team", "USER a b c d"), [])
        self.assertEqual(
            self.answer(_welcome("zoe"))[-4:],
            ["SignedIn zoe from the waiting room", "PassOn PING", "PassOn JOIN", "462 zoe :You may not reregister"],
        )
        self.assertFalse(self.machine.is_asking)

    def test_one_request_at_a_time(self) -> None:
        """A second request waits for the answer to the first."""
        self.wait()
        self.send("PRIVMSG NickServ :IDENTIFY one", "PRIVMSG NickServ :IDENTIFY two")
        self.assertEqual(self.answer(_error(Code.BAD_CREDENTIALS))[-1], f"Ask {Login(name='zoe', password='two')}")
        self.assertTrue(self.machine.is_asking)

    def test_signed_in(self) -> None:
        """After the sign-in the lines of others are passed on, and parameters are still checked."""
        self.wait()
        self.send("PRIVMSG NickServ :IDENTIFY secret")
        self.answer(_welcome("zoe"))
        for text, passes in (("PRIVMSG bob :hi", True), ("PRIVMSG bob", False), ("CAP LIST", False), ("NONE", False)):
            self.assertIs(self.machine.passes(_line(text)), passes, text)
        self.assertEqual(
            self.said(self.send("PRIVMSG bob :hi", "NICK x", "NS HELP")), ["PassOn PRIVMSG", "PassOn NICK", "PassOn NS"]
        )
        self.assertEqual(self.said(self.send("JOIN")), ["461 zoe JOIN :Not enough parameters"])
        self.assertEqual(self.said(self.send("CAP REQ batch")), ["CAP zoe ACK :batch"])

    def test_labels(self) -> None:
        """With labeled-response the first answer has the label, also that of a request, and ACK stands for none."""
        self.send("CAP REQ :labeled-response batch")
        self.assertEqual(
            [step.label for step in self.send("@label=a AUTHENTICATE PLAIN") if isinstance(step, Say)], ["a"]
        )
        self.assertEqual(self.send("@label=b NICK zoe"), [Say(b"", "b")])
        self.send("@label=c " + _plain("zoe", "secret"), "@label=d AUTHENTICATE PLAIN")
        steps = self.machine.answered(_welcome("zoe"))
        self.assertEqual([step.label for step in steps if isinstance(step, Say)], ["c", "d"])

    def test_no_labels(self) -> None:
        """Without labeled-response there are none."""
        self.assertEqual(
            [step.label for step in self.send("@label=a AUTHENTICATE PLAIN") if isinstance(step, Say)], [None]
        )


_words = st.sampled_from([*COMMANDS, "NONE"])
_params = st.lists(
    st.sampled_from(
        ["LS", "REQ", "END", "302", "sasl labeled-response", "draft/pre-away", "PLAIN", "*",
         "+", "AGEAYg==", "zoe",
         "a-b",
         "alice", "NickServ", "*irchat", "REGISTER x", "IDENTIFY x", "PASSWORD a b", "0", "", "A" * 400]
    ) | st.text(max_size=8),
    max_size=5,
)  # fmt: skip
_lines = st.builds(Line, st.sampled_from([{}, {"label": "x"}]), st.just(""), _words, _params)
_answers = st.sampled_from([_welcome("zoe"), *map(_error, Code), Pong()])


class AnyInputTests(SynchronousTestCase):
    """Hostile clients."""

    @given(st.booleans(), st.booleans(), st.lists(_lines | _answers, max_size=40))
    def test_never_raises(self, passwords: bool, is_open: bool, inputs: list[Line | Event]) -> None:
        """Any lines and answers, in any order, make steps: at most one request at a time, and one sign-in or close."""
        machine = _machine(Options(passwords, is_open))
        asked = ended = 0
        for one in inputs:
            was_asking = machine.is_asking
            passes = isinstance(one, Line) and machine.passes(one)
            steps = machine.receive(one) if isinstance(one, Line) else machine.answered(one)
            if passes:
                self.assertEqual(steps, [PassOn(one)])
            asks = sum(isinstance(step, Ask) for step in steps)
            self.assertEqual(machine.is_asking, asks == 1 or (was_asking and isinstance(one, Line)))
            asked += asks
            ended += sum(isinstance(step, SignedIn | Close) for step in steps)
            self.assertLessEqual(ended, 1)
            for step in steps:
                if isinstance(step, Say | Close | EnterWaitingRoom):
                    data = step.then if isinstance(step, EnterWaitingRoom) else step.data
                    self.assertTrue(data.endswith(b"\r\n") or not data)
                    self.assertEqual(data.count(b"\n"), data.count(b"\r\n"))
