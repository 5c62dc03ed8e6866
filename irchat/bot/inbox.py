"""The messages of a bot: handed over, waiting, and still to be read from the server. It does no input or output.

A live message goes into a queue if nothing before it is missing. Otherwise, after a lost connection or while too much
waits, it is only noted that the chat goes further, and the messages are read from the history in pages.
"""

import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

# More messages than these wait in the server.
_WAITING_MOST = 500
_PAGE = 200

_Object = Mapping[str, Any]


@dataclass(frozen=True)
class Message:
    """A message: its ``chat`` (``GLOBAL``, ``*team`` or ``@bob``), sender, time (RFC 3339, UTC) and text.

    ``seq`` is its number in the chat. A timed message has None instead, and ``seconds``: how long it had left when it
    arrived. Keep its text out of files and logs.
    """

    chat: str
    sender: str
    at: str
    text: str = field(repr=False)
    seq: int | None
    seconds: float | None = None


@dataclass(frozen=True)
class Change:
    """A change of a message that was handed over before: its new ``text``, or that it is ``deleted``, or a ``mark``.

    ``on``: whether the mark was put there or taken off. ``rev`` numbers the changes of a chat. After the connection was
    lost, there is one change for each message that was edited or deleted meanwhile, with its present text; marks of
    that time are left out. ``by`` is empty if the server does not say who it was.
    """

    chat: str
    seq: int
    rev: int
    by: str
    text: str | None = field(default=None, repr=False)
    deleted: bool = False
    mark: str | None = None
    on: bool | None = None


@dataclass
class _Chat:
    """How far a chat was read. ``seq``, ``rev``: queued up to here. ``missed``, ``missed_rev``: known to go so far.

    ``handed``, ``handed_rev``: handed over up to here. ``reads_timed``: its live timed messages have to be read.
    ``skips_timed``: they were said before the first sign-in ever, and are not handed over.
    """

    id: str
    name: str
    seq: int = 0
    rev: int = 0
    handed: int = 0
    handed_rev: int = 0
    missed: int = 0
    missed_rev: int = 0
    reads_timed: bool = False
    skips_timed: bool = False


class _Waiting(NamedTuple):
    """A message or change that waits to be handed over. A timed message has an id, and the time of its end."""

    chat: _Chat
    heard: Message | Change
    timed: str = ""
    ends: float = math.inf


