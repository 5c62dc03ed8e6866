"""The contract of a log that several nodes share: every commit of every node, in one order.

Each node applies the whole log to its memory, in order. A node commits only in its *turn*, after it has applied all
earlier commits, so each change is checked against the committed state of all nodes. A store without such a log belongs
to one node.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from twisted.internet.defer import Deferred

from irchat.interfaces.writes import Entry, Write


class LogBatch(NamedTuple):
    """A commit of another node: its entries, in order, and its ``position`` in the log. Positions rise."""

    position: int
    entries: tuple[Entry, ...]


class Committed(NamedTuple):
    """A commit of this node: its ``position`` in the log, and the result of each write."""

    position: int
    results: list[object]


class SharedLog(Protocol):
    """The log as the core of one node uses it. Any Deferred may fail with Refusal ``unavailable``, without changes.

    Only commits of other nodes are read from it: the core applies its own when they are committed. ``on_news`` is set
    by the core, and called in the reactor's thread when `read` may return something. ``on_reset`` is called when the
    node can no longer follow: its memory must be loaded again by `Store.snapshot`, and all its sessions end.

    ``position``: everything up to it is applied. It begins as that of the last snapshot.
    """

    position: int
    on_news: Callable[[], None]
    on_reset: Callable[[], None]

    def begin(self) -> Deferred[Sequence[LogBatch]]:
        """Take the turn. The result is all commits of other nodes that are not applied yet: apply them first.

        The turn ends with `commit` or `cancel`. It is taken away from a node that keeps it for long.
        """

    def commit(self, writes: Sequence[Write[object]]) -> Deferred[Committed]:
        """Commit all ``writes`` or none, in the turn, and end the turn. Result: see `Store.commit`.

        Writes that only look something up leave the log as it is. The position is then that of the turn.

        If the turn was taken away, the Deferred fails with `TurnLost`: nothing was written, take a new turn and check
        the changes again.
        """

    def cancel(self) -> None:
        """End the turn without writing anything."""

    def read(self) -> Deferred[Sequence[LogBatch]]:
        """Return the commits of other nodes after the last applied position, up to the first one of this node."""

    def note_applied(self, position: int) -> None:
        """Note that the core has applied and published everything up to ``position``. Reads wait for that."""

    def caught_up(self) -> Deferred[None]:
        """Return a Deferred that fires when this node has applied everything that was committed before this call."""


class TurnLost(Exception):
    """The turn was taken away before the commit."""
