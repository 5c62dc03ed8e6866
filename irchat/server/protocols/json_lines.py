"""The JSON protocol, for programs: one object per line."""

from collections.abc import Callable

from irchat.interfaces.bus import Publication
from irchat.protocol import events, requests, wire
from irchat.server.protocols.base import SharedEncoding, greeting


def _encode(publication: Publication) -> bytes:
    return wire.encode(publication.event)


class JSONProtocol(SharedEncoding):
    """Reads requests as JSON and encodes events as JSON. The context of a request is its ``ref``."""

    encode = staticmethod(_encode)
    keepalive = wire.encode(events.Ping())
    wants_token = True
    decode: Callable[[bytes], requests.Request] = staticmethod(wire.decode_request)

    def greeting(self, server_name: str) -> bytes:
        return b""

    def receive(self, line: bytes) -> None:
        """Handle the request in a line, or refuse the line."""
        try:
            request = self.decode(line)
        except wire.BadLine as bad:
            self.session.refuse(bad.refusal, bad.ref)
            return
        if not isinstance(request, requests.Pong):
            self.session.ask(request, request.ref)

    def reply(self, context: object, event: events.Event) -> bytes:
        return wire.encode(event) if context is None else wire.encode_reply(event, context)


class JSONOnly(JSONProtocol):
    """Greets where only JSON is spoken, and ends a connection that begins with anything else."""

    def greeting(self, server_name: str) -> bytes:
        return greeting(server_name)

    def receive(self, line: bytes) -> None:
        """End the session: the first line was not JSON."""
        self.session.end("this address speaks JSON: begin with { (see the documentation of the protocol)")
