"""The listener of a node, in its thread, on a real server."""

import threading
import time
from collections.abc import Callable
from typing import Any

import psycopg
from twisted.logger import LogEvent, globalLogPublisher

from irchat.interfaces.stored import GLOBAL
from irchat.store.postgres.connecting import Database, StoreUnusable
from irchat.store.postgres.log import listening
from irchat.store.postgres.log.listening import Listener
from irchat.store.postgres.log.node_rows import Look, NodeIdentity, Report, join
from tests.helpers.postgres_nodes import NodesCase
from tests.helpers.stores import message

_SECONDS = 20.0


class ListenerTests(NodesCase):
    """A listener beside two nodes."""

    def setUp(self) -> None:
        """Make the listener of a node named x."""
        super().setUp()
        self.happened = threading.Condition()
        self.commits = 0
        self.looks: list[Look] = []
        self.said: list[str] = []
        self.report = Report(0, 5, True)
        self.listener = self.make("x")

    def make(self, name: str) -> Listener:
        """Make the listener of a node."""
        listener = Listener(
            Database(self.url).connect, NodeIdentity(name, has_bus=True), lambda: self.report,
            lambda: self.a._writer.pid,
        )  # fmt: skip
        listener.on_commit = self.note(lambda: setattr(self, "commits", self.commits + 1))
        listener.on_look = self.note(self.looks.append)
        listener.on_away = self.note(lambda: self.said.append("away"))
        listener.on_back = self.note(lambda: self.said.append("back"))
        listener.on_stop = self.note(self.said.append)
        return listener

    def note(self, then: Callable[..., Any]) -> Callable[..., None]:
        """Return a callback for the listener's thread."""

        def called(*args: Any) -> None:
            with self.happened:
                then(*args)
                self.happened.notify_all()

        return called

    def wait(self, until: Callable[[], bool]) -> None:
        """Wait for a callback."""
        with self.happened:
            self.assertTrue(self.happened.wait_for(until, _SECONDS))

    def begin(self) -> None:
        """Start the listener, and wait for its first look."""
        self.number, _ = self.listener.join()
        self.addCleanup(self.listener.stop)
        self.listener.start()
        self.wait(lambda: bool(self.looks))

    def end_session(self) -> None:
        """End the session of the listener in the database."""
        self.sql("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE classid = 7669 AND objid = %s", self.number)

    def test_commits(self) -> None:
        """It hears each commit of another node at once, and none of its own."""
        self.patch(listening, "_LOOK_SECONDS", 60.0)
        self.begin()
        self.commit(self.a, message(GLOBAL, 1))
        self.commit(self.b, message(GLOBAL, 1))
        self.wait(lambda: self.commits > 0)
        self.commit(self.a, message(GLOBAL, 1))
        self.commit(self.b, message(GLOBAL, 1))
        self.wait(lambda: self.commits > 1)
        self.assertEqual((self.commits, len(self.looks)), (2, 1))

    def test_looks(self) -> None:
        """Even if nothing is heard, it looks at the head of the log, and renews the row of its node."""
        self.patch(listening, "_LOOK_SECONDS", 0.02)
        self.begin()
        head = self.commit(self.a, message(GLOBAL, 1)).position
        self.wait(lambda: self.looks[-1].head.position == head)
        self.report = Report(head, 7, False)
        self.wait(lambda: len(self.looks) > 20)
        rows = self.sql("SELECT name, pos, sessions, bus_seen IS NOT NULL FROM nodes WHERE node = %s", self.number)
        self.assertEqual(rows, [("x", head, 7, True)])
        self.assertTrue(abs(self.looks[-1].now / 1000 - time.time()) < 5)

    def test_away(self) -> None:
        """When its session ends it says so, connects again, keeps its name, and listens on."""
        self.begin()
        for count in 1, 2:
            self.end_session()
            self.wait(lambda count=count: self.said == ["away", "back"] * count)
        before = self.commits
        self.commit(self.b, message(GLOBAL, 1))
        self.wait(lambda: self.commits > before)
        self.assertRaises(StoreUnusable, self.make("x").join)

    def test_logs_each_reason_once(self) -> None:
        """While the server is away, the log says why, and not again at each attempt. Its pauses grow."""
        self.begin()
        lines: list[LogEvent] = []
        globalLogPublisher.addObserver(lines.append)
        self.addCleanup(globalLogPublisher.removeObserver, lines.append)
        connect, attempts = self.listener._connect, iter(range(3))
        pauses: list[float] = []
        self.patch(self.listener._stopping, "wait", pauses.append)

        def refused() -> Any:
            if next(attempts, None) is None:
                return connect()
            raise psycopg.OperationalError("refused")

        self.patch(self.listener, "_connect", refused)
        self.end_session()
        self.wait(lambda: self.said == ["away", "back"])
        reasons = [line["error"] for line in lines if "is away" in str(line.get("log_format"))]
        self.assertEqual(reasons.count("refused"), 1, reasons)
        self.end_session()
        self.wait(lambda: self.said == ["away", "back"] * 2)
        self.assertEqual(pauses, [0.1, 0.2, 0.4, 0.8, 0.1])

    def test_lost_row(self) -> None:
        """A node whose row is gone stops with the next step."""
        self.patch(listening, "_LOOK_SECONDS", 0.02)
        self.begin()
        self.sql("DELETE FROM nodes")
        self.wait(lambda: bool(self.said))
        self.listener._thread.join(_SECONDS)
        self.assertFalse(self.listener._thread.is_alive())
        (said,) = self.said
        self.assertIn("start it again", said)

    def test_lost_row_and_session(self) -> None:
        """A node whose row and session are gone stops too, without a connection."""
        self.begin()
        made: list[psycopg.Connection[Any]] = []
        connect = self.listener._connect
        self.patch(self.listener, "_connect", lambda: made.append(connect()) or made[-1])
        self.sql("DELETE FROM nodes")
        self.end_session()
        self.wait(lambda: len(self.said) == 2)
        self.listener._thread.join(_SECONDS)
        self.assertIn("no longer knows this node", self.said[1])
        self.assertEqual([one.closed for one in made], [True])

    def test_refused(self) -> None:
        """A node that may not start leaves no connection."""
        made: list[psycopg.Connection[Any]] = []
        connect = self.listener._connect

        def connecting() -> psycopg.Connection[Any]:
            made.append(connect())
            return made[-1]

        self.begin()
        other = self.make("x")
        self.patch(other, "_connect", connecting)
        self.patch(listening, "join", lambda connection, node: join(connection, node, 0.0))
        self.assertRaises(StoreUnusable, other.join)
        self.assertTrue(made[-1].closed)

    def test_stop(self) -> None:
        """It stops without waiting for its next look, and its name is free."""
        self.patch(listening, "_LOOK_SECONDS", 3 * _SECONDS)
        self.begin()
        began = time.monotonic()
        self.listener.stop()
        self.assertLess(time.monotonic() - began, 2 * _SECONDS)
        self.listener = self.make("x")
        self.begin()
