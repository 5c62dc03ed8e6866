"""The whole state of the screen, and how each event changes it."""

import re
from enum import Enum

from irchat.client.view.chat_list import ChatList
from irchat.client.view.chat_state import ITEMS_MAX, ChatState, clean
from irchat.client.view.items import Item, Kind
from irchat.client.view.listing import Cursor
from irchat.client.view.pane import Pane
from irchat.protocol import events
from irchat.protocol.errors import Code
from irchat.protocol.rules import CHATS_MAX, GLOBAL_NAME
from irchat.rendering.lines import OWN_MARK, Renderer
from irchat.text.excerpts import find
from irchat.text.names import best, same_name

_RENDERER = Renderer(colour=False)
# What a cursor chooses: a chat by its name, one that is gone, or a message that was found.
Chosen = str | ChatState | Item

_NOT_FOUND = frozenset({Code.NO_SUCH_USER, Code.NO_SUCH_GROUP, Code.NO_SUCH_CHAT})


class Place(Enum):
    """What the pane shows."""

    SIGN_IN = "sign-in"
    HOME = "home"
    CHAT = "chat"
    FOUND = "found"


class ScreenState:
    """What the user sees. ``server`` is its address, ``me`` the user's name; ``link`` says how the line to
    the server is, empty where it is up.

    ``manual``: the first row of the manual that shows, None where it does not. ``own``: the home screen, as a
    chat that holds only the client's own lines. ``waits``: what is to be shown once nothing is being typed.
    """

    def __init__(self, server: str) -> None:
        self.place = Place.SIGN_IN
        self.me = ""
        self.server = server
        self.link = "connecting"
        self.open: ChatState | None = None
        self.own = ChatState("")
        self.chats = ChatList(lambda chat: chat is self.open and self.place is Place.CHAT)
        self.epoch = ""
        self.waits = ""
        self.online: dict[str, None] = {}
        self.online_count = 0
        self.known: dict[str, None] = {}
        self.pane = Pane()
        self.cursor: Cursor[Chosen] = Cursor()
        self.filter: str | None = None
        self.found: list[Item] = []
        self.found_for = ""
        self.manual: int | None = None
        self.blocked: list[str] = []

    # What the user does.

    @property
    def here(self) -> ChatState:
        """Where the chat's own lines go: the open chat, or the home screen."""
        return self.open if self.place is Place.CHAT and self.open is not None else self.own

    def go_home(self) -> None:
        """Show the list of what is unread."""
        self._leave()
        self.place = Place.HOME
        self.cursor = Cursor()

    def open_chat(self, wanted: str | ChatState) -> ChatState:
        """Open a chat, or that of a name, at its end; what is unread begins at a line."""
        chat = self.chat(wanted) if isinstance(wanted, str) else wanted
        if self.open is not chat or self.place is not Place.CHAT:
            self._leave()
            chat.line = chat.read_seq if chat.unread else None
        self.place, self.open, self.filter = Place.CHAT, chat, None
        if chat.gone and chat not in self.chats.gone:
            self.chats.gone.append(chat)
        self.pane.to_end()
        return chat

    def show_found(self, found: events.Found, words: str) -> None:
        """Show what a search found, newest first."""
        self._leave()
        self.found = [found_item(number, message, self.me, words) for number, message in enumerate(found.messages)]
        self.found_for = clean(words) + (" — there is more: use more words" if found.more else "")
        self.place = Place.FOUND
        self.cursor = Cursor()

    def scroll_manual(self, by: int) -> None:
        """Move the manual by so many rows, where it shows."""
        if self.manual is not None:
            self.manual = max(0, self.manual + by)

    def begin_filter(self) -> None:
        """List all chats, to go to one."""
        self.filter = ""
        self.manual = None
        self.cursor = Cursor()

    def choices(self) -> list[Chosen]:
        """What the cursor chooses from."""
        if self.place is Place.FOUND and self.filter is None:
            return list(self.found)
        return [chat if chat.gone else chat.name for chat in self.listed()]

    def listed(self) -> list[ChatState]:
        """The chats that the pane lists: those the filter finds, or those with unread messages, the latest first."""
        if self.filter is None:
            unread = [chat for chat in self.chats.values() if chat.unread]
            return sorted(unread, key=lambda chat: chat.last_at, reverse=True)
        others = (f"@{name}" for name in self.known if name != self.me)
        new = [ChatState(name) for name in others if name not in self.chats] if self.filter.strip() else []
        return best(self.filter, [*self.chats.in_order(), *new], lambda chat: chat.name)

    def next_chat(self, step: int) -> str | None:
        """The chat after (or before) the open one among those with unread messages, or else among all."""
        names = [chat.name for chat in self.chats.in_order() if not chat.gone]
        here = names.index(self.open.name) if self.open is not None and not self.open.gone else -1
        if here < 0 and step < 0:
            here = len(names)
        ring = [names[(here + step * number) % len(names)] for number in range(1, len(names) + 1)]
        unread = [name for name in ring if self.chats[name].unread and self.chats[name] is not self.open]
        return next(iter(unread or ring), None)

    def numbered(self, number: int) -> str | None:
        """The name of the chat of that number in the list, from 1."""
        chats = self.chats.in_order()
        return chats[number - 1].name if 1 <= number <= len(chats) and not chats[number - 1].gone else None

    @property
    def unread(self) -> int:
        """All unread messages."""
        return sum(chat.unread for chat in self.chats.values())

    def chat(self, name: str) -> ChatState:
        """The chat of that name as the server spells it, a new one where none is known."""
        return self.chats.named(name)

    def chat_typed(self, name: str) -> ChatState:
        """The chat that a typed name means, compared as the server compares names."""
        if name not in self.chats:
            known = (*self.chats, *(f"@{user}" for user in self.known))
            name = next((other for other in known if same_name(other, name)), name)
        return self.chats.typed(name)

    def seen(self) -> tuple[str, int] | None:
        """Note that the end of the open chat is on the screen: gives its name and end where that was unread."""
        chat = self.open
        if chat is None or chat.gone or self.place is not Place.CHAT:
            return None
        if self.filter is not None or self.manual is not None:
            return None
        if not (chat.at_end and self.pane.follows) or (not chat.unread and chat.read_seq >= chat.last_seq):
            return None
        chat.all_read()
        return chat.name, chat.last_seq

    def say(self, reply: events.Event, name: str | None = None) -> None:
        """Show a reply in place, or in the chat ``name``."""
        if isinstance(reply, events.Error):
            self.complain(reply.text + (f"\nusage: {reply.usage}" if reply.usage else ""))
        else:
            for text in _texts(reply):
                (self.here if name is None else self.chat(name)).add_note(text)

    def refused(self, chat: ChatState, reply: events.Event) -> None:
        """Something in a chat was refused. Where there is no such chat at all, it is not listed any more."""
        kinds = {item.kind for item in chat.items}
        if isinstance(reply, events.Error) and reply.code in _NOT_FOUND and not chat.id:
            if Kind.PENDING in kinds or self.chats.get(chat.name) is not chat:
                return  # told once is enough
            if Kind.MESSAGE not in kinds:
                self._drop(chat.name, f"There is no {chat.name}.")
        self.say(reply)

    def leave_what_never_was(self) -> None:
        """Where the open chat turned out not to exist, go home, and take along what was said of that."""
        chat = self.open
        if chat is not None and self.place is Place.CHAT and chat.never_was:
            self.go_home()
            self.open = None
            for item in chat.items:
                self.own.add_note(item.text, error=item.kind is Kind.ERROR)

    def note(self, text: str, *, error: bool = False) -> None:
        """Show a line of the client's own in place. A pane that was moved up stays where it is."""
        self.here.add_note(text, error=error)

    def complain(self, text: str) -> None:
        """Say in place what went wrong."""
        self.note(text, error=True)

    # What happens.

    def welcome(self, welcome: events.Welcome) -> None:
        """The user is signed in, for the first time or again.

        The first time GLOBAL opens, or the list of what is unread where there is something. Where the server's data
        went back to a backup, all that was loaded is forgotten: its numbers may mean other messages now.
        """
        if self.place is Place.SIGN_IN:
            self.own = ChatState("")  # what was asked and answered has served its purpose
            if any(chat.unread for chat in welcome.unread):
                self.go_home()
            else:
                self.open_chat(GLOBAL_NAME)
        elif welcome.epoch != self.epoch:
            self._start_anew()
        self.epoch = welcome.epoch
        self.me = welcome.name
        self.online = dict.fromkeys(map(clean, welcome.online))
        self.online_count = welcome.online_count
        self.known.update(self.online)
        for chat in self.chats.values():
            chat.unread = 0
            chat.stale = chat.loaded
            chat.loading = False
            chat.early.clear()
        for unread in welcome.unread:
            chat = self.chats.of_id(unread.chat, unread.id)
            chat.unread, chat.last_seq = unread.unread, unread.last_seq

    def list_chats(self, chats: events.Chats) -> None:
        """All of the user's chats are known. Those known before keep their numbers."""
        there = {chat.chat for chat in chats.chats}
        if len(chats.chats) < CHATS_MAX:  # else the list may have been cut
            for name in [name for name, chat in self.chats.items() if name not in there and not chat.is_private]:
                if name != GLOBAL_NAME:
                    self._drop(name, f"You are not in {name} any more.")
        for told in chats.chats:
            chat = self.chats.of_id(told.chat, told.id)
            chat.unread = told.unread
            chat.last_at = max(chat.last_at, told.last_at or "")
            chat.last_seq, chat.read_seq = max(chat.last_seq, told.last_seq), max(chat.read_seq, told.read_seq)
            chat.place_notes(chat.last_seq)
        self.chat(GLOBAL_NAME)

    def list_users(self, users: events.Users) -> None:
        """Who there is."""
        self.known.update(dict.fromkeys(map(clean, [*users.online, *users.offline])))

    def apply(self, event: events.Event, now: float) -> None:
        """An event that was not asked for."""
        match event:
            case events.Message():
                self._message(event, now)
            case events.Erased():
                self.erase(event.chat, event.id)
            case events.Presence():
                self._presence(event)
            case events.Added():
                self._added(event)
            case events.Removed():
                self._removed(event)
            case events.Read():
                self.chat(event.chat).read_to(event.seq)
            case events.Blocks():
                self.blocks(event)
            case events.Bye():
                self.note(f"The server says goodbye: {event.reason}")

    def page(self, page: events.History, now: float, *, direction: int) -> None:
        """A page of a chat came: its end (0), older than what is loaded (-1) or newer (1)."""
        chat = self.chat(page.chat)
        chat.loading = False
        for message in page.messages:
            chat.add_message(message, self.me, now)
        if direction <= 0:
            chat.older = page.more
        if direction == 0:
            chat.newer = False
        if direction > 0:
            chat.newer = page.more
        chat.loaded, chat.stale = True, False
        if not chat.newer:
            early, chat.early = chat.early, []
            for message in early:
                chat.add_message(message, self.me, now)
        chat.last_seq = max(chat.last_seq, chat.end_seq)
        if not chat.newer:
            chat.place_notes(chat.last_seq)

    def page_around(self, name: str, earlier: events.History, later: events.History, now: float) -> None:
        """The part of a chat around some message came, in place of what was loaded."""
        chat = self.chat(name)
        chat.unload()
        self.page(earlier, now, direction=-1)
        self.page(later, now, direction=1)

    def sent(self, chat: ChatState, nonce: str, sent: events.Sent, now: float) -> None:
        """What was being sent is sent."""
        item = chat.take_pending(nonce)
        if sent.seq is not None:
            chat.place_notes(sent.seq - 1)
            chat.last_seq = max(chat.last_seq, sent.seq)
            chat.all_read()
        chat.line = None
        if item is None or not chat.at_end:
            return
        message = events.Message(
            chat.name, self.me, sent.at, item.text, sent.seq, sent.id, sent.expires_at, sent.left_ms
        )
        chat.add_message(message, self.me, now)
        if sent.id is not None and (timed := chat.timed(sent.id)) and item.ends is not None:
            timed.ends = min(timed.ends or item.ends, item.ends)

    def expire(self, now: float) -> float | None:
        """Forget the timed messages that have ended; gives when the next one ends."""
        ends: list[float] = []
        for chat in self.chats.values():
            ends += chat.expire(now)
        return min(ends, default=None)

    def erase(self, chat_name: str, timed_id: str) -> None:
        """A timed message has ended."""
        if chat_name in self.chats:
            self.chats[chat_name].erase(timed_id)

    def blocks(self, blocks: events.Blocks) -> None:
        """Whom the user blocks has changed, and with it what may be seen."""
        if blocks.names != self.blocked:
            self.blocked = blocks.names
            for chat in self.chats.values():
                chat.unload(keep_notes=True)

    def _start_anew(self) -> None:
        for chat in [*self.chats.values(), *self.chats.gone]:
            chat.start_anew()
        self.pane.to_end()
        self.found, self.found_for = [], "The server went back to a backup. Search again."

    def _message(self, message: events.Message, now: float) -> None:
        chat = self.chat(message.chat)
        own = message.sender == self.me
        if message.seq is not None and message.seq <= chat.last_seq and chat.has(message.seq):
            return
        if message.seq is not None or chat.loaded:
            chat.place_notes((message.seq or chat.last_seq + 1) - 1)
        chat.last_seq, chat.last_at = max(chat.last_seq, message.seq or 0), max(chat.last_at, message.at)
        if not own:
            chat.count_unread(message, now)
        elif message.seq is not None:
            chat.all_read()
        if chat.loading:
            chat.early.append(message)
        elif chat.at_end:
            self._add(chat, message, now)

    def _add(self, chat: ChatState, message: events.Message, now: float) -> None:
        """Add what came at the end; where the user looks at what is long ago, not without end."""
        is_elsewhere = chat is self.open and not self.pane.follows
        if is_elsewhere and len(chat.items) >= ITEMS_MAX and message.id is None:
            chat.newer = True
            return
        chat.add_message(message, self.me, now)
        if not is_elsewhere:
            chat.trim()

    def _presence(self, presence: events.Presence) -> None:
        for name in map(clean, presence.offline):
            self.online.pop(name, None)
        for name in map(clean, presence.online):
            self.online[name] = None
            self.known[name] = None
        self.online_count += len(presence.online) - len(presence.offline)
        self.online_count = max(self.online_count, len(self.online))

    def _added(self, added: events.Added) -> None:
        if added.name == self.me:
            self.chats.of_id(added.group, added.id)
        self._tell(added.group, added)

    def _removed(self, removed: events.Removed) -> None:
        if removed.name != self.me:
            self._tell(removed.group, removed)
        elif removed.group in self.chats:
            (why,) = _texts(removed)
            chat = self._drop(removed.group, why)
            (chat if chat in self.chats.gone else self.here).add_note(why)

    def _tell(self, group: str, event: events.Event) -> None:
        for text in _texts(event):
            self.chat(group).add_note(text)

    def _drop(self, name: str, why: str) -> ChatState:
        chat = self.chats.drop(name, why)
        if chat is self.open and self.place is not Place.CHAT and chat not in self.chats.gone:
            self.open = None
        return chat

    def _leave(self) -> None:
        self.chats.left()
        if self.open is not None:
            self.open.line = None
            self.open.trim()
        self.pane.to_end()
        self.filter = None
        self.manual = None


def _texts(event: events.Event) -> list[str]:
    texts = [line.text.removeprefix(OWN_MARK) for line in _RENDERER.lines(event)]
    # The columns of the manual would not survive being wrapped.
    return [re.sub("  +", "   ", text) for text in texts] if isinstance(event, events.Help) else texts


def found_item(number: int, message: events.Message, me: str, words: str) -> Item:
    """A message in which a search found ``words``, at its place among those found."""
    return Item(
        Kind.MESSAGE,
        (number, 0, 0),
        clean(message.text),
        clean(message.sender),
        message.at,
        message.chat,
        message.seq,
        own=message.sender == me,
        hit=find(clean(message.text), words),
    )
