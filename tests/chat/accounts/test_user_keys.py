"""Public keys: listed, added, removed, and what signs in by them."""

from twisted.internet.defer import ensureDeferred

from irchat.chat.accounts.sign_ins import token_digest
from irchat.chat.accounts.user_keys import Vouched
from irchat.interfaces.bus import sign_in_id
from irchat.protocol.errors import Code
from irchat.protocol.public_keys import KEYS_OF_USER
from tests.helpers.accounts import GOOD, AccountsTestCase
from tests.helpers.ssh_doors import new_key


class KeysTests(AccountsTestCase):
    """`UserKeys`, and sign-ins by key."""

    def setUp(self) -> None:
        """Create a user with a key."""
        super().setUp()
        self.alice = self.register().user
        self.key = new_key("laptop")
        self.done(self.accounts.keys.add(self.alice, self.key))

    def listed(self) -> list[str]:
        """Return the comments of the keys."""
        return [key.comment for key in self.done(self.accounts.keys.listed(self.alice)).keys]

    def is_of(self, name: str) -> bool:
        """Return whether the key signs in a user."""
        return bool(self.done(self.accounts.keys.is_of(name, self.key.blob)))

    def test_listed(self) -> None:
        """Keys are listed in the order of adding, with their last use, and survive a restart."""
        self.world.ms += 1_000
        self.done(self.accounts.keys.add(self.alice, new_key("desk")))
        self.assertEqual(self.listed(), ["laptop", "desk"])
        first, second = self.done(self.accounts.keys.listed(self.alice)).keys
        self.assertEqual((first.number, first.kind, first.used), (1, "ssh-ed25519", None))
        self.assertLess(first.added, second.added)
        self.done(self.accounts.vouch("alice", self.key.fingerprint))
        self.restart()
        self.assertIsNotNone(self.done(self.accounts.keys.listed(self.alice)).keys[0].used)

    def test_offered(self) -> None:
        """Of the keys that a client has offered, those that are not listed can be added. They keep their numbers."""
        other = new_key()
        keys = self.done(self.accounts.keys.listed(self.alice, [self.key, other]))
        self.assertEqual([(key.number, key.fingerprint) for key in keys.offered], [(2, other.fingerprint)])

    def test_added_twice(self) -> None:
        """A key that is added again is listed once, with the new comment. More than 20 are refused."""
        self.done(self.accounts.keys.add(self.alice, self.key._replace(comment="new")))
        self.assertEqual(self.listed(), ["new"])
        for _ in range(KEYS_OF_USER - 1):
            self.done(self.accounts.keys.add(self.alice, new_key()))
        self.refuse(Code.TOO_MANY, self.accounts.keys.add, self.alice, new_key())
        self.done(self.accounts.keys.add(self.alice, self.key))
        self.assertEqual(len(self.listed()), KEYS_OF_USER)

    def test_of_one_user(self) -> None:
        """A key signs in its user alone, under any spelling of the name. Two users can have one key."""
        bob = self.register("bob").user
        names = ("Alice", "ALICE", "bob", "nobody", "")
        self.assertEqual([name for name in names if self.is_of(name)], ["Alice", "ALICE"])
        self.done(self.accounts.keys.add(bob, self.key))
        self.assertTrue(self.is_of("bob"))
        signed_in = self.done(self.accounts.vouch("bob", self.key.fingerprint))
        self.assertEqual((signed_in.user, signed_in.new), (bob, False))
        self.refuse(Code.BAD_CREDENTIALS, self.accounts.vouch, "nobody", self.key.fingerprint)
        self.refuse(Code.BAD_CREDENTIALS, self.accounts.vouch, "\x1b", self.key.fingerprint)
        self.refuse(Code.BAD_CREDENTIALS, self.accounts.vouch, "alice", new_key().fingerprint)

    def test_removed(self) -> None:
        """A removed key signs in nobody, nor does the token that it gave. Unknown keys are refused."""
        token = self.done(self.accounts.vouch("alice", self.key.fingerprint)).token
        self.assertEqual(self.resume(token).user, self.alice)
        for number, fingerprint in ((2, None), (0, None), (None, None), (None, "SHA256:x")):
            self.refuse(Code.BAD_REQUEST, self.accounts.keys.remove, self.alice, number, fingerprint)
        self.done(self.accounts.keys.remove(self.alice, 1, None))
        self.refuse(Code.BAD_CREDENTIALS, self.accounts.resume, token)
        self.refuse(Code.BAD_CREDENTIALS, self.accounts.vouch, "alice", self.key.fingerprint)
        self.assertFalse(self.is_of("alice"))

    def test_removed_by_number(self) -> None:
        """A key is removed by its number in the list, from the first to the last, and its sessions get a bye."""
        for comment in "desk", "phone":
            self.world.ms += 1
            self.done(self.accounts.keys.add(self.alice, new_key(comment)))
        self.refuse(Code.BAD_REQUEST, self.accounts.keys.remove, self.alice, 4, None)
        self.world.published.clear()
        self.done(self.accounts.keys.remove(self.alice, 3, None))
        self.done(self.accounts.keys.remove(self.alice, 1, None))
        self.assertEqual(self.listed(), ["desk"])
        byes = [(one.audience, one.sign_in) for one in self.world.published]
        self.assertEqual(byes[1:], [((self.alice.id,), sign_in_id(token_digest(self.key.fingerprint)))])
        self.world.published.clear()
        self.refuse(Code.BAD_REQUEST, self.accounts.keys.remove, self.alice, None, self.key.fingerprint)
        self.assertEqual(self.world.published, [])

    def test_removed_user(self) -> None:
        """A user that was removed meanwhile adds no key."""
        self.done(ensureDeferred(self.world.chat.moderation.remove("alice", False, lambda count: None)))
        self.refuse(Code.NOT_LOGGED_IN, self.accounts.keys.add, self.alice, new_key())

    def test_new_password(self) -> None:
        """A password that the user changes keeps the keys. One that the administrator sets ends them."""
        signed_in = self.done(self.accounts.vouch("alice", self.key.fingerprint))
        self.change(signed_in)
        self.assertTrue(self.is_of("alice"))
        self.assertEqual(self.resume(signed_in.token).user, self.alice)
        self.done(self.accounts.reset_password("alice", GOOD))
        self.assertEqual(self.listed(), [])
        self.refuse(Code.BAD_CREDENTIALS, self.accounts.resume, signed_in.token)

    def test_removed_account(self) -> None:
        """A removed account has no keys, and a new one of its name does not get them."""
        self.done(
            ensureDeferred(self.world.chat.moderation.remove("alice", with_messages=False, progress=lambda count: None))
        )
        self.assertFalse(self.is_of("alice"))
        self.register("alice", "another password")
        self.assertFalse(self.is_of("alice"))

    def test_banned(self) -> None:
        """A banned user is refused with the notice."""
        self.done(ensureDeferred(self.world.chat.moderation.ban("alice", None, "spam", None)))
        self.assertIn("spam", self.refuse(Code.BANNED, self.accounts.vouch, "alice", self.key.fingerprint))


class VouchedTests(AccountsTestCase):
    """`Vouched`."""

    def test_forgotten(self) -> None:
        """A token is known until it is forgotten."""
        self.register()
        signed_in = self.register("bob")
        self.done(self.accounts.keys.add(signed_in.user, key := new_key()))
        token = self.done(self.accounts.vouch("bob", key.fingerprint)).token
        self.accounts.vouched.forget([token, "unknown"])
        self.refuse(Code.BAD_TOKEN, self.accounts.resume, token)
        self.assertIsNone(Vouched().find(b""))
