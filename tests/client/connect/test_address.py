"""Addresses as typed, and their servers."""

from twisted.trial.unittest import SynchronousTestCase

from irchat.client.connect.address import Address, Target, find_target, parse_address
from irchat.client.exceptions import ClientError
from irchat.net.port_note import Server


class ParseTests(SynchronousTestCase):
    """Parsing of ``[user@]host[:port]``."""

    def test_forms(self) -> None:
        """Every form of an address is parsed, and host names become lower case."""
        for text, address in {
            "chat.example": Address(None, "chat.example", None),
            "Chat.Example:1": Address(None, "chat.example", 1),
            "Alice@192.0.2.7:65535": Address("Alice", "192.0.2.7", 65535),
            "::1": Address(None, "::1", None),
            "[::1]": Address(None, "::1", None),
            "bob@[FE80::1%eth0]:7667": Address("bob", "fe80::1%eth0", 7667),
            "bob@fe80::1": Address("bob", "fe80::1", None),
            "[0:0::0:1]:7667": Address(None, "::1", 7667),
            "chat.example.": Address(None, "chat.example", None),
            ".": Address(None, ".", None),
        }.items():
            self.assertEqual(parse_address(text), address, text)

    def test_no_address(self) -> None:
        """An invalid address is refused with an example and without its control characters."""
        for text in "", "@host", "bob@", ":7667", "[::1", "::1]", "[]:1", "[::1]x", "a b", "host\x1b[2J":
            stop = self.assertRaises(ClientError, parse_address, text)
            self.assertIn("[user@]host[:port]", stop.text)
            self.assertNotIn("\x1b", stop.text)

    def test_address_of_a_page(self) -> None:
        """Of an address copied from a browser, the text says what to leave out."""
        for text in (
            "http://chat.example",
            "https://alice@chat.example:7667/",
            "ssh://host:22",
            "host/",
            "https://[::1]/",
        ):
            self.assertIn("without '://' and '/'", self.assertRaises(ClientError, parse_address, text).text)

    def test_no_port(self) -> None:
        """A port is a number from 1 to 65535."""
        for port in "", "0", "65536", "-1", "x", "٣", "1" * 5000:
            self.assertIn("is not a port", self.assertRaises(ClientError, parse_address, f"host:{port}").text)


class TargetTests(SynchronousTestCase):
    """The server of an address."""

    def _find(self, text: str, *servers: Server) -> Target:
        return find_target(parse_address(text), tls=True, own_name="Here", find_servers=lambda: list(servers))

    def test_given(self) -> None:
        """An explicit port is used even if another server runs here."""
        self.assertEqual(self._find("localhost:9", Server(5, False)), Target("localhost", 9, True))

    def test_fingerprint(self) -> None:
        """The fingerprint in the note of the server is found, with and without its port, and no other."""
        server = Server(5, True, "AB:CD")
        for text in "localhost", "localhost:5":
            self.assertEqual(self._find(text, server), Target("localhost", 5, True, "AB:CD"))
        for text in "localhost:6", "192.0.2.1:5":
            self.assertEqual(self._find(text, server).fingerprint, "")

    def test_elsewhere(self) -> None:
        """For another machine the default port is used even if a server runs here."""
        self.assertEqual(self._find("192.0.2.1", Server(5, False)), Target("192.0.2.1", 7667, True))

    def test_here(self) -> None:
        """On this machine the running server is found, with its use of TLS."""
        for host in "localhost", "127.0.0.1", "127.3.2.1", "::1", "HERE":
            self.assertEqual(self._find(host, Server(5, False)), Target(host.lower(), 5, False))
        both = Server(5, True), Server(5, True)  # one port, on two addresses
        self.assertEqual(self._find("localhost", *both), Target("localhost", 5, True))

    def test_several_here(self) -> None:
        """If several servers run here, none is chosen, not even one on the default port, and all are listed."""
        text = self.assertRaises(ClientError, self._find, "bob@localhost", Server(7667, False), Server(5, True)).text
        self.assertIn("  irchat bob@localhost:5\n", text)
        self.assertIn("  irchat --no-tls bob@localhost:7667 (not encrypted)", text)
        self.assertIn("  irchat [::1]:5", self.assertRaises(
            ClientError, self._find, "::1", Server(7667, False), Server(5, True)
        ).text)  # fmt: skip

    def test_none_here(self) -> None:
        """If no server runs here, the default port is used."""
        self.assertEqual(self._find("localhost"), Target("localhost", 7667, True))

    def test_label(self) -> None:
        """An IPv6 address is shown in brackets."""
        self.assertEqual(Target("::1", 5, True).label, "[::1]:5")
        self.assertEqual(Target("host", 5, True).label, "host:5")
