"""The registry: the manual, commands by request, and properties derived from the commands."""

import re
from types import SimpleNamespace

from hypothesis import example, given
from twisted.trial.unittest import SynchronousTestCase

from irchat.commands import REGISTRY, Command, Registry
from irchat.commands.amendments import InText
from irchat.commands.full_screen import SCREEN
from irchat.commands.registry import offered
from irchat.commands.syntax import NameKind, Syntax, word
from irchat.protocol import events, requests
from irchat.protocol.errors import Code, Refusal
from irchat.protocol.requests import Help
from irchat.protocol.rules import FEATURES
from tests.commands.test_commands import TABLE, any_line
from tests.helpers.strategies import filled, members


class WrongUseTests(SynchronousTestCase):
    """The usage in the refusal of a wrong line."""

    def test_usage(self) -> None:
        """It is that of the commands that were begun, else of those with the same word, else of the whole prefix."""
        of_set = "!set <chat_name> alert all|mentions|none\n!set <chat_name>"
        of_ls = "\n".join(command.usage for command in REGISTRY.entries("ls"))
        for line, usage in (
            ("!set *team alert", "!set <chat_name> alert all|mentions|none"), ("!set *team alert loud", of_set),
            ("!set", of_set), ("ls *team +", "ls <chat_name> +<mark>"), ("ls is nice, +1", of_ls),
            ("*30", "\n".join(command.usage for command in REGISTRY.entries("*"))),
        ):  # fmt: skip
            self.assertEqual(self.assertRaises(Refusal, REGISTRY.find, line).usage, usage, line)


class ManualTests(SynchronousTestCase):
    """The manual."""

    def test_whole(self) -> None:
        """It has a line for each command that can be typed, with usage and meaning in two columns."""
        lines = REGISTRY.manual(None).split("\n")
        self.assertEqual(len(lines), len({usage for _, usage, _ in TABLE}) + 1)
        columns = {re.search(r"  (?=\S)(?!.*  \S)", line).end() for line in lines}  # type: ignore[union-attr]
        self.assertEqual(len(columns), 1)

    def test_part(self) -> None:
        """A section has the lines of a prefix."""
        for prefix, count in (
            ("*", 5),
            ("@", 2),
            ("ls", 7),
            ("?", 2),
            ("exit", 1),
            ("\\", 1),
            ("", 1),
            ("+", 2),
            ("#", 7),
        ):
            self.assertEqual(len(REGISTRY.manual(prefix).split("\n")), count, prefix)
        self.assertIn("~        list the users you block", REGISTRY.manual("~").split("\n"))

    def test_unknown_part(self) -> None:
        """An unknown prefix is refused with the known ones."""
        refusal = self.assertRaises(Refusal, REGISTRY.manual, "x")
        self.assertEqual((refusal.code, refusal.usage), (Code.BAD_REQUEST, "!help [<prefix>]"))
        self.assertTrue(refusal.text.endswith("Use one of: @ * + - # ls ? ~ ! \\ exit"))

    def test_help(self) -> None:
        """The help is the manual."""
        command = REGISTRY.for_request(Help())
        caller = SimpleNamespace(is_admin=False)
        self.assertEqual(command.run(None, caller, Help()), events.Help(text=REGISTRY.manual(None)))
        part = command.run(None, caller, Help(prefix="~"))
        self.assertEqual(part, events.Help(text=REGISTRY.manual("~")))


class RegistryTests(SynchronousTestCase):
    """The registry's requirements on commands."""

    def test_all_requests(self) -> None:
        """Each request of the wire has its command, except those that the session answers itself."""
        without = []
        for struct in members(requests.ANY):
            try:
                command = REGISTRY.for_request(filled(struct, "x"))
            except KeyError:
                without.append(struct.__name__)
            else:
                self.assertIdentical(command.request, struct)
        self.assertEqual(without, ["Line", "Pong"])

    def test_without_help(self) -> None:
        """A command that can be typed and has no help is refused."""

        class Silent(Command):
            prefix = "%"
            usage = "%"
            syntax = Syntax(word("%"))
            request = Help

        self.assertRaises(ValueError, Registry, Silent)

    def test_a_command_says_what_it_does(self) -> None:
        """A command has to say how it runs."""
        self.assertRaises(NotImplementedError, Command.run, None, None, None)

    def test_fields(self) -> None:
        """The request of a line has the named groups of the syntax and the untyped fields, unless `read` differs."""
        for line, request in [
            ("+bob team", requests.AddMember(group="team", name="bob")),
            ("!help", requests.Help()),
            ("!help *", requests.Help(prefix="*")),
            ("ls @bob", requests.History(chat="@bob", mark_read=True)),
            ("ls -n @bob", requests.History(chat="@bob", unread=True, limit=500, mark_read=True)),
            ("exit --forget", requests.Logout(forget=True)),
        ]:
            self.assertEqual(SCREEN.read(line)[1], request)

    def test_who_may(self) -> None:
        """Sign-in commands refuse a signed-in user. Others need one, except help, leaving and ping."""
        needs: dict[bool | None, list[str]] = {True: [], False: [], None: []}
        for struct in members(requests.ANY):
            if struct.__name__ not in ("Line", "Pong"):
                needs[REGISTRY.for_request(filled(struct, "x")).signed_in].append(struct.__name__)
        self.assertEqual(needs[False], ["Register", "Login", "Resume"])
        self.assertEqual(needs[None], ["Help", "Logout", "Ping"])

    def test_pipelined(self) -> None:
        """Commands that share a commit are pipelined. Reads, sign-ins and exclusive changes wait for those before."""
        pipelined = [
            struct.__name__
            for struct in members(requests.ANY)
            if struct.__name__ not in ("Line", "Pong") and REGISTRY.for_request(filled(struct, "x")).pipelined
        ]
        self.assertEqual(pipelined, ["Send", "Amend", "Mark", "Read"])


