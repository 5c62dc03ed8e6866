"""Fakes of the two ends of a client: a person or program, and a server."""

import datetime
import functools
import ipaddress
import ssl
import tempfile
from collections.abc import Callable

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import IProtocol, IProtocolFactory
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.test import iosim

from irchat.client.connect.server_connection import ServerConnection
from irchat.client.plain.console import Console
from irchat.net.tls import TLSLayer
from irchat.protocol import events, requests, wire
from irchat.protocol.rules import FEATURES

GREETING = b"IRChat/1 Test: your username?\n"
AT = "2026-11-22T13:00:00.000Z"


class FakeEcho:
    """A fake terminal. ``discarded`` counts the calls of `discard`. ``held``: a line waits. ``written``: its output."""

    def __init__(self) -> None:
        self.is_on = True
        self.discarded = 0
        self.held = False
        self.written: list[str] = []

    def switch(self, *, on: bool) -> None:
        """Turn the echo on or off."""
        self.is_on = on

    def write(self, text: str) -> None:
        """Write to the terminal."""
        self.written.append(text)

    def has_more(self) -> bool:
        """Return whether a line waits."""
        return self.held

    def discard(self) -> None:
        """Discard typed input."""
        self.discarded += 1


class Keyboard:
    """A console on which the test types, and whose output it reads."""

    def __init__(self) -> None:
        self.console = Console()
        self.transport = StringTransport()
        self.console.makeConnection(self.transport)
        self.errors: list[str] = []

    def type(self, *lines: str) -> None:
        """Type lines."""
        for line in lines:
            self.console.dataReceived(line.encode() + b"\n")

    def end(self) -> None:
        """End the input."""
        self.console.readConnectionLost()

    def shown(self) -> str:
        """Return the output since the last call."""
        text = self.transport.value().decode()
        self.transport.clear()
        return text

    def complaints(self) -> str:
        """Return the standard error since the last call."""
        text = "\n".join(self.errors)
        self.errors.clear()
        return text


class _Transport(StringTransport):
    """A transport that takes all bytes at once."""

    def writeSomeData(self, data: bytes) -> int:
        """Take ``data``."""
        self.write(data)
        return len(data)


class FakeServer:
    """The server's end of a plain connection."""

    def __init__(self, *, greeted: bool = True) -> None:
        self.transport = _Transport()
        self.connection = ServerConnection("host:7667")
        self.connection.makeConnection(self.transport)
        self._unanswered: list[requests.ANY] = []
        if greeted:
            self.raw(GREETING)

    def raw(self, data: bytes) -> None:
        """Send bytes."""
        self.connection.dataReceived(data)

    def tell(self, event: events.Event) -> None:
        """Send an event."""
        self.raw(wire.encode(event))

    def asked(self) -> list[requests.ANY]:
        """Return the requests since the last call, without refs. They still need an answer."""
        asked = [wire.decode_request(line) for line in self.transport.value().splitlines()]
        self.transport.clear()
        self._unanswered += asked
        return [msgspec.structs.replace(request, ref=msgspec.UNSET) for request in asked]

    def answer(self, *replies: events.Event) -> None:
        """Answer the oldest unanswered requests."""
        for reply in replies:
            self.asked()
            self.raw(wire.encode_reply(reply, self._unanswered.pop(0).ref))

    def lose(self, reason: Exception) -> None:
        """Lose the connection."""
        self.connection.connectionLost(Failure(reason))


def welcome(name: str = "alice", *, new: bool = False) -> events.Welcome:
    """Return the reply to a sign-in."""
    return events.Welcome(
        name=name, new=new, token="token", version=1, limits={}, online=[name], online_count=1, unread=[],
        features=list(FEATURES),
    )  # fmt: skip


def message(text: str, **fields: object) -> events.Message:
    """Return a message from bob in GLOBAL."""
    return msgspec.structs.replace(events.Message(chat="GLOBAL", sender="bob", at=AT, text=text), **fields)


def sent(**fields: object) -> events.Sent:
    """Return the reply to a message."""
    return msgspec.structs.replace(events.Sent(chat="GLOBAL", at=AT), **fields)


def amended(**fields: object) -> events.Amended:
    """Return a change by bob of the message 1 in GLOBAL."""
    return msgspec.structs.replace(events.Amended("GLOBAL", 1, 1, "bob", AT), **fields)


def error(code: str, text: str = "") -> events.Error:
    """Return a refusal."""
    return events.Error(code, text or code)


class Peer(Protocol):
    """A peer at an address: sends ``greeting`` and keeps what it receives."""

    def __init__(self, greeting: bytes) -> None:
        self._greeting = greeting
        self.heard = b""
        self.left = False

    def connectionMade(self) -> None:
        self.transport.write(self._greeting)

    def dataReceived(self, data: bytes) -> None:
        self.heard += data

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.left = True


class Network:
    """An endpoint. For each connection, ``answer`` builds the peer or raises the error."""

    def __init__(self, answer: Callable[[], IProtocol]) -> None:
        self.answer = answer
        self.calls = 0
        self._pump: iosim.IOPump | None = None

    def connect(self, factory: IProtocolFactory) -> Deferred[IProtocol]:
        """Connect."""
        self.calls += 1
        try:
            server = self.answer()
        except Exception:
            return fail(Failure())
        client = factory.buildProtocol(None)
        self._pump = iosim.connect(
            server, iosim.FakeTransport(server, isServer=True), client, iosim.FakeTransport(client, isServer=False)
        )
        return succeed(client)

    def flush(self) -> None:
        """Deliver all bytes, including those that follow from it."""
        pump = None
        while pump is not self._pump:
            pump = self._pump
            pump.flush()


@functools.cache
def certificate(name: str) -> tuple[ssl.SSLContext, bytes]:
    """Return a server's TLS context with a self-signed certificate for ``name`` and 127.0.0.1, and that in DER."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    hosts = [x509.DNSName(name), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    signed = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(datetime.datetime(2020, 1, 1))
        .not_valid_after(datetime.datetime(2120, 1, 1))
        .add_extension(x509.SubjectAlternativeName(hosts), critical=False)
        .sign(key, hashes.SHA256())
    )
    encoding = serialization.Encoding
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile() as file:
        file.write(
            key.private_bytes(encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
            + signed.public_bytes(encoding.PEM)
        )
        file.flush()
        context.load_cert_chain(file.name)
    return context, signed.public_bytes(encoding.DER)


def over_tls(peer: Protocol, name: str) -> TLSLayer:
    """Return ``peer`` behind TLS, with a certificate for ``name``."""
    return TLSLayer(certificate(name)[0], lambda alpn: peer, server_side=True)
