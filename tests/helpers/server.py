"""A whole server in memory. The test controls its clock, the speed of its disk and the space of each socket."""

import itertools
import json
import re
import struct
import tempfile
from collections import deque
from collections.abc import Callable, Hashable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from argon2 import PasswordHasher
from twisted.internet import main
from twisted.internet.abstract import FileDescriptor
from twisted.internet.address import IPv6Address
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from irchat.chat.accounts.accounts import Accounts
from irchat.chat.local_bus import LocalBus
from irchat.chat.service import ChatService
from irchat.interfaces.limits import Limits
from irchat.interfaces.store import Store
from irchat.server.admission import Admission
from irchat.server.delivery.delivery import Delivery
from irchat.server.delivery.persona_feed import PersonaFeed
from irchat.server.delivery.presence_feed import PresenceFeed
from irchat.server.listeners.factory import ChatFactory
from irchat.server.listeners.registry import ConnectionRegistry
from irchat.server.protocols.irc.irc_shared import make_shared
from irchat.server.protocols.offers import all_protocols
from irchat.server.sessions.rate_limiter import RateLimiters
from irchat.server.sessions.services import Services
from irchat.store.sqlite.engine import SQLiteStore

GREETING = "IRChat/1 Test: your username?\n"
PASSWORD = "correct horse"
WALL_MS = 1_795_356_000_000  # 2026-11-22T14:00:00Z, the initial time of the clock
CLEAR = "\x1b[H\x1b[2J\x1b[3J"

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_TIMES = re.compile(r"\[\d\d:\d\d\]")


def cheap_hasher() -> PasswordHasher:
    """A password hash that takes no time."""
    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


class FakeReactor(Clock):
    """A clock that also records readers and writers."""

    def __init__(self) -> None:
        super().__init__()
        self.readers: set[object] = set()
        self.writers: set[object] = set()
        self.addReader, self.removeReader = self.readers.add, self.readers.discard
        self.addWriter, self.removeWriter = self.writers.add, self.writers.discard


class Socket(FileDescriptor):
    """Twisted's own buffering and producer signals over a socket that takes ``room`` bytes, None for no limit."""

    def __init__(self, reactor: FakeReactor, room: int | None = None) -> None:
        super().__init__(reactor)
        self.connected = 1
        self.room = room
        self.writes: list[bytes] = []
        self.options: list[tuple[int, ...]] = []
        self.keeps_alive = False
        self.heard_at: float | None = None  # time of the last sign of life from the peer; None: always now
        self.aborted = False
        self.ended = False
        self.protocol: Any = None
        self.startReading()

    def writeSomeData(self, data: bytes) -> int | Exception:
        count = len(data) if self.room is None else min(self.room, len(data))
        if self.room is not None:
            self.room -= count
        if count:
            self.writes.append(bytes(data[:count]))
        return count

    @property
    def waiting(self) -> int:
        """Return the bytes waiting in the transport."""
        return len(self.dataBuffer) - self.offset + sum(map(len, self._tempDataBuffer))

    @property
    def is_read(self) -> bool:
        """Whether the server reads from the transport."""
        return self in self.reactor.readers

    def turn(self) -> None:
        """Run one turn of a reactor that finds the socket writable if there is room."""
        if self.ended and self.is_read:
            self.stopReading()
            self.protocol.readConnectionLost()
        if self in self.reactor.writers and self.room != 0 and (reason := self.doWrite()):
            self.connectionLost(Failure(reason))

    def abortConnection(self) -> None:
        self.aborted = True
        self.disconnecting = True
        self.reactor.callLater(0, self.connectionLost, Failure(main.CONNECTION_LOST))

    def connectionLost(self, reason: Failure) -> None:
        if self.connected:
            super().connectionLost(reason)
            self.stopReading()
            self.stopWriting()
            self.protocol.connectionLost(reason)

    def setTcpKeepAlive(self, on: bool) -> None:
        self.keeps_alive = bool(on)

    def getHandle(self) -> Any:
        return SimpleNamespace(setsockopt=lambda *option: self.options.append(option), getsockopt=self._tcp_info)

    def _tcp_info(self, level: int, option: int, size: int) -> bytes:
        heard_at = self.reactor.seconds() if self.heard_at is None else self.heard_at
        return struct.pack(f"={size - 4}xI", int((self.reactor.seconds() - heard_at) * 1000))


