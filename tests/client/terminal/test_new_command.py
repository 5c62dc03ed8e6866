"""A new command is one class and an entry in a registry: the client derives everything else from the class."""

import re

from twisted.internet.error import ConnectionDone

from irchat.client.view.manual import manual
from irchat.commands import REGISTRY, Command, Registry
from irchat.commands.syntax import GAP, NameKind, Syntax, name, sign, text, word
from irchat.protocol import requests
from irchat.protocol.errors import Code, Refusal
from tests.client.terminal.test_input_line import ApplicationCase as _ApplicationCase

_TAB, _UP, _YANK = "\t", "\x1b[A", "\x19"


class _Deposit(Command):
    """Leave a secret for a user. Its request is a search, which the fake server answers as usual."""

    prefix = "%"
    usage = "%put <user> <secret>"
    meaning = "leave a secret for a user"
    syntax = Syntax(word("%put"), GAP, name("user", NameKind.USERS), GAP, text("secret"))
    request = requests.Search
    secret = re.compile("%put")
    slash_words = {"deposit": lambda rest: f"%put {rest}"}

    @classmethod
    def read(cls, match: "re.Match[str]") -> requests.Search:
        return requests.Search(words=match["secret"])


class _Drawers(Command):
    """List the secrets."""

    prefix = "%"
    usage = "%"
    meaning = "list your secrets"
    syntax = Syntax(sign("%"))
    request = requests.Search
    alone = {"drawers": usage}

    @classmethod
    def read(cls, match: "re.Match[str]") -> requests.Search:
        return requests.Search(words="all")


class NewCommandTests(_ApplicationCase):
    """A fake command in its own registry."""

    language = Registry(*REGISTRY.commands, _Deposit, _Drawers)

    def setUp(self) -> None:
        """Open a chat."""
        super().setUp()
        self.open("@bob")

    def drawn(self) -> str:
        """Return the output since the last call."""
        self.turn()
        drawn = self.transport.value().decode()
        self.transport.clear()
        return drawn

    def searched(self) -> list[str]:
        """Return the words of the searches that reached the server."""
        return [asked.words for asked in self.server.asked() if isinstance(asked, requests.Search)]

    def test_completed(self) -> None:
        """Tab completes its word, then a user, then a user in its text."""
        self.press(f"%p{_TAB}")
        self.assertEqual(self.buffer.text, "%put ")
        self.press(f"Bobb{_TAB}")
        self.assertEqual(self.buffer.text, "%put Bobby ")
        self.press(f"for Bobb{_TAB}")
        self.assertEqual(self.buffer.text, "%put Bobby for Bobby ")

    def test_sent_and_not_kept(self) -> None:
        """The command is executed, and neither Up nor the kill ring recalls its line."""
        self.press("hello\r")
        self.press("%put bob the key\x15")
        self.press(_YANK)
        self.press("\r")
        self.assertEqual(self.searched(), ["the key"])
        self.press(_YANK)
        self.assertEqual(self.buffer.text, "")
        self.press(_UP)
        self.assertEqual(self.buffer.text, "hello")

    def test_not_shown_when_its_answer_is_lost(self) -> None:
        """If the connection is lost before the reply, its usage is shown instead of its line."""
        self.press("%put bob the key\r")
        self.drawn()
        self.server.lose(ConnectionDone())
        notes = [item.text for item in self.view.here.items]
        self.assertIn("The connection was lost before the server answered: %put <user> <secret>", notes)
        self.assertNotIn("the key", self.drawn())

    def test_hint(self) -> None:
        """Its usage is shown during typing, in red if the line cannot become valid."""
        self.drawn()
        self.press("%pu")
        self.assertIn("%put <user> <secret>   leave a secret for a user", self.drawn())
        self.press("\x15%x y")
        self.assertIn("%put <user> <secret>  ·  %", self.drawn())

    def test_habits(self) -> None:
        """Its aliases from other chats are refused with its form, in the client and in the registry."""
        self.press("/deposit bob the key\r")
        self.assertIn("%put bob the key", self.trouble())
        self.press("\x15drawers\r")
        self.assertIn("type: %  ", self.trouble())
        self.assertEqual(self.searched(), [])
        refusal = self.assertRaises(Refusal, self.language.read, "/deposit bob the key")
        self.assertEqual(refusal.code, Code.BAD_REQUEST)
        self.assertTrue(refusal.text.endswith(": %put bob the key"))

    def test_help(self) -> None:
        """Its usage and meaning are in the manual of the screen and in the reply to help."""
        rows = ["".join(piece for _, piece in row.pieces) for row in manual(100, self.language)]
        self.assertTrue(any(re.fullmatch("%put <user> <secret> +leave a secret for a user", row) for row in rows))
        self.assertEqual(self.language.manual("%").split("\n")[0], "%put <user> <secret>  leave a secret for a user")
