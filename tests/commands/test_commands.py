"""The command language: every row of the protocol's table, every wrong usage, and the manual."""

import re

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from irchat.commands import AS_MESSAGE, REGISTRY, Command
from irchat.protocol.errors import Code, Refusal
from irchat.protocol.requests import (
    AddKey,
    AddMember,
    Alert,
    Amend,
    AmendLast,
    Block,
    Blocks,
    Chats,
    CreateGroup,
    EndListed,
    EndSessions,
    Help,
    History,
    Keys,
    Logout,
    Mark,
    Members,
    RemoveKey,
    RemoveMember,
    Request,
    Search,
    Send,
    Sessions,
    Users,
)
from irchat.system.clock import rfc3339
from irchat.system.times import start_of_day

# What is typed, the usage text of its row, what it asks. The rows are in the order of the protocol's table.
TABLE: list[tuple[str, str, Request]] = [
    ("Hello World!", "<message>", Send(chat="GLOBAL", text="Hello World!")),
    ("lsof", "<message>", Send(chat="GLOBAL", text="lsof")),
    ("LS @bob", "<message>", Send(chat="GLOBAL", text="LS @bob")),
    ("exit strategy", "<message>", Send(chat="GLOBAL", text="exit strategy")),
    ("a@b *c* -> d", "<message>", Send(chat="GLOBAL", text="a@b *c* -> d")),
    ("two\n lines", "<message>", Send(chat="GLOBAL", text="two\n lines")),
    ("@", "@", Users()),
    ("@ bob hi", "@ <user> <message>", Send(chat="@bob", text="hi")),
    ("@bob hi", "@ <user> <message>", Send(chat="@bob", text="hi")),
    ("@bob   hi  there", "@ <user> <message>", Send(chat="@bob", text="hi  there")),
    ("@bob hi\n@carol hi", "@ <user> <message>", Send(chat="@bob", text="hi\n@carol hi")),
    (
        "*bob,carol -> team",
        "*<user1>,<user2>,...<usern> -> <group_name>",
        CreateGroup(name="team", members=["bob", "carol"]),
    ),
    ("*bob->team", "*<user1>,<user2>,...<usern> -> <group_name>", CreateGroup(name="team", members=["bob"])),
    (
        "* bob , carol,dave->*team",
        "*<user1>,<user2>,...<usern> -> <group_name>",
        CreateGroup(name="team", members=["bob", "carol", "dave"]),
    ),
    ("*team hi", "*<group_name> <message>", Send(chat="*team", text="hi")),
    ("*team hi -> there, a->b", "*<group_name> <message>", Send(chat="*team", text="hi -> there, a->b")),
    ("*7up hi", "*<group_name> <message>", Send(chat="*7up", text="hi")),
    ("+dave team", "+<user> <group_name>", AddMember(group="team", name="dave")),
    ("+ dave *team", "+<user> <group_name>", AddMember(group="*team", name="dave")),
    ("-dave team", "-<user> <group_name>", RemoveMember(group="team", name="dave")),
    ("- dave  team", "-<user> <group_name>", RemoveMember(group="team", name="dave")),
    ("+team", "+<group_name>", Members(group="team")),
    ("-team", "-<group_name>", Members(group="team")),
    ("+ *team", "+<group_name>", Members(group="*team")),
    ("*30*team hi", "*<time>*<group_name> <message>", Send(chat="*team", text="hi", expires_in=30)),
    ("*30@bob hi", "*<time>@<user> <message>", Send(chat="@bob", text="hi", expires_in=30)),
    ("*30@ bob hi", "*<time>@<user> <message>", Send(chat="@bob", text="hi", expires_in=30)),
    ("*30* hi", "*<time>* <message>", Send(chat="GLOBAL", text="hi", expires_in=30)),
    ("*1* hi\n\tho", "*<time>* <message>", Send(chat="GLOBAL", text="hi\n\tho", expires_in=1)),
    ("*604800* hi", "*<time>* <message>", Send(chat="GLOBAL", text="hi", expires_in=604_800)),
    ("*0000030* hi", "*<time>* <message>", Send(chat="GLOBAL", text="hi", expires_in=30)),
    ("*" + "0" * 5_000 + "5* hi", "*<time>* <message>", Send(chat="GLOBAL", text="hi", expires_in=5)),
    ("#17", "#<number>", History(chat="GLOBAL", around=17, limit=11)),
    ("@bob #17", "#<number>", History(chat="@bob", around=17, limit=11)),
    ("#17= new text", "#<number>= <message>", Amend(chat="GLOBAL", seq=17, text="new text")),
    ("*team #17= new\n #18- text", "#<number>= <message>", Amend(chat="*team", seq=17, text="new\n #18- text")),
    ("#17-", "#<number>-", Amend(chat="GLOBAL", seq=17, delete=True)),
    ("*team #17-", "#<number>-", Amend(chat="*team", seq=17, delete=True)),
    ("@ bob  #17-", "#<number>-", Amend(chat="@bob", seq=17, delete=True)),
    ("#17+ok", "#<number>+<mark>", Mark(chat="GLOBAL", seq=17, mark="ok", on=True)),
    ("@bob #17+\U0001f44d", "#<number>+<mark>", Mark(chat="@bob", seq=17, mark="\U0001f44d", on=True)),
    ("#17++1", "#<number>+<mark>", Mark(chat="GLOBAL", seq=17, mark="+1", on=True)),
    ("#17-ok", "#<number>-<mark>", Mark(chat="GLOBAL", seq=17, mark="ok", on=False)),
    ("*team #17--", "#<number>-<mark>", Mark(chat="*team", seq=17, mark="-", on=False)),
    ("#= new text", "#= <message>", AmendLast(chat="GLOBAL", text="new text")),
    ("@bob #= new text", "#= <message>", AmendLast(chat="@bob", text="new text")),
    ("#-", "#-", AmendLast(chat="GLOBAL")),
    ("*team #-", "#-", AmendLast(chat="*team")),
    ("ls", "ls", Chats()),
    ("ls @bob", "ls <chat_name>", History(chat="@bob", mark_read=True)),
    ("ls team", "ls <chat_name>", History(chat="team", mark_read=True)),
    ("ls *team", "ls <chat_name>", History(chat="*team", mark_read=True)),
    ("ls  GLOBAL", "ls <chat_name>", History(chat="GLOBAL", mark_read=True)),
    ("ls @bob 200", "ls <chat_name> <count>", History(chat="@bob", limit=200, mark_read=True)),
    ("ls @bob 0" + "0" * 5_000 + "9", "ls <chat_name> <count>", History(chat="@bob", limit=9, mark_read=True)),
    (
        "ls *team 2026-03-01",
        "ls <chat_name> <day>",
        History(chat="*team", since=rfc3339(start_of_day("2026-03-01"))),
    ),
    ("ls *team +ok", "ls <chat_name> +<mark>", Search(chat="*team", mark="ok")),
    ("?@", "?@", Search(mentions=True)),
    ("?@bob", "?<words>", Search(words="@bob")),
    ("!set *team", "!set <chat_name>", Alert(chat="*team")),
    ("!set *team alert all", "!set <chat_name> alert all|mentions|none", Alert(chat="*team", alert="all")),
    ("!set bob  alert none", "!set <chat_name> alert all|mentions|none", Alert(chat="bob", alert="none")),
    ("ls -n @bob", "ls -n <chat_name>", History(chat="@bob", unread=True, limit=500, mark_read=True)),
    ("ls @bob ?words", "ls <chat_name> ?<words>", Search(words="words", chat="@bob")),
    ("ls team ? two words", "ls <chat_name> ?<words>", Search(words=" two words", chat="team")),
    ("?words", "?<words>", Search(words="words")),
    ("? two words?", "?<words>", Search(words=" two words?")),
    ("~bob", "~<user>", Block(name="bob")),
    ("~ bob", "~<user>", Block(name="bob")),
    ("~", "~", Blocks()),
    ("!help", "!help [<prefix>]", Help()),
    ("!help *", "!help [<prefix>]", Help(prefix="*")),
    ("!sessions", "!sessions", Sessions()),
    ("!sessions  end 3", "!sessions end <number>", EndListed(number=3)),
    ("!sessions end others", "!sessions end others", EndSessions(others=True)),
    ("!keys", "!keys", Keys()),
    ("!keys add", "!keys add <number|public_key>", AddKey()),
    ("!keys  add 2", "!keys add <number|public_key>", AddKey(number=2)),
    ("!keys add ssh-ed25519 AAAA a@b", "!keys add <number|public_key>", AddKey(key="ssh-ed25519 AAAA a@b")),
    ("!keys remove 2", "!keys remove <number>", RemoveKey(number=2)),
    ("exit", "exit", Logout()),
    ("\\@ literally", "\\<message>", Send(chat="GLOBAL", text="@ literally")),
    ("\\\\", "\\<message>", Send(chat="GLOBAL", text="\\")),
    ("\\ls", "\\<message>", Send(chat="GLOBAL", text="ls")),
]

