"""The file of the tokens by which the user signs in without a password, for each server and name."""

import contextlib
import os
import tempfile
from pathlib import Path

from irchat.client.stop import Stop
from irchat.errors import Refusal
from irchat.rules import fold_name

_NONE = "-"


class Tokens:
    """``host:port name token`` on each line, the one used last at the end; ``-`` is a name without a token.

    The file is for its owner alone (0600), and is replaced as a whole.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def last_name(self, label: str) -> str | None:
        """The name that was used last for the server ``label``."""
        names = [name for host, name, _ in self._read() if host == label]
        return names[-1] if names else None

    def find(self, label: str, name: str) -> str | None:
        """The token for ``name`` at the server."""
        for host, known, token in self._read():
            if host == label and token != _NONE and _same(known, name):
                return token
        return None

    def keep(self, label: str, name: str, token: str) -> None:
        """Keep a token. Raises Stop where the file cannot be written, or could be read in another way then."""
        new = (label, name, token)
        # Both come from the server, and a line end in them could make a line for another one.
        if " ".join(new).split() != [*new]:
            raise Stop(f"The sign-in at {label} cannot be kept: the name or the token that it gives is none.")
        lines = [line for line in self._read() if not (line[0] == label and _same(line[1], name))]
        text = "".join(f"{' '.join(line)}\n" for line in [*lines, new])
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._replace(text)
        except OSError as error:
            raise Stop(f"The sign-in cannot be kept in {self.path}: {error.strerror}.") from error

    def forget(self, label: str, name: str) -> None:
        """Forget the token, and remember the name. Raises Stop where the file cannot be written."""
        self.keep(label, name, _NONE)

    def _read(self) -> list[tuple[str, str, str]]:
        try:
            lines = self.path.read_text("utf-8", "replace").split("\n")
        except OSError:
            return []
        return [(words[0], words[1], words[2]) for line in lines if len(words := line.split()) == 3]

    def _replace(self, text: str) -> None:
        descriptor, new = tempfile.mkstemp(dir=self.path.parent, prefix=self.path.name)  # its mode is 0600
        try:
            with open(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            Path(new).replace(self.path)
        except OSError:
            with contextlib.suppress(OSError):
                Path(new).unlink()
            raise


def _same(one: str, other: str) -> bool:
    return one == other or _key(one) == _key(other)


def _key(name: str) -> str:
    try:
        return fold_name(name)
    except Refusal:
        return name
