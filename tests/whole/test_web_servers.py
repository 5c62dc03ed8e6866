"""The page behind real web servers, with the files of docs/operations.rst."""

import http.client
import json
import shutil
import socket
import ssl
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from twisted.trial.unittest import SynchronousTestCase
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.helpers.processes import ServerProcess
from tests.helpers.services import free_port, running
from tests.helpers.web_servers import Caddy, HttpHaproxy, Nginx, WebServer


def _unverified() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["http/1.1"])
    return context


@pytest.mark.slow
class WebServersTests(SynchronousTestCase):
    """A server that allows one session for each address."""

    def setUp(self) -> None:
        """Start the server with a port for the page."""
        self.opened = ExitStack()
        self.addCleanup(self.opened.close)
        self.home = Path(tempfile.mkdtemp(prefix="irchat-"))
        self.addCleanup(shutil.rmtree, self.home)
        self.web_port = free_port()
        self.server = ServerProcess(self.home, "--web-port", str(self.web_port), "--per-address", "1", "--no-passwords")
        self.addCleanup(self.server.kill)

    def open(self, port: int, address: str, **options: Any) -> ClientConnection:
        """Open a WebSocket from an address of this machine, as a page of the web server does."""
        given = {"origin": f"https://localhost:{port}", **options}
        tcp = socket.create_connection(("127.0.0.1", port), source_address=(address, 0))
        self.addCleanup(tcp.close)
        opening = connect(
            f"wss://localhost:{port}/ws", sock=tcp, ssl=_unverified(), compression=None, proxy=None, **given
        )
        return self.opened.enter_context(opening)

    def sign_in(self, port: int, address: str, name: str, **options: Any) -> dict[str, Any]:
        """Return the reply to a sign-in from that address."""
        opened = self.open(port, address, **options)
        self.assertIn("IRChat/1", str(opened.recv()))
        opened.send(json.dumps({"type": "login", "name": name, "ref": 1}))
        for message in opened:
            reply: dict[str, Any] = json.loads(message)
            if reply.get("ref") == 1:
                return reply
        raise AssertionError("the connection ended before the reply")

    def check(self, server: WebServer) -> None:
        """Check the page, the WebSocket, the addresses and the origin behind a web server."""
        with running(server):
            client = http.client.HTTPSConnection("localhost", server.port, context=_unverified())
            for path, kind in ("/", "text/html"), ("/main.js", "text/javascript"), ("/", "text/html"):
                client.request("GET", path)
                answer = client.getresponse()
                self.assertEqual(answer.status, 200)
                self.assertIn(kind, str(answer.getheader("Content-Type")))
                self.assertIn("default-src 'none'", str(answer.getheader("Content-Security-Policy")))
                self.assertTrue(answer.read())
            client.close()
            self.assertEqual(self.sign_in(server.port, "127.0.0.2", "anna")["type"], "welcome")
            self.assertEqual(self.sign_in(server.port, "127.0.0.3", "bert")["type"], "welcome")
            lie = {"X-Forwarded-For": "127.0.0.4"}
            again = self.sign_in(server.port, "127.0.0.2", "carl", additional_headers=lie)
            self.assertEqual((again["type"], again["code"]), ("error", "too-many"))
            refused = self.assertRaises(
                InvalidStatus, self.open, server.port, "127.0.0.5", origin="https://evil.example"
            )
            self.assertEqual(refused.response.status_code, 403)

    def test_nginx(self) -> None:
        """nginx passes on the page, WebSockets and addresses."""
        self.check(Nginx(self.web_port))

    def test_haproxy(self) -> None:
        """haproxy passes on the page, WebSockets and addresses."""
        self.check(HttpHaproxy(self.web_port))

    def test_caddy(self) -> None:
        """Caddy passes on the page, WebSockets and addresses."""
        self.check(Caddy(self.web_port))
