"""Requests and replies over a connection with keepalive."""

from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from irchat.client.connect.request_channel import RequestChannel
from irchat.client.exceptions import ClientError
from irchat.protocol import events, requests
from tests.helpers.client_fakes import FakeServer, error, message


class RequestChannelTests(SynchronousTestCase):
    """The JSON protocol over a channel."""

    def setUp(self) -> None:
        """Open a channel."""
        self.clock = Clock()
        self.server = FakeServer()
        self.events: list[events.ANY] = []
        self.lost: list[ClientError] = []
        self.channel = RequestChannel(self.clock, self.server.connection, self.events.append, self.lost.append)

    def test_replies(self) -> None:
        """Each request gets its own reply, even if several are pending."""
        first = self.channel.request(requests.Chats())
        second = self.channel.request(requests.Blocks())
        self.assertEqual(self.server.asked(), [requests.Chats(), requests.Blocks()])
        self.server.answer(events.Chats([]))
        self.assertEqual(self.successResultOf(first), events.Chats([]))
        self.assertNoResult(second)
        self.server.answer(events.Blocks(["bob"]))
        self.assertEqual(self.successResultOf(second), events.Blocks(["bob"]))

    def test_too_fast(self) -> None:
        """A request refused as too-fast is repeated after half a second until it is answered."""
        reply = self.channel.request(requests.Chats())
        for _ in range(3):
            self.server.answer(error("too-fast"))
            self.assertEqual(self.server.asked(), [])
            self.clock.advance(0.5)
            self.assertEqual(self.server.asked(), [requests.Chats()])
        self.assertNoResult(reply)
        self.server.answer(events.Chats([]))
        self.assertEqual(self.successResultOf(reply), events.Chats([]))

    def test_lost_while_waiting_to_retry(self) -> None:
        """A loss immediately fails a request that waits to be repeated, and nothing is sent afterwards."""
        reply = self.channel.request(requests.Chats())
        self.server.answer(error("too-fast"))
        self.server.lose(ConnectionDone())
        self.failureResultOf(reply, ClientError)
        self.clock.advance(0.5)
        self.assertEqual(self.server.asked(), [])

    def test_unknown_reply(self) -> None:
        """A reply of an unknown type still completes its request."""
        reply = self.channel.request(requests.Chats())
        self.server.raw(b'{"type":"hologram","ref":1}\n')
        self.assertIsNone(self.successResultOf(reply))

    def test_stray_reply(self) -> None:
        """A reply without a pending request is ignored."""
        self.server.raw(b'{"type":"ok","ref":77}\n{"type":"ok","ref":"x"}\n')
        self.assertEqual((self.events, self.lost), ([], []))

    def test_events(self) -> None:
        """Events are passed on in order, except those of unknown types."""
        self.server.tell(message("one"))
        self.server.raw(b'{"type":"hologram"}\n')
        self.server.tell(message("two"))
        self.assertEqual(self.events, [message("one"), message("two")])

    def test_malformed(self) -> None:
        """A line that is not a JSON object ends the connection with that reason."""
        for line in b'{"type":\n', b'{"type":"ok","ref":[]}\n', b'{"a":' * 100_000 + b"\n", b"{\xff}\n":
            self.setUp()
            self.server.raw(line[:200_000].rstrip(b"\n") + b"\n")
            self.assertEqual(
                [stop.text for stop in self.lost],
                ["The server broke the protocol, and the connection was ended. Check the host and the port."],
            )
            self.assertTrue(self.server.transport.disconnected)

    def test_closed(self) -> None:
        """After a close from this side, the silence of the server is watched no longer."""
        self.server.connection.close()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_lost(self) -> None:
        """A loss fails pending and later requests, and is reported once."""
        waiting = self.channel.request(requests.Chats())
        self.server.lose(ConnectionDone())
        self.failureResultOf(waiting, ClientError)
        self.failureResultOf(self.channel.request(requests.Chats()), ClientError)
        self.assertEqual(len(self.lost), 1)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_lost_by_silence(self) -> None:
        """A server that is silent for 90 seconds, despite a ping at 45, is lost."""
        self.clock.advance(44.9)
        self.assertEqual(self.server.asked(), [])
        self.clock.advance(0.1)
        self.assertEqual(self.server.asked(), [requests.Ping()])
        self.clock.advance(44.9)
        self.assertEqual(self.lost, [])
        self.clock.advance(0.1)
        self.assertEqual(
            [stop.text for stop in self.lost], ["The server has gone away: nothing was heard for 90 seconds."]
        )

    def test_pings_are_answered(self) -> None:
        """The server's ping is answered and hidden. Answers to our own pings are hidden, and keep the connection."""
        self.server.tell(events.Ping())
        self.assertEqual(self.server.asked(), [requests.Pong()])
        server = FakeServer()
        RequestChannel(self.clock, server.connection, self.events.append, self.lost.append)
        for _ in range(10):
            self.clock.advance(45)
            self.assertEqual(server.asked(), [requests.Ping()])
            server.answer(events.Pong())
        self.assertEqual(self.events, [])

    def test_any_line_is_a_sign_of_life(self) -> None:
        """A server that sends data is not pinged."""
        for _ in range(10):
            self.clock.advance(30)
            self.server.tell(message("hi"))
        self.assertEqual(self.server.asked(), [])

    def test_silence_of_our_own(self) -> None:
        """While the client does not read, the server is not taken for lost, and still gets pings."""
        self.server.connection.pauseProducing()
        self.clock.pump([45] * 10)
        self.assertEqual(self.lost, [])
        self.assertEqual(self.server.asked(), [requests.Ping()] * 10)
        self.server.connection.resumeProducing()
        self.clock.advance(44)
        self.assertEqual(self.lost, [])
        self.clock.advance(1)
        self.assertEqual(len(self.lost), 1)
