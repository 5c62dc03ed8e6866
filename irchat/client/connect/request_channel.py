"""Requests and their replies over one connection, with keepalive."""

from collections.abc import Callable
from typing import NamedTuple

import msgspec
from msgspec import UNSET
from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IReactorTime

from irchat.client.connect.gate import safe
from irchat.client.connect.server_connection import ServerConnection
from irchat.client.exceptions import ClientError
from irchat.protocol import events, requests, wire
from irchat.protocol.errors import Code
from irchat.protocol.events import Ref
from irchat.protocol.rules import PING_AFTER, SILENCE_ENDS

Reply = events.ANY | None
Ask = Callable[[requests.Request], Deferred[Reply]]

UNREADABLE = "This client cannot read the server's answer. Install the version of IRChat that the server runs."

# Seconds before a request refused as too-fast is repeated.
_RETRY_AFTER = 0.5


class _Waiting(NamedTuple):
    """A pending request: the line sent, and the Deferred that fires with its reply."""

    line: bytes
    reply: Deferred[Reply]


class RequestChannel:
    """Speak the JSON protocol over ``connection``.

    ``on_event`` is called with each event that is not a reply, ``on_lost`` once if the connection is lost.
    """

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
        self._waiting: dict[Ref, _Waiting] = {}
        self._last_ref = 0
        self._lost: ClientError | None = None
        self._heard = clock.seconds()
        self._watch = clock.callLater(PING_AFTER, self._check_silence)
        connection.on_line = self._receive
        connection.on_lost = self._end
        connection.on_closed = self._stop_watching

    @property
    def identity(self) -> str:
        """The identity of the server; see `ServerConnection`."""
        return self._connection.identity

    def request(self, request: requests.Request) -> Deferred[Reply]:
        """Send a request, and repeat it while the server answers ``too-fast``.

        The Deferred fires with the reply, or None if this client does not know its type. It fails with ClientError.
        """
        if self._lost is not None:
            return fail(self._lost)
        self._last_ref += 1
        line = wire.encode_request(msgspec.structs.replace(request, ref=self._last_ref))
        waiting = self._waiting[self._last_ref] = _Waiting(line, Deferred())
        self._connection.send(line)
        return waiting.reply

    def _receive(self, line: bytes) -> None:
        self._heard = self._clock.seconds()
        try:
            event, ref = wire.decode_event(line), wire.reply_ref(line)
        except ValueError:
            text = "The server broke the protocol, and the connection was ended. Check the host and the port."
            self._connection.fail(ClientError(text))
            return
        if event is not None:
            event = safe(event)
        if ref is not UNSET:
            self._answer(ref, event)
        elif isinstance(event, events.Ping):
            self._connection.send(wire.encode_request(requests.Pong()))
        elif event is not None:
            self._on_event(event)

    def _answer(self, ref: Ref, event: Reply) -> None:
        if (waiting := self._waiting.get(ref)) is None:
            return
        if isinstance(event, events.Error) and event.code == Code.TOO_FAST:
            self._clock.callLater(_RETRY_AFTER, self._connection.send, waiting.line)
        else:
            del self._waiting[ref]
            waiting.reply.callback(event)

    def _check_silence(self) -> None:
        now = self._clock.seconds()
        if self._connection.paused:  # this client is not reading, so silence says nothing about the server
            self._heard = max(self._heard, now - PING_AFTER)
        silence = now - self._heard
        if silence >= SILENCE_ENDS:
            text = f"The server has gone away: nothing was heard for {SILENCE_ENDS} seconds."
            self._connection.fail(ClientError(text))
            return
        if silence >= PING_AFTER:
            self.request(requests.Ping()).addErrback(lambda _: None)  # a lost connection is reported by ``on_lost``
            silence = 0
        self._watch = self._clock.callLater(PING_AFTER - silence, self._check_silence)

    def _end(self, why: ClientError) -> None:
        self._lost = why
        self._stop_watching()
        waiting, self._waiting = self._waiting, {}
        for one in waiting.values():
            one.reply.errback(why)
        self._on_lost(why)

    def _stop_watching(self) -> None:
        if self._watch.active():
            self._watch.cancel()
