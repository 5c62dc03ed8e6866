"""The settings file of the client."""

import re
import textwrap
from pathlib import Path

from prompt_toolkit.key_binding import KeyBindings
from twisted.trial.unittest import SynchronousTestCase

from irchat.client.preferences import SETTABLE, LastServer, Preferences, read_preferences
from irchat.client.view.key_table import KEYS, KeyRow


def _check(sequence: tuple[str, ...]) -> None:
    KeyBindings().add(*sequence)(lambda event: None)


class PreferencesTests(SynchronousTestCase):
    """`read_preferences`."""

    def setUp(self) -> None:
        """Choose a file."""
        self.path = Path(self.mktemp())

    def read(self, *lines: str) -> tuple[Preferences, list[str]]:
        """Read a file with these lines."""
        self.path.write_text("\n".join(lines))
        return read_preferences(self.path, _check)

    def test_none(self) -> None:
        """Without a file, everything has its default. A file that cannot be read is reported."""
        self.assertEqual(read_preferences(self.path, _check), (Preferences(), []))
        self.path.mkdir()
        settings, (problem,) = read_preferences(self.path, _check)
        self.assertEqual(settings, Preferences())
        self.assertIn("cannot be read", problem)

    def test_all(self) -> None:
        """Every setting is read."""
        settings, problems = self.read(
            "# mine", 'server = "alice@chat.example.org"  # home', "bell = false", "notify = false", "colours=false",
            "plain = true", "mouse = false", "", "[keys]", 'home = "c-x h"', 'next = ["c-down", "c-up"]',
        )  # fmt: skip
        self.assertEqual(problems, [])
        self.assertEqual(settings[:-1], ("alice@chat.example.org", False, False, False, True, False))
        self.assertEqual(settings.keys.sequences(KeyRow.HOME), (("c-x", "h"),))
        self.assertEqual(settings.keys.sequences(KeyRow.NEXT), (("c-down",), ("c-up",)))
        self.assertEqual(settings.keys.sequences(KeyRow.SEND), KeyRow.SEND.sequences)

    def test_wrong_entries(self) -> None:
        """A wrong entry is named with its line and a reason, and the rest holds."""
        for line, why in (
            ("loud = true", "no setting 'loud'"), ("bell = 1", "true or false"), ("server = true", "a text"),
            ("bell", "not an entry"), ("[colours]", "only [keys]"), ("keys = true", "no setting 'keys'"),
        ):  # fmt: skip
            settings, problems = self.read("plain = true", "mouse = false", line)
            self.assertEqual((settings.plain, settings.mouse, len(problems)), (True, False, 1), line)
            self.assertIn(f"{self.path.name}, line 3: ", problems[0])
            self.assertIn(why, problems[0])

    def test_keys_of_flow_control(self) -> None:
        """Ctrl-S and Ctrl-Q can be keys, although they do nothing otherwise."""
        settings, problems = self.read("[keys]", 'home = "c-s"')
        self.assertEqual((settings.keys.sequences(KeyRow.HOME), list(problems)), ((("c-s",),), []))

    def test_wrong_keys(self) -> None:
        """A key that does not exist, or that another row has, is refused, and so is a wrong number of them."""
        for line, why in (
            ('fly = "c-x f"', "no key 'fly'"), ('home = "c-ä"', "line 2"), ('home = "c-n"', "already the key of next"),
            ('next = "c-down"', "needs 2 keys"), ("home = []", "needs 1 key."), ("home = 3", "or a list"),
            ('other-on-message = "c-x f"', "no key"),
        ):  # fmt: skip
            settings, problems = self.read("[keys]", line, 'back = "f9"')
            self.assertEqual((len(problems), settings.keys.sequences(KeyRow.HOME)), (1, KeyRow.HOME.sequences), line)
            self.assertIn(why, problems[0])
            self.assertEqual(settings.keys.sequences(KeyRow.BACK), (("f9",),))

    def test_swapped_keys(self) -> None:
        """Rows can swap their keys, in any order of the lines. Of a row with the key of another, the line is named."""
        lines = ('home = "c-k"', 'go-to = "escape 0"')
        for order in lines, lines[::-1]:
            settings, problems = self.read("[keys]", *order)
            self.assertEqual((problems, settings.keys.sequences(KeyRow.HOME)), ([], (("c-k",),)))
        settings, problems = self.read("[keys]", 'home = "c-k"', 'go-to = "c-n"', 'back = "c-r"')
        self.assertEqual(settings.keys.sequences(KeyRow.GO_TO), KeyRow.GO_TO.sequences)
        self.assertEqual(len(problems), 2)
        self.assertIn("line 2: c-k is already the key of go-to", problems[0])
        self.assertIn("line 3: c-n is already the key of next", problems[1])

    def test_shown(self) -> None:
        """Changed keys are shown as such."""
        settings, _ = self.read("[keys]", 'home = ["c-x h", "escape h"]', 'help = "s-left"')
        self.assertEqual(settings.keys.shown(KeyRow.HOME), "Ctrl-X h, Alt-h")
        self.assertEqual(settings.keys.shown(KeyRow.HELP), "Shift-left")
        self.assertEqual(KEYS.shown(KeyRow.HELP), "F1")


class LastServerTests(SynchronousTestCase):
    """`LastServer`."""

    def test_kept(self) -> None:
        """The address is kept, with the use of TLS. A folder that cannot be read or written is no reason to stop."""
        path = Path(self.mktemp()) / "folder" / "last"
        last = LastServer(path)
        self.assertEqual(last.read(), ("", True))
        for tls in True, False, True:
            last.keep("alice@host", tls)
            self.assertEqual(LastServer(path).read(), ("alice@host", tls))
        broken = LastServer(path.parent)
        broken.keep("x", False)
        self.assertEqual(broken.read(), ("", True))


class DocumentedTests(SynchronousTestCase):
    """The settings in docs/client.rst."""

    def test_documented(self) -> None:
        """The example is valid and has every setting, and the list of keys is complete."""
        text = (Path(__file__).parents[2] / "docs" / "client.rst").read_text("utf-8")
        section = text[text.index("``client.toml``\n---") : text.index("In a pipe\n---")]
        path = Path(self.mktemp())
        path.write_text(textwrap.dedent(re.search(r"::\n\n((?:    .*\n|\n)+)", section)[1]))
        settings, problems = read_preferences(path, _check)
        self.assertEqual(problems, [])
        defaults = Preferences()
        same = [name for name in Preferences._fields if getattr(settings, name) == getattr(defaults, name)]
        self.assertEqual(same, [])
        named = re.findall(r"``([a-z-]+)``", section[section.index("The names of the") : section.index("F1 shows")])
        self.assertEqual(set(named), set(SETTABLE))
