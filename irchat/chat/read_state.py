"""Read chats: pages of history, search, the list of chats, and the read markers."""

import math
from collections.abc import Callable, Collection
from dataclasses import dataclass

from msgspec.structs import replace
from twisted.internet.defer import Deferred

from irchat.chat.alerts import SetAlert, alert_of
from irchat.chat.changes import Change, ResultHandler
from irchat.chat.commits import CommitQueue
from irchat.chat.page_fitting import fitting
from irchat.chat.shown import message_event, present_states
from irchat.chat.state.directory import Directory
from irchat.chat.state.entities import DirectoryChat, User
from irchat.chat.state.publications import Publications
from irchat.chat.timed.timed_messages import TimedMessage, TimedMessages
from irchat.interfaces.bus import Publication
from irchat.interfaces.store import PageQuery, SearchQuery, Store
from irchat.interfaces.stored import ChatKey, Marker, Page, StoredChat, StoredMessage
from irchat.interfaces.writes import MarkerMoved
from irchat.protocol import events
from irchat.protocol.errors import Code, Refusal
from irchat.protocol.marks import clean_mark
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
from irchat.system.times import moment

# Maximum bytes of a message on the wire, without its text and the name of its chat: JSON keys, times, a sender's name
# of 32 characters at 4 bytes each, and the id and end of a timed message.
_MESSAGE_BYTES = 320
# Maximum bytes of the name of a chat, with its prefix and the number of a removed user.
_LABEL_BYTES = 4 * NAME_LENGTH + 24
# Maximum bytes of the messages of a page. The rest of the line is for the other fields of the reply.
_PAGE_BYTES = SERVER_LINE_BYTES - 1_024
# The size of a page for a session that catches up.
_MISSED_MESSAGES = 200
_MISSED_BYTES = 65_536


class TimedPage:
    """A page of history with timed messages. It is encoded just before it is sent, without messages ended by then."""

    def __init__(
        self, timed: TimedMessages, reader: User, chat: DirectoryChat, page: events.History, on_page: list[TimedMessage]
    ) -> None:
        self.said = on_page
        self._timed = timed
        self._reader = reader
        self._chat = chat
        self._page = page
        self._on_page = on_page

    def event(self, left_at: float) -> events.History:
        """Return the page with the timed messages that are alive now, each with its remaining time at ``left_at``."""
        now, reader = self._timed.now(), self._reader
        on_page = self._on_page if self._chat.has(reader) else []
        self.said = [timed for timed in on_page if timed.end > now and timed.sender.id not in reader.hidden]
        timed = (timed.event(reader, left_at) for timed in self.said)
        return replace(self._page, messages=[*self._page.messages, *timed])

    def until(self) -> float:
        """Return the earliest end of the timed messages in the last result of `event`, or infinity if it has none."""
        return min((timed.end for timed in self.said), default=math.inf)


