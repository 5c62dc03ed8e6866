"""The colours of the screen."""

import re
from pathlib import Path

from prompt_toolkit.output import ColorDepth
from twisted.trial.unittest import SynchronousTestCase

from irchat import client
from irchat.client.terminal.styles import STYLE, colour_depth
from irchat.text import linked

# Styles that only name a thing: text is drawn in the terminal's own colours, and `Frame` makes a frame differ.
_PLAIN = {"text", "even", "odd"}
# Defined by prompt_toolkit itself.
_DEFAULTS = {"selected"}


class StyleTests(SynchronousTestCase):
    """Every style name is defined and used."""

    def test_names(self) -> None:
        """Each style that the client uses is defined, and each defined style is used."""
        (root,) = client.__path__
        used: set[str] = set()
        for path in (*Path(root).rglob("*.py"), Path(linked.__file__)):
            used.update(re.findall(r"class:([a-z-]+)(?![\w{-])", path.read_text("utf-8")))
        defined = {name for name, _ in STYLE.style_rules}
        coloured = {name for name in defined if re.fullmatch(r"name\d+", name)}
        self.assertEqual(used - _PLAIN - _DEFAULTS, defined - coloured)

    def test_contrast(self) -> None:
        """Each colour has a contrast of at least 3.8 on white and on black, by the formula of WCAG 2.1."""
        colours = {found for _, style in STYLE.style_rules for found in re.findall(r"#[0-9a-f]{6}", style)}
        self.assertGreater(len(colours), 16)
        for colour in colours:
            channels = (int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5))
            red, green, blue = (((part + 0.055) / 1.055) ** 2.4 if part > 0.04 else part / 12.92 for part in channels)
            light = 0.2126 * red + 0.7152 * green + 0.0722 * blue
            self.assertGreater(min(1.05 / (light + 0.05), (light + 0.05) / 0.05), 3.8, colour)

    def test_colours(self) -> None:
        """The colour depth is the terminal's, and monochrome on request."""
        for environment, depth in [
            ({"TERM": "xterm-256color"}, ColorDepth.DEPTH_8_BIT),
            ({"TERM": "xterm", "NO_COLOR": "1"}, ColorDepth.DEPTH_1_BIT),
            ({"TERM": "xterm", "NO_COLOR": ""}, ColorDepth.DEPTH_8_BIT),
            ({"TERM": "linux"}, ColorDepth.DEPTH_4_BIT),
            ({"TERM": "vt100"}, ColorDepth.DEPTH_1_BIT),
        ]:
            self.assertEqual(colour_depth(environment), depth)
