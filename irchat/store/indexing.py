"""The search index, into which messages come many together. Runs in the writer's thread, inside its transactions."""

import sqlite3

from irchat.store.folding import fold

# So many messages come into the index together, at some 4 us each; one alone costs 65 us. Where they are long fewer
# do: no commit is to take longer than some 30 ms for it.
INDEXED_TOGETHER = 1_024
INDEXED_CHARACTERS = 262_144

_INDEX_AFTER = (
    "INSERT INTO message_words (rowid, chat, text) SELECT place.id, 'c' || place.chat, fold(text)"
    " FROM message_places AS place CROSS JOIN messages USING (chat, seq) WHERE place.id > ? ORDER BY place.id"
)
DELETE_INDEXED = (
    "INSERT INTO message_words (message_words, rowid, chat, text)"
    " SELECT 'delete', id, 'c' || chat, fold(text) FROM messages WHERE chat = ? AND seq = ?"
)
"""Deletes a message, given by its chat and seq, from the index, in which it must be."""


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
        self._waiting_characters = 0

    def committed(self) -> None:
        """What was brought in is on the disk."""
        self._last_searchable = self._last_indexed

    @property
    def waits(self) -> bool:
        """Whether messages may be stored that no search finds before `bring_in`. Any thread may ask."""
        last_number = self._last_number
        return last_number is None or last_number != self._last_searchable

    @property
    def is_due(self) -> bool:
        """Whether so much waits that it is to come in."""
        return (
            self._newest() - self._indexed_up_to() >= INDEXED_TOGETHER
            or self._waiting_characters >= INDEXED_CHARACTERS
        )

    def number(self, text: str) -> int:
        """The number of a message that is about to be stored."""
        self._last_number = self._newest() + 1
        self._waiting_characters += len(text)
        return self._last_number

    def bring_in(self) -> None:
        """Bring all that is stored into the index."""
        self._connection.execute(_INDEX_AFTER, (self._indexed_up_to(),))
        self._last_indexed = self._newest()
        self._waiting_characters = 0

    def _newest(self) -> int:
        if self._last_number is None:
            self._last_number = self._highest("message_places")
        return self._last_number

    def _indexed_up_to(self) -> int:
        if self._last_indexed is None:
            self._last_indexed = self._highest("message_words_docsize")
        return self._last_indexed

    def _highest(self, table: str) -> int:
        highest: int = self._connection.execute(f"SELECT coalesce(max(id), 0) FROM {table}").fetchone()[0]
        return highest
