"""How long users have said nothing."""

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from irchat.server.protocols.irc.people.idle_times import IdleTimes


class IdleTimesTests(SynchronousTestCase):
    """`IdleTimes`."""

    def test_sessions(self) -> None:
        """The last message of any session counts, and the sign-in of the first one that is left."""
        clock = Clock()
        idle = IdleTimes(clock.seconds, lambda: 1_000_000 + int(clock.seconds() * 1_000))
        self.assertIsNone(idle.of(1))
        first = idle.begin(1)
        clock.advance(10)
        self.assertEqual(idle.of(1), (10, 1_000))
        second = idle.begin(1)
        clock.advance(5)
        idle.said(first)
        clock.advance(2.5)
        self.assertEqual(idle.of(1), (2, 1_000))
        self.assertIsNone(idle.of(2))
        idle.end(first)
        self.assertEqual(idle.of(1), (7, 1_010))
        idle.end(second)
        self.assertIsNone(idle.of(1))
        self.assertEqual(idle._sessions, {})
