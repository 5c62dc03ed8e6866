"""Limits that change while the server runs."""

from twisted.trial.unittest import SynchronousTestCase

from irchat.interfaces.limits import Limits


class LimitsTests(SynchronousTestCase):
    """`Limits`."""

    def test_change(self) -> None:
        """All values are taken over, for everyone that holds the object."""
        held = limits = Limits()
        others = Limits(1, 2, 3, 4, 5, 6.5, 7, 8, 9, 10)
        limits.change_to(others)
        self.assertEqual(held, others)
        self.assertIsNot(held, others)
