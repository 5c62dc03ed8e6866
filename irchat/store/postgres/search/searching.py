"""Search in steps. An expensive search ends early, with the messages found so far.

The newest messages are searched first, one by one: they contain the common words. Then all matches of each partition
of the index are read at once, newest partition first. If they are too many to sort, the partition is searched one by
one too.
"""

import time
from collections.abc import Collection, Sequence
from typing import Any

from psycopg.errors import QueryCanceled

from irchat.interfaces.store import SearchQuery
from irchat.interfaces.stored import StoredMessage
from irchat.store.changed_messages import Hit, changed_hits
from irchat.store.found_messages import FoundMessages
from irchat.store.phrases import holds
from irchat.store.postgres.reads.amended_reading import with_changes
from irchat.store.postgres.reads.query import Connection
from irchat.store.postgres.reads.reading import chat_is, hidden_from
from irchat.store.postgres.search.indexing import PARTITION
from irchat.store.postgres.search.vectors import query as words_query
from irchat.store.postgres.search.wordless import hits_without_words

# The messages that the first step searches, and the factor by which a step is longer than a quick one before it.
_FIRST_STEP = 1_024
_STEP_FACTOR = 4
# The most matches of a partition that are sorted.
_SORTED_MOST = 20_000
# Seconds: the limit of a quick step, that of a search before its last step, and that of a statement.
_QUICK_SECONDS = 0.02
_SEARCH_SECONDS = 0.5
_STATEMENT_SECONDS = 0.5

seconds = time.monotonic

_PARTITIONS = (
    "SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid WHERE inhparent = 'places'::regclass"
)
_CHAT_OF_USER = "SELECT chats.id FROM members JOIN chats ON chats.id = members.chat WHERE members.user_id = %s AND "
# The LIMIT keeps PostgreSQL from merging the queries: the inner one runs for one place at a time, until enough match.
_HITS = """
SELECT place.chat, low, high, rev, place.seq, sender, at, notice, text, place.id
FROM {places} AS place CROSS JOIN LATERAL (
    SELECT low, high, rev, sender, at, notice, text FROM members
    JOIN messages ON messages.chat = members.chat AND messages.seq = place.seq
    JOIN chats ON chats.id = members.chat
    WHERE members.user_id = %(user)s AND members.chat = place.chat AND members.since_seq < place.seq{conditions}
    LIMIT 1
) AS message
"""
_SEEN = " AND sender <> ALL(%(hidden)s::bigint[])"
_MARKED = (
    " AND EXISTS (SELECT FROM marks WHERE marks.chat = place.chat AND marks.seq = place.seq AND key = %(mark)s"
    " AND marks.user_id <> ALL(%(hidden)s::bigint[]))"
)
_MENTIONED = (
    " AND EXISTS (SELECT FROM mentions WHERE mentions.user_id = %(user)s AND mentions.chat = place.chat"
    " AND mentions.seq = place.seq)"
)
_ONE_BY_ONE = """
{hits} WHERE place.id >= %(first)s AND place.id < %(below)s AND place.words @@ %(match)s::tsquery
ORDER BY place.id DESC LIMIT %(rows)s
"""
_AT_ONCE = """
WITH found AS MATERIALIZED (
    SELECT id, chat, seq FROM {table} WHERE words @@ %(match)s::tsquery LIMIT %(most)s
), counted AS (
    SELECT count(*) AS count FROM found
)
SELECT counted.count, hit.* FROM counted LEFT JOIN LATERAL (
    {hits} WHERE counted.count < %(most)s AND place.id < %(below)s ORDER BY place.id DESC LIMIT %(rows)s
) AS hit ON true
"""
_SORTED = "(SELECT id, chat, seq FROM found ORDER BY id DESC)"


