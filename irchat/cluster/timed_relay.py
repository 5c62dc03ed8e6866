"""Timed messages between nodes: who received them, who has read them, and which ended early."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from irchat.cluster.bus_messages import Answered, BusMessage, Ended, Live, Reached, ReadTimed, Timed
from irchat.cluster.node_bus import NodeBus
from irchat.interfaces.nodes import ANSWER_SECONDS, LiveTimed, ThisNode, TimedCopy
from irchat.interfaces.stored import ChatKey

# Seconds during which reads are gathered: many users read a message at the same time.
_GATHER_SECONDS = 0.05
# Maximum ids in a message, and in all gathered reads.
_IDS = 1_000


@dataclass(eq=False)
class _Sending:
    """A message whose sender waits for the nodes ``silent``, which have not said yet whom it reached."""

    silent: set[str]
    late: IDelayedCall
    users: set[int] = field(default_factory=set)
    done: "Deferred[frozenset[int]]" = field(default_factory=Deferred)


class TimedRelay:
    """Carries timed messages between ``this`` node and the others. Fulfils `irchat.interfaces.nodes.OtherNodes`.

    ``bus`` carries the messages.
    """

    def __init__(self, bus: NodeBus, clock: IReactorTime) -> None:
        self._bus = bus
        self._publish = bus.publish
        self._clock = clock
        self._this: ThisNode
        self._sendings: dict[str, _Sending] = {}
        # By chat, messages and marker: the users that have read them.
        self._reads: dict[tuple[ChatKey, tuple[str, ...], int | None], set[int]] = {}
        self._live: Iterator[LiveTimed] | None = None

    def connect(self, this: ThisNode) -> None:
        """Pass the messages of the other nodes to ``this`` node."""
        self._this = this
        for kind, handler in self._handlers().items():
            self._bus.handle(kind, handler)
        self._bus.after_state = self._send_live

    # For the core.

    @property
    def is_connected(self) -> bool:
        """Whether messages to the other nodes can be sent now."""
        return self._bus.is_connected

    def send(self, copy: TimedCopy) -> Deferred[frozenset[int]]:
        """Send a new message (see `OtherNodes`)."""
        silent = set(self._bus.heard())
        self._publish(Timed(copy))
        if not silent:
            return succeed(frozenset())
        late = self._clock.callLater(ANSWER_SECONDS, self._answer, copy.id)
        sending = self._sendings[copy.id] = _Sending(silent, late)
        return sending.done

    def ended(self, ids: Collection[str]) -> None:
        """Drop the texts of messages that have ended (see `OtherNodes`)."""
        self._bus.drop_texts(ids)

    def answered(self, timed_id: str, reached: int) -> None:
        """Say how a sender was answered (see `OtherNodes`)."""
        self._publish(Answered(timed_id, reached))

    def took_back(self, ended: Sequence[tuple[str, int]]) -> None:
        """Say that messages ended early (see `OtherNodes`)."""
        for begin in range(0, len(ended), _IDS):
            self._publish(Ended(tuple(ended[begin : begin + _IDS])))

    def read(self, user: int, chat: ChatKey, ids: Collection[str], seq: int | None = None) -> None:
        """Say that a user has read messages (see `OtherNodes`), together with other users."""
        if not self._reads:
            self._clock.callLater(_GATHER_SECONDS, self._publish_reads)
        self._reads.setdefault((chat, tuple(ids), seq), set()).add(user)

    def _publish_reads(self) -> None:
        reads, self._reads = self._reads, {}
        for (chat, ids, seq), users in reads.items():
            for begin in range(0, len(ids), _IDS):
                last = begin + _IDS >= len(ids)
                self._publish(ReadTimed(tuple(users), chat, ids[begin : begin + _IDS], seq if last else None))

    # For the bus.

    def _handlers(self) -> Mapping[type[BusMessage], Callable[[str, Any], None]]:
        """Return the methods to call with each message of another node about timed messages, by its type."""
        this = self._this
        return {
            Timed: lambda node, body: self._publish(Reached(body.copy.id, tuple(this.receive(body.copy)))),
            Reached: lambda node, body: self._note_reached(node, body.id, body.users),
            Answered: lambda node, body: this.note_answered(body.id, body.reached),
            ReadTimed: lambda node, body: this.note_read(body.users, body.chat, body.ids, body.seq),
            Ended: lambda node, body: this.forget(body.timed),
            Live: lambda node, body: this.learn(body.timed),
        }

    def _send_live(self) -> None:
        """Send all that a new node must know. The messages go in parts, one in a turn of the reactor."""
        self.took_back(self._this.ended())
        is_sending = self._live is not None
        self._live = self._this.live()
        if not is_sending:
            self._send_part()

    def _send_part(self) -> None:
        assert self._live is not None
        part = next(self._live, None)
        if part is None:
            self._live = None
        else:
            self._publish(Live(part))
            self._clock.callLater(0, self._send_part)

    def _note_reached(self, node: str, timed_id: str, users: Collection[int]) -> None:
        sending = self._sendings.get(timed_id)
        if sending is not None:
            sending.users.update(users)
            sending.silent.discard(node)
            if not sending.silent:
                sending.late.cancel()
                self._answer(timed_id)

    def _answer(self, timed_id: str) -> None:
        sending = self._sendings.pop(timed_id)
        sending.done.callback(frozenset(sending.users))
