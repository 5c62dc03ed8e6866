"""The cost of each request: its work on the server, and the number of messages that it counts as."""

from collections.abc import Callable
from typing import NamedTuple

from irchat.chat.state.entities import User
from irchat.commands.inquiries import Inquiry
from irchat.protocol import requests


class Cost(NamedTuple):
    """The cost of one kind of request.

    ``work``: milliseconds of server time, without the cost of a long reply. Requests of a user without work left have
    to wait. ``messages``: the number of messages that the request counts as. A request above the
    rate is refused. ``messages`` is a function of the request and its user if the request writes or sends much.
    """

    work: float
    messages: float | Callable[[requests.Request, User], float] = 0


WORK_A_SECOND = 250.0
"""Milliseconds of work per second for one user: about 40 pages of 256 KiB."""
WORK_AT_ONCE = 500.0
ADDRESS_SHARE = 1.5
"""The work for all connections from one address, as a multiple of the work for a user."""

WORK_OF_CONNECTION = 2.0
"""The work of a TLS handshake, charged to the address."""
WORK_OF_PAGE = 0.3
"""The work of an HTTP request, charged to the address."""
WORK_OF_LINE = 0.02
"""The work of each line, even of one without a request, such as an empty one or a ``pong``."""
WORK_OF_QUESTION = 0.3
"""The work of a question in the text protocol, such as the one for a name, and of reading its answer."""
WORK_OF_REFUSED_LINE = 0.5
"""The additional work of a refused request: an invalid line is parsed twice."""
WORK_OF_RECIPIENT = 0.008
"""The work of a message for each session that receives it, charged to the sender."""
BYTES_OF_MS = 50_000
"""The bytes of a long line or reply that take one millisecond to read, decode or encode, and send."""

_SIGN_IN = Cost(work=10)


def _group(request: requests.Request, user: User) -> float:
    """Return the messages for a new group: a row and an event for each member."""
    assert isinstance(request, requests.CreateGroup)
    return 1 + len(request.members) / 50


def _amendment(request: requests.Request, user: User) -> float:
    """Return the messages for an edit, which is indexed again, or for a deletion."""
    assert isinstance(request, requests.Amend | requests.AmendLast)
    return 1 if request.text is None else 2


def _alert(request: requests.Request, user: User) -> float:
    assert isinstance(request, requests.Alert)
    return 0 if request.alert is None else 1


COSTS: dict[type[requests.Request], Cost] = {
    requests.Send: Cost(0.3, 1),
    requests.Notice: Cost(0.3, 1),
    requests.Signal: Cost(0.3),
    requests.Amend: Cost(0.5, _amendment),
    requests.AmendLast: Cost(0.5, _amendment),
    requests.Mark: Cost(0.3, 1),
    requests.Alert: Cost(1, _alert),
    requests.CreateGroup: Cost(1, _group),
    requests.AddMember: Cost(1, 1),
    requests.RemoveMember: Cost(1, 1),
    # The list of blocks goes to all sessions of the user.
    requests.Block: Cost(1, lambda _, user: 1 + len(user.blocking) / 200),
    requests.Password: Cost(1, 5),
    requests.Sessions: Cost(2),
    requests.EndSessions: Cost(2, 1),
    requests.EndListed: Cost(2, 1),
    requests.Kick: Cost(1, 1),
    requests.Ban: Cost(1, 1),
    requests.Unban: Cost(1, 1),
    requests.Register: _SIGN_IN,
    requests.Login: _SIGN_IN,
    requests.Resume: _SIGN_IN,
    requests.Vouch: _SIGN_IN,
    requests.KeyOf: Cost(1),
    requests.Keys: Cost(1),
    requests.AddKey: Cost(1, 1),
    requests.RemoveKey: Cost(1, 1),
    requests.Logout: Cost(1),
    requests.History: Cost(1),
    requests.Search: Cost(25),
    requests.Chats: Cost(2),
    requests.Read: Cost(0.5),
    requests.Users: Cost(5),
    requests.Members: Cost(0.3),
    requests.Blocks: Cost(0.3),
    requests.Help: Cost(0.3),
    requests.Ping: Cost(0.1),
    Inquiry: Cost(4),
}
"""By request type. A ``line`` costs as much as its command."""


def messages_of(cost: Cost, request: requests.Request, user: User) -> float:
    """Return the number of messages that ``request`` of ``user`` counts as."""
    return cost.messages(request, user) if callable(cost.messages) else cost.messages
