"""The layout of the source: a test file for each module, limits on sizes, and distinct names."""

import ast
from collections import Counter, defaultdict
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

_ROOT = Path(__file__).parents[1]
_FILE_LINES, _FUNCTION_LINES, _FOLDER_MODULES = 400, 50, 14

_TYPING_ONLY = {
    "client/connect/dialogue.py",
    "cluster/transport.py",
    "interfaces/asides.py",
    "interfaces/log.py",
    "interfaces/nodes.py",
    "interfaces/store.py",
    "interfaces/stored.py",
    "server/delivery/reader.py",
    "server/protocols/irc/irc_state.py",
    "server/sessions/services.py",
}
"""Modules with declarations only, which only a type checker can test."""

_SAME_NAME = {
    "amendments.py": {"chat/amending", "commands"},  # the requests, and their implementation
    "base.py": {"commands", "server/protocols"},  # the base classes of commands and of protocols
    "groups.py": {"chat", "commands"},
    "messages.py": {"chat", "commands"},
    "moderation.py": {"chat/accounts", "commands"},
    "registry.py": {"commands", "server/listeners"},  # commands by name, and connections by kind
}
"""Names shared by related modules, and the folders of these modules."""

_ENGINES = (("store", "sqlite"), ("store", "postgres"))
"""The engines of the store, which do the same."""


class LayoutTests(SynchronousTestCase):
    """The modules of ``irchat``."""

    def setUp(self) -> None:
        """Find the modules."""
        self.source = _ROOT / "irchat"
        self.files = sorted(self.source.rglob("*.py"))
        self.modules = [file.relative_to(self.source) for file in self.files if not file.name.startswith("__")]
        self.assertGreater(len(self.modules), 100)

    def test_test_files(self) -> None:
        """Each module has a test file at the mirrored path, except modules of declarations."""
        lacking = {
            str(module)
            for module in self.modules
            if not (_ROOT / "tests" / module.parent / f"test_{module.name}").exists()
        }
        self.assertEqual(lacking, _TYPING_ONLY)

    def test_file_lengths(self) -> None:
        """No file is too long to be read at once."""
        lengths = {str(file): len(file.read_text("utf-8").splitlines()) for file in self.files}
        self.assertEqual({file: lines for file, lines in lengths.items() if lines > _FILE_LINES}, {})

    def test_function_lengths(self) -> None:
        """No function is longer than a screen."""
        functions = [
            (str(file), node.name, (node.end_lineno or 0) - node.lineno + 1)
            for file in self.files
            for node in ast.walk(ast.parse(file.read_text("utf-8")))
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        ]
        self.assertEqual([function for function in functions if function[2] > _FUNCTION_LINES], [])

    def test_folder_sizes(self) -> None:
        """No folder has too many modules to survey."""
        sizes = Counter(str(module.parent) for module in self.modules)
        self.assertEqual({folder: size for folder, size in sizes.items() if size > _FOLDER_MODULES}, {})

    def test_names(self) -> None:
        """Modules share a name only if they are related."""
        folders: dict[str, set[str]] = defaultdict(set)
        for module in self.modules:
            folders[module.name].add("an engine" if module.parts[:2] in _ENGINES else str(module.parent))
        self.assertEqual({name: found for name, found in folders.items() if len(found) > 1}, _SAME_NAME)
