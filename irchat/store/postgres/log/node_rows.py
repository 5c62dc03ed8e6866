"""The table of the nodes: their names and versions, their positions in the log, and when each was last heard."""

import time
from typing import NamedTuple

from irchat.interfaces.entry_codec import VERSION
from irchat.interfaces.nodes import NodeRow
from irchat.store.postgres.connecting import Connection, StoreUnusable
from irchat.store.postgres.locks import BUS, JOINING, NODE
from irchat.store.postgres.log.positions import Head, head_of

# Seconds after which a node counts as gone, and after which its row is deleted.
_ALIVE_SECONDS = 30
_KEPT_SECONDS = 7 * 86_400
_BUS_SECONDS = 5
# Seconds for the session of an earlier run of a node to end.
PATIENCE_SECONDS = 3.0
_PAUSE_SECONDS = 0.1

_OTHERS = (
    "SELECT name FROM nodes WHERE name != %s AND seen > clock_timestamp() - make_interval(secs => %s)"
    " AND NOT (fingerprints <@ %s::text[] OR fingerprints @> %s::text[]) ORDER BY name"
)
_ENTER = (
    "INSERT INTO nodes (name, version, fingerprints) VALUES (%s, %s, %s::text[]) ON CONFLICT (name) DO UPDATE"
    " SET version = excluded.version, fingerprints = excluded.fingerprints, since = now(), seen = now(),"
    " bus_seen = NULL, sessions = 0 RETURNING node"
)
_DELETE_GONE = "DELETE FROM nodes WHERE node != %s AND seen < clock_timestamp() - make_interval(secs => %s)"
_NUMBER = "SELECT node FROM nodes WHERE name = %s"
_RENEW = (
    "UPDATE nodes SET pos = %(position)s, sessions = %(sessions)s, seen = clock_timestamp(),"
    " bus_seen = CASE WHEN %(hears_bus)s THEN clock_timestamp() ELSE bus_seen END WHERE node = %(node)s"
    " RETURNING (SELECT ARRAY[log.pos, log.node, batch] FROM log ORDER BY log.pos DESC LIMIT 1),"
    " (extract(epoch FROM clock_timestamp()) * 1000)::bigint,"
    " (SELECT coalesce(bool_or(other.bus_seen > clock_timestamp() - make_interval(secs => %(fresh)s)), false)"
    " FROM nodes AS other WHERE other.node != %(node)s),"
    " (SELECT value FROM properties WHERE properties.name = 'epoch'),"
    " (SELECT min(other.version) FROM nodes AS other WHERE other.node = %(node)s"
    " OR other.seen > clock_timestamp() - make_interval(secs => %(alive)s))"
)
_NODES = (
    "SELECT name, version, pos, (SELECT coalesce(max(pos), 0) FROM log) - pos, sessions,"
    " extract(epoch FROM clock_timestamp() - seen)::float8,"
    " extract(epoch FROM clock_timestamp() - bus_seen)::float8 FROM nodes ORDER BY name"
)


class NodeIdentity(NamedTuple):
    """A node that starts. ``fingerprints``: those of its certificate and SSH host key, which all nodes share.

    A node without one of the two, because a door is switched off, may run beside nodes that have both.
    """

    name: str
    fingerprints: tuple[str, ...] = ()
    has_bus: bool = False


class Report(NamedTuple):
    """The report of a node, each second. ``hears_bus``: whether the bus works for it."""

    position: int
    sessions: int
    hears_bus: bool


class Look(NamedTuple):
    """The answer to a `Report`.

    ``head``: the end of the log. ``now``: the time of the database in ms. ``others_hear_bus``: whether the bus works
    for another node. ``epoch``: that of the database. ``known_version``: the
    version of the entries that all nodes know.
    """

    head: Head
    now: int
    others_hear_bus: bool
    epoch: str
    known_version: int


def join(connection: Connection, node: NodeIdentity, patience: float = PATIENCE_SECONDS) -> int:
    """Enter the node. Return its number. As long as ``connection`` is open, no other node can have its name.

    Raises StoreUnusable or psycopg.Error.
    """
    with connection.transaction():  # a node that may not start leaves no row
        connection.execute("SELECT pg_advisory_xact_lock(%s::int, %s::int)", JOINING)
        fingerprints = sorted(node.fingerprints)
        found = connection.execute(_NUMBER, (node.name,)).fetchone()
        if found is None:
            found = connection.execute(_ENTER, (node.name, VERSION, fingerprints)).fetchone()
        number = int(found[0])  # type: ignore[index]
        _need(
            connection, "pg_try_advisory_lock(%s::int, %s::int)", (NODE, number), patience,
            f"a node named {node.name} is running; give this one another name with --node",
        )  # fmt: skip
        if node.has_bus:
            _need(
                connection, "pg_try_advisory_lock_shared(%s::int, %s::int)", BUS, patience,
                "a node without a bus is running; start it again with --bus, so that it can hear this one",
            )  # fmt: skip
        else:
            _need(
                connection, "pg_try_advisory_lock(%s::int, %s::int)", BUS, patience,
                "another node is running; start this one with --bus, so that they can hear each other",
            )  # fmt: skip
        other = connection.execute(_OTHERS, (node.name, _ALIVE_SECONDS, fingerprints, fingerprints)).fetchone()
        if other is not None:
            raise StoreUnusable(
                f"the certificate or the SSH host key differs from that of node {other[0]}; copy tls-cert.pem,"
                " tls-key.pem and ssh_host_ed25519_key from its data folder to this one, or give both the same"
                " --tls-cert and --tls-key"
            )
        connection.execute(_ENTER, (node.name, VERSION, fingerprints))
        connection.execute(_DELETE_GONE, (number, _KEPT_SECONDS))
    return number


def renew(connection: Connection, number: int, report: Report) -> Look:
    """Note that the node is alive. Raises StoreUnusable if it is no longer in the table, or psycopg.Error."""
    given = {**report._asdict(), "node": number, "fresh": _BUS_SECONDS, "alive": _ALIVE_SECONDS}
    row = connection.execute(_RENEW, given).fetchone()
    if row is None:
        raise StoreUnusable("this node is no longer in the database; start it again")
    head, *others = row
    return Look(head_of(head and tuple(head)), *others)


def all_nodes(connection: Connection) -> list[NodeRow]:
    """Return all nodes, by name, except those that were gone for a week when another one started."""
    return [NodeRow(*row) for row in connection.execute(_NODES)]


def _need(connection: Connection, lock: str, values: tuple[int, int], patience: float, text: str) -> None:
    end = time.monotonic() + patience
    while not connection.execute(f"SELECT {lock}", values).fetchone()[0]:  # type: ignore[index]
        if time.monotonic() >= end:
            raise StoreUnusable(text)
        time.sleep(_PAUSE_SECONDS)
