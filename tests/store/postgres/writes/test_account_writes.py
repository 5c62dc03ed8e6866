"""The writes of accounts, beyond what the contract of the stores proves."""

from irchat.interfaces.stored import StoredBan, StoredToken
from irchat.interfaces.writes import (
    BanRemoved,
    BanSet,
    BlockSet,
    HashReplaced,
    PasswordSet,
    TokenAdded,
    TokenRemoved,
    TokenUsed,
    UserCreated,
)
from tests.helpers.postgres_nodes import NodesCase
from tests.helpers.stores import NOW


class AccountWritesTests(NodesCase):
    """Accounts of a node."""

    def test_passwords(self) -> None:
        """A new password ends all tokens but one; a new hash replaces only the hash that it knows."""
        store = self.a
        (user,) = self.successResultOf(store.commit([UserCreated("dave", "dave", "h1", NOW, b"t1")]))
        self.commit(store, TokenAdded(b"t2", user, NOW), TokenAdded(b"t3", 1, NOW), PasswordSet(user, "h2", b"t2"))
        tokens = [self.successResultOf(store.token(token)) for token in (b"t1", b"t2", b"t3")]
        self.assertEqual(tokens, [None, StoredToken(user, NOW, True), StoredToken(1, NOW, True)])
        self.commit(store, HashReplaced(user, "h1", "no"), HashReplaced(user, "h2", "h3"))
        self.assertEqual(self.successResultOf(store.password(user)), "h3")
        self.commit(store, PasswordSet(user, "h4", None))
        self.assertIsNone(self.successResultOf(store.token(b"t2")))

    def test_tokens(self) -> None:
        """A token is used, and says whether it exists."""
        done = self.commit(
            self.a, TokenAdded(b"t", 1, NOW, by_password=False), TokenUsed(b"t", NOW + 1), TokenUsed(b"x", NOW),
        )  # fmt: skip
        self.assertEqual(done.results, [None, True, False])
        self.assertEqual(self.successResultOf(self.a.token(b"t")), StoredToken(1, NOW + 1, False))
        self.commit(self.a, TokenRemoved(b"t"))
        self.assertIsNone(self.successResultOf(self.a.token(b"t")))

    def test_blocks_and_bans(self) -> None:
        """Blocks end, bans replace earlier ones, and those that are over go with the next."""
        network, user = StoredBan(None, "192.0.2.0/24", NOW + 1, "spam"), StoredBan(2, None, None, "")
        self.commit(self.a, BlockSet(1, 2, True), BlockSet(2, 1, True), BlockSet(1, 2, False))
        self.commit(self.a, BanSet(network, NOW), BanSet(user, NOW), BanSet(user._replace(reason="again"), NOW + 1))
        snapshot = self.a.snapshot()
        self.assertEqual((snapshot.blocks, snapshot.bans), ([(2, 1)], (user._replace(reason="again"),)))
        self.commit(self.a, BanRemoved(2, None), BlockSet(2, 1, False))
        snapshot = self.a.snapshot()
        self.assertEqual((snapshot.blocks, snapshot.bans), ([], ()))
