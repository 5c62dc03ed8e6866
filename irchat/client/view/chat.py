"""One chat as the client knows it: how far it is read, and that part of its messages that is loaded."""

from bisect import bisect_left, insort
from collections.abc import Iterable
from operator import attrgetter

from irchat import events
from irchat.client.view.items import AFTER_ALL, Item, Key, Kind
from irchat.client.view.wrap import without_direction
from irchat.rules import TIMED_MAX, visible

# Of a chat that is not open, or shows its end, so many of the latest items are kept.
KEPT_ITEMS = 1_000

_STORED, _TIMED, _NOTE, _PENDING = 0, 1, 2, 3
_KEY = attrgetter("key")


class Chat:
    """A chat named ``name`` as its reader sees it; ``group_id`` tells a new group from an older one of its name.

    ``loaded``: ``items`` hold an unbroken part of it; ``older`` and ``newer``: there is more before and after that
    part. ``line``: the unread line stands before the first message of others past this seq.
    """

    def __init__(self, name: str, chat_id: str = "") -> None:
        self.name = name
        self.id = chat_id
        self.unread = 0
        self.last_seq = 0
        self.read_seq = 0
        self.line: int | None = None
        self.items: list[Item] = []
        self.loaded = False
        self.loading = False
        self.stale = False
        self.older = False
        self.newer = False
        self.name_width = 0
        self._by_seq: dict[int, Item] = {}
        self._by_timed: dict[str, Item] = {}
        self._count = 0

    @property
    def is_private(self) -> bool:
        """Whether it is a chat of two."""
        return self.name.startswith("@")

    @property
    def at_end(self) -> bool:
        """Whether what comes next can be added to what is loaded."""
        return self.loaded and not self.newer

    @property
    def first_seq(self) -> int | None:
        """The number of the oldest loaded message."""
        return min(self._by_seq, default=None)

    @property
    def end_seq(self) -> int:
        """The number of the newest loaded message."""
        return max(self._by_seq, default=0)

    def has(self, seq: int) -> bool:
        """Whether the message of that number is loaded."""
        return seq in self._by_seq

    def index(self, key: Key) -> int:
        """Where an item with that key is, or would be."""
        return bisect_left(self.items, key, key=_KEY)

    def add_message(self, message: events.Message, me: str, now: float) -> bool:
        """Put a message in its place; False where it is there already."""
        if message.id is not None:
            return self._add_timed(message, me, now)
        if message.seq is None or message.seq in self._by_seq:
            return False
        item = self._item(message, me, (message.seq, _STORED, 0))
        self._by_seq[message.seq] = item
        self._insert(item)
        return True

    def add_pending(self, text: str, me: str, nonce: str, ends: float | None) -> None:
        """A message is being sent."""
        self._insert(
            Item(
                Kind.PENDING, self._key(AFTER_ALL, _PENDING), clean(text), me, chat=self.name, ends=ends, nonce=nonce,
                own=True,
            )
        )

    def add_note(self, text: str, *, error: bool = False) -> Item:
        """A line of the chat's own comes at the end."""
        item = Item(Kind.ERROR if error else Kind.NOTE, self._key(self.end_seq, _NOTE), clean(text))
        self._insert(item)
        return item

    def take_pending(self, nonce: str) -> Item | None:
        """The message that was being sent is so no more; gives it."""
        for item in self.items:
            if item.nonce == nonce:
                self.items.remove(item)
                return item
        return None

    def forget(self, gone: Iterable[Item]) -> None:
        """Take items out."""
        for item in gone:
            index = self.index(item.key)
            if index < len(self.items) and self.items[index] is item:
                del self.items[index]
            self._by_seq.pop(item.seq or 0, None)
            self._by_timed.pop(item.timed or "", None)

    def unload(self) -> None:
        """Forget all messages but those that are being sent."""
        self.items = [item for item in self.items if item.kind is Kind.PENDING]
        self._by_seq.clear()
        self._by_timed.clear()
        self.loaded = self.older = self.newer = self.stale = False

    def trim(self) -> None:
        """Forget the oldest of very many items."""
        if len(self.items) > KEPT_ITEMS:
            self.forget([item for item in self.items[:-KEPT_ITEMS] if item.kind is not Kind.PENDING])
            self.older = True

    def timed(self, timed_id: str) -> Item | None:
        """The timed message of that id."""
        return self._by_timed.get(timed_id)

    def anchor(self, at: str) -> int:
        """The number of the last loaded message that was said before ``at``."""
        for item in reversed(self.items):
            if item.seq is not None and item.at <= at:
                return item.seq
        return 0

    def _add_timed(self, message: events.Message, me: str, now: float) -> bool:
        assert message.id is not None
        ends = now + min(max(0, message.left_ms or 0), TIMED_MAX * 1_000) / 1_000
        if known := self._by_timed.get(message.id):
            known.ends = min(ends, known.ends if known.ends is not None else ends)
            return False
        item = self._item(message, me, self._key(self.anchor(message.at), _TIMED))
        item.timed, item.ends = message.id, ends
        self._by_timed[message.id] = item
        self._insert(item)
        return True

    def _item(self, message: events.Message, me: str, key: Key) -> Item:
        sender = clean(message.sender)
        own = message.sender == me
        return Item(
            Kind.MESSAGE, key, clean(message.text), sender, message.at, self.name, seq=message.seq, own=own
        )

    def _insert(self, item: Item) -> None:
        self.name_width = max(self.name_width, len(item.sender))
        insort(self.items, item, key=_KEY)

    def _key(self, anchor: float, kind: int) -> Key:
        self._count += 1
        return (anchor, kind, self._count)


def clean(text: str) -> str:
    """``text`` with nothing in it that a terminal obeys."""
    return without_direction(visible(text))
