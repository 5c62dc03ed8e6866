"""The commit queue: turns of users, and when a group begins."""

from collections.abc import Sequence
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from irchat.chat import commits
from irchat.chat.commits import CommitQueue
from irchat.chat.local_bus import LocalBus
from irchat.interfaces.bus import Publication
from irchat.protocol.errors import Code, Refusal, unavailable
from tests.helpers.commit_queues import HandStore, Step


class TurnsTests(SynchronousTestCase):
    """Users take turns: nobody waits for all requests of another user."""

    def setUp(self) -> None:
        """Create the queue with a running commit. A turn is as short as possible."""
        self.patch(commits, "_TURN_CHARACTERS", 1)
        self.store = HandStore()
        self.queue = CommitQueue(self.store, LocalBus(), lambda entry, origin: [])  # type: ignore[arg-type]
        self.submit("running")

    def submit(self, name: str, **how: Any) -> Deferred[Any]:
        """Submit a step."""
        return self.queue.submit(Step([], name, **how))

    def commits(self) -> list[list[Any]]:
        """Finish everything. Return what was committed together."""
        while self.store.running:
            self.store.finish()
        return self.store.commits[1:]

    def test_one_alone_of_each(self) -> None:
        """The queue holds one exclusive change per user at a time. Between two of them, others proceed."""
        for number in range(3):
            self.submit(f"m{number}", alone=True, user="much")
        self.submit("b", alone=True, user="bob")
        self.submit("message", user="carol")
        self.submit("another", user="much")
        self.assertEqual(self.commits(), [["m0"], ["message", "another"], ["b"], ["m1"], ["m2"]])

    def test_messages_between(self) -> None:
        """A message waits for at most one exclusive change, however many users have one in the queue."""
        for number in range(50):
            self.submit(f"alone {number}", alone=True, user=f"user {number}")
        self.submit("message", user="carol")
        self.assertEqual(self.commits()[:3], [["alone 0"], ["message"], ["alone 1"]])

    def test_all_are_made(self) -> None:
        """One user's requests run in order, even if some are refused or fail. Afterwards nothing of them is kept."""

        def refuse() -> None:
            raise Refusal(Code.BLOCKED, "no")

        for number in range(6):
            asked = self.submit(str(number), alone=True, user="much", in_check=refuse if number % 2 else lambda: None)
            asked.addErrback(lambda failure: failure.trap(Refusal))
        self.store.finish()
        self.store.fail(unavailable())
        self.assertEqual(self.commits(), [["0"], ["2"], ["4"]])
        self.assertEqual(self.queue._alone_later, {})
        self.successResultOf(self.queue.when_idle())

    def test_refused_beside_one_alone(self) -> None:
        """A refused message of a user leaves the exclusive changes of that user as they are."""

        def refuse() -> None:
            raise Refusal(Code.BLOCKED, "no")

        refused = self.submit("message", user="much", in_check=refuse)
        for number in range(2):
            self.submit(f"m{number}", alone=True, user="much")
        self.assertEqual(self.commits(), [["m0"], ["m1"]])
        self.failureResultOf(refused, Refusal)

    def test_after_messages(self) -> None:
        """After a group of messages, an exclusive change does not wait for later messages."""
        self.submit("first", alone=True, user="bob")
        self.store.finish()
        self.submit("message", user="carol")
        self.store.finish()
        self.submit("alone", alone=True, user="bob")
        self.submit("later", user="carol")
        self.assertEqual(self.commits(), [["first"], ["message"], ["alone"], ["later"]])

    def test_long_messages(self) -> None:
        """Users take turns also if few but long messages wait."""
        self.patch(commits, "_GROUP_CHARACTERS", 100)
        for name, characters in (("m0", 120), ("m1", 120), ("little", 10)):
            self.submit(name, characters=characters, user=name[0])
        self.assertEqual(self.commits(), [["little", "m0"], ["m1"]])

    def test_nobodys(self) -> None:
        """Changes without a user do not wait for one another."""
        for name in "ab":
            self.submit(name, alone=True)
        self.assertEqual(self.commits(), [["a"], ["b"]])

    def test_characters(self) -> None:
        """A group ends at the number of characters that are written quickly."""
        self.patch(commits, "_GROUP_CHARACTERS", 100)
        for name in "abcde":
            self.submit(name, characters=50, user=name)
        self.assertEqual(self.commits(), [["a", "b"], ["c", "d"], ["e"]])
        del self.store.commits[1:]
        self.submit("running")
        for name, characters in (("f", 60), ("g", 39), ("h", 0)):
            self.submit(name, characters=characters)
        self.assertEqual(self.commits(), [["running"], ["f", "g", "h"]])

    def test_who_says_little(self) -> None:
        """If more changes wait than fit into a group, users take turns, and those with few requests go first."""
        self.queue._group_most = 3
        for number in range(5):
            self.submit(f"m{number}", user="much", characters=100)
        self.submit("short", user="bob", characters=5)
        self.submit("b0", user="carol", characters=50)
        self.submit("b1", user="carol", characters=50)
        groups = self.commits()
        self.assertEqual(groups[0], ["short", "b0", "m0"])
        said = [name for group in groups for name in group]
        self.assertEqual([name for name in said if name[0] == "m"], [f"m{number}" for number in range(5)])
        self.assertEqual(len(said), 8)

    def test_short_messages_stay_together(self) -> None:
        """In one turn, the order of arrival stays, so a user's few short messages are in one group. Others wait."""
        self.patch(commits, "_TURN_CHARACTERS", 512)
        self.queue._group_most = 3
        for name, characters in (("m0", 192), ("m1", 191), ("m2", 1), ("bob", 447), ("long", 448), ("carol", 0)):
            self.submit(name, user=name[0], characters=characters)
        self.assertEqual(self.commits(), [["m0", "m1", "bob"], ["carol", "m2", "long"]])

    def test_each_of_nobody(self) -> None:
        """Changes without a user do not count as those of one user when users take turns."""
        self.queue._group_most = 2
        self.submit("long", user="alice", characters=150)
        self.submit("longer", user="alice", characters=150)
        for number in range(3):
            self.submit(str(number), characters=50)
        self.assertEqual(self.commits()[0], ["0", "1"])

    def test_each_change_costs(self) -> None:
        """Many short requests of a user come after a few long ones of another."""
        self.queue._group_most = 3
        for number in range(3):
            self.submit(f"m{number}", user="much", characters=1)
        self.submit("b", user="bob", characters=100)
        self.assertEqual(self.commits()[0], ["m0", "m1", "b"])

    def test_order_of_arrival(self) -> None:
        """If the waiting changes fit into a group, they are committed in the order of arrival."""
        self.patch(commits, "_GROUP_CHARACTERS", 100)
        self.queue._group_most = 3
        for number, characters in enumerate((40, 40, 20)):
            self.submit(str(number), characters=characters, user="much" if number < 2 else "little")
        self.submit("much", characters=60, user="much")
        self.commits()
        del self.store.commits[1:]
        self.submit("running")
        for name, characters in (("a", 50), ("b", 40), ("c", 10)):
            self.submit(name, characters=characters, user=name)
        self.assertEqual(self.commits(), [["running"], ["a", "b", "c"]])


