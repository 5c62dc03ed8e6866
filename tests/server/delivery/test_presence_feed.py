"""Presence: sent at once, then at most once a second, with all changes."""

import itertools
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from irchat.protocol.events import Presence
from irchat.server.delivery import change_feed
from irchat.server.delivery.presence_feed import PresenceFeed
from tests.helpers.server import ServerTestCase


class FakeDelivery:
    """Records the events of each session, with their times."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.sendings: list[tuple[list[Any], Presence]] = []

    def send(self, sessions: list[Any], event: Presence) -> None:
        self.sendings.append((list(sessions), event))
        for session in sessions:
            session.told.append((self._clock.seconds(), event.online, event.offline))


class FakeSession:
    """A session that is its own outbox."""

    behind = False

    def __init__(self) -> None:
        self.outbox = self
        self.told: list[tuple[float, list[str], list[str]]] = []


class PresenceFeedTests(SynchronousTestCase):
    """`PresenceFeed`."""

    def setUp(self) -> None:
        """Create a feed with one session, and users who come and go."""
        self.clock = Clock()
        self.clock.advance(1_000.03)
        self.delivery = FakeDelivery(self.clock)
        self.feed = PresenceFeed(self.clock, self.delivery)
        self.session = FakeSession()
        self.feed.add(self.session)
        self.online: set[str] = set()
        self.bob, self.carol, self.dave = "bob", "carol", "dave"

    def _come(self, *names: str) -> None:
        for name in names:
            self.online.add(name)
            self.feed.changed(name, True)

    def _go(self, *names: str) -> None:
        for name in names:
            self.online.discard(name)
            self.feed.changed(name, False)

    def _told(self) -> list[tuple[list[str], list[str]]]:
        told = [(online, offline) for _, online, offline in self.session.told]
        self.session.told.clear()
        return told

    def test_first_at_once(self) -> None:
        """The first change is sent in the same turn, with all others of that turn."""
        self._come(self.bob, self.carol)
        self.clock.advance(0)
        self.assertEqual(self._told(), [(["bob", "carol"], [])])

    def test_once_a_second(self) -> None:
        """Within a second nothing more is sent. Then all changes are, each user once, with the current state."""
        self._come(self.bob)
        self.clock.advance(0)
        self._told()
        self._come(self.carol)
        self._go(self.bob)
        self._come(self.dave)
        self._go(self.carol)
        self.clock.pump([0.1] * 9)
        self.assertEqual(self._told(), [])
        self.clock.pump([0.1] * 3)
        self.assertEqual(self._told(), [(["dave"], ["bob", "carol"])])

    def test_quiet_after(self) -> None:
        """If nothing changed in the second nothing is sent, and the next change is sent at once."""
        self._come(self.bob)
        self.clock.pump([0.0, 5.0])
        self._told()
        self._go(self.bob)
        self.clock.advance(0)
        self.assertEqual(self._told(), [([], ["bob"])])

    def test_knows_what_was_before(self) -> None:
        """A session does not get the state that it already had from the start."""
        self._come(self.bob)
        late = FakeSession()
        self.feed.add(late)
        self._come(self.carol)
        self.clock.advance(0)
        self.assertEqual([told[1:] for told in late.told], [(["carol"], [])])

    def test_behind(self) -> None:
        """A session that is behind gets all changes when it has caught up, and the others do not wait."""
        other = FakeSession()
        self.feed.add(other)
        self.session.behind = True
        self._come(self.bob)
        self.clock.advance(2)
        self._go(self.bob)
        self._come(self.carol)
        self.clock.advance(2)
        self.assertEqual(self._told(), [])
        self.assertEqual(len(other.told), 2)
        self.session.behind = False
        self.feed.send_soon()
        self.clock.advance(0)
        self.assertEqual(self._told(), [(["carol"], ["bob"])])

    def test_removed(self) -> None:
        """An ended session gets nothing, neither at once nor after its second."""
        self._come(self.bob)
        self.feed.remove(self.session)
        self.clock.advance(0)
        self.assertEqual(self._told(), [])
        self.feed.add(self.session)
        self._come(self.carol)
        self.clock.advance(0)
        self._told()
        self.feed.remove(self.session)
        self._go(self.carol)
        self.clock.advance(5)
        self.assertEqual(self._told(), [])
        self.feed.remove(self.session)

    def test_shared(self) -> None:
        """Sessions with the same state share one event, and those sent within a tenth of a second stay together."""
        others = [FakeSession() for _ in range(10)]
        for other in others:
            self.feed.add(other)
        self._come(self.bob)
        self.clock.advance(0)
        self._go(self.bob)
        self.clock.advance(2)
        self.assertEqual([len(sessions) for sessions, _ in self.delivery.sendings], [11, 11])

    def test_slices(self) -> None:
        """If sending is slow, each turn sends to some sessions, and each gets it once."""
        sessions = [FakeSession() for _ in range(2_000)]
        for session in sessions:
            self.feed.add(session)
        send = self.delivery.send

        def slowly(some: list[Any], event: Presence) -> None:
            send(some, event)
            self.clock.rightNow += 0.006

        self.patch(self.delivery, "send", slowly)
        calls = self.patch_calls()
        self._come(self.bob)
        self.clock.advance(0)
        self.assertEqual([len(session.told) for session in sessions], [1] * len(sessions))
        self.assertEqual(max(calls), 1)

    def test_many_names(self) -> None:
        """An event has a maximum number of names. The others follow a second later, in the order of the changes."""
        self.patch(PresenceFeed, "most", 2)
        users = [f"user{number}" for number in range(5)]
        self._come(*users)
        self._go(users[0])
        for names in (["user1", "user2"], ["user3", "user4"]):
            self.clock.advance(0)
            self.assertEqual(self._told(), [(names, [])])
            self.clock.advance(0.9)
            self.assertEqual(self._told(), [])
            self.clock.advance(0.3)
        self.assertEqual(self._told(), [([], ["user0"])])
        self.clock.advance(5)
        self.assertEqual(self._told(), [])

    def patch_calls(self) -> list[int]:
        """Return the number of events in each call of the clock."""
        calls: list[int] = []
        call_later = self.clock.callLater

        def counted(delay: float, call: Any, *args: Any) -> Any:
            def run() -> None:
                before = len(self.delivery.sendings)
                call(*args)
                calls.append(len(self.delivery.sendings) - before)

            return call_later(delay, run)

        self.patch(self.clock, "callLater", counted)
        return calls

    def test_outdated_changes(self) -> None:
        """Endless changes take no more memory, and are still announced."""
        self.patch(change_feed, "_OUTDATED", 10)
        self._come(self.dave)
        for _ in range(100):
            self._come(self.bob)
            self._go(self.bob)
        self.assertLessEqual(len(self.feed._changes), 15)
        self.clock.advance(0)
        self.assertEqual(self._told(), [(["dave"], ["bob"])])
        self._come(self.bob)
        self.clock.advance(2)
        self.assertEqual(self._told(), [(["bob"], [])])

    @given(st.lists(st.tuples(st.integers(0, 2), st.booleans(), st.floats(0, 1.5)), max_size=30))
    def test_any_comings_and_goings(self, steps: list[tuple[int, bool, float]]) -> None:
        """For any changes, events are at least a second apart, and following them gives the current state."""
        self.setUp()
        users = [self.bob, self.carol, self.dave]
        for number, comes, pause in steps:
            (self._come if comes else self._go)(users[number])
            self.clock.advance(pause)
        self.clock.advance(3)
        here: set[str] = set()
        for _, online, offline in self.session.told:
            self.assertFalse(set(online) & set(offline))
            here = (here | set(online)) - set(offline)
        self.assertEqual(here, self.online)
        times = [time for time, _, _ in self.session.told]
        self.assertTrue(all(b - a >= 1.0 for a, b in itertools.pairwise(times)), times)


class ServerPresenceTests(ServerTestCase):
    """Presence in a whole server."""

    def test_after_falling_behind(self) -> None:
        """A session that catches up learns who came meanwhile, even without further changes."""
        server = self.make_server()
        reader, sender = server.json("reader"), server.json("sender")
        server.advance(2)
        reader.got()
        reader.socket.room = 0
        for _ in range(70):
            sender.ask("send", chat="GLOBAL", text="x" * 4_000)
        self.assertTrue(reader.outbox.behind)
        server.json("late")
        server.advance(5)
        reader.socket.room = None
        server.advance(0, 0, 0)
        self.assertFalse(reader.outbox.behind)
        self.assertEqual([event["online"] for event in reader.told("presence")], [["late"]])
