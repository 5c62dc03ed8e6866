"""The numbers of the locks."""

from twisted.trial.unittest import SynchronousTestCase

from irchat.store.postgres import locks


class LocksTests(SynchronousTestCase):
    """All locks."""

    def test_distinct(self) -> None:
        """No two are the same."""
        numbers = [value for name, value in vars(locks).items() if name.isupper()]
        self.assertEqual(len(set(numbers)), len(numbers))
        self.assertTrue(len(numbers) >= 9)
