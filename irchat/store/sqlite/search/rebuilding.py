"""Rebuild the search index after an upgrade, or if this Python folds texts in another way than the last one."""

import sqlite3

from irchat.store.sqlite import properties
from irchat.store.sqlite.migrations import Tell
from irchat.store.sqlite.search.indexing import SearchIndex
from irchat.text.folding import FOLDING

_PROPERTY = "folding"
# A mark behind the name of the folding while not all of the old messages are in the index.
UNFINISHED = " unfinished"
# The batches of one transaction. Nothing waits for it, and little is lost if it is killed.
_PARTS = 16


def make_ready(connection: sqlite3.Connection, index: SearchIndex, tell: Tell) -> None:
    """Rebuild the index if it was made with another folding, or resume a rebuild that was interrupted.

    It holds a few messages in memory at a time. ``tell`` receives the progress. Raises sqlite3.Error.
    """
    found = properties.get(connection, _PROPERTY)
    if found == FOLDING:
        return
    if found != FOLDING + UNFINISHED:
        with connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("INSERT INTO message_words (message_words) VALUES ('delete-all')")
            properties.put(connection, _PROPERTY, FOLDING + UNFINISHED)
    while index.last_indexed < index.last_number:
        with connection:
            connection.execute("BEGIN IMMEDIATE")
            for _ in range(_PARTS):
                index.bring_in()
        tell(f"making the search index: {index.last_indexed:,} of {index.last_number:,} messages")
    properties.put(connection, _PROPERTY, FOLDING)
    index.committed()
