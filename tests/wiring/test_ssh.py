"""The ports of the SSH door, and what the start says of them."""

import os
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.logger import Logger
from twisted.trial.unittest import SynchronousTestCase

from irchat.protocol.ssh_door import HOST_KEY_FILE
from irchat.server.listeners.ssh.ssh_factory import SSHDoor
from irchat.settings import WrongSetting, make_config
from irchat.wiring.banner import Started
from irchat.wiring.ssh import open_ssh, ssh_banner
from tests.helpers.server import Server


class SSHTests(SynchronousTestCase):
    """`open_ssh` and `ssh_banner`."""

    def setUp(self) -> None:
        """Make a data folder."""
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir(mode=0o700)

    def said(self, **given: Any) -> list[str]:
        """Open the door of a server without a main port, and return the lines of the start."""
        server = Server()
        self.addCleanup(server.close)
        self.lines = server.factory
        self.opened: list[tuple[str | None, int]] = []
        config = make_config({"data": str(self.folder), **{name.replace("_", "-"): given[name] for name in given}})

        def open_port(host: str | None, number: int, factory: object) -> None:
            self.opened.append((host, number))
            self.assertIsInstance(factory, SSHDoor)

        ssh = open_ssh(reactor, config, server.factory, Logger(), open_port)
        return list(ssh_banner(config, ssh, Started(config, 7667, self.folder, "", "", "")))

    def test_default(self) -> None:
        """The door is on the main port, with a host key. Nothing is started."""
        first, second = self.said(host="192.0.2.1")
        self.assertEqual(first, "By SSH: ssh -p 7667 NAME@192.0.2.1")
        self.assertRegex(second, "^SSH host key: SHA256:")
        self.assertIsInstance(self.lines.ssh, SSHDoor)
        self.assertEqual((os.listdir(self.folder), self.opened), ([HOST_KEY_FILE], []))

    def test_off(self) -> None:
        """Without the door, nothing is made or said."""
        self.assertEqual(self.said(no_ssh=True), [])
        self.assertIsNone(self.lines.ssh)
        self.assertEqual(os.listdir(self.folder), [])

    def test_port(self) -> None:
        """A port of its own is opened and named."""
        said = self.said(ssh_port=2222, host="::1")
        self.assertEqual((said[0], self.opened), ("By SSH: ssh -p 2222 NAME@::1", [("::1", 2222)]))

    def test_wrong_key(self) -> None:
        """A host key that others may read ends the start with one line."""
        self.said()
        (self.folder / HOST_KEY_FILE).chmod(0o644)
        error = self.assertRaises(WrongSetting, self.said)
        self.assertIn("chmod 600", str(error))
