"""Reading: pages of history, search, the list of chats, and how far each user has read."""

import math
from collections.abc import Collection
from typing import Any

from twisted.internet.defer import Deferred

from irchat.chat.commits import Change, CommitQueue
from irchat.chat.directory import Chat, Directory, User
from irchat.chat.timed import TimedMessage, TimedMessages
from irchat.interfaces.store import (
    ChatKey,
    ChatState,
    Marker,
    MoveMarker,
    Page,
    PageQuery,
    Publication,
    Store,
    StoredMessage,
)
from irchat.protocol import events
from irchat.protocol.errors import Code, Refusal
from irchat.protocol.rules import (
    CHATS_MAX,
    NAME_LENGTH,
    PAGE_MAX,
    SEARCH_LENGTH,
    SERVER_LINE_BYTES,
    is_searchable,
    line_bytes,
    visible,
)
from irchat.system.clock import rfc3339

# What a message takes on the wire besides the text and the name of its chat, at most: keys, times, a name of 32
# characters of 4 bytes, the id and end of a timed one.
_MESSAGE_BYTES = 320
# The name of a chat, with its sign and, of a removed user, a number.
_LABEL_BYTES = 4 * NAME_LENGTH + 24
_PAGE_BYTES = SERVER_LINE_BYTES - 1_024


class TimedPage:
    """A page of history with timed messages. It waits as this, and is said as it is at the moment of its turn."""

    def __init__(
        self, timed: TimedMessages, reader: User, chat: Chat, page: events.History, on_page: list[TimedMessage]
    ) -> None:
        self.said = on_page
        self._timed = timed
        self._reader = reader
        self._chat = chat
        self._page = page
        self._on_page = on_page

    def event(self, left_at: float) -> events.History:
        """The page with what is alive now, and with what is left of it at that moment."""
        now, reader = self._timed.now(), self._reader
        on_page = self._on_page if self._chat.has(reader) else []
        self.said = [timed for timed in on_page if timed.end > now and timed.sender.id not in reader.hidden]
        return events.History(
            chat=self._page.chat,
            messages=[*self._page.messages, *(timed.event(reader, left_at) for timed in self.said)],
            more=self._page.more,
        )

    def until(self) -> float:
        """When the first ends of those that were said last."""
        return min((timed.end for timed in self.said), default=math.inf)


