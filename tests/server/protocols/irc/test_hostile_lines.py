"""Hostile lines: every command with every hostile parameter, before the sign-in, in the waiting room, and signed in."""

import itertools
import re

import pytest
from twisted.logger import globalLogPublisher

from irchat.irc.command_table import COMMANDS
from irchat.irc.irc_lines import parse
from irchat.protocol.rules import visible
from tests.helpers.fuzz_targets import Failures
from tests.helpers.irc import IRCClient, IRCTestCase

_CAPS = (
    "account-tag", "away-notify", "batch", "draft/multiline", "draft/read-marker", "echo-message", "extended-join",
    "invite-notify", "labeled-response", "message-tags", "server-time", "setname", "draft/message-redaction",
)  # fmt: skip
_TIME = "timestamp=2026-11-22T14:00:00.000Z"
_PARAMS = (
    "", "*", "#", "#global", "#GLOBAL", "#team", "#none", "bob", "BOB", "alice", "nobody", "*irchat", "NickServ",
    "bob,#team,#global,alice", ",,,", "a" * 33, "a" * 400, "漢" * 150, "e\u0301" * 100, "\u202ebob", "bob#1", "@bob",
    "&x", "$*", "+o", "+b-e+I", "-ins", "+Bi-B", "*" * 300, "?*?*" * 50, "!@", "bob!*@*", "0", "-1", "9" * 400,
    "msgid=g-1", "g-1", "msgid=1-" + "9" * 30, _TIME, "timestamp=*", "LATEST", "TARGETS", "BETWEEN", "+x", "-x",
    "draft/multiline", "LS", "REQ", "%tcuihsnfdlaor,999", "%", "+", "C", "L", "S", "\x01DCC SEND x 1 2\x01",
    "\x01ACTION\x01", "\x1b[2J\x07", "\x02\x1f\x03", "*30@bob secret", "#1= x", "#1-", "/me ", ":", "::", "\r", "x\ry",
    "\\", "\\x", "ls -n @bob", "!help", "!password", "exit", "~", "*bob -> team2", "REGISTER x", "PASSWORD a b",
)  # fmt: skip
# Where a parameter stands among others.
_PLACES = (
    "{last}", "bob {last}", "#team {last}", "#team bob {last}", "x y z {last}", "{word} :x y", "LATEST {word} * 5",
    "#team,{word} bob,{word} {last}",
)  # fmt: skip
_TAGS = (
    "", "@label=x ", "@+a=\\n\\r\\:;+b=\x1b;+draft/reply=g-1 ", "@batch=x ", "@+draft/react=👍;+draft/reply=g-1 ",
    "@=;;+;a ",
)  # fmt: skip
_OTHER = (
    b"\xff\xfe", b"PRIVMSG bob :\xff", b"@" + b"a" * 5_000 + b" PING x", b"PING " + b"x" * 600, b"@a", b":", b": ",
    b":x", b" ", b"PING :" + b"x" * 505, b"\x00\x00", b"PRIV\x00MSG bob :\x00", b"\x16\x03\x01", b"GET / HTTP/1.1",
    b'{"type":"ping"}', b"@label= PING x", b"@label=" + b"y" * 65 + b" PING x", b"  PING  x", b"001 x", b"privmsg bob",
    b":bob!u@h PRIVMSG alice :forged", b"ERROR :x", b"CAP :", b"CAP LS 99999999999999999999", b"x" * 70_000,
    b"CAP REQ :" + b"a " * 250, b"AUTHENTICATE " + b"A" * 400, b"@\xff=1 PING x",
)  # fmt: skip
_LINE = re.compile(r"(@\S+ )?(:\S+ )?([A-Z]+|[0-9]{3})( .*)?")


@pytest.mark.slow
class HostileLineTests(IRCTestCase):
    """The answers, and the lines to others."""

    def setUp(self) -> None:
        """Begin with two users that see what is sent."""
        super().setUp()
        self.failures = Failures()
        globalLogPublisher.addObserver(self.failures)
        self.addCleanup(globalLogPublisher.removeObserver, self.failures)
        self.others = [self.irc("bob", *_CAPS), self.irc("dave")]
        self.others[0].ask("JOIN #team", "PRIVMSG #team :hi", "PRIVMSG #global :hi")

    def check(self, client: IRCClient, data: bytes) -> None:
        """Send bytes. Check that the connection goes on, and that all that is received is as IRC has it."""
        client.send(data + b"\r\n")
        for one in (client, *self.others):
            for line in one.got():
                self.assertIsNotNone(_LINE.fullmatch(line), (data, line))
                self.assertEqual(visible(line.replace("\x01", "")), line.replace("\x01", ""), data)
                self.assertIsNotNone(parse(line.encode(), 790), data)
        self.assertEqual(self.failures.events, [], data)

    def play(self, client: IRCClient) -> None:
        """Send every command with every parameter, in several places, and other bytes. Then the client is answered."""
        tags, places = itertools.cycle(_TAGS), itertools.cycle(_PLACES)
        for name in [name for name in COMMANDS if name != "QUIT"]:
            self.check(client, f"{next(tags)}{name}".encode())
            for param in _PARAMS:
                last = f":{param}" if not param or " " in param or param[0] == ":" else param
                for place in itertools.islice(places, 3):
                    words = place.format(last=last, word=param.split(" ")[0] or "*")
                    self.check(client, f"{next(tags)}{name} {words}".encode())
        for data in _OTHER:
            self.check(client, data)
        client.send(b"BATCH -x\r\n")
        self.server.advance(31, 31)
        self.assertIn(":irchat PONG irchat :still there", client.ask("PING :still there"))

    def test_signed_in(self) -> None:
        """A signed-in client."""
        client = self.irc("alice", *_CAPS)
        self.others[0].ask("INVITE alice #team")
        self.play(client)

    def test_few_capabilities(self) -> None:
        """A signed-in client without capabilities."""
        client = self.irc("alice")
        self.others[0].ask("INVITE alice #team")
        self.play(client)

    def test_waiting_room(self) -> None:
        """A client in the waiting room."""
        client = self.irc()
        client.type("NICK zoe", "USER z 0 * :z")
        self.play(client)

    def test_before(self) -> None:
        """A client that has not registered."""
        client = self.irc()
        client.type("CAP LS 302")
        self.play(client)
