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


class StoredPlace(Struct, frozen=True, gc=False):
    """The place of a stored message, by which it is found again for a reader that fell behind."""

    chat: ChatKey
    seq: int


class TimedPlace(Struct, frozen=True, gc=False):
    """The place of a timed message. ``order``: its number among all timed messages."""

    chat: ChatKey
    order: int


class ChangePlace(Struct, frozen=True, gc=False):
    """The place of a change of a stored message. ``sender``: the id of the sender of that message."""

    chat: ChatKey
    rev: int
    sender: int | None


Place = StoredPlace | TimedPlace | ChangePlace


class Publication(Struct, frozen=True, gc=False):
    """An event for the users that may see it now.

    ``audience``: the ids of users, or None for everyone. ``hidden``: users in the audience that do not receive it.
    ``instead``: what some of the hidden ones receive in its place, by the ids of the users.
    ``origin``: the id of the session that caused it, which does not receive it. ``place``: that of a message or a
    change. ``sign_in``: only the sessions of this sign-in receive it (see `sign_in_id`); a ``bye`` can have one.

    The garbage collector does not track it, so it must not be part of a reference cycle.
    """

    event: Event
    audience: Collection[int] | None
    hidden: Collection[int] = ()
    origin: int | None = None
    place: Place | None = None
    instead: Mapping[int, Event] | None = None
    sign_in: str | None = None


class Bus(Protocol):
    """Carries publications from the core to the sessions of their audiences."""

    def publish(self, publications: Sequence[Publication], /) -> None:
        """Deliver ``publications``, in this order, to every session of their audiences."""

    def publish_asides(self, publications: Sequence[Publication], /) -> None:
        """Deliver ``publications`` to the sessions of their audiences that want asides and have not fallen behind."""
