"""Commands reach the server that uses the folder, or else the folder itself."""

import socket
import threading

from irchat.admin import reach
from irchat.chat.accounts.administration import Kick
from irchat.system.files.data_folder import DataFolder
from tests.helpers.admin import PASSWORD, AdminCase


class FolderTests(AdminCase):
    """A folder without a server that answers."""

    def test_no_data(self) -> None:
        """Only ``add-user`` and ``restore`` create a missing data folder."""
        for command in (["users"], ["bans"], ["kick", "x"], ["stats"], ["check"], ["backup", "x"], ["unban", "x"]):
            self.refused("is --data right?", *command)
        self.assertFalse(self.data.exists())
        self.data.write_text("")
        self.refused("cannot be used", "add-user", "alice", typed=f"{PASSWORD}\n")

    def test_locked(self) -> None:
        """A folder locked by a process that does not answer is left alone. It can still be backed up and checked."""
        self.fill()
        folder = DataFolder(self.data)
        folder.acquire()
        self.addCleanup(folder.release)
        self.refused("stop it first", "users")
        self.done("backup", str(self.home / "copy"))
        self.refused("stop it first", "restore", str(self.home / "copy"))
        self.assertEqual(self.done("check"), "The database is sound.\n")

    def test_node(self) -> None:
        """In the folder of a node that does not run, every command refers to PostgreSQL, until the file is deleted."""
        self.fill()
        copy = str(self.home / "copy")
        self.done("backup", copy)
        (self.data / "node").write_text("one")
        for command in (["users"], ["stats"], ["check"], ["backup", "x"], ["restore", copy], ["kick", "alice"]):
            self.refused("start its node", *command)
        (self.data / "node").unlink()
        self.done("users")


class StoppingTests(AdminCase):
    """A server that is stopping."""

    def test_closes(self) -> None:
        """A connection that the server closes without an answer is reported as an error."""
        self.data.mkdir()
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(str(self.data / "control.sock"))
            listening.listen()

            def close() -> None:
                connection, _ = listening.accept()
                connection.recv(1_000)
                connection.close()

            thread = threading.Thread(target=close)
            thread.start()
            self.assertRaises(reach.Failed, reach.ask, self.data, Kick(name="bob"), print)
            thread.join()
