"""Public keys of SSH: lines that are pasted, kinds, and damage."""

import base64
import struct

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from irchat.protocol.errors import Code, Refusal
from irchat.protocol.public_keys import COMMENT_LENGTH, read_key, read_line

# A key and its fingerprint, as ssh-keygen -l prints it.
LINE = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"
FINGERPRINT = "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU"


def _line(key: object) -> str:
    made: bytes = key.public_key().public_bytes(  # type: ignore[attr-defined]
        serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
    )
    return made.decode()


def _string(data: bytes) -> bytes:
    return struct.pack("!I", len(data)) + data


class PublicKeyTests(SynchronousTestCase):
    """`read_line` and `read_key`."""

    def refused(self, line: str) -> str:
        """Check that a line is refused, and return the text."""
        refusal = self.assertRaises(Refusal, read_line, line)
        self.assertEqual(refusal.code, Code.BAD_REQUEST)
        return refusal.text

    def test_fingerprint(self) -> None:
        """A fingerprint is that of ssh-keygen."""
        key = read_line(f"  {LINE}   alice@laptop \n")
        self.assertEqual((key.kind, key.comment), ("ssh-ed25519", "alice@laptop"))
        self.assertEqual(key.fingerprint, FINGERPRINT)

    def test_kinds(self) -> None:
        """Keys of each kind are read, with security keys, and RSA from 2,048 bits."""
        made = [
            ed25519.Ed25519PrivateKey.generate(),
            *(ec.generate_private_key(curve) for curve in (ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1())),
            rsa.generate_private_key(65_537, 2_048),
        ]
        for key in made:
            line = _line(key)
            self.assertEqual(read_line(line).kind, line.split()[0])
        point = base64.b64decode(_line(made[1]).split()[1])[-65:]
        application = _string(b"ssh:")
        for kind, fields in (
            ("sk-ssh-ed25519@openssh.com", _string(bytes(32)) + application),
            ("sk-ecdsa-sha2-nistp256@openssh.com", _string(b"nistp256") + _string(point) + application),
        ):
            blob = base64.b64encode(_string(kind.encode()) + fields).decode()
            self.assertEqual(read_key(kind, blob).kind, kind)

    def test_weak_rsa(self) -> None:
        """A short RSA key is refused with the command for a new key."""
        self.assertIn("ssh-keygen -t ed25519", self.refused(_line(rsa.generate_private_key(65_537, 1_024))))

    def test_not_public_keys(self) -> None:
        """A paste by mistake gets a hint: a private key, a certificate, options, a file name, nothing."""
        self.assertIn("private key", self.refused("-----BEGIN OPENSSH PRIVATE KEY-----"))
        self.assertIn("certificate", self.refused(f"ssh-ed25519-cert-v01@openssh.com {LINE.split()[1]}"))
        self.assertIn("Options are not accepted", self.refused(f'command="ls" {LINE}'))
        self.assertIn("not a kind", self.refused("ssh-dss AAAA old"))
        for line in "~/.ssh/id_ed25519.pub", "", "hello", "x" * 20_000:
            self.assertIn("id_ed25519.pub", self.refused(line))

    def test_damaged(self) -> None:
        """A key that is cut off anywhere, or says that it is of another kind, is refused."""
        kind, blob = LINE.split()
        for end in range(len(blob)):
            self.refused(f"{kind} {blob[:end]}")
        self.refused(f"ecdsa-sha2-nistp256 {blob}")
        self.refused(f"{kind} {base64.b64encode(base64.b64decode(blob) + b'xxxx').decode()}")
        self.refused(f"{kind} {blob}!")

    def test_comment(self) -> None:
        """A comment is one visible line of limited length."""
        comment = read_line(f"{LINE} \x1b[31mred \u202e {'x' * 300}").comment
        self.assertEqual(len(comment), COMMENT_LENGTH)
        self.assertNotIn("\x1b", comment)
        self.assertNotIn("\u202e", comment)

    @given(st.sampled_from(["ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256"]), st.binary(max_size=200))
    def test_any_bytes(self, kind: str, data: bytes) -> None:
        """Any bytes are a key or a refusal."""
        for blob in data, _string(kind.encode()) + data:
            try:
                read_key(kind, base64.b64encode(blob).decode())
            except Refusal as refusal:
                self.assertEqual(refusal.code, Code.BAD_REQUEST)
