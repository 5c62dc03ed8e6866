"""The syntax of a command as parts: whole lines, beginnings, and places to complete."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from irchat.commands.full_screen import SCREEN
from irchat.commands.syntax import GAP, MAY_GAP, NameKind, OpenWord, Part, Syntax, name, sign, text, word

_SYNTAX = Syntax(word("%put"), GAP, name("user", NameKind.USERS), MAY_GAP, sign(":"), text("text"))


class SyntaxTests(SynchronousTestCase):
    """`Syntax`."""

    def test_pattern(self) -> None:
        """The parts make one pattern, whose groups have their names."""
        match = _SYNTAX.pattern.fullmatch("%put bob : hi\nho")
        assert match is not None
        self.assertEqual(match.groupdict(), {"user": "bob", "text": " hi\nho"})

    def test_may_begin(self) -> None:
        """Every prefix of a valid line may become one, and nothing else."""
        whole = "%put bob : hi"
        for length in range(1, len(whole) + 1):
            self.assertTrue(_SYNTAX.may_begin(whole[:length]), whole[:length])
        for line in "%pat", "put", "x%put", "%put bob hi":
            self.assertFalse(_SYNTAX.may_begin(line), line)

    def test_begun(self) -> None:
        """The groups of an unfinished line are known as far as it was typed, and none of a line that is wrong."""
        self.assertEqual(_SYNTAX.begun("%put bob :"), {"user": "bob", "word": None})
        self.assertEqual(_SYNTAX.begun("%put bob : hi @al"), {"user": "bob", "word": "al"})
        self.assertEqual(_SYNTAX.begun("%get"), {})

    def test_right(self) -> None:
        """A part with an invalid value is parsed, and begins nothing once it is complete."""
        syntax = Syntax(Part("(?P<count>[0-9]+)", "[0-9]*", right="[1-9]"), sign("x"))
        self.assertIsNotNone(syntax.pattern.fullmatch("0x"))
        self.assertEqual([syntax.may_begin(line) for line in ("0", "0x", "1x")], [True, False, True])

    def test_places(self) -> None:
        """A word, a name and a mention can be completed, each from its own start."""
        for line, place in (
            ("%pu", OpenWord(0, NameKind.WORD, " ", "%put")),
            ("%put ", OpenWord(5, NameKind.USERS, "")),
            ("%put bo", OpenWord(5, NameKind.USERS, "")),
            ("%put bob :hi @ca", OpenWord(14, NameKind.MENTIONED, " ")),
            ("%put bob ", None),
            ("x", None),
        ):
            self.assertEqual(_SYNTAX.open_word(line), place, line)

    @given(st.data())
    def test_beginnings_of_all_commands(self, data: st.DataObject) -> None:
        """For each command, every prefix of a line matched by its pattern may begin it."""
        commands = [command for command in SCREEN.commands if command.prefix]
        command = data.draw(st.sampled_from(commands))
        line = data.draw(st.from_regex(command.syntax.pattern, fullmatch=True, alphabet=st.characters(codec="ascii")))
        length = data.draw(st.integers(1, len(line)))
        if not any(part.right for part in command.syntax._parts):
            self.assertTrue(command.syntax.may_begin(line[:length]), (command, line[:length]))
