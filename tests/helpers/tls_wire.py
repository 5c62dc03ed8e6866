"""TLS in memory: a client layer and a server layer over a wire that may split or lose data."""

import datetime
import functools
import ssl
import tempfile
from collections.abc import Callable
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost
from twisted.internet.protocol import Protocol
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from irchat.net.tls import TLSLayer

HOST = "chat.example"


@functools.cache
def certificate_of_host() -> tuple[bytes, bytes]:
    """A self-signed certificate for ``HOST``, with its key in PEM, and in DER."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, HOST)])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(datetime.datetime(2020, 1, 1))
        .not_valid_after(datetime.datetime(2120, 1, 1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ) + certificate.public_bytes(serialization.Encoding.PEM)
    return pem, certificate.public_bytes(serialization.Encoding.DER)


@functools.cache
def server_context() -> ssl.SSLContext:
    """Return a server context with that certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile() as file:
        file.write(certificate_of_host()[0])
        file.flush()
        context.load_cert_chain(file.name)
    return context


def client_context() -> ssl.SSLContext:
    """Return a client context that trusts that certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=certificate_of_host()[1])
    return context


class End:
    """One end of a TCP connection. It keeps written data until the test transfers it."""

    def __init__(self) -> None:
        self.out = bytearray()
        self.waiting = b""
        self.producer: Any = None
        self.disconnecting = False
        self.aborted = False
        self.calls: list[str] = []

    def registerProducer(self, producer: object, streaming: bool) -> None:
        self.producer = producer
        producer.resumeProducing()

    def unregisterProducer(self) -> None:
        self.producer = None

    def write(self, data: bytes) -> None:
        self.out += data

    def take(self, most: int = 1_000_000) -> bytes:
        """Take the written data, as the kernel does, and report when all of it is taken."""
        data = bytes(self.out[:most])
        del self.out[:most]
        if not self.out:
            self.drained()
        return data

    def drained(self) -> None:
        """Let everything be written."""
        if self.producer is not None:
            self.producer.resumeProducing()

    def loseConnection(self) -> None:
        self.disconnecting = True

    def abortConnection(self) -> None:
        self.disconnecting = self.aborted = True

    def pauseProducing(self) -> None:
        self.calls.append("pause")

    def resumeProducing(self) -> None:
        self.calls.append("resume")

    def getPeer(self) -> IPv4Address:
        return IPv4Address("TCP", "192.0.2.1", 4321)

    def getHost(self) -> IPv4Address:
        return IPv4Address("TCP", "192.0.2.2", 7667)


class NarrowEnd(End):
    """An end whose socket takes 1,000 bytes per turn."""

    room = 0

    def drained(self) -> None:
        """Do nothing: `turn` writes."""

    def writeSomeData(self, data: bytes) -> int:
        count = min(self.room, len(data))
        self.room -= count
        self.out += data[:count]
        return count

    def write(self, data: bytes) -> None:
        self.waiting += data

    def turn(self) -> None:
        self.room = 1_000
        waiting, self.waiting = self.waiting, b""
        self.waiting = waiting[self.writeSomeData(waiting) :]
        if not self.waiting and self.producer:
            self.producer.resumeProducing()


class Inner(Protocol):
    """Records its calls."""

    def __init__(self) -> None:
        self.made = 0
        self.got = b""
        self.lost: list[type] = []
        self.on_made: Callable[[], object] = lambda: None
        self.on_data: Callable[[], object] = lambda: None

    def connectionMade(self) -> None:
        self.made += 1
        self.on_made()

    def dataReceived(self, data: bytes) -> None:
        self.got += data
        self.on_data()

    def connectionLost(self, reason: Failure) -> None:
        self.lost.append(reason.type)


class Side:
    """A layer with its inner protocol and its end of the wire."""

    def __init__(self, context: ssl.SSLContext, end: End | None = None, **options: object) -> None:
        self.inner = Inner()
        self.failures: list[ssl.SSLError] = []
        options = {"on_failure": self.failures.append, **options}
        self.layer = TLSLayer(context, lambda alpn: self.inner, **options)
        self.end = End() if end is None else end
        self.gone = False

    def connect(self) -> None:
        self.layer.makeConnection(self.end)

    def lose(self, reason: type[Exception] = ConnectionLost) -> None:
        if not self.gone:
            self.gone = True
            self.layer.connectionLost(Failure(reason()))


class WireTestCase(SynchronousTestCase):
    """A test with a client, a server and the wire between them."""

    def setUp(self) -> None:
        """Create a client and a server that are not yet connected."""
        self.server = Side(server_context(), server_side=True)
        self.client = Side(client_context(), server_side=False, server_hostname=HOST)

    def connect_both(self) -> None:
        self.server.connect()
        self.client.connect()
        self.carry()

    def carry(self, piece: int = 1_000_000) -> None:
        """Transfer all written data to the other side, ``piece`` bytes at a time, followed by closes."""
        pairs = (self.client, self.server), (self.server, self.client)
        moved = True
        while moved:
            moved = False
            for source, target in pairs:
                while source.end.out and not source.end.aborted:
                    data = source.end.take(piece)
                    moved = True
                    if not target.end.disconnecting and not target.gone:
                        target.layer.dataReceived(data)
            for source, target in pairs:
                if source.end.disconnecting and not source.gone and (source.end.aborted or not source.end.out):
                    source.lose(ConnectionAborted if source.end.aborted else ConnectionDone)
                    target.lose(ConnectionLost if source.end.aborted else ConnectionDone)
                    moved = True
