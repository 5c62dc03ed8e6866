"""What every store must do: one suite, which each engine passes. SQLite's own tests are in test_store_sqlite."""

from pathlib import Path

from hypothesis import example, given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from irchat.interfaces.store import Store
from irchat.interfaces.stored import (
    GLOBAL,
    ChatKey,
    ChatState,
    Figures,
    Marker,
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
    GroupCreated,
    GroupRemoved,
    HashReplaced,
    MarkerMoved,
    MemberAdded,
    MemberRemoved,
    MessagesDeleted,
    NonceSought,
    PasswordSet,
    TokenAdded,
    TokenRemoved,
    TokenUsed,
    UserRemoved,
)
from irchat.protocol.rules import is_searchable, line_bytes, visible
from irchat.store.sqlite.engine import SQLiteStore
from irchat.store.sqlite.threads import NoThreads
from tests.helpers.stores import NOW, StoreHands, message


class StoreContract(StoreHands):
    """What any store must do, as `StoreHands` asks it."""

    # Accounts

    def test_empty(self) -> None:
        """Users alone give a snapshot without groups and blocks, and each has GLOBAL without messages."""
        users = [
            StoredUser(self.alice, "Alice", "alice"),
            StoredUser(self.bob, "bob", "bob"),
            StoredUser(self.carol, "carol", "carol"),
        ]
        self.assertEqual(self.store.snapshot(), Snapshot(users, [], []))
        self.assertEqual(self.chats(self.bob), [ChatState(GLOBAL, 0, None, 0, 0)])
        self.assertEqual(self.page(self.bob, GLOBAL), Page([], False, 0))

    def test_nothing_to_write(self) -> None:
        """A commit of nothing gives nothing."""
        self.assertEqual(self.write(), [])

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
        self.assertEqual(self.successResultOf(token(b"first")), (dave, NOW + 7, False))
        self.assertEqual(self.successResultOf(token(b"second")), (dave, NOW + 5, True))
        self.write(TokenRemoved(b"first"), TokenRemoved(b"unknown"))
        self.assertEqual(self.write(TokenUsed(b"first", NOW + 9)), [False])
        self.assertIsNone(self.successResultOf(token(b"first")))
        self.assertEqual(self.successResultOf(token(b"second")), (dave, NOW + 5, True))

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

    # Messages

    def test_numbers(self) -> None:
        """Each chat numbers its messages from 1 in the order of the writes, on after opening again."""
        team = self.team(self.alice, self.bob)
        results = self.write(*(message(chat, self.alice) for chat in (GLOBAL, team, GLOBAL, self.pair, GLOBAL, team)))
        self.assertEqual([stored.seq for stored in results], [1, 1, 2, 1, 3, 2])
        self.assertEqual(results[3], Stored(self.pair, 1, NOW, repeated=False))
        self.reopen()
        results = self.write(*(message(chat, self.bob) for chat in (GLOBAL, team, self.pair)))
        self.assertEqual([stored.seq for stored in results], [4, 3, 2])

    def test_survives(self) -> None:
        """All that was written is there after opening again: messages, groups, blocks, markers."""
        team = self.team(self.bob, self.alice)
        self.write(
            message(GLOBAL, self.alice, "one"),
            message(team, self.bob, "zwei\n\t\u2400"),
            message(self.pair, self.bob, "trois"),
            BlockSet(self.carol, self.bob, True),
            MarkerMoved(self.carol, GLOBAL, 1),
        )
        before = (
            self.store.snapshot(),
            self.chats(self.alice),
            self.chats(self.carol),
            [self.page(self.alice, chat) for chat in (GLOBAL, team, self.pair)],
        )
        self.reopen()
        after = (
            self.store.snapshot(),
            self.chats(self.alice),
            self.chats(self.carol),
            [self.page(self.alice, chat) for chat in (GLOBAL, team, self.pair)],
        )
        self.assertEqual(after, before)
        self.assertEqual(
            self.page(self.alice, team), Page([StoredMessage(team, 1, self.bob, NOW, "zwei\n\t\u2400")], False, 1, 1)
        )

    def test_all_or_nothing(self) -> None:
        """Where one write of a commit cannot be done, none is, and the numbers go on without a gap."""
        self.write(message(GLOBAL, self.alice, "before"), message(self.pair, self.alice, "before"))
        before = (self.store.snapshot(), self.chats(self.alice))
        failing = self.store.commit([
            message(GLOBAL, self.bob, "lost"), message((self.alice, self.carol), self.alice, "lost"),
            GroupCreated("team", "team", (self.alice,), NOW), BlockSet(self.alice, self.bob, True),
            TokenAdded(b"token", self.alice, NOW), self.user("ALICE"),
        ])  # fmt: skip
        self.failureResultOf(failing)
        self.assertEqual((self.store.snapshot(), self.chats(self.alice)), before)
        self.assertIsNone(self.successResultOf(self.store.token(b"token")))
        self.assertEqual(self.found_texts(self.alice, "lost"), [])
        again = self.write(message(GLOBAL, self.bob, "after"), message((self.alice, self.carol), self.alice))
        self.assertEqual([stored.seq for stored in again], [2, 1])

    def test_pages(self) -> None:
        """A page is the end of a chat, or goes down from before, or up from after, and tells whether there are more."""
        self.write(*(message(GLOBAL, self.alice) for _ in range(9)))
        for how, expected in (
            ({}, ([7, 8, 9], True)),
            ({"before": 4}, ([1, 2, 3], False)),
            ({"before": 5}, ([2, 3, 4], True)),
            ({"before": 1}, ([], False)),
            ({"before": 2**63 - 1}, ([7, 8, 9], True)),
            ({"after": 0}, ([1, 2, 3], True)),
            ({"after": 6}, ([7, 8, 9], False)),
            ({"after": 9}, ([], False)),
            ({"after": 2**63 - 1}, ([], False)),
        ):
            self.assertEqual(self.seqs(self.bob, GLOBAL, 3, **how), expected, how)

    def test_page_bytes(self) -> None:
        """A page ends before its bytes are over, on the side away from where it began, but holds one message always."""
        self.write(*(message(GLOBAL, self.alice, text) for text in ("x" * 10, "\n" * 10, "é" * 10, "x" * 1000)))
        self.assertEqual(line_bytes("\n" * 10), 20)
        for room, expected in ((54, [1, 2]), (55, [1, 2]), (64, [1, 2]), (65, [1, 2, 3])):
            self.assertEqual(self.seqs(self.bob, GLOBAL, after=0, overhead=5, page_bytes=room), (expected, True), room)
        self.assertEqual(self.seqs(self.bob, GLOBAL, after=0, overhead=5, page_bytes=1), ([1], True))
        self.assertEqual(self.seqs(self.bob, GLOBAL, overhead=5, page_bytes=1), ([4], True))
        self.assertEqual(self.seqs(self.bob, GLOBAL, before=4, page_bytes=40), ([2, 3], True))

    def test_hidden_on_pages(self) -> None:
        """What hidden senders said is on no page, takes no place of the limit, and the end is the chat's end."""
        self.write(*(message(GLOBAL, (self.alice, self.carol)[number % 2]) for number in range(8)))
        self.assertEqual(self.seqs(self.bob, GLOBAL, 3, hidden={self.carol}), ([3, 5, 7], True))
        self.assertEqual(self.seqs(self.bob, GLOBAL, 3, after=1, hidden={self.carol}), ([3, 5, 7], False))
        self.assertEqual(self.page(self.bob, GLOBAL, hidden={self.carol, self.alice}), Page([], False, 8))

    def test_no_chat(self) -> None:
        """A chat that does not exist, or that one is not in, has an empty page and no marker."""
        team = self.team(self.alice)
        self.write(message(team, self.alice), message(self.pair, self.alice))
        for user, chat in (
            (self.bob, team),
            (self.bob, 999),
            (self.bob, (self.bob, self.carol)),
            (self.carol, self.pair),
        ):
            self.assertEqual(self.page(user, chat), Page([], False, 0))
            self.assertEqual(self.found(user, "hi", chat=chat), ([], False))
            (marker,) = self.write(MarkerMoved(user, chat, 1))
            self.assertEqual(marker.moved, False)
        self.assertEqual([state.chat for state in self.chats(self.carol)], [GLOBAL])

    # Nonces

    def test_nonce(self) -> None:
        """A nonce that was used stores nothing and gives the first message: at once, later, after opening."""
        first, second = self.write(message(self.pair, self.alice, nonce="n"), message(self.pair, self.alice, nonce="n"))
        self.assertEqual((first, second), (Stored(self.pair, 1, NOW, False), Stored(self.pair, 1, NOW, True)))
        self.reopen()
        again, found = self.write(
            message(GLOBAL, self.alice, nonce="n", at=NOW + 600_000), NonceSought(self.alice, "n", NOW)
        )
        self.assertEqual((again, found), (second, second))
        self.assertEqual(self.page(self.bob, GLOBAL).last_seq, 0)

    def test_nonces_of_others(self) -> None:
        """A nonce is its user's own; other nonces and none are not it."""
        self.write(message(GLOBAL, self.alice, nonce="n"))
        results = self.write(
            message(GLOBAL, self.bob, nonce="n"),
            message(GLOBAL, self.alice, nonce="N"),
            message(GLOBAL, self.alice),
            message(GLOBAL, self.alice),
            NonceSought(self.carol, "n", 0),
        )
        self.assertEqual([stored and stored.seq for stored in results], [2, 3, 4, 5, None])

    def test_old_nonce(self) -> None:
        """A nonce from before ``nonces_since`` is free again."""
        self.write(message(GLOBAL, self.alice, nonce="n"))
        found, stored, found_again = self.write(
            NonceSought(self.alice, "n", NOW + 1),
            message(GLOBAL, self.alice, nonce="n", at=NOW + 600_001),
            NonceSought(self.alice, "n", NOW + 1),
        )
        self.assertEqual((found, stored), (None, Stored(GLOBAL, 2, NOW + 600_001, False)))
        self.assertEqual(found_again, stored._replace(repeated=True))

    # Markers and counts

    def test_markers(self) -> None:
        """A marker goes forward only, never past the end, and tells whether it moved."""
        self.write(*(message(GLOBAL, self.alice) for _ in range(4)))
        self.assertEqual(self.write(MarkerMoved(self.bob, GLOBAL, 3)), [Marker(3, 4, True)])
        for seq in (3, 2, 0):
            (marker,) = self.write(MarkerMoved(self.bob, GLOBAL, seq))
            self.assertEqual((marker.last_seq, marker.moved, self.unread(self.bob, GLOBAL)), (4, False, 1))
        self.assertEqual(self.write(MarkerMoved(self.bob, GLOBAL, 2**63 - 1)), [Marker(4, 4, True)])
        self.write(message(GLOBAL, self.alice))
        self.assertEqual(self.unread(self.bob, GLOBAL), 1)
        self.assertEqual(self.seqs(self.bob, GLOBAL, unread=True), ([5], False))

    def test_sending_reads(self) -> None:
        """Sending moves the sender's marker to what was sent and nobody else's."""
        self.write(message(GLOBAL, self.alice), message(GLOBAL, self.bob), message(GLOBAL, self.alice))
        unread = [self.unread(user, GLOBAL) for user in (self.alice, self.bob, self.carol)]
        self.assertEqual(unread, [0, 1, 3])

    def test_hidden_unread(self) -> None:
        """What hidden senders said after the marker is not unread."""
        self.write(
            *(message(GLOBAL, sender) for sender in (self.alice, self.bob, self.alice)),
            MarkerMoved(self.carol, GLOBAL, 1),
        )
        self.assertEqual(self.unread(self.carol, GLOBAL, [self.alice]), 1)
        self.assertEqual(self.unread(self.carol, GLOBAL, [self.alice, self.bob]), 0)
        self.assertEqual(self.unread(self.carol, GLOBAL), 2)

    def test_new_user(self) -> None:
        """A new user has read GLOBAL to its end, as it is in the middle of that commit, and may page back."""
        dave = self.write(message(GLOBAL, self.alice), self.user("dave"), message(GLOBAL, self.alice))[1]
        self.assertEqual(self.chats(dave), [ChatState(GLOBAL, 2, NOW + 1, 1, 1)])
        self.assertEqual(self.seqs(dave, GLOBAL), ([1, 2], False))

    def test_chats(self) -> None:
        """Chats come latest first, those without messages last, a private one under both users' ids."""
        silent, team = self.team(self.bob, name="silent"), self.team(self.bob)
        self.write(
            message(team, self.bob, at=NOW + 1),
            message(self.pair, self.alice, at=NOW + 3),
            message(GLOBAL, self.alice, at=NOW + 2),
        )
        self.assertEqual(self.chats(self.bob), [
            ChatState(self.pair, 1, NOW + 3, 0, 1), ChatState(GLOBAL, 1, NOW + 2, 0, 1),
            ChatState(team, 1, NOW + 1, 1, 0), ChatState(silent, 0, None, 0, 0),
        ])  # fmt: skip

    # Groups and blocks

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

    def test_blocks(self) -> None:
        """A block stands between the two until it is lifted, each direction for itself."""
        self.write(BlockSet(self.alice, self.bob, True), BlockSet(self.bob, self.alice, True))
        self.write(BlockSet(self.bob, self.alice, False))
        self.reopen()
        self.assertEqual(self.store.snapshot().blocks, [(self.alice, self.bob)])

    # Removal and bans

    def test_remove_user(self) -> None:
        """A removed account keeps its number and its messages under its new name, and nothing else that was its own."""
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

    def test_delete_messages(self) -> None:
        """Deleted messages are on no page and in no search; counts are of what is left; numbers go on after the gap."""
        self.write(
            *(
                message(GLOBAL, (self.alice, self.bob)[number % 2], f"word {number}", at=NOW + number)
                for number in range(6)
            ),
            MarkerMoved(self.carol, GLOBAL, 1),
        )
        self.write(MessagesDeleted(((GLOBAL, 2), (GLOBAL, 4), (GLOBAL, 6), (GLOBAL, 99), (999, 1))))
        self.reopen()
        self.assertEqual(self.seqs(self.carol, GLOBAL), ([1, 3, 5], False))
        self.assertEqual(self.seqs(self.carol, GLOBAL, 1, after=1), ([3], True))
        self.assertEqual(self.found_texts(self.carol, "word"), ["word 4", "word 2", "word 0"])
        self.assertEqual(self.chats(self.carol), [ChatState(GLOBAL, 6, NOW + 5, 1, 2)])
        self.assertEqual(self.unread(self.carol, GLOBAL, [self.alice]), 0)
        self.assertEqual(self.write(MarkerMoved(self.carol, GLOBAL, 6)), [Marker(6, 6, True)])
        (stored,) = self.write(message(GLOBAL, self.alice, "word 7"))
        self.assertEqual((stored.seq, self.unread(self.carol, GLOBAL)), (7, 1))
        self.assertEqual(self.unread(self.carol, GLOBAL, [self.alice]), 0)
        self.assertEqual(self.found_texts(self.carol, "7"), ["word 7"])

    def test_delete_with_its_nonce(self) -> None:
        """The nonce of a message that was deleted gives nothing any more."""
        self.write(message(GLOBAL, self.alice, nonce="n"), MessagesDeleted(((GLOBAL, 1),)))
        self.assertEqual(self.write(NonceSought(self.alice, "n", 0)), [None])

    def test_delete_all_of_a_private_chat(self) -> None:
        """A private chat that is left without messages goes, a group and GLOBAL stay; begun anew it counts from 1."""
        team, other = self.team(self.alice, self.bob), (self.alice, self.carol)
        self.write(
            message(self.pair, self.alice),
            message(team, self.alice),
            message(GLOBAL, self.alice),
            message(other, self.alice),
            message(other, self.carol),
        )
        self.write(MessagesDeleted(((self.pair, 1), (team, 1), (GLOBAL, 1), (other, 1))))
        self.assertEqual([state.chat for state in self.chats(self.bob)], [GLOBAL, team])
        self.assertEqual(
            {state.chat: state.last_at for state in self.chats(self.alice)}, {GLOBAL: NOW, team: NOW, other: NOW + 1}
        )
        self.assertEqual(
            self.write(message(self.pair, self.bob), message(team, self.bob)),
            [Stored(self.pair, 1, NOW, False), Stored(team, 2, NOW + 1, False)],
        )

    def test_messages_of(self) -> None:
        """The messages of one user are found in all chats, part by part, each once, also while those found go."""
        team = self.team(self.alice, self.bob)
        chats: list[ChatKey] = [GLOBAL, self.pair, team, (self.alice, self.carol), GLOBAL, self.pair]
        self.write(*(message(chat, self.alice) for chat in chats), message(GLOBAL, self.bob))
        places = {(GLOBAL, 1), (GLOBAL, 2), (self.pair, 1), (self.pair, 2), (team, 1), ((self.alice, self.carol), 1)}
        for deleting in (False, True):
            found: list[tuple[ChatKey, int]] = []
            after, further = None, True
            while further:
                part = self.successResultOf(self.store.messages_of(self.alice, after, 2))
                self.assertTrue(len(part.places) <= 2)
                found += part.places
                after, further = part.further, part.further is not None
                if deleting:
                    self.write(MessagesDeleted(part.places))
            self.assertEqual((len(found), set(found)), (6, places))
        self.assertEqual(self.successResultOf(self.store.messages_of(self.bob, None, 9)).places, ((GLOBAL, 3),))

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
        """What is found ends before its texts come to over so many bytes, with one message at least, and says so."""
        self.write(*(message(GLOBAL, self.alice, f"word {'é' * 45}") for _ in range(10)))
        for page_bytes, count in ((1, 1), (330, 3), (1_100, 10)):
            found, more = self.successResultOf(self.store.search(self.bob, ["word"], None, (), 50, 15, page_bytes))
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

    @given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=4))
    @example(['"', "a"])
    @example(["a\0b"])
    @example(["NOT", "OR", "AND", "NEAR(a b)", "text:a", "a*", "^a", "(", "{a b}:", "-a", "a + b", "c1"])
    @example(["word"] * 3_000)
    def test_any_words(self, words: list[str]) -> None:
        """Whatever the words are, they are looked for and never understood as a query."""
        self.found(self.bob, *words)

    @given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1).map(visible))
    def test_words_are_found(self, text: str) -> None:
        """Each word that can be looked for finds the message that holds it, and not one that does not."""
        if not text.strip():
            return
        stored, _ = self.write(message(GLOBAL, self.alice, text), message(GLOBAL, self.alice, "zzz"))
        for word in filter(is_searchable, text.split()):
            found = [message.seq for message in self.found(self.bob, word)[0]]
            self.assertIn(stored.seq, found, word)
            self.assertTrue(stored.seq + 1 not in found or word.casefold() == "zzz", word)


class SQLiteStoreTests(StoreContract, SynchronousTestCase):
    """SQLite does what every store must."""

    def setUp(self) -> None:
        """Choose the file."""
        self.path = Path(self.mktemp())
        super().setUp()

    def open_store(self) -> Store:
        """Without threads every Deferred has fired."""
        return SQLiteStore(self.path, NoThreads(), lambda: NOW)
