"""Search in short steps. An expensive search ends early, with the messages found so far."""

import json
import sqlite3
import time
from collections.abc import Iterator, Sequence

from irchat.interfaces.store import SearchQuery
from irchat.interfaces.stored import StoredMessage
from irchat.protocol.rules import line_bytes
from irchat.store.sqlite.amending.amended_reading import Hit, hits_with_changes
from irchat.store.sqlite.reading import chat_is
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
    """A search for the newest messages that contain all words of ``query``, each of which may be a phrase.

    ``needs_index`` is False if the query has no words, but a mark or mentions.

    Call `step` until ``is_over``. Then ``found`` has the messages, newest first. ``more``: there may be others, because
    ``limit`` messages, ``page_bytes`` (with ``overhead`` for each) or the time budget were reached.
    """

    def __init__(self, query: SearchQuery) -> None:
        self.query = query
        self.found: list[StoredMessage] = []
        self.more = False
        self._room = query.page_bytes
        self._phrases = list(dict.fromkeys(phrase for one in query.words if (phrase := tuple(words(one)))))
        self._match, self._is_exact = _match(self._phrases)
        self.needs_index = bool(query.words)
        self.is_over = not self._phrases and (self.needs_index or (query.mark is None and not query.mentions))
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
        self.found += hits_with_changes(connection, self._hits, self.query.user, self.query.hidden)
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
        if self.query.chat is not None:
            is_chat, values = chat_is(self.query.chat)
            found = connection.execute(f"{_CHAT_OF_USER}{is_chat}", (self.query.user, *values)).fetchone()
            if found is None:
                self._end(more=False)
                return
            match = f'chat:("c{found[0]}") AND {match}'
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
        for hit in hits_without_words(connection, self.query):
            if (hit is not None and not self._take(hit)) or thread_seconds() - began >= _SEARCH_SECONDS:
                self._end(more=True)
                return
        self._end(more=False)

    def _take(self, hit: Hit) -> bool:
        """Add a message. Return False if the page is full."""
        count = len(self.found) + len(self._hits)
        self._room -= line_bytes(hit[2].text) + self.query.overhead
        if count == self.query.limit or (self._room < 0 and count):
            return False
        self._hits.append(hit)
        return True

    def _end(self, *, more: bool) -> None:
        self.is_over, self.more = True, more

    def _between(self, connection: sqlite3.Connection, match: str, first: int, below: int) -> Iterator[Hit]:
        """Yield the matches among the messages from number ``first`` to before ``below``, newest first.

        A search in all chats looks up the chat of each match: naming a thousand chats would cost 500 times as much.
        """
        query, hidden = self.query, json.dumps(sorted(self.query.hidden))
        rows = connection.execute(
            f"{_MATCHES}{_SEEN if query.hidden else ''}{'' if query.mark is None else _MARKED}"
            f"{_MENTIONED if query.mentions else ''} ORDER BY message_words.rowid DESC",
            {"user": query.user, "match": match, "first": first, "below": below, "hidden": hidden, "mark": query.mark},
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
_CHAT_OF_USER = "SELECT chats.id FROM members JOIN chats ON chats.id = members.chat WHERE members.user = ? AND "


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
