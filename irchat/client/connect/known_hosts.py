"""The known_hosts file: trusted servers and the fingerprints of their certificates, as in ssh."""

from pathlib import Path
from typing import NamedTuple

from irchat.client.connect import shared_files
from irchat.client.exceptions import ClientError
from irchat.net.fingerprints import parse_fingerprint
from irchat.protocol.rules import shown

_BYTE_ORDER_MARK = "\ufeff"


class Known(NamedTuple):
    """An entry of the file: its line number, from 1, and the fingerprint."""

    line: int
    fingerprint: str


class KnownHosts:
    """A file with ``host:port sha256:AB:CD...`` on each line. Other lines are preserved."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def find(self, label: str) -> Known | None:
        """Return the entry of the server ``label`` (``host:port``), or None.

        Raises ClientError if the file cannot be read, or if the server's line is damaged.
        """
        try:
            return self._find(shared_files.read(self.path), label)
        except OSError as error:
            raise ClientError(
                f"The list of known servers {self.path} cannot be read: {error.strerror}. "
                "Nothing was sent. Let this user read it, or move it away, and connect again."
            ) from error

    def remember(self, label: str, fingerprint: str) -> None:
        """Trust the server from now on, unless the file has an entry for it: another client may have written first.

        Raises ClientError if the file cannot be written.
        """

        def edit(text: str) -> str:
            if self._find(text, label) is not None:
                return text
            if text and not text.endswith("\n"):
                text += "\n"
            return f"{text}{label} {fingerprint}\n"

        try:
            shared_files.change(self.path, edit)
        except OSError as error:
            raise ClientError(
                f"Cannot save the server in {self.path}: {error.strerror}. You will be asked again; "
                "let this user write there to change that."
            ) from error

    def _find(self, text: str, label: str) -> Known | None:
        for number, line in enumerate(text.removeprefix(_BYTE_ORDER_MARK).split("\n"), 1):
            words = line.split()
            if not words or not _is_about(words[0], label):
                continue
            try:
                [host, fingerprint] = words
                if host.lower() != label:
                    raise ValueError(host)
                return Known(number, parse_fingerprint(fingerprint))
            except ValueError:
                raise ClientError(
                    f"Line {number} of {self.path} is about {label} and is damaged: {shown(line, 80)!r}.\n"
                    "Nothing was sent. Ask the administrator of the server for its fingerprint. Correct the line to\n"
                    f"  {label} sha256:AB:CD:...\nor delete it to be asked about the server again."
                ) from None
        return None


def _is_about(word: str, label: str) -> bool:
    """Return whether a line that begins with ``word`` belongs to the server, even if it is damaged."""
    word = word.lower()
    rest = word.removeprefix(label)
    return (rest != word and not rest[:1].isdecimal()) or word == label.rpartition(":")[0]
