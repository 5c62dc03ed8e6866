"""The properties of the database, and the epoch, which is one of them."""

import sqlite3
from contextlib import closing

from twisted.trial.unittest import SynchronousTestCase

from irchat.store.sqlite import properties
from irchat.store.sqlite.migrations import SCRIPTS
from tests.helpers.stores import SQLiteHands


class PropertyTests(SynchronousTestCase):
    """`get` and `put`."""

    def test_put(self) -> None:
        """A property is None until it is set, and a new value replaces the old one of that name alone."""
        with closing(sqlite3.connect(":memory:")) as connection:
            connection.executescript("".join(SCRIPTS))
            epoch = properties.get(connection, "epoch")
            self.assertIsNone(properties.get(connection, "name"))
            for value in "one", "two":
                properties.put(connection, "name", value)
                self.assertEqual(properties.get(connection, "name"), value)
            self.assertEqual(properties.get(connection, "epoch"), epoch)


class EpochTests(SQLiteHands, SynchronousTestCase):
    """The epoch of a store."""

    def test_epoch(self) -> None:
        """A store keeps its epoch when it is opened again."""
        epoch = self.store.epoch
        self.assertTrue(epoch)
        self.reopen()
        self.assertEqual(self.store.epoch, epoch)
