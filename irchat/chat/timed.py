"""Timed messages, in memory alone: one heap of ends and one alarm for the next of them."""

import heapq
import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import count

from twisted.internet.interfaces import IReactorTime

from irchat.alarm import Alarm
from irchat.chat.directory import Chat, User
from irchat.clock import rfc3339
from irchat.events import Message
from irchat.interfaces import GLOBAL, ChatKey

# Of messages that end at the same moment. More would be more than a session may have waiting, in one turn.
_ENDED_TOGETHER = 200


class TimedMessage:
    """A timed message while it lives.

    ``at`` and ``expires_at`` in ms since the epoch, for showing; ``end`` in seconds of the forward clock, to decide.
    ``order`` rises with each. ``had``: ids of those who were given it at once. ``may_see``: ids of those who were in
    the group when it was sent, None for GLOBAL and for a private chat.
    """

    __slots__ = (
        "_had_later", "_read_by", "at", "chat", "end", "expires_at", "had", "id", "may_see", "order", "sender", "text",
    )

    def __init__(self, chat: Chat, sender: User, text: str, at: int, seconds: int, end: float, order: int) -> None:
        self.id = secrets.token_urlsafe(12)
        self.order = order
        self.chat = chat
        self.sender = sender
        self.text = text
        self.at = at
        self.expires_at = at + seconds * 1000
        self.end = end
        self.may_see = None if chat.group is None else chat.group.member_ids
        self.had: frozenset[int] = frozenset()
        # Empty sets would take half of the memory of the message.
        self._had_later: set[int] | None = None
        self._read_by: set[int] | None = None

    def visible_to(self, user: User) -> bool:
        """Whether ``user``, who is in the chat, may see it: no block, and in the group when it was sent."""
        return self.sender.id not in user.hidden and (self.may_see is None or user.id in self.may_see)

    def unread_by(self, user: User) -> bool:
        """Whether it counts as unread to ``user``, who may see it."""
        return self.sender is not user and (self._read_by is None or user.id not in self._read_by)

    def note_read(self, user: User) -> None:
        """``user`` has read it."""
        if self._read_by is None:
            self._read_by = set()
        self._read_by.add(user.id)

    def note_given(self, user: User) -> None:
        """``user`` came for it later."""
        if self._had_later is None:
            self._had_later = set()
        self._had_later.add(user.id)

    def had_by(self) -> frozenset[int]:
        """The ids of all who had it, at once or later."""
        return self.had if self._had_later is None else self.had.union(self._had_later)

    def event(self, reader: User, now: float) -> Message:
        """The message as ``reader`` is told of it at ``now``."""
        return Message(
            chat=self.chat.label(reader),
            sender=self.sender.name,
            at=rfc3339(self.at),
            text=self.text,
            id=self.id,
            expires_at=rfc3339(self.expires_at),
            left_ms=self.left_ms(now),
        )

    def left_ms(self, now: float) -> int:
        """What remains of its life, in ms."""
        return max(0, int((self.end - now) * 1000))


