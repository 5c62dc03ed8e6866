"""A feed of changes of any kind. The tests of the presence feed test its times and slices."""

from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from irchat.protocol import events
from irchat.server.delivery import change_feed
from irchat.server.delivery.change_feed import ChangeFeed


class _Feed(ChangeFeed[int, str]):
    """Sends the changes as a text."""

    def event(self, changes: Any) -> events.Help:
        return events.Help(text=str(dict(changes)))


class ChangeFeedTests(SynchronousTestCase):
    """`ChangeFeed` with one session, which is its own outbox."""

    behind = False

    def setUp(self) -> None:
        """Add the session."""
        self.clock = Clock()
        self.outbox = self
        self.told: list[str] = []
        self.feed = _Feed(self.clock, self)  # type: ignore[arg-type]
        self.feed.add(self)  # type: ignore[arg-type]

    def send(self, sessions: Any, event: events.Help) -> None:
        """Record an event."""
        self.assertEqual(list(sessions), [self])
        self.told.append(event.text)

    def test_values(self) -> None:
        """The first change is sent at once. Of later ones within a second, the last value of each key is sent."""
        self.feed.note(1, "a")
        self.clock.advance(0)
        for key, value in (1, "b"), (2, "c"), (1, "d"):
            self.feed.note(key, value)
        self.clock.advance(0.5)
        self.assertEqual(self.told, ["{1: 'a'}"])
        self.clock.advance(1)
        self.assertEqual(self.told[1:], ["{2: 'c', 1: 'd'}"])

    def test_behind(self) -> None:
        """A session that is behind gets the difference when it is not any more, and nothing after its end."""
        self.behind = True
        self.feed.note(1, "a")
        self.feed.note(1, "b")
        self.clock.advance(5)
        self.assertEqual(self.told, [])
        self.behind = False
        self.feed.send_soon()
        self.clock.advance(0)
        self.assertEqual(self.told, ["{1: 'b'}"])
        self.feed.remove(self)  # type: ignore[arg-type]
        self.feed.note(1, "c")
        self.clock.advance(5)
        self.assertEqual(self.told, ["{1: 'b'}"])

    def turns(self, count: int) -> None:
        """Let some seconds pass, each in tenths."""
        for _ in range(10 * count):
            self.clock.advance(0.1)

    def test_one_turn(self) -> None:
        """The changes of one turn are one event and one delayed call."""
        for key in range(3):
            self.feed.note(key, "a")
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)
        self.clock.advance(0)
        self.assertEqual(self.told, ["{0: 'a', 1: 'a', 2: 'a'}"])

    def test_most(self) -> None:
        """More changes than fit in an event come a second later, in order and none twice."""
        self.feed.most = 2
        for key in range(5):
            self.feed.note(key, "a")
        self.clock.advance(0)
        self.assertEqual(self.told, ["{0: 'a', 1: 'a'}"])
        self.turns(5)
        self.assertEqual(self.told[1:], ["{2: 'a', 3: 'a'}", "{4: 'a'}"])

    def test_at_once(self) -> None:
        """A session gets ``at_once`` events before it waits for a second, and as many after it."""
        self.feed.at_once = 2
        for key in range(5):
            self.feed.note(key, "a")
            self.clock.advance(0)
            if key == 2:
                self.assertEqual(self.told, ["{0: 'a'}", "{1: 'a'}"])
                self.turns(2)
        self.assertEqual(self.told[2:], ["{2: 'a'}", "{3: 'a'}"])
        self.turns(2)
        self.assertEqual(self.told[4:], ["{4: 'a'}"])

    def test_new_session(self) -> None:
        """A new session has the state already and gets later changes only."""
        self.feed.remove(self)  # type: ignore[arg-type]
        self.feed.note(1, "a")
        self.feed.add(self)  # type: ignore[arg-type]
        self.clock.advance(0)
        self.assertEqual(self.told, [])
        self.feed.note(2, "b")
        self.clock.advance(0)
        self.assertEqual(self.told, ["{2: 'b'}"])

    def test_removed_while_waiting(self) -> None:
        """A session that leaves while its second runs is not sent to. Leaving twice changes nothing."""
        self.feed.note(1, "a")
        self.clock.advance(0)
        self.feed.note(1, "b")
        for _ in range(2):
            self.feed.remove(self)  # type: ignore[arg-type]
        self.turns(2)
        self.assertEqual(self.told, ["{1: 'a'}"])
        self.assertEqual((self.feed._ready, self.feed._sent, self.feed._resting), ({}, {}, {}))

    def test_outdated_changes(self) -> None:
        """Outdated changes are dropped in time, and a session that was behind still gets each last value."""
        self.behind = True
        self.feed.note(9, "first")
        for number in range(5_000):
            self.feed.note(1 + number % 2, str(number))
            self.assertLessEqual(len(self.feed._changes), 2 * 3 + 1_000)
        self.feed.note(9, "last")
        self.behind = False
        self.feed.send_soon()
        self.clock.advance(0)
        self.assertEqual(self.told, ["{1: '4998', 2: '4999', 9: 'last'}"])

    def test_outdated_changes_of_others(self) -> None:
        """The changes that are left stay in their order, so a session gets exactly those that it lacks."""
        self.patch(change_feed, "_OUTDATED", 0)
        self.feed.note(9, "a")
        self.feed.note(1, "a")
        self.clock.advance(0)
        self.behind = True
        for value in "bcd":
            self.feed.note(1, value)
        self.assertEqual(len(self.feed._changes), 2)
        self.behind = False
        self.turns(2)
        self.assertEqual(self.told, ["{9: 'a', 1: 'a'}", "{1: 'd'}"])
