"""Relay timed messages between nodes, with their recipients, their readers and their early ends."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from irchat.cluster.bus_messages import Answered, Ended, Live, Reached, ReadTimed, Timed
from irchat.cluster.node_bus import NodeBus
from irchat.interfaces.nodes import ANSWER_SECONDS, LiveTimed, ThisNode, TimedCopy
from irchat.interfaces.stored import ChatKey

# Seconds during which reads are gathered: many users read a message at the same time.
_GATHER_SECONDS = 0.05
# Maximum ids in a message, and in all gathered reads.
_IDS = 1_000


@dataclass(eq=False)
class _Sending:
    """A message whose sender waits for the ``silent`` nodes, which have not yet reported the users that it reached."""

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
        # The users that have read messages, by chat, ids and marker.
        self._reads: dict[tuple[ChatKey, tuple[str, ...], int | None], set[int]] = {}
        self._live: Iterator[LiveTimed] | None = None

    def connect(self, this: ThisNode) -> None:
        """Pass the messages of the other nodes to ``this`` node."""
        self._this = this
        handle = self._bus.handle
        handle(Timed, lambda _, body: self._publish(Reached(body.copy.id, tuple(this.receive(body.copy)))))
        handle(Reached, lambda node, body: self._note_reached(node, body.id, body.users))
        handle(Answered, lambda _, body: this.note_answered(body.id, body.reached))
        handle(ReadTimed, lambda _, body: this.note_read(body.users, body.chat, body.ids, body.seq))
        handle(Ended, lambda _, body: this.forget(body.timed))
        handle(Live, lambda _, body: this.learn(body.timed))
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
        """Report the answer to a sender (see `OtherNodes`)."""
        self._publish(Answered(timed_id, reached))

    def took_back(self, ended: Sequence[tuple[str, int]]) -> None:
        """Report that messages ended early (see `OtherNodes`)."""
        for begin in range(0, len(ended), _IDS):
            self._publish(Ended(tuple(ended[begin : begin + _IDS])))

    def read(self, user: int, chat: ChatKey, ids: Collection[str], seq: int | None = None) -> None:
        """Report that a user has read messages (see `OtherNodes`), together with other users."""
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

    def _send_live(self) -> None:
        """Send all live and early-ended messages to a new node, in parts, one for each turn of the reactor."""
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
