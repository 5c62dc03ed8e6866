"""The port with the figures."""

import socket
from types import SimpleNamespace
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import inlineCallbacks
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from irchat.server.listeners.listener import CannotBind
from irchat.server.metrics import port
from tests.helpers.services import free_port


def _get(at: int, path: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", at), 5) as connection:
        connection.sendall(b"GET " + path + b" HTTP/1.0\r\n\r\n")
        return b"".join(iter(lambda: connection.recv(65_536), b""))


class PortTests(TestCase):
    """`serve_figures`."""

    @inlineCallbacks
    def test_served(self) -> Any:
        """The figures are at one path of the loopback interface. Other paths have nothing."""
        number = free_port()
        figures: Any = SimpleNamespace(text=lambda: b"irchat_sessions 3\n")
        ports: list[Any] = []
        spy: Any = SimpleNamespace(
            adoptStreamPort=lambda *given: ports.append(reactor.adoptStreamPort(*given))  # type: ignore[attr-defined]
        )
        address = port.serve_figures(spy, figures, number)
        self.assertEqual(address, f"http://127.0.0.1:{number}/metrics")
        self.addCleanup(ports[0].stopListening)
        found = yield deferToThread(_get, number, b"/metrics")
        self.assertTrue(found.endswith(b"irchat_sessions 3\n"))
        self.assertIn(b"text/plain; version=0.0.4", found)
        missing = yield deferToThread(_get, number, b"/other")
        self.assertIn(b" 404 ", missing.splitlines()[0])

    def test_taken(self) -> None:
        """A port in use is an error."""
        with socket.create_server(("127.0.0.1", 0)) as other:
            figures: Any = None
            self.assertRaises(CannotBind, port.serve_figures, reactor, figures, other.getsockname()[1])
