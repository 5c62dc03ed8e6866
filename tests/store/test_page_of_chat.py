"""Pages of a chat, from a list of rows. The contract of the stores tests the rest."""

from collections.abc import Iterator, Sequence

from twisted.trial.unittest import SynchronousTestCase

from irchat.interfaces.store import PageQuery
from irchat.interfaces.stored import GLOBAL, StoredMessage
from irchat.store.page_of_chat import MessageRow, page_of, place_of


class _Rows:
    """A chat with one message for each number, at ten times its seq, or at ``ats``.

    ``read``: how many rows were read.
    """

    def __init__(self, *seqs: int, ats: Sequence[int] = ()) -> None:
        times = ats or [10 * seq for seq in seqs]
        self._rows = [(seq, 1, at, "text", seq == 7) for seq, at in zip(seqs, times, strict=True)]
        self.read = 0

    def upwards(self, above: int) -> Iterator[MessageRow]:
        assert above < 2**63
        return self._reading(row for row in self._rows if row[0] > above)

    def downwards(self, above: int, below: int) -> Iterator[MessageRow]:
        assert max(above, below) < 2**63
        return self._reading(row for row in self._rows[::-1] if above < row[0] < below)

    def first_from(self, seq: int) -> tuple[int, int] | None:
        return next(((row[0], row[2]) for row in self._rows if row[0] >= seq), None)

    def _reading(self, rows: Iterator[MessageRow]) -> Iterator[MessageRow]:
        for row in rows:
            self.read += 1
            yield row


