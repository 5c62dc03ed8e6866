"""A pending request of a session."""

from typing import Protocol

from msgspec import Struct
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from irchat.chat.messages import TimedSent
from irchat.chat.read_state import TimedPage
from irchat.commands import Command
from irchat.protocol import events, requests
from irchat.protocol.errors import Refusal
from irchat.server.sessions.costs import Cost

Reply = events.Event | TimedPage | TimedSent


class Answering(Protocol):
    """The interface of a session to its requests."""

    def answer(self, reply: Reply, asked: "Asked", /) -> None:
        """Send the reply."""

    def fail(self, failure: Failure, asked: "Asked", /) -> None:
        """Send the error."""


_NO_REQUEST = Cost(work=0)  # charged for a refusal


class Asked(Struct, eq=False):
    """A request, or the refusal of an invalid line. It waits for its turn, then keeps the place of its reply.

    It receives the outcome of its change (`irchat.chat.commits.ResultHandler`).
    """

    session: Answering
    context: object
    exclusive: bool = True
    """Whether no other request runs at the same time."""
    command: type[Command] | None = None
    request: requests.Request | None = None
    refusal: Refusal | None = None
    typed: bool = False
    """Whether it was sent as a typed line."""
    cost: Cost = _NO_REQUEST
    reply: Reply | None = None
    waits_for: Deferred[Reply] | None = None

    def callback(self, reply: Reply) -> None:
        self.session.answer(reply, self)

    def errback(self, failure: Failure) -> None:
        self.session.fail(failure, self)
