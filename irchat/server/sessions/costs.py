"""The cost of each request: the work that it makes for the server, and the messages that it counts as."""

from collections.abc import Callable
from typing import NamedTuple

from irchat.chat.state.entities import User
from irchat.protocol import requests


class Cost(NamedTuple):
    """The cost of one kind of request.

    ``work``: milliseconds of the server's time, besides those for the length of the reply. A user who has used up
    their work waits for more. ``messages``: how many messages the request counts as; above the rate it is refused. A
    function of the request and its user if much is written, or sent to others.
    """

    work: float
    messages: float | Callable[[requests.Request, User], float] = 0


WORK_A_SECOND = 250.0
"""Milliseconds of work that the server does for one user in a second: some 40 pages of 256 KiB."""
WORK_AT_ONCE = 500.0
ADDRESS_SHARE = 2.0
"""The work for all connections of one address, as a multiple of that for a user."""

WORK_OF_CONNECTION = 2.0
"""A TLS handshake, which is counted for the address."""
WORK_OF_REFUSED_LINE = 0.5
"""Whatever is refused costs this more: a line that is no request is read twice, and nobody has to ask so often."""
WORK_OF_RECIPIENT = 0.008
"""A message costs its sender this for each session that gets it."""
BYTES_OF_MS = 50_000
"""The bytes of a long line or reply that are read, decoded or encoded, and sent in one millisecond."""

_SIGN_IN = Cost(work=10)


def _group(request: requests.Request, user: User) -> float:
    """Count a row for each member, and an event to each."""
    assert isinstance(request, requests.CreateGroup)
    return 1 + len(request.members) / 50


def _block(request: requests.Request, user: User) -> float:
    """Count the list of blocks, which goes to all sessions of the user."""
    return 1 + len(user.blocking) / 200


COSTS: dict[type[requests.Request], Cost] = {
    requests.Send: Cost(0.3, 1),
    requests.CreateGroup: Cost(1, _group),
    requests.AddMember: Cost(1, 1),
    requests.RemoveMember: Cost(1, 1),
    requests.Block: Cost(1, _block),
    requests.Password: Cost(1, 5),
    requests.Kick: Cost(1, 1),
    requests.Ban: Cost(1, 1),
    requests.Unban: Cost(1, 1),
    requests.Register: _SIGN_IN,
    requests.Login: _SIGN_IN,
    requests.Resume: _SIGN_IN,
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
}
"""By the request; a ``line`` costs what the typed command does."""


def messages_of(cost: Cost, request: requests.Request, user: User) -> float:
    """Return how many messages ``request`` of ``user`` counts as."""
    return cost.messages(request, user) if callable(cost.messages) else cost.messages
