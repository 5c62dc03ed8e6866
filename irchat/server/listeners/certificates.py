"""The certificate of the server: self-signed and created on the first start, or read from files."""

import datetime
import os
import re
import ssl
from contextlib import suppress
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from irchat.net.addresses import read_address
from irchat.net.fingerprints import fingerprint_of
from irchat.server.listeners.listener import own_address
from irchat.system.files.atomic_files import replace_file
from irchat.system.files.named_files import TooLong, read_small_file

CERTIFICATE_FILE = "tls-cert.pem"
KEY_FILE = "tls-key.pem"

_CERTIFICATE = "give a PEM file with the certificate that this user may read"
_KEY = "give a PEM file with the private key that this user may read"
_LIFE = datetime.timedelta(days=3650)
# Formats that OpenSSL can read but cryptography cannot.
_TRUSTED = re.compile(rb"-----BEGIN TRUSTED CERTIFICATE-----")
_LOCKED = re.compile(rb"-----BEGIN ENCRYPTED PRIVATE KEY-----|Proc-Type: 4,ENCRYPTED")


class WrongCertificate(Exception):
    """The certificate or key is unusable. The text is one line with the file and the next step."""


def ensure_self_signed(folder: Path, host: str) -> tuple[Path, Path]:
    """Return the certificate and the key (mode 0600) in ``folder``. Create them for ``host`` on the first start.

    The key is written first. If a start is interrupted after that, the next start creates the certificate. A dangling
    link is not replaced. Raises WrongCertificate for a certificate without a key, or if a key without a certificate
    cannot be read.
    """
    certificate_path, key_path = folder / CERTIFICATE_FILE, folder / KEY_FILE
    if os.path.lexists(certificate_path):
        if not os.path.lexists(key_path):
            raise WrongCertificate(
                f"{certificate_path} has no key beside it; put its {KEY_FILE} back, or delete {CERTIFICATE_FILE} to "
                "create new ones, which each client must trust again"
            )
        return certificate_path, key_path
    if os.path.lexists(key_path):
        key = _lone_key(key_path)
    else:
        key = ec.generate_private_key(ec.SECP256R1())
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        replace_file(key_path, pem)
    replace_file(certificate_path, _self_signed(key, host).public_bytes(serialization.Encoding.PEM), 0o644)
    return certificate_path, key_path


def _lone_key(path: Path) -> ec.EllipticCurvePrivateKey:
    _see_file("key", path, _KEY)
    with suppress(ValueError, TypeError, UnsupportedAlgorithm):
        key = serialization.load_pem_private_key(path.read_bytes(), None)
        if isinstance(key, ec.EllipticCurvePrivateKey):
            return key
    raise WrongCertificate(
        f"{path} is not a key that this server made, and has no {CERTIFICATE_FILE} beside it; put that back, or move "
        "the key away to create new ones"
    )


def server_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """Return the TLS context of the server. Raises WrongCertificate if the files are unusable."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION  # each costs a signature, for a few bytes
    for what, path, mend in ("certificate", certificate, _CERTIFICATE), ("key", key, _KEY):
        _see_file(what, path, mend)
    try:
        context.load_cert_chain(certificate, key, password=_no_password)
        served_certificate(context)
    except OSError as error:  # ssl.SSLError too
        raise WrongCertificate(_what_is_wrong(certificate, key, error)) from None
    return context


def served_certificate(context: ssl.SSLContext) -> bytes:
    """Return the certificate (DER) that clients get from ``context``, found by a handshake in memory.

    Raises ssl.SSLError if the handshake fails.
    """
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname = False
    trusting.verify_mode = ssl.CERT_NONE
    server = context.wrap_bio(to_server, to_client, server_side=True)
    client = trusting.wrap_bio(to_client, to_server)
    while True:
        sent = to_server.pending, to_client.pending
        for side in client, server:
            with suppress(ssl.SSLWantReadError):
                side.do_handshake()
        if client.version() and (certificate := client.getpeercert(binary_form=True)):
            return certificate
        if sent == (to_server.pending, to_client.pending):
            raise ssl.SSLError(ssl.SSL_ERROR_SSL, "no handshake is possible")


def _see_file(what: str, path: Path, mend: str) -> None:
    """Refuse a pipe or an endless file, which OpenSSL would read forever."""
    try:
        read_small_file(path)
    except OSError as error:
        raise WrongCertificate(f"the {what} {path} cannot be read: {error.strerror}; {mend}") from None
    except TooLong as error:
        raise WrongCertificate(f"{path} is not a {what}: {error}; {mend}") from None


def _what_is_wrong(certificate: Path, key: Path, error: OSError) -> str:
    """Find the wrong file and the reason, which OpenSSL does not report."""
    written = certificate.read_bytes(), key.read_bytes()
    chain: list[x509.Certificate] = []
    with suppress(ValueError):
        chain = x509.load_pem_x509_certificates(written[0])
    if not chain and not _TRUSTED.search(written[0]):
        return f"{certificate} is not a certificate{_in_der(written[0], certificate, 'x509')}; {_CERTIFICATE}"
    why = getattr(error, "reason", None) or error.strerror or str(error)
    try:
        private = serialization.load_pem_private_key(written[1], None)
        owner = [holder.public_key() == private.public_key() for holder in chain]
    except (TypeError, ValueError, UnsupportedAlgorithm) as refused:
        if isinstance(refused, TypeError) or _LOCKED.search(written[1]):
            return f"the key {key} is protected by a password; remove it with openssl pkey -in {key} -out NEW"
        return f"{key} is not a key{_in_der(written[1], key, 'pkey')}; {_KEY}"
    if any(owner[1:]) and not owner[0]:
        return f"the certificate of the key {key} is not the first in {certificate}; put it first, its issuer after it"
    if why in ("KEY_VALUES_MISMATCH", "NO_CERTIFICATE_ASSIGNED") or (owner and not owner[0]):
        return f"the key {key} does not belong to the certificate {certificate}; give two that match"
    return f"the certificate {certificate} and the key {key} cannot be used: {why}; create new ones"


def _in_der(data: bytes, path: Path, command: str) -> str:
    """Return the hint for a DER file, which starts with the ASN.1 tag 0x30."""
    is_der = data[:1] == b"\x30" and b"-----BEGIN" not in data
    return f" in PEM but in DER: openssl {command} -inform DER -in {path} -out NEW" if is_der else ""


def end_of(context: ssl.SSLContext) -> datetime.datetime | None:
    """Return the expiry time of the certificate of ``context``, or None if it cannot be read."""
    with suppress(ValueError):
        return x509.load_der_x509_certificate(served_certificate(context)).not_valid_after_utc
    return None


def fingerprint(context: ssl.SSLContext) -> str:
    """Return the SHA-256 fingerprint of the certificate that clients get."""
    return fingerprint_of(served_certificate(context))


def _no_password() -> str:
    """Refuse an encrypted key, for which OpenSSL would ask for a password on the terminal."""
    raise ssl.SSLError(ssl.SSL_ERROR_SSL, "the key is protected by a password")


def _names_of_this_machine(host: str) -> list[x509.GeneralName]:
    """Return the names under which browsers reach this machine: a certificate without them is never right for them."""
    names: list[x509.GeneralName] = [x509.DNSName("localhost")]
    with suppress(ValueError):  # a name that is not ASCII
        names.append(x509.DNSName(host))
    addresses = dict.fromkeys(map(read_address, ("127.0.0.1", "::1", own_address())))
    return names + [x509.IPAddress(address) for address in addresses if address is not None]


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
        .add_extension(x509.SubjectAlternativeName(_names_of_this_machine(host)), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
