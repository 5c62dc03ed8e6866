"""The encoding of events for one session, as its outbox asks for it (`irchat.server.delivery.reader.Reader`)."""

import math
from collections.abc import Awaitable, Sequence

from irchat.chat.state.entities import User
from irchat.interfaces.bus import ChangePlace, Publication, StoredPlace, TimedPlace
from irchat.interfaces.stored import ChatKey, Page, StoredMessage
from irchat.server.protocols.base import ChatProtocol
from irchat.server.sessions.services import Services


class EventEncoding:
    """Encodes events in the protocol of a session, and reads those that it has missed."""

    protocol: ChatProtocol
    _services: Services

    @property
    def user(self) -> User:
        """The signed-in user."""
        raise NotImplementedError

    @property
    def shows_timed(self) -> bool:
        """Whether the protocol shows timed messages."""
        return self.protocol.shows_timed

    @property
    def wants_asides(self) -> bool:
        """Whether the protocol shows signals and personas."""
        return self.protocol.wants_asides

    def say(self, publication: Publication) -> bytes:
        """Encode a publication."""
        return self.protocol.event(publication)

    def say_run(self, run: Sequence[Publication]) -> bytes:
        """Encode several publications of stored messages."""
        return self.protocol.stored(run)

    def say_stored(self, message: StoredMessage) -> bytes:
        """Encode a stored message. Return empty bytes if the user may no longer see it."""
        event = self._services.chat.reading.event(self.user, message)
        if event is None:
            return b""
        return self.protocol.event(Publication(event, (), place=StoredPlace(message.chat, message.seq)))

    def say_timed_since(
        self, order: int, own: set[tuple[ChatKey, int]], page_bytes: int
    ) -> tuple[bytes, int | None, float]:
        """Encode live timed messages (see `irchat.server.delivery.reader.Reader`)."""
        missed, further, until = self._services.chat.reading.missed_timed(self.user, order, own, page_bytes)
        said = (self.protocol.event(Publication(event, (), place=TimedPlace(*place))) for place, event in missed)
        return b"".join(said), further, until if self.shows_timed else math.inf

    def missed_page(self, chat: ChatKey, after: int | None = None, after_rev: int | None = None) -> Awaitable[Page]:
        """Read the stored messages of a chat ``after`` a seq, or those changed ``after_rev``."""
        return self._services.chat.reading.missed_page(self.user, chat, after, after_rev)

    def missed(self, change: Publication) -> None:
        """Note a change of a stored message that the session misses while it is behind."""
        self.protocol.missed(change)

    def say_changes(self, chat: ChatKey, page: Page) -> bytes:
        """Encode the present states of a page of changes."""
        states = self._services.chat.reading.present_states(self.user, chat, page)
        return b"".join(
            self.protocol.event(Publication(state, (), place=ChangePlace(chat, state.rev, sender)))
            for state, sender in states
        )
