"""Check the consistency of the database."""

import sqlite3
from collections.abc import Iterator

from irchat.store.sqlite.schema import differences
from irchat.store.sqlite.search.rebuilding import UNFINISHED

_ERRORS_MOST = 20
# The most messages that may wait for the index, except while it is rebuilt. Some hundred do, and more under load.
_WAITING_MOST = 100_000

# Each query finds inconsistent rows, and returns the values for its message.
_INVARIANTS = (
    "SELECT 'chat ' || chats.id || ' ends at ' || last_seq || ' but has a message ' || max(seq) FROM chats"
    " JOIN messages ON chat = chats.id GROUP BY chats.id HAVING max(seq) > last_seq",
    "SELECT 'chat ' || id || ' lacks messages between ' || gaps_up_to || ' and ' || last_seq FROM chats"
    " WHERE (SELECT count(*) FROM messages WHERE chat = chats.id AND seq > gaps_up_to)"
    " + (SELECT count(*) FROM amended WHERE chat = chats.id AND seq > gaps_up_to AND deleted) < last_seq - gaps_up_to",
    "SELECT 'user ' || user || ' has read chat ' || chat || ' up to ' || read_seq || ', which ends at ' || last_seq"
    " FROM members JOIN chats ON id = chat WHERE read_seq > last_seq OR since_seq > last_seq",
    "SELECT 'message ' || messages.seq || ' of chat ' || messages.chat || ' has no place' FROM messages"
    " LEFT JOIN message_places AS place ON place.id = messages.id AND place.chat = messages.chat"
    " AND place.seq = messages.seq WHERE place.id IS NULL",
    "SELECT 'chat ' || id || ' has a change ' || max(amended.rev) || ' but the last one is ' || chats.rev FROM chats"
    " JOIN amended ON chat = id GROUP BY id HAVING max(amended.rev) > chats.rev",
    "SELECT 'message ' || seq || ' of chat ' || chat"
    " || iif(deleted, ' was deleted but exists', ' was changed but is missing')"
    " FROM amended LEFT JOIN messages USING (chat, seq) WHERE deleted = (id IS NOT NULL)",
    "SELECT DISTINCT 'message ' || seq || ' of chat ' || chat || ' has a mark but was never changed' FROM marks"
    " LEFT JOIN amended USING (chat, seq) WHERE rev IS NULL OR deleted",
    "SELECT DISTINCT 'message ' || seq || ' of chat ' || chat || ' mentions a user but is missing' FROM mentions"
    " LEFT JOIN messages USING (chat, seq) WHERE id IS NULL",
    "SELECT 'there are ' || places || ' places for ' || messages || ' messages' FROM"
    " (SELECT (SELECT count(*) FROM message_places) AS places, (SELECT count(*) FROM messages) AS messages)"
    " WHERE places != messages",
    "SELECT 'the search index has ' || words || ' messages of ' || places FROM"
    " (SELECT (SELECT count(*) FROM message_words_docsize) AS words, (SELECT count(*) FROM message_places) AS places,"
    " (SELECT count(*) FROM message_places"
    " WHERE id > (SELECT coalesce(max(id), 0) FROM message_words_docsize)) AS waiting)"
    " WHERE words + waiting != places OR (waiting > :waiting_most AND NOT EXISTS"
    f" (SELECT 1 FROM properties WHERE name = 'folding' AND value LIKE '%{UNFINISHED}'))",
    "SELECT 'group ' || id || ' is owned by user ' || owner || ', who is not in it' FROM chats"
    " WHERE owner IS NOT NULL AND NOT EXISTS (SELECT 1 FROM members WHERE chat = id AND user = owner)",
    "SELECT 'user ' || id || ' is not in GLOBAL' FROM users"
    " WHERE removed_at IS NULL AND NOT EXISTS (SELECT 1 FROM members WHERE user = id AND chat = 1)",
    "SELECT 'user ' || id || ' was removed but is in a chat or can sign in' FROM users WHERE removed_at IS NOT NULL"
    " AND (EXISTS (SELECT 1 FROM members WHERE user = id) OR EXISTS (SELECT 1 FROM tokens WHERE user = id)"
    " OR EXISTS (SELECT 1 FROM keys WHERE user = id))",
)


def problems(connection: sqlite3.Connection) -> Iterator[str]:
    """Return the problems of a database of this version, one line for each, and a few of each kind at most.

    It takes the writer's lock and changes nothing. Raises sqlite3.Error if the file cannot be read at all.
    """
    try:
        found = [f"it is not as IRChat makes it: {difference}" for difference in differences(connection)]
        found = found or [str(row[0]) for row in connection.execute(f"PRAGMA integrity_check({_ERRORS_MOST})")]
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError as error:
        found = [str(error)]
    if found != ["ok"]:
        yield from (" ".join(line.split()) for line in found[:_ERRORS_MOST])
        return
    for table, row, parent, _ in connection.execute("PRAGMA foreign_key_check").fetchmany(_ERRORS_MOST):
        yield f"row {row} of {table} refers to what is not in {parent}"
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.execute("INSERT INTO message_words (message_words) VALUES ('integrity-check')")
    except sqlite3.DatabaseError as error:
        yield f"the search index is damaged: {error}"
    finally:
        connection.execute("ROLLBACK")
    for invariant in _INVARIANTS:
        for (line,) in connection.execute(invariant, {"waiting_most": _WAITING_MOST}).fetchmany(_ERRORS_MOST):
            yield line
