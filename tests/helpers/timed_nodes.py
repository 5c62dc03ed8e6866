"""Cores of several nodes with a shared log and a simulated bus, under one clock, for timed messages and asides."""

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from irchat.chat.timed.copies import TimedCopies
from irchat.chat.timed.timed_chat import TimedMessage
from irchat.cluster.aside_relay import AsideRelay
from irchat.cluster.bus_messages import copies
from irchat.cluster.node_bus import NodeBus
from irchat.cluster.sealing import Seal
from irchat.cluster.timed_relay import TimedRelay
from irchat.interfaces.limits import Limits
from irchat.interfaces.writes import GroupCreated, UserCreated
from irchat.protocol import events
from irchat.protocol.errors import Refusal
from irchat.server.admission import Admission
from irchat.store.sqlite.engine import SQLiteStore
from irchat.store.threads import NoThreads
from tests.helpers.nodes_in_memory import NodeWorld
from tests.helpers.server import WALL_MS
from tests.helpers.shared_log import SharedDatabase, random_delay
from tests.helpers.simulated_bus import SimulatedNetwork, SimulatedTransport, advance

NAMES = ("alice", "bob", "carol", "dave", "erin")
CHATS = ("GLOBAL", "*team", "@alice", "@bob", "@carol")
# The longest time that a message takes on the simulated bus.
DELAY = 0.3


class TimedNode(NodeWorld):
    """The core of a node, with its bus."""

    def __init__(self, name: str, run: int, database: SharedDatabase, network: SimulatedNetwork) -> None:
        super().__init__(database, network.clock)
        self.name = name
        self.log = self.chat.store.log
        self.transport = SimulatedTransport(network)
        self.bus = NodeBus(
            name,
            run,
            self.transport,
            Seal(bytes(32), b"test"),
            network.clock,
            lambda: self.log.position,
            self.log._when_reached,
            self.chat.presence,
            Admission(Limits(), network.clock.seconds),
            self.log.on_news,
        )
        self.chat.presence.others = self.bus
        self.relay = TimedRelay(self.bus, network.clock)
        self.relay.connect(self.chat.share_timed(self.relay))
        chat, asides = self.chat, AsideRelay(self.bus)
        asides.connect(chat.signals, chat.reasons, chat.personas)
        chat.signals.others = chat.reasons.others = chat.personas.others = asides
        self.bus.start()

    @property
    def copies(self) -> TimedCopies:
        """The timed messages as the other nodes see them."""
        assert self.chat.messages.copies is not None
        return self.chat.messages.copies

    @property
    def live(self) -> dict[str, TimedMessage]:
        """The live messages by id."""
        return self.copies._live

    def seen(self, name: str, *, unread: bool = False) -> dict[str, list[str]]:
        """Return the texts that a user may see, or has not read, in each chat, sorted."""
        user, timed = self[name], self.chat.messages.timed
        return {
            str(in_chat.chat.key): texts
            for in_chat in timed.in_chats()
            if in_chat.chat.has(user) and (in_chat.chat.pair is None or user in in_chat.chat.pair)
            if (texts := sorted(one.text for one in timed.newest_first(in_chat.chat.key, user, unread=unread)))
        }

    def counts(self, name: str) -> dict[str, tuple[int, int]]:
        """Return a user's unread messages and mentions in each chat."""
        user, timed = self[name], self.chat.messages.timed
        found = {str(key): (unread, timed.mentions(user, key)) for key, _, unread in timed.chats_of(user)}
        return {key: counts for key, counts in found.items() if counts != (0, 0)}

    def texts_kept(self) -> list[str]:
        """Return the texts of timed messages in all queues of the node."""
        kept = [one.body for one in self.bus._sent._kept]
        for stream in self.bus._heard.values():
            kept += [one.body for one in (*stream._held.values(), *stream._waiting)]
        return [copy.text for body in kept for copy in copies(body) if copy.text] + [
            timed.text for timed in self.live.values() if timed.text
        ]


class TimedSession:
    """A session, and the events that it has received."""

    def __init__(self, node: TimedNode, name: str, number: int) -> None:
        self.node = node
        self.name = name
        self.number = number
        self.begun_at = node.clock.seconds()
        self._first = len(node.published)
        self._user = node[name].id
        node.enter(name, number)

    def got(self) -> list[events.Message | events.Erased]:
        """Return the timed messages and their ends, in order."""
        found: list[events.Message | events.Erased] = []
        for publication in self.node.published[self._first :]:
            if publication.audience is not None and self._user not in publication.audience:
                continue
            if publication.origin == self.number or self._user in publication.hidden:
                continue
            if isinstance(publication.event, events.Message | events.Erased):
                found.append(publication.event)
        return found


