"""Nodes with a simulated network between them, under one fake clock: it loses, delays and repeats messages."""

from collections.abc import Callable, Iterator
from random import Random

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock

from irchat.chat.state.presence import Presence
from irchat.cluster.bus_messages import Registered, State
from irchat.cluster.node_bus import NodeBus
from irchat.cluster.sealing import Seal
from irchat.interfaces.limits import Limits
from irchat.protocol.errors import Code, Refusal
from irchat.server.admission import Admission

TICK = 0.05


class SimulatedNetwork:
    """Carries messages between transports. ``loss`` and ``doubles`` are shares, ``delay`` is the longest in seconds."""

    def __init__(self, clock: Clock, random: Random) -> None:
        self.clock = clock
        self.random = random
        self.loss = self.doubles = self.delay = 0.0
        self.transports: list[SimulatedTransport] = []
        self.carried: list[bytes] = []

    def carry(self, sender: "SimulatedTransport", data: bytes) -> None:
        """Deliver ``data`` to all transports that are up, in order for each pair, or lose it."""
        self.carried.append(data)
        for transport in self.transports:
            if transport.is_hung or sender.is_hung or self.random.random() < self.loss:
                continue
            due = self.clock.seconds() + self.random.random() * self.delay
            due = transport.due[sender] = max(due, transport.due.get(sender, 0.0))
            for extra in (0.0, self.delay) if self.random.random() < self.doubles else (0.0,):
                self.clock.callLater(due + extra - self.clock.seconds(), transport.deliver, data)


class SimulatedTransport:
    """A `irchat.cluster.transport.Transport`. While it is hung it seems to be up, and carries nothing."""

    def __init__(self, network: SimulatedNetwork) -> None:
        self._network = network
        self.received: Callable[[bytes], None] = lambda data: None
        self.connected: Callable[[], None] = lambda: None
        self.lost: Callable[[], None] = lambda: None
        self.due: dict[SimulatedTransport, float] = {}
        self.is_up = self.is_hung = False
        self.resets = 0

    def start(self) -> None:
        self._network.transports.append(self)
        self.set_up(True)

    def stop(self) -> Deferred[None]:
        self._network.transports.remove(self)
        self.is_up = False
        return succeed(None)

    def set_up(self, is_up: bool) -> None:
        """Lose or make the connection."""
        if is_up != self.is_up:
            self.is_up = is_up
            (self.connected if is_up else self.lost)()

    def publish(self, data: bytes) -> None:
        if self.is_up:
            self._network.carry(self, data)

    def deliver(self, data: bytes) -> None:
        if self.is_up:
            self.received(data)

    def reset(self) -> None:
        self.resets += 1
        self.is_hung = False
        self.set_up(False)
        self.set_up(True)


class SimulatedLog:
    """The shared log as a number, which each node reaches a little later."""

    def __init__(self) -> None:
        self.head = 0


class SimulatedNode:
    """One process: its bus, presence and admission. ``heard`` is what it was handed on, by node and run."""

    def __init__(self, name: str, run: int, network: SimulatedNetwork, log: SimulatedLog) -> None:
        self.name = name
        self.run = run
        self.log = log
        self.clock = network.clock
        self.random = network.random
        self.lag = 0.0
        self.applied = log.head
        self.is_refusing = False
        self.count = 0
        self.changes: list[tuple[int, bool]] = []
        self.heard: dict[str, list[str]] = {}
        self.news = 0
        self.presence = Presence(lambda user, online: self.changes.append((user, online)))
        self.admission = Admission(Limits(), network.clock.seconds)
        self.transport = SimulatedTransport(network)
        self.bus = NodeBus(
            name,
            run,
            self.transport,
            Seal(bytes(32), b"test"),
            network.clock,
            lambda: self.applied,
            self.reached,
            self.presence,
            self.admission,
            self._note_news,
        )
        self.presence.others = self.bus
        self.admission.others = self.bus
        self.bus.handle(Registered, self._note)
        self.bus.handle(State, lambda node, state: self.heard.setdefault(node, []).append("state"))
        self.bus.start()

    def say(self) -> None:
        """Send a message that tells its number and its position."""
        self.count += 1
        self.applied = self.log.head
        self.bus.registered(f"{self.run}:{self.count}:{self.applied}")

    def reached(self, position: int) -> Deferred[object]:
        """Return a Deferred that fires when ``position`` is applied, or fails now and then."""
        if self.is_refusing:
            return fail(Refusal(Code.UNAVAILABLE, "no"))
        if position <= self.applied:
            return succeed(None)
        result: Deferred[object] = Deferred()

        def apply() -> None:
            self.applied = max(self.applied, position)
            result.callback(None)

        self.clock.callLater(self.random.random() * self.lag, apply)
        return result

    def end(self) -> None:
        """End the process, as with kill -9."""
        self.bus.stop()

    def _note(self, node: str, body: Registered) -> None:
        assert int(body.address.split(":")[2]) <= self.applied
        self.heard.setdefault(node, []).append(body.address)

    def _note_news(self) -> None:
        self.news += 1


