"""The work between the commits, without the turn: by whichever node has the lock of it.

It deletes the messages of ended groups a few at a time, old nonces, and what is old in the log.
"""

from irchat.interfaces.stored import GLOBAL
from irchat.store.postgres.connecting import Connection
from irchat.store.postgres.locks import CLEANING
from irchat.store.postgres.search.indexing import INDEXED_TOGETHER, index_batch
from irchat.store.postgres.writes.deletions import delete

# Maximum number of messages of an ended group deleted by one transaction, and of other rows.
_SWEPT_TOGETHER = 200
_ROWS_TOGETHER = 1_000
# A nonce is forgotten some time after the last moment at which a node could still look for it.
_NONCE_SECONDS = 900
# A node that is further behind loads everything again.
_LOG_SECONDS = 600

_ENDED = f"SELECT id FROM chats WHERE key IS NULL AND low IS NULL AND id != {GLOBAL} ORDER BY id LIMIT 1"
_SWEEP_ROWS = tuple(
    f"DELETE FROM {table} WHERE ctid = ANY (ARRAY(SELECT ctid FROM {table} WHERE chat = %s LIMIT {_ROWS_TOGETHER}))"
    for table in ("marks", "mentions", "amended")
)
_NOW = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint"
_PRUNE_NONCES = (
    "DELETE FROM nonces WHERE ctid = ANY (ARRAY(SELECT ctid FROM nonces"
    f" WHERE at < {_NOW} - {_NONCE_SECONDS * 1000} ORDER BY at LIMIT {_ROWS_TOGETHER}))"
)
# The last row stays for ever: it is the position of the database.
_PRUNE_LOG = (
    "DELETE FROM log WHERE pos = ANY (ARRAY(SELECT pos FROM log WHERE pos < (SELECT max(pos) FROM log)"
    f" ORDER BY pos LIMIT {_ROWS_TOGETHER})) AND at < {_NOW} - {_LOG_SECONDS * 1000}"
)
_PRUNE_CHANGES = (
    "DELETE FROM changes WHERE id = ANY (ARRAY(SELECT id FROM changes"
    f" WHERE id <= (SELECT min(prev) FROM log) ORDER BY id LIMIT {_ROWS_TOGETHER}))"
)


def work(connection: Connection) -> bool:
    """Do some of the work that is due after commits. Return whether there is more. Raises psycopg.Error."""
    return bool(index_batch(connection, INDEXED_TOGETHER)) | sweep(connection)


def sweep(connection: Connection) -> bool:
    """Delete one batch of the rows of an ended group. Return whether there is more to delete."""
    with connection.transaction():
        if not _has_lock(connection):
            return False
        found = connection.execute(_ENDED).fetchone()
        if found is None:
            return False
        (group,) = found
        for statement in _SWEEP_ROWS:
            if connection.execute(statement, (group,)).rowcount:
                return True
        rows = connection.execute(
            "SELECT chat, seq FROM messages WHERE chat = %s ORDER BY seq LIMIT %s", (group, _SWEPT_TOGETHER)
        ).fetchall()
        delete(connection, rows)
        if len(rows) < _SWEPT_TOGETHER:
            connection.execute("DELETE FROM chats WHERE id = %s", (group,))
        return True


def prune(connection: Connection) -> bool:
    """Delete some old nonces and what is old in the log. Return whether there is more to delete."""
    with connection.transaction():
        if not _has_lock(connection):
            return False
        counts = [connection.execute(sql).rowcount for sql in (_PRUNE_NONCES, _PRUNE_LOG, _PRUNE_CHANGES)]
    return _ROWS_TOGETHER in counts


def _has_lock(connection: Connection) -> bool:
    (is_mine,) = connection.execute("SELECT pg_try_advisory_xact_lock(%s::int, %s::int)", CLEANING).fetchone() or (
        False,
    )
    return bool(is_mine)
