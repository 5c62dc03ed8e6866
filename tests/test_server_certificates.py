"""The server's certificate: its own, or one from files."""

import errno
import hashlib
import os
import ssl
import stat
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from twisted.trial.unittest import SynchronousTestCase

from irchat.server import certificates
from irchat.server.certificates import WrongCertificate, ensure_self_signed, fingerprint, server_context


class SelfSignedTests(SynchronousTestCase):
    """`ensure_self_signed`."""

    def setUp(self) -> None:
        """An empty folder."""
        self.folder = Path(self.mktemp())
        self.folder.mkdir()

    def test_made(self) -> None:
        """On the first start a certificate and a key are made that fit each other; nothing else is left."""
        certificate, key = ensure_self_signed(self.folder, "chat.example")
        server_context(certificate, key)
        self.assertEqual(sorted(self.folder.iterdir()), [certificate, key])
        made = x509.load_pem_x509_certificate(certificate.read_bytes())
        self.assertEqual(made.subject.rfc4514_string(), "CN=chat.example")

    def test_modes(self) -> None:
        """Only its owner can read the key, whatever the umask; others can read the certificate."""
        certificate, key = ensure_self_signed(self.folder, "chat.example")
        self.assertEqual(stat.S_IMODE(key.stat().st_mode), 0o600)
        self.assertEqual(stat.S_IMODE(certificate.stat().st_mode) & 0o600, 0o600)

    def test_kept(self) -> None:
        """On the second start they are the same, also where the machine has a new name."""
        before = [path.read_bytes() for path in ensure_self_signed(self.folder, "chat.example")]
        after = [path.read_bytes() for path in ensure_self_signed(self.folder, "elsewhere.example")]
        self.assertEqual(before, after)

    def test_one_is_missing(self) -> None:
        """Where one of the two is missing, or was being written when the machine went down, both are made anew."""
        for missing in 0, 1:
            paths = ensure_self_signed(self.folder, "chat.example")
            paths[missing].rename(paths[missing].with_suffix(".new"))
            server_context(*ensure_self_signed(self.folder, "chat.example"))
            self.assertEqual(len(list(self.folder.iterdir())), 2)

    def test_long_host(self) -> None:
        """A host's name that is longer than a certificate may hold is cut."""
        server_context(*ensure_self_signed(self.folder, "h" * 200))


class ServerContextTests(SynchronousTestCase):
    """`server_context` refuses files that are not what they should be."""

    def setUp(self) -> None:
        """A certificate and its key."""
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.certificate, self.key = ensure_self_signed(self.folder, "chat.example")

    def test_oldest_version(self) -> None:
        """TLS 1.2 is the oldest that is spoken."""
        self.assertEqual(server_context(self.certificate, self.key).minimum_version, ssl.TLSVersion.TLSv1_2)

    def _refused(self, certificate: Path, key: Path) -> str:
        line = str(self.assertRaises(WrongCertificate, server_context, certificate, key))
        self.assertNotIn("\n", line)
        return line

    def test_mismatch(self) -> None:
        """A key of another certificate is refused, with the names of both files."""
        other = self.folder / "other"
        other.mkdir()
        _, other_key = ensure_self_signed(other, "chat.example")
        self.assertEqual(
            self._refused(self.certificate, other_key),
            f"the key {other_key} is not that of the certificate {self.certificate}; give two that belong together",
        )

    def test_locked(self) -> None:
        """A key that is locked by a password is refused, and nobody is asked for it."""
        self.key.write_bytes(
            ec.generate_private_key(ec.SECP256R1()).private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.BestAvailableEncryption(b"secret"),
            )
        )
        self.assertIn(f"the key {self.key} is locked by a password", self._refused(self.certificate, self.key))

    def test_nonsense(self) -> None:
        """A file that holds no certificate or no key is refused by its name, also where it holds the other one."""
        nonsense = self.folder / "nonsense"
        nonsense.write_text("nonsense")
        for wrong in nonsense, self.key:
            self.assertIn(f"{wrong} is no certificate; give", self._refused(wrong, self.key))
        for wrong in nonsense, self.certificate:
            self.assertIn(f"{wrong} is no key; give", self._refused(self.certificate, wrong))

    def test_unreadable(self) -> None:
        """A file that is not there or cannot be read is refused by its name and with the reason."""
        nothing = self.folder / "nothing"
        for wrong, reason in (nothing, errno.ENOENT), (self.folder, errno.EISDIR):
            why = f"{wrong} cannot be read: {os.strerror(reason)}; give"
            self.assertIn(f"the certificate {why}", self._refused(wrong, self.key))
            self.assertIn(f"the key {why}", self._refused(self.certificate, wrong))

    def test_weak(self) -> None:
        """What OpenSSL does not take for another reason is refused with that."""
        self.patch(certificates, "served_certificate", self._too_small)
        line = self._refused(self.certificate, self.key)
        self.assertIn(f"{self.key} cannot be used: ", line)
        self.assertIn("[SSL] too small; have others made", line)

    @staticmethod
    def _too_small(*_: object, **__: object) -> None:
        raise ssl.SSLError(ssl.SSL_ERROR_SSL, "[SSL] too small")


class FingerprintTests(SynchronousTestCase):
    """`fingerprint`."""

    def test_first_of_a_chain(self) -> None:
        """It is that of the first certificate of the file, over its bytes in DER."""
        folder = Path(self.mktemp())
        chain = b""
        for name in "one", "two":
            (folder / name).mkdir(parents=True)
            chain += ensure_self_signed(folder / name, name)[0].read_bytes()
        path = folder / "chain.pem"
        path.write_bytes(chain)
        context = server_context(path, folder / "one" / certificates.KEY_FILE)
        first = ssl.PEM_cert_to_DER_cert((folder / "one" / certificates.CERTIFICATE_FILE).read_text())
        digest = hashlib.sha256(first).hexdigest().upper()
        self.assertEqual(fingerprint(context).replace(":", ""), f"sha256{digest}")
