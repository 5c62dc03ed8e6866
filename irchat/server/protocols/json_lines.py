"""The JSON protocol: one object a line, for programs."""

from collections.abc import Sequence
from typing import Any

from irchat.interfaces.bus import Publication
from irchat.interfaces.stored import ChatKey
from irchat.protocol import events, wire
from irchat.protocol.requests import Pong
from irchat.server.sessions.session import Session


class JSONProtocol:
    """Reads requests and says events as JSON. All its sessions say an event in the same bytes."""

    encode = staticmethod(wire.encode)
    wants_token = True

    def __init__(self, session: Session) -> None:
        self._session = session

    def line(self, line: bytes) -> None:
        """A line came, without its end."""
        try:
            request = wire.decode_request(line)
        except wire.BadLine as bad:
            self._session.refuse(bad.refusal, bad.ref)
            return
        if not isinstance(request, Pong):
            self._session.ask(request, request.ref)

    def reply(self, context: Any, event: events.Event) -> bytes:
        """See `irchat.server.protocols.base.ChatProtocol`, as for all that follow."""
        return wire.encode(event) if context is None else wire.encode_reply(event, context)

    again = reply

    def event(
        self, event: events.Event, position: tuple[ChatKey, int] | None, timed: tuple[ChatKey, int] | None
    ) -> bytes:
        return wire.encode(event)

    def stored(self, run: Sequence[Publication]) -> bytes:
        return b"".join(wire.encode(publication.event) for publication in run)

    def go_on(self) -> None:
        pass

    def lost(self) -> None:
        pass
