"""Commands that are printed for the user to type."""

import os
import shlex
import shutil
import site
import subprocess
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

import irchat
from irchat.system.installed import installed


class InstalledTests(SynchronousTestCase):
    """A printed command works in any shell of this machine."""

    def setUp(self) -> None:
        """Make an interpreter with a script beside it, neither on the PATH."""
        self.bin = Path(self.mktemp()).absolute() / "with space"
        self.bin.mkdir(parents=True)
        (self.bin / "irchat").touch(mode=0o755)
        self.patch(sys, "executable", str(self.bin / "python"))
        self.patch(os, "environ", {"PATH": "/nowhere"})

    def on_path(self, folder: Path) -> None:
        """Put a folder on the PATH."""
        os.environ["PATH"] = str(folder)

    def test_beside_the_interpreter(self) -> None:
        """The full path is returned if the script is not on the PATH, or only through an active virtual environment."""
        whole = shlex.quote(str(self.bin / "irchat"))
        self.assertEqual(installed("irchat", "irchat.client"), whole)
        self.on_path(self.bin)
        self.patch(sys, "prefix", "/venv")
        self.assertEqual(installed("irchat", "irchat.client"), whole)

    def test_on_the_path(self) -> None:
        """The bare name is returned if every shell finds it: in a system folder, or as a link made by an installer."""
        self.on_path(self.bin)
        self.patch(sys, "prefix", sys.base_prefix)
        self.assertEqual(installed("irchat", "irchat.client"), "irchat")
        local = self.bin.parent / "local"
        local.mkdir()
        (local / "irchat").symlink_to(self.bin / "irchat")
        self.on_path(local)
        self.patch(sys, "prefix", "/venv")
        self.assertEqual(installed("irchat", "irchat.client"), "irchat")

    def test_another_of_that_name(self) -> None:
        """Another script of the same name is not taken for ours."""
        local = self.bin.parent / "local"
        local.mkdir()
        (local / "irchat").touch(mode=0o755)
        self.on_path(local)
        self.assertIn(str(self.bin), installed("irchat", "irchat.client"))

    def test_not_installed(self) -> None:
        """Without a script, the command runs the module from any folder."""
        where = str(Path(irchat.__file__).resolve().parents[1])
        command = f"{shlex.quote(sys.executable)} -m irchat.client"
        self.assertEqual(installed("irchat-x", "irchat.client"), f"PYTHONPATH={shlex.quote(where)} {command}")
        self.patch(site, "getsitepackages", lambda: [where])
        self.assertEqual(installed("irchat-x", "irchat.client"), command)

    def test_works(self) -> None:
        """The returned command runs, in a shell without our environment."""
        self.patch(sys, "executable", shutil.which("python", path=str(Path(sys.prefix) / "bin")) or "")
        done = subprocess.run(
            ["/bin/sh", "-c", f"{installed('irchat', 'irchat.client')} --version"],
            cwd="/", env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=True,
        )  # fmt: skip
        self.assertTrue(done.stdout.startswith("irchat "))
