"""The commit queue: what is checked when, committed with what, told in which order; what a failing commit leaves."""

from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from irchat import events
from irchat.chat import commits
from irchat.chat.commits import Change, CommitQueue
from irchat.errors import Code, Refusal, unavailable
from irchat.interfaces import Publication, Write


class _HandStore:
    """A store whose commits are finished by hand."""

    def __init__(self) -> None:
        self.commits: list[list[Any]] = []
        self._running: list[Deferred[list[Any]]] = []

    def commit(self, writes: Sequence[Write]) -> Deferred[list[Any]]:
        running: Deferred[list[Any]] = Deferred()
        self.commits.append(list(writes))
        self._running.append(running)
        return running

    def finish(self) -> None:
        """The commit that runs is on the disk."""
        (running,) = self._running
        self._running = []
        running.callback([f"{write} done" for write in self.commits[-1]])

    def fail(self, error: Exception) -> None:
        """The commit that runs fails."""
        (running,) = self._running
        self._running = []
        running.errback(error)


class _Step(Change):
    """A change called ``name`` that writes its name, or nothing, and notes what becomes of it."""

    def __init__(
        self,
        log: list[str],
        name: str,
        *,
        alone: bool = False,
        writes: bool = True,
        in_check: Callable[[], None] = lambda: None,
        in_apply: Callable[[], None] = lambda: None,
        user: str | None = None,
        characters: int = 0,
    ) -> None:
        self.log = log
        self.name = name
        self.alone = alone
        self.writes = writes
        self.in_check = in_check
        self.in_apply = in_apply
        self.user = user
        self.characters = characters

    def whose(self) -> str | None:
        return self.user

    def check(self) -> Any:
        self.log.append(f"check {self.name}")
        self.in_check()
        return self.name if self.writes else None

    def apply(self, result: Any, publications: list[Publication]) -> str:
        self.log.append(f"apply {self.name}: {result}")
        self.in_apply()
        publications.append(Publication(events.Bye(reason=self.name), None))
        return self.name