class HandThreads:
    """Runs the store's calls immediately or, while it ``holds``, one by one on request.

    While it ``answers_late``, calls run but their results are held: the disk has data that nobody knows of yet.
    """

    def __init__(self) -> None:
        self.holds = self.answers_late = False
        self.held: deque[tuple[Deferred[Any], Callable[..., Any], tuple[Any, ...]]] = deque()

    def __call__(self, call: Callable[..., Any], *args: Any) -> Deferred[Any]:
        if not (self.holds or self.answers_late):
            return maybeDeferred(call, *args)
        done: Deferred[Any] = Deferred()
        if self.answers_late:
            given = call(*args)
            call, args = lambda: given, ()
        self.held.append((done, call, args))
        return done

    def release(self, count: int | None = None) -> None:
        """Run ``count`` of the held calls, oldest first. Without it, run all, including those that follow from them."""
        while self.held and count != 0:
            done, call, args = self.held.popleft()
            maybeDeferred(call, *args).chainDeferred(done)
            count = None if count is None else count - 1

    def fail(self, error: Exception) -> None:
        """Fail the oldest held call."""
        self.held.popleft()[0].errback(error)


class HandPool(HandThreads):
    """The same for calls with a key, by which they take turns."""

    def __call__(self, key: Hashable, call: Callable[..., Any], *args: Any) -> Deferred[Any]:
        return super().__call__(call, *args)


class StoreThreads:
    """The store's threads, under the test's control: ``write``, and ``read``, which also scans."""

    def __init__(self) -> None:
        self.write = HandThreads()
        self.read = self.scan = HandPool()

    def stop(self) -> None:
        pass


class Server:
    """A server; ``options`` are those of `Accounts`. Without a ``store``, it has one in a new file."""

    def __init__(
        self,
        *,
        rate: float = 0,
        tls: Any = None,
        limits: Limits | None = None,
        admins: frozenset[str] = frozenset(),
        balancers: Any = (),
        clock: FakeReactor | None = None,
        store: Store | None = None,
        **options: Any,
    ) -> None:
        self.clock = clock or FakeReactor()
        self.threads = StoreThreads()
        self.hashing = HandPool()
        self._folder = tempfile.TemporaryDirectory()
        self.store: Any = store or self._new_store()
        self.delivery = Delivery(self.clock)
        self.presence = PresenceFeed(self.clock, self.delivery)
        limits = limits or Limits(per_address=0, per_user=0, timed=0, rate=rate)
        self.bus = bus = LocalBus()
        bus.subscribe(self.delivery.publish, self.delivery.publish_asides)
        self.chat = ChatService(self.store, bus, self.presence.changed, self.clock, self.wall_ms, limits)
        self.accounts = Accounts(
            self.chat.directory,
            self.chat.queue,
            self.store,
            self.hashing,
            self.wall_ms,
            hasher=cheap_hasher(),
            **options,
        )
        admission = Admission(limits, self.clock.seconds)
        self.rate_limiters = RateLimiters(limits, self.clock)
        self.services = Services(
            self.chat,
            self.accounts,
            self.delivery,
            self.presence,
            PersonaFeed(self.clock, self.delivery, self.chat),
            admission,
            self.rate_limiters,
            admins,
        )
        self.connections = ConnectionRegistry(self.chat, self.clock)
        self.irc_shared = make_shared(self.services, self.clock, "Test")
        offers = all_protocols(self.services, self.clock).with_irc(self.irc_shared)
        self.factory = ChatFactory(
            self.services, self.clock, offers, self.connections, name="Test", tls=tls, balancers=balancers
        )
        self.clients: list[Client] = []

    def _new_store(self) -> SQLiteStore:
        store = SQLiteStore(Path(self._folder.name) / "irchat.sqlite", self.threads, self.wall_ms)
        store._connection.execute("PRAGMA synchronous = OFF")
        return store

    def close(self) -> None:
        """Close the store and delete it."""
        self.store.close()
        self._folder.cleanup()

    def wall_ms(self) -> int:
        """Return the wall clock time, which advances with the clock."""
        return WALL_MS + int(self.clock.seconds() * 1000)

    def turn(self) -> None:
        """Run everything that is due."""
        self.advance(0)

    def advance(self, *seconds: float) -> None:
        """Advance time in these steps, and run everything that is due."""
        for step in seconds:
            self.clock.advance(step)
            for client in self.clients:
                client.socket.turn()
            self.clock.advance(0)

    def json(self, name: str | None = None, *, room: int | None = None) -> "JSONClient":
        """Return a connected program. With ``name``, sign it in, and create the account if needed."""
        client = JSONClient(self)
        if name is not None:
            known = self.chat.directory.find_user(name) is not None
            client.ask("login" if known else "register", name=name, password=PASSWORD)
            client.welcome = client.one("welcome")
        client.socket.room = room
        return client

    def text(self, name: str | None = None) -> "TextClient":
        """Return a connected person. With ``name``, sign them in, and create the account if needed."""
        client = TextClient(self)
        if name is not None:
            known = self.chat.directory.find_user(name) is not None
            client.type(name, PASSWORD, *([] if known else [PASSWORD]))
            client.shown()
        return client


