"""All ports of a server, on real sockets."""

from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase

from irchat.server.listeners.listener import CannotBind, listening_socket
from irchat.settings import Config, make_config
from irchat.wiring.banner import Started
from irchat.wiring.ports import Ports, check_ports
from tests.helpers.server import Server
from tests.helpers.services import free_port


def is_taken(number: int) -> bool:
    """Return whether somebody listens on a port."""
    try:
        listening_socket("127.0.0.1", number).close()
    except CannotBind:
        return True
    return False


class PortsTests(TestCase):
    """`Ports` and `check_ports`."""

    timeout = 120

    def setUp(self) -> None:
        """Name four free ports."""
        ports: set[int] = set()
        while len(ports) < 4:
            ports.add(free_port())
        self.main, self.web, self.irc, self.ssh = ports
        self.folder = self.mktemp()
        Path(self.folder).mkdir(mode=0o700)

    def config(self, **given: Any) -> Config:
        """Return settings of a server on the loopback interface."""
        ports = {"port": self.main, "web-port": self.web, "irc-port": self.irc, "ssh-port": self.ssh}
        return make_config({"host": "127.0.0.1", "data": self.folder, **ports, **given})

    def open(self, config: Config) -> Ports:
        """Open the ports of a server."""
        server = Server()
        self.addCleanup(server.close)
        ports = Ports(reactor, config, server.factory, server.irc_shared)
        self.addCleanup(ports.stop)
        return ports

    async def until_open(self, *numbers: int, is_open: bool) -> None:
        """Wait until somebody listens on all of these ports, or on none. They change at the end of a turn."""
        for _ in range(3_000):
            if [is_taken(number) for number in numbers] == [is_open] * len(numbers):
                return
            await deferLater(reactor, 0.01)
        self.fail("the ports did not change")

    async def test_all_close_together(self) -> None:
        """A reason to be closed closes every port, and all open again without it."""
        ports = self.open(self.config())
        numbers = ports.main, self.web, self.irc, self.ssh
        await self.until_open(*numbers, is_open=True)
        ports.set_closed("a test", True)
        await self.until_open(*numbers, is_open=False)
        ports.set_closed("a test", False)
        await self.until_open(*numbers, is_open=True)
        await ports.stop()
        await self.until_open(*numbers, is_open=False)

    async def test_taken(self) -> None:
        """A port that is taken ends the start, and the others are closed again."""
        with listening_socket("127.0.0.1", self.irc):
            self.assertRaises(CannotBind, check_ports, self.config())
            self.assertRaises(CannotBind, self.open, self.config())
        await self.until_open(self.web, self.irc, is_open=False)
        check_ports(self.config())

    def test_banner(self) -> None:
        """The start names the server, then the page, then IRC, then SSH."""
        config = self.config()
        said = list(self.open(config).banner(Started(config, 7667, Path("/data"), "", "", "")))
        self.assertTrue(said[0].startswith("IRChat listens on 127.0.0.1"))
        self.assertEqual(
            [line.split(":")[0] for line in said[-5:]],
            ["In a browser, without TLS", "In weechat", "In irssi", "By SSH", "SSH host key"],
        )
