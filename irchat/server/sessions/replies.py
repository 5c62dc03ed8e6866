"""Encoding of replies in the protocol of a connection. Some change or expire while they wait."""

import math
from collections.abc import Callable
from typing import Protocol

from msgspec.structs import replace
from twisted.logger import Logger

from irchat.protocol import events
from irchat.protocol.errors import Code
from irchat.server.delivery.perishable import Perishable
from irchat.server.protocols.base import ChatProtocol

_log = Logger()


def failed(protocol: ChatProtocol, context: object) -> bytes:
    """Log the exception that ``protocol`` raised for a reply. Return the error to send instead."""
    _log.failure("a reply could not be encoded")
    text = "Internal error; the request ran, but its reply is lost. Tell the administrator."
    return protocol.reply(context, events.Error(code=Code.INTERNAL.value, text=text))


class TimedReply(Protocol):
    """A reply that changes while it waits, because it contains timed messages."""

    def event(self, left_at: float, /) -> events.Event:
        """Return the reply with the remaining time of each message at a time of the forward clock."""

    def until(self) -> float:
        """Return the earliest end of a message in the last `event`, or infinity."""


class TimedReceipt:
    """The reply to the sender of a timed message. It contains no text, so it may wait without limit."""

    def __init__(self, sent: events.Sent, now: float) -> None:
        self._sent = sent
        self._end = now + (sent.left_ms or 0) / 1000

    def event(self, left_at: float) -> events.Event:
        """See `TimedReply`."""
        return replace(self._sent, left_ms=max(0, round((self._end - left_at) * 1000)))

    def until(self) -> float:
        """See `TimedReply`."""
        return math.inf


def perishable(protocol: ChatProtocol, context: object, reply: TimedReply, now: Callable[[], float]) -> Perishable:
    """Return the line of ``reply``, which is encoded again after waiting."""
    try:
        data = protocol.reply(context, reply.event(now()))
    except Exception:
        data = failed(protocol, context)
    return Perishable(data, lambda left_at: protocol.again(context, reply.event(left_at)), reply.until, now)
