"""Encoding of replies in the protocol of a connection. Some change or expire while they wait."""

from collections.abc import Callable
from typing import Protocol

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


def perishable(protocol: ChatProtocol, context: object, reply: TimedReply, now: Callable[[], float]) -> Perishable:
    """Return the line of ``reply``, which is encoded again after waiting."""
    try:
        data = protocol.reply(context, reply.event(now()))
    except Exception:
        data = failed(protocol, context)
    return Perishable(data, lambda left_at: protocol.again(context, reply.event(left_at)), reply.until, now)
