"""The host key of the SSH door: created on the first start, and never shown to others."""

import base64
import os
import shlex
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from irchat.protocol.public_keys import fingerprint_of
from irchat.protocol.ssh_door import HOST_KEY_FILE
from irchat.system.files.atomic_files import replace_file
from irchat.system.files.named_files import TooLong, read_small_file


class WrongHostKey(Exception):
    """The host key is unusable. The text is one line with the file and the next step."""


def ensure_host_key(folder: Path) -> str:
    """Return the fingerprint of the host key in ``folder``. Create the key (OpenSSH format, 0600) if it is missing.

    Raises WrongHostKey, or OSError if the key cannot be written.
    """
    path = folder / HOST_KEY_FILE
    if not os.path.lexists(path):
        made = Ed25519PrivateKey.generate()
        pem = made.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
        )
        replace_file(path, pem)
    return read_host_key(folder)


def read_host_key(folder: Path) -> str:
    """Return the fingerprint of the host key in ``folder``, as ssh shows it. Raises WrongHostKey."""
    path = folder / HOST_KEY_FILE
    mend = "restore it from a backup, or move it away to create a new one, which each ssh must trust again"
    try:
        data = read_small_file(path, secret=True)
        key = serialization.load_ssh_private_key(data, None)
    except PermissionError as error:
        step = "" if error.strerror and "chmod" in error.strerror else f"; run chmod 600 {shlex.quote(str(path))}"
        raise WrongHostKey(f"the host key {path} cannot be used: {error.strerror}{step}") from None
    except OSError as error:
        if not os.path.lexists(path):
            mend = mend.replace("move it away", "restart the server")
        raise WrongHostKey(f"the host key {path} cannot be read: {error.strerror}; {mend}") from None
    except (TooLong, ValueError, TypeError, UnsupportedAlgorithm):
        raise WrongHostKey(f"{path} is not a host key that this server made; {mend}") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise WrongHostKey(f"{path} is not a key of the kind ssh-ed25519; {mend}")
    line = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return fingerprint_of(base64.b64decode(line.split()[1]))