class PostgresSearch(FoundMessages):
    """A search. Call `step` until ``is_over``."""

    def __init__(self, query: SearchQuery) -> None:
        super().__init__(query)
        # The partitions still to search, newest first. In the first one, the ids from ``_below`` on are done.
        self._partitions: list[int] | None = None
        self._below = 0
        self._is_one_by_one = True
        self._are_too_many = False
        self._step = _FIRST_STEP
        self._seconds = 0.0

    def step(self, connection: Connection) -> None:
        """Search the next messages."""
        began = seconds()
        try:
            connection.execute(f"SET LOCAL statement_timeout = {int(_STATEMENT_SECONDS * 1000)}")
            self._search(connection)
        except QueryCanceled:
            self.hits.clear()
            self.end(more=True)
        took = seconds() - began
        self._seconds += took
        self._step = self._step * _STEP_FACTOR if took < _QUICK_SECONDS else max(self._step // _STEP_FACTOR, 1)
        if not self.is_over and self._seconds >= _SEARCH_SECONDS:
            self.end(more=True)

    def _search(self, connection: Connection) -> None:
        hidden = hidden_from(connection, self.query.user, self.query.hidden)
        if self.needs_index:
            self._look(connection, hidden)
        else:
            for hit in hits_without_words(connection, self.query, hidden):
                if not self.take(hit):
                    break
            else:
                self.end(more=False)
        # In the transaction that read the texts, so that each has the rev of its text.
        user = self.query.user
        self.found += changed_hits(
            self.hits, lambda chat, rev, messages: with_changes(connection, chat, rev, messages, user, hidden)
        )
        self.hits.clear()

    def _look(self, connection: Connection, hidden: Collection[int]) -> None:
        chat = None
        if self.query.chat is not None:
            is_chat, values = chat_is(self.query.chat)
            found = connection.execute(_CHAT_OF_USER + is_chat, (self.query.user, *values)).fetchone()
            if found is None:
                self.end(more=False)
                return
            chat = found[0]
        if self._partitions is None:
            self._partitions = self._find_partitions(connection)
        if not self._partitions:
            self.end(more=False)
            return
        match, is_exact = words_query(self.phrases, chat)
        asked: dict[str, Any] = {
            "user": self.query.user, "hidden": list(hidden), "mark": self.query.mark, "match": match,
            "below": self._below, "rows": self.query.limit - len(self.found) + 1,
        }  # fmt: skip
        rows, first = (self._one_by_one if self._is_one_by_one else self._at_once)(connection, asked)
        for *row, message_id in rows:
            if (is_exact or holds(row[-1], self.phrases)) and not self.take(_hit(row)):
                return
            self._below = message_id
        if len(rows) < asked["rows"]:  # no others are there
            self._go_on_below(first)

    def _go_on_below(self, first: int) -> None:
        """Note that everything from the id ``first`` on is searched."""
        assert self._partitions
        self._below = first
        self._is_one_by_one = self._are_too_many
        if first <= self._partitions[0] * PARTITION:
            del self._partitions[0]
            self._is_one_by_one = self._are_too_many = False
            if self._partitions:
                self._below = (self._partitions[0] + 1) * PARTITION
            else:
                self.end(more=False)

    def _find_partitions(self, connection: Connection) -> list[int]:
        """Return the partitions from the newest one on that has messages."""
        rows = connection.execute(_PARTITIONS).fetchall()
        numbers = sorted((int(name.removeprefix("places_")) for (name,) in rows), reverse=True)
        for index, number in enumerate(numbers):
            ((last,),) = connection.execute(f"SELECT max(id) FROM places_{number}").fetchall()
            if last is not None:
                self._below = last + 1
                return numbers[index:]
        return []

    def _one_by_one(self, connection: Connection, values: dict[str, Any]) -> tuple[list[Any], int]:
        """Return the hits of one step, and the id from which on it has searched."""
        assert self._partitions
        number = self._partitions[0]
        first = max(self._below - self._step, number * PARTITION)
        sql = _ONE_BY_ONE.format(hits=self._hits(f"places_{number}"))
        return connection.execute(sql, {**values, "first": first}).fetchall(), first

    def _at_once(self, connection: Connection, values: dict[str, Any]) -> tuple[list[Any], int]:
        """Return the newest hits of a partition, and its first id; or no hits, if there are too many."""
        assert self._partitions
        number = self._partitions[0]
        connection.execute("SET LOCAL enable_bitmapscan = on")
        sql = _AT_ONCE.format(table=f"places_{number}", hits=self._hits(_SORTED))
        rows = connection.execute(sql, {**values, "most": _SORTED_MOST + 1}).fetchall()
        if rows[0][0] > _SORTED_MOST:
            self._is_one_by_one = self._are_too_many = True
            return [], self._below
        return [hit for _, *hit in rows if hit[0] is not None], number * PARTITION

    def _hits(self, places: str) -> str:
        """Return the SQL for the hits among some places."""
        conditions = _SEEN
        if self.query.mark is not None:
            conditions += _MARKED
        if self.query.mentions:
            conditions += _MENTIONED
        return _HITS.format(places=places, conditions=conditions)


def _hit(row: Sequence[Any]) -> Hit:
    chat, low, high, rev, seq, sender, at, notice, text = row
    return chat, rev, StoredMessage(chat if low is None else (low, high), seq, sender, at, text, notice=notice)