class Reading:
    """Gives users what they may see of what was said."""

    def __init__(self, directory: Directory, queue: CommitQueue, timed: TimedMessages, store: Store) -> None:
        self.directory = directory
        self.timed = timed
        self._queue = queue
        self._store = store

    async def history(
        self,
        reader: User,
        chat_name: str,
        *,
        before: int | None = None,
        after: int | None = None,
        unread: bool = False,
        limit: int,
        mark_read: bool = False,
        origin: object = None,
    ) -> events.History | TimedPage:
        """A page of a chat as ``reader`` may see it, at most ``limit`` stored messages and never over 500.

        On the page that holds the chat's end come the timed messages that are alive. ``mark_read`` moves the marker to
        the end of the page. Raises Refusal.
        """
        if (before is not None) + (after is not None) + unread > 1:
            raise Refusal(Code.BAD_REQUEST, "Give only one of before, after and unread.")
        chat = self.directory.chat(reader, chat_name)
        overhead = _MESSAGE_BYTES + len(chat.label(reader).encode())
        page = await self._store.page(
            PageQuery(
                reader.id,
                chat.key,
                min(limit, PAGE_MAX),
                before,
                after,
                unread,
                reader.hidden,
                overhead,
                _PAGE_BYTES,
            )
        )
        self._still_in(reader, chat)
        forwards = unread or after is not None
        at_end = before is None and not (forwards and page.more)
        if mark_read:
            seen = max((message.seq for message in page.messages), default=0)
            end, shown = (page.last_seq, page.end) if at_end else (seen, seen)
            await self._queue.submit(_Mark(self, reader, chat, end, origin, shown=shown))
        # From here on nothing waits: a timed message that is on the page is alive when the page is given.
        timed = self._timed_on_page(reader, chat, page, overhead, only_unread=unread) if at_end else []
        for message in timed:
            message.note_given(reader)
        if timed and mark_read:  # what stands between them is one's own, hidden, or read already
            self.timed.note_read(reader, chat.key, timed[0].order - 1, timed[-1].order)
        messages = [
            self._event(reader, chat, message) for message in page.messages if message.sender not in reader.hidden
        ]
        history = events.History(chat=chat.label(reader), messages=messages, more=page.more)
        return TimedPage(self.timed, reader, chat, history, timed) if timed else history

    async def after(self, reader: User, key: ChatKey, seq: int, limit: int, page_bytes: int) -> Page:
        """The stored messages that come after ``seq``, for a session that fell behind; none where ``reader`` left.

        All that are on the page are published when it is given, so none of them comes to the session again.
        """
        chat = self.directory.chat_by_key(key)
        if chat is None or not chat.has(reader):
            return Page([], False, 0)
        page = await self._store.page(
            PageQuery(reader.id, key, limit, after=seq, hidden=reader.hidden, page_bytes=page_bytes)
        )
        await self._queue.published()
        return page

    def event(self, reader: User, message: StoredMessage) -> events.Message | None:
        """A stored message as ``reader`` is told of it; None where ``reader`` may not see it any more."""
        chat = self.directory.chat_by_key(message.chat)
        if chat is None or not chat.has(reader) or message.sender in reader.hidden:
            return None
        return self._event(reader, chat, message)

    def missed_timed(
        self, reader: User, since: int, own: Collection[tuple[ChatKey, int]], page_bytes: int
    ) -> tuple[list[tuple[tuple[ChatKey, int], events.Message]], int | None, float]:
        """The timed messages alive from the order ``since`` on, each with its place, for a session that fell behind.

        ``own``: the places of those that the session sent itself, which are left out. Gives as many as come to
        ``page_bytes``, and one at least; the order from which there are more, None where there are not; and when the
        first of them ends.
        """
        now = self.timed.now()
        given: list[TimedMessage] = []
        further = None
        for timed in self.timed.missed(reader, since):
            if (timed.chat.key, timed.order) in own:
                continue
            page_bytes -= line_bytes(timed.text) + _MESSAGE_BYTES
            if page_bytes < 0 and given:
                further = timed.order
                break
            timed.note_given(reader)
            given.append(timed)
        said = [((timed.chat.key, timed.order), timed.event(reader, now)) for timed in given]
        return said, further, min((timed.end for timed in given), default=math.inf)

    async def search(self, reader: User, words: str, chat_name: str | None, limit: int) -> events.Found:
        """The newest messages that hold all of ``words``, in one chat or in all of the reader's. Raises Refusal."""
        if len(words) > SEARCH_LENGTH:  # each word, in Chinese each character, is looked up through all messages
            raise Refusal(Code.BAD_REQUEST, f"Search for fewer words: {SEARCH_LENGTH} characters are the most.")
        wanted = [word for word in dict.fromkeys(visible(words).split()) if is_searchable(word)]
        if not wanted:
            raise Refusal(Code.BAD_REQUEST, "Search for at least one letter, digit or sign.")
        chat = None if chat_name is None else self.directory.chat(reader, chat_name)
        messages, more = await self._store.search(
            reader.id,
            wanted,
            None if chat is None else chat.key,
            reader.hidden,
            min(limit, PAGE_MAX),
            _MESSAGE_BYTES + _LABEL_BYTES,
            _PAGE_BYTES,
        )
        found = [event for message in messages if (event := self.event(reader, message)) is not None]
        return events.Found(messages=found, more=more)

    async def chats(self, reader: User) -> events.Chats:
        """The reader's chats, latest first."""
        return events.Chats(chats=[described for _, described in await self.states(reader)])

    async def states(self, reader: User) -> list[tuple[ChatState, events.Chat]]:
        """The reader's chats, latest first, at most 1,000: each as the store has it, and as the reader is told."""
        stored = {state.chat: state for state in await self._store.chats(reader.id, reader.hidden)}
        for key, latest, unread in self.timed.chats_of(reader):
            state = stored.get(key, ChatState(key, 0, None, 0, 0))
            stored[key] = state._replace(last_at=max(state.last_at or 0, latest.at), unread=state.unread + unread)
        latest_first = sorted(stored.values(), key=lambda state: state.last_at or 0, reverse=True)
        listed = []
        for state in latest_first:
            chat = self.directory.chat_by_key(state.chat)
            if chat is not None and chat.has(reader):
                listed.append((state, _described(reader, chat, state)))
        return listed[:CHATS_MAX]

    def mark(self, reader: User, chat_name: str, seq: int, origin: object) -> Deferred[events.Ok]:
        """Move the marker forward to ``seq``; at the chat's end the timed messages alive are read too."""
        chat = self.directory.chat(reader, chat_name)
        if reader.hidden:
            return Deferred.fromCoroutine(self._mark_what_is_not_hidden(reader, chat, seq, origin))
        return self._queue.submit(_Mark(self, reader, chat, seq, origin, timed_too=True))

    async def _mark_what_is_not_hidden(self, reader: User, chat: Chat, seq: int, origin: object) -> events.Ok:
        """The end is the last message that is not hidden, and what stands behind it is read with it."""
        page = await self._store.page(PageQuery(reader.id, chat.key, 1, hidden=reader.hidden))
        at_end = seq >= page.end
        change = _Mark(
            self, reader, chat, page.last_seq if at_end else seq, origin, timed_too=at_end, shown=min(seq, page.end)
        )
        done: events.Ok = await self._queue.submit(change)
        return done

    def mark_shown(self, reader: User, key: ChatKey, seq: int, origin: object) -> Deferred[events.Ok] | None:
        """Move the marker to what a session has shown; None where the chat is no more."""
        chat = self.directory.chat_by_key(key)
        return None if chat is None else self._queue.submit(_Mark(self, reader, chat, seq, origin))

    def timed_shown(self, reader: User, key: ChatKey, order: int) -> None:
        """A session has shown a timed message."""
        self.timed.note_read(reader, key, order - 1, order)

    def _still_in(self, reader: User, chat: Chat) -> None:
        """Raises Refusal where ``reader`` was removed from the group since."""
        if chat.group is not None and not chat.has(reader):
            raise Refusal(Code.NO_SUCH_GROUP, f"You are no longer in {chat.group.name}. ls lists your chats.")

    def _event(self, reader: User, chat: Chat, message: StoredMessage) -> events.Message:
        return events.Message(
            chat=chat.label(reader),
            sender=self.directory.users[message.sender].name,
            at=rfc3339(message.at),
            text=message.text,
            seq=message.seq,
        )

    def _timed_on_page(
        self, reader: User, chat: Chat, page: Page, overhead: int, *, only_unread: bool
    ) -> list[TimedMessage]:
        """The timed messages that go on the page: the latest of those alive, as many as the line still holds."""
        room = _PAGE_BYTES - sum(line_bytes(message.text) + overhead for message in page.messages)
        fitting: list[TimedMessage] = []
        for timed in self.timed.newest_first(chat.key, reader, unread=only_unread):
            room -= line_bytes(timed.text) + overhead
            if room < 0:
                break
            fitting.append(timed)
        return fitting[::-1]


