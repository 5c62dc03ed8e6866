"""The files of the page."""

import gzip
import re
from importlib.resources import files
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from irchat.server.listeners.web.page_files import PageFiles

_PAGE = files("irchat.page")


class PageFilesTests(SynchronousTestCase):
    """`PageFiles`, and the sizes and rules of the page itself."""

    def setUp(self) -> None:
        """Read the files."""
        self.page = PageFiles()
        self.files = {entry.name: entry.read_bytes() for entry in _PAGE.iterdir() if entry.name[0] not in "_."}

    def served(self, name: str) -> bytes:
        """Return what a browser gets under a name."""
        given = self.page.answer("/" if name == "index.html" else f"/{name}", {}, closes=False)
        assert given is not None, name
        return given.partition(b"\r\n\r\n")[2]

    def test_each_is_served(self) -> None:
        """Each file of the folder is served under its name, without indentation. Scripts lose comments, and no line."""
        for name, body in self.files.items():
            served = self.served(name)
            if name.endswith(".js"):
                self.assertEqual(served.count(b"\n"), body.count(b"\n"), name)
                self.assertNotIn(b"/**", served, name)
                code = re.sub(rb"/\*\*.*?\*/|^\s*//[^\n]*", b"", body, flags=re.DOTALL | re.MULTILINE)
                self.assertEqual(re.sub(rb"\s", b"", served), re.sub(rb"\s", b"", code), name)
                self.assertEqual(
                    re.findall(rb"`[^`\n]*\$\{[^}`\n]*`", code), [], "a text inside a text is not kept as it is"
                )
                # Texts, and what stands between two slashes of a line, such as regular expressions.
                whole = re.findall(rb'"[^"\n]*"|`[^`]*`|(?<=[(= ])/[^/\n][^\n]*?/[gimsuy]*(?=[.,;)])', code)
                self.assertEqual([one for one in whole if one not in served], [], name)
                self.assertEqual(re.findall(rb"^[ \t].*", served, re.MULTILINE), [], name)
                self.assertEqual(
                    body.count(b"`") % 2 + max(line.count(b"`") % 2 for line in body.split(b"\n")), 0, name
                )
            else:
                self.assertEqual(re.sub(rb"\s", b"", served), re.sub(rb"\s", b"", body), name)
                self.assertEqual(re.findall(rb"<pre|<textarea[^>]*>[^<]", body), [], name)
        self.assertIsNone(self.page.answer("/index.html", {}, closes=False))
        self.assertIsNone(self.page.answer("/../settings.py", {}, closes=False))

    def test_not_worth_it(self) -> None:
        """A file that compression makes no shorter is sent as it is, also to those that accept it compressed."""
        folder = Path(self.mktemp())
        folder.mkdir()
        (folder / "short.svg").write_bytes(bytes(range(256)))
        (folder / "long.svg").write_bytes(bytes(5_000))
        page = PageFiles(folder)
        for name, compressed in ("short", False), ("long", True):
            got = page.answer(f"/{name}.svg", {"Accept-Encoding": "gzip"}, closes=False)
            assert got is not None
            self.assertEqual(b"Content-Encoding: gzip" in got, compressed, name)

    def test_size(self) -> None:
        """The page has at most 20 files, 100 kB in all and 30 kB compressed."""
        served = [self.served(name) for name in self.files]
        self.assertLessEqual(len(served), 20)
        self.assertLessEqual(sum(map(len, served)), 100_000)
        self.assertLessEqual(sum(len(gzip.compress(body)) for body in served), 30_000)

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
