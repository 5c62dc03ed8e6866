"""Changed messages from rows. The contract of the stores tests the rest."""

from collections.abc import Collection
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from irchat.interfaces.store import PageQuery
from irchat.interfaces.stored import GLOBAL, Page, StoredMark, StoredMessage
from irchat.store import changed_messages
from irchat.store.changed_messages import (
    ChangeRow,
    as_changed,
    changed_hits,
    in_range,
    marks_of,
    mentions_of,
    page_of_changes,
)


def said(seq: int, text: str = "text") -> StoredMessage:
    """Return a message."""
    return StoredMessage(GLOBAL, seq, 1, 10, text)


class ChangeTests(SynchronousTestCase):
    """Messages as a reader sees them."""

    def test_range(self) -> None:
        """Neighbours are read as one range, others by their numbers."""
        self.assertEqual(in_range([said(7), said(5)]), (5, 7))
        self.assertEqual(in_range([said(1), said(8)]), (1, 8))
        self.assertIsNone(in_range([said(1), said(9)]))

    def test_marks(self) -> None:
        """Marks are in the order of their first user, without hidden ones, and name ten users."""
        rows = [
            (5, "ok", "OK", 3),
            (5, "no", "no", 4),
            (5, "ok", "ok", 2),
            *((6, "x", "x", user) for user in range(12)),
        ]
        marks = marks_of(rows, 2, {4})
        self.assertEqual(marks[5], (StoredMark("OK", 2, (3, 2), True),))
        self.assertEqual(marks[6], (StoredMark("x", 11, (0, 1, 2, 3, 5, 6, 7, 8, 9, 10), True),))

    def test_as_changed(self) -> None:
        """Changes, marks and mentions come to their messages. Others stay the same objects."""
        messages = [said(1), said(2), said(3)._replace(notice=True)]
        mark = StoredMark("ok", 1, (2,), False)
        seen = as_changed(messages, mentions_of([(1, 4), (1, 5)], {5}), {3: (9, 77)}, {3: (mark,)})
        expected = [
            messages[0]._replace(to=(4,)),
            messages[1],
            messages[2]._replace(rev=9, edited_at=77, marks=(mark,)),
        ]
        self.assertEqual(seen, expected)
        self.assertIs(as_changed(messages, {}, {}, {}), messages)

    def test_hits(self) -> None:
        """Hits of several chats keep their order."""
        hits = [(2, 0, said(5)), (1, 3, said(5)), (2, 0, said(4))]

        def changed(chat: int, rev: int, messages: list[StoredMessage]) -> list[StoredMessage]:
            return [message._replace(text=f"{chat} {rev} {message.seq}") for message in messages]

        self.assertEqual([one.text for one in changed_hits(hits, changed)], ["2 0 5", "1 3 5", "2 0 4"])

    def test_page_of_changes(self) -> None:
        """A page ends at its limit, and covers what its reader may not see."""
        rows = [
            (1, 4, False, 1, 10, "a", 0),
            (2, 3, False, 9, 10, "b", 0),
            (3, 6, True, None, None, None, None),
            (4, 5, False, 1, 10, "c", 1),
        ]

        def changed(messages: list[StoredMessage]) -> list[StoredMessage]:
            return [message._replace(rev=message.seq - 3) for message in messages]

        for limit, expected in (1, ([4], (), 2, True)), (2, ([4], (6,), 3, True)), (3, ([4, 5], (6,), 8, False)):
            page = page_of_changes(iter(rows), PageQuery(1, GLOBAL, limit, after_rev=0), 2, 8, {9}, changed)
            self.assertEqual(([one.seq for one in page.messages], page.deleted, page.rev, page.more), expected)
            self.assertEqual([one.notice for one in page.messages], [one.seq == 5 for one in page.messages])


