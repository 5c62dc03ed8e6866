"""The listening socket of the chat."""

import socket
from typing import Any

from twisted.internet import reactor
from twisted.internet.protocol import ServerFactory
from twisted.trial.unittest import SynchronousTestCase, TestCase

from irchat.server.listeners import listener
from irchat.server.listeners.listener import SEND_BUFFER, CannotBind, NoAddress, listen, listening_socket


class _OnlyIPv6(socket.socket):
    """Return what a socket is on a system where ``net.ipv6.bindv6only`` is 1."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        if self.family == socket.AF_INET6:
            self.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)


class ListeningTests(SynchronousTestCase):
    """`listening_socket`."""

    def _open(self, host: str | None, port: int = 0) -> socket.socket:
        opened = listening_socket(host, port)
        self.addCleanup(opened.close)
        return opened

    def test_both(self) -> None:
        """The wildcard address includes IPv4, even on a system that keeps the two separate."""
        self.patch(listener.socket, "socket", _OnlyIPv6)
        for host in None, "::":
            port = self._open(host).getsockname()[1]
            for address in "127.0.0.1", "::1":
                socket.create_connection((address, port), timeout=10).close()

    if listener.all_addresses() != "::":
        test_both.skip = "needs IPv6"

    def test_one_address(self) -> None:
        """A host is that address alone."""
        self.assertEqual(self._open("127.0.0.1").getsockname()[0], "127.0.0.1")

    def test_options(self) -> None:
        """Accepted sockets send at once and keep little in the kernel. Accepting never waits."""
        opened = self._open("127.0.0.1")
        self.assertFalse(opened.getblocking())
        self.assertTrue(opened.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR))
        opened.setblocking(True)
        with socket.create_connection(opened.getsockname(), timeout=10), opened.accept()[0] as accepted:
            self.assertTrue(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            kept = accepted.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)
        with socket.socket() as other:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
            self.assertEqual(kept, other.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF))

    def test_wrong(self) -> None:
        """An invalid address, a foreign one and a port in use each have their own error."""
        for host in "localhost", "a\0b", "\n", "x" * 300, "ａ。。ｂ", "999.1.1.1", "fe80::1%nothing":
            self.assertRaises(NoAddress, listening_socket, host, 0)
        self.assertRaises(CannotBind, listening_socket, "192.0.2.1", 0)
        with self.assertRaises(CannotBind) as raised:
            listening_socket("127.0.0.1", self._open("127.0.0.1").getsockname()[1])
        self.assertIn("in use", str(raised.exception))

    def test_own_address(self) -> None:
        """Without a route to other machines, the host name replaces the address."""
        self.assertTrue(listener.own_address())

        class Nowhere(socket.socket):
            def connect(self, address: Any) -> None:
                raise OSError

        self.patch(listener.socket, "socket", Nowhere)
        self.assertEqual(listener.own_address(), socket.gethostname())


class AcceptTests(TestCase):
    """`listen`."""

    def test_log(self) -> None:
        """The port logs to the given logger."""
        logger = object()
        port = listen(reactor, "127.0.0.1", 0, ServerFactory(), logger)
        self.addCleanup(port.stopListening)
        self.assertIs(port._logger, logger)

    def test_few_a_turn(self) -> None:
        """However many connections wait, one turn accepts only a few, so that others get their messages."""
        accepted: list[Any] = []
        factory = ServerFactory()
        factory.noisy = False
        factory.buildProtocol = accepted.append
        port = listen(reactor, "127.0.0.1", 0, factory)
        self.addCleanup(port.stopListening)
        for _ in range(50):
            self.addCleanup(socket.create_connection(("127.0.0.1", port.getHost().port), timeout=10).close)
        counts = []
        for _ in range(8):
            before = len(accepted)
            port.doRead()
            counts.append(len(accepted) - before)
        self.assertEqual(counts, [8] * 6 + [2, 0])
