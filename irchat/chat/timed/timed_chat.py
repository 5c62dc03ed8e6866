"""The live timed messages of one chat. Counts and pages stay cheap with a million messages.

Messages are kept in blocks, in the order of sending. Each block counts its messages by sender, so counting and
searching skip whole blocks. The messages that a user has read are kept as a few spans of that order.
"""

from array import array
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from operator import attrgetter
from typing import NamedTuple

from irchat.chat.state.entities import DirectoryChat, User
from irchat.protocol.events import Message
from irchat.system.clock import rfc3339

# With a million messages, iterating over all blocks costs about as much as iterating over one block.
_BLOCK_MOST = 1_024
# The array type code of a packed id.
_ID = "I"
_FIRST = attrgetter("first")


def packed(ids: Iterable[int]) -> bytes:
    """Pack the ids of users, 4 bytes each. A set takes 64, and in a busy chat each message has its own ids."""
    return array(_ID, sorted(ids)).tobytes()


@dataclass(eq=False, repr=False, slots=True)
class TimedMessage:
    """A live timed message.

    ``at`` and ``expires_at`` (ms since the epoch) are for display. ``end`` (seconds of the forward clock) decides.
    ``order`` rises with each message. ``had``: the users that received it at once, `packed`. ``to``: the users that it
    mentions. ``followed_by``: the seq of the next stored message of its sender in the chat, 0 if there is none.
    ``late``: the members of a group that joined after it was sent on another node, but before it arrived.
    """

    id: str
    chat: DirectoryChat
    sender: User
    text: str
    at: int
    expires_at: int
    end: float
    order: int
    to: tuple[User, ...] = ()
    had: bytes = b""
    followed_by: int = 0
    late: frozenset[int] = frozenset()
    had_later: set[int] | None = None  # an empty set would add a third to the memory of a message

    def note_given(self, user: User) -> None:
        """Note that ``user`` received it later."""
        if self.had_later is None:
            self.had_later = set()
        self.had_later.add(user.id)

    def had_by(self) -> frozenset[int]:
        """Return the ids of all users that received it, at once or later."""
        return frozenset(array(_ID, self.had)).union(self.had_later or ())

    def event(self, reader: User, now: float) -> Message:
        """Return the message as ``reader`` sees it at ``now``."""
        return Message(
            chat=self.chat.label(reader),
            sender=self.sender.name,
            at=rfc3339(self.at),
            text=self.text,
            id=self.id,
            expires_at=rfc3339(self.expires_at),
            left_ms=left_ms(self.end, now),
            to=[user.name for user in self.to if user.id not in reader.hidden] or None,
        )


def left_ms(end: float, now: float) -> int:
    """Return the remaining time in ms."""
    return max(0, int((end - now) * 1000))


class _Span(NamedTuple):
    """A read span: the messages after ``after`` up to ``last``, except those of the senders in ``hidden``."""

    after: int
    last: int
    hidden: frozenset[int]


class _TimedBlock:
    """Consecutive messages by order, and their number by sender."""

    __slots__ = ("alive", "first", "last", "of_sender")

    def __init__(self, first: int) -> None:
        self.first = self.last = first
        self.alive: dict[int, TimedMessage] = {}
        self.of_sender: dict[int, int] = {}

    def count(self, but_of: Collection[int]) -> int:
        """Return the number of messages, except those of the senders in ``but_of``."""
        of_sender = self.of_sender
        if len(but_of) > len(of_sender):
            return sum(count for sender, count in of_sender.items() if sender not in but_of)
        count = len(self.alive)
        for sender in but_of:
            if sender in of_sender:
                count -= of_sender[sender]
        return count


