"""`irchat-admin move-to` copies the database to PostgreSQL."""

from pathlib import Path
from typing import Any

from irchat.admin import move_to
from irchat.interfaces.store import PageQuery
from irchat.interfaces.stored import GLOBAL
from irchat.store.postgres.connecting import Database
from irchat.store.postgres.engine import PostgresStore
from irchat.store.sqlite.engine import SQLiteStore
from irchat.store.threads import NoThreads
from irchat.system.files.data_folder import DataFolder
from tests.helpers.admin import AdminCase
from tests.helpers.services import shared_postgres
from tests.helpers.stores import NOW


class MoveToTests(AdminCase):
    """A data folder with an account and messages, and an empty database."""

    def setUp(self) -> None:
        """Make them."""
        super().setUp()
        server = shared_postgres()
        self.url = server.new_database()
        self.addCleanup(server.drop_database, self.url)
        self.fill()

    def file(self, text: str, mode: int = 0o600) -> str:
        """Write a file with a URL."""
        file = self.home / "url"
        file.write_text(text)
        file.chmod(mode)
        return str(file)

    def page(self, store: Any) -> Any:
        """Return the messages in GLOBAL."""
        return self.successResultOf(store.page(PageQuery(1, GLOBAL, 50)))

    def test_move(self) -> None:
        """Everything is in PostgreSQL, searchable, and the folder stays as it was."""
        before = self.database.read_bytes()
        self.assertIn("--store", self.done("move-to", self.url))
        self.assertEqual(self.database.read_bytes(), before)
        store = PostgresStore(Database(self.url), NoThreads())
        self.addCleanup(store.close)
        old = SQLiteStore(self.database, NoThreads(), lambda: NOW)
        self.addCleanup(old.close)
        self.assertEqual((store.snapshot(), self.page(store)), (old.snapshot(), self.page(old)))
        self.assertTrue(self.page(store).messages)
        with Database(self.url).connect() as connection:
            (indexed,) = connection.execute("SELECT count(*) FROM places").fetchone() or (0,)
        self.assertEqual(indexed, len(self.page(old).messages))

    def test_url_in_a_file(self) -> None:
        """A URL with a password comes from a file that only its owner can read, and is never shown."""
        with_password = self.url.replace("irchat@", "irchat:s3cret@")
        self.refused("--store-file", "move-to", with_password)
        file = self.file(with_password, 0o644)
        self.refused(f"run chmod 600 {file}\n", "move-to", "--store-file", file)
        self.refused("write the URL to a file", "move-to", "--store-file", str(self.home / "missing"))
        self.refused("is a URL such as postgresql://", "move-to", "--store-file", self.file("s3cret"))
        for arguments in ["move-to"], ["move-to", self.url, "--store-file", "x"]:
            self.refused("name the database", *arguments)
        self.refused("is a URL such as postgresql://", "move-to", "mysql://x:s3cret@y/z")
        self.assertNotIn("s3cret", self.admin("move-to", with_password)[2])
        self.done("move-to", "--store-file", self.file(f"{with_password}\n"))

    def test_not_empty(self) -> None:
        """A database that has tables is refused, and nothing in it changes."""
        self.done("move-to", self.url)
        self.refused("not empty", "move-to", self.url)

    def test_used(self) -> None:
        """The folder of a running server is refused."""
        folder = DataFolder(self.data)
        folder.acquire()
        self.addCleanup(folder.release)
        self.refused("stop it first", "move-to", self.url)

    def test_old_version(self) -> None:
        """The database of an older version is refused, with the next step."""
        self.patch(move_to, "_NEWEST", move_to._NEWEST + 1)
        self.refused("start the server once", "move-to", self.url)

    def test_no_database(self) -> None:
        """Without data, without PostgreSQL or with a damaged database, one line says so."""
        self.refused("PostgreSQL: ", "move-to", self.url.replace(str(shared_postgres().port), "1"))
        self.refused("nothing was copied", "move-to", f"{self.url}none")
        self.database.write_bytes(b"rubbish" * 1_000)
        self.refused("cannot be read", "move-to", self.url)
        self.data = Path(self.home / "none")
        self.refused("there is no IRChat data", "move-to", self.url)

    def test_index_fails(self) -> None:
        """If only the index cannot be made, the copy is whole, and the line says so."""

        def failing(*args: Any) -> None:
            raise move_to.psycopg.OperationalError("no room")

        self.patch(move_to, "make_ready", failing)
        self.refused("everything is copied", "move-to", self.url)
        with Database(self.url).connect() as connection:
            self.assertEqual(connection.execute("SELECT count(*) FROM users").fetchone(), (1,))
