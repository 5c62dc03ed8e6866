"""How long messages from another node take."""

from twisted.trial.unittest import SynchronousTestCase

from irchat.cluster.transit import Transit


class TransitTests(SynchronousTestCase):
    """`Transit`."""

    def test_late(self) -> None:
        """A message is late by what it took longer than the quickest one. The clocks begin anywhere."""
        transit = Transit()
        self.assertEqual(transit.late(1_000.0, 5.25), 0.0)
        self.assertEqual(transit.late(1_001.0, 6.0), 0.0)
        self.assertEqual(transit.late(1_002.0, 7.5), 0.5)

    def test_old(self) -> None:
        """A difference that was seen over a minute ago counts no more: the clocks drift."""
        transit = Transit()
        transit.late(0.0, 0.0)
        for second in range(1, 29):
            self.assertEqual(transit.late(float(second), second + 0.5), 0.5)
        for second in range(29, 91):
            transit.late(float(second), second + 0.5)
        self.assertEqual(transit.late(91.0, 91.5), 0.0)
