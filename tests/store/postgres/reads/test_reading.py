"""The contract of these reads, on PostgreSQL."""

from twisted.trial.unittest import SynchronousTestCase

from tests.helpers.stores import PostgresHands
from tests.store.sqlite.test_reading import EndsContract


class EndsTests(EndsContract, PostgresHands, SynchronousTestCase):
    """PostgreSQL does what every store must."""
