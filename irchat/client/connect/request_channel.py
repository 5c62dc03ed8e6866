"""Requests and their replies over one connection, which is kept alive."""

from collections.abc import Callable

import msgspec
from msgspec import UNSET
from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IReactorTime

from irchat.client.connect.gate import safe
from irchat.client.connect.server_connection import ServerConnection
from irchat.client.exceptions import ClientError
from irchat.protocol import events, requests, wire
from irchat.protocol.events import Ref
from irchat.protocol.rules import PING_AFTER, SILENCE_ENDS

Reply = events.ANY | None


class RequestChannel:
    """Speaks the JSON protocol. ``on_event`` is called with each event, ``on_lost`` if the connection is lost."""

    def __init__(
        self,
        clock: IReactorTime,
        connection: ServerConnection,
        on_event: Callable[[events.ANY], None],
        on_lost: Callable[[ClientError], None],
    ) -> None:
        self._clock = clock
        self._connection = connection
        self._on_event = on_event
        self._on_lost = on_lost
        self._waiting: dict[Ref, Deferred[Reply]] = {}
        self._last_ref = 0
        self._lost: ClientError | None = None
        self._heard = clock.seconds()
        self._watch = clock.callLater(PING_AFTER, self._check_silence)
        connection.on_line = self._receive
        connection.on_lost = self._end

    @property
    def identity(self) -> str:
        """Who the server is; see `ServerConnection`."""
        return self._connection.identity

    def request(self, request: requests.Request) -> Deferred[Reply]:
        """Send a request. Fires with its reply, None for one of an unknown type; fails with ClientError."""
        if self._lost is not None:
            return fail(self._lost)
        self._last_ref += 1
        reply = self._waiting[self._last_ref] = Deferred()
        self._connection.send(wire.encode_request(msgspec.structs.replace(request, ref=self._last_ref)))
        return reply

    def _receive(self, line: bytes) -> None:
        self._heard = self._clock.seconds()
        try:
            event, ref = wire.decode_event(line), wire.reply_ref(line)
        except ValueError:
            self._connection.fail(
                ClientError("The server sent what is not of this protocol. The connection was ended.")
            )
            return
        if event is not None:
            event = safe(event)
        if ref is not UNSET:
            if waiting := self._waiting.pop(ref, None):
                waiting.callback(event)
        elif isinstance(event, events.Ping):
            self._connection.send(wire.encode_request(requests.Pong()))
        elif event is not None:
            self._on_event(event)

    def _check_silence(self) -> None:
        now = self._clock.seconds()
        if self._connection.paused:  # we do not listen, so the server is not the silent one
            self._heard = max(self._heard, now - PING_AFTER)
        silence = now - self._heard
        if silence >= SILENCE_ENDS:
            self._connection.fail(
                ClientError(f"The server has gone away: nothing was heard for {SILENCE_ENDS} seconds.")
            )
            return
        if silence >= PING_AFTER:
            self.request(requests.Ping()).addErrback(lambda _: None)  # a loss is told by on_lost
            silence = 0
        self._watch = self._clock.callLater(PING_AFTER - silence, self._check_silence)

    def _end(self, stop: ClientError) -> None:
        self._lost = stop
        if self._watch.active():
            self._watch.cancel()
        waiting, self._waiting = self._waiting, {}
        for reply in waiting.values():
            reply.errback(stop)
        self._on_lost(stop)
