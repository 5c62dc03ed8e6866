"""The state machine of registration: the order of lines, labels, and any input."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from irchat.irc.command_table import COMMANDS
from irchat.irc.irc_lines import Line
from irchat.irc.registration.steps import Ask, Close, EnterWaitingRoom, Options, PassOn, Say, SignedIn
from irchat.protocol.errors import Code
from irchat.protocol.events import Event, Pong
from irchat.protocol.requests import Login
from tests.helpers.irc_registrations import MachineTestCase, error, line_of, machine, plain, welcome


class OrderTests(MachineTestCase):
    """The order of lines."""

    def test_any_order(self) -> None:
        """Registration ends when NICK and USER came and no negotiation is open."""
        for texts in (
            ("NICK zoe", "USER u 0 * :R"),
            ("USER u 0 * :R", "NICK zoe"),
            ("CAP LS", "NICK zoe", "USER u 0 * :R", "CAP END"),
        ):
            self.machine = machine()
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
            self.answer(welcome("zoe"))[-4:],
            ["SignedIn zoe from the waiting room", "PassOn PING", "PassOn JOIN", "462 zoe :You may not reregister"],
        )
        self.assertFalse(self.machine.is_asking)

    def test_one_request_at_a_time(self) -> None:
        """A second request waits for the answer to the first."""
        self.wait()
        self.send("PRIVMSG NickServ :IDENTIFY one", "PRIVMSG NickServ :IDENTIFY two")
        self.assertEqual(self.answer(error(Code.BAD_CREDENTIALS))[-1], f"Ask {Login(name='zoe', password='two')}")
        self.assertTrue(self.machine.is_asking)

    def test_signed_in(self) -> None:
        """After the sign-in the lines of others are passed on, and parameters are still checked."""
        self.wait()
        self.send("PRIVMSG NickServ :IDENTIFY secret")
        self.answer(welcome("zoe"))
        for text, passes in (("PRIVMSG bob :hi", True), ("PRIVMSG bob", False), ("CAP LIST", False), ("NONE", False)):
            self.assertIs(self.machine.passes(line_of(text)), passes, text)
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
        self.send("@label=c " + plain("zoe", "secret"), "@label=d AUTHENTICATE PLAIN")
        steps = self.machine.answered(welcome("zoe"))
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
_answers = st.sampled_from([welcome("zoe"), *map(error, Code), Pong()])


class AnyInputTests(SynchronousTestCase):
    """Hostile clients."""

    @given(st.booleans(), st.booleans(), st.lists(_lines | _answers, max_size=40))
    def test_never_raises(self, passwords: bool, is_open: bool, inputs: list[Line | Event]) -> None:
        """Any lines and answers, in any order, make steps: at most one request at a time, and one sign-in or close."""
        registration = machine(Options(passwords, is_open))
        asked = ended = 0
        for one in inputs:
            was_asking = registration.is_asking
            passes = isinstance(one, Line) and registration.passes(one)
            steps = registration.receive(one) if isinstance(one, Line) else registration.answered(one)
            if passes:
                self.assertEqual(steps, [PassOn(one)])
            asks = sum(isinstance(step, Ask) for step in steps)
            self.assertEqual(registration.is_asking, asks == 1 or (was_asking and isinstance(one, Line)))
            asked += asks
            ended += sum(isinstance(step, SignedIn | Close) for step in steps)
            self.assertLessEqual(ended, 1)
            for step in steps:
                if isinstance(step, Say | Close | EnterWaitingRoom):
                    data = step.then if isinstance(step, EnterWaitingRoom) else step.data
                    self.assertTrue(data.endswith(b"\r\n") or not data)
                    self.assertEqual(data.count(b"\n"), data.count(b"\r\n"))