# Texts with a number sign that are no command.
TEXTS = [
    "#hello", "#1 priority", "#17 hello", "#- item", "#!/bin/sh", "#17=x", "#17=", "#=", "#=x", "#17+", "#17+a b",
    "#", "##", "# 17", "#0", "#017", "#17.", "#-1", "#+ok", "#\u0661", "hello #17-", "\\#17-", "#17- now", "#17 -",
    "#17 = x",
]  # fmt: skip

# What is typed wrongly, and what of the usage the answer holds.
WRONG: dict[str, list[str]] = {
    "@ <user> <message>": ["@bob", "@ bob"],
    "*<group_name> <message>": ["*", "*team"],
    "->": [
        "*bob,carol",
        "*bob,carol ->",
        "*bob ->",
        "*bob  ->",
        "*bob  -> two words",
        "*bob -> two words",
        "*bob,,carol -> team",
        "*bob, carol hi",
        "*->team",
        "*bob\t\n-> two words",
        "*a->b c",
    ],
    "*<time>* <message>": ["*30 hi", "*30*"],
    "*<time>*<group_name> <message>": ["*30*team"],
    "*<time>@<user> <message>": ["*30@bob"],
    "+<user> <group_name>": ["+", "+1 for that", "+dave to team"],
    "+<group_name>": ["+1", "+ 12"],
    "-<user> <group_name>": ["-", "-1 team", "- milk and eggs"],
    "-<group_name>": ["-1"],
    "ls <chat_name>": ["ls is nice"],
    "ls -n <chat_name>": ["ls -n", "ls -x @bob"],
    "ls <chat_name> <count>": ["ls @bob 0", "ls @bob -1", "ls @bob 1.5", "ls @bob " + "9" * 5_000, "ls @bob \u0663"],
    "ls <chat_name> ?<words>": ["ls @bob ?", "ls @bob ???", "ls ?words"],
    "?<words>": ["?", "???", "? !", "?!?"],
    "~<user>": ["~bob and carol", "~~ ~~"],
    "!help": ["!", "!!!", "!help me please", "!helpme"],
    "!password": ["!password secret"],
    "!sessions end <number>": ["!sessions end", "!sessions end x", "!sessions end 1 2", "!sessions 1", "!session"],
    "!keys remove <number>": ["!keys remove", "!keys remove x", "!keys remove 1 2", "!keys 1", "!key"],
    "!set <chat_name> alert all|mentions|none": ["!set", "!set *team alert", "!set *team alert All", "!set team mute"],
    "ls <chat_name> <day>": ["ls *team 2026-02-30", "ls *team 0000-01-01", "ls *team 2026-3-1"],
    "ls <chat_name> +<mark>": ["ls *team +", "ls *team +a b"],
    "#<number>+<mark>": ["#17+" + 17 * "x"],
    "#<number>-<mark>": ["#17-" + 17 * "x"],
    "\\<message>": ["\\"],
}

