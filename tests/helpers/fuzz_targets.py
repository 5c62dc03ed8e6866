"""Fuzz targets for hypothesis and atheris: any bytes must lead to a clear answer."""

import contextlib
import functools
import ssl
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from twisted.internet.protocol import Protocol
from twisted.internet.testing import StringTransport
from twisted.logger import LogLevel, globalLogPublisher

from irchat.commands import REGISTRY
from irchat.irc.command_table import Phase, check
from irchat.irc.irc_lines import BadIRCLine, build, cut, parse
from irchat.irc.multiline import Collector, MultilineError, compose
from irchat.irc.numerics import ServerLines
from irchat.irc.references import BadReference, parse_chathistory, parse_markread
from irchat.irc.reply_lines import parse_whox
from irchat.irc.targets import chat_of
from irchat.irc.text_codes import read_said
from irchat.net.tls import TLSLayer
from irchat.protocol.errors import Refusal
from irchat.protocol.wire import BadLine, decode_request
from irchat.server.listeners.certificates import ensure_self_signed, server_context
from tests.helpers.irc import IRCClient
from tests.helpers.server import JSONClient, Server, TextClient

# Ends a segment in the input from atheris; lines can end elsewhere.
_CUT = b"\xfe\xfd"
_RUNS_ON_ONE_SERVER = 500


def wire(data: bytes) -> None:
    """Fuzz one line of the JSON protocol."""
    try:
        decode_request(data)
    except BadLine as bad:
        bad.refusal.text.encode()


def commands(data: bytes) -> None:
    """Fuzz one typed line."""
    try:
        REGISTRY.read(data.decode("utf-8", "replace"))
    except Refusal as refusal:
        refusal.text.encode()


def irc_line(data: bytes) -> None:
    """Fuzz one line of IRC: each part of the library that reads what a client sends."""
    try:
        line = parse(data)
    except BadIRCLine as bad:
        bad.command.encode()
        return
    if line is None:
        return
    again = parse(build(line.command, *line.params[:-1], text=line.param(-1) if line.params else None)[:-2], 10_000)
    if again is not None and len(again.params) != len(line.params):
        raise AssertionError(again)
    check(line, Phase.SIGNED_IN, "alice", ServerLines("irchat"))
    for read in parse_chathistory, parse_markread:
        with contextlib.suppress(BadReference):
            read(line.params)
    collector = Collector(lambda: 0.0)
    for handle in collector.batch, collector.takes, collector.batch:
        with contextlib.suppress(MultilineError):
            handle(line)
    for param in line.params:
        text = read_said(param).text
        parse_whox(param)
        chat_of(param)
        if "".join(cut(text, 8)) != text or any(len(piece.text.encode()) > 8 for piece in compose(text, 8)):
            raise AssertionError(text)


class Failures:
    """Records logged failures."""

    def __init__(self) -> None:
        self.events: list[object] = []

    def __call__(self, event: dict[str, object]) -> None:
        """Record an event."""
        if "log_failure" in event or event["log_level"] in (LogLevel.error, LogLevel.critical):
            self.events.append(event.get("log_failure") or event.get("log_format"))


def _converse(server: Server, client: JSONClient | TextClient | IRCClient, segments: list[bytes]) -> str:
    """Send segments. Check that no failure is logged and no answer is ``internal``. Return the answers."""
    failures = Failures()
    globalLogPublisher.addObserver(failures)
    try:
        client.send(*segments, b"\n")
        server.advance(0, 0.1, 1.0, 0)
        while client._unsent and client.is_open:  # the server has not read everything
            client.send()
        said = client.read()
    finally:
        globalLogPublisher.removeObserver(failures)
    if failures.events:
        raise AssertionError(failures.events)
    if '"code":"internal"' in said or "Internal error" in said or " 400 alice" in said:
        raise AssertionError(said)
    return said


@contextlib.contextmanager
def _server(shared: "_Shared | None") -> Iterator[tuple[Server, str]]:
    """Return a server with bob, and an unused name."""
    if shared is not None:
        yield shared.server(), shared.name()
        shared.leave_all()
        return
    server = Server()
    try:
        server.json("bob")
        yield server, "alice"
    finally:
        server.close()


