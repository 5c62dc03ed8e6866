"""The contract of a store for public keys: every engine passes it."""

from twisted.trial.unittest import SynchronousTestCase

from irchat.interfaces.stored import StoredKey
from irchat.interfaces.writes import KeyAdded, KeyRemoved, KeyUsed, PasswordSet, UserRemoved
from tests.helpers.stores import NOW, PostgresHands, SQLiteHands, StoreHands


class KeysContract(StoreHands):
    """The contract of stores for keys."""

    def added(self, user: int, name: str, comment: str = "", at: int = NOW, most: int = 3) -> bool:
        """Add a key."""
        key = KeyAdded(user, "ssh-ed25519", name.encode(), f"SHA256:{name}", comment, at, most)
        (is_added,) = self.write(key)
        return bool(is_added)

    def names(self, user: int) -> list[str]:
        """Return the fingerprints of a user's keys."""
        return [key.fingerprint.removeprefix("SHA256:") for key in self.successResultOf(self.store.keys(user))]

    def test_order(self) -> None:
        """Keys come back whole, in the order of adding, for their user alone, after a restart too."""
        self.assertTrue(self.added(self.alice, "b", "of b", NOW))
        self.assertTrue(self.added(self.alice, "a", at=NOW + 1))
        self.assertTrue(self.added(self.bob, "b"))
        self.reopen()
        expected = StoredKey("ssh-ed25519", b"b", "SHA256:b", "of b", NOW, None)
        self.assertEqual(self.successResultOf(self.store.keys(self.alice))[0], expected)
        self.assertEqual([self.names(user) for user in (self.alice, self.bob, self.carol)], [["b", "a"], ["b"], []])

    def test_limit(self) -> None:
        """A key that is there gets the new comment, also at the limit. Another one is not added then."""
        for name in "abc":
            self.assertTrue(self.added(self.alice, name))
        self.assertFalse(self.added(self.alice, "d"))
        self.assertTrue(self.added(self.alice, "b", "new"))
        self.assertTrue(self.added(self.bob, "d"))
        comments = [key.comment for key in self.successResultOf(self.store.keys(self.alice))]
        self.assertEqual((self.names(self.alice), comments), (["a", "b", "c"], ["", "new", ""]))

    def test_used_and_removed(self) -> None:
        """The use and the removal of a key tell whether it is there, and touch no other."""
        self.added(self.alice, "a")
        self.added(self.bob, "a")
        used, unknown = KeyUsed(self.alice, "SHA256:a", NOW + 5), KeyUsed(self.alice, "SHA256:x", NOW)
        self.assertEqual(self.write(used, unknown), [True, False])
        self.assertEqual(self.successResultOf(self.store.keys(self.alice))[0].used_at, NOW + 5)
        self.assertIsNone(self.successResultOf(self.store.keys(self.bob))[0].used_at)
        removal = KeyRemoved(self.alice, "SHA256:a", "id", "bye")
        self.assertEqual(self.write(removal, removal), [True, False])
        self.assertEqual((self.names(self.alice), self.names(self.bob)), ([], ["a"]))

    def test_ended(self) -> None:
        """A new password keeps the keys, unless it ends them. A removed account has none."""
        for user in self.alice, self.bob:
            self.added(user, "a")
        self.write(PasswordSet(self.alice, "hash", None))
        self.assertEqual(self.names(self.alice), ["a"])
        self.write(PasswordSet(self.alice, "hash", None, ends_keys=True))
        self.assertEqual((self.names(self.alice), self.names(self.bob)), ([], ["a"]))
        self.write(UserRemoved(self.bob, "bob#2", "bob#2", NOW, ()))
        self.assertEqual(self.names(self.bob), [])


class SQLiteKeysTests(KeysContract, SQLiteHands, SynchronousTestCase):
    """SQLite does what every store must."""


class PostgresKeysTests(KeysContract, PostgresHands, SynchronousTestCase):
    """PostgreSQL does what every store must."""
