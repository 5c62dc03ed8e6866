"""The docs match the program: settings, limits, names, and the tests they refer to."""

import json
import re
import tomllib
from pathlib import Path
from xml.etree import ElementTree

import pyte
from twisted.trial.unittest import SynchronousTestCase

from docs import picture
from irchat.client.view.key_table import Category, KeyRow
from irchat.commands import REGISTRY
from irchat.interfaces.limits import Limits
from irchat.protocol.errors import Refusal
from irchat.protocol.rules import fold_name
from irchat.settings import SETTINGS, changed_for_restart, make_config
from irchat.text.names import skeleton

_ROOT = Path(__file__).parents[2]
_TESTS = _ROOT / "tests"
_SVG = "{http://www.w3.org/2000/svg}"


def _read(name: str) -> str:
    return (_ROOT / name).read_text("utf-8")


def _section(text: str, title: str) -> str:
    """Return the text under a title, up to the next title."""
    after = re.split(rf"^{re.escape(title)}\n[=-]+\n", text, flags=re.MULTILINE)
    assert len(after) == 2, title
    return re.split(r"^.+\n(?:=+|-+)\n", after[1], flags=re.MULTILINE)[0]


def _block(section: str) -> str:
    """Return the lines of a section that are indented by four spaces."""
    return "".join(f"{line[4:]}\n" for line in section.split("\n") if line.startswith("    ") or not line)


class SettingsTests(SynchronousTestCase):
    """Settings, in docs/operations.rst."""

    def setUp(self) -> None:
        """Read the page."""
        self.operations = _read("docs/operations.rst")
        self.example = _block(_section(self.operations, "The configuration file"))

    def test_options(self) -> None:
        """The list of options has an entry for each option of the server."""
        options = _section(self.operations, "Options")
        entries = " ".join(line for line in options.split("\n") if line.startswith("``--"))
        named = set(re.findall(r"--([a-z-]+)", entries))
        self.assertEqual(named, {setting.name for setting in SETTINGS} | {"config"})

    def test_example(self) -> None:
        """The example of a configuration file is valid and changes nothing."""
        self.assertEqual(make_config(tomllib.loads(self.example)), make_config({}))

    def test_example_has_all(self) -> None:
        """With its commented lines, the example has every setting and is valid."""
        given = tomllib.loads(re.sub(r"^# ([a-z-]+ = )", r"\1", self.example, flags=re.MULTILINE))
        self.assertEqual(list(given), [setting.name for setting in SETTINGS])
        for one_of_two in "store-file", "bus-file":
            del given[one_of_two]
        make_config(given)

    def test_limits(self) -> None:
        """The table of limits has each limit with its default."""
        rows = re.findall(r"\* - ``([a-z-]+)``\n     - ([0-9,]+)\n", _section(self.operations, "Limits"))
        defaults = {name.replace("_", "-"): getattr(Limits(), name) for name in Limits.__struct_fields__}
        limits = {name: f"{default:,.0f}" for name, default in defaults.items() if not isinstance(default, bool)}
        self.assertEqual(dict(rows), limits)

    def test_what_changes_while_it_runs(self) -> None:
        """The settings that need a restart, and those that a reload changes, are listed as such."""
        restart, live = _section(self.operations, "Changes while it runs").split("What changes at once")
        restart = restart.split("This concerns")[1].split(".\n")[0]
        live = live.split("What was set on the command line")[0]
        for text, is_live in (restart, False), (live, True):
            named = set(re.findall(r"``([a-z-]+)``", text))
            self.assertEqual(named, {setting.name for setting in SETTINGS if setting.live is is_live})
        some = make_config({"port": 1, "rate": 1})
        self.assertEqual(changed_for_restart(make_config({}), some), ["port"])


