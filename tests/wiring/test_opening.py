"""Opening what the settings ask for."""

import builtins
import socket
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

from twisted.internet.task import Clock

from irchat.settings import WrongSetting, make_config
from irchat.wiring import opening
from tests.helpers.server import ServerTestCase

_STORE = {"store": "postgresql://irchat@127.0.0.1:1/chat"}


class OpeningTests(ServerTestCase):
    """The parts that need packages that may be missing, and the port with the figures."""

    def test_missing_packages(self) -> None:
        """Without a package, the line names it, the option, and how to install it."""
        self._hide("psycopg", "irchat.wiring.node")
        config = make_config(_STORE)
        for call in (lambda: opening.check_node(config), lambda: opening.open_node(config, None, None)):
            text = str(self.assertRaises(WrongSetting, call))
            self.assertEqual(text, "--store needs psycopg, which is not installed: pip install 'irchat[cluster]'")
        self._hide("txredisapi", "irchat.cluster.redis_transport")
        text = str(self.assertRaises(WrongSetting, opening.need_transport))
        self.assertEqual(text, "--bus needs txredisapi, which is not installed: pip install 'irchat[cluster]'")

    def test_own_module(self) -> None:
        """A missing module of our own is a fault, and not a missing package."""
        self._hide("irchat.cluster.redis_transport", "irchat.cluster.redis_transport")
        self.assertRaises(ModuleNotFoundError, opening.need_transport)

    def test_not_imported(self) -> None:
        """Without the options, nothing of the packages for several nodes or for the figures is imported."""
        code = "import sys, irchat.tap; print({'psycopg', 'txredisapi', 'prometheus_client'} & set(sys.modules))"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        self.assertEqual(done.stdout, "set()\n")

    def test_figures(self) -> None:
        """The figures are served on their port. A port in use is one line with the option."""
        server = self.make_server()
        described: list[Any] = []
        node: Any = SimpleNamespace(describe=described.append)
        reactor: Any = Clock()
        reactor.adoptStreamPort = lambda *given: None
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            config = make_config({"metrics-port": port})
            text = str(
                self.assertRaises(
                    WrongSetting, opening.open_figures, reactor, config, server.services, server.connections, node
                )
            )
        self.assertEqual(text, f"--metrics-port {port}: Address already in use; choose another")
        self.assertEqual(len(described), 1)
        found = opening.open_figures(reactor, config, server.services, server.connections, None)
        self.assertEqual(found, f"http://127.0.0.1:{port}/metrics")

    def _hide(self, package: str, module: str) -> None:
        """Make the import of ``module`` fail for the lack of ``package``."""
        parent, _, name = module.rpartition(".")
        real = builtins.__import__

        def without(asked: str, *given: Any) -> Any:
            if asked == module or (asked == parent and name in given[2]):
                raise ModuleNotFoundError(f"No module named {package!r}", name=package)
            return real(asked, *given)

        self.patch(builtins, "__import__", without)
