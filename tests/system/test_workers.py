"""Threads that take turns by user: who is next, what is dropped, and what becomes of calls when there is no thread."""

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
    """Keeps what threads want to be called until the test lets it turn."""

    def __init__(self) -> None:
        self._calls: list[tuple[Callable[..., Any], tuple[Any, ...]]] = []

    def callFromThread(self, call: Callable[..., Any], *args: Any) -> None:
        self._calls.append((call, args))

    def turn(self) -> int:
        """Call what waits; return how much it was."""
        calls, self._calls = self._calls, []
        for call, args in calls:
            call(*args)
        return len(calls)


class _Thread:
    """A thread that the test stands in for. ``left``: how many more the system gives."""

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
    """A call that counts how often it was broken off."""

    def __init__(self) -> None:
        self.interrupts = 0

    def __call__(self) -> str:
        return "done"

    def interrupt(self) -> None:
        self.interrupts += 1


class FairPoolTests(SynchronousTestCase):
    """`FairPool`, its threads run by hand."""

    def setUp(self) -> None:
        """Make a pool of two threads."""
        self.patch(workers.threading, "Thread", _Thread)
        self.patch(_Thread, "left", 1_000)
        self.reactor = _Reactor()
        self.pool = FairPool(self.reactor, "test", 2)  # type: ignore[arg-type]
        self.ran: list[str] = []

    def do(self, key: object, name: str) -> Deferred[Any]:
        """Have the pool run a call of ``key``, which notes its name."""
        return self.pool.do(key, self.ran.append, name)

    def run_one(self) -> None:
        """A thread takes its next call and runs it."""
        self.pool._do_next()

    def run_all(self) -> None:
        """Run everything."""
        while self.pool._to_run.qsize():
            self.run_one()
            self.reactor.turn()

    def test_turns(self) -> None:
        """Users take turns: one call of each, in the order in which they came, however many one of them has."""
        for number in range(4):
            self.do("much", f"much {number}")
        self.do("a", "a 0")
        self.do("b", "b 0")
        self.do("a", "a 1")
        self.run_all()
        self.assertEqual(self.ran, ["much 0", "a 0", "b 0", "much 1", "a 1", "much 2", "much 3"])

    def test_one_of_each(self) -> None:
        """Of one user one call runs at a time, also where threads are idle."""
        self.do("much", "1")
        self.do("much", "2")
        self.assertEqual(self.pool._to_run.qsize(), 1)
        self.do("other", "3")
        self.assertEqual(self.pool._to_run.qsize(), 2)

    def test_results_wait_for_the_reactor(self) -> None:
        """A thread takes its next call when the reactor has the result of the last one: they do not gather."""
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
        """What is cancelled before its turn never runs, and the turns of the others stay."""
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
        """What is cancelled while it runs is broken off, where it can be; its thread goes on when it is over."""
        call = _Interruptible()
        running = self.pool.do("a", call)
        later = self.do("a", "a 1")
        running.cancel()
        self.failureResultOf(running, CancelledError)
        self.assertEqual(call.interrupts, 1)
        self.run_all()
        self.successResultOf(later)

    def test_no_thread(self) -> None:
        """Where no thread can be started the call fails as unavailable, and the next one runs when there is one."""
        _Thread.left = 0
        self.assertEqual(self.failureResultOf(self.do("a", "1"), Refusal).value.code, Code.UNAVAILABLE)
        _Thread.left = 1
        done = self.do("a", "2")
        self.run_all()
        self.successResultOf(done)
        self.assertEqual(self.ran, ["2"])

    def test_started_before(self) -> None:
        """All threads start at once when asked, so that none has to start while memory is short."""
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
        """Where only some threads can be started, these do all of it."""
        _Thread.left = 1
        done = [self.do(user, str(user)) for user in range(5)]
        self.run_all()
        for one in done:
            self.successResultOf(one)

    def test_stop(self) -> None:
        """Stopping refuses what waits and what comes; nobody is left without an answer."""
        running, waiting = self.do("a", "1"), self.do("a", "2")
        self.pool.stop()
        for refused in waiting, self.do("b", "3"):
            self.assertEqual(self.failureResultOf(refused, Refusal).value.code, Code.UNAVAILABLE)
        self.run_one()
        self.reactor.turn()
        self.successResultOf(running)
        self.assertEqual(self.ran, ["1"])


class OrderedWorkerTests(SynchronousTestCase):
    """`OrderedWorker`, its thread run by hand."""

    def test_no_thread(self) -> None:
        """Where the thread cannot be started the call fails as unavailable, and the next one runs when it can."""
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
        """The thread starts when asked, once; where the system gives none that is an error."""
        self.patch(workers.threading, "Thread", _Thread)
        self.patch(_Thread, "left", 0)
        worker = OrderedWorker(_Reactor(), "test")  # type: ignore[arg-type]
        self.assertRaises(OSError, worker.start)
        _Thread.left = 1
        worker.start()
        worker.start()
        self.assertEqual(_Thread.left, 0)


class RealThreadsTests(TestCase):
    """`FairPool` with threads, and the reactor."""

    async def test_stop_interrupts(self) -> None:
        """Stopping breaks off what runs, and ends the threads."""

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
        ended = pool.do("b", endless)  # "a" may have its turn still, for we go on inside its callback
        endless.begun.wait()
        pool.stop()
        self.assertFalse(any(thread.is_alive() for thread in pool._threads))
        self.assertIsNone(await ended)
