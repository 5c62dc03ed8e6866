"""The events that a session that fell behind has missed, and the order in which it gets them.

Stored messages and their changes are read from the store again, so only their places are noted. First come the events
that the store does not hold, then the messages of each chat, then the present states of changed messages, then the
live timed messages.
"""

import math
from collections.abc import Callable, Sequence
from functools import partial

from irchat.interfaces.bus import ChangePlace, Publication, StoredPlace, TimedPlace
from irchat.interfaces.stored import ChatKey, Page
from irchat.protocol.rules import WAITING_BYTES
from irchat.server.delivery.reader import Reader

_Gaps = dict[ChatKey, tuple[int, int]]
"""By chat: the seq or rev after which something is missing, and the newest that is."""

Encoded = tuple[bytes, float]
"""Bytes, and the earliest end of the timed messages in them."""


class Missed:
    """The events that a session has missed. ``timed_bytes``: the size of a page of timed messages."""

    __slots__ = ("_changes", "_kept", "_kept_bytes", "_messages", "_own", "_own_timed", "_timed", "_timed_bytes")

    def __init__(self, timed_bytes: int) -> None:
        self._timed_bytes = timed_bytes
        self._kept: list[bytes] = []
        self._kept_bytes = 0
        self._messages: _Gaps = {}
        self._changes: _Gaps = {}
        # The order of the first missing timed message.
        self._timed: int | None = None
        # The messages of the session itself.
        self._own: set[tuple[ChatKey, int]] = set()
        self._own_timed: set[tuple[ChatKey, int]] = set()

    def note(self, run: Sequence[Publication], reader: Reader) -> bool:
        """Note the publications of ``run``. Those that no store holds are kept as encoded by ``reader``.

        Return False if too many are kept: then the client must reconnect.
        """
        for publication in run:
            match publication.place:
                case StoredPlace(chat=chat, seq=seq):
                    _extend(self._messages, chat, seq)
                case TimedPlace(order=order):
                    if self._timed is None:
                        self._timed = order
                case ChangePlace(chat=chat, rev=rev):
                    _extend(self._changes, chat, rev)
                    reader.missed(publication)
                case None:
                    data = reader.say(publication)
                    self._kept.append(data)
                    self._kept_bytes += len(data)
        return self._kept_bytes <= WAITING_BYTES

    def note_unseen(self, chat: ChatKey, first: int, last: int) -> None:
        """Note that the session lacks the messages of a chat from the seq ``first`` to ``last``, before any other."""
        self._messages[chat] = first - 1, last

    def note_own(self, publication: Publication) -> None:
        """Note a message by the session itself, so that catching up does not repeat it."""
        match publication.place:
            case StoredPlace(chat=chat, seq=seq):
                self._own.add((chat, seq))
            case TimedPlace(chat=chat, order=order):
                self._own_timed.add((chat, order))

    def seen(self, ends: dict[ChatKey, int]) -> None:
        """Note that the session has the messages of each chat up to these seqs."""
        for chat, seq in ends.items():
            if chat in self._messages:
                _shorten(self._messages, chat, seq)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is missing."""
        return not (self._kept or self._messages or self._changes) and self._timed is None

    async def next(self, reader: Reader) -> Callable[[], Encoded]:
        """Read the next page. Return a function that encodes it, to be called at once if the session still stands."""
        if self._kept:
            return self._take_kept
        if self._messages:
            chat, (after, newest) = next(iter(self._messages.items()))
            page = await reader.missed_page(chat, after=after)
            return partial(self._take_messages, reader, chat, page, newest)
        if self._changes:
            chat, (after, newest) = next(iter(self._changes.items()))
            page = await reader.missed_page(chat, after_rev=after)
            return partial(self._take_changes, reader, chat, page, newest)
        return partial(self._take_timed, reader)

    def _take_kept(self) -> Encoded:
        data, self._kept, self._kept_bytes = b"".join(self._kept), [], 0
        return data, math.inf

    def _take_messages(self, reader: Reader, chat: ChatKey, page: Page, newest: int) -> Encoded:
        _shorten(self._messages, chat, page.messages[-1].seq if page.more else max(page.last_seq, newest))
        mine = self._own
        said = (reader.say_stored(message) for message in page.messages if (message.chat, message.seq) not in mine)
        return b"".join(said), math.inf

    def _take_changes(self, reader: Reader, chat: ChatKey, page: Page, newest: int) -> Encoded:
        _shorten(self._changes, chat, page.rev if page.more else max(page.rev, newest))
        return reader.say_changes(chat, page), math.inf

    def _take_timed(self, reader: Reader) -> Encoded:
        assert self._timed is not None, "something is missing"
        data, self._timed, until = reader.say_timed_since(self._timed, self._own_timed, self._timed_bytes)
        return data, until


def _extend(gaps: _Gaps, chat: ChatKey, number: int) -> None:
    gaps[chat] = (gaps[chat][0] if chat in gaps else number - 1, number)


def _shorten(gaps: _Gaps, chat: ChatKey, up_to: int) -> None:
    """Note that a chat lacks nothing up to this number."""
    after, newest = gaps[chat]
    if newest > up_to:
        gaps[chat] = (max(after, up_to), newest)
    else:
        del gaps[chat]
