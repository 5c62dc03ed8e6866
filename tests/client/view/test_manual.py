"""The manual of F1."""

import re

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from irchat.client.view.key_table import Category, KeyRow
from irchat.client.view.manual import manual
from irchat.commands.full_screen import SCREEN


def _lines(width: int) -> list[str]:
    return ["".join(piece for _, piece in row.pieces) for row in manual(width)]


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
