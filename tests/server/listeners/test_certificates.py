"""The server's certificate: generated, or from files."""

import datetime
import errno
import hashlib
import os
import ssl
import stat
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from twisted.trial.unittest import SynchronousTestCase

from irchat.server.listeners import certificates
from irchat.server.listeners.certificates import (
    WrongCertificate,
    end_of,
    ensure_self_signed,
    fingerprint,
    server_context,
)


class SelfSignedTests(SynchronousTestCase):
    """`ensure_self_signed`."""

    def setUp(self) -> None:
        """Create an empty folder."""
        self.folder = Path(self.mktemp())
        self.folder.mkdir()

    def test_made(self) -> None:
        """The first start creates a matching certificate and key, and no other file."""
        certificate, key = ensure_self_signed(self.folder, "chat.example")
        server_context(certificate, key)
        self.assertEqual(sorted(self.folder.iterdir()), [certificate, key])
        made = x509.load_pem_x509_certificate(certificate.read_bytes())
        self.assertEqual(made.subject.rfc4514_string(), "CN=chat.example")
        names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        self.assertEqual(names.get_values_for_type(x509.DNSName), ["localhost", "chat.example"])
        self.assertIn("127.0.0.1", map(str, names.get_values_for_type(x509.IPAddress)))

    def test_modes(self) -> None:
        """Only the owner can read the key, for any umask. Others can read the certificate."""
        certificate, key = ensure_self_signed(self.folder, "chat.example")
        self.assertEqual(stat.S_IMODE(key.stat().st_mode), 0o600)
        self.assertEqual(stat.S_IMODE(certificate.stat().st_mode) & 0o600, 0o600)

    def test_kept(self) -> None:
        """The second start keeps them, even if the host name has changed."""
        before = [path.read_bytes() for path in ensure_self_signed(self.folder, "chat.example")]
        after = [path.read_bytes() for path in ensure_self_signed(self.folder, "elsewhere.example")]
        self.assertEqual(before, after)

    def test_certificate_is_missing(self) -> None:
        """A key without a certificate, as after a power cut in the first start, is kept and gets a new certificate."""
        certificate, key = ensure_self_signed(self.folder, "chat.example")
        before = key.read_bytes()
        certificate.unlink()
        server_context(*ensure_self_signed(self.folder, "chat.example"))
        self.assertEqual(key.read_bytes(), before)
        self.assertEqual(sorted(self.folder.iterdir()), [certificate, key])

    def test_key_is_missing(self) -> None:
        """A certificate without a key is refused with the next step: clients trust it, so it is not replaced."""
        certificate, key = ensure_self_signed(self.folder, "chat.example")
        key.unlink()
        line = str(self.assertRaises(WrongCertificate, ensure_self_signed, self.folder, "chat.example"))
        self.assertIn(f"{certificate} has no key beside it; put its tls-key.pem back, or delete tls-cert.pem", line)
        self.assertEqual(list(self.folder.iterdir()), [certificate])

    def test_other_key_alone(self) -> None:
        """A foreign key without a certificate is refused and kept."""
        other = rsa.generate_private_key(65_537, 2048).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        key = self.folder / "tls-key.pem"
        for content in b"", b"nonsense", other:
            key.write_bytes(content)
            line = str(self.assertRaises(WrongCertificate, ensure_self_signed, self.folder, "chat.example"))
            self.assertTrue(line.startswith(f"{key} is not a key that this server made"), line)
            self.assertEqual(key.read_bytes(), content)

    def test_no_file_alone(self) -> None:
        """A folder or a pipe in place of the key, without a certificate, is refused and not waited for."""
        key = self.folder / certificates.KEY_FILE
        for make, remove in (Path.mkdir, Path.rmdir), (os.mkfifo, Path.unlink):
            make(key)  # type: ignore[operator]
            self.assertRaises(WrongCertificate, ensure_self_signed, self.folder, "chat.example")
            remove(key)

    def test_dead_link(self) -> None:
        """A dangling link, such as to an unmounted disk, is not replaced by a new certificate."""
        for path in ensure_self_signed(self.folder, "chat.example"):
            path.rename(self.folder / "elsewhere")
            path.symlink_to("nowhere")
            paths = ensure_self_signed(self.folder, "chat.example")
            self.assertIn("The link leads nowhere", str(self.assertRaises(WrongCertificate, server_context, *paths)))
            self.assertTrue(path.is_symlink())
            (self.folder / "elsewhere").replace(path)

    def test_long_host(self) -> None:
        """A host name longer than a certificate allows is truncated."""
        server_context(*ensure_self_signed(self.folder, "h" * 200))


