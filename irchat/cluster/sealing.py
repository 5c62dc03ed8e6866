"""The seal of what crosses the bus: AES-GCM, so that no copy of its traffic shows anything."""

import os
import secrets
import stat
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from irchat.system.files.named_files import TooLong, read_small_file

_KEY_BYTES = 32
_NONCE_BYTES = 12
_MAKE = "make one with irchat-admin bus-key FILE, and copy it to each node"


class WrongBusKey(Exception):
    """The file of the key is unusable. The text is one line with the file and the next step."""


def new_key_file(path: Path) -> None:
    """Write a new key to ``path`` (mode 0600), which must not exist. Raises WrongBusKey."""
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        raise WrongBusKey(f"{path} exists: choose another name, so that no key in use is lost") from None
    except OSError as error:
        raise WrongBusKey(f"{path}: {error.strerror}; choose a file that this user can write") from None
    with open(descriptor, "wb") as file:
        file.write(secrets.token_bytes(_KEY_BYTES))
        file.flush()
        os.fsync(descriptor)


def read_key_file(path: Path) -> bytes:
    """Return the key in ``path``. Raises WrongBusKey."""
    try:
        key = read_small_file(path)
        mode = stat.S_IMODE(path.stat().st_mode)
    except TooLong:
        key, mode = b"", 0
    except OSError as error:
        raise WrongBusKey(f"the bus key {path}: {error.strerror}; {_MAKE}") from None
    if mode & 0o077:
        raise WrongBusKey(f"the bus key {path} can be read by others (its mode is {mode:04o}): run chmod 600 {path}")
    if len(key) != _KEY_BYTES:
        raise WrongBusKey(f"the bus key {path} does not have {_KEY_BYTES} bytes; {_MAKE}")
    return key


class Seal:
    """Seals messages for one channel, whose name is authenticated with each of them."""

    def __init__(self, key: bytes, channel: bytes) -> None:
        self._cipher = AESGCM(key)
        self._channel = channel

    def seal(self, data: bytes) -> bytes:
        """Return ``data`` sealed."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, data, self._channel)

    def open(self, sealed: bytes) -> bytes | None:
        """Return what was sealed, or None if it was sealed with another key or for another channel, or damaged."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], self._channel)
        except (InvalidTag, ValueError):
            return None
