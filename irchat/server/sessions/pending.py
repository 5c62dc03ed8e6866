"""A pending request of a session, and the encoding of its reply, which may change while it waits."""

from collections.abc import Callable
from typing import Protocol

from msgspec import Struct
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from irchat.chat.read_state import TimedPage
from irchat.chat.timed.timed_replies import TimedSent
from irchat.commands import Command
from irchat.protocol import events, requests
from irchat.protocol.errors import Code, Refusal
from irchat.server.delivery.perishable import Perishable
from irchat.server.protocols.base import ChatProtocol
from irchat.server.sessions.costs import Cost

_log = Logger()

TimedReply = TimedPage | TimedSent
"""A reply that changes while it waits, because it contains the remaining times of messages."""

Reply = events.Event | TimedReply


class Answering(Protocol):
    """The interface of a session to its requests."""

    def answer(self, reply: Reply, asked: "Asked", /) -> None:
        """Send the reply."""

    def fail(self, failure: Failure, asked: "Asked", /) -> None:
        """Send the error."""


_NO_REQUEST = Cost(work=0)  # charged for a refusal


class Asked(Struct, eq=False):
    """A request, or the refusal of an invalid line. It waits for its turn, then keeps the place of its reply.

    It receives the outcome of its change (`irchat.chat.changes.ResultHandler`).
    """

    session: Answering
    context: object
    exclusive: bool = True
    """Whether no other request runs at the same time."""
    command: type[Command] | None = None
    request: requests.Request | None = None
    refusal: Refusal | None = None
    typed: bool = False
    """Whether the request was sent as a typed line."""
    cost: Cost = _NO_REQUEST
    reply: Reply | None = None
    waits_for: Deferred[Reply] | None = None

    def callback(self, reply: Reply) -> None:
        self.session.answer(reply, self)

    def errback(self, failure: Failure) -> None:
        self.session.fail(failure, self)


class _Unheard:
    """Receives the outcome of a change that nobody waits for (`irchat.chat.changes.ResultHandler`)."""

    def callback(self, reply: object) -> None:
        pass

    def errback(self, failure: Failure) -> None:
        if not failure.check(Refusal):
            _log.failure("a change failed", failure)


UNHEARD = _Unheard()


def failed(protocol: ChatProtocol, context: object) -> bytes:
    """Log the exception that ``protocol`` raised for a reply. Return the error to send instead."""
    _log.failure("a reply could not be encoded")
    text = "Internal error; the request ran, but its reply is lost. Tell the administrator."
    return protocol.reply(context, events.Error(code=Code.INTERNAL.value, text=text))


def perishable(protocol: ChatProtocol, context: object, reply: TimedReply, now: Callable[[], float]) -> Perishable:
    """Return the line of ``reply``, which is encoded again after waiting."""
    try:
        data = protocol.reply(context, reply.event(now()))
    except Exception:
        data = failed(protocol, context)
    return Perishable(data, lambda left_at: protocol.again(context, reply.event(left_at)), reply.until, now)
