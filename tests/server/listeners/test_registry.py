"""Open connections, and their end when the server stops. Bans are tested in tests/server/sessions."""

from tests.helpers.server import Client, JSONClient, ServerTestCase, TextClient, request


class ConnectionRegistryTests(ServerTestCase):
    """`ConnectionRegistry`."""

    def setUp(self) -> None:
        """Create a server."""
        self.server = self.make_server()
        self.connections = self.server.connections

    def test_holds_connections(self) -> None:
        """It knows each connection from its beginning to its end."""
        clients = [Client(self.server), self.server.json("alice"), self.server.text("bob")]
        self.assertEqual(set(self.connections), {client.connection for client in clients})
        clients[1].leave()
        clients[2].type("exit")
        self.assertEqual(list(self.connections), [clients[0].connection])
        self.assertEqual(len(self.connections), 1)

    def test_stop(self) -> None:
        """On stop every connection gets a farewell in any state, and the stop completes when all are closed."""
        program, person, nobody = self.server.json("alice"), self.server.text("bob"), Client(self.server)
        self.server.advance(2)
        program.got()
        stopped = self.connections.stop()
        self.assertNoResult(stopped)
        self.server.turn()
        self.successResultOf(stopped)
        self.assertEqual(program.one("bye")["reason"], "the server stops")
        for client in person, nobody:
            self.assertIn("goodbye: the server stops", client.read())
        self.assertFalse(any(client.is_open for client in (program, person, nobody)))
        self.assertEqual(self.server.clock.calls, [])

    def test_stop_with_nobody(self) -> None:
        """Without connections the stop completes at once, and leaves no delayed call."""
        self.successResultOf(self.connections.stop())
        self.assertEqual(self.server.clock.calls, [])

    def test_stop_with_a_slow_reader(self) -> None:
        """A client that does not read the farewell is disconnected after a second, and the stop completes."""
        slow = self.server.json("alice", room=0)
        quick = self.server.json("bob")
        stopped = self.connections.stop()
        self.server.advance(0.9)
        self.assertNoResult(stopped)
        self.assertEqual((slow.is_open, quick.is_open), (True, False))
        self.server.advance(0.2)
        self.successResultOf(stopped)
        self.assertTrue(slow.socket.aborted)
        self.assertEqual(self.server.clock.calls, [])

    def test_stop_saves(self) -> None:
        """On stop, shown messages are saved as read, and earlier sends are committed."""
        person, program = self.server.text("bob"), self.server.json("alice")
        program.send(request("send", chat="GLOBAL", text="hi"))
        self.assertIn("hi", person.shown())
        self.connections.stop()
        self.server.turn()
        self.successResultOf(self.server.chat.settled())
        self.assertEqual(self.server.json("bob").welcome["unread"], [])

    def test_leave_before_the_stop(self) -> None:
        """Connections closed before the stop do not matter."""
        for client in JSONClient(self.server), TextClient(self.server):
            client.leave()
        self.successResultOf(self.connections.stop())
