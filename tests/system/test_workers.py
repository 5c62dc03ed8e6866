"""Worker threads that take turns by user: order, cancellation, and calls without a thread."""

import threading
from collections.abc import Callable
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase, TestCase

from irchat.protocol.errors import Code, Refusal
from irchat.system import workers
from irchat.system.workers import FairPool, OrderedWorker


class _Reactor:
    """Collects calls from threads until `turn`."""

    def __init__(self) -> None:
        self._calls: list[tuple[Callable[..., Any], tuple[Any, ...]]] = []

    def callFromThread(self, call: Callable[..., Any], *args: Any) -> None:
        self._calls.append((call, args))

    def turn(self) -> int:
        """Run the collected calls. Return their number."""
        calls, self._calls = self._calls, []
        for call, args in calls:
            call(*args)
        return len(calls)


class _Thread:
    """A thread that never runs; the test does its work. ``left``: how many more can be started."""

    left = 1_000

    def __init__(self, target: Callable[[], None], name: str) -> None:
        pass

    def start(self) -> None:
        if not _Thread.left:
            raise RuntimeError("can't start new thread")
        _Thread.left -= 1

    def is_alive(self) -> bool:
        return False

    def join(self) -> None:
        pass


class _Interruptible:
    """A call that counts its interrupts."""

    def __init__(self) -> None:
        self.interrupts = 0

    def __call__(self) -> str:
        return "done"

    def interrupt(self) -> None:
        self.interrupts += 1


class FairPoolTests(SynchronousTestCase):
    """`FairPool`, with threads run by hand."""

    def setUp(self) -> None:
        """Make a pool of two threads."""
        self.patch(workers.threading, "Thread", _Thread)
        self.patch(_Thread, "left", 1_000)
        self.reactor = _Reactor()
        self.pool = FairPool(self.reactor, "test", 2)  # type: ignore[arg-type]
        self.ran: list[str] = []

    def do(self, key: object, name: str) -> Deferred[Any]:
        """Submit a call for ``key`` that records its name."""
        return self.pool.do(key, self.ran.append, name)

    def run_one(self) -> None:
        """Let a thread take its next call and run it."""
        self.pool._do_next()

    def run_all(self) -> None:
        """Run everything."""
        while self.pool._to_run.qsize():
            self.run_one()
            self.reactor.turn()

    def test_turns(self) -> None:
        """Users take turns: one call of each, in order of arrival, however many calls one of them has."""
        for number in range(4):
            self.do("much", f"much {number}")
        self.do("a", "a 0")
        self.do("b", "b 0")
        self.do("a", "a 1")
        self.run_all()
        self.assertEqual(self.ran, ["much 0", "a 0", "b 0", "much 1", "a 1", "much 2", "much 3"])

    def test_one_of_each(self) -> None:
        """At most one call of a user runs at a time, even if threads are idle."""
        self.do("much", "1")
        self.do("much", "2")
        self.assertEqual(self.pool._to_run.qsize(), 1)
        self.do("other", "3")
        self.assertEqual(self.pool._to_run.qsize(), 2)

    def test_ahead(self) -> None:
        """Threads take further calls before the reactor has their results: as many as asked for, of one user one."""
        results: list[Callable[[], None]] = []
        self.pool = FairPool(self.reactor, "test", 2, ahead=2, in_turn=results.append)  # type: ignore[arg-type]
        done = [self.do(key, f"{key}") for key in "abcdef"]
        self.assertFalse(self.do("a", "a again").called)
        self.assertEqual(self.pool._to_run.qsize(), 4)
        for _ in range(4):
            self.run_one()
        self.assertEqual(self.reactor.turn(), 4)
        self.assertFalse(any(result.called for result in done))
        results.pop(0)()
        self.assertEqual([result.called for result in done], [True, False, False, False, False, False])
        self.assertEqual(self.pool._to_run.qsize(), 1)
        for result in results:
            result()
        self.run_all()
        for result in results[3:]:
            result()
        self.run_all()
        self.assertEqual(self.ran, ["a", "b", "c", "d", "e", "f", "a again"])

    def test_results_wait_for_the_reactor(self) -> None:
        """A thread takes its next call only after the reactor has its last result, so results do not pile up."""
        for user in range(10):
            self.do(user, str(user))
        self.run_one()
        self.run_one()
        self.assertEqual(self.pool._to_run.qsize(), 0)
        self.assertEqual(self.reactor.turn(), 2)
        self.assertEqual(self.pool._to_run.qsize(), 2)

    def test_results(self) -> None:
        """The Deferred fires with the result, or fails with the error."""
        done = self.pool.do("a", len, "abc")
        failing = self.pool.do("b", int, "x")
        self.run_all()
        self.assertEqual(self.successResultOf(done), 3)
        self.failureResultOf(failing, ValueError)

    def test_dropped(self) -> None:
        """A call cancelled before its turn never runs, and the turns of others stay."""
        first = self.do("a", "a 0")
        dropped = [self.do("a", "a 1"), self.do("b", "b 0"), self.do("c", "c 0"), self.do("c", "c 1")]
        self.do("d", "d 0")
        for one in dropped[0], dropped[2], dropped[3]:
            one.cancel()
            self.failureResultOf(one, CancelledError)
        self.run_all()
        self.assertEqual(self.ran, ["a 0", "b 0", "d 0"])
        self.successResultOf(first)
        self.do("c", "c 2")
        self.run_all()
        self.assertEqual(self.ran[-1], "c 2")

    def test_interrupted(self) -> None:
        """A call cancelled while it runs is interrupted if it can be, and its thread continues after it."""
        call = _Interruptible()
        running = self.pool.do("a", call)
        later = self.do("a", "a 1")
        running.cancel()
        self.failureResultOf(running, CancelledError)
        self.assertEqual(call.interrupts, 1)
        self.run_all()
        self.successResultOf(later)

    def test_no_thread(self) -> None:
        """If no thread can be started, the call fails as unavailable. A later one runs once a thread can be started."""
        _Thread.left = 0
        self.assertEqual(self.failureResultOf(self.do("a", "1"), Refusal).value.code, Code.UNAVAILABLE)
        _Thread.left = 1
        done = self.do("a", "2")
        self.run_all()
        self.successResultOf(done)
        self.assertEqual(self.ran, ["2"])

    def test_started_before(self) -> None:
        """``start`` starts all threads at once, so that none has to be started while memory is short."""
        _Thread.left = 1
        self.assertRaises(OSError, self.pool.start)
        _Thread.left = 1_000
        self.pool.start()
        _Thread.left = 0
        done = [self.do(user, str(user)) for user in range(5)]
        self.run_all()
        for one in done:
            self.successResultOf(one)

    def test_fewer_threads(self) -> None:
        """If only some threads can be started, they run all calls."""
        _Thread.left = 1
        done = [self.do(user, str(user)) for user in range(5)]
        self.run_all()
        for one in done:
            self.successResultOf(one)

    def test_stop(self) -> None:
        """``stop`` refuses waiting and new calls, and each call gets a result."""
        running, waiting = self.do("a", "1"), self.do("a", "2")
        self.pool.stop()
        for refused in waiting, self.do("b", "3"):
            self.assertEqual(self.failureResultOf(refused, Refusal).value.code, Code.UNAVAILABLE)
        self.run_one()
        self.reactor.turn()
        self.successResultOf(running)
        self.assertEqual(self.ran, ["1"])


