"""The contract of these reads, on PostgreSQL."""

from twisted.trial.unittest import SynchronousTestCase

from tests.helpers.stores import PostgresHands
from tests.store.sqlite.search.test_wordless import WordlessContract


class WordlessTests(WordlessContract, PostgresHands, SynchronousTestCase):
    """PostgreSQL does what every store must."""