class DerivedTests(SynchronousTestCase):
    """The clients' questions about a line being typed."""

    def test_secret(self) -> None:
        """A line that begins like a timed message must not be kept, valid or not. No other line is secret."""
        for line in "*30*team hi", "*30@bob hi", "*30* hi", " *30*team", "*x@bob hi", "*0* hi", "**team hi":
            self.assertTrue(REGISTRY.is_secret(line), line)
        for line in "*team hi", "@bob *30* hi", "hello *30* hi", "", " ", "*30 hi", "!password", "*bob,carol -> team":
            self.assertFalse(REGISTRY.is_secret(line), line)
        self.assertTrue(SCREEN.is_secret("*30 hi"))

    def test_administrators(self) -> None:
        """A line that begins with an administrators' word is that command, however it continues."""
        for line, usage in (
            ("!kick bob", "!kick <user>"),
            ("!ban", "!ban <user> [<time>]"),
            ("!unban a b", "!unban <user>"),
        ):
            command = REGISTRY.for_admins(line)
            self.assertEqual(getattr(command, "usage", None), usage)
        self.assertEqual(
            [REGISTRY.for_admins(line) for line in ("!kicks bob", "!k", "kick bob", "", "!help")], [None] * 5
        )

    @given(any_line)
    @example("@@ #")
    @example("*team #17")
    def test_a_line_that_is_read_may_begin(self, line: str) -> None:
        """Any line parsed as a command is one of the commands that it may become.

        A text for a chat that begins like a command is the exception: it may become that command.
        """
        try:
            command, _ = SCREEN.read(line.strip(), is_admin=True)
        except Refusal:
            return
        begun = SCREEN.begun(line.strip())
        if command.prefix and not (command.reads_text and begun and all(issubclass(one, InText) for one in begun)):
            self.assertIn(command, begun)

    @given(any_line)
    def test_any_line_has_its_answers(self, line: str) -> None:
        """No line causes an error in these questions."""
        for registry in REGISTRY, SCREEN:
            registry.is_secret(line)
            registry.for_admins(line)
            registry.reference(line)
            for place in registry.open_words(line):
                self.assertLessEqual(place.start, len(line))

    def test_in_text(self) -> None:
        """A command in the text for a chat is completed and hinted at like one for the open chat."""
        for before in "", "*team ", " @ bob ":
            begun = {command.usage for command in SCREEN.begun(before + "#17")}
            self.assertEqual(begun, {usage for usage in (c.usage for c in SCREEN.entries("#")) if "#<" in usage})
            (place,) = SCREEN.open_words(before + "#17= for @b")
            line = before.lstrip() + "#17= for @"
            self.assertEqual((place.start, place.names), (len(line), NameKind.MENTIONED))
        self.assertEqual([command.usage for command in SCREEN.begun("*team #1 hi")], ["*<group_name> <message>"])

    def test_reference(self) -> None:
        """An answer, and a line about a message, refer to it from its number on, alone or with a chat before it."""
        for before, chat in (("", None), ("*team ", "*team"), (" @ bob ", "@bob")):
            for line in "#17", "#17 ", "#17 yes", "#017 yes", "#17=", "#17= new", "#17-", "#17-o", "#17+", "#17+ok":
                self.assertEqual(SCREEN.reference(before + line), (chat, 17), before + line)
            for line in "", "#", "#x", "#17x", "#17=new", "#17+ok then", "#=", "#-", "yes #17":
                self.assertIsNone(SCREEN.reference(before + line), before + line)
        self.assertIsNone(SCREEN.reference("*bob,carol -> #17"))

    def test_long_lines(self) -> None:
        """A long line is completed and looked up in linear time."""
        for start in "@", "*", "*a,", "+a ", "ls ", "?", "hello ", "*30@bob ", "#17= ", "@bob #":
            for filling in " ", "a", "a ", "a,", "@", " @":
                line = start + filling * (4_000 // len(filling))
                SCREEN.open_words(line)
                SCREEN.begun(line)
                SCREEN.reference(line)

    def test_offered(self) -> None:
        """An older server's client offers only what that server can do."""
        self.assertIs(offered(SCREEN, frozenset(FEATURES)), SCREEN)
        commands = offered(SCREEN, frozenset(("marks",))).commands
        self.assertEqual({command.feature for command in commands}, {"", "marks"})
        self.assertEqual([command for command in SCREEN.commands if not command.feature],
                         [command for command in commands if not command.feature])  # fmt: skip
