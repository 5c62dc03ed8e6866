"""The search index, filled in batches. It runs in the writer's thread, inside its transactions."""

import sqlite3
from collections import deque
from collections.abc import Sequence

from irchat.text.folding import fold

# The messages of a batch. Each costs some 4 us; one alone costs 65 us.
INDEXED_TOGETHER = 1_024
# The characters of the folded texts of a batch. Words cost most, and there may be one for every two characters; a
# commit should not take longer than some 20 ms for them.
INDEXED_CHARACTERS = 32_768
# The characters of the texts that one transaction deletes, because their words are deleted from the index.
DELETED_CHARACTERS = 16_384
# The growth of a text that is not ASCII: a sign gets a space on either side.
_FOLDED_LONGER = 3

_BRING_IN = (
    "INSERT INTO message_words (rowid, chat, text) SELECT place.id, 'c' || place.chat, fold(text)"
    " FROM message_places AS place CROSS JOIN messages USING (chat, seq) WHERE place.id > ? AND place.id <= ?"
    " ORDER BY place.id"
)
# The UTF-8 bytes of a text are about as many as the characters of its folded form.
_SIZES = (
    "SELECT place.id, length(CAST(text AS BLOB)) FROM message_places AS place CROSS JOIN messages USING (chat, seq)"
    " WHERE place.id > ? AND place.id <= ? ORDER BY place.id LIMIT ?"
)
DELETE_INDEXED = (
    "INSERT INTO message_words (message_words, rowid, chat, text)"
    " SELECT 'delete', id, 'c' || chat, fold(text) FROM messages WHERE chat = ? AND seq = ? AND id <= ?"
)
"""Deletes a message, given by its chat and seq, from the index, if it is in it: up to the third number all are."""
_PUT_BACK = (
    "INSERT INTO message_words (rowid, chat, text)"
    " SELECT id, 'c' || chat, fold(text) FROM messages WHERE chat = ? AND seq = ?"
)


class SearchIndex:
    """The search index. Messages with higher numbers than the last indexed one wait for it.

    Call `committed` after a transaction, or `forget` if it was rolled back.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        connection.create_function("fold", 1, fold, deterministic=True)
        # The last message in the index on the disk. Other threads read it, and the last number of all.
        self._last_searchable: int | None = None
        self.forget()

    def forget(self) -> None:
        """Drop the cached state."""
        self._last_number: int | None = None
        self._last_indexed: int | None = None
        self._known_after = 0
        # The last numbers of the batches whose length is known, and the size of the batch after them.
        self._part_ends: deque[int] = deque()
        self._characters = self._messages = 0

    def committed(self) -> None:
        """Note that the transaction is on the disk."""
        self._last_searchable = self._last_indexed

    @property
    def waits(self) -> bool:
        """Whether stored messages may be missing from the index until `bring_in`. Any thread may read it."""
        last_number = self._last_number
        return last_number is None or last_number != self._last_searchable

    def is_searchable(self, number: int) -> bool:
        """Return whether all messages up to that number are in the index on the disk. Any thread may call it."""
        return self._last_searchable is not None and self._last_searchable >= number

    @property
    def last_number(self) -> int:
        """The number of the last stored message."""
        if self._last_number is None:
            self._last_number = self._known_after = self._highest("message_places")
        return self._last_number

    @property
    def last_indexed(self) -> int:
        """The number of the last message in the index."""
        if self._last_indexed is None:
            self._last_indexed = self._highest("message_words_docsize")
        return self._last_indexed

    @property
    def is_due(self) -> bool:
        """Whether a batch is full."""
        return bool(self._part_ends) or self.last_number - self.last_indexed >= INDEXED_TOGETHER

    def numbers(self, texts: Sequence[str]) -> range:
        """Return the numbers for messages that are about to be stored."""
        first = self.last_number + 1
        numbers = range(first, first + len(texts))
        self._last_number = numbers[-1]
        size = sum(map(len, texts)) if all(map(str.isascii, texts)) else INDEXED_CHARACTERS
        if self._characters + size < INDEXED_CHARACTERS and self._messages + len(texts) < INDEXED_TOGETHER:
            self._characters += size
            self._messages += len(texts)
        else:
            self._end_parts(numbers, texts)
        return numbers

    def _end_parts(self, numbers: Sequence[int], texts: Sequence[str]) -> None:
        """Note at which of these messages a batch ends."""
        for number, text in zip(numbers, texts, strict=True):
            self._messages += 1
            self._characters += len(text) if text.isascii() else _FOLDED_LONGER * len(text)
            if self._characters >= INDEXED_CHARACTERS or self._messages >= INDEXED_TOGETHER:
                self._part_ends.append(number)
                self._characters = self._messages = 0

    def bring_in(self) -> None:
        """Index the oldest waiting messages: a batch, and at least one message if any waits."""
        end = self._end_of_part()
        self._connection.execute(_BRING_IN, (self.last_indexed, end))
        self._last_indexed = end
        if end == self.last_number:
            self._characters = self._messages = 0

    def replace(self, chat: int, seq: int, text: str) -> None:
        """Change the text of a stored message, and its words. If it waits for the index, it enters it first.

        A waiting message must not become longer: batches are limited by what was stored.
        """
        place = chat, seq
        (number,) = self._connection.execute("SELECT id FROM messages WHERE chat = ? AND seq = ?", place).fetchone()
        while self.last_indexed < number:
            self.bring_in()
        self._connection.execute(DELETE_INDEXED, (*place, number))
        self._connection.execute("UPDATE messages SET text = ? WHERE chat = ? AND seq = ?", (text, *place))
        self._connection.execute(_PUT_BACK, place)

    def _end_of_part(self) -> int:
        """Return the last number of the next batch. The messages from before the start are measured first."""
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
