"""The SQL of the writes that change a stored message, in PostgreSQL."""

from irchat.store.message_changes import Found, Mark, MessageChanges, Target
from irchat.store.postgres.search.indexing import replace_words
from irchat.store.postgres.writes.deletions import DeletionWriter

_HIGHEST = 2**63 - 1

_PUT_CHANGE = (
    "INSERT INTO amended (chat, seq, rev, edited_at, deleted) VALUES (%s, %s, %s, %s, %s) ON CONFLICT (chat, seq)"
    " DO UPDATE SET rev = excluded.rev, edited_at = excluded.edited_at, deleted = excluded.deleted"
)
_NOTE_MARK = (
    "INSERT INTO amended (chat, seq, rev) VALUES (%s, %s, %s) ON CONFLICT (chat, seq) DO UPDATE SET rev = excluded.rev"
)
_LAST_OF_USER = (
    "SELECT seq FROM (SELECT seq, sender FROM messages WHERE chat = %s ORDER BY seq DESC LIMIT %s) AS latest"
    " WHERE sender = %s ORDER BY seq DESC LIMIT 1"
)
# The last member that joined has the highest standing.
_FIND = (
    "SELECT sender, at, id,"
    " coalesce((SELECT since_seq FROM members WHERE chat = %(chat)s ORDER BY standing DESC LIMIT 1), 0),"
    " EXISTS (SELECT 1 FROM marks WHERE chat = %(chat)s AND seq = %(seq)s)"
    " FROM messages WHERE chat = %(chat)s AND seq = %(seq)s AND (%(user)s::bigint IS NULL"
    " OR EXISTS (SELECT 1 FROM members WHERE user_id = %(user)s AND chat = %(chat)s AND since_seq < %(seq)s))"
)
_TAKE_MARK = "DELETE FROM marks WHERE chat = %s AND seq = %s AND key = %s AND user_id = %s"
_PUT_MARK = "INSERT INTO marks (chat, seq, key, user_id, mark, at) VALUES (%s, %s, %s, %s, %s, %s)"
_MARKS_NOW = (
    "SELECT coalesce(bool_or(key = %(key)s AND user_id = %(user)s), false), count(*) FILTER (WHERE user_id = %(user)s),"
    " CASE WHEN coalesce(bool_or(key = %(key)s), false) THEN 0 ELSE count(DISTINCT key) END"
    " FROM marks WHERE chat = %(chat)s AND seq = %(seq)s"
)


class AmendWriter(DeletionWriter, MessageChanges):
    """Runs these writes in a turn."""

    def _find(self, chat: int, seq: int, user: int | None) -> Found | None:
        wanted = {"chat": chat, "seq": min(seq, _HIGHEST), "user": user}
        found = self._connection.execute(_FIND, wanted).fetchone()
        return None if found is None else Found(*found)

    def _last_of(self, chat: int, user: int | None, sought: int) -> int | None:
        seq: int | None = self._one(_LAST_OF_USER, chat, sought, user)
        return seq

    def _put_text(self, target: Target, text: str) -> None:
        self._connection.execute("UPDATE messages SET text = %s WHERE id = %s", (text, target.message.id))
        replace_words(self._connection, target.message.id, target.row.id, target.seq, text)

    def _marks_now(self, mark: Mark) -> tuple[bool, int, int]:
        is_on, own, different = self._connection.execute(_MARKS_NOW, mark._asdict()).fetchone() or (False, 0, 0)
        return is_on, own, different

    def _put_mark(self, mark: Mark, text: str, at: int) -> None:
        self._connection.execute(_PUT_MARK, (*mark, text, at))

    def _take_mark(self, mark: Mark) -> bool:
        return self._connection.execute(_TAKE_MARK, mark).rowcount > 0

    def _put_alert(self, chat: int, user: int, alert: str) -> None:
        self._connection.execute("UPDATE members SET alert = %s WHERE user_id = %s AND chat = %s", (alert, user, chat))

    def _note_change(self, chat: int, seq: int, rev: int, edited_at: int | None, deleted: bool) -> None:
        self._connection.execute(_PUT_CHANGE, (chat, seq, rev, edited_at, deleted))

    def _note_mark(self, chat: int, seq: int, rev: int) -> None:
        self._connection.execute(_NOTE_MARK, (chat, seq, rev))

    def _late(self, chat: int, seq: int) -> frozenset[int]:
        rows = self._connection.execute("SELECT user_id FROM members WHERE chat = %s AND since_seq >= %s", (chat, seq))
        return frozenset(user for (user,) in rows)
