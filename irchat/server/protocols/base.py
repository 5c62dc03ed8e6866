"""What the protocols of a connection have in common."""

from collections.abc import Sequence
from typing import Any, Protocol

from irchat.interfaces.bus import Publication
from irchat.interfaces.stored import ChatKey
from irchat.protocol import events
from irchat.server.delivery.delivery import Encode


class ChatProtocol(Protocol):
    """How a connection speaks. ``encode`` is None where each session says events in a way of its own."""

    @property
    def encode(self) -> Encode | None:
        """What says an event to all sessions of this protocol alike."""

    @property
    def wants_token(self) -> bool:
        """Whether who signs in here is given a token."""

    def reply(self, context: Any, event: events.Event) -> bytes:
        """The reply to the request that came with ``context``."""

    def again(self, context: Any, event: events.Event) -> bytes:
        """What `reply` said, as it is now: a reply with timed messages waited for its reader."""

    def event(
        self, event: events.Event, position: tuple[ChatKey, int] | None, timed: tuple[ChatKey, int] | None
    ) -> bytes:
        """An event; of a message, where it stands in its chat."""

    def stored(self, run: Sequence[Publication]) -> bytes:
        """Several stored messages, as `event` says each. Asked where ``encode`` is None."""

    def go_on(self) -> None:
        """There is room for replies again."""

    def lost(self) -> None:
        """The session is over."""
