"""The alarm that all outboxes with waiting timed messages share."""

import math

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from irchat.server.delivery.perishable import Watch


class _Held:
    """An outbox whose timed messages end at the given times. The watch reads the first of them."""

    def __init__(self, *ends: float) -> None:
        self.ends = list(ends)
        self.expired: list[float] = []

    @property
    def until(self) -> float:
        """Return the next end."""
        return min(self.ends, default=math.inf)

    def expire(self, now: float) -> None:
        """Forget expired messages."""
        self.expired.append(now)
        self.ends = [end for end in self.ends if end > now]


class WatchTests(SynchronousTestCase):
    """The alarm shared by all outboxes."""

    def setUp(self) -> None:
        """Create an empty watch."""
        self.clock = Clock()
        self.watch = Watch(self.clock)

    def pass_time(self, seconds: float) -> None:
        """Advance the clock in the steps of the alarm."""
        self.clock.pump([0.25] * int(seconds * 4))

    def test_each_at_its_end(self) -> None:
        """Each outbox expires when its next message ends, for any order of additions."""
        late, early = _Held(3.0), _Held(1.0, 2.0)
        self.watch.add(late)
        self.watch.add(early)
        self.pass_time(4)
        self.assertEqual((early.expired, late.expired), ([1.0, 2.0], [3.0]))

    def test_rests(self) -> None:
        """The reactor is not woken if nothing will end: after the last end, and after the last removal."""
        held, other = _Held(1.0), _Held(5.0)
        self.watch.add(held)
        self.pass_time(1)
        self.assertEqual((held.expired, self.clock.getDelayedCalls()), ([1.0], []))
        self.watch.add(other)
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)
        self.watch.remove(other)
        self.watch.remove(held)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.watch.remove(held)
        self.pass_time(5)
        self.assertEqual(other.expired, [])

    def test_after_a_rest(self) -> None:
        """An idle watch accepts another outbox, even one that ends later than all before."""
        held = _Held(1.0)
        self.watch.add(held)
        self.pass_time(1)
        held.ends.append(2.0)
        self.watch.add(held)
        self.pass_time(1)
        self.assertEqual(held.expired, [1.0, 2.0])

    def test_one_of_several(self) -> None:
        """When one outbox needs no watch any more, the others are still watched."""
        held, other = _Held(1.0), _Held(2.0)
        self.watch.add(held)
        self.watch.add(other)
        self.watch.remove(held)
        self.pass_time(3)
        self.assertEqual((held.expired, other.expired), ([], [2.0]))

    def test_closing(self) -> None:
        """An outbox that keeps expired messages, because it is closing, is no longer watched and wakes nothing."""
        closing, other = _Held(1.0), _Held(2.0)
        closing.expire = closing.expired.append  # type: ignore[method-assign]
        self.watch.add(closing)
        self.watch.add(other)
        self.pass_time(3)
        self.assertEqual((closing.expired, other.expired), ([1.0], [2.0]))
        self.watch.remove(other)
        late = _Held(5.0)
        closing.ends = [4.0]
        self.watch.add(closing)
        self.pass_time(1)
        self.watch.add(late)
        self.pass_time(1)
        self.assertEqual((closing.expired, late.expired), ([1.0, 4.0], [5.0]))
        self.assertEqual(self.clock.getDelayedCalls(), [])
