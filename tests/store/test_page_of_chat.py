"""Pages of a chat, from a list of rows. The contract of the stores tests the rest."""

from collections.abc import Iterator

from twisted.trial.unittest import SynchronousTestCase

from irchat.interfaces.store import PageQuery
from irchat.interfaces.stored import GLOBAL
from irchat.store.page_of_chat import MessageRow, page_of


class _Rows:
    """A chat with one message for each number, at ten times its seq. ``read``: how many rows were read."""

    def __init__(self, *seqs: int) -> None:
        self._rows = [(seq, 1, 10 * seq, "text") for seq in seqs]
        self.read = 0

    def upwards(self, above: int) -> Iterator[MessageRow]:
        return self._reading(row for row in self._rows if row[0] > above)

    def downwards(self, above: int, below: int) -> Iterator[MessageRow]:
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

    def test_reads_no_more_than_needed(self) -> None:
        """One row more than the limit is read, however long the chat is."""
        for how in {}, {"after": 5}, {"unread": True}, {"since": 50}:
            rows = _Rows(*range(1, 500))
            page_of(rows, PageQuery(1, GLOBAL, 10, **how), 0, 0, 499)  # type: ignore[arg-type]
            self.assertEqual(rows.read, 11, how)