class Client:
    """One client: its socket, and the server's connection to it."""

    def __init__(self, server: Server, room: int | None = None, host: str | None = None) -> None:
        address = None if host is None else IPv6Address("TCP", host, 1)
        self._connect(server, server.factory.buildProtocol(address), room)

    def _connect(self, server: Server, protocol: Any, room: int | None = None) -> None:
        self.server = server
        self.socket = Socket(server.clock, room)
        self.connection = self.socket.protocol = protocol
        self._unsent: deque[bytes] = deque()
        server.clients.append(self)
        self.connection.makeConnection(self.socket)
        server.turn()

    @property
    def outbox(self) -> Any:
        """The server's outbox for this client."""
        return self.connection.session.outbox

    @property
    def is_open(self) -> bool:
        """Whether the connection is open."""
        return bool(self.socket.connected)

    def send(self, *data: bytes) -> None:
        """Send segments as far as the server reads, and run everything that is due."""
        self._unsent.extend(data)
        while self._unsent and self.socket.is_read:
            self.socket.protocol.dataReceived(self._unsent.popleft())
        self.server.turn()

    def end_sending(self) -> None:
        """Close the client's sending side."""
        self.socket.ended = True
        self.server.turn()

    def leave(self) -> None:
        """Drop the connection."""
        self.socket.connectionLost(Failure(main.CONNECTION_DONE))
        self.server.turn()

    def read(self) -> str:
        """Return the bytes received since the last call."""
        data = b"".join(self.socket.writes)
        self.socket.writes.clear()
        return data.decode()


class JSONClient(Client):
    """A program, on the JSON protocol."""

    welcome: dict[str, Any]

    def ask(self, kind: str, **fields: Any) -> None:
        """Send a request."""
        self.send(request(kind, **fields))

    def got(self) -> list[dict[str, Any]]:
        """Return the lines received since the last call."""
        return [json.loads(line) for line in self.read().splitlines() if line.startswith("{")]

    def one(self, kind: str) -> dict[str, Any]:
        """Return the only line received, which must have that type."""
        lines = self.got()
        if [line["type"] for line in lines] != [kind]:
            raise AssertionError(f"not one {kind}: {lines}")
        return lines[0]

    def told(self, *kinds: str) -> list[dict[str, Any]]:
        """Return the lines of `got` with one of these types."""
        return [line for line in self.got() if line["type"] in kinds]


class TextClient(Client):
    """A person, on the text protocol."""

    def type(self, *lines: str) -> None:
        """Type lines, each in its own segment."""
        self.send(*(f"{line}\n".encode() for line in lines))

    def shown(self) -> str:
        """Return the text shown since the last call, without colours and with ``[--:--]`` for each time of day."""
        return _TIMES.sub("[--:--]", _COLOUR.sub("", self.read()))


class ServerTestCase(SynchronousTestCase):
    """A test that creates servers."""

    def make_server(self, **options: Any) -> Server:
        """Return a server; see `Server`."""
        server = Server(**options)
        self.addCleanup(server.close)
        return server


def request(kind: str, **fields: Any) -> bytes:
    """Return a request as a line."""
    return json.dumps({"type": kind, **fields}).encode() + b"\n"


def texts(lines: list[dict[str, Any]]) -> list[str]:
    """Return the texts of the messages among these lines."""
    return [line["text"] for line in lines if line["type"] == "message"]


def refs(lines: list[dict[str, Any]]) -> list[Any]:
    """Return the refs of the replies among these lines."""
    return [line["ref"] for line in lines if "ref" in line]


def is_rising(numbers: list[int]) -> bool:
    """Whether each number is greater than the previous one."""
    return all(a < b for a, b in itertools.pairwise(numbers))
