"""The contract of the writes of accounts, on PostgreSQL."""

from twisted.trial.unittest import SynchronousTestCase

from tests.helpers.stores import PostgresHands
from tests.store.sqlite.test_account_writes import AccountContract


class AccountTests(AccountContract, PostgresHands, SynchronousTestCase):
    """PostgreSQL does what every store must."""
