"""``--json``: lines of JSON both ways."""

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.trial.unittest import SynchronousTestCase

from irchat.client.exceptions import ClientError
from irchat.client.plain.passthrough import PassThrough
from tests.helpers.client_fakes import FakeServer, Keyboard


class PassThroughTests(SynchronousTestCase):
    """A bot talks to the server as if it were connected itself."""

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
        """Lines pass as they are, whatever is in them; what is no JSON object is not for bots."""
        self.keyboard.console.dataReceived(b'{"a":1}\nnonsense \xff\n')
        self.assertEqual(self._sent(), b'{"a":1}\nnonsense \xff\n')
        self.server.raw(b'a text\n{"b":  2}\n{broken\n')
        self.assertEqual(self.keyboard.shown(), '{"b":  2}\n{broken\n')
        self.assertIs(self.keyboard.transport.producer, self.server.connection)

    def test_slow_server(self) -> None:
        """While the server does not take what was sent, no more is read from the bot."""
        idle: Deferred[None] = Deferred()
        self.server.connection.drained = lambda: idle
        self.keyboard.type('{"a":1}', '{"a":2}')
        self.assertEqual(self._sent(), b'{"a":1}\n')
        idle.callback(None)
        self.assertEqual(self._sent(), b'{"a":2}\n')

    def test_end_of_input(self) -> None:
        """After the end of the input all replies still come, and the reply to our own logout is not shown."""
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
        """A bot that asked to leave is not told that the server has gone."""
        self.keyboard.type('{"type":"logout"}')
        self.server.raw(b'{"type":"bye","reason":"you left"}\n')
        self.server.lose(ConnectionDone())
        self.successResultOf(self.over)

    def test_bot_leaves_and_ends(self) -> None:
        """A bot that asked to leave may end its input before the server is gone."""
        self.keyboard.type('{"type":"logout"}')
        self.keyboard.end()
        self.assertNoResult(self.over)
        self.server.lose(ConnectionDone())
        self.successResultOf(self.over)

    def test_server_goes(self) -> None:
        """A server that ends the connection unasked is an error, even if it says bye."""
        self.server.raw(b'{"type":"bye","reason":"the server stops"}\n')
        self.server.lose(ConnectionDone())
        self.assertIn("has gone away", self.failureResultOf(self.over, ClientError).value.text)
