"""The search index, into which messages come many together. Runs in the writer's thread, inside its transactions."""

import sqlite3
from collections import deque

from irchat.text.folding import fold

# Messages that come into the index together, at some 4 us each; one alone costs 65 us.
INDEXED_TOGETHER = 1_024
# Characters of folded texts that come into the index together: what costs is the words, of which there may be one for
# every two characters, and no commit is to take longer than some 20 ms for them.
INDEXED_CHARACTERS = 32_768
# Characters of texts that are deleted in one transaction, for their words go from the index.
DELETED_CHARACTERS = 16_384
# Of a text that is not ASCII: a sign that is a word of its own stands between two spaces in the folded text.
_FOLDED_LONGER = 3

_BRING_IN = (
    "INSERT INTO message_words (rowid, chat, text) SELECT place.id, 'c' || place.chat, fold(text)"
    " FROM message_places AS place CROSS JOIN messages USING (chat, seq) WHERE place.id > ? AND place.id <= ?"
    " ORDER BY place.id"
)
# Of texts that are not ASCII the bytes are as many as the characters of what they are folded to, or nearly so.
_SIZES = (
    "SELECT place.id, length(CAST(text AS BLOB)) FROM message_places AS place CROSS JOIN messages USING (chat, seq)"
    " WHERE place.id > ? AND place.id <= ? ORDER BY place.id LIMIT ?"
)
DELETE_INDEXED = (
    "INSERT INTO message_words (message_words, rowid, chat, text)"
    " SELECT 'delete', id, 'c' || chat, fold(text) FROM messages WHERE chat = ? AND seq = ? AND id <= ?"
)
"""Deletes a message, given by its chat and seq, from the index, if it is in it: up to the third number all are."""


class SearchIndex:
    """What of the stored messages is in the index, and what waits for it: all with higher numbers than those that are.

    After a transaction `committed` is to be called, or `forget` where it was rolled back.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        connection.create_function("fold", 1, fold, deterministic=True)
        # The last message that is in the index on the disk. Other threads look at it and at the last of all.
        self._last_searchable: int | None = None
        self.forget()

    def forget(self) -> None:
        """Look up anew what is stored."""
        self._last_number: int | None = None
        self._last_indexed: int | None = None
        self._known_after = 0
        # Where the parts end in which those that wait come in, of those whose length is known; and what is behind them.
        self._part_ends: deque[int] = deque()
        self._characters = self._messages = 0

    def committed(self) -> None:
        """What was brought in is on the disk."""
        self._last_searchable = self._last_indexed

    @property
    def waits(self) -> bool:
        """Whether messages may be stored that no search finds before `bring_in`. Any thread may ask."""
        last_number = self._last_number
        return last_number is None or last_number != self._last_searchable

    def is_searchable(self, number: int) -> bool:
        """Whether all messages up to that number are in the index on the disk. Any thread may ask."""
        return self._last_searchable is not None and self._last_searchable >= number

    @property
    def last_number(self) -> int:
        """The number of the last message that is stored."""
        if self._last_number is None:
            self._last_number = self._known_after = self._highest("message_places")
        return self._last_number

    @property
    def last_indexed(self) -> int:
        """The number of the last message that is in the index."""
        if self._last_indexed is None:
            self._last_indexed = self._highest("message_words_docsize")
        return self._last_indexed

    @property
    def is_due(self) -> bool:
        """Whether so much waits that some is to come in."""
        return bool(self._part_ends) or self.last_number - self.last_indexed >= INDEXED_TOGETHER

    def number(self, text: str) -> int:
        """The number of a message that is about to be stored."""
        self._last_number = number = self.last_number + 1
        self._messages += 1
        self._characters += len(text) if text.isascii() else _FOLDED_LONGER * len(text)
        if self._characters >= INDEXED_CHARACTERS or self._messages >= INDEXED_TOGETHER:
            self._part_ends.append(number)
            self._characters = self._messages = 0
        return number

    def bring_in(self) -> None:
        """Bring the oldest that wait into the index: as many as are short work, and one at least where there is one."""
        end = self._end_of_part()
        self._connection.execute(_BRING_IN, (self.last_indexed, end))
        self._last_indexed = end
        if end == self.last_number:
            self._characters = self._messages = 0

    def _end_of_part(self) -> int:
        """The last number that comes in now. What waited when the store was opened is measured first."""
        if self.last_indexed < self._known_after:
            characters = 0
            unknown = self.last_indexed, self._known_after, INDEXED_TOGETHER
            sizes = self._connection.execute(_SIZES, unknown).fetchall()
            for number, size in sizes:
                characters += size
                if characters >= INDEXED_CHARACTERS:
                    return int(number)
            if len(sizes) == INDEXED_TOGETHER:
                return int(sizes[-1][0])
        return self._part_ends.popleft() if self._part_ends else self.last_number

    def _highest(self, table: str) -> int:
        highest: int = self._connection.execute(f"SELECT coalesce(max(id), 0) FROM {table}").fetchone()[0]
        return highest
