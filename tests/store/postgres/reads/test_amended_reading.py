"""The contract of these reads, on PostgreSQL."""

from twisted.trial.unittest import SynchronousTestCase

from tests.helpers.stores import PostgresHands
from tests.store.sqlite.amending.test_amended_reading import AmendedReadingContract


class AmendedReadingTests(AmendedReadingContract, PostgresHands, SynchronousTestCase):
    """PostgreSQL does what every store must."""
