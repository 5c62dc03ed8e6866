"""The versions of the schema. They only add, so that nodes can be upgraded one after the other."""

from importlib.resources import files

import psycopg

from irchat.store.postgres.connecting import Connection, StoreUnusable
from irchat.store.postgres.locks import SCHEMA

SCRIPTS = ("schema.sql",)
"""``SCRIPTS[n]`` makes version n + 1 from version n."""

_OTHER_TABLES = (
    "SELECT count(*) FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p', 'v')"
)


def migrate(connection: Connection) -> None:
    """Create the schema in an empty database, or upgrade it. Raises StoreUnusable or psycopg.Error."""
    try:
        with connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s::int, %s::int)", SCHEMA)
            version = _version(connection)
            if version > len(SCRIPTS):
                raise StoreUnusable(
                    f"the database has version {version}, this IRChat knows {len(SCRIPTS)} at most;"
                    " use the newer IRChat"
                )
            for number in range(version, len(SCRIPTS)):
                connection.execute(_script(SCRIPTS[number]))
                connection.execute("UPDATE properties SET value = %s WHERE name = 'version'", (str(number + 1),))
    except psycopg.errors.InsufficientPrivilege:
        raise StoreUnusable(
            "this user may not create tables in the database; make it the owner of the database"
        ) from None


def _script(name: str) -> bytes:
    return files(__package__).joinpath(name).read_bytes()


def _version(connection: Connection) -> int:
    """Return the version of the schema, 0 for an empty database."""
    (schema, properties) = connection.execute(
        "SELECT current_schema(), to_regclass('properties') IS NOT NULL"
    ).fetchone() or (None, False)
    if schema is None:
        raise StoreUnusable("the database has no schema for this user; create one, or set its search_path")
    if not properties:
        (others,) = connection.execute(_OTHER_TABLES).fetchone() or (0,)
        if others:
            raise StoreUnusable("the database holds tables of another program; create an empty one for IRChat")
        return 0
    row = connection.execute("SELECT value FROM properties WHERE name = 'version'").fetchone()
    if row is None:
        raise StoreUnusable("the database is not one of IRChat; create an empty one")
    return int(row[0])
