"""One run of the client: every end takes the same path."""

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from irchat.client.connect.server_connection import ServerConnection
from irchat.client.exceptions import ClientError
from irchat.client.plain.plain_run import PlainRun, over_one
from irchat.client.plain.screens import PlainScreen
from tests.helpers.client_fakes import FakeServer, Keyboard


class _Reactor(Clock):
    """A reactor that runs on request, and waits for its shutdown triggers."""

    def __init__(self) -> None:
        super().__init__()
        self.stopped = 0
        self.left: Deferred[None] | None = None

    def callWhenRunning(self, call: object, *arguments: object) -> None:
        self._start = lambda: call(*arguments)

    def addSystemEventTrigger(self, phase: str, event: str, call: object) -> None:
        assert (phase, event) == ("before", "shutdown")
        self._leave = call

    def run(self) -> None:
        self._start()

    def stop(self) -> None:
        self.stopped += 1
        self.left = self._leave()


class _Screen(PlainScreen):
    finished: bool | None = None
    asks = False

    def cancel(self) -> bool:
        return self.asks

    def finish(self, *, interrupted: bool) -> None:
        self.finished = interrupted


class RunTests(SynchronousTestCase):
    """The exit status, and the state left behind."""

    def setUp(self) -> None:
        """Create a run that has not begun."""
        self.reactor = _Reactor()
        self.keyboard = Keyboard()
        self.server = FakeServer()
        self.screen = _Screen(self.keyboard.console, self.keyboard.errors.append)
        self._make_run(to_file=False)

    def _make_run(self, *, to_file: bool) -> None:
        console = self.keyboard.console
        self.run_ = PlainRun(self.reactor, self.reactor, console, self.screen, to_file=to_file)
        self.connected: Deferred[ServerConnection] = Deferred()
        self.talk: Deferred[None] = Deferred()
        self.talked_on: list[ServerConnection] = []

    def _begin(self) -> None:
        async def talk(connection: ServerConnection) -> None:
            self.talked_on.append(connection)
            await self.talk

        self.run_.begin(lambda: self.connected, over_one(talk))
        self.reactor.run()

    def _gone(self) -> None:
        """The terminal has taken all output, and the server has closed its end."""
        self.assertNoResult(self.reactor.left)
        self.keyboard.console.connectionLost()
        self.server.lose(ConnectionDone())
        self.successResultOf(self.reactor.left)

    def test_waits_for_the_reactor(self) -> None:
        """Nothing begins before the reactor runs."""
        self.connected.callback(self.server.connection)
        self.run_.begin(self.fail, self.fail)
        self.assertEqual(self.talked_on, [])

    def test_user_leaves(self) -> None:
        """Leaving returns status 0, with the connection closed and all output written."""
        self._begin()
        self.connected.callback(self.server.connection)
        self.assertEqual((self.talked_on, self.reactor.stopped), ([self.server.connection], 0))
        self.talk.callback(None)
        self.assertEqual((self.reactor.stopped, self.screen.finished), (1, False))
        self.assertTrue(self.server.transport.disconnecting)
        self.assertTrue(self.keyboard.transport.disconnecting)
        self._gone()
        self.assertEqual(self.run_.status, 0)
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_cannot_connect(self) -> None:
        """A failed connection shows its reason and returns status 1."""
        self.connected.errback(ClientError("No such host."))
        self._begin()
        self.assertEqual((self.keyboard.complaints(), self.run_.status), ("! No such host.", 1))
        self.keyboard.console.connectionLost()
        self.successResultOf(self.reactor.left)

    def test_server_goes(self) -> None:
        """A failed chat shows its reason and returns status 1."""
        self._begin()
        self.connected.callback(self.server.connection)
        self.talk.errback(ClientError("Gone."))
        self.assertEqual((self.keyboard.complaints(), self.run_.status), ("! Gone.", 1))
        self._gone()

    def test_fault_of_ours(self) -> None:
        """A fault of the client itself is logged and returns status 1."""
        self._begin()
        self.connected.callback(self.server.connection)
        self.talk.errback(ZeroDivisionError())
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual((self.run_.status, self.reactor.stopped), (1, 1))

    def test_cancelled_unasked(self) -> None:
        """A chat cancelled by anything but our own shutdown is an error."""
        self._begin()
        self.connected.callback(self.server.connection)
        self.talk.cancel()
        self.assertEqual(len(self.flushLoggedErrors(CancelledError)), 1)
        self.assertEqual(self.run_.status, 1)

    def test_signal(self) -> None:
        """A signal ends the chat in good order: status 0, and the screen knows of the interruption."""
        self._begin()
        self.connected.callback(self.server.connection)
        self.reactor.stop()
        self.assertEqual((self.screen.finished, self.run_.status, self.reactor.stopped), (True, 0, 1))
        self.assertTrue(self.server.transport.disconnecting)
        self._gone()
        self.assertEqual(self.keyboard.complaints(), "")

    def test_interrupt(self) -> None:
        """An interrupt cancels a question if possible, and otherwise ends the run."""
        self._begin()
        self.connected.callback(self.server.connection)
        self.screen.asks = True
        self.run_.interrupt()
        self.assertEqual(self.reactor.stopped, 0)
        self.screen.asks = False
        self.run_.interrupt()
        self.assertEqual(self.reactor.stopped, 1)

    def test_signal_before_connection(self) -> None:
        """A signal also ends the connection attempt."""
        self.connected = Deferred(lambda connected: connected.errback(ClientError("There is no such host.")))
        self._begin()
        self.reactor.stop()
        self.assertTrue(self.connected.called)
        self.assertEqual((self.keyboard.complaints(), self.run_.status), ("", 0))
        self.keyboard.console.connectionLost()
        self.successResultOf(self.reactor.left)

    def test_nobody_reads(self) -> None:
        """The loss of the output's reader ends the run in good order."""
        self._begin()
        self.connected.callback(self.server.connection)
        self.keyboard.console.writeConnectionLost()
        self.assertEqual((self.reactor.stopped, self.run_.status), (1, 0))
        self.server.lose(ConnectionDone())
        self.successResultOf(self.reactor.left)

    def test_output_cannot_be_written(self) -> None:
        """If the output file cannot be written, the run ends with an error. A normal end has none."""
        self._make_run(to_file=True)
        self._begin()
        self.connected.callback(self.server.connection)
        self.keyboard.console.writeConnectionLost()
        self.assertEqual((self.reactor.stopped, self.run_.status), (1, 1))
        self.assertIn("disk is full", self.keyboard.complaints())
        self.setUp()
        self._make_run(to_file=True)
        self._begin()
        self.connected.callback(self.server.connection)
        self.talk.callback(None)
        self._gone()
        self.assertEqual((self.keyboard.complaints(), self.run_.status), ("", 0))

    def test_terminal_stands_still(self) -> None:
        """A blocked terminal delays the end by at most 2 seconds."""
        self._begin()
        self.connected.callback(self.server.connection)
        self.talk.callback(None)
        self.reactor.advance(1.9)
        self.assertNoResult(self.reactor.left)
        self.reactor.advance(0.1)
        self.successResultOf(self.reactor.left)
