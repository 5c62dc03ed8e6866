"""Pages that are too long for a line because of marks. The store limits a page by its texts alone."""

from irchat.chat.state.directory import Directory
from irchat.interfaces.store import PageQuery
from irchat.interfaces.stored import Page, StoredMessage
from irchat.protocol.rules import line_bytes

# Maximum bytes of a mark on the wire without its text and the names, and of a name without its text.
_MARK_BYTES = 64
_NAME_BYTES = 3


def fitting(directory: Directory, query: PageQuery, page: Page) -> Page:
    """Return the part of ``page`` whose messages with their marks and mentions fit in the limit of ``query``.

    It has at least one message, and lacks those at the end at which the next page begins.
    """
    if not any(message.marks or message.to for message in page.messages):
        return page
    sizes = [_size(directory, message) + query.overhead for message in page.messages]
    room = query.page_bytes - sum(sizes) - len(page.deleted) * query.overhead
    if room >= 0:
        return page
    first, last = 0, len(sizes) - 1
    while room < 0 and first < last:
        if _drops_last(query, page, first, last):
            room += sizes[last]
            last -= 1
        else:
            room += sizes[first]
            first += 1
    messages = page.messages[first : last + 1]
    if query.after_rev is None:
        return page._replace(messages=messages, more=True)
    rev = messages[-1].rev
    deletions = [place for place in zip(page.deleted, page.deleted_revs, strict=True) if place[1] <= rev]
    deleted, revs = zip(*deletions, strict=True) if deletions else ((), ())
    return page._replace(messages=messages, more=True, rev=rev, deleted=deleted, deleted_revs=revs)


def _drops_last(query: PageQuery, page: Page, first: int, last: int) -> bool:
    """Return whether a page loses its last message before its first. ``around`` a message it loses the farther one."""
    if query.around is not None:
        return page.messages[last].seq - query.around >= query.around - page.messages[first].seq
    return query.unread or any(place is not None for place in (query.after, query.since, query.after_rev))


def _size(directory: Directory, message: StoredMessage) -> int:
    size = line_bytes(message.text) + _names_size(directory, message.to)
    for mark in message.marks:
        size += _MARK_BYTES + line_bytes(mark.mark) + _names_size(directory, mark.users)
    return size


def _names_size(directory: Directory, users: tuple[int, ...]) -> int:
    return sum(_NAME_BYTES + len(directory.users[user].name.encode()) for user in users)
