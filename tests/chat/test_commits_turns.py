"""The commit queue: how users take turns in it, and when a group begins."""

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
    """Users take turns: nobody waits for all that another one asked for."""

    def setUp(self) -> None:
        """Make the queue, in which one commit runs."""
        self.store = HandStore()
        self.queue = CommitQueue(self.store, LocalBus(), lambda entry, origin: [])  # type: ignore[arg-type]
        self.submit("running")

    def submit(self, name: str, **how: Any) -> Deferred[Any]:
        """Submit a step."""
        return self.queue.submit(Step([], name, **how))

    def commits(self) -> list[list[Any]]:
        """Finish everything; return what was committed together."""
        while self.store.running:
            self.store.finish()
        return self.store.commits[1:]

    def test_one_alone_of_each(self) -> None:
        """Of one user one change that is alone is in the queue; between two of them comes all else."""
        for number in range(3):
            self.submit(f"m{number}", alone=True, user="much")
        self.submit("b", alone=True, user="bob")
        self.submit("message", user="carol")
        self.submit("another", user="much")
        self.assertEqual(self.commits(), [["m0"], ["message", "another"], ["b"], ["m1"], ["m2"]])

    def test_messages_between(self) -> None:
        """A message waits for one change that is alone, however many users have one in the queue."""
        for number in range(50):
            self.submit(f"alone {number}", alone=True, user=f"user {number}")
        self.submit("message", user="carol")
        self.assertEqual(self.commits()[:3], [["alone 0"], ["message"], ["alone 1"]])

    def test_all_are_made(self) -> None:
        """All that one user asked for is made in its order, also where some of it is refused or fails; then nothing of
        the user is kept."""

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

    def test_nobodys(self) -> None:
        """Those that are nobody's do not wait for one another."""
        for name in "ab":
            self.submit(name, alone=True)
        self.assertEqual(self.commits(), [["a"], ["b"]])

    def test_characters(self) -> None:
        """A group ends when it has as many characters as are written in a moment."""
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
        """Where more waits than a group may hold, users take turns, whoever says little first."""
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

    def test_order_of_arrival(self) -> None:
        """Where no more waits than a group may hold, all goes in the order of arrival, whoever says much."""
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
    """A queue with a clock: what is one group, and when it begins."""

    def setUp(self) -> None:
        """Telling takes 1 ms."""
        self.telling_seconds = 0.001
        self.log: list[str] = []
        self.clock = Clock()
        self.store = HandStore()
        self.queue = CommitQueue(self.store, self, lambda entry, origin: [], self.clock)  # type: ignore[arg-type]

    def publish(self, publications: Sequence[Publication]) -> None:
        """Take a while."""
        self.clock.rightNow += self.telling_seconds

    def submit(self, *names: str) -> None:
        """Submit steps."""
        for name in names:
            self.queue.submit(Step(self.log, name))

    def test_one_turn_is_one_group(self) -> None:
        """All that a turn of the reactor brings is committed together."""
        self.submit("a", "b")
        self.assertEqual(self.store.commits, [])
        self.clock.advance(0)
        self.assertEqual(self.store.commits, [["a", "b"]])

    def test_gathers(self) -> None:
        """After a group of several, what waits begins ten times later than the telling took, with what came since."""
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
        """However long telling takes, nobody notices the wait."""
        self.submit("a", "b")
        self.clock.advance(0)
        self.submit("c")
        self.telling_seconds = 1.0
        self.store.finish()
        self.clock.advance(0.0201)
        self.assertEqual(self.store.commits[1:], [["c"]])

    def test_one_at_a_time(self) -> None:
        """Where messages come one at a time none waits for another."""
        self.submit("a")
        self.clock.advance(0)
        self.submit("b")
        self.store.finish()
        self.assertEqual(self.store.commits, [["a"], ["b"]])

    def test_whole_group_waits(self) -> None:
        """Where as many wait as a group may hold, they begin at once."""
        self.submit("a", "b")
        self.clock.advance(0)
        self.submit(*map(str, range(commits._GROUP_MOST)))
        self.store.finish()
        self.assertEqual(len(self.store.commits[1]), commits._GROUP_MOST)

    def test_dear_to_tell(self) -> None:
        """Where telling takes long a group holds as much as is told in 20 ms; when it is quick again, more."""
        self.submit(*map(str, range(2_000)))
        self.telling_seconds = 0.1
        self.clock.advance(0)
        for telling_seconds in 0.1, 0.1, 0.001, 0.001:
            self.telling_seconds = telling_seconds
            self.store.finish()
        self.assertEqual([len(group) for group in self.store.commits], [500, 100, 64, 500, 500])

    def test_first_is_alone(self) -> None:
        """The first change of all goes first, also if it is alone."""
        self.queue.submit(Step(self.log, "first", alone=True))
        self.submit("a", "b")
        self.clock.advance(0)
        self.store.finish()
        self.assertEqual(self.store.commits, [["first"], ["a", "b"]])

    def test_few_are_no_measure(self) -> None:
        """How long the telling of a group takes limits the next one if it had 64 changes, and not if it had fewer."""
        for count, following in ((63, 500), (64, 64)):
            self.setUp()
            self.submit(*map(str, range(count)))
            self.clock.advance(0)
            self.submit(*map(str, range(600)))
            self.telling_seconds = 1.0
            self.store.finish()
            self.assertEqual([len(group) for group in self.store.commits], [count, following])

    def test_characters_of_a_whole_group(self) -> None:
        """Where as many characters wait as a group may hold, they begin at once; with fewer they gather."""
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
        """Nothing is on the disk and not told while changes gather, so a reader need not wait."""
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
