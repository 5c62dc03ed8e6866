"""The files of the page."""

import gzip
import re
from importlib.resources import files

from twisted.trial.unittest import SynchronousTestCase

from irchat.server.listeners.web.page_files import PageFiles

_PAGE = files("irchat.page")


class PageFilesTests(SynchronousTestCase):
    """`PageFiles`, and the sizes and rules of the page itself."""

    def setUp(self) -> None:
        """Read the files."""
        self.files = {entry.name: entry.read_bytes() for entry in _PAGE.iterdir() if entry.name[0] not in "_."}

    def test_each_is_served(self) -> None:
        """Each file of the folder is served under its name, with its type."""
        page = PageFiles()
        for name, body in self.files.items():
            given = page.answer("/" if name == "index.html" else f"/{name}", {}, closes=False)
            assert given is not None, name
            self.assertTrue(given.endswith(b"\r\n\r\n" + body), name)
        self.assertIsNone(page.answer("/index.html", {}, closes=False))
        self.assertIsNone(page.answer("/../settings.py", {}, closes=False))

    def test_size(self) -> None:
        """The page has at most 20 files, 100 kB in all and 30 kB compressed."""
        self.assertLessEqual(len(self.files), 20)
        self.assertLessEqual(sum(map(len, self.files.values())), 100_000)
        self.assertLessEqual(sum(len(gzip.compress(body)) for body in self.files.values()), 34_000)

    def test_no_markup_from_texts(self) -> None:
        """No script makes markup from a text, runs a text, or loads anything from elsewhere."""
        for name, body in self.files.items():
            text = body.decode()
            for forbidden in "innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval(", "javascript:":
                self.assertNotIn(forbidden, text, name)
            addresses = re.findall(r"""(?:src|href|import|from|url\()\s*=?\s*["'(]*(https?:[^"')\s]+)""", text)
            self.assertEqual(addresses, [], name)

    def test_imports(self) -> None:
        """Every module that is imported is there."""
        for name, body in self.files.items():
            for imported in re.findall(r'from "\./([^"]+)"', body.decode()):
                self.assertIn(imported, self.files, name)
