"""Read the commits of other nodes from the log."""

from typing import NamedTuple

from irchat.interfaces.entry_codec import decode
from irchat.interfaces.log import LogBatch
from irchat.interfaces.stored import Stored
from irchat.interfaces.writes import Entry, MessageAdded
from irchat.store.postgres.connecting import Connection
from irchat.store.postgres.log.positions import Origin

# Includes the row of the applied commit, if it still exists, to check that the other rows follow it.
_LOG = "SELECT pos, prev, node, batch FROM log WHERE pos >= %s ORDER BY pos LIMIT %s"
_CHANGES = "SELECT id, what FROM changes WHERE id > %s AND id <= %s"
_MESSAGES = """
SELECT messages.id, chat, low, high, seq, sender, at, text, notice,
(SELECT array_agg(user_id ORDER BY user_id) FROM mentions
WHERE mentions.chat = messages.chat AND mentions.seq = messages.seq)
FROM messages JOIN chats ON chats.id = messages.chat WHERE messages.id > %s AND messages.id <= %s
"""


class CannotFollow(Exception):
    """The log no longer holds what comes after the applied position, or the database went back to an older state.

    ``went_back``: whether the database went back.
    """

    def __init__(self, went_back: bool) -> None:
        super().__init__(
            "the database went back to an older state" if went_back else "the log no longer holds the next commit"
        )
        self.went_back = went_back


class Commits(NamedTuple):
    """Commits of other nodes, with the origin of each by position. ``more``: whether more may follow now."""

    batches: list[LogBatch]
    origins: dict[int, Origin]
    more: bool


class Reader(NamedTuple):
    """Reads the commits of all but one node. ``since``: the first batch of this run of the node.

    A commit of an earlier run may still arrive after the start.
    """

    node: int
    since: int

    def read(self, connection: Connection, position: int, origin: Origin | None, most: int) -> Commits:
        """Read up to ``most`` commits after the applied ``position``, up to the first one of this node.

        Raises CannotFollow, psycopg.Error, or `irchat.interfaces.entry_codec.UnknownEntry`.
        """
        rows = connection.execute(_LOG, (position, most + 1)).fetchall()
        rest = _after(rows, position, origin)
        found = rest
        for index, (_, _, node, batch) in enumerate(rest):
            if node == self.node and batch >= self.since:
                found = rest[:index]
                break
        if not found:
            return Commits([], {}, False)
        with connection.pipeline():
            span = position, found[-1][0]
            changes = connection.execute(_CHANGES, span)
            messages = connection.execute(_MESSAGES, span)
        entries = [(number, decode(what)) for number, what in changes]
        entries += [(row[0], _added(*row)) for row in messages]
        entries.sort(key=lambda one: one[0], reverse=True)
        batches = []
        for last, *_ in found:
            of_commit = []
            while entries and entries[-1][0] <= last:
                of_commit.append(entries.pop()[1])
            batches.append(LogBatch(last, tuple(of_commit)))
        origins = {last: (node, batch) for last, _, node, batch in found}
        return Commits(batches, origins, len(rows) > most)


def _after(
    rows: list[tuple[int, int, int, int]], position: int, origin: Origin | None
) -> list[tuple[int, int, int, int]]:
    """Return the commits after the applied one. Raises CannotFollow if they do not continue it."""
    if not rows:
        if position:
            raise CannotFollow(went_back=True)
        return rows
    first, before, *of_first = rows[0]
    if first == position:
        if origin is not None and tuple(of_first) != origin:
            raise CannotFollow(went_back=True)
        return rows[1:]
    if before != position:
        raise CannotFollow(went_back=before < position)
    return rows


def _added(
    number: int,
    chat: int,
    low: int | None,
    high: int | None,
    seq: int,
    sender: int,
    at: int,
    text: str,
    notice: bool,
    mentions: list[int] | None,
) -> Entry:
    key = chat if low is None or high is None else (low, high)
    to = tuple(mentions or ())
    write = MessageAdded(key, sender, text, at, None, 0, to, notice=notice)
    return Entry(write, Stored(key, seq, at, repeated=False, to=to))