BAD_TIMES = [
    "0",
    "604801",
    "-1",
    "1.5",
    "1e3",
    "",
    "+5",
    "\u0663\u0660",
    "\u00b2",
    "30s",
    "9" * 5_000,
    "0" * 5_000,
    "a",
]

_marks = st.sampled_from(
    [
        "@",
        "*",
        "+",
        "-",
        "~",
        "?",
        "!",
        "\\",
        "#",
        "#17",
        "=",
        "->",
        ",",
        " ",
        "\n",
        "ls",
        "-n",
        "exit",
        "!help",
        "!password",
        "bob",
        "team",
        "30",
        "0",
        "9" * 5_000,
        "GLOBAL",
        "\x1b",
        "\0",
        "\u2028",
        "\u0663",
    ]
)
any_line = st.text() | st.lists(_marks, max_size=9).map("".join) | st.lists(_marks, max_size=9).map(" ".join)


def read(line: str) -> tuple[type[Command], Request]:
    """Parse a typed line."""
    return REGISTRY.read(line)


class TableTests(SynchronousTestCase):
    """Parsing typed lines."""

    def test_rows(self) -> None:
        """Each row of the table makes the request that it shows, by the command with that usage."""
        for line, usage, request in TABLE:
            command, asked = read(line)
            self.assertEqual((asked, command.usage), (request, usage), line)
            self.assertIsInstance(request, REGISTRY.for_request(request).request)

    def test_all_typed_commands_are_in_the_table(self) -> None:
        """No command outside the table can be typed."""
        usages = {usage for _, usage, _ in TABLE} | {"!password"}
        self.assertEqual(set(re.findall(r"^(\S.*?)  +\S", REGISTRY.manual(None), re.MULTILINE)), usages)

    def test_white_space(self) -> None:
        """White space of any kind at both ends of a line is dropped."""
        for line, _, request in TABLE:
            self.assertEqual(read(f" \t\u3000{line}\x1c \n")[1], request, line)

    def test_empty(self) -> None:
        """A line of white space alone is empty."""
        for line in ("", " ", "\n\t\u2003"):
            self.assertEqual(self.assertRaises(Refusal, read, line).code, Code.EMPTY_TEXT)

    def test_wrong(self) -> None:
        """Wrong usage is answered with the usage of similar commands, and how to send the line as a message."""
        for line, usage in ((line, usage) for usage, lines in WRONG.items() for line in lines):
            refusal = self.assertRaises(Refusal, read, line)
            self.assertEqual(refusal.code, Code.BAD_REQUEST, line)
            self.assertIn(usage, str(refusal.usage), line)
            self.assertTrue(refusal.text.endswith(AS_MESSAGE), line)
            self.assertEqual(read("\\" + line)[1], Send(chat="GLOBAL", text=line))

    def test_texts_in_any_chat(self) -> None:
        """A text that only resembles a command is sent, to everyone, to a user and to a group."""
        for text in TEXTS:
            sent = text.removeprefix("\\")
            self.assertEqual(read(text)[1], Send(chat="GLOBAL", text=sent))
            self.assertEqual(read(f"@bob {text}")[1], Send(chat="@bob", text=text))
            self.assertEqual(read(f"*team {text}")[1], Send(chat="*team", text=text))

    def test_in_any_chat(self) -> None:
        """A text that is a command is one wherever plain text goes. No timed text is, nor one after a backslash."""
        for text, _, request in TABLE:
            if text.startswith("#"):
                for here, line, chat in (
                    ("*team", text, "*team"), ("@carol", f"*team {text}", "*team"), (None, f"@bob {text}", "@bob"),
                ):  # fmt: skip
                    asked = REGISTRY.read(line, here=here)[1]
                    self.assertEqual(asked, msgspec.structs.replace(request, chat=chat), line)
                self.assertEqual(read(f"\\{text}")[1], Send(chat="GLOBAL", text=text))
                self.assertEqual(read(f"*9*team {text}")[1], Send(chat="*team", text=text, expires_in=9))
                self.assertEqual(read(f"*9@bob {text}")[1], Send(chat="@bob", text=text, expires_in=9))
                self.assertEqual(read(f"*9* {text}")[1], Send(chat="GLOBAL", text=text, expires_in=9))

    def test_times(self) -> None:
        """A time is 1 to 604,800 in ASCII digits. Anything else is refused with usage and hint."""
        for time in BAD_TIMES:
            for line, usage in (
                (f"*{time}* hi", "*<time>* <message>"),
                (f"*{time}*team hi", "*<time>*<group_name> <message>"),
                (f"*{time}@bob hi", "*<time>@<user> <message>"),
            ):
                refusal = self.assertRaises(Refusal, read, line)
                self.assertEqual((refusal.code, refusal.usage), (Code.BAD_TIME, usage), line)
                self.assertTrue(refusal.text.endswith(AS_MESSAGE))

    def test_password_is_not_typed(self) -> None:
        """The error of ``!password`` points to the request, in protocols without a dialogue."""
        refusal = self.assertRaises(Refusal, read, "!password")
        self.assertEqual((refusal.code, refusal.usage), (Code.BAD_REQUEST, "!password"))
        self.assertIn("request password", refusal.text)

    @given(any_line)
    @example("*" + "0" * 5_000 + "@bob hi")
    @example("ls @bob " + "0" * 5_000)
    def test_any_line(self, line: str) -> None:
        """Any typed text is either a request of its command or a Refusal."""
        try:
            command, request = read(line)
        except Refusal as refusal:
            self.assertIn(refusal.code, (Code.BAD_REQUEST, Code.BAD_TIME, Code.EMPTY_TEXT))
            self.assertTrue(refusal.text)
            return
        self.assertIsInstance(request, command.request)
        self.assertEqual(REGISTRY.find(line).match.re, command.syntax.pattern)

    @given(any_line.filter(str.strip))
    def test_literally(self, line: str) -> None:
        """Text after a backslash is sent unchanged."""
        sent = line.rstrip()
        if sent:
            self.assertEqual(read("\\" + line)[1], Send(chat="GLOBAL", text=sent))

    @given(st.text(st.characters(categories=["L", "Nd", "Sc", "Pf"]), min_size=1), st.text())
    def test_letters_are_messages(self, word: str, rest: str) -> None:
        """A line that begins with a letter or digit, and is not one of the two words, is a message."""
        line = f"{word} {rest}".rstrip()
        if word not in ("ls", "exit") and line == line.strip():
            self.assertEqual(read(line)[1], Send(chat="GLOBAL", text=line))

    @given(st.sampled_from(["bob", "bob,carol"]), st.text(" \t\n", max_size=3), st.text())
    def test_arrow(self, users: str, gap: str, rest: str) -> None:
        """An arrow after the first word or comma list is never a message to a group."""
        try:
            _, request = read(f"*{users}{gap}->{rest}")
        except Refusal as refusal:
            self.assertIn(refusal.code, (Code.BAD_REQUEST, Code.BAD_TIME))
        else:
            self.assertIsInstance(request, CreateGroup)

    def test_long_lines(self) -> None:
        """A line of maximum length is parsed in linear time."""
        for start in ("@", "*", "*a", "+", "+a", "-", "ls", "ls a", "?", "~", "!help", "*a,", "*1@", "*a,a"):
            for filling in (" ", "a", "a,", " ,", "->", "0", "* ", "@ ", "\n"):
                for end in ("", " b", ">", " -> ", "?"):
                    line = start + filling * (60_000 // len(filling)) + end
                    try:
                        read(line)
                    except Refusal as refusal:
                        self.assertIn(refusal.code, (Code.BAD_REQUEST, Code.BAD_TIME))
