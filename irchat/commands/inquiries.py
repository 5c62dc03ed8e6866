"""Inquiries: what a protocol reads for its user, in the order of the requests of its session."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from irchat.commands.base import Caller, Command, Outcome, Services
from irchat.protocol import events, requests

if TYPE_CHECKING:
    from irchat.chat.state.entities import User


class Encoded(events.Event, frozen=True):
    """The reply to an inquiry, as the client gets it. It never leaves the protocol that asked."""

    data: bytes


class Inquiry(requests.Request, frozen=True, kw_only=True):
    """Call ``read`` after all earlier requests. Only a protocol makes it, never a client."""

    read: "Callable[[User], Awaitable[events.Event]]"


class Inquire(Command):
    """Run the function of an inquiry."""

    request = Inquiry

    @classmethod
    def run(cls, services: Services, caller: Caller, request: Inquiry) -> Outcome:
        return request.read(caller.user)
