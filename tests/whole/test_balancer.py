"""A real server behind a real balancer that states the addresses of its clients."""

import shutil
import tempfile
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.helpers.processes import JSONClient, ServerProcess
from tests.helpers.services import Haproxy, running


class _Address:
    """The attributes of a server that `JSONClient` needs."""

    def __init__(self, port: int) -> None:
        self.port = port


class BalancerTests(SynchronousTestCase):
    """haproxy with ``send-proxy`` and ``send-proxy-v2``."""

    def setUp(self) -> None:
        """Start a server that allows few sessions per address, and believes the loopback interface."""
        self.home = Path(tempfile.mkdtemp(prefix="irchat-"))
        self.addCleanup(shutil.rmtree, self.home)
        self.server = ServerProcess(self.home, "--proxy-from", "127.0.0.0/8")
        self.addCleanup(self.server.kill)

    def test_sessions(self) -> None:
        """Sessions with TLS work through the balancer, with both versions, and its health checks harm nothing."""
        for number, line in enumerate(["check send-proxy", "check send-proxy-v2"]):
            with running(Haproxy([self.server.port], line)) as balancer:
                client: Any = JSONClient(_Address(balancer.port), tls=True)  # type: ignore[arg-type]
                self.addCleanup(client.close)
                welcome = client.ask(type="register", name=f"user{number}", password="correct horse")
                self.assertEqual(welcome["type"], "welcome", welcome)
                self.assertEqual(client.ask(type="send", chat="GLOBAL", text="hello")["seq"], number + 1)

    def test_no_header(self) -> None:
        """A balancer that sends no header is refused, and the log names the remedy."""
        with running(Haproxy([self.server.port])) as balancer, self.assertRaises(OSError):
            JSONClient(_Address(balancer.port), tls=True)  # type: ignore[arg-type]
        self.assertIn("set send-proxy-v2 in the balancer", self.server.log.read_text())