class _Shared:
    """One server for many runs, for speed, then a new one."""

    def __init__(self) -> None:
        self._runs = 0
        self._server: Server | None = None

    def server(self) -> Server:
        """Return the server of this run."""
        if self._runs % _RUNS_ON_ONE_SERVER == 0:
            if self._server is not None:
                self._server.close()
            self._server = Server()
            self._server.json("bob")
        self._runs += 1
        assert self._server is not None
        return self._server

    def name(self) -> str:
        """Return a name for this run."""
        return f"alice{self._runs}"

    def leave_all(self) -> None:
        """End the connections of this run."""
        assert self._server is not None
        bob, *others = self._server.clients
        bob.socket.writes.clear()
        for client in others:
            if client.is_open:
                client.leave()
        self._server.clients[:] = [bob]


def json_protocol(segments: list[bytes], *, shared: _Shared | None = None) -> None:
    """Fuzz a signed-in JSON connection. Afterwards it answers a ping, or has said bye."""
    with _server(shared) as (server, name):
        client = server.json(name)
        said = _converse(server, client, segments)
        if client.is_open:
            client.send(b'{"type":"ping","ref":"still there"}\n')
            server.advance(0, 0)
            if '"ref":"still there"' not in client.read():
                raise AssertionError(f"no answer any more after {said}")
        elif '"bye"' not in said:
            raise AssertionError(f"the connection ended without bye: {said}")


def text_protocol(segments: list[bytes], *, signed_in: bool = True, shared: _Shared | None = None) -> None:
    """Fuzz a text connection, before or after the sign-in."""
    with _server(shared) as (server, name):
        client = server.text(name if signed_in else None)
        said = _converse(server, client, segments)
        if client.is_open and signed_in and "old password" not in said:
            client.send(b"!help ~\n")
            server.advance(0, 0)
            if "block" not in client.read():
                raise AssertionError(f"no answer any more after {said}")


def irc_protocol(segments: list[bytes], *, signed_in: bool = True, shared: _Shared | None = None) -> None:
    """Fuzz an IRC connection, before or after the sign-in. Afterwards it answers a PING, or has said ERROR."""
    with _server(shared) as (server, name):
        client = IRCClient(
            server, name if signed_in else None, "batch", "message-tags", "draft/multiline", "echo-message"
        )
        client.send(b"" if signed_in else b"CAP LS 302\r\n")
        said = _converse(server, client, segments)
        if not client.is_open:
            if "ERROR :" not in said:
                raise AssertionError(f"the connection ended without ERROR: {said}")
            return
        client.send(b"PING :still there\r\n")
        server.advance(0, 0)
        if ":still there" not in client.read():
            raise AssertionError(f"no answer any more after {said}")


@functools.cache
def _tls_context() -> ssl.SSLContext:
    with tempfile.TemporaryDirectory() as folder:
        return server_context(*ensure_self_signed(Path(folder), "localhost"))


class _Sink(Protocol):
    """Receives the plaintext of a TLS connection."""


class _Transport(StringTransport):
    def abortConnection(self) -> None:
        self.disconnecting = True


def tls_records(data: bytes, *, after_handshake: bool = False) -> None:
    """Fuzz a TLS server with bytes instead of a handshake, or instead of records after it."""
    layer = TLSLayer(_tls_context(), lambda alpn: _Sink(), server_side=True)
    transport = _Transport()
    layer.makeConnection(transport)
    if after_handshake:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        client = context.wrap_bio(incoming, outgoing)
        for _ in range(4):
            with contextlib.suppress(ssl.SSLWantReadError):
                client.do_handshake()
            layer.dataReceived(outgoing.read())
            incoming.write(transport.value())
            transport.clear()
    for place in range(0, len(data), 97):
        layer.dataReceived(data[place : place + 97])
    layer.connectionLost()


def segments_of(data: bytes) -> list[bytes]:
    """Split a byte string into segments, which may end inside a line."""
    return [segment for segment in data.split(_CUT) if segment]


_shared = _Shared()

TARGETS: dict[str, Callable[[bytes], None]] = {
    "wire": wire,
    "commands": commands,
    "json": lambda data: json_protocol(segments_of(data), shared=_shared),
    "text": lambda data: text_protocol(segments_of(data), shared=_shared),
    "sign-in": lambda data: text_protocol(segments_of(data), signed_in=False, shared=_shared),
    "irc-line": irc_line,
    "irc": lambda data: irc_protocol(segments_of(data), shared=_shared),
    "irc-sign-in": lambda data: irc_protocol(segments_of(data), signed_in=False, shared=_shared),
    "tls": tls_records,
    "tls-after": lambda data: tls_records(data, after_handshake=True),
}
