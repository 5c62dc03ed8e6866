"""The page agrees with the commands on what a typed line is."""

import re
from itertools import product
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from irchat.commands import REGISTRY
from irchat.commands.full_screen import SCREEN
from irchat.protocol import requests
from irchat.protocol.errors import Refusal

_ROOT = Path(__file__).parents[2]
_TABLE = re.findall(r"^   \* - (``.+)\n", (_ROOT / "README.rst").read_text("utf-8"), re.MULTILINE)
_LINES = [
    *(line for row in _TABLE for line in re.findall("``(.+?)``", row)),
    *(
        "hello",
        "lsof",
        "ls",
        "list",
        "exit strategy",
        "exit",
        "exit --forget",
        "exited",
        "help me",
        "30 *x",
        "#= new\ntext",
    ),
    *("#017 yes", "#0 x", "#= ", "#=x", "#-x", "*30* a", "*x* a", "**", "*@b", "*30@", "*team 30* a", "*30 a"),
    *("!keys add -----BEGIN OPENSSH PRIVATE KEY-----", "!keys", "PRIVATE KEY"),
]


def _request(line: str) -> requests.Request | None:
    try:
        return SCREEN.find(line).read("GLOBAL")
    except Refusal:
        return None


class PageGrammarTests(SynchronousTestCase):
    """The patterns in ``irchat/page/grammar.js``, on lines of the README and others, with spaces around them."""

    def setUp(self) -> None:
        """Read the patterns, which mean the same in both languages."""
        source = (_ROOT / "irchat/page/grammar.js").read_text("utf-8")
        found = re.findall(r"^export const (\w+) = /(.+)/(s?);$", source, re.MULTILINE)
        self.patterns = {name: re.compile(pattern, re.DOTALL if flag else 0) for name, pattern, flag in found}
        self.lines = [f"{before}{line}{after}" for line, before, after in product(_LINES, ("", "  "), ("", " "))]

    def matched(self, name: str) -> set[str]:
        """Return the lines that a pattern matches."""
        return {line for line in self.lines if self.patterns[name].match(line)}

    def test_commands(self) -> None:
        """A line is a message if it has no prefix of a command, or if it answers a message."""
        messages = set()
        for line in self.lines:
            try:
                typed = SCREEN.find(line)
            except Refusal:
                continue
            if not typed.command.prefix:
                messages.add(line)
        page = set(self.lines) - self.matched("COMMAND") | self.matched("ANSWER")
        self.assertEqual(page - messages, set())
        # The page shows a text such as "#hello" only when the server has it.
        self.assertEqual({line for line in messages - page if not line.lstrip().startswith("#")}, set())

    def test_secrets(self) -> None:
        """The page keeps no line that no client may keep."""
        self.assertEqual(self.matched("SECRET"), {line for line in self.lines if REGISTRY.is_secret(line)})

    def test_last_message(self) -> None:
        """The page makes the requests about the last own message itself."""
        last = {
            line
            for line in self.lines
            if isinstance(request := _request(line), requests.AmendLast) and request.chat == "GLOBAL"
        }
        self.assertEqual(self.matched("OWN_LAST"), last)

    def test_leaving(self) -> None:
        """The page signs out itself."""
        self.assertEqual(
            self.matched("LEAVE"), {line for line in self.lines if isinstance(_request(line), requests.Logout)}
        )
