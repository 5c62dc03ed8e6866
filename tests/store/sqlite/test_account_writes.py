"""Writes of passwords, tokens, blocks and bans: a part of what every store must do."""

from twisted.trial.unittest import SynchronousTestCase

from irchat.interfaces.stored import (
    StoredBan,
)
from irchat.interfaces.writes import (
    BanRemoved,
    BanSet,
    BlockSet,
    HashReplaced,
    OtherSignInsEnded,
    PasswordSet,
    SignInEnded,
    TokenAdded,
    TokenRemoved,
    TokenUsed,
)
from tests.helpers.stores import NOW, SQLiteHands, StoreHands


class AccountContract(StoreHands):
    """The contract of stores for accounts, as `StoreHands` calls it."""

    def test_passwords(self) -> None:
        """A password hash is kept, can be none, is changed, and an unknown user has none."""
        (dave,) = self.write(self.user("dave", "hash 1"))
        self.assertEqual(self.successResultOf(self.store.password(dave)), "hash 1")
        self.assertIsNone(self.successResultOf(self.store.password(self.alice)))
        self.assertIsNone(self.successResultOf(self.store.password(10_000)))
        self.write(PasswordSet(dave, "hash 2", None))
        self.reopen()
        self.assertEqual(self.successResultOf(self.store.password(dave)), "hash 2")

    def test_tokens(self) -> None:
        """A token is found with its user and when it was used last, until it is removed."""
        (dave,) = self.write(self.user("dave", None, b"first"))
        self.assertEqual(self.write(TokenAdded(b"second", dave, NOW + 5), TokenUsed(b"first", NOW + 7)), [None, True])
        self.reopen()
        token = self.store.token
        self.assertEqual(self.successResultOf(token(b"first")), (dave, NOW + 7, False, None))
        self.assertEqual(self.successResultOf(token(b"second")), (dave, NOW + 5, True, None))
        self.write(TokenRemoved(b"first"), TokenRemoved(b"unknown"))
        self.assertEqual(self.write(TokenUsed(b"first", NOW + 9)), [False])
        self.assertIsNone(self.successResultOf(token(b"first")))
        self.assertEqual(self.successResultOf(token(b"second")), (dave, NOW + 5, True, None))

    def test_token_without_password(self) -> None:
        """A token tells whether a password was asked for it; that of a new account with a password counts so."""
        self.write(TokenAdded(b"by name", self.alice, NOW, by_password=False), self.user("dave", "hash", b"new"))
        self.reopen()
        found = [self.successResultOf(self.store.token(name)) for name in (b"by name", b"new")]
        self.assertEqual([one is not None and one.by_password for one in found], [False, True])

    def test_another_hash(self) -> None:
        """The hash of the same password is replaced, tokens stay; not where another password came first."""
        (dave,) = self.write(self.user("dave", "hash 1", b"token"))
        self.write(HashReplaced(dave, "hash 1", "hash 2"))
        self.assertEqual(self.successResultOf(self.store.password(dave)), "hash 2")
        self.write(HashReplaced(dave, "hash 1", "hash 3"))
        self.reopen()
        self.assertEqual(self.successResultOf(self.store.password(dave)), "hash 2")
        self.assertIsNotNone(self.successResultOf(self.store.token(b"token")))

    def test_password_ends_tokens(self) -> None:
        """A new password ends all tokens of that user but the one to keep, and nobody else's."""
        self.write(
            *(TokenAdded(name, self.alice, NOW) for name in (b"a", b"b", b"c")), TokenAdded(b"bob", self.bob, NOW)
        )
        self.write(PasswordSet(self.alice, "hash", b"b"))
        left = [name for name in (b"a", b"b", b"c", b"bob") if self.successResultOf(self.store.token(name))]
        self.assertEqual(left, [b"b", b"bob"])
        self.write(PasswordSet(self.alice, "hash", None))
        self.assertIsNone(self.successResultOf(self.store.token(b"b")))

    def test_sign_ins(self) -> None:
        """The tokens of a user are listed with times and labels, the last used first, as many as asked for."""
        (dave,) = self.write(self.user("dave", "hash", b"first"))
        self.write(TokenAdded(b"bot", dave, NOW + 1, label="backups"), TokenAdded(b"other", self.bob, NOW))
        self.write(TokenAdded(b"last", dave, NOW + 2), TokenUsed(b"first", NOW + 9))
        self.reopen()
        rows = [
            (b"first", NOW, NOW + 9, None),
            (b"last", NOW + 2, NOW + 2, None),
            (b"bot", NOW + 1, NOW + 1, "backups"),
        ]
        self.assertEqual(self.successResultOf(self.store.sign_ins(dave, 10)), rows)
        self.assertEqual(self.successResultOf(self.store.sign_ins(dave, 2)), rows[:2])
        self.assertEqual(self.successResultOf(self.store.sign_ins(self.carol, 2)), [])
        self.assertEqual(self.successResultOf(self.store.token(b"bot")), (dave, NOW + 1, True, "backups"))

    def test_end_sign_ins(self) -> None:
        """One token is ended, or all of a user but one. A label protects from neither. Others' tokens stay."""
        self.write(*(TokenAdded(name, self.alice, NOW, label="x") for name in (b"a", b"b", b"c")))
        self.write(TokenAdded(b"bob", self.bob, NOW))
        self.write(SignInEnded(self.alice, b"a", "id", "bye"))
        left = [name for name in (b"a", b"b", b"c", b"bob") if self.successResultOf(self.store.token(name))]
        self.assertEqual(left, [b"b", b"c", b"bob"])
        self.write(OtherSignInsEnded(self.alice, b"c", "bye"))
        left = [name for name in left if self.successResultOf(self.store.token(name))]
        self.assertEqual(left, [b"c", b"bob"])
        self.write(OtherSignInsEnded(self.alice, None, "bye"))
        self.assertIsNone(self.successResultOf(self.store.token(b"c")))

    def test_blocks(self) -> None:
        """A block stands between the two until it is lifted, each direction for itself."""
        self.write(BlockSet(self.alice, self.bob, True), BlockSet(self.bob, self.alice, True))
        self.write(BlockSet(self.bob, self.alice, False))
        self.reopen()
        self.assertEqual(self.store.snapshot().blocks, [(self.alice, self.bob)])

    def test_bans(self) -> None:
        """A ban is kept, changed and lifted, of users and networks; those that have ended go with the next one."""
        user, network = StoredBan(self.bob, None, NOW + 5, "why"), StoredBan(None, "192.0.2.0/24", None, "")
        self.write(BanSet(user, NOW), BanSet(network, NOW))
        self.reopen()
        self.assertEqual(self.store.snapshot().bans, (user, network))
        network = network._replace(reason="other")
        self.write(BanSet(network, NOW + 4))
        self.assertEqual(self.store.snapshot().bans, (user, network))
        carol = StoredBan(self.carol, None, None, "")
        self.write(BanSet(carol, NOW + 5))
        self.assertEqual(self.store.snapshot().bans, (network, carol))
        self.write(BanRemoved(None, "192.0.2.0/24"), BanRemoved(self.alice, None))
        self.assertEqual(self.store.snapshot().bans, (carol,))
        self.write(BanRemoved(self.carol, None))
        self.assertEqual(self.store.snapshot().bans, ())


class AccountTests(AccountContract, SQLiteHands, SynchronousTestCase):
    """SQLite does what every store must."""
