"""Notification of a supervisor."""

import os
import shutil
import socket
import tempfile
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from irchat.system.supervisor import notify


class NotifyTests(SynchronousTestCase):
    """`notify`."""

    def test_told(self) -> None:
        """The state is sent to the socket named in the environment, in the file system or abstract."""
        folder = tempfile.mkdtemp(prefix="irchat-")
        self.addCleanup(shutil.rmtree, folder)
        for name, bound in (f"{folder}/s", f"{folder}/s"), (f"@{folder}", f"\0{folder}"):
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
                supervisor.bind(bound)
                self.patch(os, "environ", {"NOTIFY_SOCKET": name})
                notify("READY=1")
                self.assertEqual(supervisor.recv(100), b"READY=1")

    def test_nobody(self) -> None:
        """Without a supervisor, or after it has gone, nothing happens."""
        for environment in {}, {"NOTIFY_SOCKET": ""}, {"NOTIFY_SOCKET": str(Path("/no/such"))}, {"NOTIFY_SOCKET": "x"}:
            self.patch(os, "environ", environment)
            notify("READY=1")