class FiguresTests(SynchronousTestCase):
    """The figures for Prometheus, in docs/operations.rst."""

    def test_names(self) -> None:
        """The table names each figure that the server serves."""
        table = _section(_read("docs/operations.rst"), "Metrics").split(".. list-table::")[1]
        named = set(re.findall(r"irchat_([a-z_]+)", table))
        source = _read("irchat/server/metrics/figures.py") + _read("irchat/wiring/node.py")
        made = re.findall(r"\.(gauge|counter|histogram)\(\"([a-z_]+)\"", source)
        served = {f"{name}_total" if kind == "counter" else name for kind, name in made} | {"refusals_total"}
        self.assertEqual(named, served)


class KeysTests(SynchronousTestCase):
    """The keys, in docs/client.rst."""

    def test_keys(self) -> None:
        """The table has exactly the rows of the program's key table."""
        _, *rows = re.findall(r"\* - (.+)\n     - (.+)\n     - (.+)\n", _section(_read("docs/client.rst"), "Keys"))
        shown = [key for key in KeyRow if key.category is not Category.NONE]
        self.assertEqual(rows, [(key.shown, key.help, key.category.value) for key in shown])


class CommandTableTests(SynchronousTestCase):
    """The table of commands, in the README."""

    def test_commands(self) -> None:
        """Each line of the table parses as a command, and together they cover all commands."""
        rows = re.findall(r"^   \* - (``.+)\n     - ", _section(_read("README.rst"), "What you can type"), re.MULTILINE)
        typed = [line for row in rows for line in re.findall(r"``(.+?)``", row)]
        self.assertEqual({REGISTRY.find(line)[0] for line in typed}, set(REGISTRY.entries(None)))
        self.assertEqual(len(typed), len(set(typed)), "a line is listed twice")
        for line in typed:
            self.assertIsNone(REGISTRY.right_form(line), line)


class PictureTests(SynchronousTestCase):
    """The picture in the README, and how it is drawn."""

    def test_shown(self) -> None:
        """The README shows the pictures, and describes them in words."""
        found = re.findall(r"^\.\. image:: (\S+)\n   :alt: \S", _read("README.rst"), re.MULTILINE)
        self.assertEqual(found, ["docs/screen.svg", "docs/page.png", "docs/phone.png"])
        for name in found[1:]:
            picture_bytes = (_ROOT / name).read_bytes()
            self.assertTrue(picture_bytes.startswith(b"\x89PNG"), name)
            self.assertLess(len(picture_bytes), 120_000, name)
        root = ElementTree.fromstring(_read(found[0]))
        texts = "\n".join(str(text.text).replace("\xa0", " ") for text in root.iter(f"{_SVG}text"))
        for part in "unread", "F1: help", "*kitchen", "Online 6", "s)", "4711":
            self.assertIn(part, texts)

    def test_places(self) -> None:
        """Each letter is in its own cell, wide ones in two. Rules and backgrounds are shapes."""
        screen = pyte.Screen(12, 2)
        pyte.Stream(screen).feed("a美b\x1b[7mc\x1b[0m─│\r\n\x1b[1;38;5;160md<")
        root = ElementTree.fromstring(picture.draw(screen))
        texts = {text.text: text for text in root.iter(f"{_SVG}text")}
        places = [float(place) for place in texts["a美b"].attrib["x"].split()]
        cell = (places[2] - places[0]) / 3
        self.assertEqual(places[1] - places[0], cell)
        self.assertEqual(float(texts["c"].attrib["x"]), places[0] + 4 * cell)
        self.assertNotEqual(texts["c"].attrib["fill"], texts["a美b"].attrib["fill"])
        self.assertEqual((texts["d<"].attrib["fill"], texts["d<"].attrib["font-weight"]), ("#d70000", "bold"))
        self.assertEqual({"─", "│"} & set("".join(map(str, texts))), set())


