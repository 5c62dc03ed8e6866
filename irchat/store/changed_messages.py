"""Changed messages as a reader sees them, and pages of changes, for all stores."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import islice

from irchat.interfaces.store import PageQuery
from irchat.interfaces.stored import Page, StoredMark, StoredMessage
from irchat.protocol.marks import NAMES_OF_MARK
from irchat.protocol.rules import line_bytes

Hit = tuple[int, int, StoredMessage]
"""A message, with the number and ``rev`` of its chat."""

CHANGES_READ = 10_000
"""Maximum rows that one page of changes reads: the reader may be allowed to see few of them."""
# Messages are read as one range of seqs if it is less than this many times longer than their number.
_SPARSE = 4


def in_range(messages: Sequence[StoredMessage]) -> tuple[int, int] | None:
    """Return the range of seqs in which to read the mentions, changes and marks of messages, or None if it is sparse.

    They are in the order of their seqs, up or down.
    """
    first, last = sorted((messages[0].seq, messages[-1].seq))
    return (first, last) if last - first < _SPARSE * len(messages) else None


def mentions_of(rows: Iterable[tuple[int, int]], hidden: Collection[int]) -> dict[int, list[int]]:
    """Return the mentioned users by seq, from rows of seq and user."""
    to: dict[int, list[int]] = {}
    for seq, user in rows:
        if user not in hidden:
            to.setdefault(seq, []).append(user)
    return to


def marks_of(
    rows: Iterable[tuple[int, str, str, int]], reader: int, hidden: Collection[int]
) -> dict[int, tuple[StoredMark, ...]]:
    """Return the marks by seq, each where it was first put, from rows of seq, key, mark and user in order."""
    found: dict[int, dict[str, tuple[str, list[int]]]] = {}
    for seq, key, mark, user in rows:
        if user not in hidden:
            found.setdefault(seq, {}).setdefault(key, (mark, []))[1].append(user)
    return {
        seq: tuple(
            StoredMark(mark, len(users), tuple(users[:NAMES_OF_MARK]), reader in users)
            for mark, users in marks.values()
        )
        for seq, marks in found.items()
    }


def as_changed(
    messages: list[StoredMessage],
    to: Mapping[int, Sequence[int]],
    changes: Mapping[int, tuple[int, int | None]],
    marks: Mapping[int, tuple[StoredMark, ...]],
) -> list[StoredMessage]:
    """Return ``messages`` with their mentions, changes (rev and time of the edit) and marks, which are given by seq."""
    changed = changes.keys() | to.keys()
    if not changed:
        return messages
    seen = []
    for message in messages:
        seq = message.seq
        if seq in changed:
            change, users = changes.get(seq, (0, None)), tuple(to.get(seq, ()))
            seen.append(StoredMessage(*message[:5], *change, marks.get(seq, ()), users, message.notice))
        else:
            seen.append(message)
    return seen


def changed_hits(
    hits: Sequence[Hit], with_changes: Callable[[int, int, list[StoredMessage]], list[StoredMessage]]
) -> list[StoredMessage]:
    """Return messages of any chats with their changes, in the same order. ``with_changes`` handles one chat."""
    chats: dict[tuple[int, int], list[StoredMessage]] = {}
    for chat, rev, message in hits:
        chats.setdefault((chat, rev), []).append(message)
    found = {
        (chat, message.seq): message
        for (chat, rev), messages in chats.items()
        for message in with_changes(chat, rev, messages)
    }
    return [found[chat, message.seq] for chat, _, message in hits]


ChangeRow = tuple[int, int, bool, int | None, int | None, str | None, int | bool | None]
"""Rev, seq, whether the message is deleted, and its sender, time, text and whether it is a notice if it is not."""


def page_of_changes(
    rows: Iterable[ChangeRow],
    query: PageQuery,
    since_seq: int,
    rev: int,
    hidden: Collection[int],
    with_changes: Callable[[list[StoredMessage]], list[StoredMessage]],
) -> Page:
    """Return a page of the changes of a chat, without ``last_seq`` and ``end``.

    ``rows``: the changes after ``query.after_rev``, in order. ``rev``: the last change of the chat.
    """
    messages: list[StoredMessage] = []
    deleted: dict[int, int] = {}
    room = query.page_bytes
    covered = query.after_rev or 0
    count = 0
    more = False
    for rev_of_message, seq, is_deleted, sender, at, text, notice in islice(rows, CHANGES_READ):
        count += 1
        if seq > since_seq and (is_deleted or sender not in hidden):
            room -= query.overhead + line_bytes(text or "")
            if (messages or deleted) and (room < 0 or len(messages) + len(deleted) == query.limit):
                more = True
                break
            if is_deleted:
                deleted[seq] = rev_of_message
            else:
                messages.append(StoredMessage(query.chat, seq, sender or 0, at or 0, text or "", notice=bool(notice)))
        covered = rev_of_message
    if not more and count < CHANGES_READ:
        covered = rev
    messages.sort(key=lambda message: message.seq)
    messages = with_changes(messages)
    messages.sort(key=lambda message: message.rev)
    return Page(messages, covered < rev, 0, 0, covered, tuple(deleted), tuple(deleted.values()))
