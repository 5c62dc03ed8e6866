"""A connection of a browser: HTTP requests one after another, until one of them becomes a WebSocket."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from twisted.internet.interfaces import IDelayedCall
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure

from irchat.net.addresses import read_address
from irchat.net.socket_writer import Outgoing, outgoing_of
from irchat.net.websocket_layer import WebSocketLayer
from irchat.protocol.errors import Refusal
from irchat.protocol.rules import LOGIN_SECONDS
from irchat.server.admission import Visit
from irchat.server.listeners.connection import Connection
from irchat.server.listeners.web.answers import SECURITY_HEADERS, error
from irchat.server.listeners.web.request_heads import BadHead, Head, cut, is_foreign, parse, stated_address
from irchat.server.sessions.costs import WORK_OF_PAGE

if TYPE_CHECKING:
    from irchat.server.listeners.web.web_door import SocketDoor, WebDoor

_REQUESTS_MOST = 100
# Requests that are answered in one turn. Then other connections get their turn.
_REQUESTS_A_TURN = 4
_IDLE_SECONDS = 20.0


class WebConnection(Protocol):
    """Answers the requests of a connection from ``host``. ``visit``: None until a proxy has named the client."""

    transport: Any  # Twisted's TCP connection, TLS over it, or a fake

    def __init__(self, door: "WebDoor", host: str, visit: Visit | None) -> None:
        self._door = door
        self._peer = read_address(host)
        self._host = host
        self._visit = visit
        self._unread = b""
        self._held: Head | None = None
        self._requests = 0
        self._is_over = self._is_waiting = False
        self._layer: WebSocketLayer | None = None
        self._timer: IDelayedCall | None = None
        self._resting: IDelayedCall | None = None

    def connectionMade(self) -> None:
        """Wait for the first request."""
        self._writer: Outgoing = outgoing_of(self.transport)
        self._writer.on_drained = self._read
        self._set_timer(LOGIN_SECONDS)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Drop everything after the connection is lost."""
        self._is_over = True
        self._set_timer(None)
        if self._resting is not None:
            self._resting.cancel()
            self._resting = None
        if self._layer is not None:
            self._layer.lost(reason)
            self._layer = None
        elif self._visit is not None:
            self._visit.over()

    def dataReceived(self, data: bytes) -> None:
        """Answer the requests in ``data``, or pass it to the WebSocket."""
        if self._layer is not None:
            self._layer.received(data)
        elif not self._is_over:
            self._unread += data
            self._read()

    def _read(self) -> None:
        """Answer requests while the client reads the answers, a few in each turn and as its address has work left."""
        requests = self._requests
        while not (self._is_over or self._layer is not None) and self._writer.idle and not self._is_waiting:
            if self._requests >= requests + _REQUESTS_A_TURN:
                self._is_waiting = True
                self._resting = self._door.clock.callLater(0, self._rested)
                break
            held, self._held = self._held, None
            if held is not None:
                self._answer(held)
                continue
            head = None
            try:
                head, self._unread = cut(self._unread)
                if head is None:
                    break
                self._take(parse(head))
            except BadHead as bad:
                headers = {"Allow": "GET"} if bad.status is HTTPStatus.METHOD_NOT_ALLOWED else None
                refused = error(bad.status, bad.text, headers)
                if head is not None and head.startswith(b"HEAD "):
                    refused = refused[: refused.index(b"\r\n\r\n") + 4]  # the client reads no body
                self._finish(refused)
        if not self._is_over and self._layer is None:
            reads = self._writer.idle and not self._is_waiting
            (self.transport.resumeProducing if reads else self.transport.pauseProducing)()

    def _rested(self) -> None:
        self._resting = None
        self._go_on()

    def _go_on(self) -> None:
        self._is_waiting = False
        if not self._is_over:
            self._read()

    def _take(self, head: Head) -> None:
        """Answer a request once its address has work left."""
        if self._visit is None:
            try:
                self._visit = self._door.visit(stated_address(head, self._peer, self._door.proxies) or self._host)
            except Refusal as refusal:
                self._finish(error(HTTPStatus.SERVICE_UNAVAILABLE, refusal.text, {"Retry-After": "5"}))
                return
        limiter = self._door.rate_limiters.of(self._visit.address)
        if limiter.is_used_up():
            self._held = head
            self._is_waiting = True
            limiter.when_free(self._go_on)
        else:
            self._answer(head)

    def _answer(self, head: Head) -> None:
        assert self._visit is not None, "the request has one"
        limiters = self._door.rate_limiters
        limiter = limiters.of(self._visit.address)
        limiter.charge(WORK_OF_PAGE)
        limiters.leave(limiter)
        self._requests += 1
        if (socket := self._door.sockets.get(head.path)) is not None:
            self._upgrade(head, socket)
            return
        closes = head.closes or self._requests >= _REQUESTS_MOST
        data = self._door.files.answer(head.path, head.headers, closes=closes)
        if data is None:
            data = error(HTTPStatus.NOT_FOUND, "There is nothing here. The chat is at /.", closes=closes)
        if closes:
            self._finish(data)
        else:
            self._writer.send(data)
            self._set_timer(_IDLE_SECONDS)

    def _upgrade(self, head: Head, socket: "SocketDoor") -> None:
        if not head.is_upgrade:
            text = "This address is for WebSockets. The chat is at /."
            self._finish(error(HTTPStatus.UPGRADE_REQUIRED, text, {"Upgrade": "websocket"}))
            return
        if is_foreign(head):
            self._finish(error(HTTPStatus.FORBIDDEN, "Another page cannot use this chat. Open it at its own address."))
            return
        response = head.protocol.accept(head.request)
        if response.status_code != HTTPStatus.SWITCHING_PROTOCOLS:
            self._finish(error(HTTPStatus.BAD_REQUEST, "That is no valid WebSocket handshake (RFC 6455, version 13)."))
            return
        subprotocol = _chosen(head, socket.subprotocols)
        if subprotocol:
            response.headers["Sec-WebSocket-Protocol"] = subprotocol
        head.protocol.send_response(response)
        accepted = b"".join(head.protocol.data_to_send())
        self._writer.send(accepted.removesuffix(b"\r\n") + SECURITY_HEADERS + b"\r\n")
        self._speak(head, socket, subprotocol)

    def _speak(self, head: Head, socket: "SocketDoor", subprotocol: str) -> None:
        """Become a WebSocket: a connection of lines is the inner side from now on."""
        visit, self._visit = self._visit, None
        assert visit is not None, "the request has one"
        self._set_timer(None)
        connection = Connection(socket, visit, read_address(visit.address))
        layer = WebSocketLayer(
            head.protocol,
            self._writer,
            self.transport,
            connection,
            self._door.clock,
            one_line=bool(socket.subprotocols),
            is_binary=subprotocol.startswith("binary."),
            close_code=lambda: connection.close_code,
        )
        self._layer = layer
        layer.start()
        if self._layer is not None:
            data, self._unread = self._unread, b""
            layer.received(data)  # it may have none, and reads from now on

    def _finish(self, data: bytes) -> None:
        """Send the last answer, and close the connection."""
        self._is_over = True
        self._unread = b""
        self._set_timer(_IDLE_SECONDS)
        self._writer.send(data)
        self._writer.close()

    def _set_timer(self, seconds: float | None) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None if seconds is None else self._door.clock.callLater(seconds, self._late)

    def _late(self) -> None:
        self._timer = None
        self._is_over = True
        self._writer.abort()


def _chosen(head: Head, subprotocols: Sequence[str]) -> str:
    """Return the first subprotocol that the client names and the path has, or an empty string."""
    named = head.headers.get("Sec-Websocket-Protocol", "").split(",")
    return next((name for one in named if (name := one.strip()) in subprotocols), "")
