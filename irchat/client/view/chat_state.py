"""One chat as the client knows it: its read state and the loaded part of its messages."""

from bisect import bisect_left, insort
from collections.abc import Iterable
from operator import attrgetter

from irchat.client.view import present_state
from irchat.client.view.chat_details import Pins, Roster
from irchat.client.view.items import AFTER_ALL, Item, Key, Kind, calls, clean
from irchat.protocol import events
from irchat.protocol.rules import GLOBAL_NAME, seconds_left
from irchat.text.cells import cells
from irchat.text.names import name_key

# Maximum items of a chat that is closed or shows its end.
KEPT_ITEMS = 1_000
# Maximum items of a chat that shows an older part. Later messages are loaded on demand.
ITEMS_MAX = 5_000

_STORED, _OTHER = 0, 1
_KEY = attrgetter("key")
# Maximum answered messages that are kept beside the loaded ones.
_QUOTES_KEPT = 500
# Maximum own messages of which the typed line is kept, to forget it with the message.
_TYPED_KEPT = 1_000


class ChatState:
    """A chat named ``name``; ``id`` distinguishes a new group from an older one with the same name.

    ``items`` holds a contiguous part of the chat if it is ``loaded``; ``older`` and ``newer``: there is more before and
    after that part. ``early`` holds the messages that arrived while a page was being loaded. ``stale``: messages were
    missed while the connection was lost.

    ``line``: the line "unread" is drawn before the first message of others after this seq. ``marked``: the seq of the
    message that a search led to. ``gone``: why nothing can be sent to the chat, empty while it can. ``has_draft``:
    there is unsent text for it.

    ``rev``: all changes up to this one are applied to the loaded messages, None without messages. ``last_rev``: the
    last change known from any event. ``is_counted``: the list of chats came since the connection was
    lost, so ``last_rev`` is up to date. ``early_changes`` holds the changes that arrived while a page was being loaded:
    the page may be older. ``mentions``: how many unread messages mention the user. ``alert``: the setting of that name.
    ``typed``: the lines that sent the user's own messages, by seq. ``quotes``: messages that others answer, None if
    there is no such message; ``quoting``: some are being loaded. ``roster``: the members, if it is a group.
    """

    def __init__(self, name: str) -> None:
        self.spell(name)
        self.id = ""
        self.unread = 0
        self.last_seq = 0
        self.read_seq = 0
        self.last_at = ""
        self.line: int | None = None
        self.items: list[Item] = []
        self.loaded = False
        self.loading = False
        self.quoting = False
        self.stale = False
        self.older = False
        self.newer = False
        self.marked: int | None = None
        self.gone = ""
        self.has_draft = False
        self.name_width = 0
        self.early: list[events.Message] = []
        self.rev: int | None = None
        self.last_rev = 0
        self.is_counted = False
        self.early_changes: list[events.Amended] = []
        self.mentions = 0
        self.alert = ""
        self.typed: dict[int, set[str]] = {}
        self.quotes: dict[int, Item | None] = {}
        self.forget_details()
        self._deleted: set[int] = set()
        self._unread_timed: dict[str, float] = {}
        self._by_seq: dict[int, Item] = {}
        self._by_timed: dict[str, Item] = {}
        self._count = 0

    def spell(self, name: str) -> None:
        """Change the spelling of the name."""
        self.name = name
        self.order = (name != GLOBAL_NAME, not name.startswith("*"), name_key(name), name)

    @property
    def is_private(self) -> bool:
        """Whether this is a chat between two users."""
        return self.name.startswith("@")

    @property
    def is_group(self) -> bool:
        """Whether this is a chat of some users."""
        return self.name.startswith("*")

    @property
    def is_muted(self) -> bool:
        """Whether the user wants no alert from this chat. It does not count in totals either."""
        return self.alert == "none"

    @property
    def unread_label(self) -> str:
        """The numbers of unread messages and of those that mention the user: ``5 @2``. Empty if nothing is unread."""
        counts = (f"{self.unread:,}" if self.unread else "", f"@{self.mentions:,}" if self.mentions else "")
        return " ".join(filter(None, counts))

    @property
    def is_listed(self) -> bool:
        """Whether the user's other clients list the chat too: it is on the server or has messages."""
        return bool(self.id or self.last_at or self.name == GLOBAL_NAME)

    @property
    def is_missing(self) -> bool:
        """Whether the server has no such chat and nothing is typed for it."""
        return bool(self.gone) and not self.id and not self._by_seq and not self.has_draft

    @property
    def at_end(self) -> bool:
        """Whether the loaded part reaches the end of the chat, so that new messages can be added."""
        return self.loaded and not self.newer and not self.stale

    @property
    def first_seq(self) -> int | None:
        """The seq of the oldest loaded message."""
        return min(self._by_seq, default=None)

    @property
    def end_seq(self) -> int:
        """The seq of the newest loaded message, or 0."""
        return max(self._by_seq, default=0)

    def has(self, seq: int) -> bool:
        """Return whether the message with that seq is loaded."""
        return seq in self._by_seq

    def was_deleted(self, seq: int | None) -> bool:
        """Return whether the message with that seq is known to be deleted."""
        return seq in self._deleted

    def stored(self, seq: int) -> Item | None:
        """Return the stored message with that seq, if it is loaded, also only as a quote."""
        return self._by_seq.get(seq) or self.quotes.get(seq)

    def add_message(self, message: events.Message, me: str, now: float) -> None:
        """Insert a message in order, unless it was deleted. If it is present already, replace an earlier state."""
        if message.id is not None:
            self._add_timed(message, message.id, me, now)
        elif message.seq in self._by_seq:
            present_state.set_state(self._by_seq[message.seq], message)
        elif message.seq is not None and message.seq not in self._deleted:
            self._by_seq[message.seq] = self._insert(message_item(message, me, (message.seq, _STORED, 0)))

    def amend(self, amended: events.Amended, me: str) -> None:
        """Apply a change. It is kept for a page that is being loaded, and moves ``rev`` if no earlier one is missed."""
        self.last_rev = max(self.last_rev, amended.rev)
        self.pins.amend(amended, me)
        if self.loading or self.quoting:
            self.early_changes.append(amended)
        self._amend(amended, me)

    def _amend(self, amended: events.Amended, me: str) -> None:
        if self.rev is not None and not self.stale:
            self.rev = max(self.rev, amended.rev)
        if amended.deleted:
            self.delete(amended.seq)
            return
        for item in (self._by_seq.get(amended.seq), self.quotes.get(amended.seq)):
            if item is not None:
                present_state.amend(item, amended, me)

    def delete(self, seq: int) -> None:
        """Remove a deleted message, and keep pages from bringing it back."""
        self._deleted.add(seq)
        if (item := self._by_seq.get(seq)) is not None:
            self.forget([item])
        if seq in self.quotes:
            self.quotes[seq] = None

    def apply_early(self, me: str) -> None:
        """Apply the changes that arrived while a page was being loaded. They are kept for another one."""
        for amended in self.early_changes:
            self._amend(amended, me)
        if not self.loading and not self.quoting:
            self.early_changes.clear()

    def quote(self, message: events.Message, me: str) -> None:
        """Keep a message that another one answers."""
        if message.seq is not None and message.seq not in self._deleted:
            if len(self.quotes) >= _QUOTES_KEPT:
                self.quotes.clear()
            self.quotes[message.seq] = message_item(message, me, (message.seq, _STORED, 0))

    def keep_typed(self, seq: int, line: str) -> None:
        """Keep a line that sent or edited a message."""
        self.typed.setdefault(seq, set()).add(line)
        if len(self.typed) > _TYPED_KEPT:
            del self.typed[next(iter(self.typed))]

    def add_pending(self, text: str, me: str, nonce: str, ends: float | None) -> None:
        """Add a message that is being sent, until `take_pending` removes it."""
        self._insert(
            Item(Kind.PENDING, self._key(AFTER_ALL), clean(text), me, chat=self.name, ends=ends, nonce=nonce, own=True)
        )

    def add_note(self, text: str, *, error: bool = False, after: float | None = None) -> Item:
        """Add a line of the client's own after the message ``after``, or after all so far, loaded or not.

        While the last seq is unknown, the note stays at the end; see `place_notes`.
        """
        kind = Kind.ERROR if error else Kind.NOTE
        anchor = after if after is not None else max(self.end_seq, self.last_seq) or AFTER_ALL
        if len(self.items) >= ITEMS_MAX:
            self.forget([item for item in self.items if item.kind in (Kind.NOTE, Kind.ERROR)][:1])
        return self._insert(Item(kind, self._key(anchor), clean(text)))

    def place_notes(self, seq: int) -> None:
        """Place the notes at the end after message ``seq``, the last one sent before them."""
        for item in self.items:
            if item.key[0] == AFTER_ALL and not item.is_talk:
                item.key = (seq, *item.key[1:])
        self.items.sort(key=_KEY)

    def take_pending(self, nonce: str) -> Item | None:
        """Remove and return the message being sent with that nonce, or return None."""
        pending = next((item for item in self.items if item.nonce == nonce), None)
        if pending is not None:
            self.items.remove(pending)
        return pending

    def is_pending(self, nonce: str) -> bool:
        """Return whether a message is still being sent."""
        return any(item.nonce == nonce for item in self.items)

    def forget(self, gone: Iterable[Item]) -> None:
        """Remove items."""
        for item in gone:
            index = bisect_left(self.items, item.key, key=_KEY)
            if index < len(self.items) and self.items[index] is item:
                del self.items[index]
            self._by_seq.pop(item.seq or 0, None)
            self._by_timed.pop(item.timed or "", None)

    def unload(self, *, keep_notes: bool = False) -> None:
        """Remove all messages except those being sent. ``keep_notes`` keeps the client's own lines too."""
        gone = (Kind.MESSAGE,) if keep_notes else (Kind.MESSAGE, Kind.NOTE, Kind.ERROR)
        self.items = [item for item in self.items if item.kind not in gone]
        self._by_seq.clear()
        self._by_timed.clear()
        self.quotes.clear()
        self.rev = None
        self.loaded = self.older = self.newer = self.stale = False

    def forget_details(self) -> None:
        """Forget the members and the pinned messages, and ignore replies that are on their way."""
        self.roster, self.pins = Roster(), Pins()

    def reset(self) -> None:
        """Forget everything from the server. Text that the user has typed for the chat stays."""
        self.unload()
        self.unread = self.last_seq = self.read_seq = 0
        self.id = self.last_at = ""
        self.line = self.marked = None
        self.stale = self.loading = False
        self.early.clear()
        self.early_changes.clear()
        self.typed.clear()
        self._deleted.clear()
        self.last_rev = self.mentions = 0
        self.forget_details()
        self._unread_timed.clear()

    def trim(self) -> None:
        """Remove the oldest items if there are more than `KEPT_ITEMS`."""
        if len(self.items) > KEPT_ITEMS:
            self.forget([item for item in self.items[:-KEPT_ITEMS] if item.kind is not Kind.PENDING])
            self.older = True

    def count_unread(self, message: events.Message, now: float) -> None:
        """Count a message of another user as unread."""
        if message.id is None:
            self.unread += 1
        elif message.id not in self._unread_timed and message.id not in self._by_timed:
            self.unread += 1
            self._unread_timed[message.id] = now + seconds_left(message.left_ms)

    def all_read(self) -> None:
        """Count the whole chat as read."""
        self.unread = self.mentions = 0
        self.read_seq = max(self.read_seq, self.last_seq)
        self._unread_timed.clear()

    @property
    def first_unread(self) -> Item | None:
        """The message below the line "unread", or None."""
        if (line := self.line) is None:
            return None
        return next((item for item in self.items if item.seq is not None and item.seq > line and not item.own), None)

    def read_part(self, seq: int) -> bool:
        """Count the loaded messages up to ``seq`` as read. Return False if they were before."""
        if seq <= self.read_seq or not self.unread:
            return False
        read = [item for item in self.items if item.seq is not None and self.read_seq < item.seq <= seq]
        self.unread = max(0, self.unread - sum(not item.own for item in read))
        self.mentions = max(0, self.mentions - sum(item.calls for item in read))
        self.read_seq = seq
        return True

    def read_to(self, seq: int) -> bool:
        """Record that another session has read the chat up to ``seq``.

        Return False if only the server knows how many messages remain unread.
        """
        self.read_seq = max(self.read_seq, seq)
        if self.read_seq >= self.last_seq:
            self.all_read()
            return True
        first = self.first_seq
        if not self.at_end or self.loading or (self.older and (first is None or first > self.read_seq + 1)):
            return False
        if any(item.timed is not None and not item.own for item in self.items):
            return False  # only the server knows which of them were read
        stored = [item for item in self.items if (item.seq or 0) > self.read_seq and not item.own]
        self.unread = len(stored) + len(self._unread_timed)
        return True

    def expire(self, now: float) -> list[float]:
        """Remove expired timed messages. Return the ends of the others."""
        self.forget([item for item in self.items if item.ends is not None and item.ends <= now])
        for timed_id in [timed_id for timed_id, ends in self._unread_timed.items() if ends <= now]:
            self._unread_one_less(timed_id)
        self.early = [message for message in self.early if message.id is None]
        return [*(item.ends for item in self.items if item.ends is not None), *self._unread_timed.values()]

    def erase(self, timed_id: str) -> None:
        """Remove a timed message."""
        self._unread_one_less(timed_id)
        self.early = [message for message in self.early if message.id != timed_id]
        if item := self._by_timed.get(timed_id):
            self.forget([item])

    def timed(self, timed_id: str) -> Item | None:
        """Return the timed message with that id, or None."""
        return self._by_timed.get(timed_id)

    def _unread_one_less(self, timed_id: str) -> None:
        if self._unread_timed.pop(timed_id, None) is not None:
            self.unread = max(0, self.unread - 1)

    def _add_timed(self, message: events.Message, timed_id: str, me: str, now: float) -> None:
        """Insert a timed message after the last loaded message that was sent before it."""
        ends = now + seconds_left(message.left_ms)
        if known := self._by_timed.get(timed_id):
            known.ends = min(ends, known.ends if known.ends is not None else ends)
        else:
            before = (item.seq for item in reversed(self.items) if item.seq is not None and item.at <= message.at)
            item = message_item(message, me, self._key(next(before, 0)))
            item.timed, item.ends = timed_id, ends
            self._by_timed[timed_id] = self._insert(item)

    def _insert(self, item: Item) -> Item:
        self.name_width = max(self.name_width, cells(item.sender))
        insort(self.items, item, key=_KEY)
        return item

    def _key(self, anchor: float) -> Key:
        self._count += 1
        return (anchor, _OTHER, self._count)


def message_item(message: events.Message, me: str, key: Key) -> Item:
    """Return an item with the sort key ``key`` for a message, as the user ``me`` sees it."""
    text, sender, own = clean(message.text), clean(message.sender), message.sender == me
    item = Item(Kind.MESSAGE, key, text, sender, message.at, message.chat, seq=message.seq, own=own)
    item.rev, item.edited, item.marks = message.rev or 0, message.edited, list(message.marks or ())
    item.calls = calls(message, me)
    return item
