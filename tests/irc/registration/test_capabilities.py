"""Capability negotiation."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from irchat.irc.irc_lines import parse
from irchat.irc.numerics import ServerLines
from irchat.irc.registration.capabilities import Capabilities, offered

_ALL = offered(registration_open=True)


class CapabilityTests(SynchronousTestCase):
    """The CAP commands of one session."""

    def setUp(self) -> None:
        """Begin before registration."""
        self.caps = Capabilities(_ALL, ServerLines("irchat"))

    def cap(self, *params: str, registered: bool = False) -> list[list[str]]:
        """Send a CAP command. Return the parameters of the answers."""
        answers = []
        for data in self.caps.handle("*", list(params), registered=registered).split(b"\r\n")[:-1]:
            self.assertLessEqual(len(data), 510)
            line = parse(data)
            assert line is not None
            answers.append([line.command, *line.params])
        return answers

    def test_change(self) -> None:
        """A client with cap-notify learns what the server offers from now on, and has not what it no longer offers."""
        closed = offered(registration_open=False)
        self.assertEqual(self.caps.offer("x", closed), b"")
        self.cap("LS", "302")
        self.assertEqual(
            self.caps.offer("x", _ALL), b":irchat CAP x NEW :draft/account-registration=before-connect\r\n"
        )
        self.cap("REQ", "draft/account-registration")
        self.assertEqual(self.caps.offer("x", closed), b":irchat CAP x DEL :draft/account-registration\r\n")
        self.assertNotIn("draft/account-registration", self.caps)
        self.assertEqual(self.caps.offer("x", closed), b"")
        self.assertEqual(self.cap("REQ", "draft/account-registration")[0][2], "NAK")

    def test_offered(self) -> None:
        """All that is documented is offered; registration, if it is open."""
        expected = """cap-notify message-tags server-time batch echo-message labeled-response standard-replies
            account-tag
            account-notify away-notify extended-join multi-prefix userhost-in-names invite-notify extended-monitor
            setname no-implicit-names sasl draft/account-registration draft/chathistory draft/event-playback
            draft/read-marker draft/multiline draft/pre-away draft/extended-isupport draft/message-redaction
            soju.im/search"""
        self.assertEqual(set(_ALL), set(expected.split()))
        self.assertEqual(
            {name: value for name, value in _ALL.items() if value},
            {
                "sasl": "PLAIN",
                "draft/account-registration": "before-connect",
                "draft/multiline": "max-bytes=16000,max-lines=100",
            },
        )
        self.assertEqual(set(_ALL) - set(offered(registration_open=False)), {"draft/account-registration"})

    def test_ls_302(self) -> None:
        """Version 302 lists values, in several lines, and has cap-notify."""
        *firsts, last = self.cap("LS", "302")
        self.assertTrue(firsts)
        self.assertTrue(all(first[:4] == ["CAP", "*", "LS", "*"] for first in firsts))
        self.assertEqual(last[:3], ["CAP", "*", "LS"])
        listed = " ".join([*(first[4] for first in firsts), last[3]]).split()
        self.assertEqual(listed, [f"{name}={value}" if value else name for name, value in _ALL.items()])
        self.assertIn("cap-notify", self.caps)
        self.assertTrue(self.caps.is_open)

    def test_ls_301(self) -> None:
        """Older versions get one line without values."""
        for version in ((), ("301",), ("x",), ("",)):
            (line,) = self.cap("LS", *version)
            self.assertEqual(line[3].split(), list(_ALL))
        self.assertNotIn("cap-notify", self.caps)

    def test_request(self) -> None:
        """A request is taken or refused as a whole, and answered in its own words."""
        self.assertEqual(self.cap("REQ", "batch  sasl"), [["CAP", "*", "ACK", "batch  sasl"]])
        self.assertEqual(self.cap("REQ", "setname tls"), [["CAP", "*", "NAK", "setname tls"]])
        self.assertEqual(self.cap("REQ", "-batch setname"), [["CAP", "*", "ACK", "-batch setname"]])
        self.assertEqual(self.caps.enabled, {"sasl", "setname"})
        self.assertEqual(self.cap("LIST"), [["CAP", "*", "LIST", "sasl setname"]])
        self.assertEqual(self.cap("req", "-setname setname"), [["CAP", "*", "ACK", "-setname setname"]])
        self.assertIn("setname", self.caps)
        self.assertEqual(self.cap("REQ", "Batch"), [["CAP", "*", "NAK", "Batch"]])
        self.assertEqual(self.cap("REQ", "sasl=PLAIN"), [["CAP", "*", "NAK", "sasl=PLAIN"]])

    def test_cap_notify(self) -> None:
        """A client of version 302 cannot take cap-notify off; others can."""
        self.assertEqual(self.cap("REQ", "cap-notify")[0][2], "ACK")
        self.assertEqual(self.cap("REQ", "-cap-notify")[0][2], "ACK")
        self.cap("LS", "302")
        self.assertEqual(self.cap("REQ", "-cap-notify")[0][2], "NAK")

    def test_open(self) -> None:
        """A negotiation is open from LS or REQ to END, and never after registration."""
        for begin in (("LS",), ("REQ", "batch"), ("REQ", "none")):
            self.assertFalse(self.caps.is_open)
            self.cap(*begin)
            self.assertTrue(self.caps.is_open)
            self.assertEqual(self.cap("END"), [])
        self.cap("LIST")
        self.cap("LS", "302", registered=True)
        self.cap("REQ", "batch", registered=True)
        self.assertFalse(self.caps.is_open)

    def test_unknown(self) -> None:
        """Unknown subcommands are 410."""
        self.assertEqual(self.cap("CLEAR"), [["410", "*", "CLEAR", "Invalid CAP subcommand"]])
        self.assertEqual(self.cap(""), [["410", "*", "*", "Invalid CAP subcommand"]])
        self.assertEqual(self.cap(), [["410", "*", "*", "Invalid CAP subcommand"]])

    @given(
        st.lists(st.sampled_from(["LS", "REQ", "302", "9" * 5000, "batch -batch", "- -- -x"]) | st.text(), max_size=4)
    )
    def test_any_parameters(self, params: list[str]) -> None:
        """Any parameters are answered, and no capability is taken that is not offered."""
        self.caps.handle("*", params, registered=False)
        self.assertLessEqual(self.caps.enabled, set(_ALL))
