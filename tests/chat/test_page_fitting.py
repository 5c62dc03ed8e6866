"""Pages whose marks would not fit in a line."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from irchat.chat.page_fitting import fitting
from irchat.chat.state.directory import Directory
from irchat.interfaces.store import PageQuery
from irchat.interfaces.stored import GLOBAL, Page, Snapshot, StoredMark, StoredMessage, StoredUser
from irchat.protocol import wire
from irchat.protocol.rules import SERVER_LINE_BYTES
from tests.helpers.chat import WorldTestCase

_MARK = StoredMark("ok", 1, (1,), False)


def _message(seq: int, rev: int = 1) -> StoredMessage:
    return StoredMessage(GLOBAL, seq, 1, 0, "x" * 100, rev, marks=(_MARK,))


class FittingTests(SynchronousTestCase):
    """`fitting`."""

    def fit(self, page: Page, most: int, **where: Any) -> Page:
        """Fit a page into the bytes of ``most`` messages with one mark each."""
        directory = Directory(Snapshot([StoredUser(1, "alice", "alice")], [], []))
        size = 100 + 10 + 64 + 2 + 3 + 5
        return fitting(directory, PageQuery(1, GLOBAL, 50, overhead=10, page_bytes=most * size, **where), page)

    def seqs(self, most: int, **where: Any) -> tuple[list[int], bool]:
        """Return the numbers that are left of a page from 1 to 7, and whether there are more."""
        page = self.fit(Page([_message(seq) for seq in range(1, 8)], False, 7), most, **where)
        return [message.seq for message in page.messages], page.more

    def test_fits(self) -> None:
        """A page that fits stays, and one without marks and mentions too."""
        page = Page([_message(1), _message(2)], False, 2)
        self.assertIs(self.fit(page, 2), page)
        page = Page([_message(1)._replace(marks=())], False, 1)
        self.assertIs(self.fit(page, 0), page)

    def test_sizes(self) -> None:
        """Each mark counts with its text, a constant part, and the names of its users. To the byte, a page fits."""
        directory = Directory(Snapshot([StoredUser(1, "alice", "alice")], [], []))
        marks = StoredMark("ok", 12, (1,) * 12, False), StoredMark("x" * 16, 1, (1,), False)
        page = Page([_message(seq)._replace(marks=marks, to=(1, 1)) for seq in (1, 2)], False, 2)
        size = 10 + 100 + 2 * 8 + (64 + 2 + 12 * 8) + (64 + 16 + 8)
        for page_bytes, count in (2 * size, 2), (2 * size - 1, 1):
            query = PageQuery(1, GLOBAL, 50, overhead=10, page_bytes=page_bytes)
            self.assertEqual(len(fitting(directory, query, page).messages), count)

    def test_mentions(self) -> None:
        """The names of mentioned users count as well, and so do the numbers of deleted messages."""
        messages = [_message(seq)._replace(marks=(), to=(1,) * 9) for seq in range(1, 4)]
        self.assertEqual([one.seq for one in self.fit(Page(messages, False, 3), 2).messages], [2, 3])
        page = Page([_message(1), _message(2)], False, 2, 0, 9, (3,), (9,))
        self.assertEqual([one.seq for one in self.fit(page, 2, after_rev=0).messages], [1])

    def test_directions(self) -> None:
        """A page lacks what the next one begins with; around a message, what is farthest. One message always stays."""
        for where in ({}, {"before": 8}):
            self.assertEqual(self.seqs(3, **where), ([5, 6, 7], True))
        for where in ({"after": 0}, {"unread": True}, {"since": 0}):
            self.assertEqual(self.seqs(3, **where), ([1, 2, 3], True))
        self.assertEqual(self.seqs(3, around=4), ([3, 4, 5], True))
        self.assertEqual(self.seqs(3, around=6), ([5, 6, 7], True))
        self.assertEqual(self.seqs(0, around=4), ([4], True))
        self.assertEqual(self.seqs(0), ([7], True))

    def test_changes(self) -> None:
        """A page of changes then covers less, and has only the deletions up to there."""
        messages = [_message(9, 2), _message(3, 5), _message(4, 8)]
        page = self.fit(Page(messages, False, 9, 0, 9, (1, 2), (4, 7)), 3, after_rev=0)
        self.assertEqual([message.rev for message in page.messages], [2, 5])
        self.assertEqual((page.more, page.rev, page.deleted, page.deleted_revs), (True, 5, (1,), (4,)))
        page = self.fit(Page(messages, False, 9, 0, 9, (1,), (4,)), 1, after_rev=0)
        self.assertEqual((page.rev, page.deleted, page.deleted_revs), (2, (), ()))


class LineTests(WorldTestCase):
    """Pages of a chat where every message has as many marks as it can."""

    names = tuple("\N{CJK UNIFIED IDEOGRAPH-4E00}" * length for length in range(22, 33))

    def test_one_line(self) -> None:
        """Each page fits into a server line, and together they have all messages and changes."""
        for number in range(1, 31):
            self.done(self.world.send(self.names[0], "GLOBAL", "x"))
            for at, name in enumerate(self.names):
                for mark in range(6):
                    self.done(self.world.mark(name, "GLOBAL", number, f"{'😀' * 14}{at % 2}{mark}"))
        for key, end in (("after", "seq"), ("after_rev", "rev")):
            place, seen = 0, []
            while True:
                page = self.done(self.world.history(self.names[1], "GLOBAL", limit=500, **{key: place}))
                self.assertLessEqual(len(wire.encode_reply(page, "x" * 64)), SERVER_LINE_BYTES)
                seen += [message.seq for message in page.messages]
                if not page.more:
                    break
                place = getattr(page.messages[-1], end)
            self.assertEqual(seen, list(range(1, 31)))
