"""The replies to the senders of timed messages, and the nonces by which a repeated message gets the first reply."""

import math
from collections.abc import Callable

from msgspec.structs import replace
from twisted.python.failure import Failure

from irchat.chat.changes import ResultHandler
from irchat.chat.state.entities import User
from irchat.chat.timed.timed_chat import TimedMessage, left_ms
from irchat.protocol.events import Sent
from irchat.protocol.rules import NONCE_SECONDS
from irchat.system.clock import rfc3339


class TimedSent:
    """The reply to the sender of a timed message. The remaining time changes while it waits, and in each repetition.

    In a cluster it is *open* until the recipients on other nodes are known. It contains no text, so it may wait
    without limit.
    """

    __slots__ = ("_end", "_sent", "_waiting")

    def __init__(self, timed: TimedMessage, reached: int, of: int, *, is_open: bool = False) -> None:
        chat, at, expires_at = timed.chat.label(timed.sender), rfc3339(timed.at), rfc3339(timed.expires_at)
        self._sent = Sent(chat=chat, at=at, id=timed.id, expires_at=expires_at, reached=reached, of=of)
        self._end = timed.end
        self._waiting: list[ResultHandler[TimedSent]] | None = [] if is_open else None

    @property
    def id(self) -> str:
        """The id of the message."""
        return self._sent.id or ""

    @property
    def reached(self) -> int:
        """The number of other users that received the message at once, as far as it is known."""
        return self._sent.reached or 0

    @property
    def of(self) -> int:
        """The number of other users that may see it."""
        return self._sent.of or 0

    @property
    def is_open(self) -> bool:
        """Whether the recipients on other nodes are not known yet."""
        return self._waiting is not None

    def settle(self, reached: int) -> None:
        """Set the number of recipients, and call the waiting handlers. Later calls do nothing."""
        if self._waiting is not None:
            waiting, self._waiting = self._waiting, None
            self._sent = replace(self._sent, reached=reached)
            for handler in waiting:
                handler.callback(self)

    def answer(self, handler: ResultHandler["TimedSent"]) -> None:
        """Pass this reply to ``handler`` when it is no longer open."""
        if self._waiting is None:
            handler.callback(self)
        else:
            self._waiting.append(handler)

    def until(self) -> float:
        """Return infinity: it never expires."""
        return math.inf

    def event(self, left_at: float) -> Sent:
        """Return the reply with the remaining time at a time of the forward clock."""
        return replace(self._sent, left_ms=left_ms(self._end, left_at))


class WhenSettled:
    """Passes the outcome of sending a timed message to ``handler`` when the reply is no longer open."""

    __slots__ = ("_handler",)

    def __init__(self, handler: ResultHandler[Sent | TimedSent]) -> None:
        self._handler = handler

    def callback(self, reply: Sent | TimedSent) -> None:
        """Accept the reply."""
        if isinstance(reply, TimedSent):
            reply.answer(self._handler)
        else:
            self._handler.callback(reply)

    def errback(self, failure: Failure) -> None:
        """Accept the failure."""
        self._handler.errback(failure)


class TimedNonces:
    """The nonces of the timed messages of the last ten minutes. They stay in memory: nothing of one is stored."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._sent: dict[tuple[int, str], tuple[float, TimedSent]] = {}

    def find(self, sender: int, nonce: str | None) -> TimedSent | None:
        """Return the reply to the message of the user ``sender`` with this nonce, or None."""
        if nonce is None:
            return None
        known = self._sent.get((sender, nonce))
        return known[1] if known is not None and known[0] > self._now() else None

    def remember(self, sender: User, nonce: str | None, sent: TimedSent) -> None:
        """Remember a nonce, and forget old ones."""
        now = self._now()
        while self._sent:
            oldest = next(iter(self._sent))
            if self._sent[oldest][0] > now:
                break
            del self._sent[oldest]
        if nonce is not None:
            self._sent[sender.id, nonce] = (now + NONCE_SECONDS, sent)

    def by_id(self) -> dict[str, tuple[str, TimedSent]]:
        """Return the nonce and the reply of each message, by the ids of the messages."""
        return {sent.id: (nonce, sent) for (_, nonce), (_, sent) in self._sent.items()}
