"""Complete the search index at the start of a node. Build it again if this Python folds texts by newer rules."""

from collections.abc import Callable

from irchat.store.postgres import locks
from irchat.store.postgres.reads.query import Connection
from irchat.store.postgres.search.indexing import index_batch, waiting
from irchat.text.folding import FOLDING

_FOLDED = "SELECT value FROM properties WHERE name = 'folding'"
_NOTE = (
    "INSERT INTO properties (name, value) VALUES ('folding', %s)"
    " ON CONFLICT (name) DO UPDATE SET value = excluded.value"
)


def make_ready(connection: Connection, tell: Callable[[str], None]) -> None:
    """Index all waiting messages. If the index was made with an older folding, build it again.

    While nodes with different versions of Python run, the newest folding counts: searches by the others may miss words
    in which the two differ. ``connection`` is in autocommit mode. ``tell`` receives the progress. Raises psycopg.Error.
    """
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s::int, %s::int)", locks.FOLDING)
        row = connection.execute(_FOLDED).fetchone()
        if row is None or _version(row[0]) < _version(FOLDING):
            if row is not None:
                connection.execute("TRUNCATE places")
                connection.execute("UPDATE properties SET value = '0' WHERE name = 'indexed'")
            connection.execute(_NOTE, (FOLDING,))
    while index_batch(connection):
        indexed, last = waiting(connection)
        tell(f"making the search index: {indexed:,} of {last:,}")


def _version(folding: str) -> tuple[int, ...]:
    """Return the version of a folding: its own, and that of Unicode."""
    return tuple(int(number) for number in folding.replace(".", " ").split())
