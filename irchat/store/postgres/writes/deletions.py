"""Deletions of messages in PostgreSQL: with their words, marks and mentions, in a turn or after it."""

from collections.abc import Sequence

from irchat.interfaces.stored import ChatKey
from irchat.interfaces.writes import MessagesDeleted
from irchat.store.chat_row import ChatRow
from irchat.store.postgres.connecting import Connection
from irchat.store.postgres.search.indexing import remove_words
from irchat.store.postgres.writes.gathered import GatheredRows, columns

_NOTE_ENDS = (
    "INSERT INTO deleted_ends (chat, sender, seq, at)"
    " SELECT DISTINCT ON (chat, sender) chat, sender, seq, at"
    " FROM unnest(%s::bigint[], %s::bigint[]) AS gone (chat, seq)"
    " JOIN messages USING (chat, seq) ORDER BY chat, sender, seq DESC"
    " ON CONFLICT (chat, sender) DO UPDATE SET seq = excluded.seq, at = excluded.at"
    " WHERE excluded.seq > deleted_ends.seq"
)
_DELETE = (
    "DELETE FROM messages USING unnest(%s::bigint[], %s::bigint[]) AS gone (chat, seq)"
    " WHERE messages.chat = gone.chat AND messages.seq = gone.seq RETURNING id"
)
_DELETE_ABOUT = tuple(
    f"DELETE FROM {table} USING unnest(%s::bigint[], %s::bigint[]) AS gone (chat, seq)"
    f" WHERE {table}.chat = gone.chat AND {table}.seq = gone.seq"
    for table in ("marks", "mentions")
)
_DELETE_AMENDED = (
    "DELETE FROM amended USING unnest(%s::bigint[], %s::bigint[]) AS gone (chat, seq)"
    " WHERE amended.chat = gone.chat AND amended.seq = gone.seq AND NOT deleted"
)
_NOTE_GAPS = (
    "UPDATE chats SET gaps_up_to = greatest(gaps_up_to, gone.seq)"
    " FROM (SELECT chat, max(seq) AS seq FROM unnest(%s::bigint[], %s::bigint[]) AS gone (chat, seq) GROUP BY chat)"
    " AS gone WHERE chats.id = gone.chat"
)


class DeletionWriter(GatheredRows):
    """Deletes messages in a turn."""

    def delete_messages(self, write: MessagesDeleted) -> None:
        chats: dict[ChatKey, ChatRow] = {}
        places: list[tuple[int, int]] = []
        for key, seq in write.places:
            row = chats.get(key) or self._chat(key)
            if row is not None:
                chats[key] = row
                places.append((row.id, seq))
        if not places:
            return
        self._note_ends(places)
        delete(self._connection, places)
        self._connection.execute(_DELETE_AMENDED, columns(places, 2))
        self._connection.execute(_NOTE_GAPS, columns(places, 2))
        for key, row in chats.items():
            if isinstance(key, tuple) and self._one("SELECT 1 FROM messages WHERE chat = %s LIMIT 1", row.id) is None:
                del self._chats[key]
                self._connection.execute("DELETE FROM chats WHERE id = %s", (row.id,))

    def _note_ends(self, places: Sequence[tuple[int, int]]) -> None:
        """Note the last deleted message of each sender: deletions must not move the ends shown to readers."""
        self._connection.execute(_NOTE_ENDS, columns(places, 2))


def delete(connection: Connection, places: Sequence[tuple[int, int]]) -> None:
    """Delete messages by chat and seq, also from the search index."""
    gone = columns(places, 2)
    ids = [message_id for (message_id,) in connection.execute(_DELETE, gone)]
    remove_words(connection, ids)
    for statement in _DELETE_ABOUT:
        connection.execute(statement, gone)
