"""The tokens file, for signing in without a password: one token per server and name."""

import contextlib
import os
import stat
from pathlib import Path
from typing import NamedTuple

from irchat.client.connect import shared_files
from irchat.client.connect.server_connection import UNENCRYPTED
from irchat.client.exceptions import ClientError
from irchat.protocol.errors import Refusal
from irchat.protocol.rules import fold_name

_NONE = "-"


class Kept(NamedTuple):
    """A saved token, and the identity of the server that issued it."""

    token: str
    identity: str


class _Line(NamedTuple):
    """One line of the file, numbered from 1."""

    number: int
    label: str
    name: str
    token: str
    identity: str


class Tokens:
    """A file with ``host:port name token identity`` on each line, the last used one last. ``-`` means no token.

    ``identity`` names the server that issued the token, as `irchat.client.connect.server_connection` describes. The
    token is never sent to any other server. Only the owner can read the file (0600). The file is replaced atomically,
    under a lock.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def last_name(self, label: str) -> str | None:
        """Return the name used last at the server ``label``, or None."""
        names = [line.name for line in self._lines() if line.label == label]
        return names[-1] if names else None

    def find(self, label: str, name: str) -> Kept | None:
        """Return the token for ``name`` at the server ``label``. Send it only to a server with its identity."""
        for line in self._lines():
            if _is_for(line, label, name) and line.token != _NONE:
                return Kept(line.token, line.identity)
        return None

    def line_over_tls(self, label: str) -> int | None:
        """Return the number of the first line with a token that the server ``label`` issued over TLS, or None."""
        with_token = (line for line in self._lines() if line.label == label and line.token != _NONE)
        return next((line.number for line in with_token if line.identity != UNENCRYPTED), None)

    def keep(self, label: str, name: str, token: str, identity: str) -> None:
        """Save a token. Raises ClientError if the file cannot be written or cannot hold the token."""
        new = (label, name, token, identity)
        # Name and token come from the server. A line end in them could forge a line for another server.
        if " ".join(new).split() != [*new] or not token.isascii():
            raise ClientError(
                f"The sign-in at {label} cannot be saved: the server sent an invalid name or token. "
                "The next start asks for the password."
            )
        self._change(label, name, new)

    def forget(self, label: str, name: str, token: str | None = None) -> None:
        """Forget the token, but remember the name. Raises ClientError if the file cannot be written.

        If ``token`` is given, do so only if it is still the saved one: another client may have saved a new one.
        """
        self._change(label, name, (label, name, _NONE, _NONE), token)

    def protect(self) -> bool:
        """Make the file readable only by its owner. Return whether others could read it before."""
        with contextlib.suppress(OSError), self.path.open("rb") as file:
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                os.fchmod(file.fileno(), 0o600)
                return True
        return False

    def _change(self, label: str, name: str, new: tuple[str, ...], token: str | None = None) -> None:
        def edit(text: str) -> str:
            lines = text.removesuffix("\n").split("\n") if text else []
            found = [line for line in _parse(text) if _is_for(line, label, name)]
            if token is not None and token not in [line.token for line in found]:
                return text
            ours = {line.number for line in found}
            kept = [line for number, line in enumerate(lines, 1) if number not in ours]
            return "".join(f"{line}\n" for line in [*kept, " ".join(new)])

        try:
            shared_files.change(self.path, edit)
        except OSError as error:
            raise ClientError(
                f"The sign-in cannot be saved in {self.path}: {error.strerror}. "
                "The next start asks for the password; let this user write there to change that."
            ) from error

    def _lines(self) -> list[_Line]:
        try:
            return _parse(shared_files.read(self.path))
        except OSError:  # `keep` reports it
            return []


def _parse(text: str) -> list[_Line]:
    found = []
    for number, line in enumerate(text.split("\n"), 1):
        match line.split():
            case [label, name, token, identity] if token.isascii():
                found.append(_Line(number, label, name, token, identity))
            case [label, name, _]:  # a token without a known issuer is not used
                found.append(_Line(number, label, name, _NONE, _NONE))
    return found


def _is_for(line: _Line, label: str, name: str) -> bool:
    return line.label == label and (line.name == name or _key(line.name) == _key(name))


def _key(name: str) -> str:
    try:
        return fold_name(name)
    except Refusal:
        return name
