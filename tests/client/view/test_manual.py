"""The manual of F1."""

import re

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from irchat.client.view.key_table import KEYS, Category, KeyMap, KeyRow, keys
from irchat.client.view.manual import manual
from irchat.commands.full_screen import SCREEN


def _lines(width: int, key_map: KeyMap = KEYS) -> list[str]:
    return ["".join(piece for _, piece in row.pieces) for row in manual(width, key_map=key_map)]


class ManualTests(SynchronousTestCase):
    """`manual`."""

    def test_keys(self) -> None:
        """Each displayed key is next to its effect, in two columns if there is room, otherwise in one."""
        for width in 60, 79, 80, 120:
            text = "\n".join(_lines(width))
            for key in KeyRow:
                if key.category is not Category.NONE:
                    self.assertRegex(text, f"{re.escape(key.shown)} +{re.escape(key.help)}")
            both = f"{Category.TYPING.value} +{Category.MOVING.value}"
            self.assertEqual(re.search(both, text) is not None, width >= 80)

    def test_third_category(self) -> None:
        """In two columns, the keys of the third category are below the others, in two columns of equal length."""
        lines = _lines(80)
        start = next(number for number, line in enumerate(lines) if line.startswith(Category.MESSAGE.value))
        self.assertEqual(lines[start - 1][:40].strip(), "")
        shown = [key.shown for key in keys(Category.MESSAGE)]
        half = len(shown) // 2
        below = [(line[:16].rstrip(), line[40:56].rstrip()) for line in lines[start + 1 : start + 1 + half]]
        self.assertEqual(below, list(zip(shown[:half], shown[half:], strict=True)))
        self.assertEqual(lines[start + 1 + half].strip(), "")

    def test_long_key(self) -> None:
        """A name that leaves no space before its meaning is above it."""
        for length, shown in ((15, "x" * 15 + " keys and commands"), (16, " " * 16 + "keys and commands")):
            lines = [line.rstrip() for line in _lines(60, KeyMap({KeyRow.HELP: (("x" * length,),)}))]
            self.assertIn(shown, lines)

    def test_narrow(self) -> None:
        """On a narrow screen, meanings are below the names, two cells to the right."""
        for width, is_narrow in ((39, True), (40, False)):
            lines = [line.rstrip() for line in _lines(width)]
            self.assertEqual("  keys and commands" in lines, is_narrow)
            self.assertEqual("F1" + " " * 14 + "keys and commands" in lines, not is_narrow)

    def test_commands(self) -> None:
        """Every command that can be typed is listed, except those of administrators."""
        lines = _lines(120)
        for command in SCREEN.entries(None):
            self.assertTrue(any(line.startswith(f"{command.usage} ") or line == command.usage for line in lines))
        self.assertFalse(any("!kick" in line for line in lines))

    @given(st.integers(20, 130))
    def test_fits(self, width: int) -> None:
        """No row is wider than the screen."""
        self.assertLessEqual(max(map(len, _lines(width))), width)
