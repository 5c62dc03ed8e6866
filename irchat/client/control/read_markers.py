"""Read markers: the last message of each chat that the user has seen."""

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from irchat.client.connect.request_channel import Ask, Reply
from irchat.protocol import events, requests
from irchat.protocol.rules import MARKER_SECONDS


class ReadMarkers:
    """Report to the server how far the user has read each chat.

    A report is delayed by up to a second and covers everything read until then, so a flood of messages costs little.
    """

    def __init__(self, clock: IReactorTime, ask: Ask) -> None:
        self._clock = clock
        self._ask = ask
        self._seen: dict[str, int] = {}
        self._unreported: set[str] = set()
        self._report: IDelayedCall | None = None

    def know(self, chat: str, seq: int | None) -> None:
        """Record a position, ``seq``, that the server already knows and that needs no report."""
        self._seen[chat] = max(seq or 0, self._seen.get(chat, 0))

    def read(self, chat: str, seq: int | None) -> None:
        """Record that the user has read the chat up to ``seq``.

        ``seq`` is None for a timed message, which has no number. The server marks the timed messages as read when the
        marker is at the end of the chat, so the last known number is reported again.
        """
        self.know(chat, seq)
        self._unreported.add(chat)
        if self._report is None:
            self._report = self._clock.callLater(MARKER_SECONDS, self.report)

    def report(self) -> None:
        """Send all pending reports now."""
        if self._report is not None and self._report.active():
            self._report.cancel()
        self._report = None
        for chat in sorted(self._unreported):
            # Ignore errors: the chat may have been left, and a lost connection is reported elsewhere.
            self._ask(requests.Read(chat=chat, seq=self._seen[chat])).addErrback(lambda _: None)
        self._unreported.clear()

    def forget(self) -> None:
        """Forget everything: the server was restored from a backup."""
        self._seen.clear()
        self._unreported.clear()


class ShownMarkers(ReadMarkers):
    """Report the messages that a plain client has shown, as the server does for its own text protocol.

    ``timed_too``: whether the client shows the text of timed messages.
    """

    def __init__(self, clock: IReactorTime, ask: Ask, *, timed_too: bool) -> None:
        super().__init__(clock, ask)
        self._timed_too = timed_too

    def shown(self, event: Reply) -> None:
        """Record an event that was shown. The server marks the user's own messages and history as read by itself."""
        match event:
            case events.Message() if event.seq is not None or self._timed_too:
                self.read(event.chat, event.seq)
            case events.Sent():
                self.know(event.chat, event.seq)
            case events.History():
                for message in event.messages:
                    self.know(message.chat, message.seq)
            case events.Chats():
                for chat in event.chats:
                    self.know(chat.chat, chat.read_seq)
