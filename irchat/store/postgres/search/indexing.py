"""The search index: the words of the messages, written many at a time between the commits, without the turn.

All messages up to the id in the property ``indexed`` are in it, and only edited and deleted ones beyond it: so a batch
never overwrites, and a text that was read before it was edited or deleted cannot come back. A batch is one statement
that first compares and moves that id. So a batch needs no lock, and a node that hangs stops nobody. The lock of a batch
only saves two nodes the same work.
"""

import time
from collections.abc import Sequence
from typing import Any

import psycopg

from irchat.store.postgres.locks import INDEXING, PARTITIONING
from irchat.store.postgres.search.vectors import vector

INDEXED_TOGETHER = 1_024
"""The messages of a batch."""
# The characters of a batch: their words are found under the interpreter's lock, beside the reactor.
_CHARACTERS = 65_536
# The ids of one partition of the table.
PARTITION = 1_000_000

# Seconds that a search waits for another node that indexes.
_PATIENCE_SECONDS = 0.5
_POLL_SECONDS = 0.01

_INDEXED = "(SELECT value::bigint FROM properties WHERE name = 'indexed')"
_STATE = f"SELECT {_INDEXED}, (SELECT coalesce(max(id), 0) FROM messages)"
_WAITING = "SELECT id, chat, seq, text FROM messages WHERE id > %s ORDER BY id LIMIT %s"
_BRING_IN = """
WITH moved AS (
    UPDATE properties SET value = %(last)s WHERE name = 'indexed' AND value = %(first)s RETURNING 1
)
INSERT INTO places (id, chat, seq, words)
SELECT new.id, new.chat, new.seq, new.words::tsvector FROM moved,
    unnest(%(ids)s::bigint[], %(chats)s::bigint[], %(seqs)s::bigint[], %(words)s::text[]) AS new (id, chat, seq, words)
ON CONFLICT (id) DO NOTHING
"""
_REPLACE = """
INSERT INTO places (id, chat, seq, words) VALUES (%s, %s, %s, %s::tsvector)
ON CONFLICT (id) DO UPDATE SET words = excluded.words
"""
_REMOVE = f"""
WITH gone AS (DELETE FROM places WHERE id = ANY(%(ids)s::bigint[]) AND id <= {_INDEXED})
INSERT INTO places (id, chat, seq, words)
SELECT id, 0, 0, '' FROM unnest(%(ids)s::bigint[]) AS id WHERE id > {_INDEXED} ORDER BY id
ON CONFLICT (id) DO UPDATE SET words = excluded.words
"""
_EXIST = "SELECT count(to_regclass(name)) FROM unnest(%s::text[]) AS name"

_Connection = psycopg.Connection[Any]


def index_batch(connection: _Connection, least: int = 1) -> int:
    """Index some of the oldest waiting messages, if at least ``least`` wait. Return how many.

    ``connection`` is in autocommit mode. Return 0 if another node is indexing. Raises psycopg.Error.
    """
    if not _one(connection, "SELECT pg_try_advisory_lock(%s::int, %s::int)", *INDEXING):
        return 0
    try:
        return _bring_in(connection, least)
    finally:
        if not connection.closed:
            connection.execute("SELECT pg_advisory_unlock(%s::int, %s::int)", INDEXING)


def index_all(connection: _Connection) -> None:
    """Index all messages that were committed before the call. Raises psycopg.Error."""
    indexed, target = waiting(connection)
    patience = time.monotonic() + _PATIENCE_SECONDS
    while indexed < target:
        if not index_batch(connection):
            if time.monotonic() > patience:
                _bring_in(connection, 1)
            else:
                time.sleep(_POLL_SECONDS)
        indexed, last = waiting(connection)
        target = min(target, last)  # the last ones may have been deleted meanwhile


def replace_words(connection: _Connection, message_id: int, chat: int, seq: int, text: str) -> None:
    """Index the new text of a message, in the transaction that changes it."""
    _make_partitions(connection, [message_id])
    connection.execute(_REPLACE, (message_id, chat, seq, vector(chat, text)))


def remove_words(connection: _Connection, ids: list[int]) -> None:
    """Remove messages from the index, in the transaction that deletes them.

    A message that waits for the index leaves an empty row, so that it does not enter it any more.
    """
    if ids:
        _make_partitions(connection, ids)
        connection.execute(_REMOVE, {"ids": ids})


def _bring_in(connection: _Connection, least: int) -> int:
    first, _ = waiting(connection)
    rows = connection.execute(_WAITING, (first, INDEXED_TOGETHER)).fetchall()
    if len(rows) < least:
        return 0
    room = _CHARACTERS
    count = 0
    for *_, text in rows:
        room -= len(text)
        if room < 0 and count:
            break
        count += 1
    ids, chats, seqs, texts = zip(*rows[:count], strict=True)
    _make_partitions(connection, ids)
    connection.execute(
        _BRING_IN,
        {
            "first": str(first),
            "last": str(ids[-1]),
            "ids": list(ids),
            "chats": list(chats),
            "seqs": list(seqs),
            "words": [vector(chat, text) for chat, text in zip(chats, texts, strict=True)],
        },
    )
    return count


def _make_partitions(connection: _Connection, ids: Sequence[int]) -> None:
    """Make the partitions of ids, and the next one, if they do not exist."""
    numbers = {message_id // PARTITION for message_id in ids}
    names = {f"places_{number}": number for number in sorted(numbers | {max(numbers) + 1})}
    if _one(connection, _EXIST, list(names)) == len(names):
        return
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s::int, %s::int)", PARTITIONING)
        for name, number in names.items():
            if not _one(connection, _EXIST, [name]):
                # Attached, because making it as a partition would lock out those who read.
                connection.execute(f"CREATE TABLE {name} (LIKE places INCLUDING ALL)")
                connection.execute(
                    f"ALTER TABLE places ATTACH PARTITION {name}"
                    f" FOR VALUES FROM ({number * PARTITION}) TO ({(number + 1) * PARTITION})"
                )


def waiting(connection: _Connection) -> tuple[int, int]:
    """Return the id up to which all messages are indexed, and the last id of all."""
    indexed, last = connection.execute(_STATE).fetchone() or (0, 0)
    return indexed, last


def _one(connection: _Connection, sql: str, *values: object) -> Any:
    row = connection.execute(sql, values).fetchone()
    return None if row is None else row[0]
