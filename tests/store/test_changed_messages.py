"""Changed messages from rows. The contract of the stores tests the rest."""

from twisted.trial.unittest import SynchronousTestCase

from irchat.interfaces.store import PageQuery
from irchat.interfaces.stored import GLOBAL, StoredMark, StoredMessage
from irchat.store.changed_messages import as_changed, changed_hits, in_range, marks_of, mentions_of, page_of_changes


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
