"""Search in short steps. An expensive search ends early, with the messages found so far."""

import json
import sqlite3
import time
from collections.abc import Iterator, Sequence

from irchat.interfaces.store import SearchQuery
from irchat.interfaces.stored import StoredMessage
from irchat.store.changed_messages import Hit, changed_hits
from irchat.store.found_messages import FoundMessages
from irchat.store.phrases import Phrase, for_index, holds
from irchat.store.sqlite.amending.amended_reading import with_changes
from irchat.store.sqlite.reading import chat_is
from irchat.store.sqlite.search.wordless import hits_without_words

# The messages that the first step searches, and the most that any step does. A quick step is followed by a longer one.
_FIRST_STEP = 256
_LARGEST_STEP = 1 << 22
_STEP_FACTOR = 4
# Seconds of CPU time, without waits for the disk: the limit of a quick step, and that of a search.
_QUICK_SECONDS = 0.01
_SEARCH_SECONDS = 0.25

thread_seconds = time.thread_time


class StoreSearch(FoundMessages):
    """A search. Call `step` until ``is_over``."""

    def __init__(self, query: SearchQuery) -> None:
        super().__init__(query)
        self._match, self._is_exact = _match(self.phrases)
        self._below: int | None = None
        self._step = _FIRST_STEP
        self._seconds = 0.0

    def step(self, connection: sqlite3.Connection) -> None:
        """Search the next messages."""
        began = thread_seconds()
        if self.needs_index:
            self._look(connection)
        else:
            self._look_without_words(connection)
        # In the transaction that read the texts, so that each has the rev of its text.
        user, hidden = self.query.user, self.query.hidden
        self.found += changed_hits(
            self.hits, lambda chat, rev, messages: with_changes(connection, chat, rev, messages, user, hidden)
        )
        self.hits.clear()
        took = thread_seconds() - began
        self._seconds += took
        if took < _QUICK_SECONDS:
            self._step = min(self._step * _STEP_FACTOR, _LARGEST_STEP)
        else:
            self._step = max(self._step // _STEP_FACTOR, 1)
        if not self.is_over and self._seconds >= _SEARCH_SECONDS:
            self.end(more=True)

    def _look(self, connection: sqlite3.Connection) -> None:
        match = self._match
        if self.query.chat is not None:
            is_chat, values = chat_is(self.query.chat)
            found = connection.execute(f"{_CHAT_OF_USER}{is_chat}", (self.query.user, *values)).fetchone()
            if found is None:
                self.end(more=False)
                return
            match = f'chat:("c{found[0]}") AND {match}'
        if self._below is None:
            (last,) = connection.execute("SELECT coalesce(max(id), 0) FROM message_places").fetchone()
            self._below = last + 1
        first = self._below - self._step
        for hit in self._between(connection, match, first, self._below):
            if not self.take(hit):
                return
        self._below = first
        if first <= 1:
            self.end(more=False)

    def _look_without_words(self, connection: sqlite3.Connection) -> None:
        """Search all messages with the mark or the mention."""
        began = thread_seconds()
        for hit in hits_without_words(connection, self.query):
            if hit is not None and not self.take(hit):
                return
            if thread_seconds() - began >= _SEARCH_SECONDS:
                self.end(more=True)
                return
        self.end(more=False)

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
        for chat, low, high, rev, seq, sender, at, text, notice in rows:
            if self._is_exact or holds(text, self.phrases):
                key = chat if low is None else (low, high)
                yield chat, rev, StoredMessage(key, seq, sender, at, text, notice=bool(notice))


_MATCHES = (
    "SELECT chats.id, low, high, rev, messages.seq, sender, at, messages.text, notice FROM message_words"
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


def _match(phrases: Sequence[Phrase]) -> tuple[str, bool]:
    """Return the FTS5 query, and whether all of its matches are hits.

    Each word is quoted and contains no quote and no NUL: it is data and never syntax.
    """
    asked, is_exact = for_index(phrases)
    return "text:({})".format(" AND ".join(f'"{" ".join(words)}"' for words in asked)), is_exact
