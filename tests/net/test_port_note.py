"""The files by which clients find the servers of this machine."""

import os
import stat
import subprocess
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from irchat.net import port_note
from irchat.net.port_note import PortFile, Server, default_directory, find_servers


class PortFileTests(SynchronousTestCase):
    """A running server is found, a dead one is not."""

    def setUp(self) -> None:
        """Choose a directory that does not exist yet."""
        self.directory = Path(self.mktemp()) / "runtime" / "irchat"

    def test_running(self) -> None:
        """The file of a running server holds its port and whether it uses TLS."""
        file = PortFile(self.directory, port=4321, tls=False)
        self.addCleanup(file.remove)
        self.assertEqual(find_servers(self.directory), [Server(4321, False)])
        self.assertEqual(find_servers(self.directory), [Server(4321, False)])

    def test_fingerprint(self) -> None:
        """The file has the fingerprint of the certificate. That of an earlier version has none."""
        self.addCleanup(PortFile(self.directory, port=1, tls=True, fingerprint="AB:CD").remove)
        self.assertEqual(find_servers(self.directory), [Server(1, True, "AB:CD")])
        (note,) = self.directory.iterdir()
        note.write_text('{"port": 1, "tls": true}')
        self.assertEqual(find_servers(self.directory), [Server(1, True)])

    def test_directory_is_private(self) -> None:
        """The directory is created with access for its owner only."""
        PortFile(self.directory, port=1, tls=True).remove()
        self.assertEqual(stat.S_IMODE(self.directory.stat().st_mode), 0o700)

    def test_removed(self) -> None:
        """A server that has stopped leaves no file."""
        PortFile(self.directory, port=1, tls=True).remove()
        self.assertEqual(find_servers(self.directory), [])
        self.assertEqual(list(self.directory.iterdir()), [])

    def test_removed_by_others(self) -> None:
        """A server whose file was deleted by others stops without an error."""
        file = PortFile(self.directory, port=1, tls=True)
        next(self.directory.iterdir()).unlink()
        file.remove()
        self.assertFalse(list(self.directory.iterdir()))

    def test_stale(self) -> None:
        """The file of a killed process is recognised and deleted."""
        code = (
            "import sys; from pathlib import Path; from irchat.net.port_note import PortFile; import os;"
            "PortFile(Path(sys.argv[1]), port=5, tls=True); os.kill(os.getpid(), 9)"
        )
        root = Path(port_note.__file__).parents[1]
        ended = subprocess.run([sys.executable, "-c", code, self.directory.absolute()], cwd=root, check=False)
        self.assertEqual(ended.returncode, -9)
        self.assertEqual(len(list(self.directory.iterdir())), 1)
        self.assertEqual(find_servers(self.directory), [])
        self.assertEqual(list(self.directory.iterdir()), [])

    def test_newest_first(self) -> None:
        """Servers are listed newest first."""
        for pid, port in (30, 3), (10, 1), (20, 2):
            self.patch(port_note.os, "getpid", lambda pid=pid: pid)
            file = PortFile(self.directory, port=port, tls=True)
            os.utime(self.directory / f"{pid}.port", ns=(pid, pid))
            self.addCleanup(file.remove)
        self.assertEqual([server.port for server in find_servers(self.directory)], [3, 2, 1])

    def test_garbage(self) -> None:
        """A locked file with other content is skipped."""
        PortFile(self.directory, port=1, tls=True)
        next(self.directory.iterdir()).write_text("[]")
        self.assertEqual(find_servers(self.directory), [])

    def test_directory_of_another(self) -> None:
        """A directory owned by another user is not trusted."""
        self.addCleanup(PortFile(self.directory, port=1, tls=True).remove)
        self.patch(port_note.os, "getuid", lambda: os.geteuid() + 1)
        self.assertEqual(find_servers(self.directory), [])

    def test_others_can_write(self) -> None:
        """A directory that is a link, or that others can write to, is neither written nor trusted."""
        self.addCleanup(PortFile(self.directory, port=1, tls=True).remove)
        link = self.directory.with_name("link")
        link.symlink_to(self.directory.absolute())
        self.assertEqual(find_servers(link), [])
        self.assertRaises(PermissionError, PortFile, link, port=2, tls=True)
        self.directory.chmod(0o770)
        self.assertEqual(find_servers(self.directory), [])
        self.assertRaises(PermissionError, PortFile, self.directory, port=2, tls=True)

    def test_links_are_not_followed(self) -> None:
        """A link with the name of the port file is replaced, and its target stays unchanged."""
        self.directory.mkdir(mode=0o700, parents=True)
        other = self.directory.with_name("other")
        other.write_text("precious")
        (self.directory / f"{os.getpid()}.port").symlink_to(other.absolute())
        self.addCleanup(PortFile(self.directory, port=1, tls=True).remove)
        self.assertEqual(other.read_text(), "precious")
        self.assertEqual([server.port for server in find_servers(self.directory)], [1])

    def test_no_directory(self) -> None:
        """A missing directory holds no servers."""
        self.assertEqual(find_servers(self.directory), [])

    def test_default_directory(self) -> None:
        """The directory is in the user's runtime directory. Without one in the environment, no warning is raised."""
        self.patch(os, "environ", {"XDG_RUNTIME_DIR": "/run/somewhere"})
        self.assertEqual(default_directory(), Path("/run/somewhere/irchat"))
        self.patch(os, "environ", {})
        self.assertEqual(default_directory().name, "irchat")
        self.assertEqual(self.flushWarnings(), [])

    def test_place_taken_by_another(self) -> None:
        """If another user has taken the directory in /tmp, the directory is in the user's state directory."""

        def taken(_: str) -> str:
            raise PermissionError("runtime directory /tmp/runtime-1000 is owned by uid 1001, not 1000")

        self.patch(port_note.platformdirs, "user_runtime_dir", taken)
        self.patch(port_note.platformdirs, "user_state_dir", lambda name: f"/home/alice/.local/state/{name}")
        self.assertEqual(default_directory(), Path("/home/alice/.local/state/irchat/run"))
