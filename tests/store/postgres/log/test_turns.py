"""Turns on a real server, with a fake clock where nobody answers."""

from unittest import mock

import psycopg
from twisted.trial.unittest import SynchronousTestCase

from irchat.interfaces.log import TurnLost
from irchat.protocol.errors import Refusal
from irchat.store.postgres.connecting import Database, KeptConnection
from irchat.store.postgres.log import turns
from irchat.store.postgres.log.turns import Turns
from tests.helpers.postgres_nodes import NodesCase
from tests.helpers.seldom_lines import seldom_lines


class TurnsTests(NodesCase):
    """Turns of a connection beside the nodes."""

    def setUp(self) -> None:
        """Make them."""
        super().setUp()
        self.kept = KeptConnection(Database(self.url).connect)
        self.turns = Turns(self.kept)
        self.addCleanup(self.kept.drop)

    def test_ends(self) -> None:
        """A turn ends with a commit, without one, by being undone, and with its connection."""
        for end in (self.turns.end, self.turns.undo, self.turns.confirm, self.turns.lose):
            self.assertTrue(self.a.log.is_at(self.turns.take(1)))
            self.turns.connection.execute("UPDATE properties SET value = value || '.' WHERE name = 'epoch'")
            self.assertEqual(len(self.backends()), 1)
            end()
            self.assertRaises(TurnLost, lambda: self.turns.connection)
        while self.backends():
            pass
        ((epoch,),) = self.sql("SELECT value FROM properties WHERE name = 'epoch'")
        self.assertEqual(epoch, self.a.epoch + "..")  # an end commits, for only an empty turn ends so

    def test_lost_before_its_end(self) -> None:
        """The end of a turn that is lost already does nothing."""
        for end in (self.turns.end, self.turns.undo, self.turns.lose):
            self.turns.take(1)
            connection = self.turns.connection
            self.turns.lose()
            self.assertTrue(connection.closed)
            end()
        self.turns.take(1)
        self.turns.end()

    def test_end_that_fails(self) -> None:
        """A turn whose end fails is over, with its connection."""
        for end in (self.turns.end, self.turns.undo):
            self.turns.take(1)
            connection = self.turns.connection
            self.patch(connection, "execute", mock.Mock(side_effect=psycopg.OperationalError("no answer")))
            end()
            self.assertTrue(connection.closed)
            self.assertRaises(TurnLost, lambda: self.turns.connection)

    def test_closed(self) -> None:
        """Without a connection there is no turn, and a new connection never has the old one."""
        self.turns.take(1)
        self.kept.drop()
        self.kept.get()
        self.assertRaises(TurnLost, lambda: self.turns.connection)

    def test_holder_between_statements(self) -> None:
        """A holder that hangs within a statement, before it ends its packet, loses the turn too."""
        holder = self.connect()
        holder.execute("BEGIN")
        holder.execute("SELECT pg_advisory_xact_lock(7667)")
        holder.pgconn.enter_pipeline_mode()
        holder.pgconn.send_query_params(b"SELECT 1", None)
        holder.pgconn.send_flush_request()
        holder.pgconn.flush()
        self.turns.take(3)
        self.turns.end()


class AwayTests(SynchronousTestCase):
    """A server that is away, under a fake clock."""

    def setUp(self) -> None:
        """Make turns whose connections fail, each after half a second."""
        self.now = 0.0
        self.tries = 0
        self.error: Exception = psycopg.OperationalError("refused")
        self.turns = Turns(KeptConnection(self.connect), lambda: self.now)

    def connect(self) -> None:
        """Fail."""
        self.tries += 1
        self.now += 0.5
        raise self.error

    def test_refused(self) -> None:
        """It is tried for two seconds, with pauses, and then logged."""
        lines = seldom_lines(self, turns)
        pauses: list[float] = []
        self.patch(self.turns._closing, "wait", pauses.append)
        self.assertRaises(Refusal, self.turns.take, 2.0)
        self.assertEqual((self.now, self.tries, pauses), (2.5, 5, [0.1] * 4))
        self.assertEqual(lines, ["the database cannot be used: refused"])

    def test_fault(self) -> None:
        """Another error is not waited for."""
        self.error = ValueError("x")
        self.assertRaises(ValueError, self.turns.take, 2.0)

    def test_close(self) -> None:
        """A wait without a limit ends when the store is closed."""
        self.turns.close()
        self.assertRaises(Refusal, self.turns.take, None)
        self.assertEqual(self.tries, 0)