class TimedChat:
    """The live timed messages of ``chat``. A message counts until it is removed, even after its end.

    ``last_had``: the users that received the latest message at once. ``hidden`` in the methods: the ids of the users
    whose messages are hidden from the reader.
    """

    __slots__ = ("_blocks", "_calls", "_read", "_since", "chat", "last_had")

    def __init__(self, chat: DirectoryChat) -> None:
        self.chat = chat
        self.last_had = b""
        self._blocks: list[_TimedBlock] = []
        # By user: the order after which it sees the messages, and what it has read.
        self._since: dict[int, int] = {}
        self._read: dict[int, list[_Span]] = {}
        # By user: the messages that mention the user, by order.
        self._calls: dict[int, dict[int, TimedMessage]] = {}

    @property
    def is_empty(self) -> bool:
        """Whether there is no live message."""
        return not self._blocks

    def add(self, timed: TimedMessage) -> None:
        """Add a message. Its order must be the highest so far."""
        if not self._blocks or len(self._blocks[-1].alive) >= _BLOCK_MOST:
            self._blocks.append(_TimedBlock(timed.order))
        block = self._blocks[-1]
        block.last = timed.order
        block.alive[timed.order] = timed
        block.of_sender[timed.sender.id] = block.of_sender.get(timed.sender.id, 0) + 1
        for user in timed.to:
            self._calls.setdefault(user.id, {})[timed.order] = timed

    def remove(self, timed: TimedMessage) -> bool:
        """Remove a message. Return False if it is already removed."""
        at = self._place(timed.order)
        if at < 0 or self._blocks[at].alive.pop(timed.order, None) is None:
            return False
        of_sender = self._blocks[at].of_sender
        of_sender[timed.sender.id] -= 1
        if not of_sender[timed.sender.id]:
            del of_sender[timed.sender.id]
        if not of_sender:
            del self._blocks[at]
        for user in timed.to:
            del self._calls[user.id][timed.order]
            if not self._calls[user.id]:
                del self._calls[user.id]
        return True

    def begin_sight(self, user: User) -> None:
        """Admit ``user`` to the chat. Earlier messages stay hidden from it."""
        self._since[user.id] = self._blocks[-1].last

    def batches(self, sender: User | None = None) -> Iterator[list[TimedMessage]]:
        """Yield all messages, or those of ``sender``, in batches. The caller may remove them during the iteration."""
        for block in list(self._blocks):
            if sender is None or sender.id in block.of_sender:
                yield [timed for timed in block.alive.values() if sender in (None, timed.sender)]

    def since(self, order: int, reader: User, hidden: Collection[int]) -> Iterator[TimedMessage]:
        """Yield the messages from ``order`` that ``reader`` may see, in the order of sending."""
        after = max(order - 1, self._begin(reader))
        for block in self._blocks[max(0, self._place(after)) :]:
            if block.last > after and block.count(hidden):
                for timed in block.alive.values():
                    if timed.order > after and timed.sender.id not in hidden and reader.id not in timed.late:
                        yield timed

    def newest_first(self, reader: User, hidden: frozenset[int], *, unread: bool = False) -> Iterator[TimedMessage]:
        """Yield the messages that ``reader`` may see, or those of others that it has not read, newest first."""
        begin = self._begin(reader)
        but_of, spans = (hidden | {reader.id}, self._spans(reader)) if unread else (hidden, [])
        for block in reversed(self._blocks):
            if block.last <= begin:
                return
            if self._unread(block.first - 1, block.last, but_of, spans):
                for timed in reversed(block.alive.values()):
                    if timed.order <= begin or timed.sender.id in but_of or reader.id in timed.late:
                        continue
                    if not _is_read(timed, spans):
                        yield timed

    def newest_of(self, sender: User) -> Iterator[TimedMessage]:
        """Yield the messages of ``sender``, newest first."""
        for block in reversed(self._blocks):
            if sender.id in block.of_sender:
                for timed in reversed(block.alive.values()):
                    if timed.sender is sender:
                        yield timed

    def unread(self, reader: User, hidden: frozenset[int]) -> int:
        """Return the number of messages of others that ``reader`` may see and has not read."""
        return self._unread(self._begin(reader), self._blocks[-1].last, hidden | {reader.id}, self._spans(reader))

    def mentions(self, reader: User, hidden: Collection[int]) -> int:
        """Return the number of unread messages that mention ``reader``."""
        calls = self._calls.get(reader.id)
        if calls is None:
            return 0
        begin, spans = self._begin(reader), self._spans(reader)
        return sum(
            timed.order > begin and timed.sender.id not in hidden and not _is_read(timed, spans)
            for timed in calls.values()
        )

    def note_all_read(self, reader: User) -> None:
        """Note that ``reader`` has read all visible messages."""
        self.note_read(reader, self._begin(reader), self._blocks[-1].last)

    def note_read(self, reader: User, after: int, last: int, hidden: frozenset[int] | None = None) -> None:
        """Note that ``reader`` has read the messages after the order ``after``, up to ``last``.

        ``hidden``: the senders of those that it has not read, by default of those that are hidden from it.
        """
        hidden = reader.hidden if hidden is None else hidden
        left = after  # the part of the new span from ``left`` is not noted yet
        pieces: list[_Span] = []
        for old in self._spans(reader):
            if old.last <= after or old.after >= last:
                pieces.append(old)
                continue
            # Old span before the new one, new one before the old one, their overlap, old one after the new one.
            pieces.append(_Span(old.after, after, old.hidden))
            pieces.append(_Span(left, old.after, hidden))
            pieces.append(_Span(max(old.after, after), min(old.last, last), old.hidden & hidden))
            pieces.append(_Span(last, old.last, old.hidden))
            left = old.last
        pieces.append(_Span(left, last, hidden))
        self._read[reader.id] = self._joined(sorted(pieces, key=lambda span: span.after), reader)

    def exclude(self, timed: TimedMessage, users: Iterable[User]) -> None:
        """Hide a message from ``users``. It counts as read by them."""
        timed.late = frozenset(user.id for user in users)
        for user in users:
            self.note_read(user, timed.order - 1, timed.order, frozenset())

    def audience(self, timed: TimedMessage, members: Collection[int]) -> tuple[int, ...]:
        """Return those of the ``members`` of a group that may see a message."""
        since = self._since
        return tuple(user for user in members if since.get(user, 0) < timed.order and user not in timed.late)

    def reads(self, after: int, last: int) -> Iterator[tuple[int, int, int, frozenset[int]]]:
        """Yield the read spans between two orders: the user, the order before each, its last, and ``hidden``."""
        for user, spans in self._read.items():
            for span in spans:
                if span.last > after and span.after < last:
                    yield user, max(after, span.after), min(last, span.last), span.hidden

    def _joined(self, pieces: list[_Span], reader: User) -> list[_Span]:
        """Join spans without a message between them, and drop spans without live messages."""
        first = self._blocks[0].first
        spans: list[_Span] = []
        for piece in pieces:
            if piece.last <= piece.after or piece.last < first:
                continue
            if spans and spans[-1].hidden == piece.hidden:
                between = self._count(spans[-1].last, piece.after, piece.hidden | {reader.id})
                if not between:
                    spans[-1] = spans[-1]._replace(last=piece.last)
                    continue
            spans.append(piece)
        return spans

    def _spans(self, reader: User) -> list[_Span]:
        return self._read.get(reader.id, [])

    def _begin(self, reader: User) -> int:
        return self._since.get(reader.id, 0)

    def _unread(self, after: int, last: int, but_of: frozenset[int], spans: list[_Span]) -> int:
        count = self._count(after, last, but_of)
        for span in spans:
            count -= self._count(max(after, span.after), min(last, span.last), but_of | span.hidden)
        return count

    def _count(self, after: int, last: int, but_of: Collection[int]) -> int:
        """Return the number of messages after ``after`` up to ``last``, except those of ``but_of``."""
        if after >= last:
            return 0
        count = 0
        for block in self._blocks[max(0, self._place(after)) : self._place(last) + 1]:
            if after < block.first and block.last <= last:
                count += block.count(but_of)
            elif block.last > after:
                count += sum(
                    after < timed.order <= last and timed.sender.id not in but_of for timed in block.alive.values()
                )
        return count

    def _place(self, order: int) -> int:
        """Return the index of the block that holds ``order`` if it is alive, or -1 if ``order`` precedes all blocks."""
        return bisect_right(self._blocks, order, key=_FIRST) - 1


def _is_read(timed: TimedMessage, spans: list[_Span]) -> bool:
    return any(span.after < timed.order <= span.last and timed.sender.id not in span.hidden for span in spans)
