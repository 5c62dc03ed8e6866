"""A node that follows the log of others: the order of a turn, faults at each step, and news between turns."""

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from irchat.chat import commits, following
from irchat.interfaces.log import Committed, TurnLost
from irchat.protocol.errors import Code, Refusal, unavailable
from tests.helpers.hand_log import HandNode, batch


class TurnTests(SynchronousTestCase):
    """The order of a turn, and its faults, over a log whose calls the test answers."""

    def setUp(self) -> None:
        """Create a node."""
        self.node = HandNode()
        self.log = self.node.log

    def test_turn(self) -> None:
        """In a turn, the commits of others are published, then the group is checked, committed and published."""
        done = self.node.submit("a")
        self.assertEqual(self.node.take(), ["begin"])
        self.log.begins[-1].callback([batch(3, "x", "y"), batch(4)])
        self.assertEqual(
            self.node.take(),
            ["apply x", "apply y", "publish x y", "applied 3", "applied 4", "check a", "commit a"],
        )
        self.log.commits[-1].callback(Committed(7, ["done"]))
        self.assertEqual(self.node.take(), ["reply a: done", "publish a", "applied 7"])
        self.assertEqual(self.successResultOf(done), "a")

    def test_alone(self) -> None:
        """A change of permissions is applied at its place."""
        self.node.submit("a", alone=True)
        self.log.begins[-1].callback([])
        self.node.take()
        self.log.commits[-1].callback(Committed(1, [None]))
        self.assertEqual(self.node.take(), ["apply a", "reply a: None", "publish a a", "applied 1"])

    def test_no_writes(self) -> None:
        """A group without writes catches up too, and ends the turn."""
        done = self.node.submit("a", writes=False)
        self.log.begins[-1].callback([batch(1, "x")])
        self.assertEqual(
            self.node.take(),
            ["begin", "apply x", "publish x", "applied 1", "check a", "cancel", "reply a: None", "publish a"],
        )
        self.assertEqual(self.successResultOf(done), "a")

    def test_each_group_takes_its_turn(self) -> None:
        """After a commit, and after a group without writes, the next group waits for a turn of its own."""
        for name, writes in (("a", False), ("b", True), ("c", True)):
            self.node.submit(name, writes=writes)
            self.log.begins[-1].callback([])
            if writes:
                self.log.commits[-1].callback(Committed(len(self.log.commits), [None]))
        calls = [call for call in self.node.take() if call.split()[0] in ("begin", "cancel", "commit")]
        self.assertEqual(calls, ["begin", "cancel", "begin", "commit b", "begin", "commit c"])

    def test_news_of_a_lost_turn(self) -> None:
        """News that came during a lost turn are read, also if no other turn can be taken."""
        done = self.node.submit("a")
        self.log.begins[-1].callback([])
        self.log.on_news()
        self.node.take()
        self.log.commits[-1].errback(TurnLost())
        self.log.begins[-1].errback(unavailable())
        self.failureResultOf(done, Refusal)
        self.assertEqual(self.node.take(), ["read", "begin"])

    def test_without_a_clock(self) -> None:
        """Without a clock, a long catch-up is one slice after the other."""
        self.patch(following, "_ENTRIES_MOST", 1)
        self.log.on_news()
        self.log.reads[-1].callback([batch(1, "x"), batch(2, "y"), batch(3, "z")])
        self.assertEqual(self.log.position, 3)

    def test_lost_turn(self) -> None:
        """After a lost turn the same changes are checked again, before later ones. None is answered twice."""
        checks: list[None] = []

        def once() -> None:
            checks.append(None)
            if len(checks) > 1:
                raise Refusal(Code.BLOCKED, "no")

        done = [self.node.submit(name, characters=9) for name in "ab"]
        refused = self.node.submit("c", in_check=once, characters=9)
        self.log.begins[-1].callback([])
        done.append(self.node.submit("d", characters=9))
        self.assertEqual(self.node.take(), ["begin", "check a", "check b", "check c", "commit a b c"])
        self.log.commits[-1].errback(TurnLost())
        self.assertEqual(self.node.take(), ["begin"])
        self.log.begins[-1].callback([batch(2, "x")])
        checked = ["check a", "check b", "check c", "check d"]
        self.assertEqual(self.node.take(), ["apply x", "publish x", "applied 2", *checked, "commit a b d"])
        self.failureResultOf(refused, Refusal)
        self.log.commits[-1].callback(Committed(5, [None] * 3))
        self.assertEqual([self.successResultOf(answer) for answer in done], ["a", "b", "d"])
        self.assertEqual(self.node.queue._characters, 0)

    def test_lost_turn_of_long_changes(self) -> None:
        """The characters of a lost turn count for the next group: if they are too many, users take turns."""
        self.patch(commits, "_GROUP_CHARACTERS", 100)
        self.patch(commits, "_TURN_CHARACTERS", 1)
        for name, characters in (("a", 90), ("b", 30), ("c", 30)):
            self.node.submit(name, characters=characters)
            if name == "a":
                self.log.begins[-1].callback([])
        self.node.take()
        self.log.commits[-1].errback(TurnLost())
        self.log.begins[-1].callback([])
        self.assertEqual(self.node.take()[-1], "commit b c a")

    def test_lost_turn_of_a_change_alone(self) -> None:
        """A change of permissions that lost its turn is the next one again."""
        first = self.node.submit("a", alone=True)
        self.log.begins[-1].callback([])
        self.node.submit("b")
        self.log.commits[-1].errback(TurnLost())
        self.log.begins[-1].callback([])
        self.assertEqual(self.node.take()[-2:], ["check a", "commit a"])
        self.log.commits[-1].callback(Committed(1, [None]))
        self.assertEqual(self.successResultOf(first), "a")

    def test_no_turn(self) -> None:
        """Without a turn, the changes of the next commit are refused unchecked. Later ones try again."""
        done = self.node.submit("a"), self.node.submit("b", alone=True), self.node.submit("c")
        self.log.begins[0].errback(unavailable())
        self.failureResultOf(done[0], Refusal)
        self.assertEqual(self.node.take(), ["begin", "begin"])
        self.log.begins[1].errback(unavailable())
        self.failureResultOf(done[1], Refusal)
        self.log.begins[2].callback([])
        self.assertEqual(self.node.take(), ["begin", "check c", "commit c"])
        self.assertNoResult(done[2])

    def test_broken_log(self) -> None:
        """Another error of the log is an internal error for those who wait."""
        done = self.node.submit("a")
        self.log.begins[-1].errback(ValueError("broken"))
        self.assertEqual(self.failureResultOf(done, Refusal).value.code, Code.INTERNAL)
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)

    def test_refused_commit(self) -> None:
        """A refused commit refuses its changes, and news of meanwhile are read."""
        done = self.node.submit("a")
        self.log.begins[-1].callback([])
        self.log.on_news()
        self.node.take()
        self.log.commits[-1].errback(unavailable())
        self.failureResultOf(done, Refusal)
        self.assertEqual(self.node.take(), ["read"])


