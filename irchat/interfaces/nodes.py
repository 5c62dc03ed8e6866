"""The contracts between the core and the other nodes, for what no store keeps: timed messages and presence."""

from collections.abc import Collection, Sequence
from typing import Protocol

from msgspec import Struct
from twisted.internet.defer import Deferred

from irchat.interfaces.stored import ChatKey


class TimedCopy(Struct, frozen=True):
    """A timed message on its way to another node.

    ``at`` and ``expires_at`` (ms since the epoch) are for display. ``left_ms``: the remaining time when it was sent.
    ``to``: the ids of the users that it mentions. ``nonce``: that of its sender, which the other nodes remember too.
    """

    id: str
    chat: ChatKey
    sender: int
    text: str
    at: int
    expires_at: int
    left_ms: int
    to: tuple[int, ...] = ()
    nonce: str | None = None


class OtherNodes(Protocol):
    """The other nodes, as the core sees them. Without a cluster there is none of this.

    The sender of a timed message is answered when every node that can be heard has delivered it, half a second later
    at most.
    """

    def send(self, copy: TimedCopy) -> Deferred[frozenset[int]]:
        """Give a new timed message to the other nodes. The result: the users that it reached there.

        Fails with Refusal ``unavailable`` while the nodes cannot hear each other.
        """

    def took_back(self, chat: ChatKey, ids: Collection[str]) -> None:
        """Say that timed messages ended early."""

    def read(self, user: int, chat: ChatKey, ids: Collection[str]) -> None:
        """Say that a user has read timed messages."""

    def came(self, user: int) -> None:
        """Say that a user is online on this node."""

    def went(self, user: int) -> None:
        """Say that a user is no longer online on this node."""


class ThisNode(Protocol):
    """The core, as the other nodes see it. All calls come when this node has applied the position of the sender."""

    def receive(self, copy: TimedCopy) -> frozenset[int]:
        """Add a timed message that was sent on another node. Return the users that it reaches here at once.

        Membership, blocks and removals are checked again by the state of this node. A known id changes nothing.
        """

    def end(self, chat: ChatKey, ids: Collection[str]) -> None:
        """End timed messages early."""

    def note_read(self, user: int, chat: ChatKey, ids: Collection[str]) -> None:
        """Note that a user has read timed messages on another node."""

    def live(self) -> Sequence[tuple[TimedCopy, frozenset[int]]]:
        """Return all live timed messages, for a node that starts, each with the users that have read it."""

    def set_online(self, node: str, users: Collection[int]) -> None:
        """Replace the users that are online on another node. Without users, the node is gone."""

    def came(self, node: str, user: int) -> None:
        """Note that a user is online on another node."""

    def went(self, node: str, user: int) -> None:
        """Note that a user is no longer online on another node."""

    def online_here(self) -> Collection[int]:
        """Return the users that are online on this node."""
