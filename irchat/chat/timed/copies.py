"""Share timed messages with the other nodes: send those of this node, and add those of the others.

Each node numbers its copies itself, and ends them by its own forward clock. Between nodes, a message is identified by
its id.
"""

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from itertools import pairwise
from typing import TypeVar

from msgspec.structs import replace
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from irchat.chat.state.directory import Directory
from irchat.chat.state.entities import User
from irchat.chat.state.presence import Presence
from irchat.chat.timed.publishing import erased, others, sent
from irchat.chat.timed.timed_chat import TimedChat, TimedMessage, left_ms
from irchat.chat.timed.timed_messages import TimedMessages
from irchat.chat.timed.timed_replies import TimedNonces, TimedSent
from irchat.interfaces.bus import Bus, Publication
from irchat.interfaces.nodes import ANSWER_SECONDS, LiveTimed, OtherNodes, TimedCopy
from irchat.interfaces.stored import ChatKey
from irchat.protocol.errors import Code, Refusal
from irchat.protocol.events import Read

# Milliseconds during which late copies of an ended message are recognized.
_GONE_MS = 5_000
# Maximum number of ended messages whose copies are recognized, and of unknown ones that were read elsewhere.
_GONE_MOST = 100_000
_UNKNOWN_MOST = 10_000
# The messages in a part of the live ones.
_PART = 256
# Seconds per turn of the reactor for noting reads of other nodes.
_SLICE_SECONDS = 0.01

_Read = tuple[ChatKey, int, int, int, frozenset[int]]
"""A chat, a user, and a read span (see `TimedChat.note_read`)."""

Value = TypeVar("Value")

_log = Logger()


