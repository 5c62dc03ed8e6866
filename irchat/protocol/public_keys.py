"""Public keys of SSH: a line of ``authorized_keys`` (sshd(8)), the binary form (RFC 4253, 6.6) and the fingerprint."""

import base64
import binascii
import hashlib
from typing import NamedTuple

from irchat.protocol.errors import Code, Refusal
from irchat.protocol.rules import shown

KEYS_OF_USER = 20
"""Maximum number of keys of a user."""
COMMENT_LENGTH = 100
RSA_BITS = 2_048

_RSA_BITS_MOST = 16_384
_LINE_LENGTH = 16_384
_POINTS = {"nistp256": 65, "nistp384": 97, "nistp521": 133}
_ED25519_BYTES = 32
_KINDS = (
    "ssh-ed25519", "sk-ssh-ed25519@openssh.com", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521",
    "sk-ecdsa-sha2-nistp256@openssh.com", "ssh-rsa",
)  # fmt: skip
_LINE = "Paste one line of ~/.ssh/id_ed25519.pub: the kind of the key, the key, and a comment."


class PublicKey(NamedTuple):
    """A public key that can be added. ``blob``: its binary form."""

    kind: str
    blob: bytes
    comment: str = ""

    @property
    def fingerprint(self) -> str:
        """The fingerprint, as ssh-keygen shows it."""
        return fingerprint_of(self.blob)


def fingerprint_of(blob: bytes) -> str:
    """Return ``SHA256:`` and the hash of a public key or host key in base64."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def read_line(line: str) -> PublicKey:
    """Read a line of ``authorized_keys`` without options. Raises Refusal ``bad-request``."""
    if "PRIVATE KEY" in line:
        raise Refusal(
            Code.BAD_REQUEST, "That is a private key, and now known here: replace it. Only the file .pub may be shown."
        )
    kind, _, rest = line.strip().partition(" ")
    blob, _, comment = rest.strip().partition(" ")
    if len(line) > _LINE_LENGTH or (kind not in _KINDS and not blob):
        raise Refusal(Code.BAD_REQUEST, f"That is not a public key. {_LINE}")
    return read_key(kind, blob, comment)


def read_key(kind: str, blob: str, comment: str = "") -> PublicKey:
    """Check a key whose ``blob`` is in base64. Raises Refusal ``bad-request``."""
    if "-cert-v" in kind:
        raise Refusal(Code.BAD_REQUEST, "That is a certificate. Add the key itself, the file without -cert.")
    if kind not in _KINDS:
        raise Refusal(
            Code.BAD_REQUEST,
            f"{shown(kind)!r} is not a kind of key that can be added. {_LINE} Options are not accepted. "
            f"Kinds: {', '.join(_KINDS)}.",
        )
    try:
        binary = base64.b64decode(blob, validate=True)
        _check(kind, binary)
    except (binascii.Error, ValueError):
        raise Refusal(Code.BAD_REQUEST, f"That key is damaged or cut off. {_LINE}") from None
    return PublicKey(kind, binary, shown(comment.strip(), COMMENT_LENGTH))


def _check(kind: str, blob: bytes) -> None:
    """Check the fields of a key. Raises ValueError, or Refusal for a weak key."""
    named, *fields = _fields(blob)
    if named != kind.encode():
        raise ValueError("another kind")
    if kind == "ssh-rsa":
        exponent, modulus = (int.from_bytes(field) for field in _exactly(2, fields))
        if exponent % 2 == 0 or exponent < 3 or modulus.bit_length() > _RSA_BITS_MOST:
            raise ValueError("numbers")
        if modulus.bit_length() < RSA_BITS:
            raise Refusal(
                Code.BAD_REQUEST, f"RSA keys have {RSA_BITS:,} bits at least. Make a new key: ssh-keygen -t ed25519"
            )
        return
    if kind.startswith("sk-"):
        *fields, _application = fields
    if "ed25519" in kind:
        (public,) = _exactly(1, fields)
        if len(public) != _ED25519_BYTES:
            raise ValueError("length")
        return
    curve, point = _exactly(2, fields)
    if f"-{curve.decode()}" not in kind or len(point) != _POINTS[curve.decode()] or point[0] != 4:
        raise ValueError("point")


def _exactly(count: int, fields: list[bytes]) -> list[bytes]:
    if len(fields) != count:
        raise ValueError("fields")
    return fields


def _fields(blob: bytes) -> list[bytes]:
    """Split a blob into its strings (RFC 4251, section 5). Raises ValueError."""
    fields: list[bytes] = []
    while blob:
        size = int.from_bytes(blob[:4])
        if len(blob) < 4 + size or len(fields) > 4:
            raise ValueError("cut off")
        fields.append(blob[4 : 4 + size])
        blob = blob[4 + size :]
    if len(fields) < 2:
        raise ValueError("too few fields")
    return fields
