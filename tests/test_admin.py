"""``python -m irchat.admin``: accounts made through a running server, or without one in the data folder."""

import contextlib
import io
import json
import socket
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from irchat import admin
from irchat.admin import Failed, add, main
from irchat.data_folder import DataFolder
from irchat.server.control import SOCKET_FILE
from irchat.store.sqlite import SQLiteStore
from irchat.store.threads import NoThreads
from tests.harness import PASSWORD, cheap_hasher


class _Input(io.StringIO):
    """Standard input, of a terminal or not."""

    def __init__(self, text: str, is_terminal: bool) -> None:
        super().__init__(text)
        self._is_terminal = is_terminal

    def isatty(self) -> bool:
        return self._is_terminal


class _AdminTestCase(SynchronousTestCase):
    def setUp(self) -> None:
        """A place for data, with a short name, and hashing that takes no time."""
        folder = tempfile.TemporaryDirectory(prefix="irchat-")
        self.addCleanup(folder.cleanup)
        self.data = Path(folder.name) / "data"
        accounts = admin.Accounts
        self.patch(admin, "Accounts", lambda *args: accounts(*args, hasher=cheap_hasher()))

    def _users(self) -> list[str]:
        store = SQLiteStore(DataFolder(self.data).database, NoThreads(), lambda: 0)
        try:
            return [user.name for user in store.snapshot().users]
        finally:
            store.close()


class OfflineTests(_AdminTestCase):
    """Without a server."""

    def test_add(self) -> None:
        """The account is in the data folder, which is made where it is missing and is free again after."""
        add(self.data, "alice", PASSWORD)
        add(self.data, "bob", PASSWORD)
        self.assertEqual(self._users(), ["alice", "bob"])
        DataFolder(self.data).acquire()

    def test_refused(self) -> None:
        """What the rules refuse is said with its reason, changes nothing, and leaves the folder free."""
        add(self.data, "alice", PASSWORD)
        for name, password, why in (("Alice", PASSWORD, "is taken"), ("a b", PASSWORD, "cannot be a name"),
                                    ("bob", "short", "8 to 1,024 bytes"), ("\udcff", PASSWORD, "cannot be a name")):
            self.assertIn(why, str(self.assertRaises(Failed, add, self.data, name, password)))
        self.assertEqual(self._users(), ["alice"])
        DataFolder(self.data).acquire()

    def test_folder_in_use(self) -> None:
        """A folder whose server does not answer is said to be in use, and nothing is written."""
        folder = DataFolder(self.data)
        folder.acquire()
        self.addCleanup(folder.release)
        error = self.assertRaises(Failed, add, self.data, "alice", PASSWORD)
        self.assertIn("does not answer", str(error))
        self.assertFalse(folder.database.exists())

    def test_folder_that_cannot_be_used(self) -> None:
        """A folder that is none, and a file that is no database, are said to be of no use."""
        self.data.write_text("a file")
        self.assertIn("cannot be used", str(self.assertRaises(Failed, add, self.data, "alice", PASSWORD)))
        self.data.unlink()
        self.data.mkdir()
        DataFolder(self.data).database.write_bytes(b"no database " * 1_000)
        self.assertIn("cannot be used", str(self.assertRaises(Failed, add, self.data, "alice", PASSWORD)))
        DataFolder(self.data).acquire()

    def test_unexpected(self) -> None:
        """An error of our own is not swallowed, and the folder is free again."""

        async def fails(*_: object) -> None:
            raise ZeroDivisionError

        self.patch(admin, "Accounts", lambda *_: type("Broken", (), {"add": fails})())
        self.assertRaises(ZeroDivisionError, add, self.data, "alice", PASSWORD)
        DataFolder(self.data).acquire()
        admin._wait(Deferred())


