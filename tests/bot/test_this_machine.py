"""The servers on this machine, as a bot finds them."""

import os
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from irchat.bot.this_machine import Noted, is_this_machine, noted_servers
from irchat.net.port_note import PortFile, default_directory, find_servers


class NotesTests(SynchronousTestCase):
    """`noted_servers`, beside the client's `find_servers`."""

    def setUp(self) -> None:
        """Make a folder for the notes."""
        self.base = Path(self.mktemp()).absolute()
        self.base.mkdir(0o700)
        self.patch(os, "environ", {**os.environ, "XDG_RUNTIME_DIR": str(self.base)})

    def note(self, port: int, *, tls: bool = True) -> PortFile:
        """Write the note of a server that runs until the end of the test."""
        self.patch(os, "getpid", lambda: port)  # the name of the note
        note = PortFile(default_directory(), port=port, tls=tls, fingerprint="sha256:AB")
        self.addCleanup(note.remove)
        return note

    def test_notes(self) -> None:
        """The servers that run are those that the client finds. A note without its lock is stale."""
        self.assertEqual(noted_servers(), [])
        self.note(9)
        self.note(8, tls=False)
        for name, text in ("1.port", '{"port":1,"tls":true}'), ("2.port", "nonsense"), ("3.port", "[]"):
            (self.base / "irchat" / name).write_text(text)
        self.assertEqual(noted_servers(), [Noted(8, False, "sha256:AB"), Noted(9, True, "sha256:AB")])
        self.assertEqual(noted_servers(), sorted(map(tuple, find_servers(default_directory()))))

    def test_folder_of_others(self) -> None:
        """A folder in which others can write counts for nothing."""
        self.note(9)
        self.assertEqual(len(noted_servers()), 1)
        (self.base / "irchat").chmod(0o777)
        self.assertEqual(noted_servers(), [])

    def test_hosts(self) -> None:
        """This machine has several names."""
        for host, is_here in (
            ("localhost", True),
            ("127.0.0.9", True),
            ("::1", True),
            ("192.0.2.1", False),
            ("x", False),
        ):
            self.assertEqual(is_this_machine(host), is_here, host)