class Inbox:
    """The messages for a bot. ``timed``: with timed messages. ``changes``: with changes of messages.

    ``name`` is the account of the bot, whose own messages are left out.
    """

    def __init__(self, *, timed: bool = False) -> None:
        self.name = ""
        self.changes = False
        self._timed = timed
        self._epoch = ""
        self._chats: dict[str, _Chat] = {}
        self._by_name: dict[str, _Chat] = {}
        self._is_first = True
        self._ids_unknown = False
        self._waiting: deque[_Waiting] = deque()
        # The ends of the live timed messages that were handed over, and of those before the first sign-in, by their
        # ids. An earlier run has handed over the last ones, and their ends are not known until they are read again.
        self._handed_timed: dict[str, float] = {}
        self._skipped_timed: dict[str, float] = {}
        self._timed_before: set[str] = set()
        # The page that was requested, with the chat and how far it was known to go. None if it is out of date.
        self._asked: tuple[_Chat, int] | None = None

    # The state that is kept between two runs of a bot

    def state(self) -> dict[str, Any]:
        """Return what was handed over, as JSON. Of timed messages it has the ids, which are random, while they live."""
        chats = {chat.id: [chat.handed, chat.handed_rev] for chat in self._chats.values()}
        timed = sorted(self._timed_before | self._handed_timed.keys() | self._skipped_timed.keys())
        return {"name": self.name, "epoch": self._epoch, "chats": chats, "timed": timed}

    def go_on(self, state: _Object) -> None:
        """Go on where another run ended. Raises ValueError if ``state`` is not a `state`."""
        try:
            self.name, self._epoch = str(state["name"]), str(state["epoch"])
            for chat_id, (seq, rev) in state["chats"].items():
                self._chats[chat_id] = _Chat(chat_id, "", int(seq), int(rev), int(seq), int(rev))
            self._timed_before = {str(timed) for timed in state.get("timed", ())}
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"it lacks {error}") from None
        self._is_first = False

    # From the server

    def signed_in(self, name: str, epoch: str, chats: Sequence[_Object]) -> None:
        """Note a sign-in, with the chats of the account. On the first one ever, what was said before is left out."""
        self.name = name
        if self._epoch and self._epoch != epoch:
            self._go_back(chats)
        self._epoch = epoch
        skips_timed = self._is_first
        self._note_chats(chats)
        for chat in self._by_name.values():
            chat.reads_timed, chat.skips_timed = self._timed, skips_timed

    def disconnected(self) -> None:
        """Note that the connection is lost. Until `signed_in`, it is unknown what is missing."""
        self._by_name = {}
        self._asked = None

    def event(self, event: _Object, now: float) -> None:
        """Take an event that arrived at ``now`` (seconds)."""
        match event:
            case {"type": "message", "chat": str(name), "seq": int(seq)}:
                self._message(name, seq, event)
            case {"type": "message", "id": str(timed), "left_ms": int(left)} if self._timed:
                self._timed_message(timed, left / 1000, now, event)
            case {"type": "erased", "id": str(timed)}:
                self._waiting = deque(one for one in self._waiting if one.timed != timed)
                self._handed_timed.pop(timed, None)
                self._skipped_timed.pop(timed, None)
            case {"type": "amended", "chat": str(name), "rev": int(rev)} if name in self._by_name:
                self._amended(self._by_name[name], rev, event)
            case {"type": "added" | "removed", "name": name} if name == self.name:
                self._ids_unknown = True

    # To the bot

    def take(self, now: float) -> Message | Change | None:
        """Return the next message or change for the bot, and note it in the state."""
        for ends_of in self._handed_timed, self._skipped_timed:
            for ended in [timed for timed, ends in ends_of.items() if ends <= now]:
                del ends_of[ended]
        while self._waiting:
            chat, heard, timed, ends = self._waiting.popleft()
            if isinstance(heard, Change):
                chat.handed_rev = max(chat.handed_rev, heard.rev)
            elif heard.seq is not None:
                chat.handed = max(chat.handed, heard.seq)
            if ends > now:
                if timed:
                    self._handed_timed[timed] = ends
                return heard
        return None

    # Reading the history

    def request(self) -> dict[str, Any] | None:
        """Return the request to make while nothing waits, or None. Pass its reply to `answer`."""
        if self._ids_unknown:
            self._ids_unknown = False
            return {"type": "chats"}
        for chat in self._by_name.values():
            if self.changes and chat.rev < chat.missed_rev:
                self._asked = chat, chat.missed_rev
                return {"type": "history", "chat": chat.name, "after_rev": chat.rev, "limit": _PAGE}
        for chat in self._by_name.values():
            if chat.seq < chat.missed:
                self._asked = chat, chat.missed
                return {"type": "history", "chat": chat.name, "after": chat.seq, "limit": _PAGE}
        for chat in self._by_name.values():
            if chat.reads_timed:
                self._asked = chat, 0
                return {"type": "history", "chat": chat.name, "limit": 1}  # the timed ones come on top
        if self._by_name:
            self._timed_before.clear()  # those that were not read again have ended
        return None

    def answer(self, request: _Object, reply: _Object, now: float) -> None:
        """Take the reply to a `request`, or an empty one if it was refused: then the chat is gone.

        ``now``: when it arrived, in seconds.
        """
        if request["type"] == "chats":
            self._note_chats(reply.get("chats", ()))
        elif self._asked is not None:
            chat, upto = self._asked
            self._asked = None
            if "after_rev" in request:
                self._take_changes(chat, upto, reply)
            elif "after" in request:
                self._take_messages(chat, upto, reply)
            else:
                self._take_timed(chat, reply, now)

    def _take_messages(self, chat: _Chat, upto: int, page: _Object) -> None:
        for message in page.get("messages", ()):
            if isinstance(message.get("seq"), int) and message["seq"] > chat.seq:
                self._queue_message(chat, message)
        if not page.get("more"):
            chat.seq = max(chat.seq, upto)  # the last ones are deleted or hidden

    def _take_timed(self, chat: _Chat, page: _Object, now: float) -> None:
        chat.reads_timed = False
        for message in page.get("messages", ()):
            match message:
                case {"id": str(timed), "left_ms": int(left)}:
                    ends = now + left / 1000
                    if timed in self._timed_before:
                        self._handed_timed[timed] = ends
                    elif chat.skips_timed:
                        self._skipped_timed[timed] = ends
                    elif timed not in self._skipped_timed:
                        self._timed_message(timed, left / 1000, now, message)
        chat.skips_timed = False

    def _take_changes(self, chat: _Chat, upto: int, page: _Object) -> None:
        covered = int(page.get("rev", upto))
        for message in page.get("messages", ()):
            if "edited" in message:
                self._queue_change(chat, {**message, "by": message["from"]}, message.get("rev", covered))
        for seq in page.get("deleted", ()):
            self._queue_change(chat, {"seq": seq, "deleted": True}, covered)
        chat.rev = max(chat.rev, covered if page.get("more") else max(covered, upto))

    # Messages and changes

    def _message(self, name: str, seq: int, message: _Object) -> None:
        chat = self._by_name.get(name)
        if chat is None or seq <= chat.seq:
            self._ids_unknown = True  # a new chat, or another one of that name
        elif chat.seq < chat.missed or len(self._waiting) >= _WAITING_MOST:
            chat.missed = max(chat.missed, seq)
        else:
            chat.missed = seq
            self._queue_message(chat, message)

    def _timed_message(self, timed: str, seconds: float, now: float, message: _Object) -> None:
        is_known = timed in self._handed_timed or any(one.timed == timed for one in self._waiting)
        if message["from"] == self.name or is_known:
            return
        if len(self._waiting) >= _WAITING_MOST:
            self._ids_unknown = True  # it is read later, in a new chat too
            for chat in self._chats.values():
                chat.reads_timed |= chat.name == message["chat"]
        else:
            said = Message(message["chat"], message["from"], message["at"], message["text"], None, seconds)
            self._waiting.append(_Waiting(_Chat("", message["chat"]), said, timed, now + seconds))

    def _amended(self, chat: _Chat, rev: int, change: _Object) -> None:
        if not self.changes or chat.rev < chat.missed_rev or len(self._waiting) >= _WAITING_MOST:
            chat.missed_rev = max(chat.missed_rev, rev)
        elif rev > chat.rev:
            chat.rev = chat.missed_rev = rev
            self._queue_change(chat, change, rev)

    def _queue_message(self, chat: _Chat, message: _Object) -> None:
        chat.seq = message["seq"]
        if message["from"] != self.name:
            said = Message(message["chat"], message["from"], message["at"], message["text"], message["seq"])
            self._waiting.append(_Waiting(chat, said))

    def _queue_change(self, chat: _Chat, change: _Object, rev: int) -> None:
        by = change.get("by", "")
        if change["seq"] <= chat.seq and by != self.name:
            known = {name: change.get(name) for name in ("text", "mark", "on")}
            one = Change(chat.name, change["seq"], rev, by, deleted=bool(change.get("deleted")), **known)
            self._waiting.append(_Waiting(chat, one))

    # Chats

    def _note_chats(self, listed: Sequence[_Object]) -> None:
        """Note the chats by their ids, and how far they go. A chat that is new is read from its beginning."""
        self._by_name = {}
        for one in listed:
            last, rev = int(one["last_seq"]), int(one.get("rev", 0))
            chat = self._chats.get(one["id"])
            if chat is None:
                first = last if self._is_first else 0
                chat = self._chats[one["id"]] = _Chat(one["id"], one["chat"], first, rev, first, rev)
                chat.reads_timed = self._timed
            chat.name = one["chat"]
            chat.missed, chat.missed_rev = max(chat.missed, last), max(chat.missed_rev, rev)
            self._by_name[chat.name] = chat
        self._is_first = False

    def _go_back(self, listed: Sequence[_Object]) -> None:
        """Go back with a server whose database was replaced by a backup: it gives some numbers again."""
        self._waiting.clear()
        ends = {one["id"]: (int(one["last_seq"]), int(one.get("rev", 0))) for one in listed}
        for chat in self._chats.values():
            seq, rev = ends.get(chat.id, (0, 0))
            chat.seq = chat.handed = min(chat.handed, seq)
            chat.rev = chat.handed_rev = min(chat.handed_rev, rev)
            chat.missed, chat.missed_rev = seq, rev
