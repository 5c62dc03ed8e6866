"""``--json``: lines of JSON in both directions."""

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.trial.unittest import SynchronousTestCase

from irchat.client.exceptions import ClientError
from irchat.client.plain.passthrough import PassThrough
from tests.helpers.client_fakes import FakeServer, Keyboard


class PassThroughTests(SynchronousTestCase):
    """A bot talks to the server as if connected directly."""

    def setUp(self) -> None:
        """Connect a bot."""
        self.keyboard = Keyboard()
        self.server = FakeServer()
        self.over = Deferred.fromCoroutine(PassThrough(self.keyboard.console).run(self.server.connection))

    def _sent(self) -> bytes:
        data = self.server.transport.value()
        self.server.transport.clear()
        return data

    def test_both_ways(self) -> None:
        """Lines pass unchanged, whatever they contain. Lines from the server that are not JSON objects do not pass."""
        self.keyboard.console.dataReceived(b'{"a":1}\nnonsense \xff\n')
        self.assertEqual(self._sent(), b'{"a":1}\nnonsense \xff\n')
        self.server.raw(b'a text\n{"b":  2}\n{broken\n')
        self.assertEqual(self.keyboard.shown(), '{"b":  2}\n{broken\n')
        self.assertIs(self.keyboard.transport.producer, self.server.connection)

    def test_slow_server(self) -> None:
        """While the server does not accept data, nothing is read from the bot."""
        idle: Deferred[None] = Deferred()
        self.server.connection.drained = lambda: idle
        self.keyboard.type('{"a":1}', '{"a":2}')
        self.assertEqual(self._sent(), b'{"a":1}\n')
        idle.callback(None)
        self.assertEqual(self._sent(), b'{"a":2}\n')

    def test_end_of_input(self) -> None:
        """After the end of the input all replies arrive, except the reply to our own logout."""
        self.keyboard.type('{"type":"ping","ref":1}')
        self.keyboard.end()
        self.assertEqual(self._sent(), b'{"type":"ping","ref":1}\n{"type":"logout","ref":"irchat-last"}\n')
        self.server.raw(b'{"type":"pong","ref":1}\n{"broken irchat-last\n{"type":"message","text":"irchat-last"}\n')
        self.assertNoResult(self.over)
        self.server.raw(b'{"ref":"irchat-last","type":"bye"}\n')
        self.successResultOf(self.over)
        self.assertEqual(
            self.keyboard.shown(),
            '{"type":"pong","ref":1}\n{"broken irchat-last\n{"type":"message","text":"irchat-last"}\n',
        )
        self.server.lose(ConnectionDone())

    def test_bot_leaves(self) -> None:
        """A bot that logged out gets no error about the closed connection."""
        self.keyboard.type('{"type":"logout"}')
        self.server.raw(b'{"type":"bye","reason":"you left"}\n')
        self.server.lose(ConnectionDone())
        self.successResultOf(self.over)

    def test_bot_leaves_and_ends(self) -> None:
        """A bot that logged out may end its input before the server closes."""
        self.keyboard.type('{"type":"logout"}')
        self.keyboard.end()
        self.assertNoResult(self.over)
        self.server.lose(ConnectionDone())
        self.successResultOf(self.over)

    def test_server_goes(self) -> None:
        """A server that closes without a logout is an error, even after a bye."""
        self.server.raw(b'{"type":"bye","reason":"the server stops"}\n')
        self.server.lose(ConnectionDone())
        self.assertIn("has gone away", self.failureResultOf(self.over, ClientError).value.text)
