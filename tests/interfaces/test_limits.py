"""Limits that change while the server runs."""

from twisted.trial.unittest import SynchronousTestCase

from irchat.interfaces.limits import Limits


class LimitsTests(SynchronousTestCase):
    """`Limits`."""

    def test_change(self) -> None:
        """All values are taken over, for every holder of the object."""
        held = limits = Limits()
        others = Limits(per_user=1, groups=2, timed=3)
        limits.change_to(others)
        self.assertEqual(held, others)
        self.assertIsNot(held, others)