class NamesTests(SynchronousTestCase):
    """The examples of names in docs/security.rst."""

    def examples(self, title: str) -> list[list[str]]:
        """Return the names in each line of a section, with escapes resolved."""
        lines = [
            [json.loads(f'"{name}"') for name in re.findall("``([^`]+)``", line.split(": ")[0])]
            for line in _section(_read("docs/security.rst"), title).split("\n") if line.startswith("* ")
        ]  # fmt: skip
        assert lines
        assert all(lines)
        return lines

    def test_same(self) -> None:
        """Names described as equal have one key."""
        for names in self.examples("The same name"):
            self.assertGreater(len(names), 1)
            self.assertEqual(len({fold_name(name) for name in names}), 1, names)

    def test_none(self) -> None:
        """Names described as invalid are refused."""
        for names in self.examples("Not a name"):
            for name in names:
                self.assertEqual(self.assertRaises(Refusal, fold_name, name).code, "bad-name", name)

    def test_different(self) -> None:
        """Attacks described as not prevented are not prevented, so that nobody relies on it."""
        for names in self.examples("Different names that look alike"):
            self.assertGreater(len(names), 1)
            self.assertEqual(len({skeleton(fold_name(name)) for name in names}), len(names), names)

    def test_drawn_alike(self) -> None:
        """Names described as look-alikes have different keys and the same skeleton."""
        for names in self.examples("Names that are drawn alike"):
            self.assertGreater(len({fold_name(name) for name in names}), 1, names)
            self.assertEqual(len({skeleton(fold_name(name)) for name in names}), 1, names)


class PointersTests(SynchronousTestCase):
    """The files, tests and commands that the docs name."""

    def setUp(self) -> None:
        """Read all docs."""
        self.pages = [_read(str(path.relative_to(_ROOT))) for path in (*_ROOT.glob("*.rst"), *_ROOT.glob("docs/*.rst"))]

    def test_files_exist(self) -> None:
        """Each source file and folder that the docs name exists under the end of its path."""
        found = ["/"]
        for top in "irchat", "tests", "twisted", "benchmarks", "docs":
            for path in (_ROOT / top, *(_ROOT / top).rglob("*")):
                found.append(f"/{path.relative_to(_ROOT)}{'/' * path.is_dir()}")
        for page in self.pages:
            for name in re.findall(r"``([\w./-]+(?:\.py|\.js|\.sql|/))``", page):
                self.assertTrue(any(path.endswith(f"/{name}") for path in found), name)

    def test_names_exist(self) -> None:
        """Each name of the code that a design page or a docstring refers to exists."""
        sources = [path.read_text("utf-8") for top in ("irchat", "tests") for path in (_ROOT / top).rglob("*.py")]
        reference = re.compile(r"(?<![`\w])`([A-Za-z_][\w.]*)`(?![`_])")
        words = {word for source in sources for word in re.findall(r"\w+", reference.sub("", source))}
        words |= {part for path in (_ROOT / "irchat").rglob("*") for part in (path.stem, path.name)}
        named = {name for text in (*sources, *self.pages) for name in reference.findall(text)}
        self.assertEqual({name for name in named if not words.issuperset(name.split("."))}, set())

    def test_links_lead_somewhere(self) -> None:
        """Each link from README.rst, CONTRIBUTING.rst and SECURITY.rst to a file of this repository is valid."""
        links = [link for page in self.pages for link in re.findall(r"<([\w./-]+)>`__", page)]
        self.assertIn("docs/client.rst", links)
        for link in links:
            self.assertTrue((_ROOT / link).exists(), link)

    def test_tests_exist(self) -> None:
        """Each test that docs/security.rst names exists, and each test program can be run."""
        sources = [path.read_text("utf-8") for path in _TESTS.rglob("test_*.py")]
        defined = {name for source in sources for name in re.findall(r"^ *(?:class|def|async def) (\w+)", source, re.M)}
        for module in re.findall(r"python -m tests\.([\w.]+)", "".join(self.pages)):
            self.assertTrue((_TESTS / f"{module.replace('.', '/')}.py").exists(), module)
        for name in re.findall(r"``(?:\w+\.)?(test_\w+|\w+Tests)\b(?!\.py)", _read("docs/security.rst")):
            self.assertIn(name, defined)
