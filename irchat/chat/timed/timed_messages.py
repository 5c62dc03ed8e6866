"""Timed messages, in memory only: a heap of their ends, and one alarm for the earliest end."""

import heapq
import secrets
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterator
from itertools import count, takewhile

from twisted.internet.interfaces import IReactorTime

from irchat.chat.state.entities import DirectoryChat, User
from irchat.chat.timed.timed_chat import TimedChat, TimedMessage, packed
from irchat.interfaces.stored import GLOBAL, ChatKey
from irchat.system.alarm import Alarm

__all__ = ["TimedMessage", "TimedMessages"]

# Seconds per turn of the reactor for ending messages, and the most ends that are published together. A batch grows to
# that from the least while it takes less than half the time of a batch: each end goes to all that saw the message.
_SLICE_SECONDS = 0.01
_BATCH_SECONDS = 0.005
_BATCH_LEAST = 8
_BATCH = 128
# Maximum batches per turn: their events must fit in the outbox of a session.
_BATCHES_A_TURN = 8
# Seconds. Ends within this time are published together: with many readers, the writes cost most.
_TOGETHER_SECONDS = 0.02
# The heap of ends keeps messages that were taken back, up to half of it or this number.
_TAKEN_BACK_MOST = 1_000


class TimedMessages:
    """The live timed messages. ``on_end`` is called with those that have ended, in the order of their ends."""

    def __init__(self, clock: IReactorTime, on_end: Callable[[list[TimedMessage]], None]) -> None:
        self._clock = clock
        self._on_end = on_end
        self.on_read: Callable[[User, ChatKey, list[TimedMessage], int | None], None] | None = None
        """Called before messages count as read by a user, so that other nodes can be notified."""
        self._ends: list[tuple[float, int, TimedMessage]] = []
        self._chats: dict[ChatKey, TimedChat] = {}
        self._private_chats: dict[int, set[ChatKey]] = {}
        self._orders = count(1)
        self.of_sender: Counter[int] = Counter()
        self._taken_back = 0
        self._alarm = Alarm(clock, self._end)
        self._next_at = 0.0
        self._batch = _BATCH_LEAST
        # Messages that end early, with the sender whose messages stay hidden until all of them have ended.
        self._cut: deque[tuple[Iterator[list[TimedMessage]], int | None]] = deque()
        self._senders_cut: frozenset[int] = frozenset()
        self._cutting = False

    def now(self) -> float:
        """Return the time in seconds on the clock that ends timed messages."""
        return self._clock.seconds()

    def add(
        self,
        chat: DirectoryChat,
        sender: User,
        text: str,
        at: int,
        seconds: int,
        end: float,
        to: tuple[User, ...] = (),
        timed_id: str = "",
    ) -> TimedMessage:
        """Add a timed message that ends at ``end`` and mentions the users ``to``. It gets a new id if it has none."""
        in_chat = self._chats.get(chat.key)
        if in_chat is None:
            in_chat = self._chats[chat.key] = TimedChat(chat)
            for user in chat.pair or ():
                self._private_chats.setdefault(user.id, set()).add(chat.key)
        order = next(self._orders)
        # All messages of a chat share one object for the chat.
        expires_at = at + seconds * 1000
        timed_id = timed_id or secrets.token_urlsafe(12)
        timed = TimedMessage(timed_id, in_chat.chat, sender, text, at, expires_at, end, order, to)
        heapq.heappush(self._ends, (end, order, timed))
        in_chat.add(timed)
        self.of_sender[sender.id] += 1
        if self._ends[0][2] is timed:
            self._wait()
        return timed

    def count_of(self, sender: User) -> int:
        """Return the number of live messages of ``sender``."""
        return self.of_sender[sender.id]

    def give(self, timed: TimedMessage, ids: Collection[int]) -> None:
        """Note the users that received it at once. Consecutive messages with equal sets share one object."""
        in_chat = self._chats[timed.chat.key]
        had = packed(ids)
        if in_chat.last_had != had:
            in_chat.last_had = had
        timed.had = in_chat.last_had

    def newest_first(self, key: ChatKey, reader: User, *, unread: bool = False) -> Iterator[TimedMessage]:
        """Return the live messages of a chat that ``reader`` may see, newest first, or only the unread ones."""
        in_chat, now = self._chats.get(key), self.now()
        if in_chat is None:
            return iter(())
        newest_first = in_chat.newest_first(reader, self._hidden(reader), unread=unread)
        return (timed for timed in newest_first if timed.end > now)

    def chats_of(self, reader: User) -> Iterator[tuple[ChatKey, TimedMessage, int]]:
        """Yield the key, latest message and unread count of each chat with messages that ``reader`` may see."""
        for key, in_chat in self._in_sight(reader):
            latest = next(self.newest_first(key, reader), None)
            if latest is not None:
                yield key, latest, in_chat.unread(reader, self._hidden(reader))

    def newest_of(self, sender: User, key: ChatKey) -> Iterator[TimedMessage]:
        """Return the live messages of ``sender`` in a chat, newest first."""
        in_chat, now = self._chats.get(key), self.now()
        return iter(()) if in_chat is None else (timed for timed in in_chat.newest_of(sender) if timed.end > now)

    def note_stored(self, sender: User, key: ChatKey, seq: int) -> None:
        """Note that a sender of live messages has sent a stored one in a chat."""
        for timed in self.newest_of(sender, key):
            if timed.followed_by:
                return
            timed.followed_by = seq

    def take_back(self, timed: TimedMessage) -> bool:
        """End a message now, without calling ``on_end``. Return False if it has ended already."""
        timed.end = min(timed.end, self.now())
        if not self._forget(timed):
            return False
        self._taken_back += 1
        if self._taken_back > _TAKEN_BACK_MOST and self._taken_back > len(self._ends) // 2:
            self._ends = [end for end in self._ends if end[2].text]
            heapq.heapify(self._ends)
            self._taken_back = 0
        return True

    def mentions(self, reader: User, key: ChatKey) -> int:
        """Return the number of live, unread messages in a chat that mention ``reader``."""
        in_chat = self._chats.get(key)
        return 0 if in_chat is None else in_chat.mentions(reader, self._hidden(reader))

    def missed(self, reader: User, since: int) -> Iterator[TimedMessage]:
        """Return the live messages from the order ``since`` that ``reader`` may see, in the order of sending."""
        hidden, now = self._hidden(reader), self.now()
        of_chats = [in_chat.since(since, reader, hidden) for _, in_chat in self._in_sight(reader)]
        return (timed for timed in heapq.merge(*of_chats, key=lambda timed: timed.order) if timed.end > now)

    def note_read(self, reader: User, key: ChatKey, after: int, last: int) -> None:
        """Note that ``reader`` has read the messages of a chat after the order ``after``, up to ``last``."""
        in_chat = self._chats.get(key)
        if in_chat is not None:
            if self.on_read is not None:
                unread = self._unread(in_chat, reader, after)
                self.on_read(reader, key, [timed for timed in unread if timed.order <= last], None)
            in_chat.note_read(reader, after, last)

    def note_all_read(self, reader: User, key: ChatKey, seq: int | None = None) -> bool:
        """Note that ``reader`` has read all messages of a chat. Return whether any was unread.

        ``seq``: see `irchat.interfaces.nodes.ThisNode.note_read`.
        """
        in_chat = self._chats.get(key)
        if in_chat is None or not in_chat.unread(reader, self._hidden(reader)):
            return False
        if self.on_read is not None:
            self.on_read(reader, key, list(self._unread(in_chat, reader, 0)), seq)
        in_chat.note_all_read(reader)
        return True

    def in_chat(self, key: ChatKey) -> TimedChat | None:
        """Return the live messages of a chat, or None if there are none."""
        return self._chats.get(key)

    def in_chats(self) -> list[TimedChat]:
        """Return all chats with live messages."""
        return list(self._chats.values())

    def begin_sight(self, key: ChatKey, user: User) -> None:
        """Admit ``user`` to a group. Earlier messages stay hidden from it, even if it was a member before."""
        if key in self._chats:
            self._chats[key].begin_sight(user)

    def end_chat(self, key: ChatKey) -> None:
        """End all messages of a chat without members."""
        in_chat = self._chats.get(key)
        if in_chat is not None:
            self._end_early(in_chat.batches(), None)

    def end_of(self, sender: User) -> None:
        """End all messages of a removed ``sender``. They are hidden at once, however many there are."""
        if sender.id not in self.of_sender:
            return
        of_chats = list(self._chats.values())
        self._senders_cut |= {sender.id}
        self._end_early((timed for in_chat in of_chats for timed in in_chat.batches(sender)), sender.id)

    def _unread(self, in_chat: TimedChat, reader: User, after: int) -> Iterator[TimedMessage]:
        """Yield the unread messages after the order ``after``, newest first."""
        unread = in_chat.newest_first(reader, self._hidden(reader), unread=True)
        return takewhile(lambda timed: timed.order > after, unread)

    def _in_sight(self, reader: User) -> Iterator[tuple[ChatKey, TimedChat]]:
        for key in (GLOBAL, *reader.groups, *self._private_chats.get(reader.id, ())):
            if key in self._chats:
                yield key, self._chats[key]

    def _hidden(self, reader: User) -> frozenset[int]:
        return reader.hidden | self._senders_cut if self._senders_cut else reader.hidden

    def _end_early(self, batches: Iterator[list[TimedMessage]], sender: int | None) -> None:
        self._cut.append((batches, sender))
        if not self._cutting:
            self._cutting = True
            self._go_on_cutting()

    def _go_on_cutting(self) -> None:
        deadline = self._clock.seconds() + _SLICE_SECONDS
        batches_done = 0
        while self._cut:
            batches, sender = self._cut[0]
            for batch in batches:
                now = self._clock.seconds()
                for timed in batch:
                    timed.end = min(timed.end, now)
                self._end_these(batch)
                batches_done += 1
                if batches_done == _BATCHES_A_TURN or self._clock.seconds() > deadline:
                    self._clock.callLater(0, self._go_on_cutting)
                    return
            self._cut.popleft()
            self._senders_cut -= {sender}
        self._cutting = False

    def _end(self) -> None:
        """End the messages that are due."""
        now = began = self._clock.seconds()
        self._next_at = now + _TOGETHER_SECONDS
        batches_done = 0
        while self._ends and self._ends[0][0] <= now:
            batch: list[TimedMessage] = []
            while self._ends and self._ends[0][0] <= now and len(batch) < self._batch:
                batch.append(heapq.heappop(self._ends)[2])
            self._end_these(batch)
            batches_done += 1
            over = self._clock.seconds()
            self._fit_batch(len(batch), over - began)
            began = over
            if batches_done == _BATCHES_A_TURN or over > now + _SLICE_SECONDS:
                self._next_at = 0.0
                break
        self._wait()

    def _fit_batch(self, count: int, seconds: float) -> None:
        """Adapt the size of a batch to the time that the last one took."""
        if seconds > _BATCH_SECONDS:
            self._batch = max(1, int(count * _BATCH_SECONDS / seconds))
        elif count == self._batch and seconds < _BATCH_SECONDS / 2:
            self._batch = min(_BATCH, 2 * count)

    def _wait(self) -> None:
        if self._ends:
            self._alarm.set(max(self._ends[0][0], self._next_at))

    def _end_these(self, batch: list[TimedMessage]) -> None:
        ended = [timed for timed in batch if self._forget(timed)]
        if ended:
            self._on_end(ended)

    def _forget(self, timed: TimedMessage) -> bool:
        """Remove a message from its chat. Return False if it is already removed."""
        in_chat = self._chats.get(timed.chat.key)
        if in_chat is None or not in_chat.remove(timed):
            return False
        timed.text = ""
        self.of_sender[timed.sender.id] -= 1
        if not self.of_sender[timed.sender.id]:
            del self.of_sender[timed.sender.id]
        if in_chat.is_empty:
            del self._chats[timed.chat.key]
            for user in timed.chat.pair or ():
                self._private_chats[user.id].discard(timed.chat.key)
                if not self._private_chats[user.id]:
                    del self._private_chats[user.id]
        return True
