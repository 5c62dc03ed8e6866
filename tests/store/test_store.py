"""The contract of a store for accounts, groups, blocks, bans and search: every engine passes it."""

from collections.abc import Callable

from hypothesis import example, given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from irchat.interfaces.store import SearchQuery
from irchat.interfaces.stored import (
    GLOBAL,
    Figures,
    Page,
    Snapshot,
    Stored,
    StoredAccount,
    StoredBan,
    StoredChat,
    StoredGroup,
    StoredMessage,
    StoredUser,
)
from irchat.interfaces.writes import (
    BanSet,
    BlockSet,
    GroupRemoved,
    MemberAdded,
    MemberRemoved,
    NonceSought,
    TokenAdded,
    UserRemoved,
)
from irchat.protocol.rules import is_searchable, visible
from tests.helpers.stores import NOW, PostgresHands, SQLiteHands, StoreHands, message


class StoreContract(StoreHands):
    """The contract of stores, as `StoreHands` calls it."""

    # Accounts

    def test_empty(self) -> None:
        """Users alone give a snapshot without groups and blocks, and each has GLOBAL without messages."""
        users = [
            StoredUser(self.alice, "Alice", "alice"),
            StoredUser(self.bob, "bob", "bob"),
            StoredUser(self.carol, "carol", "carol"),
        ]
        self.assertEqual(self.store.snapshot(), Snapshot(users, [], []))
        self.assertEqual(self.chats(self.bob), [StoredChat(GLOBAL, 0, None, 0, 0)])
        self.assertEqual(self.page(self.bob, GLOBAL), Page([], False, 0))

    def test_nothing_to_write(self) -> None:
        """A commit of nothing gives nothing."""
        self.assertEqual(self.write(), [])

    # Messages

    def test_groups(self) -> None:
        """A group keeps its members in order of standing; who leaves and comes back stands last."""
        team = self.team(self.carol, self.alice, self.bob)
        self.write(MemberRemoved(team, self.carol, self.alice, self.alice), MemberAdded(team, self.carol, self.alice))
        self.reopen()
        expected = StoredGroup(team, "team", "team", self.alice, [self.alice, self.bob, self.carol])
        self.assertEqual(self.store.snapshot().groups, [expected])

    def test_late_member(self) -> None:
        """A member sees what comes after joining, also on coming back: on pages, in search, in counts."""
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
        """A group goes with its messages, its words and its nonces; its name is free and its id never used again."""
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

    # Removal and bans

    def test_remove_user(self) -> None:
        """A removed account keeps its number and its messages under its new name, and nothing else that was its own."""
        (dave,) = self.write(self.user("dave", "hash", b"token"))
        team, own, alone = self.team(self.alice, dave), self.team(dave, self.bob, name="own"), self.team(dave, name="x")
        pair = (self.alice, dave)
        self.write(
            *(message(chat, dave, "word", nonce=str(chat)) for chat in (GLOBAL, team, own, alone, pair)),
            BlockSet(self.carol, dave, True),
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
        self.assertEqual((snapshot.blocks, snapshot.bans), ([(self.carol, dave)], ()))
        self.assertIsNone(self.successResultOf(self.store.password(dave)))
        self.assertIsNone(self.successResultOf(self.store.token(b"token")))
        self.assertEqual(self.write(NonceSought(dave, "1", 0)), [None])
        self.assertEqual(self.chats(dave), [])
        for user, chat in ((self.bob, GLOBAL), (self.alice, team), (self.bob, own), (self.alice, pair)):
            self.assertEqual([message.sender for message in self.page(user, chat).messages], [dave])
            self.assertEqual(self.unread(user, chat), 1)
        (again,) = self.write(self.user("dave"))
        self.assertTrue(again > dave)

    def test_accounts(self) -> None:
        """The accounts come by name, from one on, without those that were removed."""
        self.write(UserRemoved(self.bob, "bob#2", "bob#2", NOW, ()))
        alice, carol = StoredAccount(self.alice, "alice", NOW), StoredAccount(self.carol, "carol", NOW)
        for after, limit, expected in (("", 9, [alice, carol]), ("", 1, [alice]), ("alice", 9, [carol]), ("d", 9, [])):
            self.assertEqual(self.successResultOf(self.store.accounts(after, limit)), expected)

    def test_figures(self) -> None:
        """It is counted how much there is."""
        self.write(message(GLOBAL, self.alice), message(self.pair, self.bob), TokenAdded(b"token", self.bob, NOW))
        figures = self.successResultOf(self.store.figures())
        self.assertEqual(figures, Figures(2, 1, 1, figures.database_bytes))
        self.assertTrue(figures.database_bytes > 0)

    # Search

    def test_search(self) -> None:
        """All words must occur, in any order; case and accents do not matter; newest first; cut at the limit."""
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
        """A result ends before its texts exceed so many bytes, with one message at least, and says so."""
        self.write(*(message(GLOBAL, self.alice, f"word {'é' * 45}") for _ in range(10)))
        for page_bytes, count in ((1, 1), (330, 3), (1_100, 10)):
            found, more = self.successResultOf(
                self.store.search(SearchQuery(self.bob, ["word"], None, (), 50, 15, page_bytes))
            )
            self.assertEqual(([one.seq for one in found], more), (list(range(10, 10 - count, -1)), count < 10))

    def test_search_scope(self) -> None:
        """A search finds what is in the chat asked or in all of one's own, and nothing of hidden senders."""
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

    def check_any_words(self, words: list[str]) -> None:
        """Search for words that could be syntax."""
        self.found(self.bob, *words)

    def check_words_are_found(self, text: str) -> None:
        """Store a text, and search for each of its words."""
        if not text.strip():
            return
        stored, _ = self.write(message(GLOBAL, self.alice, text), message(GLOBAL, self.alice, "zzz"))
        for word in filter(is_searchable, text.split()):
            found = [message.seq for message in self.found(self.bob, word)[0]]
            self.assertIn(stored.seq, found, word)
            self.assertTrue(stored.seq + 1 not in found or word.casefold() == "zzz", word)


_SYNTAX = ["NOT", "OR", "AND", "NEAR(a b)", "text:a", "a*", "^a", "(", "{a b}:", "-a", "a + b", "c1", "a:*", "!a", "'a"]


def any_words(test: Callable[..., None]) -> Callable[..., None]:
    """Run a test with words of any kind."""
    for words in ['"', "a"], ["a\0b"], _SYNTAX, ["word"] * 3_000:
        test = example(words)(test)
    return given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=4))(test)


any_text = given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1).map(visible))


class SQLiteStoreTests(StoreContract, SQLiteHands, SynchronousTestCase):
    """SQLite does what every store must."""

    @any_words
    def test_any_words(self, words: list[str]) -> None:
        """Whatever the words are, they are looked for and never understood as a query."""
        self.check_any_words(words)

    @any_text
    def test_words_are_found(self, text: str) -> None:
        """Each word that can be looked for finds the message that holds it, and not one that does not."""
        self.check_words_are_found(text)


class PostgresStoreTests(StoreContract, PostgresHands, SynchronousTestCase):
    """PostgreSQL does what every store must."""

    @settings(max_examples=30)
    @any_words
    def test_any_words(self, words: list[str]) -> None:
        """Whatever the words are, they are looked for and never understood as a query."""
        self.check_any_words(words)

    @settings(max_examples=30)
    @any_text
    def test_words_are_found(self, text: str) -> None:
        """Each word that can be looked for finds the message that holds it, and not one that does not."""
        self.check_words_are_found(text)
