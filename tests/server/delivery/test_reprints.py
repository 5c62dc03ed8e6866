"""Reprints of text protocol screens: how often, how much, and when."""

from collections.abc import Callable
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from irchat.protocol.rules import TRANSCRIPT_LENGTH
from irchat.rendering.lines import TextLine
from irchat.rendering.transcript import CLEAR, Transcript
from irchat.server.delivery.delivery import Delivery
from irchat.server.delivery.perishable import Perishable
from irchat.server.delivery.reprints import Reprints


class _Screen:
    """Records the output."""

    def __init__(self) -> None:
        self.printed: list[str] = []
        self.is_full = False

    def full(self) -> bool:
        return self.is_full

    def put(self, data: bytes) -> None:
        self.printed.append(data.decode())

    def put_perishable(self, line: Perishable) -> None:
        self.printed.append(line.data.decode())


class ReprintTests(SynchronousTestCase):
    """`Reprints`."""

    def setUp(self) -> None:
        """Create a screen, with immediate calls."""
        self.clock = Clock()
        self.screen, self.transcript = _Screen(), Transcript()
        self.reprints = Reprints(self.clock, self.transcript, self.screen, lambda call: call())

    def show(self, timed_id: str, seconds: float) -> None:
        """Show a timed message."""
        self.transcript.show([TextLine(timed_id, timed_id)])
        self.reprints.shown(timed_id, int(seconds * 1000))

    def test_at_most_so_often(self) -> None:
        """Four ends a second for a minute cause four reprints in three seconds, and each message is gone within one."""
        for number in range(240):
            self.show(f"<{number}>", number / 4)
        late = 0.0
        for number in range(240):
            self.reprints.erase(f"<{number}>")
            self.clock.pump([0.05] * 5)
            ended = [one for one in range(number + 1) if f"<{one}>" not in "".join(self.screen.printed[-1:])]
            if self.screen.printed:
                still = [one for one in range(number + 1) if one not in ended]
                late = max(late, *(self.clock.seconds() - one / 4 for one in still), 0.0)
        self.assertLessEqual(len(self.screen.printed), 82)
        self.assertLessEqual(late, 1.0)

    def test_at_most_so_much(self) -> None:
        """A whole transcript is reprinted at once. Repeated reprints are limited to the last lines.

        The limit is 32,768 characters a second, but at least a screen. After some quiet seconds everything is printed.
        """
        self.transcript.show([TextLine(f"{number:06} {'x' * 1_000}") for number in range(250)])
        for number in range(40):
            self.show(f"timed {number}", number + 0.5)
        for number in range(40):
            self.reprints.erase(f"timed {number}")
            self.clock.pump([0.25] * 4)
        sizes = list(map(len, self.screen.printed))
        printed = sum(sizes[1:])
        self.assertGreater(sizes[0], 250_000)
        self.assertLess(printed, 40 * 33_000)
        self.assertTrue(all(f"{249:06} x" in shown and "timed" not in shown[:50] for shown in self.screen.printed))
        self.show("late", 10)
        self.clock.advance(10)
        self.reprints.erase("late")
        self.clock.advance(1)
        self.assertGreater(len(self.screen.printed[-1]), 250_000)

    def test_with_those_that_end_soon(self) -> None:
        """An end waits for those within the next half second, and no later one. Two reprints are 0.75 s apart."""
        for end in (1.0, 1.25, 1.5, 1.75):
            self.show(f"<{end}>", end)
        self.clock.advance(1)
        self.reprints.erase("<1.0>")
        self.clock.advance(0.25)
        self.reprints.erase("<1.25>")
        self.clock.advance(0.24)
        self.assertEqual(self.screen.printed, [])
        self.clock.advance(0.01)
        self.assertEqual(len(self.screen.printed), 1)
        self.assertTrue(self.screen.printed[0].endswith("<1.75>\r\n"), self.screen.printed)
        self.clock.advance(0.25)
        self.reprints.erase("<1.75>")
        self.clock.advance(0.49)
        self.assertEqual(len(self.screen.printed), 1)
        self.clock.advance(0.02)
        self.assertEqual(self.screen.printed[1:], [CLEAR])
        self.reprints.erase("<1.75>")
        self.reprints.erase("never shown")
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_alone(self) -> None:
        """A single end is reprinted at once."""
        self.show("<1>", 1)
        self.show("<2>", 2)
        self.clock.advance(1)
        self.reprints.erase("<1>")
        self.clock.advance(0)
        self.assertEqual(len(self.screen.printed), 1)

    def test_all_at_first(self) -> None:
        """A transcript of the maximum length is printed whole."""
        self.transcript.show([TextLine("x" * (TRANSCRIPT_LENGTH // 100)) for _ in range(100)])
        self.show("gone", 1)
        self.reprints.erase("gone")
        self.clock.advance(1)
        self.assertEqual(self.screen.printed[0].count("\r\n"), 100)

    def test_deleted(self) -> None:
        """A deleted message that the screen shows is gone at once; more deletions wait for two seconds, together."""
        for seq in range(4):
            self.transcript.show([TextLine(f"<{seq}>", None, ("*team", seq))])
        for seq in 0, 1, 2:
            self.reprints.drop("*team", seq)
            self.clock.advance(0)
            self.assertEqual(len(self.screen.printed), 1)
            self.clock.advance(0.9)
        self.assertEqual(self.screen.printed[0], f"{CLEAR}<1>\r\n<2>\r\n<3>\r\n")
        self.assertEqual(self.screen.printed[1:], [f"{CLEAR}<3>\r\n"])

    def test_end_before_a_deletion(self) -> None:
        """A deletion that waits does not delay an end that waits for less."""
        for seq in range(2):
            self.transcript.show([TextLine(f"<{seq}>", None, ("*team", seq))])
        self.show("<a>", 0.1)
        self.show("<b>", 0.5)
        self.reprints.drop("*team", 0)
        self.clock.advance(0)
        self.clock.advance(0.1)
        self.reprints.erase("<a>")
        self.reprints.drop("*team", 1)
        self.clock.advance(0.7)
        self.assertEqual(self.screen.printed[1:], [CLEAR])

    def test_waits(self) -> None:
        """A reprint that waits keeps the timed messages that are alive when it is sent."""
        lines: list[Perishable] = []
        self.patch(self.screen, "put_perishable", lines.append)
        for end in 1, 5, 99:
            self.show(f"<{end}>", end)
        self.transcript.show([TextLine("stays")])
        self.clock.advance(1)
        self.reprints.erase("<1>")
        self.clock.advance(0)
        self.clock.advance(6)
        self.assertTrue(lines[0].renew())
        self.assertEqual(lines[0].data.decode(), f"{CLEAR}<99>\r\nstays\r\n")

    def test_deleted_after_an_end(self) -> None:
        """The reprint of an end delays no deletion: only one for a deletion does."""
        for seq in range(2):
            self.transcript.show([TextLine(f"<{seq}>", None, ("*team", seq))])
        self.show("<timed>", 10)
        self.reprints.drop("*team", 0)
        self.clock.advance(0)
        self.clock.advance(10)
        self.reprints.erase("<timed>")
        self.clock.advance(0)
        self.clock.advance(1)
        self.reprints.drop("*team", 1)
        self.clock.advance(0)
        self.assertEqual(self.screen.printed, [f"{CLEAR}<1>\r\n<timed>\r\n", f"{CLEAR}<1>\r\n", CLEAR])

    def test_deleted_elsewhere(self) -> None:
        """A deleted message that the screen does not show prints nothing, and delays no end of a timed message."""
        self.show("<1>", 1)
        self.reprints.drop("*team", 17)
        self.clock.advance(0.9)
        self.assertEqual(self.screen.printed, [])
        self.reprints.drop("*team", 18)
        self.clock.advance(0.1)
        self.reprints.erase("<1>")
        self.clock.advance(0)
        self.assertEqual(self.screen.printed, [CLEAR])
        self.clock.advance(2)
        self.assertEqual((len(self.screen.printed), self.clock.getDelayedCalls()), (1, []))
        self.reprints.drop("*team", 19)
        self.clock.advance(2)
        self.assertEqual(len(self.screen.printed), 1)

    def test_end_with_a_deletion_elsewhere(self) -> None:
        """An end that is noticed with a deletion is reprinted, also if the transcript has lost the message."""
        self.reprints.shown("<1>", 1_000)
        self.transcript.show([TextLine("later")])
        self.clock.advance(1)
        self.reprints.drop("*team", 17)
        self.clock.advance(0)
        self.reprints.erase("<1>")
        self.clock.advance(2)
        self.assertEqual(self.screen.printed, [f"{CLEAR}later\r\n"])

    def test_deleted_and_ended(self) -> None:
        """The reprint for an end leaves out what was deleted meanwhile."""
        self.show("<1>", 1)
        self.transcript.show([TextLine("<a>", None, ("*team", 1)), TextLine("<b>", None, ("*team", 2))])
        self.reprints.drop("*team", 1)
        self.clock.advance(0)
        self.clock.advance(1)
        self.reprints.drop("*team", 2)
        self.reprints.erase("<1>")
        self.clock.advance(0)
        self.assertEqual(self.screen.printed[1:], [CLEAR])

    def test_full(self) -> None:
        """Nothing is printed while much data waits. When there is room, it is printed once."""
        self.screen.is_full = True
        for number in range(5):
            self.show(f"<{number}>", 1)
            self.reprints.erase(f"<{number}>")
            self.clock.advance(1)
        self.assertEqual(self.screen.printed, [])
        self.screen.is_full = False
        self.reprints.go_on()
        self.assertEqual(self.screen.printed, [CLEAR])

    def test_over(self) -> None:
        """After the session nothing is printed, even if it was scheduled."""
        calls: list[Callable[[], None]] = []
        reprints = Reprints(self.clock, self.transcript, self.screen, calls.append)
        reprints.shown("gone", 0)
        reprints.erase("gone")
        self.clock.advance(1)
        reprints.over()
        (call,) = calls
        call()
        self.assertEqual((self.screen.printed, self.clock.getDelayedCalls()), ([], []))

    def test_over_while_one_is_scheduled(self) -> None:
        """At the end of the session nothing stays scheduled."""
        self.show("<1>", 1)
        self.show("<2>", 1.3)
        self.clock.advance(1)
        self.reprints.erase("<1>")
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)
        self.reprints.over()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_longer_than_the_transcript(self) -> None:
        """A message that the transcript does not have any more may still be on the terminal: it is reprinted."""
        self.reprints.shown("<1>", 1_000)
        self.transcript.show([TextLine("later")])
        self.clock.advance(1)
        self.reprints.erase("<1>")
        self.clock.advance(0)
        self.assertEqual(self.screen.printed, [f"{CLEAR}later\r\n"])


class _Turns(Clock):
    """Counts the turns, one per call."""

    turns = 0

    def callLater(self, when: float, what: Callable[..., object], *args: Any, **named: Any) -> Any:
        """Schedule a turn."""
        return super().callLater(when, self._turn, what, *args, **named)

    def _turn(self, what: Callable[..., object], *args: Any, **named: Any) -> None:
        self.turns += 1
        what(*args, **named)


class TurnTests(SynchronousTestCase):
    """`Delivery.in_turn`."""

    def test_slices(self) -> None:
        """Simultaneous calls of all sessions are spread over short turns, in order. A failing one stops no other."""
        clock = _Turns()
        delivery = Delivery(clock)
        done: list[tuple[int, int]] = []

        def call(number: int) -> None:
            done.append((clock.turns, number))
            clock.rightNow += 0.002
            if number == 3:
                raise ValueError("this one")

        for number in range(20):
            delivery.in_turn(lambda number=number: call(number))
        clock.advance(0)
        self.assertEqual([number for _, number in done], list(range(20)))
        turns = [turn for turn, _ in done]
        self.assertLessEqual(max(map(turns.count, turns)), 3)
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)
