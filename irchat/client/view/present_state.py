"""Changes of loaded messages: their present state, and edits and marks one by one."""

from irchat.client.view.items import Item, clean
from irchat.protocol import events
from irchat.protocol.errors import Refusal
from irchat.protocol.marks import NAMES_OF_MARK, clean_mark
from irchat.text.excerpts import find


def set_state(item: Item, message: events.Message) -> None:
    """Replace the state of a message by the one on a page, unless that is older."""
    if (message.rev or 0) >= item.rev:
        _set_text(item, message.text)
        item.rev, item.edited = message.rev or 0, message.edited
        item.marks = list(message.marks or ())


def amend(item: Item, amended: events.Amended, me: str) -> None:
    """Apply an edit, a mark or a present state to a message, unless the message has it already."""
    if amended.rev <= item.rev or amended.deleted:
        return
    item.rev = amended.rev
    if amended.text is not None:
        _set_text(item, amended.text)
        item.edited = amended.edited or item.edited
    if amended.mark is not None:
        item.marks = _marked(item.marks, amended.mark, amended.by, me, on=amended.on is not False)
    elif amended.marks is not None or not amended.by:  # a present state
        item.marks = list(amended.marks or ())


def _set_text(item: Item, text: str) -> None:
    text = clean(text)
    if text != item.text:
        item.text = text
        item.hit = None if item.hit is None else find(text, "")


def _marked(marks: list[events.Mark], mark: str, by: str, me: str, *, on: bool) -> list[events.Mark]:
    """Return ``marks`` after ``by`` put a mark on the message or took it off."""
    key = _key(mark)
    known = next((other for other in marks if _key(other.mark) == key), None)
    if known is None:
        return [*marks, events.Mark(mark, 1, [by], by == me)] if on else marks
    has_it = by in known.names or (by == me and known.mine)
    if on and has_it:
        return marks
    names = [name for name in known.names if name != by] + ([by] if on else [])
    count = known.count + (1 if on else -1)
    changed = events.Mark(known.mark, count, names[:NAMES_OF_MARK], on if by == me else known.mine)
    return [changed if other is known else other for other in marks if other is not known or count > 0]


def _key(mark: str) -> str:
    try:
        return clean_mark(mark)[1]
    except Refusal:  # a newer server may allow other marks
        return mark
