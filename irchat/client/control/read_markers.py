"""Read markers: what was shown counts as read, as the server would have it for its own text protocol."""

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from irchat.client.connect.request_channel import Reply, RequestChannel
from irchat.protocol import events, requests
from irchat.protocol.rules import MARKER_SECONDS


class ReadMarks:
    """Tells the server how far its user has seen each chat, a second later at most, so that a flood costs little.

    ``timed_too``: the texts of timed messages are shown.
    """

    def __init__(self, clock: IReactorTime, channel: RequestChannel, *, timed_too: bool) -> None:
        self._clock = clock
        self._channel = channel
        self._timed_too = timed_too
        self._seen: dict[str, int] = {}
        self._untold: set[str] = set()
        self._telling: IDelayedCall | None = None

    def begin(self) -> None:
        """The user has signed in: ask how far each chat is read already."""
        self._channel.request(requests.Chats()).addCallbacks(self._saw_before, lambda _: None)

    def shown(self, event: events.Event) -> None:
        """An event was shown: messages of others, or the reply that tells of one's own or of a page of history.

        A stored message is read as far as its number. A timed one has none; it is read with the end of its chat, so
        what was read of the chat before is told again.
        """
        match event:
            case events.Message() if event.seq is not None or self._timed_too:
                self._saw(event.chat, event.seq)
                self._untold.add(event.chat)
                if self._telling is None:
                    self._telling = self._clock.callLater(MARKER_SECONDS, self.tell)
            case events.Sent():
                self._saw(event.chat, event.seq)
            case events.History():
                for message in event.messages:
                    self._saw(message.chat, message.seq)

    def tell(self) -> None:
        """Tell the server now what it has not been told yet."""
        if self._telling is not None and self._telling.active():
            self._telling.cancel()
        self._telling = None
        for chat in sorted(self._untold):
            reply = self._channel.request(requests.Read(chat=chat, seq=self._seen[chat]))
            reply.addErrback(lambda _: None)  # a loss is told by the session; nobody waits for this
        self._untold.clear()

    def _saw_before(self, reply: Reply) -> None:
        if isinstance(reply, events.Chats):
            for chat in reply.chats:
                self._saw(chat.chat, chat.read_seq)

    def _saw(self, chat: str, seq: int | None) -> None:
        self._seen[chat] = max(seq or 0, self._seen.get(chat, 0))
