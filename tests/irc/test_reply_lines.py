"""Replies about users and chats."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from irchat.irc.irc_lines import parse
from irchat.irc.numerics import ServerLines
from irchat.irc.reply_lines import (
    Person,
    Whox,
    ison_line,
    monitor_lines,
    monitor_list,
    names_lines,
    parse_whox,
    userhost_line,
    who_line,
    whois_lines,
    whox_line,
)

_LINES = ServerLines("irchat")
_ALICE = Person("alice", "al", "Alice A", account="alice", owner=True)
_BOB = Person("bob", "user", "bob", away="offline: reads it later", bot=True)
_MANY = [Person(f"user{number:028}", "u" * 10, "R") for number in range(100)]


def _said(data: bytes) -> list[str]:
    lines = data.decode().split("\r\n")
    return [line.removeprefix(":irchat ") for line in lines[:-1]]


class ReplyTests(SynchronousTestCase):
    """Each reply."""

    def check_lengths(self, data: bytes) -> None:
        """Check that no line is too long."""
        self.assertLessEqual(max(map(len, data.split(b"\r\n"))), 510)

    def test_names(self) -> None:
        """NAMES has its words in as many lines as needed."""
        self.assertEqual(
            _said(names_lines(_LINES, "zoe", "#team", ["@alice", "bob"])),
            ["353 zoe = #team :@alice bob", "366 zoe #team :End of /NAMES list"],
        )
        self.assertEqual(_said(names_lines(_LINES, "zoe", "*", [])), ["366 zoe * :End of /NAMES list"])
        many = names_lines(_LINES, "n" * 32, "#" + "c" * 32, [person.prefix for person in _MANY])
        self.check_lengths(many)
        names = [name for line in _said(many)[:-1] for name in line.split(" :")[1].split(" ")]
        self.assertEqual(names, [person.prefix for person in _MANY])

    def test_who(self) -> None:
        """WHO shows whether a user is away, owns the chat, or is a bot."""
        self.assertEqual(
            _said(who_line(_LINES, "zoe", "#team", _ALICE) + who_line(_LINES, "zoe", "*", _BOB)),
            ["352 zoe #team al irchat irchat alice H@ :0 Alice A", "352 zoe * user irchat irchat bob GB :0 bob"],
        )

    def test_whox_fields(self) -> None:
        """Fields are in the order of the standard, unknown ones are left out, and a token has 1 to 3 characters."""
        for parameter, whox in (
            ("%cuhsnfdar", Whox("cuhsnfdar", "0")),
            ("%tcuhnfdar,743", Whox("tcuhnfdar", "743")),
            ("%NAT,7", Whox("tna", "7")),
            ("o%nzq", Whox("n", "0")),
            ("%", Whox("", "0")),
            ("%t,1234", Whox("t", "123")),
            ("%raodlfnshiuct,1", Whox("tcuihsnfdlaor", "1")),
        ):
            self.assertEqual(parse_whox(parameter), whox, parameter)
        self.assertIsNone(parse_whox("o"))
        self.assertIsNone(parse_whox(""))

    def test_whox(self) -> None:
        """WHOX has the wanted fields, and no address."""
        self.assertEqual(
            _said(whox_line(_LINES, "zoe", "#team", _ALICE, Whox("tcuihsnfdlaor", "743")))[0],
            "354 zoe 743 #team al 255.255.255.255 irchat irchat alice H@ 0 0 alice n/a :Alice A",
        )
        self.assertEqual(_said(whox_line(_LINES, "zoe", "*", _BOB, Whox("na", "0"))), ["354 zoe bob 0"])

    @given(st.text())
    def test_any_whox(self, parameter: str) -> None:
        """Any parameter is WHOX or none, and makes one line."""
        whox = parse_whox(parameter)
        if whox is not None:
            self.assertEqual(len(_said(whox_line(_LINES, "zoe", "*", _ALICE, whox))), 1)

    def test_whois(self) -> None:
        """WHOIS shows the account, the chats and the times of a user online, and that another is away."""
        self.assertEqual(
            _said(whois_lines(_LINES, "zoe", _ALICE, ["#global", "@#team"], "My chat", (5, 1_772_460_180))),
            [
                "311 zoe alice al irchat * :Alice A",
                "319 zoe alice :#global @#team",
                "312 zoe alice irchat :My chat",
                "330 zoe alice alice :is logged in as",
                "317 zoe alice 5 1772460180 :seconds idle, signon time",
                "318 zoe alice :End of /WHOIS list",
            ],
        )
        self.assertEqual(
            _said(whois_lines(_LINES, "zoe", _BOB, [], "My chat")),
            [
                "301 zoe bob :offline: reads it later",
                "311 zoe bob user irchat * :bob",
                "312 zoe bob irchat :My chat",
                "335 zoe bob :is a bot",
                "318 zoe bob :End of /WHOIS list",
            ],
        )
        self.check_lengths(whois_lines(_LINES, "n" * 32, _MANY[0], ["#" + "漢" * 32] * 100, "d"))

    def test_monitor(self) -> None:
        """MONITOR tells who is online and who is not, and lists its targets."""
        self.assertEqual(
            _said(monitor_lines(_LINES, "zoe", [_ALICE, _BOB], ["carol"])),
            ["730 zoe :alice!al@irchat,bob!user@irchat", "731 zoe :carol"],
        )
        self.assertEqual(monitor_lines(_LINES, "zoe", [], []), b"")
        self.assertEqual(
            _said(monitor_list(_LINES, "zoe", ["bob", "carol"])), ["732 zoe :bob,carol", "733 zoe :End of MONITOR list"]
        )
        self.check_lengths(monitor_lines(_LINES, "n" * 32, _MANY, ["n" * 32] * 100))
        self.check_lengths(monitor_list(_LINES, "n" * 32, ["n" * 32] * 100))

    def test_ison_and_userhost(self) -> None:
        """Both are one line, also for nobody."""
        self.assertEqual(_said(ison_line(_LINES, "zoe", ["alice", "bob"])), ["303 zoe :alice bob"])
        self.assertEqual(_said(ison_line(_LINES, "zoe", [])), ["303 zoe :"])
        self.assertEqual(
            _said(userhost_line(_LINES, "zoe", [_ALICE, _BOB])), ["302 zoe :alice=+al@irchat bob=-user@irchat"]
        )

    def test_parsed_again(self) -> None:
        """Hostile realnames and away texts end no line."""
        person = Person("eve", "u", "a\r\nQUIT :x\0", away="\r\nPRIVMSG #global :x")
        for data in (who_line(_LINES, "zoe", "*", person), whois_lines(_LINES, "zoe", person, [], "d")):
            for line in data.split(b"\r\n")[:-1]:
                parsed = parse(line)
                assert parsed is not None
                self.assertTrue(parsed.command.isdecimal())
