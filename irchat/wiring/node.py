"""One node of a cluster: its PostgreSQL store, and its bus to the others. Needs the packages of ``cluster``."""

import socket
from collections.abc import Callable, Collection, Sequence
from typing import Any, TypeVar

import psycopg
from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger

from irchat.cluster.aside_relay import AsideRelay
from irchat.cluster.node_bus import NodeBus
from irchat.cluster.sealing import Seal, WrongBusKey, read_key_file
from irchat.cluster.timed_relay import TimedRelay
from irchat.interfaces.writes import Write
from irchat.server.listeners.registry import ConnectionRegistry
from irchat.server.metrics.figures import Figures
from irchat.server.sessions.services import Services
from irchat.settings import Config, WrongSetting, read_node_name
from irchat.store.postgres.connecting import Database, StoreUnusable, one_line
from irchat.store.postgres.engine import PostgresStore
from irchat.store.postgres.log.node_rows import NodeIdentity
from irchat.store.threads import StoreThreads
from irchat.system.exit_status import end_with_failure
from irchat.wiring.opening import need_transport
from irchat.wiring.outages import Closable, Outages
from irchat.wiring.urls import bus_url, store_url

Opened = TypeVar("Opened")

_log = Logger()


class Node:
    """A node with the settings ``config``. Raises WrongSetting if the database or the files cannot be used."""

    def __init__(self, config: Config, reactor: Any, threads: StoreThreads) -> None:
        self.name = node_name(config)
        self._reactor = reactor
        self._key, self._bus_url = _bus_key(config), bus_url(config)
        self._bus: NodeBus | None = None
        self._outages: Outages | None = None
        url = store_url(config)
        assert url is not None
        self.store = _opened(lambda: PostgresStore(Database(url), threads))

    def connect(self, services: Services) -> None:
        """Connect the core and the admission with the other nodes."""
        if self._bus_url is None or self._key is None:
            return
        chat, log = services.chat, self.store.log
        services.delivery.gives_way = lambda: log.has_turn
        module = need_transport()
        transport = module.RedisTransport(self._reactor, self._bus_url)
        bus = self._bus = NodeBus(
            str(self.name),
            self.store.wall_ms(),
            transport,
            Seal(self._key, module.CHANNEL),
            self._reactor,
            lambda: log.position,
            log.reached,
            chat.presence,
            services.admission,
            log.on_news,
        )
        chat.presence.others = services.admission.others = bus
        relay = TimedRelay(bus, self._reactor)
        relay.connect(chat.share_timed(relay))
        asides = AsideRelay(bus)
        asides.connect(chat.signals, chat.reasons, chat.personas)
        chat.signals.others = chat.reasons.others = chat.personas.others = asides
        chat.on_loaded = bus.start_again
        note_commit = log.on_commit

        def committed(position: int, writes: Sequence[Write[object]]) -> None:
            note_commit(position, writes)
            bus.say_news()

        log.on_commit = committed

    def join(self, fingerprints: Collection[str], sessions: Callable[[], int]) -> None:
        """Enter the node in the database, and start to follow the others. Raises WrongSetting."""
        self.store.log.on_stop = self._end
        identity = NodeIdentity(str(self.name), tuple(fingerprints), self._bus is not None)
        _opened(lambda: self.store.join(self._reactor, identity, sessions, self._hears_bus))
        if self._bus is not None:
            self._bus.start()

    def watch(self, ports: Closable, connections: ConnectionRegistry) -> None:
        """Send users to other nodes while this one cannot serve them."""
        hears_bus = None if self._bus is None else self._hears_bus
        self._outages = Outages(self.store, ports, connections, self._reactor, hears_bus)

    def describe(self, figures: Figures) -> None:
        """Add the figures of the log and of the bus."""
        store, bus = self.store, self._bus
        turns = store.turns
        figures.counter("turns", "Turns to commit among the nodes", lambda: turns.count)
        figures.counter("turn_wait_seconds", "Seconds spent waiting for turns", lambda: turns.wait_seconds)
        figures.counter("turn_hold_seconds", "Seconds for which this node had the turn", lambda: turns.hold_seconds)
        figures.gauge("log_lag", "Log entries not yet applied here", lambda: max(0, store.head - store.log.position))
        figures.gauge("store_away", "1 while PostgreSQL is away", lambda: store.is_away)
        if bus is not None:
            figures.gauge("bus_connected", "1 while the bus works for this node", lambda: bus.is_connected)
            figures.gauge("bus_nodes", "Other nodes that are heard", lambda: len(bus.heard()))
            figures.counter("bus_gaps", "Requests for messages that the bus lost", lambda: bus.gaps)
            figures.counter("bus_repeated", "Messages repeated for other nodes", lambda: bus.repeated)

    def stop(self) -> Deferred[None]:
        """Leave the other nodes. The store is closed separately."""
        if self._outages is not None:
            self._outages.stop()
        return succeed(None) if self._bus is None else self._bus.stop()

    def _hears_bus(self) -> bool:
        return self._bus is not None and self._bus.is_connected

    def _end(self, why: str) -> None:
        """End the process with status 1, because this node can no longer follow the others."""
        _log.critical("this node stops: {why}", why=why)
        end_with_failure()
        self._reactor.callLater(0, self._reactor.stop)


def check(config: Config) -> None:
    """Check the settings of a node, and the files that they name. Raises WrongSetting."""
    node_name(config)
    url = store_url(config)
    _opened(lambda: Database(url or ""))
    bus = bus_url(config)
    if bus is not None:
        _bus_key(config)
        need_transport()


def node_name(config: Config) -> str:
    """Return the name of the node. Raises WrongSetting if the host name, its default, cannot be one."""
    if config.node is not None:
        return str(config.node)
    try:
        return str(read_node_name(socket.gethostname()))
    except ValueError as error:
        raise WrongSetting(f"the host name {error}: name the node with --node") from None


def _bus_key(config: Config) -> bytes | None:
    if config.bus_key is None:
        return None
    try:
        return read_key_file(config.bus_key)
    except WrongBusKey as error:
        raise WrongSetting(str(error)) from None


def _opened(call: Callable[[], Opened]) -> Opened:
    try:
        return call()
    except StoreUnusable as error:
        raise WrongSetting(str(error)) from None
    except psycopg.Error as error:
        text = f"PostgreSQL cannot be used: {one_line(error)}; start it, or name another --store"
        raise WrongSetting(text) from None
