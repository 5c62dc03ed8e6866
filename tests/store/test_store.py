"""The store contract for accounts, groups, blocks, bans and search. Every engine must pass it."""

from hypothesis import example, given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from irchat.interfaces.stored import (
    GLOBAL,
    ChatState,
    Figures,
    Page,
    Snapshot,
    Stored,
    StoredAccount,
    StoredBan,
    StoredGroup,
    StoredMessage,
    StoredUser,
)
from irchat.interfaces.writes import (
    BanRemoved,
    BanSet,
    BlockSet,
    GroupRemoved,
    HashReplaced,
    MemberAdded,
    MemberRemoved,
    NonceSought,
    PasswordSet,
    TokenAdded,
    TokenRemoved,
    TokenUsed,
    UserRemoved,
)
from irchat.protocol.rules import is_searchable, visible
from tests.helpers.stores import NOW, SQLiteHands, StoreHands, message


class StoreContract(StoreHands):
    """The contract, on top of `StoreHands`."""

    # Accounts

    def test_empty(self) -> None:
        """A snapshot with only users has no groups and blocks, and each user has an empty GLOBAL."""
        users = [
            StoredUser(self.alice, "Alice", "alice"),
            StoredUser(self.bob, "bob", "bob"),
            StoredUser(self.carol, "carol", "carol"),
        ]
        self.assertEqual(self.store.snapshot(), Snapshot(users, [], []))
        self.assertEqual(self.chats(self.bob), [ChatState(GLOBAL, 0, None, 0, 0)])
        self.assertEqual(self.page(self.bob, GLOBAL), Page([], False, 0))

    def test_nothing_to_write(self) -> None:
        """An empty commit returns no results."""
        self.assertEqual(self.write(), [])

    def test_passwords(self) -> None:
        """A password hash is stored, may be missing, is changed, and is missing for an unknown user."""
        (dave,) = self.write(self.user("dave", "hash 1"))
        self.assertEqual(self.successResultOf(self.store.password(dave)), "hash 1")
        self.assertIsNone(self.successResultOf(self.store.password(self.alice)))
        self.assertIsNone(self.successResultOf(self.store.password(10_000)))
        self.write(PasswordSet(dave, "hash 2", None))
        self.reopen()
        self.assertEqual(self.successResultOf(self.store.password(dave)), "hash 2")

    def test_tokens(self) -> None:
        """A token is found with its user and its last use, until it is removed."""
        (dave,) = self.write(self.user("dave", None, b"first"))
        self.assertEqual(self.write(TokenAdded(b"second", dave, NOW + 5), TokenUsed(b"first", NOW + 7)), [None, True])
        self.reopen()
        token = self.store.token
        self.assertEqual(self.successResultOf(token(b"first")), (dave, NOW + 7, False))
        self.assertEqual(self.successResultOf(token(b"second")), (dave, NOW + 5, True))
        self.write(TokenRemoved(b"first"), TokenRemoved(b"unknown"))
        self.assertEqual(self.write(TokenUsed(b"first", NOW + 9)), [False])
        self.assertIsNone(self.successResultOf(token(b"first")))
        self.assertEqual(self.successResultOf(token(b"second")), (dave, NOW + 5, True))

    def test_token_without_password(self) -> None:
        """A token records whether a password was required. That of a new account with a password counts so."""
        self.write(TokenAdded(b"by name", self.alice, NOW, by_password=False), self.user("dave", "hash", b"new"))
        self.reopen()
        found = [self.successResultOf(self.store.token(name)) for name in (b"by name", b"new")]
        self.assertEqual([one is not None and one.by_password for one in found], [False, True])

    def test_another_hash(self) -> None:
        """Rehashing a password keeps tokens. It has no effect if another password was set first."""
        (dave,) = self.write(self.user("dave", "hash 1", b"token"))
        self.write(HashReplaced(dave, "hash 1", "hash 2"))
        self.assertEqual(self.successResultOf(self.store.password(dave)), "hash 2")
        self.write(HashReplaced(dave, "hash 1", "hash 3"))
        self.reopen()
        self.assertEqual(self.successResultOf(self.store.password(dave)), "hash 2")
        self.assertIsNotNone(self.successResultOf(self.store.token(b"token")))

    def test_password_ends_tokens(self) -> None:
        """A new password revokes all other tokens of that user, and nobody else's."""
        self.write(
            *(TokenAdded(name, self.alice, NOW) for name in (b"a", b"b", b"c")), TokenAdded(b"bob", self.bob, NOW)
        )
        self.write(PasswordSet(self.alice, "hash", b"b"))
        left = [name for name in (b"a", b"b", b"c", b"bob") if self.successResultOf(self.store.token(name))]
        self.assertEqual(left, [b"b", b"bob"])
        self.write(PasswordSet(self.alice, "hash", None))
        self.assertIsNone(self.successResultOf(self.store.token(b"b")))

    # Messages

    def test_groups(self) -> None:
        """A group keeps its members in join order. A member who leaves and returns is last."""
        team = self.team(self.carol, self.alice, self.bob)
        self.write(MemberRemoved(team, self.carol, self.alice, self.alice), MemberAdded(team, self.carol, self.alice))
        self.reopen()
        expected = StoredGroup(team, "team", "team", self.alice, [self.alice, self.bob, self.carol])
        self.assertEqual(self.store.snapshot().groups, [expected])

    def test_late_member(self) -> None:
        """A member sees messages after joining, also after a return: on pages, in search, in counts."""
        team = self.team(self.alice)
        self.write(
            message(team, self.alice, "old"), MemberAdded(team, self.bob, self.alice), message(team, self.alice, "new")
        )
        self.assertEqual(self.seqs(self.bob, team), ([2], False))
        self.assertEqual(self.seqs(self.bob, team, after=0), ([2], False))
        self.assertEqual((self.found_texts(self.bob, "old"), self.found_texts(self.bob, "new")), ([], ["new"]))
        self.assertEqual(self.unread(self.bob, team), 1)
        self.write(MemberRemoved(team, self.bob, self.alice, self.alice))
        self.assertEqual(self.page(self.bob, team), Page([], False, 0))
        self.assertEqual((self.found_texts(self.bob, "new"), len(self.chats(self.bob))), ([], 1))
        self.write(message(team, self.alice, "away"), MemberAdded(team, self.bob, self.alice))
        self.assertEqual((self.seqs(self.bob, team), self.unread(self.bob, team)), (([], False), 0))

    def test_remove_group(self) -> None:
        """A group is deleted with its messages, words and nonces. Its name is free, and its id is never reused."""
        team = self.team(self.alice)
        self.write(message(team, self.alice, "gone", nonce="n"), message(GLOBAL, self.alice, "gone not"))
        self.write(MemberRemoved(team, self.bob, self.alice, self.alice), GroupRemoved(team))
        self.assertEqual((self.store.snapshot().groups, self.found_texts(self.alice, "gone")), ([], ["gone not"]))
        self.assertEqual(self.write(NonceSought(self.alice, "n", 0)), [None])
        self.reopen()
        new = self.team(self.alice)
        self.assertTrue(new > team)
        self.assertEqual(self.write(message(new, self.alice, nonce="n")), [Stored(new, 1, NOW, False)])
        self.assertEqual(self.page(self.alice, team), Page([], False, 0))

    def test_blocks(self) -> None:
        """A block lasts until it is lifted, each direction separately."""
        self.write(BlockSet(self.alice, self.bob, True), BlockSet(self.bob, self.alice, True))
        self.write(BlockSet(self.bob, self.alice, False))
        self.reopen()
        self.assertEqual(self.store.snapshot().blocks, [(self.alice, self.bob)])

    # Removal and bans

    def test_remove_user(self) -> None:
        """A removed account keeps its id and its messages under its new name, and nothing else."""
        (dave,) = self.write(self.user("dave", "hash", b"token"))
        team, own, alone = self.team(self.alice, dave), self.team(dave, self.bob, name="own"), self.team(dave, name="x")
        pair = (self.alice, dave)
        self.write(
            *(message(chat, dave, "word", nonce=str(chat)) for chat in (GLOBAL, team, own, alone, pair)),
            BlockSet(self.bob, dave, True),
            BanSet(StoredBan(dave, None, None, ""), NOW),
        )
        self.write(UserRemoved(dave, "dave#4", "dave#4", NOW, ((team, self.alice), (own, self.bob), (alone, None))))
        self.reopen()
        snapshot = self.store.snapshot()
        self.assertEqual(snapshot.users[-1], StoredUser(dave, "dave#4", "dave#4", removed=True))
        self.assertEqual(
            [(group.id, group.owner, group.members) for group in snapshot.groups],
            [(team, self.alice, [self.alice]), (own, self.bob, [self.bob])],
        )
        self.assertEqual((snapshot.blocks, snapshot.bans), ([(self.bob, dave)], ()))
        self.assertIsNone(self.successResultOf(self.store.password(dave)))
        self.assertIsNone(self.successResultOf(self.store.token(b"token")))
        self.assertEqual(self.write(NonceSought(dave, "1", 0)), [None])
        self.assertEqual(self.chats(dave), [])
        for user, chat in ((self.bob, GLOBAL), (self.alice, team), (self.bob, own), (self.alice, pair)):
            self.assertEqual([message.sender for message in self.page(user, chat).messages], [dave])
            self.assertEqual(self.unread(user, chat), 1)
        (again,) = self.write(self.user("dave"))
        self.assertTrue(again > dave)

    def test_bans(self) -> None:
        """A ban of a user or network is stored, changed and lifted. Expired bans are deleted with the next one."""
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

    def test_accounts(self) -> None:
        """Accounts are listed by name from a given one on, without removed ones."""
        self.write(UserRemoved(self.bob, "bob#2", "bob#2", NOW, ()))
        alice, carol = StoredAccount(self.alice, "alice", NOW), StoredAccount(self.carol, "carol", NOW)
        for after, limit, expected in (("", 9, [alice, carol]), ("", 1, [alice]), ("alice", 9, [carol]), ("d", 9, [])):
            self.assertEqual(self.successResultOf(self.store.accounts(after, limit)), expected)

    def test_figures(self) -> None:
        """The statistics count everything."""
        self.write(message(GLOBAL, self.alice), message(self.pair, self.bob), TokenAdded(b"token", self.bob, NOW))
        figures = self.successResultOf(self.store.figures())
        self.assertEqual(figures, Figures(2, 1, 1, figures.database_bytes))
        self.assertTrue(figures.database_bytes > 0)

    # Search

    def test_search(self) -> None:
        """All words must occur, in any order. Case and accents do not matter. Results are newest first and limited."""
        texts = ["Crème brûlée recipe", "a RECIPE for creme", "creme alone", "Съешь ещё", "Ελλάδα, große Straße"]
        self.write(*(message(GLOBAL, self.alice, text) for text in texts))
        self.assertEqual(self.found_texts(self.bob, "recipe", "CREME"), [texts[1], texts[0]])
        self.assertEqual(self.found_texts(self.bob, "СЪЕШЬ"), [texts[3]])
        for word in ("ελλαδα", "ΕΛΛΑΔΑ", "Ἑλλάδα", "STRASSE", "strasse"):
            self.assertEqual(self.found_texts(self.bob, word), [texts[4]], word)
        self.assertEqual(self.found_texts(self.bob, "cre"), [])
        messages, more = self.found(self.bob, "creme", limit=2)
        self.assertEqual(([message.seq for message in messages], more), ([3, 2], True))
        self.assertEqual(self.found(self.bob, "creme", limit=3)[1], False)

    def test_search_of_long_texts(self) -> None:
        """Results are limited by the bytes of their texts, with at least one message, and the reply says so."""
        self.write(*(message(GLOBAL, self.alice, f"word {'é' * 45}") for _ in range(10)))
        for page_bytes, count in ((1, 1), (330, 3), (1_100, 10)):
            found, more = self.successResultOf(self.store.search(self.bob, ["word"], None, (), 50, 15, page_bytes))
            self.assertEqual(([one.seq for one in found], more), (list(range(10, 10 - count, -1)), count < 10))

    def test_search_scope(self) -> None:
        """A search covers the given chat or all of the user's chats, without hidden senders."""
        team = self.team(self.alice, self.bob)
        self.write(
            message(GLOBAL, self.carol, "word g"),
            message(team, self.alice, "word t"),
            message(self.pair, self.bob, "word p"),
            message((self.bob, self.carol), self.carol, "word bc"),
        )
        self.assertEqual(self.found_texts(self.alice, "word"), ["word p", "word t", "word g"])
        self.assertEqual(self.found_texts(self.alice, "word", chat=team), ["word t"])
        self.assertEqual(self.found_texts(self.alice, "word", chat=self.pair), ["word p"])
        self.assertEqual(self.found_texts(self.alice, "word", hidden=[self.carol]), ["word p", "word t"])
        self.assertEqual(
            self.found(self.alice, "word", chat=self.pair)[0], [StoredMessage(self.pair, 1, self.bob, NOW, "word p")]
        )

    @given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=4))
    @example(['"', "a"])
    @example(["a\0b"])
    @example(["NOT", "OR", "AND", "NEAR(a b)", "text:a", "a*", "^a", "(", "{a b}:", "-a", "a + b", "c1"])
    @example(["word"] * 3_000)
    def test_any_words(self, words: list[str]) -> None:
        """Words are always searched literally, never interpreted as a query."""
        self.found(self.bob, *words)

    @given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1).map(visible))
    def test_words_are_found(self, text: str) -> None:
        """Each searchable word finds the messages that contain it, and no others."""
        if not text.strip():
            return
        stored, _ = self.write(message(GLOBAL, self.alice, text), message(GLOBAL, self.alice, "zzz"))
        for word in filter(is_searchable, text.split()):
            found = [message.seq for message in self.found(self.bob, word)[0]]
            self.assertIn(stored.seq, found, word)
            self.assertTrue(stored.seq + 1 not in found or word.casefold() == "zzz", word)


class SQLiteStoreTests(StoreContract, SQLiteHands, SynchronousTestCase):
    """SQLite fulfils the contract."""