class ReadingTests(SynchronousTestCase):
    """Commits of other nodes between the turns of this node."""

    def setUp(self) -> None:
        """Create a node."""
        self.clock = Clock()
        self.node = HandNode(self.clock)
        self.log = self.node.log

    def test_news(self) -> None:
        """News are read, applied and published. Those that come while it reads are read afterwards."""
        self.log.on_news()
        self.log.on_news()
        self.assertEqual(self.node.take(), ["read"])
        self.log.reads[0].callback([batch(1, "x"), batch(2, "y")])
        self.assertEqual(
            self.node.take(), ["apply x", "publish x", "applied 1", "apply y", "publish y", "applied 2", "read"]
        )
        self.log.reads[1].callback([batch(1, "x"), batch(2, "y")])
        self.assertEqual(self.node.take(), [])

    def test_unreadable(self) -> None:
        """If the log cannot be read, the next news try again. An error is logged."""
        self.log.on_news()
        self.log.reads[0].errback(unavailable())
        self.log.on_news()
        self.log.reads[1].errback(ValueError("broken"))
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)
        self.log.on_news()
        self.assertEqual(self.node.take(), ["read"] * 3)

    def test_news_during_a_commit(self) -> None:
        """News of the time of a commit are read when it is published and answered: they may come after it."""
        done = self.node.submit("a")
        self.log.begins[-1].callback([])
        self.log.on_news()
        self.node.take()
        done.addCallback(lambda name: self.node.happened.append(f"answered {name}"))
        self.log.commits[-1].callback(Committed(1, [None]))
        self.assertEqual(self.node.take(), ["reply a: None", "publish a", "applied 1", "answered a", "read"])

    def test_news_during_a_lookup(self) -> None:
        """A commit that only looked something up, in an empty log, delays no news for longer than itself."""
        self.node.submit("a")
        self.log.begins[-1].callback([])
        self.log.on_news()
        self.node.take()
        self.log.commits[-1].callback(Committed(0, [None]))
        self.assertEqual(self.node.take()[-1], "read")

    def test_overtaken_lookup(self) -> None:
        """A commit that only looked something up does not set the position back behind a slow read."""
        self.log.on_news()
        self.node.submit("a")
        self.log.begins[-1].callback([])
        self.log.reads[-1].callback([batch(9, "x")])
        self.node.take()
        self.log.commits[-1].callback(Committed(8, [None]))
        self.assertEqual(self.node.take(), ["reply a: None", "publish a"])
        self.assertEqual(self.log.position, 9)

    def test_known(self) -> None:
        """Entries that a turn has applied meanwhile are not applied again by a slow read."""
        self.log.on_news()
        self.node.submit("a")
        self.log.begins[-1].callback([batch(1, "x")])
        self.node.take()
        self.log.reads[-1].callback([batch(1, "x"), batch(2, "y")])
        self.assertEqual(self.node.take(), ["apply y", "publish y", "applied 2"])

    def test_long_catch_up(self) -> None:
        """A long catch-up releases the turn among the nodes, runs in slices of the reactor's turns, and asks again."""
        self.patch(following, "_ENTRIES_MOST", 3)
        self.node.submit("a")
        self.log.begins[0].callback([batch(2, "u", "v"), batch(3, "w"), batch(5, "x", "y"), batch(9, *"mnop")])
        self.assertEqual(
            [said for said in self.node.take() if said[:3] == "app"],
            ["apply u", "apply v", "applied 2", "apply w", "applied 3"],
        )
        turns = []
        while self.node.log.position < 9:
            (call,) = self.clock.getDelayedCalls()
            self.clock.calls.remove(call)
            call.func(*call.args)
            turns.append(self.node.log.position)
        self.assertEqual((turns, len(self.log.begins)), ([5, 9], 2))
        self.node.take()
        self.log.begins[1].callback([])
        self.assertEqual(self.node.take(), ["check a", "commit a"])

    def test_short_catch_up(self) -> None:
        """As many entries as one slice holds are applied in the turn. A larger batch is applied whole."""
        self.patch(following, "_ENTRIES_MOST", 3)
        self.node.submit("a")
        self.log.begins[0].callback([batch(2, "u", "v"), batch(3, "w")])
        self.assertEqual(self.node.take()[-2:], ["check a", "commit a"])
        self.log.on_news()
        self.log.commits[0].callback(Committed(4, [None]))
        self.log.reads[0].callback([batch(9, *"mnop"), batch(10, "q")])
        self.assertEqual(self.node.log.position, 9)
        self.clock.advance(0)
        self.assertEqual(self.node.log.position, 10)

    def test_bad_entry(self) -> None:
        """A node that cannot apply an entry loads everything again, and takes another turn."""
        self.node.snapshot_position = 5
        self.node.submit("a")
        self.log.begins[0].callback([batch(1, "x", "bad"), batch(2, "y")])
        self.assertEqual(self.node.take(), ["begin", "apply x", "apply bad", "load", "cancel", "begin"])
        self.log.begins[1].callback([batch(5, "z")])
        self.assertEqual(self.node.take(), ["check a", "commit a"])
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)

    def test_failing_bus(self) -> None:
        """A failing bus does not stop the log."""
        self.node.failing = True
        self.log.on_news()
        self.log.reads[-1].callback([batch(1, "x"), batch(2, "y")])
        self.assertEqual(self.node.take()[-1], "applied 2")
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 2)

    def test_old_answers_after_a_reset(self) -> None:
        """Entries that were read before everything was loaded again are not applied. The turn is taken again."""
        self.log.on_news()
        self.node.submit("a")
        self.log.on_reset()
        self.log.reads[-1].callback([batch(8, "x")])
        self.log.begins[-1].callback([batch(8, "x")])
        self.assertEqual(self.node.take(), ["read", "begin", "load", "cancel", "begin"])

    def test_own_commit_in_the_snapshot(self) -> None:
        """A commit that is in the new snapshot is not applied again. Nobody is there to get its answer."""
        for position, code in ((4, Code.UNAVAILABLE), (5, Code.UNAVAILABLE), (6, None)):
            self.setUp()
            self.node.snapshot_position = 5
            done = self.node.submit("a", alone=True)
            self.log.begins[-1].callback([])
            self.log.on_reset()
            self.node.take()
            self.log.commits[-1].callback(Committed(position, [None]))
            if code is None:
                self.successResultOf(done)
                self.assertEqual(self.node.take()[-1], f"applied {position}")
            else:
                self.assertEqual(self.failureResultOf(done, Refusal).value.code, code)
                self.assertEqual(self.node.take(), [])
