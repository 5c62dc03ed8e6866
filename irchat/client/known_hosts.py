"""The file of the servers that the user trusts, each with its certificate's fingerprint, as ssh has one."""

import contextlib
import os
import tempfile
from pathlib import Path
from typing import NamedTuple

from irchat.client.stop import Stop
from irchat.fingerprint import parse_fingerprint


class Known(NamedTuple):
    """What the file says of a server: on which line (from 1), and the fingerprint."""

    line: int
    fingerprint: str


class KnownHosts:
    """``host:port sha256:AB:CD...`` on each line; lines that are something else are left alone."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def find(self, label: str) -> Known | None:
        """What is known of the server ``label`` (``host:port``). Raises Stop if the file cannot be read."""
        for number, line in enumerate(self._read().split("\n"), 1):
            match line.split():
                case [host, fingerprint] if host == label:
                    with contextlib.suppress(ValueError):
                        return Known(number, parse_fingerprint(fingerprint))
        return None

    def remember(self, label: str, fingerprint: str) -> Known:
        """Trust the server from now on; gives what is known now.

        The file is replaced as a whole, so that no crash leaves half of it.

        Raises Stop where the file cannot be written.
        """
        text = self._read()
        if text and not text.endswith("\n"):
            text += "\n"
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._replace(f"{text}{label} {fingerprint}\n")
        except OSError as error:
            raise Stop(f"The server cannot be remembered in {self.path}: {error.strerror}.") from error
        return Known(text.count("\n") + 1, fingerprint)

    def _read(self) -> str:
        try:
            return self.path.read_text("utf-8", "surrogateescape")
        except FileNotFoundError:
            return ""
        except OSError as error:
            raise Stop(f"The list of known servers {self.path} cannot be read: {error.strerror}.") from error

    def _replace(self, text: str) -> None:
        descriptor, new = tempfile.mkstemp(dir=self.path.parent, prefix=self.path.name)  # its mode is 0600
        try:
            with open(descriptor, "w", encoding="utf-8", errors="surrogateescape", newline="") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            Path(new).replace(self.path)
        except OSError:
            Path(new).unlink()
            raise
