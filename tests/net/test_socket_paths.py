"""Paths of UNIX sockets that are too long for an address."""

import os
import socket
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from irchat.net.socket_paths import short_path


class SocketPathTests(SynchronousTestCase):
    """`short_path`."""

    def test_short(self) -> None:
        """A path that fits is used unchanged, even if its folder is missing."""
        with short_path(Path("/none/control.sock")) as path:
            self.assertEqual(path, "/none/control.sock")

    def test_long(self) -> None:
        """A path that does not fit works through its folder, for bind and connect, and leaves no open descriptor."""
        folder = Path(self.mktemp()).absolute() / ("f" * 200)
        folder.mkdir(parents=True)
        before = os.listdir("/proc/self/fd")
        with socket.socket(socket.AF_UNIX) as listening, socket.socket(socket.AF_UNIX) as connecting:
            with short_path(folder / "control.sock") as path:
                listening.bind(path)
            listening.listen()
            with short_path(folder / "control.sock") as path:
                connecting.connect(path)
        self.assertTrue((folder / "control.sock").is_socket())
        self.assertEqual(os.listdir("/proc/self/fd"), before)
        with self.assertRaises(FileNotFoundError), short_path(folder / "none" / "control.sock"):
            pass

    if not os.path.isdir("/proc/self/fd"):
        test_long.skip = "needs Linux"
