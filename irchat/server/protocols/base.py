"""The interface of a protocol: how one connection speaks to its session, and the session to it.

A protocol is a small class. It turns lines into requests of its `Session`, and replies and events into bytes. It knows
no socket, no other protocol and no state of the chat. To add one: write the class, and name it in the listener's table
(`irchat.server.protocols.offers`).

A connection reads lines. A protocol of frames or one that is encrypted is a layer between the socket and the
connection, as `irchat.net.tls.TLSLayer` is: it hands on each message as a line, and the protocol's ``encode`` and
``reply`` return frames. How users sign in is up to the protocol: it asks the session for a `Login`, `Register` or
`Resume` when it has what these need.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from irchat.interfaces.bus import Publication
from irchat.interfaces.stored import ChatKey
from irchat.protocol import events
from irchat.server.delivery.delivery import Encode

if TYPE_CHECKING:
    from irchat.server.sessions.session import Session


class ChatProtocol(Protocol):
    """How a connection speaks.

    ``context`` is whatever the protocol handed to `Session.ask` with a request; the session returns it with the reply
    and does not look at it. It is None in what the session says by itself.
    """

    @property
    def encode(self) -> Encode | None:
        """The function that encodes an event for all sessions of the protocol alike, None if each needs its own."""

    @property
    def keepalive(self) -> bytes | None:
        """What to send to a silent client, which has to answer it; None if the system is to probe the connection."""

    @property
    def wants_token(self) -> bool:
        """Whether a client that signs in gets a token, to sign in with the next time."""

    def greeting(self, server_name: str) -> bytes:
        """Return what is sent first, to a connection that begins with this protocol."""

    def receive(self, line: bytes) -> None:
        """Take a line, without its end. It is not empty, and holds at most `CLIENT_LINE_BYTES`."""

    def reply(self, context: object, event: events.Event) -> bytes:
        """Encode the reply to the request that was asked with ``context``."""

    def again(self, context: object, event: events.Event) -> bytes:
        """Encode a reply that `reply` encoded before and that waited: the timed messages in it have changed."""

    def event(
        self, event: events.Event, position: tuple[ChatKey, int] | None, timed: tuple[ChatKey, int] | None
    ) -> bytes:
        """Encode an event; for a message with its position in its chat, or its number among the timed messages."""

    def stored(self, run: Sequence[Publication]) -> bytes:
        """Encode several stored messages, each as `event` does. Called only if ``encode`` is None."""

    def go_on(self) -> None:
        """Go on after `Outbox.full`: there is room for replies again."""

    def lost(self) -> None:
        """Let go of everything: the session is over."""


class SharedEncoding:
    """Base of the protocols that encode an event in one way for all their sessions.

    A subclass has ``encode`` (a static method), ``greeting``, ``receive`` and ``reply``.
    """

    encode: Encode
    keepalive: bytes | None = None
    wants_token = False

    def __init__(self, session: "Session") -> None:
        self.session = session

    def reply(self, context: object, event: events.Event) -> bytes:
        """See `ChatProtocol`, also for all that follow."""
        raise NotImplementedError

    def again(self, context: object, event: events.Event) -> bytes:
        return self.reply(context, event)

    def event(
        self, event: events.Event, position: tuple[ChatKey, int] | None, timed: tuple[ChatKey, int] | None
    ) -> bytes:
        return self.encode(event)

    def stored(self, run: Sequence[Publication]) -> bytes:
        return b"".join(self.encode(publication.event) for publication in run)

    def go_on(self) -> None:
        pass

    def lost(self) -> None:
        pass
