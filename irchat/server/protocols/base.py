"""The interface of a protocol, the translator between a connection and its session.

A protocol is a small class. It turns lines into requests of its `Session`, and replies and events into bytes. It knows
no socket, no other protocol and no state of the chat. To add one, write the class and add it to the table of the
listener (`irchat.server.protocols.offers`).

A connection reads lines. A framed or encrypted protocol needs a layer between the socket and the connection, such as
`irchat.net.tls.TLSLayer`: the layer passes on each message as a line, and ``encode`` and ``reply`` return frames. The
protocol decides how users sign in: it asks the session for a `Login`, `Register` or `Resume` when it has the data.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from irchat.interfaces.bus import Publication
from irchat.protocol import events
from irchat.protocol.rules import LOGIN_SECONDS, PROTOCOL, SILENCE_ENDS
from irchat.server.delivery.run import Encode

if TYPE_CHECKING:
    from irchat.server.sessions.session import Session


SILENT = f"nothing heard for {SILENCE_ENDS} seconds"
"""The reason of the end of a session whose client did not answer."""


def greeting(server_name: str) -> bytes:
    """Return the line that a connection gets before its protocol is chosen."""
    return f"IRChat/{PROTOCOL} {server_name}: your username?\n".encode()


class ChatProtocol(Protocol):
    """The protocol of a connection.

    ``context`` is any object that the protocol passed to `Session.ask` with a request. The session returns it with the
    reply, unchanged. It is None in replies without a request.
    """

    @property
    def encode(self) -> Encode | None:
        """The function that encodes a publication once for all sessions that have the same one.

        None if each session needs its own encoding. If it returns None, `event` is called in its place.
        """

    @property
    def keepalive(self) -> bytes | None:
        """The bytes to send to a silent client, which must answer. None lets the system probe the connection."""

    @property
    def wants_token(self) -> bool:
        """Whether a client that signs in gets a token for its next sign-in."""

    @property
    def waits(self) -> bool:
        """Whether requests over the rate wait, since the client cannot repeat them. Otherwise they are refused."""

    @property
    def catches_up(self) -> bool:
        """Whether the protocol calls `Session.release` after the sign-in. Until then the session gets no events."""

    @property
    def sign_in_seconds(self) -> int:
        """The seconds from the start of the connection in which the user must sign in. They can grow meanwhile."""

    def greeting(self, server_name: str) -> bytes:
        """Return the first bytes sent to a connection that starts with this protocol."""

    def receive(self, line: bytes) -> None:
        """Handle a line of 1 to `CLIENT_LINE_BYTES` bytes, without its line ending."""

    def joined(self) -> None:
        """Note that a user signs in to the session, before others know it."""

    def reply(self, context: object, event: events.Event) -> bytes:
        """Encode the reply to the request with ``context``."""

    def again(self, context: object, event: events.Event) -> bytes:
        """Encode a reply again after it waited, because its timed messages have changed."""

    @property
    def shows_timed(self) -> bool:
        """Whether it shows timed messages."""

    @property
    def wants_asides(self) -> bool:
        """Whether it shows signals and personas, which are stored nowhere."""

    def event(self, publication: Publication) -> bytes:
        """Encode an event. A message has its position in its chat, or its order among timed messages."""

    def stored(self, run: Sequence[Publication]) -> bytes:
        """Encode several stored messages, each like `event`."""

    def missed(self, change: Publication) -> None:
        """Note a change of a stored message that comes while the session is behind. Its present state comes later."""

    def caught_up(self) -> None:
        """Note that the session is no longer behind: it has got all that it had missed."""

    def go_on(self) -> None:
        """Continue after `Outbox.full` was true: there is room for replies again."""

    def lost(self) -> None:
        """Drop everything at the end of the session."""


class SharedEncoding:
    """Base class for protocols that encode an event once for all their sessions.

    A subclass defines ``encode`` (a static method), ``greeting``, ``receive`` and ``reply``.
    """

    encode: Encode
    keepalive: bytes | None = None
    wants_token = False
    shows_timed = True
    wants_asides = False
    waits = catches_up = False
    sign_in_seconds = LOGIN_SECONDS

    def __init__(self, session: "Session") -> None:
        self.session = session

    def reply(self, context: object, event: events.Event) -> bytes:
        """See `ChatProtocol` for this and the following methods."""
        raise NotImplementedError

    def joined(self) -> None:
        pass

    def again(self, context: object, event: events.Event) -> bytes:
        return self.reply(context, event)

    def event(self, publication: Publication) -> bytes:
        return self.encode(publication) or b""

    def stored(self, run: Sequence[Publication]) -> bytes:
        return b"".join(map(self.event, run))

    def missed(self, change: Publication) -> None:
        pass

    def caught_up(self) -> None:
        pass

    def go_on(self) -> None:
        pass

    def lost(self) -> None:
        pass
