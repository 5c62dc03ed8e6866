"""Presence on a single node."""

from twisted.trial.unittest import SynchronousTestCase

from irchat.chat.state.presence import LocalPresence


class LocalPresenceTests(SynchronousTestCase):
    """`LocalPresence`."""

    def setUp(self) -> None:
        """Record the changes."""
        self.changes: list[tuple[int, bool]] = []
        self.presence = LocalPresence(lambda user, is_online: self.changes.append((user, is_online)))

    def test_sessions(self) -> None:
        """A user is online from the start of the first session to the end of the last, in any order of ends."""
        for user, session in (1, 10), (2, 20), (1, 11):
            self.presence.enter(user, session)
        self.assertEqual(self.presence.sessions, {1: (10, 11), 2: (20,)})
        self.assertEqual([self.presence.count(user) for user in (1, 2, 3)], [2, 1, 0])
        self.presence.leave(1, 10)
        self.assertEqual(self.changes, [(1, True), (2, True)])
        self.presence.leave(1, 11)
        self.assertEqual((self.presence.sessions, self.changes[2:]), ({2: (20,)}, [(1, False)]))

    def test_order(self) -> None:
        """Users are listed in the order in which they came online. A second session does not change it."""
        for user, session in (2, 1), (1, 2), (2, 3):
            self.presence.enter(user, session)
        self.assertEqual(list(self.presence.sessions), [2, 1])

    def test_forgotten(self) -> None:
        """A forgotten user goes offline once. Later ends of sessions, and unknown users, change nothing."""
        self.presence.enter(1, 10)
        self.presence.enter(1, 11)
        self.presence.forget(1)
        for session in 10, 11:
            self.presence.leave(1, session)
        self.presence.forget(2)
        self.assertEqual((self.presence.sessions, self.changes), ({}, [(1, True), (1, False)]))