class GatheringTests(SynchronousTestCase):
    """A queue with a clock: the contents of a group, and when it begins."""

    def setUp(self) -> None:
        """Publishing takes 1 ms."""
        self.telling_seconds = 0.001
        self.log: list[str] = []
        self.clock = Clock()
        self.store = HandStore()
        self.queue = CommitQueue(self.store, self, lambda entry, origin: [], self.clock)  # type: ignore[arg-type]

    def publish(self, publications: Sequence[Publication]) -> None:
        """Take some time."""
        self.clock.rightNow += self.telling_seconds

    def submit(self, *names: str) -> None:
        """Submit steps."""
        for name in names:
            self.queue.submit(Step(self.log, name))

    def test_one_turn_is_one_group(self) -> None:
        """All changes of one reactor turn are committed together."""
        self.submit("a", "b")
        self.assertEqual(self.store.commits, [])
        self.clock.advance(0)
        self.assertEqual(self.store.commits, [["a", "b"]])

    def test_gathers(self) -> None:
        """After a group of several, the next begins after ten times the publishing time, with all later changes."""
        self.submit("a", "b")
        self.clock.advance(0)
        self.submit("c")
        self.store.finish()
        self.clock.advance(0.0099)
        self.submit("d")
        self.assertEqual(len(self.store.commits), 1)
        self.clock.advance(0.0002)
        self.assertEqual(self.store.commits[1:], [["c", "d"]])

    def test_gathers_for_20_ms_at_most(self) -> None:
        """However long publishing takes, the delay stays imperceptible."""
        self.submit("a", "b")
        self.clock.advance(0)
        self.submit("c")
        self.telling_seconds = 1.0
        self.store.finish()
        self.clock.advance(0.0201)
        self.assertEqual(self.store.commits[1:], [["c"]])

    def test_one_at_a_time(self) -> None:
        """Messages that arrive one at a time do not wait for others."""
        self.submit("a")
        self.clock.advance(0)
        self.submit("b")
        self.store.finish()
        self.assertEqual(self.store.commits, [["a"], ["b"]])

    def test_whole_group_waits(self) -> None:
        """A full group begins at once."""
        self.submit("a", "b")
        self.clock.advance(0)
        self.submit(*map(str, range(commits._GROUP_MOST)))
        self.store.finish()
        self.assertEqual(len(self.store.commits[1]), commits._GROUP_MOST)

    def test_dear_to_tell(self) -> None:
        """If publishing is slow, a group holds what can be published in 40 ms. When it is fast again, it holds more."""
        self.submit(*map(str, range(2_000)))
        self.telling_seconds = 0.2
        self.clock.advance(0)
        for telling_seconds in 0.2, 0.2, 0.001, 0.001:
            self.telling_seconds = telling_seconds
            self.store.finish()
        self.assertEqual([len(group) for group in self.store.commits], [500, 100, 64, 500, 500])

    def test_readers_go_on_in_turn(self) -> None:
        """Readers that wait for the publication of a commit go on in slices of 5 ms, between other calls."""
        went_on: list[int] = []

        def read(_: object) -> None:
            self.clock.rightNow += 0.002
            went_on.append(len(self.store.commits))

        self.submit("a")
        self.clock.advance(0)
        for _ in range(9):
            self.queue.published().addCallback(read)
        self.submit("b")
        self.store.finish()
        self.assertEqual(went_on, [])
        turns = []
        while self.clock.calls:
            self.clock.calls.pop(0).func()
            turns.append(len(went_on))
        self.assertEqual(turns, [3, 6, 9])

    def test_first_is_alone(self) -> None:
        """The very first change goes at once, even alone."""
        self.queue.submit(Step(self.log, "first", alone=True))
        self.submit("a", "b")
        self.clock.advance(0)
        self.store.finish()
        self.assertEqual(self.store.commits, [["first"], ["a", "b"]])

    def test_few_are_no_measure(self) -> None:
        """The publishing time of a group limits the next one only if it had at least 64 changes."""
        for count, following in ((63, 500), (64, 64)):
            self.setUp()
            self.submit(*map(str, range(count)))
            self.clock.advance(0)
            self.submit(*map(str, range(600)))
            self.telling_seconds = 1.0
            self.store.finish()
            self.assertEqual([len(group) for group in self.store.commits], [count, following])

    def test_characters_of_a_whole_group(self) -> None:
        """A group full by its characters begins at once. With fewer, changes gather."""
        self.patch(commits, "_GROUP_CHARACTERS", 100)
        for characters, begun in ((50, 2), (49, 1)):
            self.setUp()
            self.submit("a", "b")
            self.clock.advance(0)
            for name in "cd":
                self.queue.submit(Step(self.log, name, characters=characters))
            self.store.finish()
            self.assertEqual(len(self.store.commits), begun)

    def test_reads_do_not_wait_for_what_gathers(self) -> None:
        """While changes gather, nothing is on the disk unpublished, so a reader need not wait."""
        self.submit("a", "b")
        self.clock.advance(0)
        self.submit("c")
        self.store.finish()
        self.successResultOf(self.queue.published())
        idle = self.queue.when_idle()
        self.assertNoResult(idle)
        self.clock.advance(0.011)
        self.store.finish()
        self.successResultOf(idle)
