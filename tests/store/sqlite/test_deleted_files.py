"""When files of the database are deleted while the server runs, it refuses commits."""

import sqlite3

from irchat.store.sqlite.deleted_files import DeletedFiles
from tests.helpers.databases import DatabaseCase


class DeletedFilesTests(DatabaseCase):
    """`DeletedFiles`."""

    def setUp(self) -> None:
        """Hold a file open, as SQLite does."""
        super().setUp()
        self.file = self.path.with_name("held")
        self.held = self.file.open("wb")
        self.addCleanup(self.held.close)
        self.now = 0.0
        self.files = DeletedFiles((self.file, self.path.with_name("never made")), lambda: self.now)
        self.files.refuse()

    def _later(self) -> None:
        self.now += 1.0
        self.files.refuse()

    def test_deleted(self) -> None:
        """A deleted file is named, each time, a second later at the latest."""
        self.file.unlink()
        self.now += 0.9
        self.files.refuse()
        self.now += 0.1
        for _ in range(2):
            with self.assertRaises(sqlite3.OperationalError) as raised:
                self.files.refuse()
            self.assertIn(f"{self.file} was deleted", str(raised.exception))

    def test_replaced(self) -> None:
        """A file that another one has replaced was deleted too."""
        other = self.path.with_name("other")
        other.touch()
        other.replace(self.file)
        self.assertRaises(sqlite3.OperationalError, self._later)

    def test_moved(self) -> None:
        """A file that was moved can be used, and so can one that stands."""
        self._later()
        moved = self.file.rename(self.path.with_name("moved"))
        self._later()
        self.file.touch()
        self._later()
        moved.unlink()
        self.assertRaises(sqlite3.OperationalError, self._later)
