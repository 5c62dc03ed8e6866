"""Connections back to the server."""

from twisted.internet import error
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from irchat.client.connect.server_connection import ServerConnection
from irchat.client.exceptions import ClientError
from irchat.protocol import requests
from irchat.protocol.ssh_door import OfferedKey, read_door_hello
from irchat.ssh.door import Door
from tests.helpers.client_fakes import GREETING, Network, Peer


class DoorTests(SynchronousTestCase):
    """Connecting."""

    def setUp(self) -> None:
        """Create a door to a peer."""
        self.clock = Clock()
        self.peer = Peer(GREETING)
        self.network = Network(lambda: self.peer)
        self.door = Door(self.clock, self.network, "Test")  # type: ignore[arg-type]

    def connect(self) -> "Deferred[ServerConnection]":
        """Connect for the relay 7."""
        connecting = Deferred.fromCoroutine(self.door.connect(7, [OfferedKey("ssh-ed25519", "AAAA")]))
        self.network.flush()
        return connecting

    def test_connect(self) -> None:
        """The first line names the relay and the offered keys. Requests follow the greeting."""
        connection = self.successResultOf(self.connect())
        hello, _, rest = self.peer.heard.partition(b"\n")
        self.assertEqual(read_door_hello(hello).relay, 7)
        self.assertEqual([key.blob for key in read_door_hello(hello).keys], ["AAAA"])
        self.assertEqual(rest, b"")
        self.door.channel(connection).request(requests.Ping())
        self.network.flush()
        self.assertIn(b'"ping"', self.peer.heard)

    def test_no_server(self) -> None:
        """A server that is gone gives an error that names the next step."""
        self.peer = error.ConnectionRefusedError()  # type: ignore[assignment]

        def refuse() -> Peer:
            raise error.ConnectionRefusedError

        self.network.answer = refuse
        stop = self.failureResultOf(self.connect(), ClientError).value
        self.assertIn("Try again later", stop.text)

    def test_no_greeting(self) -> None:
        """A server that does not answer is given up, and so is one that is not waited for any longer."""
        self.peer = Peer(b"")
        connecting = self.connect()
        self.clock.advance(10)
        self.failureResultOf(connecting, ClientError)
        self.network.flush()
        self.assertTrue(self.peer.left)
        self.peer = Peer(b"")
        connecting = self.connect()
        connecting.cancel()
        self.failureResultOf(connecting)
        self.network.flush()
        self.assertTrue(self.peer.left)