def advance(clock: Clock, seconds: float) -> None:
    """Let time pass, in small steps."""
    for _ in range(round(seconds / TICK)):
        clock.advance(TICK)


class SimulatedCluster:
    """Some nodes, and what may happen to them."""

    def __init__(self, seed: int, count: int = 3) -> None:
        self.clock = Clock()
        self.random = Random(seed)
        self.network = SimulatedNetwork(self.clock, self.random)
        self.log = SimulatedLog()
        self._runs = iter(range(1, 1_000_000))
        self._sessions = iter(range(1, 1_000_000))
        self.nodes: list[SimulatedNode] = []
        self.ended: list[SimulatedNode] = []
        for number in range(count):
            self.start(f"n{number}")

    def start(self, name: str) -> SimulatedNode:
        """Start a process."""
        node = SimulatedNode(name, next(self._runs), self.network, self.log)
        self.nodes.append(node)
        return node

    def restart(self, node: SimulatedNode, after: float = 0.0) -> None:
        """Kill a process and start a new one later."""
        self.nodes.remove(node)
        self.ended.append(node)
        node.end()
        self.clock.callLater(after, self.start, node.name)

    def enter(self, node: SimulatedNode, user: int) -> None:
        """Sign in."""
        address = f"10.0.0.{user % 3}"
        node.admission.connect(address)
        node.admission.enter(address, 0)
        node.presence.enter(user, next(self._sessions))

    def leave(self, node: SimulatedNode, user: int) -> None:
        """Sign out the first session of a user, if it has one."""
        if sessions := node.presence.sessions.get(user):
            node.presence.leave(user, sessions[0])
            node.admission.leave(f"10.0.0.{user % 3}")

    def disturb(self, steps: int) -> None:
        """Do random things."""
        random = self.random
        for _ in range(steps):
            if not self.nodes:
                advance(self.clock, 1.0)
                continue
            node = random.choice(self.nodes)
            random.choice(_DISTURBANCES)(self, node)
            if random.random() < 0.7:
                advance(self.clock, random.choice((0.05, 0.3, 1.0)))

    def enter_one(self, node: SimulatedNode) -> None:
        """Sign in some user."""
        self.enter(node, self.random.randrange(8))

    def leave_one(self, node: SimulatedNode) -> None:
        """Sign out some user."""
        self.leave(node, self.random.randrange(8))

    def say_some(self, node: SimulatedNode) -> None:
        """Send a few messages."""
        for _ in range(self.random.randrange(1, 6)):
            node.say()

    def commit(self, node: SimulatedNode) -> None:
        """Let the log grow."""
        self.log.head += self.random.randrange(1, 4)

    def change_network(self, node: SimulatedNode) -> None:
        """Make the network better or worse."""
        self.network.loss = self.random.choice((0.0, 0.02, 0.2, 0.5))
        self.network.doubles = self.random.choice((0.0, 0.1))
        self.network.delay = self.random.choice((0.0, 0.02, 0.3))

    def cut(self, node: SimulatedNode) -> None:
        """Cut off a node for some seconds."""
        if node.transport.is_up:
            node.transport.set_up(False)
            self.clock.callLater(self.random.random() * 12, self._bring_back, node)

    def hang(self, node: SimulatedNode) -> None:
        """Let the connection of a node hang, or work again."""
        node.transport.is_hung = self.random.random() < 0.5

    def slow_down(self, node: SimulatedNode) -> None:
        """Change how fast a node follows the log."""
        node.lag = self.random.choice((0.0, 0.1, 1.0, 4.0))

    def refuse(self, node: SimulatedNode) -> None:
        """Let a node have a log or not."""
        node.is_refusing = self.random.random() < 0.3

    def restart_some(self, node: SimulatedNode) -> None:
        """Restart a node now and then."""
        if self.random.random() < 0.3:
            self.restart(node, self.random.choice((0.0, 1.0, 7.0)))

    def quiet(self) -> None:
        """Mend everything, and wait until nothing more happens."""
        network = self.network
        network.loss = network.doubles = 0.0
        network.delay = 0.02
        advance(self.clock, 12.0)  # until all that was to come back has
        for node in self.nodes:
            node.lag, node.is_refusing, node.transport.is_hung = 0.1, False, False
            node.transport.set_up(True)
        advance(self.clock, 12.0)

    def _bring_back(self, node: SimulatedNode) -> None:
        if node in self.nodes:
            node.transport.set_up(True)

    def faults(self) -> Iterator[str]:
        """Return what is wrong at a quiet time."""
        sessions = {user: sum(len(node.presence.sessions.get(user, ())) for node in self.nodes) for user in range(8)}
        for node in self.nodes:
            if not node.bus.is_connected or sorted(node.bus.heard()) != sorted(
                other.name for other in self.nodes if other is not node
            ):
                yield f"{node.name} hears {node.bus.heard()}"
            if {user: node.presence.count(user) for user in sessions} != sessions:
                yield f"{node.name} counts other sessions"
            if set(node.presence.online) != {user for user, count in sessions.items() if count}:
                yield f"{node.name} has others online"
            for address in "10.0.0.0", "10.0.0.1", "10.0.0.2":
                elsewhere = sum(
                    other.admission.sessions_here()[address]
                    for other in self.nodes
                    if other is not node and address in other.admission.sessions_here()
                )
                if node.bus.sessions_of(address) != elsewhere:
                    yield f"{node.name} counts {node.bus.sessions_of(address)} of {address}, not {elsewhere}"
            yield from self._changes_of(node)
        for node in (*self.nodes, *self.ended):
            yield from self._faults_of_order(node)

    @staticmethod
    def _changes_of(node: SimulatedNode) -> Iterator[str]:
        online: set[int] = set()
        for user, is_online in node.changes:
            if is_online == (user in online):
                yield f"{node.name}: user {user} came or went twice"
            (online.add if is_online else online.discard)(user)
        if online != set(node.presence.online):
            yield f"{node.name}: the changes do not lead to the state"

    def _faults_of_order(self, node: SimulatedNode) -> Iterator[str]:
        """Return where messages are doubled, in disorder, or missing after the first state of a run."""
        last_counts = {other.run: other.count for other in self.nodes}
        for name, messages in node.heard.items():
            run, count, is_fresh = 0, 0, True
            for message in messages:
                if message == "state":
                    is_fresh = True
                    continue
                of, number, _ = map(int, message.split(":"))
                if (of, number) <= (run, count) or (not is_fresh and (of, number) != (run, count + 1)):
                    yield f"{node.name} hears {message} of {name} after {run}:{count}"
                run, count, is_fresh = of, number, False
            if node in self.nodes and not is_fresh and last_counts.get(run, count) != count:
                yield f"{node.name} hears {name} only up to {run}:{count}, not {last_counts[run]}"


_DISTURBANCES = (
    *[SimulatedCluster.enter_one] * 3,
    *[SimulatedCluster.leave_one] * 2,
    *[SimulatedCluster.say_some] * 4,
    SimulatedCluster.commit,
    SimulatedCluster.change_network,
    SimulatedCluster.cut,
    SimulatedCluster.hang,
    SimulatedCluster.slow_down,
    SimulatedCluster.refuse,
    SimulatedCluster.restart_some,
)
