"""Connections to PostgreSQL, with the settings that all of them share."""

import select
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar, TypeVarTuple

import psycopg
from psycopg.adapt import AdaptersMap
from psycopg.conninfo import conninfo_to_dict
from psycopg.types.numeric import Int8Dumper
from twisted.logger import Logger
from twisted.python.failure import Failure

from irchat.protocol.errors import Code, Refusal
from irchat.system.seldom import SeldomLog
from irchat.system.workers import short_of_resources

# The value that psycopg sends to a waiting generator when nothing was ready for a moment.
_NOTHING_READY = 0

LEAST_VERSION = 14
"""The oldest supported version of PostgreSQL."""

# A server that is gone is noticed within seconds, while a turn waits for it.
_DEFAULTS: dict[str, Any] = {
    "connect_timeout": 2,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 5_000,
    "target_session_attrs": "read-write",
}
# Limits of a role or a database could end a slow commit or a waiting turn. The keepalives are those of the server: it
# releases the locks of a machine that is gone after seconds.
_SETTINGS = (
    "SET statement_timeout = 0; SET lock_timeout = 0; SET idle_session_timeout = 0;"
    " SET idle_in_transaction_session_timeout = '10s'; SET default_transaction_isolation = 'read committed';"
    " SET default_transaction_read_only = off; SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 2;"
    " SET tcp_keepalives_count = 3"
)
# Integers always have one type: otherwise each size of them would make another prepared statement.
_ADAPTERS = AdaptersMap(psycopg.adapters)
_ADAPTERS.register_dumper(int, Int8Dumper)

# The hint that libpq adds to a refused connection. Each text with an error names the next step by itself.
_QUESTION = "Is the server running"

Args = TypeVarTuple("Args")
Given = TypeVar("Given")
Waited = TypeVar("Waited")

_seldom = SeldomLog(Logger())


class StoreUnusable(Exception):
    """The database cannot be used as a store. The text is one line, and ends with the next step."""


class Connection(psycopg.Connection[Any]):
    """A connection whose statements may take ``limit`` seconds. After that, the server counts as gone."""

    limit: float = 60.0

    def wait(self, gen: Generator[Any, Any, Waited], *args: Any, **kwargs: Any) -> Waited:
        """Run ``gen``. Raises psycopg.OperationalError at the limit, with the connection closed."""
        return super().wait(self._limited(gen, time.monotonic() + self.limit), *args, **kwargs)

    def _limited(self, gen: Generator[Any, Any, Waited], end: float) -> Generator[Any, Any, Waited]:
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                if ready == _NOTHING_READY and time.monotonic() > end:
                    self.close()
                    raise psycopg.OperationalError(f"no answer for {self.limit:g} s")
                wanted = gen.send(ready)
        except StopIteration as stop:
            value: Waited = stop.value
            return value


class Database:
    """Opens connections to the database at ``url``. Raises StoreUnusable if it is no URL of PostgreSQL.

    ``has_several_hosts``: whether the URL names several servers, of which another one can take over.
    """

    def __init__(self, url: str) -> None:
        try:
            given = conninfo_to_dict(url)
        except psycopg.Error as error:
            raise StoreUnusable(f"the URL of the store is wrong: {one_line(error)}; see docs/cluster.rst") from None
        self.has_several_hosts = any("," in str(given.get(name, "")) for name in ("host", "hostaddr"))
        self._given = {**_DEFAULTS, "application_name": "irchat", **given, "client_encoding": "UTF8"}

    def connect(self) -> Connection:
        """Open a connection in autocommit mode. Raises psycopg.Error, or StoreUnusable for an old version."""
        connection = Connection.connect(**self._given, autocommit=True, context=_ADAPTERS)
        try:
            version = connection.info.server_version // 10_000
            if version < LEAST_VERSION:
                raise StoreUnusable(
                    f"PostgreSQL {version} is too old; use a server of version {LEAST_VERSION} or newer"
                )
            connection.execute(_SETTINGS)
        except BaseException:
            connection.close()
            raise
        return connection


