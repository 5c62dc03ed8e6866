"""What may come with each request is told once a minute."""

from typing import Any

from twisted.internet.task import Clock
from twisted.logger import Logger, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from irchat.system.seldom import Seldom, SeldomLog


class SeldomTests(SynchronousTestCase):
    """`Seldom`."""

    def test_counts(self) -> None:
        """The first is told at once, the others together once a minute is over."""
        clock = Clock()
        seldom = Seldom(clock.seconds)
        told = []
        for _ in range(6):
            told.append(seldom.add())
            clock.advance(20)
        self.assertEqual(told, [1, 0, 0, 3, 0, 0])


class SeldomLogTests(SynchronousTestCase):
    """`SeldomLog`."""

    def setUp(self) -> None:
        """Collect the lines."""
        self.lines: list[str | None] = []

        def observe(event: dict[str, Any]) -> None:
            self.lines.append(formatEvent(event))

        self.clock = Clock()
        self.log = SeldomLog(Logger(observer=observe), self.clock.seconds)

    def test_once_a_minute(self) -> None:
        """A text is logged at once, then counted, and logged with the count after a minute."""
        for _ in range(3):
            self.log.error("full {disk}")
        self.log.error("other")
        self.assertEqual(self.lines, ["full {disk}", "other"])
        self.clock.advance(59.9)
        self.log.error("full {disk}")
        self.clock.advance(0.1)
        self.log.error("full {disk}")
        self.clock.advance(60)
        self.log.error("full {disk}")
        self.assertEqual(self.lines[2:], ["full {disk} (3 more times before)", "full {disk}"])

    def test_many_texts(self) -> None:
        """A bounded number of texts is remembered."""
        for number in range(1_000):
            self.log.error(f"text {number}")
        self.assertEqual(len(self.lines), 1_000)
        self.assertLessEqual(len(self.log._logged), 100)
