"""Copy a database of SQLite into an empty one of PostgreSQL.

Rows are streamed, so no table is held in memory. The written rows are read again and compared. All this is one
transaction, so a failed copy leaves nothing behind.
"""

import hashlib
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import msgspec

from irchat.store.postgres.connecting import Connection
from irchat.store.postgres.migrations import migrate

Tell = Callable[[str], None]

# Rows between two reports of the progress.
_TOLD_EACH = 10_000

_OBJECTS = (
    "SELECT count(*) FROM pg_class WHERE relnamespace = current_schema()::regnamespace"
    " AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S')"
)
# The ids that were in use: those of removed rows are not used again.
_SEQUENCES = (
    "SELECT name, seq FROM sqlite_sequence WHERE name IN ('users', 'chats')"
    " UNION ALL SELECT 'bans', max(rowid) FROM bans HAVING max(rowid) > 0"
)
_SET_SEQUENCE = "SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)"
_LAST_ID = "SELECT max(coalesce(max(id), 0), 1) FROM message_places"


class NotMovable(Exception):
    """The database cannot be moved. The text has the reason and the next step."""


class _Table(NamedTuple):
    """A table: its columns in PostgreSQL with their types, and the columns of its order."""

    name: str
    columns: dict[str, str]
    order: str
    source: str = ""


def _table(name: str, order: str, columns: str, source: str = "") -> _Table:
    return _Table(name, dict(column.split(":") for column in columns.split()), order, source or name)


# A table comes after those that it refers to.
_TABLES = (
    _table("users", "id", "id:int8 name:text key:text password:text created_at:int8 removed_at:int8"),
    _table(
        "chats", "id",
        "id:int8 name:text key:text owner:int8 low:int8 high:int8 last_seq:int8 last_at:int8 gaps_up_to:int8 rev:int8",
    ),
    _table(
        "members", "user_id, chat",
        "user_id:int8 chat:int8 standing:int4 since_seq:int8 read_seq:int8 alert:text",
    ),
    _table("tokens", "hash", "hash:bytea user_id:int8 used_at:int8 by_password:bool created_at:int8 label:text"),
    _table(
        "keys", "user_id, blob",
        "user_id:int8 kind:text blob:bytea fingerprint:text comment:text added_at:int8 used_at:int8",
    ),
    _table(
        "messages", "id", "chat:int8 seq:int8 id:int8 sender:int8 at:int8 text:text notice:bool",
        "message_places CROSS JOIN messages USING (chat, seq, id)",
    ),
    _table("nonces", "user_id, nonce", "user_id:int8 nonce:bytea chat:int8 seq:int8 at:int8"),
    _table("blocks", "blocker, blocked", "blocker:int8 blocked:int8"),
    _table(
        "bans", "id", "id:int8 user_id:int8 network:text until:int8 reason:text",
        "(SELECT rowid AS id, user, network, until, reason FROM bans)",
    ),
    _table("deleted_ends", "chat, sender", "chat:int8 sender:int8 seq:int8 at:int8"),
    _table("amended", "chat, seq", "chat:int8 seq:int8 rev:int8 edited_at:int8 deleted:bool"),
    _table(
        "marks", "chat, seq, key, user_id", "chat:int8 seq:int8 key:text user_id:int8 mark:text at:int8"
    ),
    _table("mentions", "user_id, chat, seq", "user_id:int8 chat:int8 seq:int8"),
)  # fmt: skip


class _Digest:
    """The number of rows of a table, and a digest of them in order."""

    def __init__(self) -> None:
        self.count = 0
        self._hash = hashlib.sha256()
        self._encode = msgspec.msgpack.Encoder().encode

    def of(self, rows: Iterable[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
        """Yield the rows."""
        for row in rows:
            self.count += 1
            self._hash.update(self._encode(row))
            yield row

    @property
    def value(self) -> tuple[int, str]:
        """The number and the digest."""
        return self.count, self._hash.hexdigest()


def move(source: sqlite3.Connection, target: Connection, tell: Tell) -> None:
    """Copy all tables, and compare them. ``source`` has the newest version, and nobody writes to it.

    ``tell`` receives the progress. The search index is not made. Raises NotMovable, sqlite3.Error, psycopg.Error, or
    `irchat.store.postgres.connecting.StoreUnusable`.
    """
    with target.transaction():
        (objects,) = target.execute(_OBJECTS).fetchone() or (0,)
        if objects:
            raise NotMovable("the database in PostgreSQL is not empty; create a new one, and name that")
        migrate(target)
        target.execute("DELETE FROM chats")  # GLOBAL, which is copied too
        written = [_copy(source, target, table, tell) for table in _TABLES]
        for table, expected in zip(_TABLES, written, strict=True):
            if _read(target, table, expected[0], tell) != expected:
                raise NotMovable(f"the table {table.name} is not the same after the copy; check both disks, try again")
        for name, last in source.execute(_SEQUENCES):
            target.execute(_SET_SEQUENCE, (name, last))
        (last_id,) = source.execute(_LAST_ID).fetchone()
        now = int(time.time() * 1000)
        target.execute("INSERT INTO log (pos, prev, node, batch, at) VALUES (%s, 0, 0, 0, %s)", (last_id, now))


def _copy(source: sqlite3.Connection, target: Connection, table: _Table, tell: Tell) -> tuple[int, str]:
    """Copy a table. Return its number of rows and its digest."""
    (of,) = source.execute(f"SELECT count(*) FROM {table.name}").fetchone()
    digest = _Digest()
    columns = ", ".join(table.columns)
    with target.cursor().copy(f"COPY {table.name} ({columns}) FROM STDIN (FORMAT BINARY)") as copy:
        copy.set_types(list(table.columns.values()))
        for row in _told(digest.of(_rows(source, table)), f"copying {table.name}", of, tell):
            copy.write_row(row)
    if digest.count != of:
        raise NotMovable(f"the table {table.name} is damaged; run irchat-admin check")
    return digest.value


def _rows(source: sqlite3.Connection, table: _Table) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of SQLite with the types of PostgreSQL."""
    columns = ", ".join(
        f"CAST({column} AS BLOB)" if kind == "bytea" else column for column, kind in table.columns.items()
    )
    sql = f"SELECT {columns} FROM {table.source} ORDER BY {table.order}"
    rows = source.execute(sql.replace("user_id", "user"))
    booleans = [number for number, kind in enumerate(table.columns.values()) if kind == "bool"]
    if not booleans:
        yield from rows
        return
    for row in rows:
        made = list(row)
        for number in booleans:
            made[number] = bool(row[number])
        yield tuple(made)


def _read(target: Connection, table: _Table, of: int, tell: Tell) -> tuple[int, str]:
    """Return the number of rows and the digest of a table in PostgreSQL."""
    digest = _Digest()
    columns = ", ".join(table.columns)
    sql = f"COPY (SELECT {columns} FROM {table.name} ORDER BY {table.order}) TO STDOUT (FORMAT BINARY)"
    with target.cursor().copy(sql) as copy:
        copy.set_types(list(table.columns.values()))
        for _ in _told(digest.of(copy.rows()), f"comparing {table.name}", of, tell):
            pass
    return digest.value


def _told(rows: Iterable[tuple[Any, ...]], what: str, of: int, tell: Tell) -> Iterator[tuple[Any, ...]]:
    """Yield the rows, and report the progress."""
    for number, row in enumerate(rows):
        if number % _TOLD_EACH == 0:
            tell(f"{what}: {number:,} of {of:,}")
        yield row
