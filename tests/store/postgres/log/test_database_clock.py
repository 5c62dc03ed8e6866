"""The clock that follows the database."""

from twisted.trial.unittest import SynchronousTestCase

from irchat.store.postgres.log.database_clock import DatabaseClock


class DatabaseClockTests(SynchronousTestCase):
    """`DatabaseClock`."""

    def setUp(self) -> None:
        """Begin at 1,000,000 ms."""
        self.now = 10.0
        self.clock = DatabaseClock(lambda: self.now)
        self.clock.note(1_000_000)

    def test_runs(self) -> None:
        """Between two answers it runs on by the forward clock."""
        self.now += 1.5
        self.assertEqual(self.clock.wall_ms(), 1_001_500)

    def test_late_answers(self) -> None:
        """An answer that was late hardly matters, and one that was quicker counts at once."""
        self.now += 0.064
        self.clock.note(1_000_000)
        self.assertEqual(self.clock.wall_ms(), 1_000_063)
        self.clock.note(1_000_100)
        self.assertEqual(self.clock.wall_ms(), 1_000_100)

    def test_set(self) -> None:
        """A clock of the database that was set back is followed."""
        self.clock.note(900_000)
        self.assertEqual(self.clock.wall_ms(), 900_000)

    def test_second(self) -> None:
        """An answer that is late by a second corrects one part in 64. A later one means that the clock was set."""
        self.clock.note(999_000)
        self.assertEqual(self.clock.wall_ms(), 1_000_000 - 16)
        self.clock.note(998_000)
        self.assertEqual(self.clock.wall_ms(), 998_000)
