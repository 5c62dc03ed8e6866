"""The complete state of the screen, and its changes by events."""

import re
from collections.abc import Callable

from irchat.client.view import present_state
from irchat.client.view.chat_state import ITEMS_MAX, ChatState
from irchat.client.view.items import Item, Kind, calls, clean
from irchat.client.view.navigation import Navigation, Place
from irchat.protocol import events, requests
from irchat.protocol.errors import Code
from irchat.protocol.rules import CHATS_MAX, FEATURES, GLOBAL_NAME
from irchat.rendering.lines import OWN_MARK, Renderer

_RENDERER = Renderer(colour=False)
_NOT_FOUND = frozenset({Code.NO_SUCH_USER, Code.NO_SUCH_GROUP, Code.NO_SUCH_CHAT})


class ScreenState(Navigation):
    """Everything that the screen shows.

    ``server`` is the address of the server. ``link`` is the state of the connection, empty while it is up. ``waits`` is
    the text about changes to be shown once nothing is being typed. ``features`` are those of the server. ``on_deleted``
    is called with the chat and the seq of each deleted message. ``wanted`` has, by chat, the seq of a message that was
    to be drawn above its answer or in the status line, and that is not loaded.
    """

    def __init__(self, server: str) -> None:
        super().__init__()
        self.server = server
        self.link = "connecting"
        self.epoch = ""
        self.features = frozenset(FEATURES)
        self.wanted: dict[ChatState, int] = {}
        self.on_deleted: Callable[[ChatState, int], object] = lambda chat, seq: None
        self.waits = ""
        self.online: dict[str, None] = {}
        self.online_count = 0
        self.blocked: list[str] = []

    def say(self, reply: events.Event, name: str | None = None, *, asked: requests.Request | None = None) -> None:
        """Show a reply to ``asked``, or another event, in the current chat, or in the chat ``name``."""
        if isinstance(reply, events.Error):
            self.complain(reply.text + (f"\nusage: {reply.usage}" if reply.usage else ""))
        else:
            for text in _texts(reply, asked):
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
            self._reset()
        self.epoch = welcome.epoch
        self.features = frozenset(welcome.features)
        self.me = welcome.name
        self.online = dict.fromkeys(map(clean, welcome.online))
        self.online_count = welcome.online_count
        self.known.update(self.online)
        for chat in self.chats.values():
            chat.unread = 0
            chat.stale = chat.loaded
            chat.loading = chat.quoting = chat.is_counted = False
            chat.mentions = 0
            chat.early.clear()
            chat.early_changes.clear()
            chat.quotes.clear()
            chat.forget_details()
        for unread in welcome.unread:
            chat = self.chats.of_id(unread.chat, unread.id)
            chat.unread, chat.last_seq = unread.unread, unread.last_seq
            chat.mentions, chat.alert = unread.mentions, unread.alert

    def list_chats(self, chats: events.Chats) -> None:
        """Replace the list of the user's chats. Known chats keep their place in the list."""
        there = {GLOBAL_NAME, *(chat.chat for chat in chats.chats)}
        if len(chats.chats) < CHATS_MAX:  # a longer list may have been truncated
            for name in [name for name, chat in self.chats.items() if name not in there and not chat.is_private]:
                self._drop(name, f"You are no longer in {name}.")
        for told in chats.chats:
            chat = self.chats.of_id(told.chat, told.id)
            chat.unread, chat.mentions, chat.alert = told.unread, told.mentions, told.alert
            chat.last_rev, chat.is_counted = max(chat.last_rev, told.rev), True
            chat.last_at = max(chat.last_at, told.last_at or "")
            chat.last_seq, chat.read_seq = max(chat.last_seq, told.last_seq), max(chat.read_seq, told.read_seq)
            chat.place_notes(chat.last_seq)
        self.chat(GLOBAL_NAME)

    def list_members(self, group: events.Group) -> None:
        """Replace the members of a group of the user."""
        self.chats.of_id(group.group, group.id).roster.load(group)

    def list_users(self, users: events.Users) -> None:
        """Replace the names of users."""
        self.known.update(dict.fromkeys(map(clean, [*users.online, *users.offline])))

    def apply(self, event: events.Event, now: float) -> None:
        """Apply an event that answers no request."""
        match event:
            case events.Message():
                self._message(event, now)
            case events.Alert():
                self.chat(event.chat).alert = event.alert
            case events.Erased() if event.chat in self.chats:
                self.chats[event.chat].erase(event.id)
                self._forget_about(event.chat, event.id)
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
                    chat.forget_details()
            case events.Bye():
                self.note(f"The server says goodbye: {event.reason}")

    def page(self, page: events.History, now: float, *, direction: int) -> None:
        """Add a page of a chat: its end (``direction`` 0), or older (-1) or newer (1) messages than the loaded part."""
        chat = self.chat(page.chat)
        chat.loaded, chat.loading, chat.stale = True, False, False
        if chat.rev is None:
            chat.rev = page.rev
        chat.last_rev = max(chat.last_rev, page.rev)
        if direction <= 0:
            chat.older = page.more
        if direction >= 0:
            chat.newer = page.more and direction > 0
        messages = page.messages
        if not chat.newer:
            messages, chat.early = [*messages, *chat.early], []
        for message in messages:
            chat.add_message(message, self.me, now)
        chat.apply_early(self.me)
        chat.last_seq = max(chat.last_seq, chat.end_seq)
        if not chat.newer:
            chat.place_notes(chat.last_seq)

    def page_since(self, page: events.History, now: float) -> None:
        """Replace the loaded part of a chat by a page from some time on."""
        chat = self.chat(page.chat)
        chat.unload()
        self.page(page, now, direction=1)
        chat.older = bool(page.messages)

    def quoted(self, chat: ChatState, seq: int) -> Item | None:
        """Return a message to be shown outside its place. If it is not loaded, it becomes ``wanted``."""
        item = chat.stored(seq)
        if item is None and seq not in chat.quotes and not chat.was_deleted(seq):
            self.wanted[chat] = seq
        return item

    def page_of_quotes(self, chat: ChatState, seq: int, page: events.History | None) -> None:
        """Keep the messages around the wanted one. Without a page, or if it is not there, it cannot be had."""
        chat.quoting = False
        for message in page.messages if page is not None else ():
            chat.quote(message, self.me)
        chat.quotes.setdefault(seq, None)
        chat.apply_early(self.me)

    def page_of_changes(self, page: events.History, now: float) -> None:
        """Apply the changes that were missed while the connection was lost."""
        chat = self.chat(page.chat)
        for seq in page.deleted:
            self._delete(chat, seq)
        for message in page.messages:
            if message.seq is not None and chat.has(message.seq):
                chat.add_message(message, self.me, now)
        chat.rev = max(chat.rev or 0, page.rev)
        chat.apply_early(self.me)

    def amend(self, amended: events.Amended) -> bool:
        """Apply a change. Return False if only the server knows how many messages remain unread."""
        chat = self.chats.get(amended.chat)
        if chat is None:
            return True
        for item in self.found:
            if (item.chat, item.seq) == (amended.chat, amended.seq):
                present_state.amend(item, amended, self.me)
        if not amended.deleted:
            chat.amend(amended, self.me)
            if amended.text is not None:
                self._forget_about(chat.name, amended.seq)
            return True
        known, knew = chat.stored(amended.seq), chat.was_deleted(amended.seq)
        chat.amend(amended, self.me)
        self._delete(chat, amended.seq)
        if not chat.unread or amended.seq <= chat.read_seq or knew:
            return True
        if known is not None and not known.own:
            chat.unread -= 1
            chat.mentions = max(0, chat.mentions - known.calls)
        return known is not None

    def _delete(self, chat: ChatState, seq: int) -> None:
        """Remove a message from everywhere."""
        chat.delete(seq)
        self.found = [item for item in self.found if (item.chat, item.seq) != (chat.name, seq)]
        self._forget_about(chat.name, seq)
        self.on_deleted(chat, seq)
        chat.typed.pop(seq, None)

    def _forget_about(self, name: str, message: int | str) -> None:
        """Remove the client's own lines that show a message."""
        for chat in [self.own, *self.chats.values(), *self.chats.gone]:
            chat.forget([item for item in chat.items if item.about == (name, message)])

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

    def _reset(self) -> None:
        for chat in [*self.chats.values(), *self.chats.gone]:
            chat.reset()
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
            chat.mentions += calls(message, self.me)
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
        self.chat(added.group).roster.apply(added)
        self.say(added, added.group)

    def _removed(self, removed: events.Removed) -> None:
        if removed.name != self.me:
            self.chat(removed.group).roster.apply(removed)
            self.say(removed, removed.group)
        elif removed.group in self.chats:
            (why,) = _texts(removed)
            chat = self._drop(removed.group, why)
            (chat if chat in self.chats.gone else self.here).add_note(why)

    def _drop(self, name: str, why: str) -> ChatState:
        chat = self.chats.drop(name, why)
        if chat is self.open and chat not in self.chats.gone:
            self.open = None
        return chat


def _texts(event: events.Event, asked: requests.Request | None = None) -> list[str]:
    texts = [line.text.removeprefix(OWN_MARK) for line in _RENDERER.lines(event, asked)]
    # Wrapping would break the columns of the manual.
    return [re.sub("  +", "   ", text) for text in texts] if isinstance(event, events.Help) else texts