class PageOfChangesTests(SynchronousTestCase):
    """`page_of_changes` for a member since message 2, in a chat with 9 changes."""

    rows: tuple[ChangeRow, ...] = (
        (2, 7, False, 1, 10, "seven", 0),
        (3, 5, True, None, None, None, None),
        (5, 4, False, 3, 20, "four", 1),
        (6, 1, True, None, None, None, None),
        (7, 2, False, 1, 30, "two", 0),
        (8, 9, True, None, None, None, None),
    )

    def page(self, limit: int = 50, hidden: Collection[int] = (), after_rev: int | None = 0, **how: Any) -> Page:
        """Return a page. The rev of each message is the one in the row of its change."""
        revs = {seq: rev for rev, seq, *_ in self.rows}
        self.given: list[int] = []

        def with_changes(messages: list[StoredMessage]) -> list[StoredMessage]:
            self.given += [message.seq for message in messages]
            return [message._replace(rev=revs[message.seq]) for message in messages]

        query = PageQuery(1, GLOBAL, limit, after_rev=after_rev, **how)
        return page_of_changes(iter(self.rows), query, 2, 9, hidden, with_changes)

    def seen(self, page: Page) -> tuple[list[int], tuple[int, ...], int, bool]:
        """Return the seqs on a page, the deleted ones, and how far it covers the changes."""
        return [message.seq for message in page.messages], page.deleted, page.rev, page.more

    def test_all(self) -> None:
        """Messages come in the order of their changes, without those from before the reader joined."""
        page = self.page()
        messages = [
            StoredMessage(GLOBAL, 7, 1, 10, "seven", 2),
            StoredMessage(GLOBAL, 4, 3, 20, "four", 5, notice=True),
        ]
        self.assertEqual(page, Page(messages, False, 0, 0, 9, (5, 9), (3, 8)))
        self.assertEqual(self.given, [4, 7])

    def test_nothing(self) -> None:
        """Without any rows, all changes are covered. Deletions have no sender and are never hidden."""
        self.assertEqual(self.seen(self.page(hidden=(1, 3, None))), ([], (5, 9), 9, False))  # type: ignore[arg-type]
        self.rows = ()
        self.assertEqual(self.page(after_rev=None), Page([], False, 0, 0, 9))

    def test_limit(self) -> None:
        """Messages and deletions count alike, and the page covers the changes before the first one left out."""
        for limit, expected in (
            (1, ([7], (), 2, True)),
            (2, ([7], (5,), 3, True)),
            (3, ([7, 4], (5,), 7, True)),
            (4, ([7, 4], (5, 9), 9, False)),
        ):
            self.assertEqual(self.seen(self.page(limit)), expected, limit)

    def test_bytes(self) -> None:
        """Texts and the overhead of each change fit in the bytes, but the first change always does."""
        for page_bytes, overhead, expected in (
            (1, 0, ([7], (), 2, True)),
            (5, 0, ([7], (5,), 3, True)),
            (8, 0, ([7], (5,), 3, True)),
            (9, 0, ([7, 4], (5, 9), 9, False)),
            (12, 1, ([7, 4], (5,), 7, True)),
            (13, 1, ([7, 4], (5, 9), 9, False)),
        ):
            page = self.page(page_bytes=page_bytes, overhead=overhead)
            self.assertEqual(self.seen(page), expected, (page_bytes, overhead))
        self.rows = self.rows[1:]
        self.assertEqual(self.seen(self.page(page_bytes=0, overhead=1)), ([], (5,), 3, True))

    def test_rows(self) -> None:
        """A page reads a bounded number of rows. If it read so many, it covers the changes up to the last of them."""
        for most, expected in ((1, ([7], (), 2, True)), (4, ([7, 4], (5,), 6, True)), (6, ([7, 4], (5, 9), 8, True)),
                               (7, ([7, 4], (5, 9), 9, False))):  # fmt: skip
            self.patch(changed_messages, "CHANGES_READ", most)
            self.assertEqual(self.seen(self.page()), expected, most)
        self.patch(changed_messages, "CHANGES_READ", 0)
        for after_rev, covered in ((4, 4), (None, 0)):
            self.assertEqual(self.seen(self.page(after_rev=after_rev)), ([], (), covered, True))
