"""The checks of a PostgreSQL server, when a node connects to it. Each failure is one line with the next step."""

import psycopg

from irchat.store.postgres.connecting import Connection, StoreUnusable

# The notification that the checks send to themselves.
_PROBE = "irchat_probe"
_DURABLE = ("on", "remote_apply")
# Settings that must be on, and the effect otherwise.
_SWITCHES = {
    "fsync": "would lose messages",
    "full_page_writes": "would lose messages",
    "track_activities": "cannot find nodes that hang",
}
_SETTINGS = "SELECT current_setting(name) FROM unnest(%s::text[]) WITH ORDINALITY AS asked (name, place) ORDER BY place"


def check_server(connection: Connection) -> None:
    """Check that commits are durable, that texts are UTF-8, and that no pooler is in between.

    Raises StoreUnusable or psycopg.Error.
    """
    if _settings(connection, "server_encoding") != ["UTF8"]:
        raise StoreUnusable("the database is not in UTF8; create it with ENCODING 'UTF8' TEMPLATE template0")
    check_durable(connection)
    _check_session(connection)


def check_durable(connection: Connection) -> None:
    """Check that commits are durable, with one query. Each new connection may lead to another server.

    Raises StoreUnusable or psycopg.Error.
    """
    *switches, how = _settings(connection, *_SWITCHES, "synchronous_commit")
    for (name, harm), value in zip(_SWITCHES.items(), switches, strict=True):
        if value != "on":
            raise StoreUnusable(f"PostgreSQL runs with {name} off and {harm}; switch it on")
    if how not in _DURABLE:
        raise StoreUnusable(
            "synchronous_commit is not on and messages could be lost; set it to on for this database and this user"
        )


def has_synchronous_standby(connection: Connection) -> bool:
    """Return whether commits wait for a standby, so that it can take over without a loss. Raises psycopg.Error."""
    return _settings(connection, "synchronous_standby_names") != [""]


def _check_session(connection: Connection) -> None:
    """Check that the session is one process of the server. Prepared statements, locks and LISTEN require that."""
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


def _settings(connection: Connection, *names: str) -> list[str]:
    return [value for (value,) in connection.execute(_SETTINGS, (list(names),))]
