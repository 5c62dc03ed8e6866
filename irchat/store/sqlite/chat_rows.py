"""The rows of chats that the writer caches between commits."""

import sqlite3
from typing import Any

from irchat.interfaces.stored import ChatKey
from irchat.store.chat_row import ChatRow


class ChatRows:
    """Finds chats by their keys on ``_connection``, and caches their rows in ``_chats``."""

    _connection: sqlite3.Connection
    _chats: dict[ChatKey, ChatRow]

    def _one(self, sql: str, *values: object) -> Any:
        row = self._connection.execute(sql, values).fetchone()
        return None if row is None else row[0]

    def _chat(self, key: ChatKey) -> ChatRow | None:
        row = self._chats.get(key)
        if row is None:
            where, values = ("low = ? AND high = ?", key) if isinstance(key, tuple) else ("id = ?", (key,))
            found = self._connection.execute(f"SELECT id, last_seq, last_at, rev FROM chats WHERE {where}", values)
            known = found.fetchone()
            if known is None:
                return None
            row = self._chats[key] = ChatRow(*known)
        return row

    def _chat_to_write(self, key: ChatKey) -> ChatRow:
        row = self._chat(key)
        if row is not None:
            return row
        assert isinstance(key, tuple), "a group is made by GroupCreated"
        chat_id = self._connection.execute("INSERT INTO chats (low, high) VALUES (?, ?)", key).lastrowid
        assert chat_id is not None
        self._connection.executemany(
            "INSERT INTO members (user, chat, standing, since_seq, read_seq) VALUES (?, ?, 0, 0, 0)",
            [(user, chat_id) for user in key],
        )
        row = self._chats[key] = ChatRow(chat_id, 0, None, 0)
        return row