class KeptConnection:
    """A connection of one thread, which is opened when it is needed, and again after it broke."""

    def __init__(self, connect: Callable[[], Connection]) -> None:
        self._connect = connect
        self._connection: Connection | None = None
        # The id of its process in the server, or 0. Any thread may read it.
        self.pid = 0

    def get(self) -> Connection:
        """Return the open connection. Raises psycopg.Error or StoreUnusable."""
        if self._connection is None or _has_ended(self._connection):
            self.drop()
            self._connection = self._connect()
            self.pid = self._connection.info.backend_pid
        return self._connection

    def drop(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        self.pid = 0
        if connection is not None:
            with suppress(psycopg.Error):
                connection.close()

    def read(self, ask: Callable[[Connection, *Args], Given], *args: *Args) -> Given:
        """Return ``ask(connection, *args)``, which only reads. If the connection had broken, ask once more."""
        try:
            return ask(self.get(), *args)
        except psycopg.OperationalError as error:
            if self._connection is not None and not is_broken(self._connection, error):
                raise
        self.drop()  # the error can arrive before the end of the connection
        return ask(self.get(), *args)


class KeptConnections:
    """A `KeptConnection` for each thread that asks for one."""

    def __init__(self, connect: Callable[[], Connection]) -> None:
        self._connect = connect
        self._mine = threading.local()
        self._all: list[KeptConnection] = []

    def mine(self) -> KeptConnection:
        """Return the connection of the calling thread."""
        kept: KeptConnection | None = getattr(self._mine, "kept", None)
        if kept is None:
            kept = self._mine.kept = KeptConnection(self._connect)
            self._all.append(kept)
        return kept

    def drop(self) -> None:
        """Close all of them, when their threads have ended."""
        for kept in self._all:
            kept.drop()


def _has_ended(connection: Connection) -> bool:
    """Return whether the session of an idle connection has ended: the server sends nothing else by itself."""
    if connection.closed:
        return True
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))


@contextmanager
def explained() -> Iterator[None]:
    """Turn errors of the server at the start into StoreUnusable."""
    try:
        yield
    except psycopg.Error as error:
        raise StoreUnusable(
            f"PostgreSQL cannot be used: {one_line(error)}; see that it runs, and check the URL of the store"
        ) from None


def is_away(error: BaseException) -> bool:
    """Return whether an error comes from the server or the connection, and not from a statement."""
    return isinstance(error, psycopg.OperationalError | psycopg.InternalError | StoreUnusable)


def is_broken(connection: Connection, error: psycopg.Error) -> bool:
    """Return whether the session ended with this error, so that the outcome of sent statements is unknown."""
    fatal = error.diag.severity_nonlocalized in ("FATAL", "PANIC")
    return connection.closed or fatal or (error.sqlstate is None and isinstance(error, psycopg.OperationalError))


def refusal_while_away() -> Refusal:
    """Return the refusal to use while the database cannot be read or written."""
    return Refusal(Code.UNAVAILABLE, "The server cannot use its database now; nothing was changed. Try again soon.")


def refuse(failure: Failure) -> Failure:
    """Turn an error of the server into Refusal ``unavailable``. Log the reason, which contains no message text."""
    error = failure.value
    if isinstance(error, MemoryError):
        _seldom.error("out of memory for the database")
        raise short_of_resources()
    if error is not None and is_away(error):
        _seldom.error(f"the database cannot be used: {one_line(error)}")
        raise refusal_while_away()
    return failure


def one_line(error: BaseException) -> str:
    """Return the primary text of an error, without details, which may hold data."""
    text = error.diag.message_primary if isinstance(error, psycopg.Error) else None
    found = (text or str(error) or type(error).__name__).splitlines()
    lines = [line for line in found if not line.strip().startswith(_QUESTION)]
    return " ".join(line.strip() for line in lines[:2])