class ServerContextTests(SynchronousTestCase):
    """`server_context` refuses invalid files."""

    def setUp(self) -> None:
        """Create a certificate and its key."""
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.certificate, self.key = ensure_self_signed(self.folder, "chat.example")

    def test_oldest_version(self) -> None:
        """The oldest protocol version is TLS 1.2."""
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
            f"the key {other_key} does not belong to the certificate {self.certificate}; give two that match",
        )

    def test_locked(self) -> None:
        """A key with a passphrase is refused without asking for it."""
        private = ec.generate_private_key(ec.SECP256R1())
        lock = serialization.BestAvailableEncryption(b"secret")
        for form in serialization.PrivateFormat.PKCS8, serialization.PrivateFormat.TraditionalOpenSSL:
            locked = private.private_bytes(serialization.Encoding.PEM, form, lock)
            # The second cipher is unknown to the library.
            for data in locked, locked.replace(b"AES-256-CBC", b"RC9-256-CBC"):
                self.key.write_bytes(data)
                self.assertIn(f"{self.key} is protected by a password", self._refused(self.certificate, self.key))

    def test_locked_and_damaged(self) -> None:
        """The same is said of a locked key that is damaged too: its owner knows it as locked."""
        self.key.write_bytes(b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n")
        self.assertIn(f"{self.key} is protected by a password", self._refused(self.certificate, self.key))

    def test_nonsense(self) -> None:
        """A file without a certificate or key is refused by its name, even if it holds the other one."""
        nonsense = self.folder / "nonsense"
        nonsense.write_text("nonsense")
        for wrong in nonsense, self.key:
            self.assertIn(f"{wrong} is not a certificate; give", self._refused(wrong, self.key))
        for wrong in nonsense, self.certificate:
            self.assertIn(f"{wrong} is not a key; give", self._refused(self.certificate, wrong))

    def test_unreadable(self) -> None:
        """A missing or unreadable file is refused by its name, with the reason."""
        nothing = self.folder / "nothing"
        for wrong, reason in (nothing, os.strerror(errno.ENOENT)), (self.folder, "It is a folder, not a file"):
            why = f"{wrong} cannot be read: {reason}; give"
            self.assertIn(f"the certificate {why}", self._refused(wrong, self.key))
            self.assertIn(f"the key {why}", self._refused(self.certificate, wrong))

    def _files(self, name: str, key: Any, *, traditional: bool = False) -> tuple[Path, Path]:
        """Write a certificate of ``key``, and the key, to files."""
        form = serialization.PrivateFormat.TraditionalOpenSSL if traditional else serialization.PrivateFormat.PKCS8
        paths = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        one_way = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
        subject = x509.Name([])
        now = datetime.datetime.now(datetime.UTC)
        made = (
            x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
            .serial_number(1).not_valid_before(now).not_valid_after(now + datetime.timedelta(1)).sign(key, one_way)
        )  # fmt: skip
        paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
        paths[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
        return paths

    def test_kinds_of_keys(self) -> None:
        """Keys of each kind are accepted with their certificates, and refused with those of another kind."""
        pairs = [
            (self.certificate, self.key),
            self._files("rsa", rsa.generate_private_key(65_537, 2_048), traditional=True),
            self._files("ed", ed25519.Ed25519PrivateKey.generate()),
        ]
        for certificate, _ in pairs:
            for other, key in pairs:
                if certificate is other:
                    self.assertEqual(end_of(server_context(certificate, key)).tzinfo, datetime.UTC)
                else:
                    self.assertIn("does not belong to the certificate", self._refused(certificate, key))

    def test_order(self) -> None:
        """A chain that begins with another certificate is refused with the next step."""
        other, _ = self._files("rsa", rsa.generate_private_key(65_537, 2_048))
        chain = self.folder / "chain.pem"
        chain.write_bytes(other.read_bytes() + self.certificate.read_bytes())
        self.assertIn(f"is not the first in {chain}; put it first", self._refused(chain, self.key))
        chain.write_bytes(self.certificate.read_bytes() + other.read_bytes())
        server_context(chain, self.key)

    def test_trusted(self) -> None:
        """OpenSSL's TRUSTED CERTIFICATE is accepted, with the fingerprint that clients see, or refused in one line."""
        trusted = self.folder / "trusted.pem"
        words = self.certificate.read_text().replace(" CERTIFICATE", " TRUSTED CERTIFICATE")
        trusted.write_text(words)
        expected = fingerprint(server_context(self.certificate, self.key))
        self.assertEqual(fingerprint(server_context(trusted, self.key)), expected)
        _, other = self._files("rsa", rsa.generate_private_key(65_537, 2_048))
        self.assertIn("does not belong to the certificate", self._refused(trusted, other))

    def test_der(self) -> None:
        """A file in DER is refused with the command to convert it to PEM."""
        der = self.folder / "der"
        for option, command in ("certificate", "x509"), ("key", "pkey"):
            der.write_bytes(ssl.PEM_cert_to_DER_cert(self.certificate.read_text()))
            paths = (der, self.key) if option == "certificate" else (self.certificate, der)
            self.assertIn(f"in DER: openssl {command} -inform DER -in {der} -out NEW", self._refused(*paths))

    def test_without_an_end(self) -> None:
        """A pipe or an endless file is refused without reading it forever."""
        pipe = self.folder / "pipe"
        os.mkfifo(pipe)
        for wrong in pipe, Path("/dev/zero"):
            self._refused(wrong, self.key)
            self._refused(self.certificate, wrong)

    def test_no_client_takes_it(self) -> None:
        """A certificate that clients refuse is refused at the start."""
        paths = self._files("curve", ec.generate_private_key(ec.SECP256K1()))
        self.assertIn("create new ones", self._refused(*paths))

    def test_weak(self) -> None:
        """A file that OpenSSL refuses for another reason is refused with that reason."""
        self.patch(certificates, "served_certificate", self._too_small)
        line = self._refused(self.certificate, self.key)
        self.assertIn(f"{self.key} cannot be used: ", line)
        self.assertIn("[SSL] too small; create new ones", line)

    @staticmethod
    def _too_small(*_: object, **__: object) -> None:
        raise ssl.SSLError(ssl.SSL_ERROR_SSL, "[SSL] too small")


class FingerprintTests(SynchronousTestCase):
    """`fingerprint`."""

    def test_first_of_a_chain(self) -> None:
        """The fingerprint is that of the first certificate of the file, over its bytes in DER."""
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
