"""Keys of hardware tokens, by a token in software: its signature is over a counter and flags, and needs a touch."""

import base64
import hashlib
import struct
from typing import Any

import asyncssh
from asyncssh.packet import MPInt, String
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils

from irchat.protocol.errors import Refusal
from irchat.protocol.public_keys import read_line
from irchat.ssh.identity import Identity
from tests.ssh.test_doorkeeper import DoorkeeperCase

_APPLICATION = b"ssh:"
_TOUCHED = 1


class _Token(asyncssh.SSHKeyPair):
    """A token. ``flags`` are those of its signatures; others than ``signed_flags`` make them wrong."""

    def __init__(self, kind: str, flags: int = _TOUCHED, signed_flags: int | None = None) -> None:
        if "ed25519" in kind:
            self._key: Any = ed25519.Ed25519PrivateKey.generate()
            form = serialization.PublicFormat.Raw, b""
        else:
            self._key = ec.generate_private_key(ec.SECP256R1())
            form = serialization.PublicFormat.UncompressedPoint, String(b"nistp256")
        encoding = serialization.Encoding.Raw if "ed25519" in kind else serialization.Encoding.X962
        public = self._key.public_key().public_bytes(encoding, form[0])
        algorithm = kind.encode()
        self.blob = String(algorithm) + form[1] + String(public) + String(_APPLICATION)
        super().__init__(algorithm, algorithm, [algorithm], [algorithm], self.blob, b"")
        self.flags = flags
        self.signed_flags = flags if signed_flags is None else signed_flags

    def sign(self, data: bytes) -> bytes:
        counter = struct.pack("!I", 7)
        signed = hashlib.sha256(_APPLICATION).digest() + bytes([self.signed_flags]) + counter
        signed += hashlib.sha256(data).digest()
        if isinstance(self._key, ed25519.Ed25519PrivateKey):
            signature = self._key.sign(signed)
        else:
            r, s = utils.decode_dss_signature(self._key.sign(signed, ec.ECDSA(hashes.SHA256())))
            signature = MPInt(r) + MPInt(s)
        return String(self.algorithm) + String(signature) + bytes([self.flags]) + counter


class SecurityKeyTests(DoorkeeperCase):
    """Signatures of tokens."""

    def sign_in(self, token: _Token) -> Identity | None:
        """Return the identity after a sign-in with this key alone."""
        self.keeper = self.new_keeper()
        return self.signed_in(client_keys=[token], preferred_auth="publickey")

    def test_kinds(self) -> None:
        """A touched token of either kind signs in. Further flags, such as a PIN, do no harm."""
        for kind in "sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com":
            for flags in _TOUCHED, _TOUCHED | 4:
                token = _Token(kind, flags)
                key = read_line(f"{kind} {base64.b64encode(token.blob).decode()} token")
                self.assertEqual(self.sign_in(token), Identity("alice", fingerprint=key.fingerprint))

    def test_not_touched(self) -> None:
        """A token that signs without a touch does not sign in, nor do flags that were not signed."""
        for kind in "sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com":
            for flags, signed in (0, 0), (4, 4), (_TOUCHED, 0), (0, _TOUCHED):
                self.assertIsNone(self.sign_in(_Token(kind, flags, signed)))

    def test_option(self) -> None:
        """The option by which a key needs no touch is not accepted, as no other is."""
        token = _Token("sk-ssh-ed25519@openssh.com")
        line = f"no-touch-required {token.algorithm.decode()} {base64.b64encode(token.blob).decode()}"
        with self.assertRaises(Refusal) as raised:
            read_line(line)
        self.assertIn("Options are not accepted", raised.exception.text)
