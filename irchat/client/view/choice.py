"""The message that the user has chosen in the pane, and the list of its links."""

from collections.abc import Sequence

from irchat.client.view.items import Item, Key
from irchat.client.view.listing import Cursor
from irchat.client.view.pane import Pane
from irchat.text.links import Link, find_links


class Choice:
    """The chosen message of the open chat. Only stored messages can be chosen: the others have no number.

    ``key`` is its key, None while no message is being chosen. ``links`` is the list of its links while that is open.
    """

    def __init__(self) -> None:
        self.key: Key | None = None
        self.links: list[Link] | None = None
        self.cursor: Cursor[Link] = Cursor()
        self._followed = False

    @property
    def is_on(self) -> bool:
        """Whether a message is being chosen."""
        return self.key is not None

    def begin(self, items: Sequence[Item], pane: Pane) -> bool:
        """Choose the lowest visible message. Return False if there is none."""
        self._followed = pane.follows
        return self.choose_lowest(items, pane)

    def choose_lowest(self, items: Sequence[Item], pane: Pane) -> bool:
        """Choose the lowest visible message. Return False if there is none."""
        there = [item for item in items if item.seq is not None]
        above = [item for item in there if pane.lowest is None or item.key <= pane.lowest[0]]
        self.key = (above or there)[-1 if above else 0].key if there else None
        return self.is_on

    def item(self, items: Sequence[Item]) -> Item | None:
        """Return the chosen message. If it was deleted, the one before it is chosen, or the one after it."""
        if self.key is None:
            return None
        there = [item for item in items if item.seq is not None]
        before = [item for item in there if item.key <= self.key]
        return (before or there)[-1 if before else 0] if there else None

    def move(self, items: Sequence[Item], step: int) -> bool:
        """Choose the message before (-1) or after (1). Return False if there is none."""
        there = [item for item in items if item.seq is not None]
        chosen = self.item(items)
        if chosen is None:
            return False
        index = there.index(chosen) + step
        self.key = there[max(0, min(index, len(there) - 1))].key
        return 0 <= index < len(there)

    def end(self, pane: Pane) -> None:
        """Choose no message. A pane that was at its end returns there."""
        if self.is_on and self._followed:
            pane.to_end()
        self.forget()

    def forget(self) -> None:
        """Choose no message, because the pane shows something else."""
        self.key = self.links = None

    def lost(self, seq: int, items: Sequence[Item]) -> bool:
        """If the deleted message with that seq was chosen, choose another of ``items``. Return whether it was."""
        if self.key is None or self.key[0] != seq:
            return False
        other, self.links = self.item(items), None
        self.key = None if other is None else other.key
        return True

    def list_links(self, items: Sequence[Item]) -> bool:
        """Open the list of the links of the chosen message. Return False if it has none."""
        chosen = self.item(items)
        links = [] if chosen is None else find_links(chosen.text)
        self.links = links or None
        self.cursor = Cursor()
        return bool(links)