class CommitQueueTests(SynchronousTestCase):
    """A queue before a store whose commits are finished by hand."""

    def setUp(self) -> None:
        """Make the queue."""
        self.log: list[str] = []
        self.store = _HandStore()
        self.queue = CommitQueue(self.store, self.publish)  # type: ignore[arg-type]

    def publish(self, publications: Sequence[Publication]) -> None:
        """Note what is told."""
        self.log.append("tell " + " ".join(publication.event.reason for publication in publications))

    def submit(self, name: str, **how: Any) -> Deferred[Any]:
        """Submit a step and note its answer."""
        asked = self.queue.submit(_Step(self.log, name, **how))
        asked.addCallbacks(
            lambda answer: self.log.append(f"answer {answer}"),
            lambda failure: self.log.append(f"refuse {name}: {failure.value.code}"),
        )
        return asked

    def events(self) -> list[str]:
        """What was noted since the last look."""
        log, self.log[:] = list(self.log), []
        return log

    def refuse(self) -> None:
        """What a change may meet."""
        raise Refusal(Code.BLOCKED, "no")

    def test_one(self) -> None:
        """A change is checked, committed, applied with the commit's result, told, and only then answered."""
        self.submit("a")
        self.assertEqual((self.events(), self.store.commits), (["check a"], [["a"]]))
        self.store.finish()
        self.assertEqual(self.events(), ["apply a: a done", "tell a", "answer a"])

    def test_group(self) -> None:
        """While a commit runs what comes waits unchecked; the next commit takes all of it, told at once, in order."""
        for name in "abcd":
            self.submit(name)
        self.assertEqual(self.events(), ["check a"])
        self.store.finish()
        self.assertEqual(self.events(), ["apply a: a done", "tell a", "answer a", "check b", "check c", "check d"])
        self.store.finish()
        self.assertEqual(self.store.commits, [["a"], ["b", "c", "d"]])
        self.assertEqual(self.events(), [
            "apply b: b done", "apply c: c done", "apply d: d done", "tell b c d", "answer b", "answer c", "answer d",
        ])  # fmt: skip

    def test_group_most(self) -> None:
        """A group has a most, and what is over comes in the next."""
        self.patch(commits, "_GROUP_MOST", 3)
        for name in "abcdefgh":
            self.submit(name)
        while len(self.store.commits) < 4:
            self.store.finish()
        self.assertEqual(self.store.commits, [["a"], ["b", "c", "d"], ["e", "f", "g"], ["h"]])

    def test_alone(self) -> None:
        """A change that is alone is checked when all before it is applied, and what follows when it is applied."""
        self.submit("a")
        self.submit("b")
        self.submit("c", alone=True)
        self.submit("d")
        self.submit("e")
        self.events()
        self.store.finish()
        self.assertEqual(self.events()[-1], "check b")
        self.store.finish()
        self.assertEqual(self.events(), ["apply b: b done", "tell b", "answer b", "check c"])
        self.store.finish()
        self.assertEqual(self.events(), ["apply c: c done", "tell c", "answer c", "check d", "check e"])
        self.assertEqual(self.store.commits, [["a"], ["b"], ["c"], ["d", "e"]])

    def test_refused(self) -> None:
        """A change that is refused is answered so, and keeps nothing from the others of its group."""
        self.submit("a")
        self.submit("b", in_check=self.refuse)
        self.submit("c")
        self.submit("d", alone=True, in_check=self.refuse)
        self.store.finish()
        self.store.finish()
        self.assertEqual(self.store.commits, [["a"], ["c"]])
        self.assertEqual(self.events(), [
            "check a", "apply a: a done", "tell a", "answer a", "check b", "check c", "refuse b: blocked",
            "apply c: c done", "tell c", "answer c", "check d", "refuse d: blocked",
        ])  # fmt: skip

    def test_nothing_to_write(self) -> None:
        """Where no change of a group writes, no commit is made; among those that do, each gets its own result."""
        self.submit("a", writes=False)
        self.assertEqual((self.events(), self.store.commits), (["check a", "apply a: None", "tell a", "answer a"], []))
        self.submit("b")
        self.submit("c", writes=False)
        self.submit("d")
        self.submit("e", writes=False)
        self.store.finish()
        self.store.finish()
        self.assertEqual(self.store.commits, [["b"], ["d"]])
        self.assertEqual(self.events()[-7:], [
            "apply c: None", "apply d: d done", "apply e: None", "tell c d e", "answer c", "answer d", "answer e",
        ])  # fmt: skip

    def test_failing_commit(self) -> None:
        """A commit that fails refuses what needed it, applies and tells nothing of it, and the queue goes on."""
        self.submit("a")
        self.submit("b")
        self.submit("c", writes=False)
        self.store.finish()
        self.submit("d")
        self.events()
        self.store.fail(unavailable())
        self.assertEqual(self.events(), [
            "refuse b: unavailable", "apply c: None", "tell c", "answer c", "check d",
        ])  # fmt: skip
        self.store.finish()
        self.assertEqual(self.events(), ["apply d: d done", "tell d", "answer d"])

    def test_broken_commit(self) -> None:
        """A commit that meets an error of the server's own is logged and refused as internal, and the queue goes on."""
        self.submit("a")
        self.submit("b")
        self.store.fail(ValueError("of our own"))
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)
        self.store.finish()
        self.assertEqual(self.events(), [
            "check a", "refuse a: internal", "check b", "apply b: b done", "tell b", "answer b",
        ])  # fmt: skip

    def test_broken_apply(self) -> None:
        """A change that breaks when it is applied fails its own asker alone."""
        self.submit("a")
        broken = self.queue.submit(_Step(self.log, "b", in_apply=lambda: int("x") and None))
        self.submit("c")
        self.store.finish()
        self.store.finish()
        self.failureResultOf(broken, ValueError)
        self.assertEqual(self.events()[-4:], ["apply b: b done", "apply c: c done", "tell c", "answer c"])

    def test_broken_bus(self) -> None:
        """Where telling breaks, that is logged, who asked is answered, and the queue goes on."""
        broken = CommitQueue(self.store, lambda publications: {}["nobody"])  # type: ignore[arg-type]
        for name in "abc":
            broken.submit(_Step(self.log, name)).addCallback(lambda answer: self.log.append(f"answer {answer}"))
        self.store.finish()
        self.store.finish()
        self.assertEqual(self.store.commits, [["a"], ["b", "c"]])
        self.assertEqual(len(self.flushLoggedErrors(KeyError)), 2)
        self.assertEqual(self.events()[-2:], ["answer b", "answer c"])

    def test_submit_from_an_answer(self) -> None:
        """What an answer or a refusal leads to takes its place behind what waits."""
        first = self.queue.submit(_Step(self.log, "a"))
        first.addCallback(lambda _: self.submit("late") and None)
        self.queue.submit(_Step(self.log, "b", in_check=self.refuse)).addErrback(
            lambda _: self.submit("later") and None
        )
        self.submit("c")
        for _ in range(3):
            self.store.finish()
        self.assertEqual(self.store.commits, [["a"], ["c", "late"], ["later"]])

    def test_when_idle(self) -> None:
        """It is idle at once where nothing waits, otherwise when all that was submitted is answered."""
        self.successResultOf(self.queue.when_idle())
        self.submit("a")
        self.submit("b")
        idle = [self.queue.when_idle(), self.queue.when_idle()]
        self.store.finish()
        self.assertNoResult(idle[0])
        self.store.fail(unavailable())
        for one in idle:
            one.addCallback(lambda _: self.log.append("idle"))
        self.assertEqual(self.events()[-3:], ["refuse b: unavailable", "idle", "idle"])

    def test_published(self) -> None:
        """All is published at once where no commit runs, otherwise when what the commit holds is told."""
        self.successResultOf(self.queue.published())
        self.submit("a")
        self.queue.published().addCallback(lambda _: self.log.append("published a"))
        self.submit("b")
        self.events()
        self.store.finish()
        self.assertEqual(self.events(), ["apply a: a done", "tell a", "published a", "answer a", "check b"])
        published = self.queue.published()
        self.store.fail(unavailable())
        self.successResultOf(published)

    def test_asker_that_fails(self) -> None:
        """Whoever cannot be told how a change went keeps it from nobody else, and the queue goes on."""
        told: list[object] = []

        class Asker:
            def __init__(self, fails: bool) -> None:
                self.fails = fails

            def callback(self, result: object) -> None:
                told.append(result)
                if self.fails:
                    raise ZeroDivisionError

            errback = callback

        self.submit("running")
        for name, fails in ("a", True), ("b", False):
            self.queue.take(_Step(self.log, name), Asker(fails))
            self.queue.take(_Step(self.log, f"refused {name}", in_check=self.refuse), Asker(fails))
        self.store.finish()
        self.store.finish()
        self.assertEqual([told[2:], [failure.value.code for failure in told[:2]]], [["a", "b"], [Code.BLOCKED] * 2])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 2)
        self.submit("next")
        self.assertIn("check next", self.events())

    def test_a_change_says_what_it_does(self) -> None:
        """A change has both its parts."""
        self.assertRaises(NotImplementedError, Change().check)
        self.assertRaises(NotImplementedError, Change().apply, None, [])


