"""The complete state of the screen, and its changes by events."""

import re

from irchat.client.view.chat_state import ITEMS_MAX, ChatState, clean
from irchat.client.view.items import Kind
from irchat.client.view.navigation import Navigation, Place
from irchat.protocol import events
from irchat.protocol.errors import Code
from irchat.protocol.rules import CHATS_MAX, GLOBAL_NAME
from irchat.rendering.lines import OWN_MARK, Renderer

_RENDERER = Renderer(colour=False)
_NOT_FOUND = frozenset({Code.NO_SUCH_USER, Code.NO_SUCH_GROUP, Code.NO_SUCH_CHAT})


class ScreenState(Navigation):
    """Everything that the screen shows.

    ``server`` is the address of the server. ``link`` is the state of the connection, empty while it is up. ``waits`` is
    the text about changes to be shown once nothing is being typed.
    """

    def __init__(self, server: str) -> None:
        super().__init__()
        self.server = server
        self.link = "connecting"
        self.epoch = ""
        self.waits = ""
        self.online: dict[str, None] = {}
        self.online_count = 0
        self.blocked: list[str] = []

    def say(self, reply: events.Event, name: str | None = None) -> None:
        """Show a reply or another event in the current chat, or in the chat ``name``."""
        if isinstance(reply, events.Error):
            self.complain(reply.text + (f"\nusage: {reply.usage}" if reply.usage else ""))
        else:
            for text in _texts(reply):
                (self.here if name is None else self.chat(name)).add_note(text)

    def refused(self, chat: ChatState, reply: events.Event) -> None:
        """Show that the server refused an action in a chat. A chat that does not exist leaves the list."""
        kinds = {item.kind for item in chat.items}
        if isinstance(reply, events.Error) and reply.code in _NOT_FOUND and not chat.id:
            if Kind.PENDING in kinds or self.chats.get(chat.name) is not chat:
                return  # reported once only
            if Kind.MESSAGE not in kinds:
                self._drop(chat.name, f"There is no {chat.name}.")
        self.say(reply)

    def welcome(self, welcome: events.Welcome) -> None:
        """Begin a session, initially or after reconnecting.

        Initially, open GLOBAL, or the list of unread chats if there are any. If the server was restored from a backup,
        forget all loaded messages: their numbers may mean other messages now.
        """
        if self.place is Place.SIGN_IN:
            self.own = ChatState("")  # the dialogue of the sign-in is no longer needed
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
        """Replace the list of the user's chats. Known chats keep their place in the list."""
        there = {GLOBAL_NAME, *(chat.chat for chat in chats.chats)}
        if len(chats.chats) < CHATS_MAX:  # a longer list may have been truncated
            for name in [name for name, chat in self.chats.items() if name not in there and not chat.is_private]:
                self._drop(name, f"You are no longer in {name}.")
        for told in chats.chats:
            chat = self.chats.of_id(told.chat, told.id)
            chat.unread = told.unread
            chat.last_at = max(chat.last_at, told.last_at or "")
            chat.last_seq, chat.read_seq = max(chat.last_seq, told.last_seq), max(chat.read_seq, told.read_seq)
            chat.place_notes(chat.last_seq)
        self.chat(GLOBAL_NAME)

    def list_users(self, users: events.Users) -> None:
        """Replace the names of users."""
        self.known.update(dict.fromkeys(map(clean, [*users.online, *users.offline])))

    def apply(self, event: events.Event, now: float) -> None:
        """Apply an event that answers no request."""
        match event:
            case events.Message():
                self._message(event, now)
            case events.Erased() if event.chat in self.chats:
                self.chats[event.chat].erase(event.id)
            case events.Presence():
                self._presence(event)
            case events.Added():
                self._added(event)
            case events.Removed():
                self._removed(event)
            case events.Read():
                self.chat(event.chat).read_to(event.seq)
            case events.Blocks() if event.names != self.blocked:
                self.blocked = event.names
                for chat in self.chats.values():  # other messages are visible now
                    chat.unload(keep_notes=True)
            case events.Bye():
                self.note(f"The server says goodbye: {event.reason}")

    def page(self, page: events.History, now: float, *, direction: int) -> None:
        """Add a page of a chat: its end (``direction`` 0), or older (-1) or newer (1) messages than the loaded part."""
        chat = self.chat(page.chat)
        chat.loaded, chat.loading, chat.stale = True, False, False
        if direction <= 0:
            chat.older = page.more
        if direction >= 0:
            chat.newer = page.more and direction > 0
        messages = page.messages
        if not chat.newer:
            messages, chat.early = [*messages, *chat.early], []
        for message in messages:
            chat.add_message(message, self.me, now)
        chat.last_seq = max(chat.last_seq, chat.end_seq)
        if not chat.newer:
            chat.place_notes(chat.last_seq)

    def page_around(self, name: str, earlier: events.History, later: events.History, now: float) -> None:
        """Replace the loaded part of a chat by the pages before and after a message."""
        chat = self.chat(name)
        chat.unload()
        self.page(earlier, now, direction=-1)
        self.page(later, now, direction=1)

    def sent(self, chat: ChatState, nonce: str, sent: events.Sent, now: float) -> None:
        """Replace a pending message by the confirmed one."""
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
        """Remove expired timed messages. Return when the next one ends, or None."""
        ends = [end for chat in self.chats.values() for end in chat.expire(now)]
        return min(ends, default=None)

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
        """Add a message at the end. An older part grows to a limit; later messages are loaded on demand."""
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
        change = len(presence.online) - len(presence.offline)
        self.online_count = max(self.online_count + change, len(self.online))

    def _added(self, added: events.Added) -> None:
        if added.name == self.me:
            self.chats.of_id(added.group, added.id)
        self.say(added, added.group)

    def _removed(self, removed: events.Removed) -> None:
        if removed.name != self.me:
            self.say(removed, removed.group)
        elif removed.group in self.chats:
            (why,) = _texts(removed)
            chat = self._drop(removed.group, why)
            (chat if chat in self.chats.gone else self.here).add_note(why)

    def _drop(self, name: str, why: str) -> ChatState:
        chat = self.chats.drop(name, why)
        if chat is self.open and self.place is not Place.CHAT and chat not in self.chats.gone:
            self.open = None
        return chat


def _texts(event: events.Event) -> list[str]:
    texts = [line.text.removeprefix(OWN_MARK) for line in _RENDERER.lines(event)]
    # Wrapping would break the columns of the manual.
    return [re.sub("  +", "   ", text) for text in texts] if isinstance(event, events.Help) else texts
