"""The ports of the SSH door, and what the start says of them."""

import os
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.logger import Logger
from twisted.trial.unittest import TestCase

from irchat.protocol.ssh_door import HOST_KEY_FILE
from irchat.server.listeners.listener import listening_socket
from irchat.settings import WrongSetting, make_config
from irchat.wiring.ssh import SSHPorts, check_ssh
from tests.helpers.server import Server


class SSHPortsTests(TestCase):
    """`SSHPorts` and `check_ssh`."""

    def setUp(self) -> None:
        """Make a data folder."""
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir(mode=0o700)
        with listening_socket("127.0.0.1", 0) as free:
            self.free: int = free.getsockname()[1]

    def open(self, **given: Any) -> SSHPorts:
        """Open the ports of a server without a main port."""
        server = Server()
        self.addCleanup(server.close)
        self.lines = server.factory
        config = make_config({"data": str(self.folder), **{name.replace("_", "-"): given[name] for name in given}})
        ports = SSHPorts(reactor, config, server.factory, Logger())
        self.addCleanup(ports.stop)
        self.addCleanup(ports.stop_listening)
        return ports

    def test_default(self) -> None:
        """The door is on the main port, with a host key. Nothing is started."""
        said = list(self.open().banner(7667, "chat.example"))
        self.assertEqual(said[0], "By SSH: ssh -p 7667 NAME@chat.example")
        self.assertRegex(said[1], "^SSH host key: SHA256:")
        self.assertIsNotNone(self.lines.ssh)
        self.assertEqual(os.listdir(self.folder), [HOST_KEY_FILE])

    def test_off(self) -> None:
        """Without the door, nothing is made or said."""
        self.assertEqual(list(self.open(no_ssh=True).banner(7667, "chat.example")), [])
        self.assertIsNone(self.lines.ssh)
        self.assertEqual(os.listdir(self.folder), [])

    def test_port(self) -> None:
        """A port of its own is opened and named. A taken one ends the start."""
        said = list(self.open(ssh_port=self.free, host="127.0.0.1").banner(7667, "[::1]"))
        self.assertEqual(said[0], f"By SSH: ssh -p {self.free} NAME@::1")
        with listening_socket("127.0.0.1", 0) as taken:
            config = make_config({"ssh-port": taken.getsockname()[1], "host": "127.0.0.1"})
            error = self.assertRaises(WrongSetting, check_ssh, config)
        self.assertIn("--ssh-port", str(error))
        self.assertRaises(WrongSetting, self.open, ssh_port=self.free, host="127.0.0.1")

    def test_wrong_key(self) -> None:
        """A host key that others may read ends the start with one line."""
        self.open()
        (self.folder / HOST_KEY_FILE).chmod(0o644)
        error = self.assertRaises(WrongSetting, self.open)
        self.assertIn("chmod 600", str(error))
