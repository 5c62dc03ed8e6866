"""Load messages page by page: the end of a chat, older or missed messages, or those around a message."""

from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from irchat.client.connect.request_channel import Ask, Reply
from irchat.client.exceptions import ClientError
from irchat.client.view.chat_state import ChatState
from irchat.client.view.items import Key
from irchat.client.view.screen_state import ScreenState
from irchat.protocol import events, requests
from irchat.protocol.rules import PAGE_MAX

_PAGE = 100
# Messages to load around one that others answer.
_QUOTES = 20
# Missed changes above which a chat is loaded again instead.
_CHANGES_MAX = 1_000
# Messages to load before the unread ones.
_BEFORE_UNREAD = 30


class Pages:
    """Load the messages of chats. ``changed`` is called when there is something new to draw."""

    def __init__(self, clock: IReactorTime, view: ScreenState, ask: Ask, changed: Callable[[], None]) -> None:
        self._clock = clock
        self._view = view
        self._ask = ask
        self._changed = changed

    def fill(self, chat: ChatState) -> None:
        """Load the end of a chat that is not loaded yet, or the messages missed while the connection was lost."""
        if chat.loading or chat.gone:
            return
        if not chat.loaded and chat.unread > PAGE_MAX - _BEFORE_UNREAD:
            Deferred.fromCoroutine(self._load_at_unread(chat)).addErrback(lambda failure: failure.trap(ClientError))
        elif not chat.loaded:
            limit = min(PAGE_MAX, max(_PAGE, chat.unread + _BEFORE_UNREAD))
            self._load(chat, requests.History(chat=chat.name, limit=limit), 0)
        elif chat.stale:
            self._catch_up(chat)

    async def _load_at_unread(self, chat: ChatState) -> None:
        """Load the first unread messages of a chat that has more of them than a page."""
        read = chat.read_seq
        pages = await self._two_pages(
            chat,
            requests.History(chat=chat.name, before=read + 1, limit=_BEFORE_UNREAD),
            requests.History(chat=chat.name, after=read, limit=PAGE_MAX),
        )
        if pages is not None:
            self._view.page_around(chat.name, *pages, self._clock.seconds())
            self._show_opened(chat)
            self._changed()

    async def _two_pages(
        self, chat: ChatState, *wanted: requests.History
    ) -> tuple[events.History, events.History] | None:
        """Return two pages, or None if the chat is gone meanwhile or the server refuses, which is shown."""
        chat.loading = True
        try:
            earlier, later = [await self._ask(request) for request in wanted]
        finally:
            chat.loading = False
        if not (isinstance(earlier, events.History) and isinstance(later, events.History)):
            self._refused(earlier if isinstance(earlier, events.Error) else later, chat)
            return None
        return (earlier, later) if self._view.chats.get(chat.name) is chat else None

    def _catch_up(self, chat: ChatState) -> None:
        """Load the changes and then the messages that were missed while the connection was lost."""
        behind = chat.last_rev - (chat.rev or 0) if chat.is_counted else None
        if "amend" not in self._view.features or behind == 0:
            self.newer(chat)
        elif (behind or 0) > _CHANGES_MAX:
            chat.unload(keep_notes=True)
            self.fill(chat)
        else:
            self._load(chat, requests.History(chat=chat.name, after_rev=chat.rev or 0, limit=PAGE_MAX), 1)

    def to_end(self, chat: ChatState) -> None:
        """Replace the loaded part with the end of the chat, if it does not reach the end, whatever is unread."""
        self._view.opening = None
        if chat.newer and not chat.loading:
            chat.unload()
            self._load(chat, requests.History(chat=chat.name, limit=_PAGE), 0)

    def older(self, chat: ChatState) -> None:
        """Load the messages before the loaded part."""
        first = chat.first_seq
        if chat.older and not chat.loading and first is not None and not chat.gone:
            self._load(chat, requests.History(chat=chat.name, before=first, limit=_PAGE), -1)

    def newer(self, chat: ChatState) -> None:
        """Load the messages after the loaded part."""
        if not chat.loading and not chat.gone:
            self._load(chat, requests.History(chat=chat.name, after=chat.end_seq, limit=PAGE_MAX), 1)

    def fetch_wanted(self) -> None:
        """Load the messages that were to be drawn, with those around each. Call this after a frame."""
        wanted, self._view.wanted = self._view.wanted, {}
        for chat, seq in wanted.items():
            if "around" in self._view.features and not chat.quoting and not chat.gone:
                chat.quoting = True
                reply = self._ask(requests.History(chat=chat.name, around=seq, limit=_QUOTES))
                reply.addCallbacks(self._quoted, self._not_quoted, callbackArgs=(chat, seq), errbackArgs=(chat,))

    def _quoted(self, reply: Reply, chat: ChatState, seq: int) -> None:
        self._view.page_of_quotes(chat, seq, reply if isinstance(reply, events.History) else None)
        self._changed()

    def _not_quoted(self, failure: Failure, chat: ChatState) -> None:
        failure.trap(ClientError)  # the next frame wants it again
        chat.quoting = False

    def open_page(self, page: events.History) -> None:
        """Open the chat of a page that a command requested."""
        chat = self._view.open_chat(page.chat)
        end = max((message.seq or 0 for message in page.messages), default=0)
        # A page that waited to be shown may lack what came meanwhile.
        is_whole = page.rev >= chat.last_rev and end >= chat.last_seq and len(page.messages) >= chat.unread
        if not chat.loaded and not chat.loading and is_whole:
            self._view.page(page, self._clock.seconds(), direction=0)
            self._view.show_unread(chat)
        self.fill(chat)

    async def since(self, chat: ChatState, request: requests.History) -> None:
        """Open a chat at the first message since a time."""
        self._view.open_chat(chat)
        self._changed()
        chat.loading = True
        try:
            page = await self._ask(request)
        finally:
            chat.loading = False
        if self._view.chats.get(chat.name) is not chat:
            return
        if not isinstance(page, events.History):
            self._refused(page, chat)
            return
        if not page.messages:
            self._view.note(f"There is no message in {chat.name} from that day on.")
            self.fill(chat)
        else:
            self._view.page_since(page, self._clock.seconds())
            first = [item.key for item in chat.items if item.seq is not None][:1]
            self._show_at(chat, first)
        self._changed()

    async def around(self, wanted: str | ChatState, seq: int, *, is_typed: bool = False) -> None:
        """Open a chat at a message. ``is_typed``: its number was typed, so it may not exist."""
        chat = self._view.open_chat(wanted)
        name = chat.name
        self._changed()
        if not (chat.loaded and chat.has(seq)):
            pages = await self._two_pages(
                chat,
                requests.History(chat=name, before=seq + 1, limit=_PAGE // 2),
                requests.History(chat=name, after=seq, limit=_PAGE // 2),
            )
            if pages is None:
                return
            self._view.page_around(name, *pages, self._clock.seconds())
        chat.marked = seq
        if not chat.has(seq) and is_typed:
            self._view.complain(f"There is no message {seq} in {name} that you can see.")
        self._show_at(chat, [item.key for item in chat.items if item.seq is not None and item.seq >= seq])
        self._changed()

    def _show_opened(self, chat: ChatState) -> None:
        """Show a chat that was just opened from its first unread message. A chat that was reloaded keeps its place."""
        if self._view.opening is chat and self._view.here is chat:
            self._view.show_unread(chat)

    def _show_at(self, chat: ChatState, below: list[Key]) -> None:
        """Move the pane so that the first of ``below``, the keys of messages in order, is in its upper part."""
        self._view.opening = None
        lowest = min(len(below) - 1, self._view.pane.height // 4)
        if below and (lowest < len(below) - 1 or chat.newer) and self._view.here is chat:
            self._view.pane.show(below[lowest])

    def _load(self, chat: ChatState, request: requests.History, direction: int) -> None:
        chat.loading = True
        reply = self._ask(request)
        reply.addCallbacks(self._loaded, self._lost, callbackArgs=(chat, request, direction), errbackArgs=(chat,))

    def _loaded(self, reply: Reply, chat: ChatState, request: requests.History, direction: int) -> None:
        chat.loading = False
        if self._view.chats.get(chat.name) is not chat:
            return  # the chat was removed; a new one may have the same name
        if isinstance(reply, events.History) and request.after_rev is not None:
            self._view.page_of_changes(reply, self._clock.seconds())
            (self._catch_up if reply.more and reply.rev > request.after_rev else self.newer)(chat)
        elif isinstance(reply, events.History):
            was_stale = chat.stale
            self._view.page(reply, self._clock.seconds(), direction=direction)
            is_shown = self._view.here is chat
            if was_stale and chat.newer:
                chat.stale = True
                self.newer(chat)
            elif was_stale and is_shown and self._view.pane.follows and chat.unread:
                chat.line = chat.read_seq
                self._view.show_unread(chat)
            elif direction == 0:
                self._show_opened(chat)
        elif reply is not None:
            chat.early_changes.clear()
            self._view.refused(chat, reply)
        self._changed()

    def _lost(self, failure: object, chat: ChatState) -> None:
        chat.loading = False

    def _refused(self, reply: Reply, chat: ChatState) -> None:
        chat.early_changes.clear()
        if chat.id:
            self.fill(chat)
        if isinstance(reply, events.Error):
            self._view.complain(reply.text)
            self._changed()
