"""The server's certificate: one of its own that is made on the first start, or one from files."""

import datetime
import os
import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from irchat.fingerprint import fingerprint_of

CERTIFICATE_FILE = "tls-cert.pem"
KEY_FILE = "tls-key.pem"

_LIFE = datetime.timedelta(days=3650)


def ensure_self_signed(folder: Path, host: str) -> tuple[Path, Path]:
    """The certificate and key in ``folder``, made for ``host`` where there are none; the key is for us alone."""
    certificate_path, key_path = folder / CERTIFICATE_FILE, folder / KEY_FILE
    if not (certificate_path.exists() and key_path.exists()):
        key = ec.generate_private_key(ec.SECP256R1())
        _write(
            key_path,
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            ),
            0o600,
        )
        _write(certificate_path, _self_signed(key, host).public_bytes(serialization.Encoding.PEM), 0o644)
    return certificate_path, key_path


def server_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """What the server's side of TLS needs. Raises OSError or ssl.SSLError where the files cannot be used."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key, password=_no_password)
    return context


def fingerprint(certificate: Path) -> str:
    """The SHA-256 fingerprint of the first certificate in a PEM file."""
    first = x509.load_pem_x509_certificates(certificate.read_bytes())[0]
    return fingerprint_of(first.public_bytes(serialization.Encoding.DER))


def _no_password() -> str:
    """A key that is locked by a password would have OpenSSL ask for it on the terminal."""
    raise ssl.SSLError(ssl.SSL_ERROR_SSL, "the key is locked by a password; give one without")


def _self_signed(key: ec.EllipticCurvePrivateKey, host: str) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host[:64])])
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + _LIFE)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )


def _write(path: Path, data: bytes, mode: int) -> None:
    """Write a file that never stands half written under its name."""
    unnamed = path.with_suffix(".new")
    unnamed.unlink(missing_ok=True)
    descriptor = os.open(unnamed, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    unnamed.replace(path)
