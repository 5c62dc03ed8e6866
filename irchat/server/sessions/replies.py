"""Replies as a connection's protocol says them; some hold what changes, or ends, while they wait to be sent."""

import math
from collections.abc import Callable
from typing import Any

from msgspec.structs import replace
from twisted.logger import Logger

from irchat.chat.read_state import TimedPage
from irchat.protocol import events
from irchat.protocol.errors import Code
from irchat.server.delivery.perishable import Perishable
from irchat.server.protocols.base import ChatProtocol

_log = Logger()


def said(protocol: ChatProtocol, context: Any, reply: events.Event) -> bytes:
    """The reply to the request that came with ``context``, in the words of ``protocol``."""
    try:
        return protocol.reply(context, reply)
    except Exception:
        _log.failure("a reply could not be given")
        text = "The server has an answer but cannot give it, by an error of its own."
        return protocol.reply(context, events.Error(code=Code.INTERNAL.value, text=text))


def perishable(
    protocol: ChatProtocol, context: Any, reply: TimedPage | events.Sent, now: Callable[[], float]
) -> Perishable:
    """A reply that tells how long timed messages still live: it is said again when it has waited."""
    if isinstance(reply, TimedPage):
        return _perishable(protocol, context, reply.event, reply.until, now)
    end = now() + (reply.left_ms or 0) / 1000
    return _perishable(
        protocol,
        context,
        lambda left_at: replace(reply, left_ms=max(0, round((end - left_at) * 1000))),
        lambda: math.inf,
        now,
    )


def _perishable(
    protocol: ChatProtocol,
    context: Any,
    event: Callable[[float], events.Event],
    until: Callable[[], float],
    now: Callable[[], float],
) -> Perishable:
    """``event`` is the reply, with what is left of messages at a moment."""
    return Perishable(
        said(protocol, context, event(now())), lambda left_at: protocol.again(context, event(left_at)), until, now
    )
