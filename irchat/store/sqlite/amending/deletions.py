"""Deletions of messages: with their places, words, marks and mentions, and a few at a time where they are many."""

from collections.abc import Iterable

from irchat.interfaces.stored import ChatKey
from irchat.store.message_changes import Places
from irchat.store.sqlite.chat_rows import ChatRows
from irchat.store.sqlite.search.indexing import DELETE_INDEXED, DELETED_CHARACTERS, SearchIndex

# Maximum number of messages of an ended group deleted by one transaction, and of rows about them. Commits run between.
_SWEPT_TOGETHER = 50
_ROWS_SWEPT_TOGETHER = 1_000

_DELETE_MESSAGE = (
    "DELETE FROM message_places WHERE id = (SELECT id FROM messages WHERE chat = ? AND seq = ?)",
    "DELETE FROM messages WHERE chat = ? AND seq = ?",
    "DELETE FROM marks WHERE chat = ? AND seq = ?",
    "DELETE FROM mentions WHERE chat = ? AND seq = ?",
)
_SWEEP_ROWS = tuple(
    f"DELETE FROM {table} WHERE ({key}) IN (SELECT {key} FROM {table} WHERE chat = ? LIMIT ?)"
    for table, key in (("marks", "chat, seq, key, user"), ("mentions", "user, chat, seq"), ("amended", "chat, seq"))
)


class DeletionWriter(ChatRows):
    """Deletes messages, also from ``_index``."""

    _index: SearchIndex

    def _note_ends(self, places: Places) -> None:
        self._connection.executemany(
            "INSERT INTO deleted_ends (chat, sender, seq, at)"
            " SELECT chat, sender, seq, at FROM messages WHERE chat = ? AND seq = ?"
            " ON CONFLICT (chat, sender) DO UPDATE SET seq = excluded.seq, at = excluded.at"
            " WHERE excluded.seq > deleted_ends.seq",
            places,
        )

    def _delete(self, places: Places) -> None:
        indexed = self._index.last_indexed
        self._connection.executemany(DELETE_INDEXED, [(chat, seq, indexed) for chat, seq in places])
        for statement in _DELETE_MESSAGE:
            self._connection.executemany(statement, places)

    def _leave_gaps(self, places: Places) -> None:
        self._connection.executemany("DELETE FROM amended WHERE chat = ? AND seq = ? AND NOT deleted", places)
        self._connection.executemany(
            "UPDATE chats SET gaps_up_to = max(gaps_up_to, ?) WHERE id = ?", [(seq, chat) for chat, seq in places]
        )

    def _drop_if_empty(self, key: ChatKey, chat: int) -> None:
        if self._one("SELECT 1 FROM messages WHERE chat = ? LIMIT 1", chat) is None:
            del self._chats[key]
            self._connection.execute("DELETE FROM chats WHERE id = ?", (chat,))

    def _sweep(self, group: int) -> bool:
        """Delete one batch of the rows of an ended group. Return whether it was the last one."""
        for statement in _SWEEP_ROWS:
            if self._connection.execute(statement, (group, _ROWS_SWEPT_TOGETHER)).rowcount:
                return False
        rows = self._connection.execute(
            "SELECT chat, seq, length(text) FROM messages WHERE chat = ? ORDER BY seq LIMIT ?",
            (group, _SWEPT_TOGETHER + 1),
        ).fetchall()
        places = [(chat, seq) for chat, seq, _ in rows[: min(_SWEPT_TOGETHER, few(length for *_, length in rows))]]
        self._delete(places)
        is_swept = len(places) == len(rows)
        if is_swept:
            self._connection.execute("DELETE FROM chats WHERE id = ?", (group,))
        else:
            self._connection.execute(
                "UPDATE chats SET gaps_up_to = max(gaps_up_to, ?) WHERE id = ?", (places[-1][1], group)
            )
        return is_swept


def few(lengths: Iterable[int]) -> int:
    """Return how many texts of these lengths can be deleted together (minimum: 1)."""
    room = DELETED_CHARACTERS
    count = 0
    for length in lengths:
        room -= length
        if room < 0 and count:
            break
        count += 1
    return count