@dataclass(eq=False, repr=False)
class Reading:
    """Read chats on behalf of users, and move their read markers."""

    directory: Directory
    queue: CommitQueue
    timed: TimedMessages
    publications: Publications
    store: Store
    wall_ms: Callable[[], int]

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
        around: int | None = None,
        since: str | None = None,
        after_rev: int | None = None,
        origin: int | None = None,
    ) -> events.History | TimedPage:
        """Return a page of a chat (see `PageQuery`) as ``reader`` sees it, with at most ``limit`` stored messages.

        The last page of a chat includes its live timed messages. ``mark_read`` moves the marker to the end of the page,
        on behalf of the session ``origin``, but a page of changes (``after_rev``) moves nothing. Raises Refusal.
        """
        if sum(place is not None for place in (before, after, around, since, after_rev)) + unread > 1:
            raise Refusal(Code.BAD_REQUEST, "Give only one of before, after, unread, around, since and after_rev.")
        chat = self.directory.chat(reader, chat_name)
        overhead = _MESSAGE_BYTES + len(chat.label(reader).encode())
        choice = (before, after, unread, around, None if since is None else moment(since), after_rev)
        query = PageQuery(
            reader.id, chat.key, min(limit, PAGE_MAX), *choice, reader.hidden, overhead, page_bytes=_PAGE_BYTES
        )
        page = fitting(self.directory, query, await self.store.page(query))
        self._still_in(reader, chat)
        at_end = _is_at_end(query, page)
        if mark_read and after_rev is None:
            seen = max((message.seq for message in page.messages), default=0)
            end, shown = (page.last_seq, page.end) if at_end else (seen, seen)
            await self.queue.submit(_Mark(reader, origin, self, chat, end, shown=shown))
        # No await from here on: the timed messages of the page must be alive when it is returned.
        timed = self._timed_on_page(reader, chat, page, overhead, only_unread=unread) if at_end else []
        for message in timed:
            message.note_given(reader)
        if timed and mark_read:  # any message between them is the reader's own, hidden, or read already
            self.timed.note_read(reader, chat.key, timed[0].order - 1, timed[-1].order)
        label = chat.label(reader)
        messages = [
            message_event(self.directory, reader, label, message)
            for message in page.messages
            if message.sender not in reader.hidden
        ]
        history = events.History(label, messages, more=page.more, rev=page.rev, deleted=list(page.deleted))
        return TimedPage(self.timed, reader, chat, history, timed) if timed else history

    async def stored_page(
        self,
        reader: User,
        chat_name: str,
        *,
        before: int | None = None,
        after: int | None = None,
        around: int | None = None,
        limit: int,
    ) -> tuple[DirectoryChat, Page]:
        """Return a chat and a page of it (see `PageQuery`), of stored messages only. `event` makes their events.

        It has no message of a user that is hidden from ``reader``. Raises Refusal.
        """
        chat = self.directory.chat(reader, chat_name)
        page = await self.store.page(
            PageQuery(
                reader.id, chat.key, min(limit, PAGE_MAX), before, after, around=around, hidden=reader.hidden,
                overhead=_MESSAGE_BYTES, page_bytes=_PAGE_BYTES,
            )
        )  # fmt: skip
        self._still_in(reader, chat)
        return chat, page._replace(messages=[one for one in page.messages if one.sender not in reader.hidden])

    async def place(self, reader: User, chat_name: str, at: int) -> int:
        """Return the seq of the first message of a chat from the time ``at`` (ms) on (see `Store.place`)."""
        chat = self.directory.chat(reader, chat_name)
        seq = await self.store.place(reader.id, chat.key, at)
        self._still_in(reader, chat)
        return seq

    async def stored_chats(self, reader: User) -> list[tuple[DirectoryChat, StoredChat]]:
        """Return all chats of the reader with their states, most recent first, without timed messages."""
        listed = []
        for state in await self.store.chats(reader.id, reader.hidden):
            chat = self.directory.chat_by_key(state.chat)
            if chat is not None and chat.has(reader):
                listed.append((chat, state))
        return listed

    async def missed_page(self, reader: User, key: ChatKey, after: int | None, after_rev: int | None) -> Page:
        """Return a page for a session that fell behind, or an empty one if ``reader`` has left the chat.

        It has the stored messages ``after`` a seq, or those changed ``after_rev``. All of it is published before this
        returns, so nothing reaches the session twice.
        """
        chat = self.directory.chat_by_key(key)
        if chat is None or not chat.has(reader):
            return Page([], False, 0)
        query = PageQuery(reader.id, key, _MISSED_MESSAGES, after=after, after_rev=after_rev, hidden=reader.hidden)
        page = await self.store.page(query._replace(page_bytes=_MISSED_BYTES))
        await self.queue.published()
        return page

    def present_states(self, reader: User, key: ChatKey, page: Page) -> list[tuple[events.Amended, int | None]]:
        """Return the messages on a page of changes as ``reader`` sees them now, each with the id of its sender."""
        chat = self.directory.chat_by_key(key)
        if chat is None or not chat.has(reader):
            return []
        return present_states(self.directory, reader, chat, page, self.wall_ms())

    def event(self, reader: User, message: StoredMessage) -> events.Message | None:
        """Return a stored message as ``reader`` sees it, or None if ``reader`` may no longer see it."""
        chat = self.directory.chat_by_key(message.chat)
        if chat is None or not chat.has(reader) or message.sender in reader.hidden:
            return None
        return message_event(self.directory, reader, chat.label(reader), message)

    def missed_timed(
        self, reader: User, since: int, own: Collection[tuple[ChatKey, int]], page_bytes: int
    ) -> tuple[list[tuple[tuple[ChatKey, int], events.Message]], int | None, float]:
        """Return the live timed messages from the order ``since``, for a session that fell behind.

        The *order* of a timed message is its number among all timed messages of the server, and its *place* is its chat
        with its order. ``own``: the places of the messages to omit, because the session sent them.

        Return three values: the messages with their places, as many as fit in ``page_bytes`` but at least one; the
        order of the next message, or None if there is none; and the earliest end of the returned messages.
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

    async def search(
        self,
        reader: User,
        words: str,
        chat_name: str | None,
        limit: int,
        *,
        mark: str | None = None,
        mentions: bool = False,
    ) -> events.Found:
        """Return the newest messages that contain all ``words``, in one or all chats of the reader.

        With ``mark``, only those with that mark; with ``mentions``, only those that mention the reader. Raises Refusal.
        """
        if len(words) > SEARCH_LENGTH:  # each word (each character in Chinese) is looked up in all messages
            raise Refusal(Code.BAD_REQUEST, f"Search for fewer words: the maximum is {SEARCH_LENGTH} characters.")
        wanted = [word for word in dict.fromkeys(visible(words).split()) if is_searchable(word)]
        if not wanted and (words.strip() or (mark is None and not mentions)):
            raise Refusal(Code.BAD_REQUEST, "Search for at least one letter, digit or symbol.")
        key = None if mark is None else clean_mark(mark)[1]
        chat = None if chat_name is None else self.directory.chat(reader, chat_name)
        of_chat, overhead = None if chat is None else chat.key, _MESSAGE_BYTES + _LABEL_BYTES
        query = SearchQuery(
            reader.id, wanted, of_chat, reader.hidden, min(limit, PAGE_MAX), overhead, _PAGE_BYTES, key, mentions
        )
        messages, more = await self.store.search(query)
        found = [event for message in messages if (event := self.event(reader, message)) is not None]
        return events.Found(messages=found, more=more)

    async def chats(self, reader: User) -> events.Chats:
        """Return the chats of the reader, most recent first."""
        return events.Chats(chats=[described for _, described in await self.states(reader)])

    async def states(self, reader: User) -> list[tuple[StoredChat, events.Chat]]:
        """Return at most 1,000 chats, most recent first, as pairs: the stored state, and the event for ``reader``."""
        stored = {state.chat: state for state in await self.store.chats(reader.id, reader.hidden)}
        for key, latest, unread in self.timed.chats_of(reader):
            state = stored.get(key, StoredChat(key, 0, None, 0, 0))
            stored[key] = state._replace(
                last_at=max(state.last_at or 0, latest.at),
                unread=state.unread + unread,
                mentions=state.mentions + self.timed.mentions(reader, key),
            )
        latest_first = sorted(stored.values(), key=lambda state: state.last_at or 0, reverse=True)
        listed = []
        for state in latest_first:
            chat = self.directory.chat_by_key(state.chat)
            if chat is not None and chat.has(reader):
                listed.append((state, _described(reader, chat, state)))
        return listed[:CHATS_MAX]

    def alert(
        self, reader: User, chat_name: str, alert: str | None, origin: int | None = None
    ) -> Deferred[events.Alert]:
        """Return when a chat alerts the reader. Unless ``alert`` is None, set it first."""
        if alert is not None:
            return self.queue.submit(SetAlert(reader, origin, self.directory, self.publications, chat_name, alert))
        return Deferred.fromCoroutine(self._alert(reader, self.directory.chat(reader, chat_name)))

    async def _alert(self, reader: User, chat: DirectoryChat) -> events.Alert:
        stored = await self.store.alert(reader.id, chat.key)
        return events.Alert(chat=chat.label(reader), alert=alert_of(chat, stored))

    def mark(self, reader: User, chat_name: str, seq: int, origin: int | None) -> Deferred[events.Ok]:
        """Move the marker forward to ``seq``. If it is the end of the chat, mark live timed messages as read too."""
        chat = self.directory.chat(reader, chat_name)
        if reader.hidden:
            return Deferred.fromCoroutine(self._mark_past_hidden(reader, chat, seq, origin))
        return self.queue.submit(_Mark(reader, origin, self, chat, seq, timed_too=True))

    async def _mark_past_hidden(self, reader: User, chat: DirectoryChat, seq: int, origin: int | None) -> events.Ok:
        """Move the marker when messages are hidden: the last visible one counts as the end of the chat."""
        page = await self.store.page(PageQuery(reader.id, chat.key, 1, hidden=reader.hidden))
        at_end = seq >= page.end
        change = _Mark(
            reader, origin, self, chat, page.last_seq if at_end else seq, timed_too=at_end, shown=min(seq, page.end)
        )
        return await self.queue.submit(change)

    def mark_shown(
        self, reader: User, key: ChatKey, seq: int, origin: int | None, handler: ResultHandler[events.Ok]
    ) -> None:
        """Move the marker to a message that a session has shown, unless the chat has ended."""
        chat = self.directory.chat_by_key(key)
        if chat is not None:
            self.queue.take(_Mark(reader, origin, self, chat, seq), handler)

    def timed_shown(self, reader: User, key: ChatKey, order: int) -> None:
        """Note that a session has shown a timed message."""
        self.timed.note_read(reader, key, order - 1, order)

    def _still_in(self, reader: User, chat: DirectoryChat) -> None:
        """Raise Refusal if ``reader`` has been removed from the group in the meantime."""
        if chat.group is not None and not chat.has(reader):
            raise Refusal(Code.NO_SUCH_GROUP, f"You are no longer in {chat.group.name}. ls lists your chats.")

    def _timed_on_page(
        self, reader: User, chat: DirectoryChat, page: Page, overhead: int, *, only_unread: bool
    ) -> list[TimedMessage]:
        """Return the latest timed messages, as many as fit on the page after its stored messages."""
        if self.timed.in_chat(chat.key) is None:
            return []
        room = _PAGE_BYTES - sum(line_bytes(message.text) + overhead for message in page.messages)
        fitting: list[TimedMessage] = []
        for timed in self.timed.newest_first(chat.key, reader, unread=only_unread):
            room -= line_bytes(timed.text) + overhead
            if room < 0:
                break
            fitting.append(timed)
        return fitting[::-1]


def _is_at_end(query: PageQuery, page: Page) -> bool:
    """Return whether a page reaches the end of its chat."""
    if query.before is not None or query.after_rev is not None:
        return False
    if query.around is not None:
        return not page.messages or page.messages[-1].seq >= page.end
    return not page.more or not (query.unread or query.after is not None or query.since is not None)


def _described(reader: User, chat: DirectoryChat, state: StoredChat) -> events.Chat:
    return events.Chat(
        chat=chat.label(reader),
        id=chat.wire_id(reader),
        unread=state.unread,
        last_seq=state.last_seq,
        read_seq=state.read_seq,
        last_at=None if state.last_at is None else rfc3339(state.last_at),
        rev=state.rev,
        mentions=state.mentions,
        alert=alert_of(chat, state.alert),
    )


@dataclass(eq=False, repr=False, slots=True)
class _Mark(Change[Marker, events.Ok]):
    """Move a marker to ``seq``. With ``timed_too``, mark timed messages as read if ``seq`` is the end of the chat.

    ``shown``: the seq to send to the user's other sessions instead of ``seq``, if ``seq`` is after hidden messages.
    """

    by: User
    reading: Reading
    chat: DirectoryChat
    seq: int
    timed_too: bool = False
    shown: int | None = None

    def check(self) -> MarkerMoved:
        self.reading._still_in(self.by, self.chat)
        return MarkerMoved(self.by.id, self.chat.key, self.seq, self.shown)

    def reply(self, result: Marker, publications: list[Publication]) -> events.Ok:
        moved = result.moved
        if self.timed_too and self.seq >= result.last_seq:
            # Other nodes learn the move of the marker from the log.
            seq = None if moved else result.seq if self.shown is None else self.shown
            moved = self.reading.timed.note_all_read(self.by, self.chat.key, seq) or moved
        if moved:
            assert isinstance(self.write, MarkerMoved)
            publications += self.reading.publications.read(self.write, result, self.origin)
        return events.Ok()
