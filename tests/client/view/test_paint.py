"""Colours of names, and times in human-readable form."""

from datetime import UTC

from twisted.trial.unittest import SynchronousTestCase

from irchat.client.view.paint import NAME_COLOURS, left, local_time, name_style


class PaintTests(SynchronousTestCase):
    """Colours and times."""

    def test_name(self) -> None:
        """A name has one colour in any case."""
        self.assertEqual(name_style("Bob"), name_style("bob"))
        self.assertGreater(len({name_style(f"user{n}") for n in range(100)}), 10)

    def test_contrast(self) -> None:
        """Each colour is readable on black and on white."""
        for colour in NAME_COLOURS:
            luminance = _luminance(colour)
            self.assertGreater(min(1.05 / (luminance + 0.05), (luminance + 0.05) / 0.05), 3.6, colour)

    def test_left(self) -> None:
        """The remaining time is rounded up, and short for any length."""
        self.assertEqual(
            [left(seconds) for seconds in (0.2, 29.5, 119, 120, 7_199, 7_200, 86_399, 604_800, -3)],
            ["1s", "30s", "119s", "2m00s", "119m59s", "2h00m", "23h59m", "7d0h", "0s"],
        )

    def test_local_time(self) -> None:
        """A wire time is converted, and an invalid one returns None."""
        self.assertEqual(str(local_time("2026-11-22T13:00:00.000Z", UTC)), "2026-11-22 13:00:00+00:00")
        self.assertIsNone(local_time("yesterday", UTC))


def _luminance(colour: str) -> float:
    channels = [int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
