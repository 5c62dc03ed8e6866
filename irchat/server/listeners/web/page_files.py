"""The files of the page, read and compressed once."""

import gzip
import hashlib
import re
from collections.abc import Mapping
from http import HTTPStatus
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import NamedTuple

from irchat.server.listeners.web.answers import answer

_TYPES = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
    "webmanifest": "application/manifest+json",
}
_INDEX = "index.html"
# A third of the page is types, explanations and white space, which no browser needs.
_COMMENTS = re.compile(rb"/\*\*.*?\*/|^[ \t]*//[^\n]*", re.DOTALL | re.MULTILINE)
_INDENTATION = re.compile(rb"^[ \t]+", re.MULTILINE)
_AROUND_SIGNS = re.compile(rb"\s*([{};,])\s*")
# A text, or a sign of JavaScript with blanks around it. A test finds regular expressions that this would change.
_TEXT_OR_SIGN = re.compile(rb"""("(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`)| *(=>|&&|\|\||[=!]==|[=,{}()?:]) *""")
# A compressed file that is hardly smaller is not worth the work of the browser.
_WORTH = 0.9


class _File(NamedTuple):
    headers: dict[str, str]
    body: bytes
    compressed: bytes | None


class PageFiles:
    """The files of a folder (without a folder: of the page), each under its name, and the index under ``/``."""

    def __init__(self, folder: Traversable | None = None) -> None:
        self._files: dict[str, _File] = {}
        for entry in (folder or files("irchat.page")).iterdir():
            kind = _TYPES.get(entry.name.rpartition(".")[2])
            if kind is not None:
                self._files[f"/{'' if entry.name == _INDEX else entry.name}"] = _read(entry, kind)

    def answer(self, path: str, headers: Mapping[str, str], *, closes: bool) -> bytes | None:
        """Return the answer to a ``GET`` of ``path``, with the request's ``headers``. None for an unknown path."""
        found = self._files.get(path)
        if found is None:
            return None
        if found.headers["ETag"] in headers.get("If-None-Match", ""):
            return answer(HTTPStatus.NOT_MODIFIED, b"", found.headers, closes=closes)
        if found.compressed is not None and _takes_gzip(headers.get("Accept-Encoding", "")):
            compressed = {**found.headers, "Content-Encoding": "gzip"}
            return answer(HTTPStatus.OK, found.compressed, compressed, closes=closes)
        return answer(HTTPStatus.OK, found.body, found.headers, closes=closes)


def _takes_gzip(accepted: str) -> bool:
    """Return whether an ``Accept-Encoding`` names gzip. A quality of 0 excludes it (RFC 9110, section 12.4.2)."""
    for one in accepted.lower().replace(" ", "").split(","):
        coding, _, quality = one.partition(";q=")
        if coding == "gzip":
            return not quality or quality.strip("0.") != ""
    return False


def _shortened(body: bytes, kind: str) -> bytes:
    """Return what a browser needs of a file. Lines of scripts stay, so that a browser names those of the file."""
    if kind == _TYPES["css"]:
        return _AROUND_SIGNS.sub(rb"\1", body)
    if kind == _TYPES["js"]:
        body = _COMMENTS.sub(lambda comment: b"\n" * comment[0].count(b"\n"), body)
        body = _TEXT_OR_SIGN.sub(lambda found: found[1] or found[2], body)
    return _INDENTATION.sub(b"", body)


def _read(entry: Traversable, kind: str) -> _File:
    body = _shortened(entry.read_bytes(), kind)
    compressed = gzip.compress(body, mtime=0)
    headers = {
        "Content-Type": kind,
        "ETag": f'"{hashlib.sha256(body).hexdigest()[:32]}"',
        "Cache-Control": "no-store" if kind == _TYPES["html"] else "no-cache",
        "Vary": "Accept-Encoding",
    }
    return _File(headers, body, compressed if len(compressed) < _WORTH * len(body) else None)
