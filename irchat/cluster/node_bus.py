"""Connect this node with the others: send its messages, and dispatch theirs."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Never, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock, LoopingCall
from twisted.logger import Logger

from irchat.cluster.bus_messages import (
    Again,
    Beat,
    Body,
    BusMessage,
    Came,
    Counts,
    Envelope,
    Failed,
    News,
    Reached,
    Reasoned,
    Registered,
    Signaled,
    State,
    UnknownMessage,
    Went,
    decode,
    encode,
)
from irchat.cluster.heard_stream import HeardStream
from irchat.cluster.sealing import Seal
from irchat.cluster.sent_stream import SentStream
from irchat.cluster.transport import Transport
from irchat.interfaces.asides import Persona
from irchat.interfaces.nodes import ThisAdmission, ThisPresence

_BEAT_SECONDS = 0.5
# Seconds after the last message of a node until nobody waits for its answers, and until its users are offline.
_SILENT_SECONDS, _GONE_SECONDS = 1.5, 5.0
# The transport returns this node's own messages. Seconds without them until it counts as away, and until it is reset.
_AWAY_SECONDS, _RESET_SECONDS = 2.0, 4.0

_log = Logger()
B = TypeVar("B", bound=BusMessage)


class NodeBus:
    """Connects this node with the others. ``run`` identifies this process, and is higher than that of the one before.

    ``position`` returns the position in the log that this node has applied; ``reached`` returns a Deferred that fires
    when a position is applied. ``on_news`` is called when another node has committed something. ``after_state`` is
    called after the state was sent, and ``on_gone`` with the name of a node that is gone. ``personas`` returns those of
    this node (see `irchat.interfaces.asides`). ``gaps`` counts the requests for missing messages.

    Implements `irchat.interfaces.nodes.OtherPresence` and `irchat.interfaces.nodes.OtherAdmissions`.
    """

    def __init__(
        self,
        node: str,
        run: int,
        transport: Transport,
        seal: Seal,
        clock: Clock,
        position: Callable[[], int],
        reached: Callable[[int], Deferred[Any]],
        presence: ThisPresence,
        admission: ThisAdmission,
        on_news: Callable[[], None],
    ) -> None:
        self.node = node
        self.after_state: Callable[[], None] = lambda: None
        self.on_gone: Callable[[str], None] = lambda node: None
        self.personas: Callable[[], Mapping[int, Persona]] = dict
        self.gaps = 0
        self._seconds = clock.seconds
        self._transport = transport
        self._seal = seal
        self._reached = reached
        self._presence = presence
        self._admission = admission
        self._on_news = on_news
        self._sent = SentStream(node, run, clock.seconds, position, self._publish, self._make_state, self._send_rest)
        self._heard: dict[str, HeardStream] = {}
        # Sessions by address: those of each other node, and those here that changed since the last beat.
        self._addresses: dict[str, dict[str, int]] = {}
        self._changed: dict[str, int] = {}
        self._handlers: defaultdict[type[BusMessage], list[Callable[[str, Never], None]]] = defaultdict(list)
        self._said: set[str] = set()
        # The nodes that were heard before the bus was away, and not yet since.
        self._awaited: set[str] = set()
        self._is_up = False
        self._was_connected = False
        self._up_at = self._echo_at = float("-inf")
        self._beats = LoopingCall(self._beat)
        self._beats.clock = clock
        self.handle(State, self._hear_state)
        self.handle(Came, lambda node, body: presence.came(node, body.user, body.sessions, body.sign_ins))
        self.handle(Went, lambda node, body: presence.went(node, body.user))
        self.handle(Failed, lambda node, body: admission.note_failed(body.keys, succeeded=body.succeeded))
        self.handle(Registered, lambda node, body: admission.note_registered(body.address))
        self.handle(Counts, self._hear_counts)

    # Called by other parts of this node

    @property
    def is_connected(self) -> bool:
        """Whether the bus works now: the messages of this node come back, and the other nodes are back too.

        After an outage, a message would be lost with this node until the others have connected again.
        """
        now = self._seconds()
        is_alone = bool(self._awaited) and now < self._up_at + _GONE_SECONDS
        return now < self._echo_at + _AWAY_SECONDS and not is_alone

    @property
    def repeated(self) -> int:
        """The number of messages that were repeated for other nodes."""
        return self._sent.repeated

    def heard(self) -> list[str]:
        """Return the names of the nodes whose last message is recent."""
        since = self._seconds() - _SILENT_SECONDS
        return [node for node, stream in self._heard.items() if stream.heard_at > since]

    def start(self) -> None:
        """Connect to the other nodes."""
        self._transport.received = self._received
        self._transport.connected = self._connected
        self._transport.lost = self._lost
        self._transport.start()
        self._beats.start(_BEAT_SECONDS)

    def stop(self) -> Deferred[None]:
        """Disconnect from the other nodes."""
        if self._beats.running:
            self._beats.stop()
        return self._transport.stop()

    def handle(self, kind: type[B], handler: Callable[[str, B], None]) -> None:
        """Call ``handler`` with each further message of a kind, and with the node that sent it."""
        self._handlers[kind].append(handler)

    def publish(self, body: Body) -> None:
        """Send a message to all other nodes. While the bus is away, numbered ones are kept and sent later."""
        self._sent.send(body)

    def drop_texts(self, ids: Collection[str]) -> None:
        """Drop the kept texts of timed messages that ended."""
        self._sent.drop_texts(ids)

    def say_news(self) -> None:
        """Notify the other nodes of a commit of this node."""
        self.publish(News())

    def start_again(self) -> None:
        """Forget the state of the other nodes, and request it again, after the memory of this node was loaded again."""
        for node in list(self._heard):
            self._forget(node)

    # OtherPresence

    def came(self, user: int, sessions: int, sign_ins: tuple[str, ...]) -> None:
        """Report that a user has this many sessions here, with these sign-ins."""
        self.publish(Came(user, sessions, sign_ins))

    def went(self, user: int) -> None:
        """Report that a user is offline here."""
        self.publish(Went(user))

    # OtherAdmissions

    def failed(self, keys: Sequence[str], *, succeeded: bool) -> None:
        """Report that a sign-in failed here, or succeeded."""
        self.publish(Failed(tuple(keys), succeeded))

    def registered(self, address: str) -> None:
        """Report that an account was created here."""
        self.publish(Registered(address))

    def set_sessions(self, address: str, sessions: int) -> None:
        """Report, with the next beat, the number of sessions of an address here."""
        self._changed[address] = sessions

    def sessions_of(self, address: str) -> int:
        """Return the number of sessions of an address on all other nodes."""
        return sum(sessions.get(address, 0) for sessions in self._addresses.values())

    # Called by the transport

    def _publish(self, envelope: Envelope) -> None:
        self._transport.publish(self._seal.seal(encode(envelope)))

    def _connected(self) -> None:
        self._is_up, self._up_at = True, self._seconds()
        self._awaited = set(self._heard)
        self.publish(Beat(self._sent.last))

    def _lost(self) -> None:
        self._is_up, self._echo_at = False, float("-inf")

    def _received(self, sealed: bytes) -> None:
        data = self._seal.open(sealed)
        if data is None:
            self._say_once("messages on the bus are sealed with another key: give each node the same --bus-key")
            return
        try:
            envelope = decode(data)
        except UnknownMessage:
            self._say_once("a node speaks another version of the bus: update all nodes to the same version")
            return
        if envelope.node != self.node:
            self._hear(envelope)
        elif envelope.run == self._sent.run:
            self._echo_at = self._seconds()
        else:
            self._say_once(f"another process is called {self.node}, too: start each node with a --node of its own")

    def _hear(self, envelope: Envelope) -> None:
        node, body = envelope.node, envelope.body
        self._awaited.discard(node)
        stream = self._heard.get(node)
        if stream is not None and envelope.run > stream.run:
            self._forget(node)
            stream = None
        if stream is None:
            _log.info("the node {node} is heard", node=node)
            stream = self._heard[node] = self._new_stream(node, envelope.run)
        elif envelope.run < stream.run:
            return
        now = stream.heard_at = self._seconds()
        late = stream.transit.late(envelope.clock, now)
        match body:
            case Beat(n=n):
                stream.note_last(n)
            case Again():
                if body.node == self.node:
                    self._sent.answer(body)
            case News():
                self._on_news()
            case Reached() | Signaled() | Reasoned():
                self._hand_on(node, body)
            case _:
                stream.receive(envelope, late)

    # The other nodes

    def _new_stream(self, node: str, run: int) -> HeardStream:
        def ask(n: int) -> None:
            self.gaps += n > 0
            self.publish(Again(node, run, n))

        self._addresses[node] = {}
        return HeardStream(run, self._seconds, self._reached, lambda body: self._hand_on(node, body), ask)

    def _hand_on(self, node: str, body: Body) -> None:
        for handler in self._handlers[type(body)]:
            handler(node, body)  # type: ignore[arg-type]  # chosen by its type

    def _hear_state(self, node: str, state: State) -> None:
        self._presence.set_online(node, dict(state.online), dict(state.sign_ins))
        self._addresses[node] = dict(state.addresses)

    def _hear_counts(self, node: str, counts: Counts) -> None:
        known = self._addresses[node]
        known.update(counts.addresses)
        for address, sessions in counts.addresses:
            if not sessions:
                known.pop(address, None)

    def _make_state(self, last: int, first: int) -> State:
        return State(
            last,
            first,
            tuple(self._presence.online_here().items()),
            tuple(self._admission.sessions_here().items()),
            tuple(self._presence.sign_ins_here().items()),
            tuple(self.personas().items()),
        )

    def _send_rest(self) -> None:
        self.after_state()

    def _forget(self, node: str) -> None:
        self._heard.pop(node).close()
        self._awaited.discard(node)
        del self._addresses[node]
        self._presence.set_online(node, {})
        self.on_gone(node)
        self._send_rest()  # some of its last messages may have reached only some nodes

    def _beat(self) -> None:
        """Send a beat, and forget silent nodes.

        While the bus is away no node can be heard, so none is forgotten.
        """
        if self._changed:
            self.publish(Counts(tuple(self._changed.items())))
            self._changed = {}
        self._sent.drop_ended()
        self.publish(Beat(self._sent.last))
        now = self._seconds()
        is_connected = self.is_connected
        for node, stream in list(self._heard.items()):
            stream.age()
            if not is_connected:
                stream.heard_at = now
            elif now > stream.heard_at + _GONE_SECONDS:
                _log.warn("the node {node} is silent: its users are offline", node=node)
                self._forget(node)
        if self._is_up and not is_connected and now > max(self._up_at, self._echo_at) + _RESET_SECONDS:
            self._transport.reset()
        if is_connected != self._was_connected:
            self._was_connected = is_connected
            if is_connected:
                _log.info("the bus works")
            else:
                _log.warn("the bus is away, so timed messages are refused: look at its server and at --bus")

    def _say_once(self, text: str) -> None:
        if text not in self._said:
            self._said.add(text)
            _log.error("{text}", text=text)
