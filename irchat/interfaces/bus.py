"""The contract of a bus, and the publications that it carries."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from irchat.interfaces.stored import ChatKey
from irchat.protocol.events import Event


class MemberIds(frozenset[int]):
    """The ids of the members of a group. The same object until they change, so results for it can be cached."""


def sign_in_id(token: bytes) -> str:
    """Return the public id of the sign-in with this token (its hash). It reveals nothing about the token."""
    return hashlib.sha256(token).hexdigest()[:16]


class Publication(Struct, frozen=True, gc=False):
    """An event for the users that may see it now.

    ``audience``: the ids of users, or None for everyone. ``hidden``: users in the audience that do not receive it.
    ``instead``: what some of the hidden ones receive in its place, by the ids of the users.
    ``origin``: the id of the session that caused it, which does not receive it. ``position``: the chat and seq of a
    stored message, used to find it again for a reader that fell behind. ``timed``: the chat of a timed message, and its
    order among all timed messages. ``change``: the chat and rev of a change of a stored message, and ``of`` the id of
    the sender of that message. ``sign_in``: only the sessions of this sign-in receive it (see
    `sign_in_id`); a ``bye`` can have one.

    The garbage collector does not track it, so it must not be part of a reference cycle.
    """

    event: Event
    audience: Collection[int] | None
    hidden: Collection[int] = ()
    origin: int | None = None
    position: tuple[ChatKey, int] | None = None
    timed: tuple[ChatKey, int] | None = None
    change: tuple[ChatKey, int] | None = None
    instead: Mapping[int, Event] | None = None
    of: int | None = None
    sign_in: str | None = None


class Bus(Protocol):
    """Carries publications from the core to the sessions of their audiences."""

    def publish(self, publications: Sequence[Publication], /) -> None:
        """Deliver ``publications``, in this order, to every session of their audiences."""

    def publish_asides(self, publications: Sequence[Publication], /) -> None:
        """Deliver ``publications`` to the sessions of their audiences that want asides and have not fallen behind."""