class TimedMessages:
    """The timed messages that are alive. ``on_end`` is handed those that ended, in the order of their ends."""

    def __init__(self, clock: IReactorTime, on_end: Callable[[list[TimedMessage]], None]) -> None:
        self._clock = clock
        self._on_end = on_end
        self._ends: list[tuple[float, int, TimedMessage]] = []
        self._by_chat: dict[ChatKey, dict[int, TimedMessage]] = {}
        self._private_chats: dict[int, set[ChatKey]] = {}
        self._last_had: dict[ChatKey, frozenset[int]] = {}
        self._orders = count(1)
        self._of_sender: Counter[int] = Counter()
        self._alarm = Alarm(clock, self._end)

    def now(self) -> float:
        """Seconds of the clock by which timed messages end."""
        return self._clock.seconds()

    def add(self, chat: Chat, sender: User, text: str, at: int, seconds: int, end: float) -> TimedMessage:
        """A timed message that lives until ``end``."""
        in_chat = self._by_chat.setdefault(chat.key, {})
        if in_chat:
            chat = next(reversed(in_chat.values())).chat  # all of a chat share one object
        timed = TimedMessage(chat, sender, text, at, seconds, end, next(self._orders))
        heapq.heappush(self._ends, (end, timed.order, timed))
        in_chat[timed.order] = timed
        self._of_sender[sender.id] += 1
        if chat.pair is not None:
            for user in chat.pair:
                self._private_chats.setdefault(user.id, set()).add(chat.key)
        if self._ends[0][2] is timed:
            self._alarm.set(end)
        return timed

    def count_of(self, sender: User) -> int:
        """How many messages of ``sender`` are alive."""
        return self._of_sender[sender.id]

    def give(self, timed: TimedMessage, had: frozenset[int]) -> None:
        """Note who was given it at once. Equal sets of a chat are one object: they are as many as are online."""
        last = self._last_had.get(timed.chat.key)
        timed.had = self._last_had[timed.chat.key] = last if last == had else had

    def find(self, key: ChatKey, order: int) -> TimedMessage | None:
        """The timed message of that order in a chat, None where it is no more."""
        return self._by_chat.get(key, {}).get(order)

    def in_chat(self, key: ChatKey, reader: User) -> list[TimedMessage]:
        """Those alive in a chat that ``reader`` may see, in the order of sending."""
        now = self.now()
        return [
            timed for timed in self._by_chat.get(key, {}).values() if timed.end > now and timed.visible_to(reader)
        ]

    def chats_of(self, reader: User) -> Iterator[tuple[ChatKey, list[TimedMessage]]]:
        """The chats of ``reader`` with those in them that ``reader`` may see, chats without any left out."""
        keys: Iterable[ChatKey] = [GLOBAL, *reader.groups, *self._private_chats.get(reader.id, ())]
        for key in keys:
            if key in self._by_chat and (alive := self.in_chat(key, reader)):
                yield key, alive

    def missed(self, reader: User, since: int) -> list[TimedMessage]:
        """Those alive that ``reader`` may see, from the order ``since`` on."""
        alive = (timed for _, chat in self.chats_of(reader) for timed in chat if timed.order >= since)
        return sorted(alive, key=lambda timed: timed.order)

    def lose_sight(self, key: ChatKey, user: User) -> None:
        """``user`` left the group: what was sent before is not to be seen again, also on coming back."""
        # Those who may see are up to a thousand, and the messages may be a hundred thousand: equal sets are one object.
        left: dict[frozenset[int], frozenset[int]] = {}
        same: dict[frozenset[int], frozenset[int]] = {}
        for timed in self._by_chat.get(key, {}).values():
            may_see = timed.may_see
            if may_see is not None:
                if may_see not in left:
                    fewer = may_see - {user.id}
                    left[may_see] = same.setdefault(fewer, fewer)
                timed.may_see = left[may_see]

    def end_chat(self, key: ChatKey) -> None:
        """End all in a chat now."""
        self._end_now(self._by_chat.get(key, {}).values())

    def end_of(self, sender: User) -> None:
        """End all that ``sender`` wrote now."""
        self._end_now(timed for chat in self._by_chat.values() for timed in chat.values() if timed.sender is sender)

    def _end_now(self, ending: Iterable[TimedMessage]) -> None:
        all_ending = list(ending)
        for timed in all_ending:
            timed.end = self.now()
            heapq.heappush(self._ends, (timed.end, timed.order, timed))
        if all_ending:
            self._end()

    def _end(self) -> None:
        now = self._clock.seconds()
        ended: list[TimedMessage] = []
        while self._ends and self._ends[0][0] <= now and len(ended) < _ENDED_TOGETHER:
            timed = heapq.heappop(self._ends)[2]
            if self._forget(timed):
                ended.append(timed)
        if self._ends:
            self._alarm.set(self._ends[0][0])
        if ended:
            self._on_end(ended)

    def _forget(self, timed: TimedMessage) -> bool:
        """Take a message out of its chat; False where it was out already."""
        in_chat = self._by_chat.get(timed.chat.key, {})
        if in_chat.pop(timed.order, None) is None:
            return False
        timed.text = ""
        self._of_sender[timed.sender.id] -= 1
        if not self._of_sender[timed.sender.id]:
            del self._of_sender[timed.sender.id]
        if not in_chat:
            del self._by_chat[timed.chat.key]
            self._last_had.pop(timed.chat.key, None)
            for user in timed.chat.pair or ():
                self._private_chats[user.id].discard(timed.chat.key)
                if not self._private_chats[user.id]:
                    del self._private_chats[user.id]
        return True