class TimedCluster:
    """Some nodes, the sessions on them, and the faults that can happen."""

    def __init__(self, seed: int, count: int = 3, *, log_delay: float = 0.02) -> None:
        self.clock = Clock()
        self.random = Random(seed)
        self.network = SimulatedNetwork(self.clock, self.random)
        self._folder = tempfile.TemporaryDirectory()
        self.store = SQLiteStore(Path(self._folder.name) / "irchat.sqlite", NoThreads(), self.wall_ms)
        self.store._connection.execute("PRAGMA synchronous = OFF")
        for name in NAMES:
            self.store.commit([UserCreated(name, name, None, WALL_MS, None)])
        self.store.commit([GroupCreated("team", "team", (1, 2, 3), WALL_MS)])
        self.database = SharedDatabase(self.store, self.clock)
        self._runs = iter(range(1, 1_000_000))
        self._numbers = iter(range(1, 1_000_000))
        self._steps = iter(range(1_000_000))
        self.nodes: list[TimedNode] = []
        self.sessions: list[TimedSession] = []
        self.sent: dict[str, tuple[str, float, events.Sent]] = {}
        self.changed_at = dict.fromkeys(NAMES, float("-inf"))
        for number in range(count):
            self.start(f"n{number}")
        advance(self.clock, 1.5)
        self.database.delay = random_delay(seed, log_delay)

    def close(self) -> None:
        """End everything."""
        for node in list(self.nodes):
            self.kill(node)
        self.store.close()
        self._folder.cleanup()

    def wall_ms(self) -> int:
        """Return the wall clock time."""
        return WALL_MS + int(self.clock.seconds() * 1000)

    def start(self, name: str) -> TimedNode:
        """Start a process."""
        node = TimedNode(name, next(self._runs), self.database, self.network)
        self.nodes.append(node)
        return node

    def kill(self, node: TimedNode) -> None:
        """Kill a process, and with it its sessions."""
        self.nodes.remove(node)
        self.sessions = [session for session in self.sessions if session.node is not node]
        node.bus.stop()
        self.database.nodes.remove(node.log)
        self.database.end_turn(node.log)
        self.database._asking = type(self.database._asking)(
            (log, granted) for log, granted in self.database._asking if log is not node.log
        )

    def enter(self, node: TimedNode, name: str) -> TimedSession:
        """Begin a session."""
        session = TimedSession(node, name, next(self._numbers))
        self.sessions.append(session)
        return session

    def send(
        self, node: TimedNode, name: str, chat: str, text: str, seconds: int, nonce: str | None = None, **how: Any
    ) -> list[events.Sent]:
        """Send a timed message. The answer is added to the result when it comes."""
        answers: list[events.Sent] = []
        begun = self.clock.seconds()

        def note(sent: events.Sent) -> None:
            answers.append(sent)
            if sent.id is not None:
                self.sent.setdefault(sent.id, (name, begun, sent))

        asked = node.send(name, chat, text, expires_in=seconds, nonce=nonce, **how)
        asked.addCallback(note).addErrback(lambda failure: failure.trap(Refusal))
        return answers

    def quiet(self, seconds: float = 16.0) -> None:
        """Repair everything, and wait until all is quiet."""
        self.network.loss = self.network.doubles = 0.0
        self.network.delay = 0.02
        for node in self.nodes:
            node.transport.is_hung = False
            node.transport.set_up(True)
        advance(self.clock, seconds)

    # Random events

    def disturb(self, steps: int, *, calm: bool = False) -> None:
        """Run random events. While ``calm``, the bus loses nothing."""
        for step in islice(self._steps, steps):
            things = [self._some_send] * 6 + [self._some_read] * 4 + [self._some_end] * 2 + [self._some_session] * 2
            things += [self._some_member, self._some_block, self._some_death]
            if not calm:
                things += [self._some_fault] * 2
            self.random.choice(things)(self.random.choice(self.nodes), step)
            if self.random.random() < 0.8:
                advance(self.clock, self.random.choice((0.05, 0.05, 0.3, 1.0)))

    def _some_send(self, node: TimedNode, step: int) -> None:
        name, chat = self.random.choice(NAMES), self.random.choice(CHATS)
        text, seconds = f"m{step} @bob", self.random.choice((1, 2, 5, 60, 90, 120))
        nonce = f"nonce {step}" if self.random.random() < 0.4 else None
        if self.random.random() < 0.2:
            self._ask(node.send(name, chat, f"stored {step}"))
        self.send(node, name, chat, text, seconds, nonce)
        if nonce is not None and self.random.random() < 0.5:
            self.clock.callLater(0.7, lambda: self.send(self.random.choice(self.nodes), name, chat, text, 60, nonce))

    def _some_read(self, node: TimedNode, step: int) -> None:
        name, reading = self.random.choice(NAMES), node.chat.reading
        live = [one for one in node.live.values() if one.chat.has(node[name]) and one.chat.pair is None]
        if live and self.random.random() < 0.5:
            timed = self.random.choice(live)
            if timed.sender.id not in node[name].hidden and node[name].id not in timed.late:
                reading.timed_shown(node[name], timed.chat.key, timed.order)
        else:
            chat = self.random.choice(("GLOBAL", "@alice", "@bob", "*team"))
            self._ask(lambda: reading.mark(node[name], chat, 10**6, None))

    def _some_end(self, node: TimedNode, step: int) -> None:
        name = self.random.choice(NAMES)
        self._ask(lambda: node.amend_last(name, self.random.choice(CHATS)))

    def _some_session(self, node: TimedNode, step: int) -> None:
        if self.sessions and self.random.random() < 0.3:
            session = self.sessions.pop(self.random.randrange(len(self.sessions)))
            session.node.leave(session.name, session.number)
        elif self.random.random() < 0.9:
            self.enter(node, self.random.choice(NAMES))

    def _some_member(self, node: TimedNode, step: int) -> None:
        name = self.random.choice(("carol", "dave", "erin"))
        self.changed_at[name] = self.clock.seconds() + 1
        change = node.chat.groups.add if self.random.random() < 0.6 else node.chat.groups.remove
        self._ask(lambda: change(node["alice"], "team", name, None))

    def _some_block(self, node: TimedNode, step: int) -> None:
        one, other = self.random.sample(NAMES, 2)
        self.changed_at[one] = self.changed_at[other] = self.clock.seconds() + 1
        self._ask(lambda: node.chat.blocks.block(node[one], other, self.random.random() < 0.5, None))

    def _some_death(self, node: TimedNode, step: int) -> None:
        if self.random.random() < 0.5:
            if len(self.nodes) > 1:
                self.kill(node)
        elif len(self.nodes) < 4:
            self.start(f"new{step}")

    def _some_fault(self, node: TimedNode, step: int) -> None:
        match self.random.randrange(3):
            case 0:
                self.network.loss = self.random.choice((0.0, 0.05, 0.3))
                self.network.doubles = self.random.choice((0.0, 0.1))
                self.network.delay = self.random.choice((0.0, 0.02, DELAY))
            case 1:
                node.transport.set_up(False)
                self.clock.callLater(self.random.random() * 8, self._bring_back, node)
            case 2:
                node.transport.is_hung = self.random.random() < 0.5

    def _bring_back(self, node: TimedNode) -> None:
        if node in self.nodes:
            node.transport.set_up(True)

    def _ask(self, asked: "Callable[[], Deferred[Any]] | Deferred[Any]") -> None:
        with suppress(Refusal):
            (asked if isinstance(asked, Deferred) else asked()).addErrback(lambda failure: failure.trap(Refusal))

    # Checks

    def faults(self) -> Iterator[str]:
        """Return the violations at a quiet time."""
        first, *others = self.nodes
        for text, count in Counter(timed.text for timed in first.live.values()).items():
            if count > 1:
                yield f"{text} was sent {count} times"
        for node in others:
            if node.live.keys() != first.live.keys():
                missing = {one.text for one in first.live.values()} ^ {one.text for one in node.live.values()}
                yield f"{node.name} and {first.name} differ in {missing}"
            for timed_id in node.live.keys() & first.live.keys():
                apart = abs(node.live[timed_id].end - first.live[timed_id].end)
                if apart > DELAY + 0.002:
                    yield f"{node.live[timed_id].text} ends {apart:.3f} s apart"
            for name in NAMES:
                for unread in False, True:
                    seen, seen_first = node.seen(name, unread=unread), first.seen(name, unread=unread)
                    if seen != seen_first:
                        yield f"{name}, {unread=}: {node.name} {seen}, {first.name} {seen_first}"
                if node.counts(name) != first.counts(name):
                    yield f"{name}: {node.name} counts {node.counts(name)}, {first.name} {first.counts(name)}"
        for session in self.sessions:
            yield from self._faults_of(session)

    def _faults_of(self, session: TimedSession) -> Iterator[str]:
        """Return the messages that a session missed, received twice, or kept after their end."""
        where = f"{session.name} on {session.node.name}"
        got = session.got()
        messages = Counter(event.id for event in got if isinstance(event, events.Message) and event.id is not None)
        ends = Counter(event.id for event in got if isinstance(event, events.Erased))
        for timed_id, count in messages.items():
            if count > 1:
                yield f"{where} received one {count} times"
            if (timed_id in ends) == (timed_id in session.node.live):
                yield f"{where}: a message is live and erased, or neither"
        for count in ends.values():
            if count > 1:
                yield f"{where}: erased {count} times"
        for timed_id, timed in session.node.live.items():
            known = self.sent.get(timed_id)
            if known is None or known[1] <= session.begun_at:
                continue
            sender, begun, _ = known
            settled = max(self.changed_at[sender], self.changed_at[session.name]) < begun
            user = session.node[session.name]
            may_see = timed.chat.has(user) and (timed.chat.pair is None or user in timed.chat.pair)
            if settled and may_see and user.id not in timed.sender.hidden | timed.late and timed_id not in messages:
                yield f"{where} missed {timed.text} of {sender}"
