"""Searching in short steps: an expensive search ends with what it has found in time."""

import json
import sqlite3
import time
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from irchat.interfaces.stored import ChatKey, StoredMessage
from irchat.protocol.rules import line_bytes
from irchat.text.folding import words

# Words that FTS5 looks for side by side: each costs a walk through all its places in a message. For longer phrases it
# looks for words in any order, and the matches are compared afterwards.
_SIDE_BY_SIDE = 16
# The messages of the first step, from the newest on, and of the largest. After a quick step comes a larger one.
_FIRST_STEP = 256
_LARGEST_STEP = 1 << 22
_STEP_FACTOR = 4
# The CPU time of a quick step, and of a whole search. Waiting for the disk does not count.
_QUICK_SECONDS = 0.01
_SEARCH_SECONDS = 0.25

thread_seconds = time.thread_time


class StoreSearch:
    """A search for the newest messages that hold all ``wanted``, each a word or several words side by side.

    Call `step` until ``is_over``; then ``found`` has the messages, newest first, and ``more`` whether there may be
    more: beyond ``limit`` messages or ``page_bytes`` (with ``overhead`` for each), or because the search took too long.
    """

    def __init__(
        self,
        user: int,
        wanted: Sequence[str],
        chat: ChatKey | None,
        hidden: Collection[int],
        limit: int,
        overhead: int,
        page_bytes: int,
    ) -> None:
        self.found: list[StoredMessage] = []
        self.more = False
        self.user = user
        self._chat = chat
        self._hidden = json.dumps(sorted(hidden)) if hidden else ""
        self._limit = limit
        self._overhead = overhead
        self._room = page_bytes
        self._phrases = list(dict.fromkeys(phrase for one in wanted if (phrase := tuple(words(one)))))
        self._match, self._is_exact = _match(self._phrases)
        self.is_over = not self._phrases
        self._below: int | None = None
        self._step = _FIRST_STEP
        self._seconds = 0.0

    def step(self, connection: sqlite3.Connection) -> None:
        """Search some messages."""
        began = thread_seconds()
        self._look(connection)
        took = thread_seconds() - began
        self._seconds += took
        if took < _QUICK_SECONDS:
            self._step = min(self._step * _STEP_FACTOR, _LARGEST_STEP)
        else:
            self._step = max(self._step // _STEP_FACTOR, 1)
        if not self.is_over and self._seconds >= _SEARCH_SECONDS:
            self._end(more=True)

    def _look(self, connection: sqlite3.Connection) -> None:
        match = self._match
        if self._chat is not None:
            chat = _chat_of(connection, self.user, self._chat)
            if chat is None:
                self._end(more=False)
                return
            match = f'chat:("c{chat}") AND {match}'
        if self._below is None:
            (last,) = connection.execute("SELECT coalesce(max(id), 0) FROM message_places").fetchone()
            self._below = last + 1
        first = self._below - self._step
        for message in self._between(connection, match, first, self._below):
            if not self._take(message):
                self._end(more=True)
                return
        self._below = first
        if first <= 1:
            self._end(more=False)

    def _take(self, message: StoredMessage) -> bool:
        """Add a message. Return False if there is no room for it."""
        self._room -= line_bytes(message.text) + self._overhead
        if len(self.found) == self._limit or (self._room < 0 and self.found):
            return False
        self.found.append(message)
        return True

    def _end(self, *, more: bool) -> None:
        self.is_over, self.more = True, more

    def _between(self, connection: sqlite3.Connection, match: str, first: int, below: int) -> Iterator[StoredMessage]:
        """Yield the matches among the messages numbered from ``first`` up to before ``below``, newest first.

        In a search of all chats each match is looked up: naming a thousand chats here costs 500 times as much.
        """
        seen, values = ("", ()) if not self._hidden else (_SEEN, (self._hidden,))
        rows = connection.execute(
            f"{_MATCHES}{seen} ORDER BY message_words.rowid DESC", (self.user, match, first, below, *values)
        )
        for chat, low, high, seq, sender, at, text in rows:
            if self._is_exact or self._holds(text):
                yield StoredMessage(chat if low is None else (low, high), seq, sender, at, text)

    def _holds(self, text: str) -> bool:
        spaced = f" {' '.join(words(text))} "
        return all(f" {' '.join(phrase)} " in spaced for phrase in self._phrases)


_MATCHES = (
    "SELECT chats.id, low, high, messages.seq, sender, at, messages.text FROM message_words"
    " CROSS JOIN message_places AS place ON place.id = message_words.rowid"
    " CROSS JOIN members ON members.user = ? AND members.chat = place.chat AND place.seq > members.since_seq"
    " CROSS JOIN messages ON messages.chat = place.chat AND messages.seq = place.seq"
    " CROSS JOIN chats ON chats.id = place.chat"
    " WHERE message_words MATCH ? AND message_words.rowid >= ? AND message_words.rowid < ?"
)
_SEEN = " AND sender NOT IN (SELECT value FROM json_each(?))"


def _match(phrases: Sequence[tuple[str, ...]]) -> tuple[str, bool]:
    """Return the FTS5 query, and whether each of its matches is a match of the search.

    Each word is quoted, and has no quote or NUL in it: it is data, never syntax.
    """
    room = _SIDE_BY_SIDE
    is_exact = True
    asked: dict[tuple[str, ...], None] = {}
    for phrase in phrases:
        length = len(phrase)
        if length > 1:
            length = min(length, max(room, 1))
            room -= length
        asked[phrase[:length]] = None
        for word in phrase[length:]:
            asked[(word,)] = None
            is_exact = False
    return "text:({})".format(" AND ".join(f'"{" ".join(words)}"' for words in asked)), is_exact


def _chat_of(connection: sqlite3.Connection, user: int, key: ChatKey) -> int | None:
    """Return the id of a chat that the user is in."""
    values: tuple[Any, ...] = key if isinstance(key, tuple) else (key,)
    found = connection.execute(
        "SELECT chats.id FROM members JOIN chats ON chats.id = members.chat WHERE members.user = ?"
        f" AND {'chats.low = ? AND chats.high = ?' if isinstance(key, tuple) else 'chats.id = ?'}",
        (user, *values),
    ).fetchone()
    return None if found is None else found[0]
