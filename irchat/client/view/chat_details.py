"""The details of a chat that its messages do not show: the members of a group, and the pinned messages.

Each is unknown until the reply to one request is loaded (``is_known``). Events keep it up to date. Those that arrive
between the request (``is_asked``) and the reply are applied after the reply, which may be older.
"""

from collections.abc import Iterable

from irchat.client.view import present_state
from irchat.client.view.items import Item, Kind, clean
from irchat.protocol import events
from irchat.text.cells import cells

PIN = "pin"
"""The mark that pins a message."""

_MORE = ", …"


class Roster:
    """The names of a group's members, in the order in which they joined, and of its owner."""

    def __init__(self) -> None:
        self.names: dict[str, None] = {}
        self.owner = ""
        self.is_asked = self.is_known = False
        self._early: list[events.Added | events.Removed] = []

    def load(self, group: events.Group) -> None:
        """Replace the members by those in a reply."""
        self.names, self.owner = dict.fromkeys(map(clean, group.members)), clean(group.owner)
        self.is_asked = self.is_known = True
        early, self._early = self._early, []
        for event in early:
            self.apply(event)

    def apply(self, event: events.Added | events.Removed) -> None:
        """Apply an event, if the members are known or requested."""
        if not self.is_known:
            if self.is_asked:
                self._early.append(event)
            return
        if isinstance(event, events.Added):
            self.names[clean(event.name)] = None
        else:
            self.names.pop(clean(event.name), None)
        self.owner = clean(event.owner)

    def line(self, width: int) -> str:
        """Return the number of members, the owner, and as many others as fit: ``3 members: alice (owner), bob, …``."""
        line = f"{len(self.names):,} member{'s' * (len(self.names) != 1)}: {self.owner} (owner)"
        others = [name for name in self.names if name != self.owner]
        for number, name in enumerate(others, 1):
            longer = f"{line}, {name}"
            if cells(longer) > (width if number == len(others) else width - cells(_MORE)):
                return line + _MORE
            line = longer
        return line


class Pins:
    """The messages of a chat with the mark ``pin``. Very many are not all counted."""

    def __init__(self) -> None:
        self.is_asked = self.is_known = False
        self._more = False
        self._items: dict[int, Item] = {}
        self._early: list[events.Amended] = []

    def __str__(self) -> str:
        """Return the number of pins as it is shown, such as ``pin 3``. It is empty without pins."""
        return f"{PIN} {len(self._items):,}{'+' * self._more}" if self._items else ""

    def load(self, found: events.Found, me: str) -> None:
        """Replace the pins by those that a search found."""
        self._items = {
            message.seq: _item(message.seq, message.rev or 0, message.marks or ())
            for message in found.messages
            if message.seq is not None
        }
        self._more = found.more
        self.is_asked = self.is_known = True
        early, self._early = self._early, []
        for amended in early:
            self.amend(amended, me)

    def amend(self, amended: events.Amended, me: str) -> None:
        """Apply a change of a message, if the pins are known or requested. ``me`` is the user's name."""
        if not self.is_known:
            if self.is_asked:
                self._early.append(amended)
            return
        seq = amended.seq
        item = self._items.pop(seq, None) or _item(seq)
        present_state.amend(item, amended, me)
        if not amended.deleted and any(mark.mark.casefold() == PIN for mark in item.marks):
            self._items[seq] = item


def _item(seq: int, rev: int = 0, marks: Iterable[events.Mark] = ()) -> Item:
    """Return an item with the marks of a message and without its text."""
    return Item(Kind.MESSAGE, (seq, 0, 0), "", rev=rev, marks=list(marks))
