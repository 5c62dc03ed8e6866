"""The server's certificate: one of its own that is made on the first start, or one from files."""

import datetime
import os
import ssl
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from irchat.fingerprint import fingerprint_of

CERTIFICATE_FILE = "tls-cert.pem"
KEY_FILE = "tls-key.pem"

_CERTIFICATE = "give a PEM file with the certificate, one that this user may read"
_KEY = "give a PEM file with the private key, one that this user may read"
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


class WrongCertificate(Exception):
    """A certificate and key that cannot be used; the text names the file and says what to do, in one line."""


def server_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """What the server's side of TLS needs. Raises WrongCertificate where the files cannot be used."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION  # each costs a signature, for a few bytes
    try:
        context.load_cert_chain(certificate, key, password=_no_password)
    except (OSError, ssl.SSLError) as error:
        raise WrongCertificate(_what_is_wrong(certificate, key, error)) from None
    return context


def _what_is_wrong(certificate: Path, key: Path, error: OSError) -> str:
    """OpenSSL does not tell which of the files it cannot use."""
    try:
        x509.load_pem_x509_certificates(certificate.read_bytes())
    except OSError as unreadable:
        return f"the certificate {certificate} cannot be read: {unreadable.strerror}; {_CERTIFICATE}"
    except ValueError:
        return f"{certificate} is no certificate; {_CERTIFICATE}"
    try:
        serialization.load_pem_private_key(key.read_bytes(), None)
    except OSError as unreadable:
        return f"the key {key} cannot be read: {unreadable.strerror}; {_KEY}"
    except TypeError:
        return f"the key {key} is locked by a password; take it off with openssl pkey -in {key} -out NEW"
    except (ValueError, UnsupportedAlgorithm):
        return f"{key} is no key; {_KEY}"
    why = getattr(error, "reason", None) or error.strerror or str(error)
    if why == "KEY_VALUES_MISMATCH":
        return f"the key {key} is not that of the certificate {certificate}; give two that belong together"
    return f"the certificate {certificate} and the key {key} cannot be used: {why}; have others made"


def fingerprint(certificate: Path) -> str:
    """The SHA-256 fingerprint of the first certificate in a PEM file."""
    first = x509.load_pem_x509_certificates(certificate.read_bytes())[0]
    return fingerprint_of(first.public_bytes(serialization.Encoding.DER))


def _no_password() -> str:
    """A key that is locked by a password would have OpenSSL ask for it on the terminal."""
    raise ssl.SSLError(ssl.SSL_ERROR_SSL, "the key is locked by a password")


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
