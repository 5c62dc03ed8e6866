"""Navigation: the content of the pane, and moves between chats, lists and search results."""

from enum import Enum

from irchat.client.view.chat_list import ChatList
from irchat.client.view.chat_state import ChatState, message_item
from irchat.client.view.choice import Choice
from irchat.client.view.items import Item, Kind, clean
from irchat.client.view.listing import Cursor
from irchat.client.view.pane import Pane
from irchat.protocol import events
from irchat.text.excerpts import find
from irchat.text.names import best, same_name

Chosen = str | ChatState | Item
"""An entry to choose with the cursor: a chat by its name, a lost chat, or a search result."""

# Chats that the home screen lists where nothing is unread.
_LATEST = 9


class Place(Enum):
    """The content of the pane."""

    SIGN_IN = "sign-in"
    HOME = "home"
    CHAT = "chat"
    FOUND = "found"


class Navigation:
    """The part of the screen state that the user moves.

    ``me`` is the user's name, ``known`` the names of all users seen so far. ``opening`` is the open chat while it waits
    for its messages, so that they are shown from the first unread one. ``own`` is the home screen, as a chat that
    holds only the client's own lines. ``filter`` is the text that filters the list of chats, None while there is no
    such list. ``choice`` is the message being chosen. ``manual`` is the first visible row of the manual, None while it
    is closed.
    """

    def __init__(self) -> None:
        self.place = Place.SIGN_IN
        self.me = ""
        self.known: dict[str, None] = {}
        self.open: ChatState | None = None
        self.opening: ChatState | None = None
        self.own = ChatState("")
        self.chats = ChatList(lambda chat: chat is self.open and self.place is Place.CHAT)
        self.pane = Pane()
        self.cursor: Cursor[Chosen] = Cursor()
        self.filter: str | None = None
        self.found: list[Item] = []
        self.found_for = ""
        self.manual: int | None = None
        self.choice = Choice()

    @property
    def here(self) -> ChatState:
        """The chat for the client's own lines: the open one, or the home screen."""
        return self.open if self.place is Place.CHAT and self.open is not None else self.own

    @property
    def last_own(self) -> Item | None:
        """The user's last message that is drawn, sent or being sent, or None."""
        if self.pane.drawn is None:
            return None
        first, last = self.pane.drawn
        own = (item for item in reversed(self.here.items) if item.own)
        return next((item for item in own if first <= item.key <= last), None)

    @property
    def is_choosing(self) -> bool:
        """Whether keys go to the chosen message: no list and no manual is over it."""
        return self.choice.is_on and self.filter is None and self.manual is None

    def go_home(self) -> None:
        """Show the list of chats with unread messages."""
        self._leave()
        self.place = Place.HOME
        self.cursor = Cursor()

    def open_chat(self, wanted: str | ChatState) -> ChatState:
        """Open a chat, given itself or its name, at its first unread message, with a line before it, or at its end."""
        chat = self.chat(wanted) if isinstance(wanted, str) else wanted
        if self.open is not chat or self.place is not Place.CHAT:
            self._leave()
            chat.line = chat.read_seq if chat.unread else None
        self.place, self.open, self.filter = Place.CHAT, chat, None
        if chat.gone and chat not in self.chats.gone:
            self.chats.gone.append(chat)
        self.choice.forget()
        self.show_unread(chat)
        return chat

    def show_unread(self, chat: ChatState) -> None:
        """Move the pane to the line before the first unread message of the open chat, or without one to the end."""
        self.opening = None if chat.loaded else chat
        self.pane.to_end()
        if (first := chat.first_unread) is not None:
            self.pane.begin_at(first.key)

    def show_found(self, found: events.Found, words: str, what: str = "") -> None:
        """Show the results of a search for ``words``, newest first. ``what`` is another title than the words."""
        self._leave()
        # The messages may have been deleted while the result waited to be shown.
        there = [message for message in found.messages if not self.chat(message.chat).was_deleted(message.seq)]
        self.found = [found_item(number, message, self.me, words) for number, message in enumerate(there)]
        more = " — there is more" + ": use more words" * bool(words) if found.more else ""
        self.found_for = clean(what or words) + more
        self.place = Place.FOUND
        self.cursor = Cursor()

    def scroll_manual(self, by: int) -> None:
        """Move the manual by ``by`` rows, if it is open."""
        if self.manual is not None:
            self.manual = max(0, self.manual + by)

    def begin_filter(self) -> None:
        """List all chats, so that the user can filter them and open one."""
        self.filter = ""
        self.manual = None
        self.cursor = Cursor()

    def choices(self) -> list[Chosen]:
        """Return the entries under the cursor's control."""
        if self.place is Place.FOUND and self.filter is None:
            return list(self.found)
        return [chat if chat.gone else chat.name for chat in self.listed()]

    def listed(self) -> list[ChatState]:
        """Return the listed chats: those that match the filter, or those with unread messages, else the latest ones."""
        if self.filter is None:
            muted = [chat for chat in self.chats.in_order() if chat.unread and chat.is_muted]
            return [*self.waiting(), *muted] or self._latest()
        others = (f"@{name}" for name in self.known if name != self.me)
        new = [ChatState(name) for name in others if name not in self.chats] if self.filter.strip() else []
        return best(self.filter, [*self.chats.in_order(), *new], lambda chat: chat.name)

    def _latest(self) -> list[ChatState]:
        """Return the chats with the latest messages."""
        latest = sorted((chat for chat in self.chats.values() if chat.last_at), key=lambda chat: chat.last_at)
        return latest[: -_LATEST - 1 : -1]

    def next_chat(self, step: int) -> str | None:
        """Return the chat after (1) or before (-1) the open one, among the unread ones or, without any, among all."""
        names = [chat.name for chat in self.chats.in_order() if not chat.gone]
        here = names.index(self.open.name) if self.open is not None and not self.open.gone else -1
        if here < 0 and step < 0:
            here = len(names)
        ring = [names[(here + step * number) % len(names)] for number in range(1, len(names) + 1)]
        waiting = self.waiting()
        unread = [name for name in ring if self.chats[name] in waiting and self.chats[name] is not self.open]
        return next(iter(unread or ring), None)

    def numbered(self, number: int) -> str | None:
        """Return the name of the chat with that number in the list. The first is 1."""
        chats = self.chats.in_order()
        return chats[number - 1].name if 1 <= number <= len(chats) and not chats[number - 1].gone else None

    @property
    def unread(self) -> int:
        """The number of unread messages in all chats that are not muted."""
        return sum(chat.unread for chat in self.chats.values() if not chat.is_muted)

    def waiting(self) -> list[ChatState]:
        """Return the chats with unread messages, the latest first, without the muted ones."""
        unread = [chat for chat in self.chats.values() if chat.unread and not chat.is_muted]
        return sorted(unread, key=lambda chat: chat.last_at, reverse=True)

    def chat(self, name: str) -> ChatState:
        """Return the chat with this name in the server's spelling. An unknown one is added."""
        return self.chats.named(name)

    def chat_typed(self, name: str) -> ChatState:
        """Return the chat of a typed name, compared by the server's rules."""
        if name not in self.chats:
            known = (*self.chats, *(f"@{user}" for user in self.known))
            name = next((other for other in known if same_name(other, name)), name)
        return self.chats.typed(name)

    def seen(self) -> tuple[str, int] | None:
        """Mark what the last frame showed of the open chat as read. Return its name and the seq, if that is new."""
        chat = self.open
        if chat is None or chat.gone or self.place is not Place.CHAT:
            return None
        if self.filter is not None or self.manual is not None:
            return None
        if chat.at_end and self.pane.follows:
            if not chat.unread and chat.read_seq >= chat.last_seq:
                return None
            chat.all_read()
            return chat.name, chat.last_seq
        seq = 0 if self.pane.whole is None or chat.stale else int(min(self.pane.whole[0], chat.end_seq))
        return (chat.name, seq) if chat.read_part(seq) else None

    def leave_missing_chat(self) -> None:
        """Go home if the open chat turned out not to exist, and show the reason there."""
        chat = self.open
        if chat is not None and self.place is Place.CHAT and chat.is_missing:
            self.go_home()
            self.open = None
            for item in chat.items:
                self.own.add_note(item.text, error=item.kind is Kind.ERROR)

    def note(self, text: str, *, error: bool = False) -> None:
        """Show a line of the client's own in the current chat. A pane that was moved up does not move."""
        self.here.add_note(text, error=error)

    def complain(self, text: str) -> None:
        """Show an error in the current chat."""
        self.note(text, error=True)

    def complain_in_view(self, text: str) -> None:
        """Show an error below the visible messages, also where the pane was moved up."""
        if self.pane.follows or self.pane.drawn is None:
            self.complain(text)
        else:
            self.pane.show(self.here.add_note(text, error=True, after=self.pane.drawn[1][0]).key)

    def _leave(self) -> None:
        self.chats.left()
        if self.open is not None:
            self.open.line = None
            self.open.trim()
        self.pane.to_end()
        self.choice.forget()
        self.filter = None
        self.manual = None


def found_item(number: int, message: events.Message, me: str, words: str) -> Item:
    """Return a search result for ``words`` as an item, with the number ``number``."""
    item = message_item(message, me, (number, 0, 0))
    item.hit = find(item.text, words)
    return item
