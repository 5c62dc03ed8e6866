"""The colours of the screen."""

import re
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from irchat import client
from irchat.client.terminal.styles import STYLE
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
