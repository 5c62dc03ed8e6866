"""Search in short steps. An expensive search ends early, with the messages found so far."""

import json
import sqlite3
import time
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from irchat.interfaces.stored import ChatKey, StoredMessage
from irchat.protocol.rules import line_bytes
from irchat.store.sqlite.amending.amended_reading import Hit, hits_with_changes
from irchat.store.sqlite.search.wordless import hits_without_words
from irchat.text.folding import words

# The longest phrase that FTS5 searches for. Each word costs a walk through all its places in a message. The words of a
# longer phrase are searched for in any order, and the hits are then compared.
_SIDE_BY_SIDE = 16
# The messages that the first step searches, and the most that any step does. A quick step is followed by a longer one.
_FIRST_STEP = 256
_LARGEST_STEP = 1 << 22
_STEP_FACTOR = 4
# Seconds of CPU time, without waits for the disk: the limit of a quick step, and that of a search.
_QUICK_SECONDS = 0.01
_SEARCH_SECONDS = 0.25

thread_seconds = time.thread_time


class StoreSearch:
    """A search for the newest messages that contain all of ``wanted``, each a word or a phrase.

    With ``mark``, only for those with the mark of this key; with ``mentions``, only for those that mention the user.
    ``wanted`` may then be empty, and ``needs_index`` is False.

    Call `step` until ``is_over``. Then ``found`` has the messages, newest first. ``more``: there may be others, because
    ``limit`` messages, ``page_bytes`` (with ``overhead`` for each) or the time budget were reached.
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
        mark: str | None = None,
        mentions: bool = False,
    ) -> None:
        self.found: list[StoredMessage] = []
        self.more = False
        self.user = user
        self._chat = chat
        self._hidden = hidden
        self._mark = mark
        self._mentions = mentions
        self._limit = limit
        self._overhead = overhead
        self._room = page_bytes
        self._phrases = list(dict.fromkeys(phrase for one in wanted if (phrase := tuple(words(one)))))
        self._match, self._is_exact = _match(self._phrases)
        self.needs_index = bool(wanted)
        self.is_over = not self._phrases and (self.needs_index or (mark is None and not mentions))
        self._below: int | None = None
        self._step = _FIRST_STEP
        self._seconds = 0.0
        self._hits: list[Hit] = []

    def step(self, connection: sqlite3.Connection) -> None:
        """Search the next messages."""
        began = thread_seconds()
        if self.needs_index:
            self._look(connection)
        else:
            self._look_without_words(connection)
        # In the transaction that read the texts, so that each has the rev of its text.
        self.found += hits_with_changes(connection, self._hits, self.user, self._hidden)
        self._hits.clear()
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
        for hit in self._between(connection, match, first, self._below):
            if not self._take(hit):
                self._end(more=True)
                return
        self._below = first
        if first <= 1:
            self._end(more=False)

    def _look_without_words(self, connection: sqlite3.Connection) -> None:
        """Search all messages with the mark or the mention."""
        began = thread_seconds()
        for hit in hits_without_words(connection, self.user, self._chat, self._mark, self._mentions, self._hidden):
            if (hit is not None and not self._take(hit)) or thread_seconds() - began >= _SEARCH_SECONDS:
                self._end(more=True)
                return
        self._end(more=False)

    def _take(self, hit: Hit) -> bool:
        """Add a message. Return False if the page is full."""
        count = len(self.found) + len(self._hits)
        self._room -= line_bytes(hit[2].text) + self._overhead
        if count == self._limit or (self._room < 0 and count):
            return False
        self._hits.append(hit)
        return True

    def _end(self, *, more: bool) -> None:
        self.is_over, self.more = True, more

    def _between(self, connection: sqlite3.Connection, match: str, first: int, below: int) -> Iterator[Hit]:
        """Yield the matches among the messages from number ``first`` to before ``below``, newest first.

        A search in all chats looks up the chat of each match: naming a thousand chats would cost 500 times as much.
        """
        hidden = json.dumps(sorted(self._hidden))
        rows = connection.execute(
            f"{_MATCHES}{_SEEN if self._hidden else ''}{'' if self._mark is None else _MARKED}"
            f"{_MENTIONED if self._mentions else ''} ORDER BY message_words.rowid DESC",
            {"user": self.user, "match": match, "first": first, "below": below, "hidden": hidden, "mark": self._mark},
        )
        for chat, low, high, rev, seq, sender, at, text in rows:
            if self._is_exact or self._holds(text):
                yield chat, rev, StoredMessage(chat if low is None else (low, high), seq, sender, at, text)

    def _holds(self, text: str) -> bool:
        spaced = f" {' '.join(words(text))} "
        return all(f" {' '.join(phrase)} " in spaced for phrase in self._phrases)


_MATCHES = (
    "SELECT chats.id, low, high, rev, messages.seq, sender, at, messages.text FROM message_words"
    " CROSS JOIN message_places AS place ON place.id = message_words.rowid"
    " CROSS JOIN members ON members.user = :user AND members.chat = place.chat AND place.seq > members.since_seq"
    " CROSS JOIN messages ON messages.chat = place.chat AND messages.seq = place.seq"
    " CROSS JOIN chats ON chats.id = place.chat"
    " WHERE message_words MATCH :match AND message_words.rowid >= :first AND message_words.rowid < :below"
)
_SEEN = " AND sender NOT IN (SELECT value FROM json_each(:hidden))"
_MARKED = (
    " AND EXISTS (SELECT 1 FROM marks WHERE marks.chat = place.chat AND marks.seq = place.seq AND key = :mark"
    " AND marks.user NOT IN (SELECT value FROM json_each(:hidden)))"
)
_MENTIONED = (
    " AND EXISTS (SELECT 1 FROM mentions WHERE mentions.user = :user AND mentions.chat = place.chat"
    " AND mentions.seq = place.seq)"
)


def _match(phrases: Sequence[tuple[str, ...]]) -> tuple[str, bool]:
    """Return the FTS5 query, and whether all of its matches are hits.

    Each word is quoted and contains no quote and no NUL: it is data and never syntax.
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
    """Return the number of a chat of the user, or None."""
    values: tuple[Any, ...] = key if isinstance(key, tuple) else (key,)
    found = connection.execute(
        "SELECT chats.id FROM members JOIN chats ON chats.id = members.chat WHERE members.user = ?"
        f" AND {'chats.low = ? AND chats.high = ?' if isinstance(key, tuple) else 'chats.id = ?'}",
        (user, *values),
    ).fetchone()
    return None if found is None else found[0]
