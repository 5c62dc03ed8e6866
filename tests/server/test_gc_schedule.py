"""The schedule of garbage collection. Closed connections do not need it."""

import gc
import weakref
from collections.abc import Callable

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from irchat.server import gc_schedule
from irchat.server.gc_schedule import GCSchedule
from tests.helpers.server import Client, Server, ServerTestCase


class _Cycle:
    """An object freed only by a collection."""

    freed = 0

    def __init__(self) -> None:
        self.itself = self

    def __del__(self) -> None:
        _Cycle.freed += 1


class GCScheduleTests(SynchronousTestCase):
    """`GCSchedule` on a manual clock."""

    def setUp(self) -> None:
        """Start a schedule."""
        self.clock = Clock()
        self.plan = GCSchedule(self.clock)
        self.addCleanup(self.plan.stop)
        self.plan.start()
        _Cycle.freed = 0

    def test_takes_over_and_gives_back(self) -> None:
        """Python's own collection is off from start to stop, and then as before."""
        self.assertFalse(gc.isenabled())
        self.plan.stop()
        self.plan.stop()
        self.assertTrue(gc.isenabled())
        self.assertEqual((gc.get_freeze_count(), self.clock.getDelayedCalls()), (0, []))

    def test_young_garbage(self) -> None:
        """Recent garbage is freed within a second."""
        self.clock.advance(1)
        _Cycle()
        self.assertEqual(_Cycle.freed, 0)
        self.clock.advance(1)
        self.assertEqual(_Cycle.freed, 1)

    def test_what_lives_on_is_not_looked_at(self) -> None:
        """Objects older than a second are not scanned again, however many there are."""
        kept = [[number] for number in range(100_000)]
        self.clock.advance(1)
        self.assertGreater(gc.get_freeze_count(), len(kept))
        self.assertEqual(sum(gc.get_count()[1:]), 0)

    def test_not_before_its_time(self) -> None:
        """Old objects are looked at once in ten minutes, not before, and not at the start."""
        self.patch(gc_schedule.sys, "getallocatedblocks", lambda: 299_000)
        self.plan.stop()
        old = [_Cycle()]
        self.plan.start()
        for freed, seconds in enumerate((590, 580)):
            old.clear()
            self.clock.pump([1] * seconds)
            self.assertEqual(_Cycle.freed, freed)
            self.clock.pump([1] * 20)
            self.assertEqual(_Cycle.freed, freed + 1)
            old.append(_Cycle())
            self.clock.pump([1] * 2)

    def test_old_garbage(self) -> None:
        """Garbage of old objects is freed within ten minutes if there are few objects, and stays if there are many."""
        self.patch(gc_schedule.sys, "getallocatedblocks", lambda: 299_000)
        old = _Cycle()
        self.clock.pump([1] * 2)
        del old
        self.clock.pump([1] * 600)
        self.assertEqual(_Cycle.freed, 1)
        self.patch(gc_schedule.sys, "getallocatedblocks", lambda: 301_000)
        old = _Cycle()
        self.clock.pump([1] * 2)
        del old
        self.clock.pump([1] * 1_300)
        self.assertEqual(_Cycle.freed, 1)


def _let_write(server: Server) -> None:
    """Let the store write everything held."""
    server.threads.write.holds = False
    server.threads.write.release()
    server.turn()


class ClosedConnectionTests(ServerTestCase):
    """A closed connection is freed by reference counting alone."""

    def check(self, visit: Callable[[Server], Client], after: Callable[[Server], object] = lambda server: None) -> None:
        """Connect and disconnect a client without the collector, then run ``after``."""
        server = self.make_server()
        gc.disable()
        self.addCleanup(gc.enable)
        client = visit(server)
        session = weakref.ref(client.connection.session)
        client.leave()
        client.socket.protocol = None  # as Twisted's own transport does
        server.clients.clear()
        del client
        after(server)
        server.advance(1, 1, 15)
        self.assertIsNone(session())

    def test_json(self) -> None:
        """The connection of a program."""

        def visit(server: Server) -> Client:
            client = server.json("alice")
            client.ask("send", chat="GLOBAL", text="hi")
            client.ask("history", chat="GLOBAL")
            return client

        self.check(visit)

    def test_on_the_way(self) -> None:
        """The connection of a client that leaves while a message is committed."""

        def visit(server: Server) -> Client:
            client = server.json("alice")
            server.threads.write.holds = True
            client.ask("send", chat="GLOBAL", text="hi")
            return client

        self.check(visit, _let_write)

    def test_refused(self) -> None:
        """The connection of a client whose possibly repeated message was refused because of a block."""

        def visit(server: Server) -> Client:
            server.json("bob")
            client = server.json("alice")
            client.ask("block", name="bob", blocked=True)
            server.threads.write.holds = True
            client.ask("send", chat="@bob", text="hi", nonce="n")
            _let_write(server)
            return client

        self.check(visit)

    def test_text(self) -> None:
        """The connection of a person."""

        def visit(server: Server) -> Client:
            client = server.text("alice")
            client.type("hi", "*9* psst", "ls GLOBAL")
            return client

        self.check(visit)

    def test_nobody(self) -> None:
        """The connection of a client without a sign-in."""
        self.check(lambda server: server.json())
