"""TCP keepalive, by which the system detects lost text clients."""

import socket

from tests.helpers.server import ServerTestCase


class KeepaliveTests(ServerTestCase):
    """`keep_alive` and `silence_of`, as connections use them."""

    def setUp(self) -> None:
        """Create a server."""
        self.server = self.make_server()

    def test_keepalive(self) -> None:
        """In the text protocol the system detects a lost peer within 90 seconds. In JSON keepalive is off."""
        person, program = self.server.text("bob"), self.server.json("alice")
        self.assertTrue(person.socket.keeps_alive)
        self.assertFalse(program.socket.keeps_alive)
        options = {option: value for _, option, value in person.socket.options}
        dead_after = options[socket.TCP_KEEPIDLE] + options[socket.TCP_KEEPINTVL] * options[socket.TCP_KEEPCNT]
        self.assertEqual(dead_after, 90)

    def test_keepalive_elsewhere(self) -> None:
        """On a system without these options, keepalive is still switched on."""
        for option in "TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT", "TCP_USER_TIMEOUT", "TCP_INFO":
            self.patch(socket, option, 1)
            delattr(socket, option)
        person = self.server.text("bob")
        self.assertEqual((person.socket.keeps_alive, person.socket.options), (True, []))
        person.socket.heard_at = self.server.clock.seconds()
        self.server.advance(100, 100)
        self.assertTrue(person.is_open)
