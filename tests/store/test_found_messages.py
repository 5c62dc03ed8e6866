"""The results of a search."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from irchat.interfaces.store import SearchQuery
from irchat.interfaces.stored import GLOBAL, StoredMessage
from irchat.protocol.rules import line_bytes
from irchat.store.found_messages import FoundMessages

_TEXT = "wörd"


def found(*words: str, limit: int = 3, **how: Any) -> FoundMessages:
    """Return the results of a search before it begins."""
    return FoundMessages(SearchQuery(1, words, None, (), limit, **how))


class FoundTests(SynchronousTestCase):
    """Adding messages."""

    def take(self, results: FoundMessages, count: int) -> int:
        """Add messages while there is room. Return how many there are."""
        for seq in range(count):
            results.take((1, 0, StoredMessage(GLOBAL, seq, 1, 1, _TEXT)))
        return len(results.hits)

    def test_nothing_to_search_for(self) -> None:
        """A search without a word, a mark or mentions is over. Without words it needs no index."""
        self.assertEqual([found().is_over, found("...").is_over, found("...", mark="a").is_over], [True, True, True])
        for results in found("a"), found(mark="a"), found(mentions=True):
            self.assertFalse(results.is_over)
        self.assertEqual([found("a").needs_index, found(mark="a").needs_index], [True, False])

    def test_limit(self) -> None:
        """One message more than the limit ends the search, and says that there are more."""
        results = found("a")
        self.assertEqual((self.take(results, 3), results.is_over), (3, False))
        self.assertEqual((self.take(results, 1), results.is_over, results.more), (3, True, True))

    def test_bytes(self) -> None:
        """Texts and overhead fit in the bytes, but the first message always does."""
        two = 2 * (line_bytes(_TEXT) + 5)
        for page_bytes, count in ((1, 1), (two - 1, 1), (two, 2)):
            results = found("a", overhead=5, page_bytes=page_bytes)
            self.assertEqual((self.take(results, 3), results.more), (count, True))
