"""The checks of a PostgreSQL server at the start of a node. Each failure is one line with the next step."""

import psycopg

from irchat.store.postgres.connecting import Connection, StoreUnusable

# The notification that the checks send to themselves.
_PROBE = "irchat_probe"
_DURABLE = ("on", "remote_apply")


def check_server(connection: Connection) -> None:
    """Check that a commit is durable, that texts are UTF-8, and that no pooler is in between.

    Raises StoreUnusable or psycopg.Error.
    """
    if _setting(connection, "server_encoding") != "UTF8":
        raise StoreUnusable("the database is not in UTF8; create it with ENCODING 'UTF8' TEMPLATE template0")
    for name in "fsync", "full_page_writes":
        if _setting(connection, name) != "on":
            raise StoreUnusable(f"PostgreSQL runs with {name} off and would lose messages; switch it on")
    if _setting(connection, "track_activities") != "on":
        raise StoreUnusable("PostgreSQL runs with track_activities off and cannot find nodes that hang; switch it on")
    if _setting(connection, "synchronous_commit") not in _DURABLE:
        raise StoreUnusable(
            "synchronous_commit is not on and messages could be lost; set it to on for this database and this user"
        )
    _check_session(connection)


def _check_session(connection: Connection) -> None:
    """Check that the session is one process of the server, as prepared statements, locks and LISTEN need it."""
    pooled = StoreUnusable("a pooler is between this node and PostgreSQL; connect to PostgreSQL itself")
    heard: list[psycopg.Notify] = []
    connection.add_notify_handler(heard.append)
    try:
        (pid,) = connection.execute("SELECT pg_backend_pid()").fetchone() or (0,)
        connection.execute(f"PREPARE {_PROBE} AS SELECT 1")
        connection.execute(f"EXECUTE {_PROBE}")
        connection.execute(f"DEALLOCATE {_PROBE}")
        connection.execute(f"LISTEN {_PROBE}")
        connection.execute(f"NOTIFY {_PROBE}")
        connection.execute(f"UNLISTEN {_PROBE}")
    except psycopg.ProgrammingError:
        raise pooled from None
    finally:
        connection.remove_notify_handler(heard.append)
    if pid != connection.info.backend_pid or pid not in [one.pid for one in heard]:
        raise pooled


def _setting(connection: Connection, name: str) -> str:
    row = connection.execute("SELECT current_setting(%s)", (name,)).fetchone()
    return "" if row is None else str(row[0])