class OnlineTests(_AdminTestCase):
    """Through the socket of a running server."""

    @contextlib.contextmanager
    def _server(self, answer: bytes) -> Iterator[list[bytes]]:
        """A server that gives one answer, and what it was asked."""
        self.data.mkdir(exist_ok=True)
        path = self.data / SOCKET_FILE
        path.unlink(missing_ok=True)
        asked: list[bytes] = []

        def serve() -> None:
            connection, _ = listening.accept()
            with connection, connection.makefile("rb") as lines:
                asked.append(lines.readline())
                connection.sendall(answer)

        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
            listening.bind(str(path))
            listening.listen()
            thread = threading.Thread(target=serve)
            thread.start()
            try:
                yield asked
            finally:
                thread.join()

    def test_add(self) -> None:
        """The running server is asked, in one line, and the data is left to it."""
        with self._server(b'{"error":""}\n') as asked:
            add(self.data, "alice", PASSWORD)
        self.assertEqual(json.loads(asked[0]), {"command": "add-user", "name": "alice", "password": PASSWORD})
        self.assertEqual([path.name for path in self.data.iterdir()], [SOCKET_FILE])

    def test_refused(self) -> None:
        """What the server refuses is said in its words."""
        with self._server(b'{"error":"The name is taken."}\n'):
            error = self.assertRaises(Failed, add, self.data, "alice", PASSWORD)
        self.assertEqual(str(error), "The name is taken.")

    def test_no_answer(self) -> None:
        """A server that closes without an answer is said to, and nothing is written behind its back."""
        with self._server(b""):
            error = self.assertRaises(Failed, add, self.data, "alice", PASSWORD)
        self.assertIn("before it answered", str(error))
        self.assertEqual([path.name for path in self.data.iterdir()], [SOCKET_FILE])

    def test_strange_answer(self) -> None:
        """An answer that is none, as of another version, is said to be strange."""
        with self._server(b"nonsense\n"):
            error = self.assertRaises(Failed, add, self.data, "alice", PASSWORD)
        self.assertIn("another version", str(error))

    def test_name_that_is_no_text(self) -> None:
        """A name whose bytes are no text is refused before the server is asked."""
        with self._server(b'{"error":""}\n') as asked:
            error = self.assertRaises(Failed, add, self.data, "\udcff", PASSWORD)
            add(self.data, "alice", PASSWORD)
        self.assertIn("cannot be a name", str(error))
        self.assertEqual(len(asked), 1)

    def test_server_that_died(self) -> None:
        """The socket of a server that died keeps nobody from adding users."""
        with self._server(b'{"error":""}\n'):
            add(self.data, "alice", PASSWORD)
        add(self.data, "bob", PASSWORD)
        self.assertEqual(self._users(), ["bob"])


class MainTests(_AdminTestCase):
    """The command itself."""

    def setUp(self) -> None:
        """Standard output and error in hand."""
        super().setUp()
        self.out, self.err = io.StringIO(), io.StringIO()
        self.patch(sys, "stdout", self.out)
        self.patch(sys, "stderr", self.err)

    def _call(self, typed: str, *, terminal: bool = False) -> int:
        self.patch(sys, "stdin", _Input(typed, terminal))
        lines = iter(typed.splitlines())
        self.asked: list[str] = []
        self.patch(admin.getpass, "getpass", lambda question: self.asked.append(question) or next(lines))
        return main(["--data", str(self.data), "add-user", "alice"])

    def test_from_a_pipe(self) -> None:
        """The password is one line of standard input; nothing is asked, and the password is not shown."""
        self.assertEqual(self._call(PASSWORD + "\r\nmore\n"), 0)
        self.assertEqual((self.out.getvalue(), self.asked), ("alice can sign in now.\n", []))
        self.assertEqual(self._users(), ["alice"])

    def test_on_a_terminal(self) -> None:
        """The password is asked for twice."""
        self.assertEqual(self._call(f"{PASSWORD}\n{PASSWORD}\n", terminal=True), 0)
        self.assertEqual(len(self.asked), 2)
        self.assertEqual(self._users(), ["alice"])

    def test_mismatch(self) -> None:
        """Two that differ change nothing."""
        self.assertEqual(self._call(f"{PASSWORD}\nanother\n", terminal=True), 1)
        self.assertEqual(self.err.getvalue(), "irchat: the two are not the same; nothing was changed\n")
        self.assertFalse(self.data.exists())

    def test_refused(self) -> None:
        """What is refused is one line on standard error and the status 1."""
        self.assertEqual(self._call("short\n"), 1)
        self.assertEqual(self.out.getvalue(), "")
        self.assertTrue(self.err.getvalue().startswith("irchat: A password has 8"))
        self.assertEqual(self.err.getvalue().count("\n"), 1)

    def test_wrong_use(self) -> None:
        """Without a command, or with a wrong one, the usage is shown and the status is 2."""
        for arguments in [], ["nonsense"], ["add-user"]:
            self.assertEqual(self.assertRaises(SystemExit, main, arguments).code, 2)
            self.assertIn("usage: python -m irchat.admin", self.err.getvalue())
