"""Creating the schema."""

import threading

from irchat.store.postgres import migrations
from irchat.store.postgres.connecting import Database, StoreUnusable
from irchat.store.postgres.migrations import SCRIPTS, migrate
from tests.helpers.postgres_nodes import DatabaseCase


class MigrationTests(DatabaseCase):
    """Databases that are empty, known, and others."""

    def refused(self, text: str) -> None:
        """Check that the database is refused in one line."""
        error = self.assertRaises(StoreUnusable, migrate, self.connect())
        self.assertIn(text, str(error))
        self.assertNotIn("\n", str(error))

    def test_created_once(self) -> None:
        """Nodes that start together create the schema once."""
        errors: list[BaseException] = []

        def create() -> None:
            try:
                with Database(self.url).connect() as connection:
                    migrate(connection)
            except BaseException as error:
                errors.append(error)

        threads = [threading.Thread(target=create) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(errors, [])
        epoch = self.sql("SELECT value FROM properties WHERE name IN ('version', 'epoch') ORDER BY name DESC")
        self.assertEqual((epoch[0], len(epoch[1][0])), ((str(len(SCRIPTS)),), 32))
        migrate(self.connect())
        self.assertEqual(self.sql("SELECT value FROM properties WHERE name = 'epoch'"), [epoch[1]])

    def test_upgraded(self) -> None:
        """A later script is run after the ones before."""
        migrate(self.connect())
        self.patch(migrations, "SCRIPTS", (*SCRIPTS, "added.sql"))
        self.patch(migrations, "_script", {"added.sql": b"CREATE TABLE added (a int)"}.__getitem__)
        for _ in range(2):
            migrate(self.connect())
        self.assertEqual(self.sql("SELECT * FROM added"), [])
        version = self.sql("SELECT value FROM properties WHERE name = 'version'")
        self.assertEqual(version, [(str(len(SCRIPTS) + 1),)])

    def test_newer(self) -> None:
        """The schema of a newer version is refused."""
        migrate(self.connect())
        self.sql("UPDATE properties SET value = '99' WHERE name = 'version'")
        self.refused("use the newer IRChat")

    def test_another_program(self) -> None:
        """A database with tables of another program is left alone."""
        self.sql("CREATE TABLE theirs (a int)")
        self.refused("empty one")
        self.sql("DROP TABLE theirs")
        self.sql("CREATE TABLE properties (name text, value text)")
        self.refused("not one of IRChat")

    def test_no_schema(self) -> None:
        """A user without a schema gets the next step."""
        self.sql("DROP SCHEMA public")
        self.refused("search_path")

    def test_no_rights(self) -> None:
        """A user that may not create tables gets the next step."""
        user = self.url.rpartition("/")[2] + "_user"
        self.server.run(f"CREATE ROLE {user} LOGIN")
        self.url = self.url.replace("irchat@", f"{user}@")
        self.refused("owner of the database")
