"""The contracts between the core and the other nodes for data that is not stored: timed messages, presence, counts."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Protocol

from msgspec import Struct
from twisted.internet.defer import Deferred

from irchat.interfaces.stored import ChatKey

ANSWER_SECONDS = 0.5
"""Seconds until the sender of a timed message is answered, even if not all nodes have reported whom it reached."""


class TimedCopy(Struct, frozen=True):
    """A timed message on its way to another node.

    ``at`` and ``expires_at`` (ms since the epoch) are for display. ``left_ms``: the remaining time when it was sent.
    ``to``: the ids of the users that it mentions. ``nonce``: that of its sender, which the other nodes remember too.
    ``audience``: the members of a group when it was sent, because later ones may not see it. ``followed_by``: see
    `irchat.chat.timed.timed_chat.TimedMessage`. ``reached`` and ``of``: the numbers in the answer to its sender, as far
    as they are known.
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
    audience: tuple[int, ...] | None = None
    followed_by: int = 0
    reached: int = 0
    of: int = 0

    def __repr__(self) -> str:
        """Return it without its text, which must reach no log."""
        return f"TimedCopy({self.id!r})"


class LiveTimed(Struct, frozen=True):
    """Some live timed messages of one chat, in the order of sending, and the users that have read them.

    ``audience``: that of each copy without its own. ``reads``: spans of messages that a user has read: the user, the
    first and last index in ``copies``, and the senders whose messages in between it has not read.
    """

    copies: tuple[TimedCopy, ...]
    audience: tuple[int, ...] | None = None
    reads: tuple[tuple[int, int, int, tuple[int, ...]], ...] = ()


class NodeRow(Struct, frozen=True):
    """A node in the administrator's list.

    ``lag``: the log entries that it has not applied. ``silent``, ``bus_silent``: seconds since it was last heard, and
    since the bus last worked for it (None without a bus).
    """

    name: str
    version: int
    position: int
    lag: int
    sessions: int
    silent: float
    bus_silent: float | None


class OtherNodes(Protocol):
    """The other nodes, as the core sees them. A single server has none.

    The sender of a timed message is answered when every reachable node has delivered it, after `ANSWER_SECONDS` at the
    latest.
    """

    @property
    def is_connected(self) -> bool:
        """Whether messages to the other nodes can be sent now. Otherwise timed messages are refused."""

    def send(self, copy: TimedCopy) -> Deferred[frozenset[int]]:
        """Send a new timed message to the other nodes. The result: the users that it reached there."""

    def answered(self, timed_id: str, reached: int) -> None:
        """Report the number of users that a timed message with a nonce reached, as in the answer to its sender."""

    def ended(self, ids: Collection[str]) -> None:
        """Drop the texts of timed messages that have ended on this node."""

    def took_back(self, ended: Sequence[tuple[str, int]]) -> None:
        """Report that timed messages ended early (see `ThisNode.forget`)."""

    def read(self, user: int, chat: ChatKey, ids: Collection[str], seq: int | None = None) -> None:
        """Report that a user has read timed messages. ``seq``: see `ThisNode.note_read`."""


class ThisNode(Protocol):
    """The core, as the other nodes see it. Each call is made after this node has applied the position of the sender."""

    def receive(self, copy: TimedCopy) -> frozenset[int]:
        """Add a timed message that was sent on another node. Return the users that it reaches here at once.

        Membership, blocks and removals are checked again with the state of this node. A known id changes nothing.
        """

    def note_answered(self, timed_id: str, reached: int) -> None:
        """Note the number of users that a timed message reached, as in the answer to its sender."""

    def note_read(self, users: Collection[int], chat: ChatKey, ids: Collection[str], seq: int | None = None) -> None:
        """Note that users have read timed messages on another node.

        ``seq``: the read marker to send to their sessions here, if the marker itself did not move.
        """

    def live(self) -> Iterator[LiveTimed]:
        """Yield all live timed messages in parts, for a node that starts. Each part is created on request."""

    def ended(self) -> Sequence[tuple[str, int]]:
        """Return the arguments of `forget` for another node."""

    def learn(self, live: LiveTimed) -> None:
        """Add the live timed messages of another node that are not known here, and what users have read of all."""

    def forget(self, ended: Sequence[tuple[str, int]]) -> None:
        """End messages early. Each has an id and the milliseconds within which its late copies are ignored."""


class OtherPresence(Protocol):
    """The presence of the other nodes, as the presence of this node sees it."""

    def came(self, user: int, sessions: int, sign_ins: tuple[str, ...]) -> None:
        """Report that a user is online on this node, with this many sessions. Called when their number changes.

        ``sign_ins``: the `irchat.interfaces.bus.sign_in_id` of each session that has one.
        """

    def went(self, user: int) -> None:
        """Report that a user is no longer online on this node."""


class ThisPresence(Protocol):
    """The presence of this node, as the other nodes see it. ``sessions`` are numbers of sessions.

    ``sign_ins``: see `OtherPresence.came`.
    """

    def set_online(
        self, node: str, sessions: Mapping[int, int], sign_ins: Mapping[int, tuple[str, ...]] | None = None
    ) -> None:
        """Replace the users that are online on another node. Without users, the node is gone."""

    def came(self, node: str, user: int, sessions: int, sign_ins: tuple[str, ...] = ()) -> None:
        """Note that a user is online on another node, or that the number of its sessions there changed."""

    def went(self, node: str, user: int) -> None:
        """Note that a user is no longer online on another node."""

    def sign_ins_here(self) -> Mapping[int, tuple[str, ...]]:
        """Return the sign-ins of the users that are online on this node."""

    def online_here(self) -> Mapping[int, int]:
        """Return the users that are online on this node, each with the number of its sessions."""


class OtherAdmissions(Protocol):
    """The admissions of the other nodes, as the admission of this node sees them."""

    def failed(self, keys: Sequence[str], *, succeeded: bool) -> None:
        """Report that a sign-in for these keys (an address, a name) failed, or succeeded and ended their count."""

    def registered(self, address: str) -> None:
        """Report that an account was created from ``address``."""

    def set_sessions(self, address: str, sessions: int) -> None:
        """Report the number of sessions of ``address`` on this node."""

    def sessions_of(self, address: str) -> int:
        """Return the number of sessions of ``address`` on all other nodes."""


class ThisAdmission(Protocol):
    """The admission of this node, as the other nodes see it."""

    def note_failed(self, keys: Sequence[str], *, succeeded: bool) -> None:
        """Note that a sign-in for these keys failed on another node, or succeeded there."""

    def note_registered(self, address: str) -> None:
        """Note that an account was created from ``address`` on another node."""

    def sessions_here(self) -> Mapping[str, int]:
        """Return the number of sessions of each address on this node."""