def _described(reader: User, chat: Chat, state: ChatState) -> events.Chat:
    return events.Chat(
        chat=chat.label(reader),
        id=chat.wire_id(reader),
        unread=state.unread,
        last_seq=state.last_seq,
        read_seq=state.read_seq,
        last_at=None if state.last_at is None else rfc3339(state.last_at),
    )


class _Mark(Change):
    """A marker moves to ``seq``. ``timed_too``: where that is the end, the timed messages are read as well.

    ``shown``: the place that the user's other sessions are told of, where what is hidden stands before ``seq``.
    """

    def __init__(
        self,
        reading: Reading,
        reader: User,
        chat: Chat,
        seq: int,
        origin: object,
        timed_too: bool = False,
        shown: int | None = None,
    ) -> None:
        self.reading = reading
        self.reader = reader
        self.chat = chat
        self.seq = seq
        self.origin = origin
        self.timed_too = timed_too
        self.shown = shown

    def whose(self) -> User:
        return self.reader

    def check(self) -> MoveMarker:
        self.reading._still_in(self.reader, self.chat)
        return MoveMarker(self.reader.id, self.chat.key, self.seq)

    def apply(self, result: Any, publications: list[Publication]) -> events.Ok:
        marker: Marker = result
        moved = marker.moved
        if self.timed_too and self.seq >= marker.last_seq:
            moved = self.reading.timed.note_all_read(self.reader, self.chat.key) or moved
        if moved and self.reader.sessions > 1:
            seq = marker.seq if self.shown is None else self.shown
            event = events.Read(chat=self.chat.label(self.reader), seq=seq)
            publications.append(Publication(event, (self.reader.id,), origin=self.origin))
        return events.Ok()
