"""Load messages page by page: the end of a chat, older or missed messages, or those around a message."""

from collections.abc import Callable

from twisted.internet.interfaces import IReactorTime

from irchat.client.connect.request_channel import Ask, Reply
from irchat.client.view.chat_state import ChatState
from irchat.client.view.screen_state import ScreenState
from irchat.protocol import events, requests
from irchat.protocol.rules import PAGE_MAX

_PAGE = 100
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
        if not chat.loaded:
            limit = min(PAGE_MAX, max(_PAGE, chat.unread + _BEFORE_UNREAD))
            self._load(chat, requests.History(chat=chat.name, limit=limit), 0)
        elif chat.stale:
            self.newer(chat)

    def to_end(self, chat: ChatState) -> None:
        """Replace the loaded part with the end of the chat, if it does not reach the end."""
        if chat.newer and not chat.loading:
            chat.unload()
            self.fill(chat)

    def older(self, chat: ChatState) -> None:
        """Load the messages before the loaded part."""
        first = chat.first_seq
        if chat.older and not chat.loading and first is not None and not chat.gone:
            self._load(chat, requests.History(chat=chat.name, before=first, limit=_PAGE), -1)

    def newer(self, chat: ChatState) -> None:
        """Load the messages after the loaded part."""
        if not chat.loading and not chat.gone:
            self._load(chat, requests.History(chat=chat.name, after=chat.end_seq, limit=PAGE_MAX), 1)

    def open_page(self, page: events.History) -> None:
        """Open the chat of a page that a command requested."""
        chat = self._view.open_chat(page.chat)
        if not chat.loaded:
            self._view.page(page, self._clock.seconds(), direction=0)
        self.fill(chat)

    async def around(self, name: str, seq: int) -> None:
        """Open a chat at a message."""
        chat = self._view.open_chat(name)
        self._changed()
        if not (chat.loaded and chat.has(seq)):
            earlier = await self._ask(requests.History(chat=name, before=seq + 1, limit=_PAGE // 2))
            later = await self._ask(requests.History(chat=name, after=seq, limit=_PAGE // 2))
            if not (isinstance(earlier, events.History) and isinstance(later, events.History)):
                refused = earlier if isinstance(earlier, events.Error) else later
                if isinstance(refused, events.Error):
                    self._view.complain(refused.text)
                    self._changed()
                return
            if self._view.chats.get(name) is not chat:
                return
            self._view.page_around(name, earlier, later, self._clock.seconds())
        chat.marked = seq
        below = [item.key for item in chat.items if item.seq is not None and item.seq >= seq]
        lowest = min(len(below) - 1, self._view.pane.height // 4)
        if below and (lowest < len(below) - 1 or chat.newer) and self._view.here is chat:
            self._view.pane.show(below[lowest])
        self._changed()

    def _load(self, chat: ChatState, request: requests.History, direction: int) -> None:
        chat.loading = True
        reply = self._ask(request)
        reply.addCallbacks(self._loaded, self._lost, callbackArgs=(chat, direction), errbackArgs=(chat,))

    def _loaded(self, reply: Reply, chat: ChatState, direction: int) -> None:
        chat.loading = False
        if self._view.chats.get(chat.name) is not chat:
            return  # the chat was removed; a new one may have the same name
        if isinstance(reply, events.History):
            was_stale = chat.stale
            self._view.page(reply, self._clock.seconds(), direction=direction)
            if was_stale and chat.newer:
                chat.stale = True
                self.newer(chat)
        elif reply is not None:
            self._view.refused(chat, reply)
        self._changed()

    def _lost(self, failure: object, chat: ChatState) -> None:
        chat.loading = False
