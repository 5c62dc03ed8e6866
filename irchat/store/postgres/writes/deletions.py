"""Deletions of messages in PostgreSQL: with their words, marks and mentions, in a turn or after it."""

from irchat.interfaces.stored import ChatKey
from irchat.store.message_changes import Places
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

    def _note_ends(self, places: Places) -> None:
        self._connection.execute(_NOTE_ENDS, columns(places, 2))

    def _delete(self, places: Places) -> None:
        delete(self._connection, places)

    def _leave_gaps(self, places: Places) -> None:
        self._connection.execute(_DELETE_AMENDED, columns(places, 2))
        self._connection.execute(_NOTE_GAPS, columns(places, 2))

    def _drop_if_empty(self, key: ChatKey, chat: int) -> None:
        if self._one("SELECT 1 FROM messages WHERE chat = %s LIMIT 1", chat) is None:
            del self._chats[key]
            self._connection.execute("DELETE FROM chats WHERE id = %s", (chat,))


def delete(connection: Connection, places: Places) -> None:
    """Delete messages by chat and seq, also from the search index."""
    gone = columns(places, 2)
    ids = [message_id for (message_id,) in connection.execute(_DELETE, gone)]
    remove_words(connection, ids)
    for statement in _DELETE_ABOUT:
        connection.execute(statement, gone)