class PageTests(SynchronousTestCase):
    """The choice of messages."""

    def test_choice(self) -> None:
        """A page is before or after a place, around it, from a time on, or what is unread, oldest first."""
        for how, expected in (
            ({}, ([6, 7, 9], True)), ({"before": 6}, ([2, 3, 5], False)), ({"after": 3}, ([5, 6, 7], True)),
            ({"unread": True}, ([7, 9], False)), ({"around": 5}, ([3, 5, 6], True)),
            ({"since": 55}, ([6, 7, 9], False)),
            ({"since": 2**70}, ([], False)), ({"after": 2**70}, ([], False)), ({"before": 2**70}, ([6, 7, 9], True)),
        ):  # fmt: skip
            query = PageQuery(1, GLOBAL, 3, **how)  # type: ignore[arg-type]
            messages, more = page_of(_Rows(1, 2, 3, 5, 6, 7, 9), query, 1, 6, 9)
            self.assertEqual(([message.seq for message in messages], more), expected, how)
            self.assertEqual([message.seq for message in messages if message.notice], [7] if 7 in expected[0] else [])

    def test_one_message_around(self) -> None:
        """A page of one message around a place says whether there are others on either side."""
        for around, expected in (2, ([2], True)), (9, ([9], True)), (10, ([], True)), (1, ([2], True)):
            query = PageQuery(1, GLOBAL, 1, around=around)
            messages, more = page_of(_Rows(1, 2, 3, 5, 6, 7, 9), query, 1, 6, 9)
            self.assertEqual(([message.seq for message in messages], more), expected, around)
        messages, more = page_of(_Rows(2), PageQuery(1, GLOBAL, 1, around=2), 0, 0, 2)
        self.assertEqual(([message.seq for message in messages], more), ([2], False))

    def test_numbers_of_a_database(self) -> None:
        """A number beyond those of a database is the highest of them, and that one stays as it is."""
        for number in (2**63 - 1, 2**63):
            below: list[int] = []
            rows = _Rows(1, 2)
            self.patch(rows, "downwards", lambda above, end, below=below: below.append(end) or ())
            page_of(rows, PageQuery(1, GLOBAL, 3, before=number), 0, 0, 2)
            self.assertEqual(below, [2**63 - 1])

    def test_bytes(self) -> None:
        """Texts and their overhead fit in the bytes of a page, but the first message always does."""
        for page_bytes, overhead, expected in (
            (1, 0, ([1], True)),
            (7, 0, ([1], True)),
            (8, 0, ([1, 2], True)),
            (9, 1, ([1], True)),
            (10, 1, ([1, 2], True)),
            (20, 1, ([1, 2, 3, 4], False)),
        ):
            query = PageQuery(1, GLOBAL, 9, after=0, page_bytes=page_bytes, overhead=overhead)
            messages, more = page_of(_Rows(1, 2, 3, 4), query, 0, 0, 4)
            self.assertEqual(([message.seq for message in messages], more), expected, (page_bytes, overhead))

    def test_bytes_around(self) -> None:
        """The later part gets half of the bytes, the larger one, and the earlier part all that the later one leaves."""
        for limit, page_bytes, overhead, expected in (
            (6, 20, 0, [2, 3, 4, 5, 6]),
            (6, 16, 0, [3, 4, 5, 6]),
            (6, 23, 0, [3, 4, 5, 6, 7]),
            (6, 22, 0, [2, 3, 4, 5, 6]),
            (6, 4, 0, [5]),
            (6, 7, 0, [5]),
            (6, 8, 0, [4, 5]),
            (6, 20, 1, [3, 4, 5, 6]),
            (6, 22, 1, [3, 4, 5, 6]),
            (1, 4, 0, [5]),
            (4, 99, 0, [3, 4, 5, 6]),
            (5, 99, 0, [3, 4, 5, 6, 7]),
        ):
            query = PageQuery(1, GLOBAL, limit, around=5, page_bytes=page_bytes, overhead=overhead)
            messages, more = page_of(_Rows(*range(1, 10)), query, 0, 0, 9)
            self.assertEqual([message.seq for message in messages], expected, (limit, page_bytes, overhead))
            self.assertTrue(more)

    def test_bytes_of_equal_times(self) -> None:
        """A page of one message around a place has all bytes for messages of one time, which it does not split."""
        query = PageQuery(1, GLOBAL, 1, around=1, page_bytes=12)
        messages, more = page_of(_Rows(1, 2, 3, 4, ats=(5, 5, 5, 6)), query, 0, 0, 4)
        self.assertEqual(([message.seq for message in messages], more), ([1, 2, 3], True))

    def test_last_page_in_bytes(self) -> None:
        """The last page has the last message, however few bytes there are, as it is stored."""
        messages, more = page_of(_Rows(6, 7), PageQuery(1, GLOBAL, 9, page_bytes=1), 0, 0, 7)
        self.assertEqual((messages, more), ([StoredMessage(GLOBAL, 7, 1, 70, "text", notice=True)], True))

    def test_around_in_a_short_chat(self) -> None:
        """There are no more if both parts reach the ends of the chat, and there are if one of them does not."""
        for limit, around, seqs, expected in (
            (4, 3, [1, 2, 3, 4], False),
            (3, 3, [2, 3, 4], True),
            (2, 2, [1, 2], True),
            (9, 1, [1, 2, 3, 4], False),
        ):
            messages, more = page_of(_Rows(1, 2, 3, 4), PageQuery(1, GLOBAL, limit, around=around), 0, 0, 4)
            self.assertEqual(([message.seq for message in messages], more), (seqs, expected), (limit, around))

    def test_no_page_ends_between_equal_times(self) -> None:
        """A page ends before or after all messages of one time, as older versions stored, even over the limit."""
        ats = [0, 5, 5, 5, 5, 5, 6]
        for limit, how, expected in (
            (3, {"after": 0}, ([1], True)), (6, {"after": 0}, ([1, 2, 3, 4, 5, 6], True)),
            (2, {"after": 1}, ([2, 3, 4, 5, 6], True)), (1, {"after": 3}, ([4, 5, 6], True)),
            (3, {}, ([7], True)), (6, {}, ([2, 3, 4, 5, 6, 7], True)), (1, {"before": 7}, ([2, 3, 4, 5, 6], True)),
            (5, {"before": 7}, ([2, 3, 4, 5, 6], True)), (9, {"before": 7}, ([1, 2, 3, 4, 5, 6], False)),
            (1, {"after": 6}, ([7], False)), (4, {"unread": True}, ([1], True)),
            (2, {"after": 1, "page_bytes": 12}, ([2, 3, 4], True)),
        ):  # fmt: skip
            query = PageQuery(1, GLOBAL, limit, **how)  # type: ignore[arg-type]
            messages, more = page_of(_Rows(*range(1, 8), ats=ats), query, 0, 0, 7)
            self.assertEqual(([message.seq for message in messages], more), expected, (limit, how))

    def test_place(self) -> None:
        """The place of a moment is the first message from then on, and after the last one if there is none."""
        seqs = (1, 2, 3, 5, 6, 7, 9)
        for at, expected in ((0, 1), (10, 1), (11, 2), (31, 4), (50, 4), (90, 8), (91, 10)):
            self.assertEqual(place_of(_Rows(*seqs), 0, 9, at), expected, at)
        self.assertEqual(place_of(_Rows(*seqs), 5, 9, 20), 6)
        self.assertEqual(place_of(_Rows(), 0, 0, 20), 1)
        self.assertEqual(place_of(_Rows(1, 2), 0, 9, 50), 3)

    def test_reads_no_more_than_needed(self) -> None:
        """One row more than the limit is read, however long the chat is."""
        for how in {}, {"after": 5}, {"unread": True}, {"since": 50}:
            rows = _Rows(*range(1, 500))
            page_of(rows, PageQuery(1, GLOBAL, 10, **how), 0, 0, 499)  # type: ignore[arg-type]
            self.assertEqual(rows.read, 11, how)