class TimedCopies:
    """Shares the timed messages of this node with ``others``. Fulfils `irchat.interfaces.nodes.ThisNode`."""

    def __init__(
        self,
        directory: Directory,
        timed: TimedMessages,
        nonces: TimedNonces,
        presence: Presence,
        bus: Bus,
        clock: IReactorTime,
        others: OtherNodes,
    ) -> None:
        self._directory = directory
        self._timed = timed
        self._nonces = nonces
        self._presence = presence
        self._bus = bus
        self._clock = clock
        self._others = others
        self._live: dict[str, TimedMessage] = {}
        # The ids of ended messages, with the times (s) until which their copies are ignored.
        self._gone: dict[str, float] = {}
        # The removed users whose messages all ended.
        self._silent: set[int] = set()
        # The answers to messages with nonces that were sent on other nodes, until their recipients are known.
        self._open: dict[str, TimedSent] = {}
        # The users that have read a message whose copy has not arrived here yet.
        self._read_early: dict[str, set[int]] = {}
        self._reads: deque[_Read] = deque()
        self._is_noting = False
        timed.on_read = self._tell_read

    # For messages of this node.

    def refuse_unconnected(self) -> None:
        """Raise Refusal ``unavailable`` while the other nodes cannot be reached."""
        if not self._others.is_connected:
            text = "Timed messages cannot be sent at the moment: the servers cannot reach each other. Try again soon."
            raise Refusal(Code.UNAVAILABLE, text)

    def send(self, timed: TimedMessage, nonce: str | None, reached: Collection[int], answer: TimedSent) -> None:
        """Send a new message to the other nodes after this turn of the reactor, when everything before it is published.

        ``reached``: the users that it reached here. ``answer`` is settled when those of the other nodes are known.
        """
        self._live[timed.id] = timed
        audience = None if timed.chat.group is None else tuple(timed.chat.group.members)
        self._clock.callLater(0, self._send, timed, nonce, audience, reached, answer)

    def _send(
        self,
        timed: TimedMessage,
        nonce: str | None,
        audience: tuple[int, ...] | None,
        reached: Collection[int],
        answer: TimedSent,
    ) -> None:
        sending: Deferred[frozenset[int]] = Deferred()
        sending.addErrback(self._cannot_send)
        sending.addCallback(lambda there: self._settle(answer, nonce, len(there.union(reached))))
        sending.addErrback(lambda failure: _log.failure("the sender of a timed message was not answered", failure))
        if timed.end <= self._timed.now():
            sending.callback(frozenset())
        else:
            copy = replace(self._copy(timed, nonce, answer), audience=audience)
            self._others.send(copy).chainDeferred(sending)

    def _cannot_send(self, failure: object) -> frozenset[int]:
        """Continue: users of this node have received the message, and its copy may still arrive on other nodes."""
        return frozenset()

    def _settle(self, answer: TimedSent, nonce: str | None, reached: int) -> None:
        if nonce is not None:
            self._others.answered(answer.id, reached)
        answer.settle(reached)

    def note_ended(self, ended: Sequence[TimedMessage]) -> None:
        """Note that messages have ended on this node."""
        for timed in ended:
            self._live.pop(timed.id, None)
            self._note_gone(timed.id, _GONE_MS)
        self._others.ended([timed.id for timed in ended])

    def tell_ended(self, ended: Sequence[TimedMessage], end: float) -> None:
        """Note that messages ended early, the last of them instead of at ``end``, and tell the other nodes."""
        left = left_ms(end, self._timed.now()) + _GONE_MS
        for timed in ended:
            self._live.pop(timed.id, None)
            self._note_gone(timed.id, left)
        self._others.took_back([(timed.id, left) for timed in ended])

    def end_all_of(self, sender: User) -> None:
        """End all messages of a removed user on the other nodes, also those whose copies have not arrived here yet."""
        self._silent.add(sender.id)
        for in_chat in self._timed.in_chats():
            for batch in in_chat.batches(sender):
                self._tell_gone([(timed.id, left_ms(timed.end, self._timed.now()) + _GONE_MS) for timed in batch])

    def _tell_read(self, reader: User, key: ChatKey, messages: list[TimedMessage], seq: int | None) -> None:
        if messages:
            self._others.read(reader.id, key, [timed.id for timed in messages], seq)

    # For messages of other nodes: `irchat.interfaces.nodes.ThisNode`.

    def receive(self, copy: TimedCopy) -> frozenset[int]:
        """Add a message that was sent on another node (see `ThisNode`)."""
        publications: list[Publication] = []
        reached = self._add(copy, publications)
        self._publish(publications)
        return reached

    def note_answered(self, timed_id: str, reached: int) -> None:
        """Note the answer to the sender of a message (see `ThisNode`)."""
        answer = self._open.pop(timed_id, None)
        if answer is not None:
            answer.settle(reached)

    def note_read(self, users: Collection[int], chat: ChatKey, ids: Collection[str], seq: int | None = None) -> None:
        """Note that users have read messages on another node (see `ThisNode`)."""
        in_chat = self._timed.in_chat(chat)
        known = [self._live[timed_id] for timed_id in ids if timed_id in self._live]
        if in_chat is not None and known:
            for first, last in _runs(in_chat, known):
                after, last_order = known[first].order - 1, known[last].order
                self._reads.extend((chat, user, after, last_order, frozenset()) for user in users)
        for timed_id in ids:
            if timed_id not in self._live and timed_id not in self._gone:
                self._read_early.setdefault(timed_id, set()).update(users)
        _shorten(self._read_early, _UNKNOWN_MOST)
        if not self._is_noting:
            self._note_reads()
        if seq is not None:
            self._publish_marker(users, chat, seq)

    def live(self) -> Iterator[LiveTimed]:
        """Return all live messages in parts (see `ThisNode`)."""
        for in_chat in self._timed.in_chats():
            nonces = self._nonces.by_id()
            for batch in in_chat.batches():
                for begin in range(0, len(batch), _PART):
                    part = [timed for timed in batch[begin : begin + _PART] if timed.text]
                    if part:
                        yield self._part(in_chat, part, nonces)

    def learn(self, live: LiveTimed) -> None:
        """Add live messages of another node (see `ThisNode`)."""
        publications: list[Publication] = []
        for copy in live.copies:
            self._add(copy if copy.audience is not None else replace(copy, audience=live.audience), publications)
        self._publish(publications)
        found = [(index, self._live[copy.id]) for index, copy in enumerate(live.copies) if copy.id in self._live]
        in_chat = None if not found else self._timed.in_chat(live.copies[0].chat)
        if in_chat is None:
            return
        indices, known = [index for index, _ in found], [timed for _, timed in found]
        runs = _runs(in_chat, known)
        for user, first, last, hidden in live.reads:
            begin, end = bisect_left(indices, first), bisect_right(indices, last) - 1
            for run_begin, run_end in runs:
                if max(begin, run_begin) <= min(end, run_end):
                    after = known[max(begin, run_begin)].order - 1
                    last_order = known[min(end, run_end)].order
                    self._reads.append((in_chat.chat.key, user, after, last_order, frozenset(hidden)))
        if not self._is_noting:
            self._note_reads()

    def ended(self) -> Sequence[tuple[str, int]]:
        """Return the messages that ended early (see `ThisNode`)."""
        now = self._timed.now()
        return [(timed_id, left_ms(until, now)) for timed_id, until in self._gone.items() if until > now]

    def forget(self, ended: Sequence[tuple[str, int]]) -> None:
        """End messages that ended early on another node (see `ThisNode`)."""
        over = []
        for timed_id, left in ended:
            timed = self._live.pop(timed_id, None)
            if timed is not None and self._timed.take_back(timed):
                over.append(timed)
            self._note_gone(timed_id, left)
        self._others.ended([timed_id for timed_id, _ in ended])
        self._publish(erased(over, self._presence.sessions))

    def _add(self, copy: TimedCopy, publications: list[Publication]) -> frozenset[int]:
        """Add a message if it is new. Return the users that it reached here at once."""
        known = self._live.get(copy.id)
        if known is not None:
            return known.had_by() - {known.sender.id}
        now = self._timed.now()
        chat = self._directory.chat_by_key(copy.chat)
        if chat is None or not copy.left_ms or self._gone.get(copy.id, 0.0) > now:
            return frozenset()
        if copy.sender in self._silent or self._is_repetition(copy, publications):
            self._tell_gone([(copy.id, copy.left_ms + _GONE_MS)])
            return frozenset()
        users, sender = self._directory.users, self._directory.users[copy.sender]
        timed = self._timed.add(
            chat,
            sender,
            copy.text,
            copy.at,
            (copy.expires_at - copy.at) // 1000,
            now + copy.left_ms / 1000,
            tuple(users[user] for user in copy.to if user in users),
            copy.id,
        )
        self._live[timed.id] = timed
        timed.followed_by = copy.followed_by
        self._exclude_late(timed, copy)
        reached = others(self._directory, self._presence, chat, sender)[1] - timed.late
        self._timed.give(timed, reached | {sender.id})
        publications += sent(timed, now, self._presence, None)
        if copy.nonce is not None:
            self._remember(timed, copy)
        if readers := self._read_early.pop(timed.id, None):
            self.note_read(readers, chat.key, [timed.id])
        return reached

    def _exclude_late(self, timed: TimedMessage, copy: TimedCopy) -> None:
        """Hide a message from the members that joined the group after it was sent."""
        if timed.chat.group is not None and copy.audience is not None:
            late = timed.chat.group.members.keys() - set(copy.audience)
            in_chat = self._timed.in_chat(timed.chat.key)
            if late and in_chat is not None:
                in_chat.exclude(timed, [self._directory.users[user] for user in late])

    def _is_repetition(self, copy: TimedCopy, publications: list[Publication]) -> bool:
        """Return whether this copy repeats a message that was sent on another node, and must be dropped.

        A client repeats an unanswered message on another node. If the first node was only slow, it sends the
        message too. All nodes keep the one with the lower id.
        """
        before = self._nonces.find(copy.sender, copy.nonce)
        if before is None or before.id == copy.id:
            return False
        other = self._live.get(before.id)
        if other is None or before.id < copy.id:
            return True
        end = other.end
        if self._timed.take_back(other):
            self.tell_ended([other], end)
            publications += erased([other], self._presence.sessions)
        return False

    def _remember(self, timed: TimedMessage, copy: TimedCopy) -> None:
        """Remember a nonce. A repetition gets the answer of the first message, when that is known."""
        answer = self._open[timed.id] = TimedSent(timed, copy.reached, copy.of, is_open=True)
        self._nonces.remember(timed.sender, copy.nonce, answer)
        self._clock.callLater(ANSWER_SECONDS, self.note_answered, timed.id, copy.reached)

    def _copy(self, timed: TimedMessage, nonce: str | None, answer: TimedSent | None) -> TimedCopy:
        return TimedCopy(
            timed.id,
            timed.chat.key,
            timed.sender.id,
            timed.text,
            timed.at,
            timed.expires_at,
            left_ms(timed.end, self._timed.now()),
            tuple(user.id for user in timed.to),
            nonce,
            followed_by=timed.followed_by,
            reached=0 if answer is None else answer.reached,
            of=0 if answer is None else answer.of,
        )

    def _part(
        self, in_chat: TimedChat, part: list[TimedMessage], nonces: dict[str, tuple[str, TimedSent]]
    ) -> LiveTimed:
        members = None if in_chat.chat.group is None else tuple(in_chat.chat.group.members)
        copies = []
        for timed in part:
            copy = self._copy(timed, *nonces.get(timed.id, (None, None)))
            audience = None if members is None else in_chat.audience(timed, members)
            copies.append(copy if audience == members else replace(copy, audience=audience))
        orders = [timed.order for timed in part]
        reads = [
            (user, bisect_right(orders, after), bisect_right(orders, last) - 1, tuple(hidden))
            for user, after, last, hidden in in_chat.reads(orders[0] - 1, orders[-1])
        ]
        return LiveTimed(tuple(copies), members, tuple(read for read in reads if read[1] <= read[2]))

    def _note_reads(self) -> None:
        """Note the reads of other nodes, in slices: many users may have read many messages."""
        deadline = self._clock.seconds() + _SLICE_SECONDS
        while self._reads:
            key, user, after, last, hidden = self._reads.popleft()
            in_chat = self._timed.in_chat(key)
            if in_chat is not None:
                in_chat.note_read(self._directory.users[user], after, last, hidden)
            if self._reads and self._clock.seconds() > deadline:
                self._is_noting = True
                self._clock.callLater(0, self._note_reads)
                return
        self._is_noting = False

    def _publish_marker(self, users: Collection[int], key: ChatKey, seq: int) -> None:
        chat = self._directory.chat_by_key(key)
        if chat is not None:
            readers = [self._directory.users[user] for user in users if user in self._presence.sessions]
            self._publish([Publication(Read(chat=chat.label(reader), seq=seq), (reader.id,)) for reader in readers])

    def _publish(self, publications: list[Publication]) -> None:
        if publications:
            self._bus.publish(publications)

    def _tell_gone(self, ended: list[tuple[str, int]]) -> None:
        for timed_id, left in ended:
            self._note_gone(timed_id, left)
        self._others.took_back(ended)

    def _note_gone(self, timed_id: str, left: int) -> None:
        """Ignore copies of a message for ``left`` ms."""
        until = self._timed.now() + left / 1000
        self._gone[timed_id] = max(self._gone.pop(timed_id, 0.0), until)
        self._read_early.pop(timed_id, None)
        _shorten(self._gone, _GONE_MOST)


def _runs(in_chat: TimedChat, messages: Sequence[TimedMessage]) -> list[tuple[int, int]]:
    """Return the first and last index of each run of ``messages`` that are neighbours in their chat, in this order."""
    if len(messages) == 1:
        return [(0, 0)]
    orders = [timed.order for batch in in_chat.batches() for timed in batch]
    places = [bisect_left(orders, timed.order) for timed in messages]
    begins = [0, *(index + 1 for index, (one, next_one) in enumerate(pairwise(places)) if next_one != one + 1)]
    return [(begin, end - 1) for begin, end in pairwise([*begins, len(messages)])]


def _shorten(of_ids: dict[str, Value], most: int) -> None:
    """Drop the oldest entries."""
    while len(of_ids) > most:
        del of_ids[next(iter(of_ids))]
