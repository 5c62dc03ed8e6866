"""The results of a search, for all stores."""

from irchat.interfaces.store import SearchQuery
from irchat.interfaces.stored import StoredMessage
from irchat.protocol.rules import line_bytes
from irchat.store.changed_messages import Hit
from irchat.store.phrases import phrases_of


class FoundMessages:
    """The newest messages that contain all words of ``query``, each of which may be a phrase.

    ``needs_index`` is False if the query has no words, but a mark or mentions.

    Search until ``is_over``. Then ``found`` has the messages, newest first. ``more``: there may be others, because
    ``limit`` messages, ``page_bytes`` (with ``overhead`` for each) or the time budget were reached.
    """

    def __init__(self, query: SearchQuery) -> None:
        self.query = query
        self.found: list[StoredMessage] = []
        self.more = False
        self.phrases = phrases_of(query.words)
        self.needs_index = bool(query.words)
        self.is_over = not self.phrases and (self.needs_index or (query.mark is None and not query.mentions))
        self.hits: list[Hit] = []
        self._room = query.page_bytes

    def take(self, hit: Hit) -> bool:
        """Add a message to ``hits``, which are not in ``found`` yet. If the page is full, end the search instead.

        Return whether it was added.
        """
        count = len(self.found) + len(self.hits)
        self._room -= line_bytes(hit[2].text) + self.query.overhead
        if count == self.query.limit or (self._room < 0 and count):
            self.end(more=True)
            return False
        self.hits.append(hit)
        return True

    def end(self, *, more: bool) -> None:
        """End the search."""
        self.is_over, self.more = True, more
