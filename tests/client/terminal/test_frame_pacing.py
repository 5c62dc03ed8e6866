"""The pauses before frames."""

from twisted.trial.unittest import SynchronousTestCase

from irchat.client.terminal.frame_pacing import FramePacing


class PacingTests(SynchronousTestCase):
    """One screen, and several in a process."""

    def test_alone(self) -> None:
        """A screen waits for a thirtieth of a second, or for three times what its last frame took."""
        pacing = FramePacing()
        for took, wait in (0.0, 1 / 30), (0.005, 1 / 30), (0.1, 0.3):
            self.assertAlmostEqual(pacing.begin_wait(took), wait)
            pacing.end_wait()

    def test_together(self) -> None:
        """Screens that wait at the same time draw for at most half of it."""
        pacing = FramePacing()
        waits = [pacing.begin_wait(0.01) for _ in range(12)]
        self.assertAlmostEqual(waits[-1], 0.24)
        for _ in range(11):
            pacing.end_wait()
        self.assertAlmostEqual(pacing.begin_wait(0.01), 0.04)
