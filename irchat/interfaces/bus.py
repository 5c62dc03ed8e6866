"""The contract of a bus, and the publications that it carries."""

from collections.abc import Collection, Sequence
from typing import Protocol

from msgspec import Struct

from irchat.interfaces.stored import ChatKey
from irchat.protocol.events import Event


class MemberIds(frozenset[int]):
    """The ids of a group's members: the same object until they change, so what is computed for it can be cached."""


class Publication(Struct, frozen=True, gc=False):
    """An event for the users that may see it at this moment.

    ``audience``: ids of users, None for everyone. ``hidden``: users of the audience that do not get it. ``origin``: the
    id of the session that caused it and does not get it. ``position``: the chat and seq of a stored message, by which a
    reader that fell behind finds it again. ``timed``: the chat of a timed message, and its place in the order of all.

    The garbage collector does not track it: nothing that it refers to may refer to it.
    """

    event: Event
    audience: Collection[int] | None
    hidden: Collection[int] = ()
    origin: int | None = None
    position: tuple[ChatKey, int] | None = None
    timed: tuple[ChatKey, int] | None = None


class Bus(Protocol):
    """Carries publications from the core to the sessions of their audiences."""

    def publish(self, publications: Sequence[Publication], /) -> None:
        """Bring ``publications``, in this order, to every session of their audiences."""
