"""Presence on one node and on several."""

from twisted.trial.unittest import SynchronousTestCase

from irchat.chat.state.presence import Presence
from irchat.interfaces.bus import sign_in_id


class LocalPresenceTests(SynchronousTestCase):
    """`Presence`."""

    def setUp(self) -> None:
        """Record the changes."""
        self.changes: list[tuple[int, bool]] = []
        self.presence = Presence(lambda user, is_online: self.changes.append((user, is_online)))

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

    def test_blind(self) -> None:
        """Timed messages can reach a user with a session that shows them, and no user without one."""
        self.presence.enter(1, 10, shows_timed=False)
        self.presence.enter(2, 20)
        self.assertEqual(self.presence.blind, {1})
        self.presence.enter(1, 11)
        self.assertEqual(self.presence.blind, set())
        self.presence.leave(1, 11)
        self.assertEqual(self.presence.blind, {1})
        self.presence.leave(1, 10)
        self.assertEqual(self.presence.blind, set())
        self.presence.enter(1, 12, shows_timed=False)
        self.presence.forget(1)
        self.assertEqual((self.presence.blind, self.presence._blind_sessions), (set(), set()))

    def test_sessions_are_reported(self) -> None:
        """After each change of the sessions of a user, whether it is online is known when it is reported."""
        reported: list[tuple[int, bool]] = []
        self.presence.on_sessions = lambda user: reported.append((user, user in self.presence.online))
        self.presence.enter(1, 10)
        self.presence.enter(1, 11)
        self.presence.leave(1, 10)
        self.presence.leave(1, 11)
        self.presence.came("b", 2, 1)
        self.assertEqual(reported, [(1, True), (1, True), (1, True), (1, False), (2, True)])
        self.presence.enter(2, 20)
        self.assertEqual([self.presence.count_nodes(user) for user in (1, 2)], [0, 2])


class OtherNodesTests(SynchronousTestCase):
    """`Presence` with other nodes."""

    def setUp(self) -> None:
        """Record the changes, and the messages to the other nodes."""
        self.changes: list[tuple[int, bool]] = []
        self.told: list[tuple[int, ...]] = []
        self.presence = Presence(
            lambda user, is_online: self.changes.append((user, is_online)), lambda user: user < 100
        )
        self.presence.others = self

    def came(self, user: int, sessions: int, sign_ins: tuple[str, ...]) -> None:
        """Record a message to the other nodes."""
        self.told.append((user, sessions, *sign_ins))

    def went(self, user: int) -> None:
        """Record a message to the other nodes."""
        self.told.append((user,))

    def test_told(self) -> None:
        """The other nodes hear of each change of the number of sessions here, and of nothing else."""
        self.presence.enter(1, 10)
        self.presence.enter(1, 11)
        self.presence.came("b", 2, 1)
        self.presence.leave(1, 10)
        self.presence.leave(1, 11)
        self.presence.leave(1, 11)
        self.assertEqual(self.told, [(1, 1), (1, 2), (1, 1), (1,)])

    def test_online(self) -> None:
        """A user is online while it is on any node, in the order in which it came. Sessions here stay apart."""
        self.presence.came("b", 2, 3)
        self.presence.enter(1, 10)
        self.presence.enter(2, 11)
        self.presence.came("c", 2, 1)
        self.assertEqual((list(self.presence.online), list(self.presence.sessions)), ([2, 1], [1, 2]))
        self.assertEqual((self.presence.count(2), self.presence.count_all()), (5, 6))
        self.presence.went("b", 2)
        self.presence.leave(2, 11)
        self.assertEqual(self.changes, [(2, True), (1, True)])
        self.presence.went("c", 2)
        self.assertEqual(self.changes[2:], [(2, False)])
        self.assertEqual(self.presence.online_here(), {1: 1})

    def test_state(self) -> None:
        """The state of a node replaces what it said before. Without users the node is gone."""
        self.presence.set_online("b", {1: 1, 2: 1})
        self.presence.set_online("b", {2: 2, 3: 1})
        self.presence.set_online("c", {3: 1})
        self.presence.set_online("b", {})
        self.assertEqual(self.changes, [(1, True), (2, True), (1, False), (3, True), (2, False)])

    def test_sign_ins(self) -> None:
        """The sign-ins of a user are those of all nodes, once for each session that has one."""
        one, two = sign_in_id(b"1"), sign_in_id(b"2")
        self.presence.enter(1, 10, b"1")
        self.presence.enter(1, 11)
        self.presence.enter(1, 12, b"1")
        self.assertEqual(self.told, [(1, 1, one), (1, 2, one), (1, 3, one, one)])
        self.presence.came("b", 1, 2, (two,))
        self.presence.set_online("c", {1: 1, 100: 1}, {1: (one,), 100: (two,)})
        self.assertEqual(self.presence.sign_ins(1), (one, one, two, one))
        self.assertEqual(dict(self.presence.sign_ins_here()), {1: (one, one)})
        self.presence.went("b", 1)
        self.presence.set_online("c", {})
        self.presence.leave(1, 10)
        self.assertEqual((self.presence.sign_ins(1), self.presence.sign_ins(2)), ((one,), ()))
        self.presence.came("b", 1, 2, (two,))
        self.presence.forget(1)
        self.assertEqual(self.presence.sign_ins(1), ())
        self.assertEqual(self.presence._tokens, {})

    def test_removed(self) -> None:
        """A removed user goes on all nodes, and does not come back by a late message. Unknown users are ignored."""
        self.presence.came("b", 1, 1)
        self.presence.set_online("c", {1: 1, 100: 1})
        self.presence.forget(1)
        self.presence.came("b", 101, 1)
        self.presence.went("b", 1)
        self.assertEqual((self.changes, self.presence.count(1)), ([(1, True), (1, False)], 0))