class OrderedWorkerTests(SynchronousTestCase):
    """`OrderedWorker`, with its thread run by hand."""

    def test_no_thread(self) -> None:
        """If the thread cannot be started, the call fails as unavailable. A later one runs once it can be started."""
        self.patch(workers.threading, "Thread", _Thread)
        self.patch(_Thread, "left", 0)
        turning = _Reactor()
        worker = OrderedWorker(turning, "test")  # type: ignore[arg-type]
        self.assertEqual(self.failureResultOf(worker.do(len, "abc"), Refusal).value.code, Code.UNAVAILABLE)
        _Thread.left = 1
        done = worker.do(len, "abc")
        worker._do_next()
        turning.turn()
        self.assertEqual(self.successResultOf(done), 3)

    def test_started_before(self) -> None:
        """``start`` starts the thread once, and raises an error if the system refuses."""
        self.patch(workers.threading, "Thread", _Thread)
        self.patch(_Thread, "left", 0)
        worker = OrderedWorker(_Reactor(), "test")  # type: ignore[arg-type]
        self.assertRaises(OSError, worker.start)
        _Thread.left = 1
        worker.start()
        worker.start()
        self.assertEqual(_Thread.left, 0)


class RealThreadsTests(TestCase):
    """`FairPool` with real threads and the reactor."""

    async def test_stop_interrupts(self) -> None:
        """``stop`` interrupts running calls and ends the threads."""

        class Endless:
            def __init__(self) -> None:
                self.begun, self.over = threading.Event(), threading.Event()

            def __call__(self) -> None:
                self.begun.set()
                self.over.wait()

            def interrupt(self) -> None:
                self.over.set()

        pool = FairPool(reactor, "test", 2, nice=True)  # type: ignore[arg-type]
        self.assertEqual(await pool.do("a", len, "abc"), 3)
        endless = Endless()
        ended = pool.do("b", endless)  # a call of "a" would be queued: this runs inside the callback of its last one
        endless.begun.wait()
        pool.stop()
        self.assertFalse(any(thread.is_alive() for thread in pool._threads))
        self.assertIsNone(await ended)
