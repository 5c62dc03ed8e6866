"""Timed messages between nodes: who received them, who has read them, and which ended early."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from irchat.cluster.bus_messages import Answered, BusMessage, Ended, Live, Reached, ReadTimed, Timed
from irchat.interfaces.nodes import LiveTimed, ThisNode, TimedCopy
from irchat.interfaces.stored import ChatKey

# Seconds after which the sender is answered, even if not all nodes have said whom the message reached.
_ANSWER_SECONDS = 0.5
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

    ``publish`` sends a message to all others. ``heard`` returns the nodes that can be heard, and ``works`` whether the
    bus works now.
    """

    def __init__(
        self,
        publish: Callable[[BusMessage], None],
        heard: Callable[[], Collection[str]],
        works: Callable[[], bool],
        clock: IReactorTime,
        this: ThisNode,
    ) -> None:
        self._publish = publish
        self._heard = heard
        self._works = works
        self._clock = clock
        self._this = this
        self._sendings: dict[str, _Sending] = {}
        # By chat, messages and marker: the users that have read them.
        self._reads: dict[tuple[ChatKey, tuple[str, ...], int | None], set[int]] = {}
        self._live: Iterator[LiveTimed] | None = None

    # For the core.

    @property
    def is_connected(self) -> bool:
        """Whether messages to the other nodes can be sent now."""
        return self._works()

    def send(self, copy: TimedCopy) -> Deferred[frozenset[int]]:
        """Send a new message (see `OtherNodes`)."""
        silent = set(self._heard())
        self._publish(Timed(copy))
        if not silent:
            return succeed(frozenset())
        late = self._clock.callLater(_ANSWER_SECONDS, self._answer, copy.id)
        sending = self._sendings[copy.id] = _Sending(silent, late)
        return sending.done

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

    def received(self, node: str, message: BusMessage) -> bool:
        """Handle a message of another node. Return whether it is one about timed messages."""
        match message:
            case Timed(copy):
                self._publish(Reached(copy.id, tuple(self._this.receive(copy))))
            case Reached(timed_id, users):
                self._note_reached(node, timed_id, users)
            case Answered(timed_id, reached):
                self._this.note_answered(timed_id, reached)
            case ReadTimed(users, chat, ids, seq):
                self._this.note_read(users, chat, ids, seq)
            case Ended(timed):
                self._this.forget(timed)
            case Live(timed):
                self._this.learn(timed)
            case _:
                return False
        return True

    def send_live(self) -> None:
        """Send all that a new node must know. The messages go in parts, one in a turn of the reactor."""
        self.took_back(self._this.ended())
        is_sending = self._live is not None
        self._live = self._this.live()
        if not is_sending:
            self._send_part()

    def lost(self, node: str) -> None:
        """Note that a node is gone: nobody waits for it any longer."""
        for timed_id in list(self._sendings):
            self._hear(node, timed_id)

    def _send_part(self) -> None:
        assert self._live is not None
        part = next(self._live, None)
        if part is None:
            self._live = None
        else:
            self._publish(Live(part))
            self._clock.callLater(0, self._send_part)

    def _note_reached(self, node: str, timed_id: str, users: Collection[int]) -> None:
        if timed_id in self._sendings:
            self._sendings[timed_id].users.update(users)
            self._hear(node, timed_id)

    def _hear(self, node: str, timed_id: str) -> None:
        sending = self._sendings[timed_id]
        sending.silent.discard(node)
        if not sending.silent:
            sending.late.cancel()
            self._answer(timed_id)

    def _answer(self, timed_id: str) -> None:
        sending = self._sendings.pop(timed_id)
        sending.done.callback(frozenset(sending.users))
