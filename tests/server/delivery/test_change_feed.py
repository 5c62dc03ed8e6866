"""A feed of changes of any kind. The tests of the presence feed test its times and slices."""

from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from irchat.protocol import events
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