class TurnsTests(SynchronousTestCase):
    """Users take turns: nobody waits for all that another one asked for."""

    def setUp(self) -> None:
        """Make the queue, in which one commit runs."""
        self.store = _HandStore()
        self.queue = CommitQueue(self.store, lambda publications: None)  # type: ignore[arg-type]
        self.submit("running")

    def submit(self, name: str, **how: Any) -> Deferred[Any]:
        """Submit a step."""
        return self.queue.submit(_Step([], name, **how))

    def commits(self) -> list[list[Any]]:
        """Finish everything; return what was committed together."""
        while self.store._running:
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

    def test_who_says_little(self) -> None:
        """Where more waits than a group may hold, users take turns, whoever says little first."""
        self.patch(commits, "_GROUP_MOST", 3)
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


class GatheringTests(SynchronousTestCase):
    """A queue with a clock: what is one group, and when it begins."""

    def setUp(self) -> None:
        """Telling takes 1 ms."""
        self.telling_seconds = 0.001
        self.log: list[str] = []
        self.clock = Clock()
        self.store = _HandStore()
        self.queue = CommitQueue(self.store, self.publish, self.clock)  # type: ignore[arg-type]

    def publish(self, publications: Sequence[Publication]) -> None:
        """Take a while."""
        self.clock.rightNow += self.telling_seconds

    def submit(self, *names: str) -> None:
        """Submit steps."""
        for name in names:
            self.queue.submit(_Step(self.log, name))

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
