"""Test cases of ``irchat-admin``."""

import contextlib
import io
import shutil
import sqlite3
import sys
import tempfile
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from irchat.admin import main
from irchat.interfaces.stored import GLOBAL
from irchat.store.sqlite.engine import SQLiteStore
from irchat.store.threads import NoThreads
from tests.helpers.stores import NOW, message

PASSWORD = "correct horse"


class _Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


class AdminCase(SynchronousTestCase):
    def setUp(self) -> None:
        """Choose a folder, with a short path, for that of a UNIX socket has about a hundred characters."""
        self.home = Path(tempfile.mkdtemp(prefix="irchat-"))
        self.addCleanup(shutil.rmtree, self.home)
        self.data = self.home / "data"
        self.database = self.data / "irchat.sqlite"

    def admin(self, *arguments: str, typed: str = "", terminal: bool = False) -> tuple[int, str, str]:
        """Run a command. Return its status, its output and its errors."""
        stream = _Terminal if terminal else io.StringIO
        self.patch(sys, "stdin", stream(typed))
        out, err = io.StringIO(), stream()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = main.main(["--data", str(self.data), *arguments])
        return status, out.getvalue(), err.getvalue()

    def done(self, *arguments: str, **how: Any) -> str:
        """The output of a command that is done."""
        status, out, err = self.admin(*arguments, **how)
        self.assertEqual((status, err), (0, ""), out)
        return out

    def refused(self, reason: str, *arguments: str, **how: Any) -> None:
        """A command is refused in one line."""
        status, out, err = self.admin(*arguments, **how)
        self.assertEqual((status, out), (1, ""))
        self.assertIn(reason, err)
        self.assertTrue(err.startswith("irchat: "), err)
        self.assertEqual(err.count("\n"), 1, err)

    def add(self, *names: str) -> None:
        """Make accounts."""
        for name in names:
            self.done("add-user", name, typed=f"{PASSWORD}\n")

    def rows(self, command: str) -> list[list[str]]:
        """The table that a command prints, without its head."""
        return [line.split() for line in self.done(command).splitlines()[1:]]

    def tables(self, sql: str, path: Path | None = None) -> list[Any]:
        """Ask a database file."""
        connection = sqlite3.connect(path or self.database)
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()

    def fill(self, count: int = 3) -> None:
        """Make an account with messages."""
        self.add("alice")
        store = SQLiteStore(self.database, NoThreads(), lambda: NOW)
        self.successResultOf(store.commit([message(GLOBAL, 1, f"text {number}") for number in range(count)]))
        store.close()
