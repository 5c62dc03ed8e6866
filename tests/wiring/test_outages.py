"""A node while PostgreSQL or the bus is away."""

from types import SimpleNamespace
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from irchat.wiring.outages import PATIENCE_SECONDS, Outages


class OutageTests(SynchronousTestCase):
    """`Outages`."""

    def setUp(self) -> None:
        """Watch a store, a bus and a port, with one connection."""
        self.clock = Clock()
        self.store: Any = SimpleNamespace(on_away=None, on_back=None, others_hear_bus=True)
        self.closed: set[str] = set()
        self.goodbyes: list[tuple[str, bool]] = []
        self.hears_bus = True
        session = SimpleNamespace(end=lambda text: self.goodbyes.append((text, bool(self.closed))))
        port: Any = SimpleNamespace(
            set_closed=lambda reason, is_closed: (self.closed.add if is_closed else self.closed.discard)(reason)
        )
        connections: Any = [SimpleNamespace(session=session)]
        self.outages = Outages(self.store, port, connections, self.clock, lambda: self.hears_bus)
        self.addCleanup(self.outages.stop)

    def _pass(self, seconds: float) -> None:
        self.clock.pump([1.0] * int(seconds))

    def test_short_outage(self) -> None:
        """A short outage of PostgreSQL ends nothing, however often there is one."""
        for _ in range(3):
            self.store.on_away()
            self._pass(PATIENCE_SECONDS - 1)
            self.store.on_back()
        self._pass(PATIENCE_SECONDS * 2)
        self.assertEqual((self.closed, self.goodbyes), (set(), []))

    def test_long_outage(self) -> None:
        """After ten seconds the port is closed, then all sessions end. It opens when PostgreSQL is back."""
        self.store.on_away()
        self._pass(PATIENCE_SECONDS)
        self.assertEqual(len(self.closed), 1)
        self.assertEqual(self.goodbyes, [("the server cannot reach its database: reconnect", True)])
        self.store.on_back()
        self.assertEqual(self.closed, set())

    def test_cut_off_from_bus(self) -> None:
        """A node without the bus closes its port after ten seconds, if the bus works for another, until it is back."""
        self.hears_bus = False
        self._pass(PATIENCE_SECONDS)
        self.assertEqual(self.closed, set())
        self._pass(2)
        self.assertEqual(len(self.closed), 1)
        self.assertEqual(self.goodbyes, [])
        self.hears_bus = True
        self._pass(1)
        self.assertEqual(self.closed, set())

    def test_bus_away_for_all(self) -> None:
        """While the bus works for no node, no port is closed. Only the time since it works for others counts."""
        self.hears_bus = self.store.others_hear_bus = False
        self._pass(60)
        self.store.others_hear_bus = True
        self._pass(PATIENCE_SECONDS - 1)
        self.assertEqual(self.closed, set())
        self._pass(3)
        self.assertEqual(len(self.closed), 1)
        self.store.others_hear_bus = False
        self._pass(1)
        self.assertEqual(self.closed, set())

    def test_stop(self) -> None:
        """After the stop nothing is scheduled."""
        self.store.on_away()
        self.outages.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])
