"""Fingerprints, for comparing certificates by eye: ``sha256:`` and 32 bytes in hex, separated by colons."""

import hashlib
import re

_PREFIX = "sha256:"


def fingerprint_of(certificate: bytes) -> str:
    """Return the SHA-256 fingerprint of a certificate in DER: ``sha256:AB:CD:...``."""
    return _write(hashlib.sha256(certificate).digest())


def parse_fingerprint(text: str) -> str:
    """Return ``text`` in the form of `fingerprint_of`. Its case, colons and prefix are optional.

    Raises ValueError if ``text`` is not a fingerprint.
    """
    digits = text.lower().removeprefix(_PREFIX).replace(":", "")
    if not re.fullmatch(r"[0-9a-f]{64}", digits):
        raise ValueError("not a SHA-256 fingerprint")
    return _write(bytes.fromhex(digits))


def _write(digest: bytes) -> str:
    return _PREFIX + digest.hex(":").upper()
