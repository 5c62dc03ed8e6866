"""A TLS 1.3 peer for tests, which can send what Python's ssl cannot, such as KeyUpdate."""

import hmac
import ssl
import struct
import tempfile
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_HANDSHAKE = 22
# update_requested: the other side must answer with a KeyUpdate.
_KEY_UPDATE = bytes([24, 0, 0, 1, 1])


class TLSPeer:
    """The client side of a handshake in memory. ``to_send`` holds its next bytes."""

    def __init__(self, context: ssl.SSLContext, server_hostname: str | None) -> None:
        with tempfile.NamedTemporaryFile(delete=False) as file:
            self._keys = Path(file.name)
        context.keylog_filename = str(self._keys)
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=server_hostname)
        self._secret = b""
        self._seq = 0

    def handshake(self, data: bytes = b"") -> bytes:
        """Take bytes from the server, and return bytes to send. The handshake is over when `is_ready`."""
        self._incoming.write(data)
        try:
            self.tls.do_handshake()
        except ssl.SSLWantReadError:
            return self._outgoing.read()
        assert self.tls.cipher()[0] == "TLS_AES_256_GCM_SHA384"
        for line in self._keys.read_text().splitlines():
            if line.startswith("CLIENT_TRAFFIC_SECRET_0 "):
                self._secret = bytes.fromhex(line.split()[2])
        self._keys.unlink()
        return self._outgoing.read()

    @property
    def is_ready(self) -> bool:
        """Whether the handshake is done."""
        return bool(self._secret)

    def take(self, data: bytes) -> None:
        """Receive bytes from the server."""
        self._incoming.write(data)

    def key_update(self) -> bytes:
        """Return a record that asks the server for new keys. After the first one, ssl itself can no longer write."""
        record = self._record(_KEY_UPDATE, _HANDSHAKE)
        self._secret, self._seq = self._expand(self._secret, b"traffic upd", 48), 0
        return record

    def data(self, data: bytes) -> bytes:
        """Return a record of application data."""
        return self._record(data, 23)

    def _record(self, data: bytes, kind: int) -> bytes:
        key, iv = self._expand(self._secret, b"key", 32), self._expand(self._secret, b"iv", 12)
        nonce = (int.from_bytes(iv) ^ self._seq).to_bytes(12)
        self._seq += 1
        inner = data + bytes([kind])
        head = struct.pack(">BHH", 23, 0x0303, len(inner) + 16)
        return head + AESGCM(key).encrypt(nonce, inner, head)

    def _expand(self, secret: bytes, label: bytes, length: int) -> bytes:
        label = b"tls13 " + label
        info = struct.pack(">HB", length, len(label)) + label + b"\0"
        return hmac.new(secret, info + b"\1", "sha384").digest()[:length]
