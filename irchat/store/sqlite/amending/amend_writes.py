"""The SQL of the writes that change a stored message, in SQLite."""

from irchat.store.message_changes import Found, Mark, MessageChanges, Target
from irchat.store.sqlite.amending.deletions import DeletionWriter

_PUT_CHANGE = "INSERT OR REPLACE INTO amended (chat, seq, rev, edited_at, deleted) VALUES (?, ?, ?, ?, ?)"
_LAST_OF_USER = (
    "SELECT seq FROM (SELECT seq, sender FROM messages WHERE chat = ? ORDER BY seq DESC LIMIT ?) WHERE sender = ?"
    " LIMIT 1"
)
# The last member that joined has the highest standing.
_FIND = (
    "SELECT sender, at, id, (SELECT since_seq FROM members WHERE chat = ?1 ORDER BY standing DESC LIMIT 1),"
    " EXISTS (SELECT 1 FROM marks WHERE chat = ?1 AND seq = ?2)"
    " FROM messages WHERE chat = ?1 AND seq = ?2 AND (?3 IS NULL OR EXISTS"
    " (SELECT 1 FROM members WHERE user = ?3 AND chat = ?1 AND since_seq < ?2))"
)
_TAKE_MARK = "DELETE FROM marks WHERE chat = ? AND seq = ? AND key = ? AND user = ?"
_PUT_MARK = "INSERT INTO marks (chat, seq, key, user, mark, at) VALUES (?, ?, ?, ?, ?, ?)"
_MARKS_NOW = (
    "SELECT EXISTS (SELECT 1 FROM marks WHERE chat = ?1 AND seq = ?2 AND key = ?3 AND user = ?4),"
    " (SELECT count(*) FROM marks WHERE user = ?4 AND chat = ?1 AND seq = ?2),"
    " CASE WHEN EXISTS (SELECT 1 FROM marks WHERE chat = ?1 AND seq = ?2 AND key = ?3) THEN 0"
    " ELSE (SELECT count(DISTINCT key) FROM marks WHERE chat = ?1 AND seq = ?2) END"
)


class AmendWriter(DeletionWriter, MessageChanges):
    """Runs these writes. ``_marked``: changes of marks that the commit will write, each a chat, a seq and a rev."""

    _marked: list[tuple[int, int, int]]

    def _find(self, chat: int, seq: int, user: int | None) -> Found | None:
        found = self._connection.execute(_FIND, (chat, seq, user)).fetchone()
        if found is None:
            return None
        sender, at, number, joined_at, has_marks = found
        return Found(sender, at, number, joined_at or 0, has_marks == 1)

    def _last_of(self, chat: int, user: int | None, sought: int) -> int | None:
        seq: int | None = self._one(_LAST_OF_USER, chat, sought, user)
        return seq

    def _put_text(self, target: Target, text: str) -> None:
        self._index.replace(target.row.id, target.seq, text)

    def _marks_now(self, mark: Mark) -> tuple[bool, int, int]:
        is_on, own, different = self._connection.execute(_MARKS_NOW, mark).fetchone()
        return bool(is_on), own, different

    def _put_mark(self, mark: Mark, text: str, at: int) -> None:
        self._connection.execute(_PUT_MARK, (*mark, text, at))

    def _take_mark(self, mark: Mark) -> bool:
        return self._connection.execute(_TAKE_MARK, mark).rowcount > 0

    def _put_alert(self, chat: int, user: int, alert: str) -> None:
        self._connection.execute("UPDATE members SET alert = ? WHERE user = ? AND chat = ?", (alert, user, chat))

    def _note_change(self, chat: int, seq: int, rev: int, edited_at: int | None, deleted: bool) -> None:
        self._connection.execute(_PUT_CHANGE, (chat, seq, rev, edited_at, deleted))

    def _note_mark(self, chat: int, seq: int, rev: int) -> None:
        self._marked.append((chat, seq, rev))

    def _late(self, chat: int, seq: int) -> frozenset[int]:
        """See `MessageChanges`. Nobody joined later than the members with a higher standing."""
        late = set()
        for user, since_seq in self._connection.execute(
            "SELECT user, since_seq FROM members WHERE chat = ? ORDER BY standing DESC", (chat,)
        ):
            if since_seq < seq:
                break
            late.add(user)
        return frozenset(late)
