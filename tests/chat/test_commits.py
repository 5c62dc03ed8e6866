"""The commit queue: checks, groups, the order of publications, and failing commits."""

from collections.abc import Sequence
from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from irchat.chat.commits import CommitQueue
from irchat.chat.local_bus import LocalBus
from irchat.interfaces.bus import Publication
from irchat.interfaces.writes import Entry
from irchat.protocol.errors import Code, Refusal, unavailable
from tests.helpers.commit_queues import HandStore, Step


class CommitQueueTests(SynchronousTestCase):
    """A queue in front of a store whose commits the test finishes."""

    def setUp(self) -> None:
        """Create the queue."""
        self.log: list[str] = []
        self.store = HandStore()
        self.queue = CommitQueue(self.store, self, self.apply)  # type: ignore[arg-type]

    def apply(self, entry: Entry, origin: int | None) -> list[Publication]:
        """Record an applied entry."""
        self.log.append(f"follow {entry.write}: {entry.result}")
        return []

    def publish(self, publications: Sequence[Publication]) -> None:
        """Record a publication."""
        self.log.append("tell " + " ".join(publication.event.reason for publication in publications))

    def submit(self, name: str, **how: Any) -> Deferred[Any]:
        """Submit a step and record its answer."""
        asked = self.queue.submit(Step(self.log, name, **how))
        asked.addCallbacks(
            lambda answer: self.log.append(f"answer {answer}"),
            lambda failure: self.log.append(f"refuse {name}: {failure.value.code}"),
        )
        return asked

    def events(self) -> list[str]:
        """Return the records since the last call."""
        log, self.log[:] = list(self.log), []
        return log

    def refuse(self) -> None:
        """The life of a change."""
        raise Refusal(Code.BLOCKED, "no")

    def test_one(self) -> None:
        """A change is checked, committed, applied with the commit's result, published, and only then answered."""
        self.submit("a")
        self.assertEqual((self.events(), self.store.commits), (["check a"], [["a"]]))
        self.store.finish()
        self.assertEqual(self.events(), ["reply a: a done", "tell a", "answer a"])

    def test_group(self) -> None:
        """Changes wait unchecked during a commit. The next one takes and publishes all of them at once, in order."""
        for name in "abcd":
            self.submit(name)
        self.assertEqual(self.events(), ["check a"])
        self.store.finish()
        self.assertEqual(self.events(), ["reply a: a done", "tell a", "answer a", "check b", "check c", "check d"])
        self.store.finish()
        self.assertEqual(self.store.commits, [["a"], ["b", "c", "d"]])
        self.assertEqual(self.events(), [
            "reply b: b done", "reply c: c done", "reply d: d done", "tell b c d", "answer b", "answer c", "answer d",
        ])  # fmt: skip

    def test_group_most(self) -> None:
        """A group has a maximum, and the rest goes into the next."""
        self.queue._group_most = 3
        for name in "abcdefgh":
            self.submit(name)
        while len(self.store.commits) < 4:
            self.store.finish()
        self.assertEqual(self.store.commits, [["a"], ["b", "c", "d"], ["e", "f", "g"], ["h"]])

    def test_alone(self) -> None:
        """An exclusive change is checked after all earlier ones are applied, and later ones after it is applied."""
        self.submit("a")
        self.submit("b")
        self.submit("c", alone=True)
        self.submit("d")
        self.submit("e")
        self.events()
        self.store.finish()
        self.assertEqual(self.events()[-1], "check b")
        self.store.finish()
        self.assertEqual(self.events(), ["reply b: b done", "tell b", "answer b", "check c"])
        self.store.finish()
        self.assertEqual(
            self.events(), ["follow c: c done", "reply c: c done", "tell c", "answer c", "check d", "check e"]
        )
        self.assertEqual(self.store.commits, [["a"], ["b"], ["c"], ["d", "e"]])

    def test_refused(self) -> None:
        """A refused change is answered, and does not hold up the others of its group."""
        self.submit("a")
        self.submit("b", in_check=self.refuse)
        self.submit("c")
        self.submit("d", alone=True, in_check=self.refuse)
        self.store.finish()
        self.store.finish()
        self.assertEqual(self.store.commits, [["a"], ["c"]])
        self.assertEqual(self.events(), [
            "check a", "reply a: a done", "tell a", "answer a", "check b", "check c", "refuse b: blocked",
            "reply c: c done", "tell c", "answer c", "check d", "refuse d: blocked",
        ])  # fmt: skip

    def test_nothing_to_write(self) -> None:
        """A group without writes makes no commit. Otherwise each writing change gets its own result."""
        self.submit("a", writes=False)
        self.assertEqual((self.events(), self.store.commits), (["check a", "reply a: None", "tell a", "answer a"], []))
        self.submit("b")
        self.submit("c", writes=False)
        self.submit("d")
        self.submit("e", writes=False)
        self.store.finish()
        self.store.finish()
        self.assertEqual(self.store.commits, [["b"], ["d"]])
        self.assertEqual(self.events()[-7:], [
            "reply c: None", "reply d: d done", "reply e: None", "tell c d e", "answer c", "answer d", "answer e",
        ])  # fmt: skip

    def test_failing_commit(self) -> None:
        """A failed commit refuses its changes, applies and publishes none of them, and the queue continues."""
        self.submit("a")
        self.submit("b")
        self.submit("c", writes=False)
        self.store.finish()
        self.submit("d")
        self.events()
        self.store.fail(unavailable())
        self.assertEqual(self.events(), [
            "refuse b: unavailable", "reply c: None", "tell c", "answer c", "check d",
        ])  # fmt: skip
        self.store.finish()
        self.assertEqual(self.events(), ["reply d: d done", "tell d", "answer d"])

    def test_broken_commit(self) -> None:
        """An internal error in a commit is logged and refused as internal, and the queue continues."""
        self.submit("a")
        self.submit("b")
        self.store.fail(ValueError("of our own"))
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)
        self.store.finish()
        self.assertEqual(self.events(), [
            "check a", "refuse a: internal", "check b", "reply b: b done", "tell b", "answer b",
        ])  # fmt: skip

    def test_broken_apply(self) -> None:
        """A change that fails to apply fails only its own handler."""
        self.submit("a")
        broken = self.queue.submit(Step(self.log, "b", in_reply=lambda: int("x") and None))
        self.submit("c")
        self.store.finish()
        self.store.finish()
        self.assertIn("in_reply", self.failureResultOf(broken, ValueError).getTraceback())
        self.assertEqual(self.events()[-4:], ["reply b: b done", "reply c: c done", "tell c", "answer c"])

    def test_broken_bus(self) -> None:
        """A failing publication is logged, the requester is answered, and the queue continues."""
        broken = CommitQueue(self.store, LocalBus(), self.apply)  # type: ignore[arg-type]
        broken._bus.subscribe(lambda publications: {}["nobody"])  # type: ignore[attr-defined]
        for name in "abc":
            broken.submit(Step(self.log, name)).addCallback(lambda answer: self.log.append(f"answer {answer}"))
        self.store.finish()
        self.store.finish()
        self.assertEqual(self.store.commits, [["a"], ["b", "c"]])
        self.assertEqual(len(self.flushLoggedErrors(KeyError)), 2)
        self.assertEqual(self.events()[-2:], ["answer b", "answer c"])

    def test_submit_from_an_answer(self) -> None:
        """Changes submitted by an answer or refusal queue behind those that wait."""
        first = self.queue.submit(Step(self.log, "a"))
        first.addCallback(lambda _: self.submit("late") and None)
        self.queue.submit(Step(self.log, "b", in_check=self.refuse)).addErrback(lambda _: self.submit("later") and None)
        self.submit("c")
        for _ in range(3):
            self.store.finish()
        self.assertEqual(self.store.commits, [["a"], ["c", "late"], ["later"]])

    def test_when_idle(self) -> None:
        """`when_idle` fires at once if nothing waits, otherwise when everything submitted is answered."""
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

    def test_measured(self) -> None:
        """The function that commits can be wrapped, and the length is that of the changes that wait for it."""
        measured: list[int] = []
        self.queue.measure(lambda commit: lambda writes: measured.append(len(writes)) or commit(writes))  # type: ignore[func-returns-value]
        for name in "abc":
            self.submit(name)
        self.assertEqual(len(self.queue), 2)
        self.store.finish()
        self.store.finish()
        self.assertEqual((measured, self.store.commits, len(self.queue)), ([1, 2], [["a"], ["b", "c"]], 0))

    def test_published(self) -> None:
        """`published` fires at once without a running commit, otherwise when its contents are published."""
        self.successResultOf(self.queue.published())
        self.submit("a")
        self.queue.published().addCallback(lambda _: self.log.append("published a"))
        self.submit("b")
        self.events()
        self.store.finish()
        self.assertEqual(self.events(), ["reply a: a done", "tell a", "published a", "answer a", "check b"])
        published = self.queue.published()
        self.store.fail(unavailable())
        self.successResultOf(published)

    def test_asker_that_fails(self) -> None:
        """A failing answer keeps no other from its answer, and the queue continues."""
        told: list[object] = []

        class ResultHandler:
            def __init__(self, fails: bool) -> None:
                self.fails = fails

            def callback(self, result: object) -> None:
                told.append(result)
                if self.fails:
                    raise ZeroDivisionError

            errback = callback

        self.submit("running")
        for name, fails in ("a", True), ("b", False):
            self.queue.take(Step(self.log, name), ResultHandler(fails))
            self.queue.take(Step(self.log, f"refused {name}", in_check=self.refuse), ResultHandler(fails))
        self.store.finish()
        self.store.finish()
        self.assertEqual([told[2:], [failure.value.code for failure in told[:2]]], [["a", "b"], [Code.BLOCKED] * 2])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 2)
        self.submit("next")
        self.assertIn("check next", self.events())
