"""The store contract for messages, pages, nonces and read markers. Every engine must pass it."""

from collections.abc import Sequence

from twisted.trial.unittest import SynchronousTestCase

from irchat.interfaces.stored import (
    GLOBAL,
    ChatKey,
    Marker,
    Page,
    Stored,
    StoredChat,
    StoredMessage,
)
from irchat.interfaces.writes import (
    BlockSet,
    GroupCreated,
    MarkerMoved,
    MarkSet,
    MemberRemoved,
    MessageDeleted,
    MessageEdited,
    MessagesDeleted,
    NonceSought,
    TokenAdded,
)
from irchat.protocol.errors import Code
from irchat.protocol.rules import line_bytes
from irchat.store.postgres.reads import reading as postgres_reading
from irchat.store.sqlite import reading as sqlite_reading
from tests.helpers.stores import NOW, PostgresHands, SQLiteHands, StoreHands, message


class MessageContract(StoreHands):
    """The contract for messages, on top of `StoreHands`."""

    def test_numbers(self) -> None:
        """Each chat numbers its messages from 1 in the order of the writes, and continues after reopening."""
        team = self.team(self.alice, self.bob)
        results = self.write(*(message(chat, self.alice) for chat in (GLOBAL, team, GLOBAL, self.pair, GLOBAL, team)))
        self.assertEqual([stored.seq for stored in results], [1, 1, 2, 1, 3, 2])
        self.assertEqual(results[3], Stored(self.pair, 1, NOW, repeated=False))
        self.reopen()
        results = self.write(*(message(chat, self.bob) for chat in (GLOBAL, team, self.pair)))
        self.assertEqual([stored.seq for stored in results], [4, 3, 2])

    def test_mark_before_other_changes(self) -> None:
        """The writes of one commit are made in their order, also a mark before a deletion, an edit and a message."""
        self.write(message(GLOBAL, self.alice), message(GLOBAL, self.alice))
        mark = MarkSet(GLOBAL, 1, self.bob, "ok", "ok", True, NOW)
        marked, deleted, late = self.write(mark, MessageDeleted(GLOBAL, 1, self.alice, NOW), mark)
        self.assertEqual((marked.refusal, marked.on, deleted.refusal), (None, True, None))
        self.assertEqual(late.refusal, Code.NO_SUCH_MESSAGE)
        self.assertLess(marked.rev, deleted.rev)
        second = MarkSet(GLOBAL, 2, self.bob, "ok", "ok", True, NOW)
        marked, edited, _ = self.write(
            second, MessageEdited(GLOBAL, 2, self.alice, "new", NOW, 0), message(GLOBAL, self.bob)
        )
        self.assertLess(marked.rev, edited.rev)
        page = self.page(self.alice, GLOBAL)
        self.assertEqual(next((one.seq, one.text, len(one.marks or ())) for one in page.messages), (2, "new", 1))

    def test_amended_and_deleted_with_others(self) -> None:
        """Nothing is kept of the changes of messages that are deleted with others, as with a removed user."""
        self.write(*(message(GLOBAL, self.alice) for _ in range(3)))
        for seq in 1, 2, 3:
            self.edit(GLOBAL, seq, self.alice)
        self.write(MessagesDeleted(((GLOBAL, 1), (GLOBAL, 3))))
        page = self.page(self.bob, GLOBAL, after_rev=0)
        self.assertEqual(([one.seq for one in page.messages], page.deleted), ([2], ()))

    def test_places_of_a_user(self) -> None:
        """All messages of a user are found, a limited number of rows and of places at a time."""
        for module in sqlite_reading, postgres_reading:
            self.patch(module, "_LOOKED_AT", 3)
        self.write(*(message(GLOBAL, (self.alice, self.bob)[number % 3 == 0]) for number in range(11)))
        places: list[object] = []
        after, pages = None, 0
        while pages == 0 or after is not None:
            page = self.successResultOf(self.store.messages_of(self.alice, after, 2))
            places += page.places
            after, pages = page.further, pages + 1
        self.assertEqual(places, [(GLOBAL, seq) for seq in range(1, 12) if (seq - 1) % 3])
        self.assertGreaterEqual(pages, 4)

    def test_survives(self) -> None:
        """Everything written is present after reopening: messages, groups, blocks, markers."""
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
        """If one write of a commit fails, none takes effect, and the seqs continue without a gap."""
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
        """A page is the end of a chat, or its messages before or after a seq, with whether there are more."""
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
        """A page is limited by bytes, on the side away from its start, but always holds one message."""
        self.write(*(message(GLOBAL, self.alice, text) for text in ("x" * 10, "\n" * 10, "é" * 10, "x" * 1000)))
        self.assertEqual(line_bytes("\n" * 10), 20)
        for room, expected in ((54, [1, 2]), (55, [1, 2]), (64, [1, 2]), (65, [1, 2, 3])):
            self.assertEqual(self.seqs(self.bob, GLOBAL, after=0, overhead=5, page_bytes=room), (expected, True), room)
        self.assertEqual(self.seqs(self.bob, GLOBAL, after=0, overhead=5, page_bytes=1), ([1], True))
        self.assertEqual(self.seqs(self.bob, GLOBAL, overhead=5, page_bytes=1), ([4], True))
        self.assertEqual(self.seqs(self.bob, GLOBAL, before=4, page_bytes=40), ([2, 3], True))

    def test_hidden_on_pages(self) -> None:
        """Messages of hidden senders are on no page, do not count for the limit, and do not change the chat's end."""
        self.write(*(message(GLOBAL, (self.alice, self.carol)[number % 2]) for number in range(8)))
        self.assertEqual(self.seqs(self.bob, GLOBAL, 3, hidden={self.carol}), ([3, 5, 7], True))
        self.assertEqual(self.seqs(self.bob, GLOBAL, 3, after=1, hidden={self.carol}), ([3, 5, 7], False))
        self.assertEqual(self.page(self.bob, GLOBAL, hidden={self.carol, self.alice}), Page([], False, 8))

    def test_no_chat(self) -> None:
        """A chat that does not exist or is not the user's has an empty page and no marker."""
        team = self.team(self.alice)
        self.write(message(team, self.alice), message(self.pair, self.alice))
        for user, chat, last_seq in (
            (self.bob, team, 1),
            (self.bob, 999, 0),
            (self.bob, (self.bob, self.carol), 0),
            (self.carol, self.pair, 1),
        ):
            self.assertEqual(self.page(user, chat), Page([], False, 0))
            self.assertEqual(self.found(user, "hi", chat=chat), ([], False))
            (marker,) = self.write(MarkerMoved(user, chat, 1))
            self.assertEqual(marker, Marker(last_seq, last_seq, False))
        self.assertEqual([state.chat for state in self.chats(self.carol)], [GLOBAL])

    def test_notices(self) -> None:
        """A notice is one on all pages and in searches, also after changes, when others are written with it."""
        self.write(
            message(GLOBAL, self.alice, "word 1"),
            message(GLOBAL, self.alice, "word @bob 2", notice=True),
            message(self.pair, self.alice, "word 1", notice=True),
            message(GLOBAL, self.bob, "word 3"),
        )
        self.write(message(GLOBAL, self.bob, "word 4", notice=True))
        self.edit(GLOBAL, 2, self.alice, "word new")
        self.mark(GLOBAL, 4, self.carol)
        self.mark(GLOBAL, 3, self.carol)
        self.reopen()

        def notices(messages: Sequence[StoredMessage]) -> list[int]:
            return [one.seq for one in messages if one.notice is True]

        for how in ({}, {"after": 0}, {"around": 3}, {"unread": True}, {"since": NOW}):
            self.assertEqual(notices(self.page(self.carol, GLOBAL, **how).messages), [2, 4], how)
        self.assertEqual(notices(self.page(self.carol, GLOBAL, after_rev=0).messages), [2, 4])
        self.assertEqual(notices(self.page(self.bob, self.pair).messages), [1])
        self.assertEqual(notices(self.found(self.carol, "word")[0]), [4, 2])
        self.assertEqual(notices(self.found(self.carol, mark="ok")[0]), [4])

    # Nonces

    def test_nonce(self) -> None:
        """A used nonce stores nothing and returns the first message: immediately, later, and after reopening."""
        first, second = self.write(message(self.pair, self.alice, nonce="n"), message(self.pair, self.alice, nonce="n"))
        self.assertEqual((first, second), (Stored(self.pair, 1, NOW, False), Stored(self.pair, 1, NOW, True)))
        self.reopen()
        again, found = self.write(
            message(GLOBAL, self.alice, nonce="n", at=NOW + 600_000), NonceSought(self.alice, "n", NOW)
        )
        self.assertEqual((again, found), (second, second))
        self.assertEqual(self.page(self.bob, GLOBAL).last_seq, 0)

    def test_nonces_of_others(self) -> None:
        """Nonces are separate for each user, and different or missing nonces do not match."""
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
        """A marker only advances, never past the end, and the result says whether it moved."""
        self.write(*(message(GLOBAL, self.alice) for _ in range(4)))
        self.assertEqual(self.write(MarkerMoved(self.bob, GLOBAL, 3)), [Marker(3, 4, True)])
        for seq in (3, 2, 0):
            (marker,) = self.write(MarkerMoved(self.bob, GLOBAL, seq))
            self.assertEqual((marker.last_seq, marker.moved, self.unread(self.bob, GLOBAL)), (4, False, 1))
        self.assertEqual(self.write(MarkerMoved(self.bob, GLOBAL, 2**63 - 1)), [Marker(4, 4, True)])
        self.write(message(GLOBAL, self.alice))
        self.assertEqual(self.unread(self.bob, GLOBAL), 1)
        self.assertEqual(self.seqs(self.bob, GLOBAL, unread=True), ([5], False))

    def test_markers_among_others(self) -> None:
        """A marker moves once in a commit with other changes, and not after its member has left."""
        team = self.team(self.alice, self.bob)
        self.write(*(message(chat, self.alice) for chat in (GLOBAL, GLOBAL, team, team)))
        moves = [MarkerMoved(self.bob, chat, seq) for chat, seq in ((GLOBAL, 1), (GLOBAL, 1), (GLOBAL, 2), (team, 1))]
        leaves = MemberRemoved(team, self.bob, self.alice, self.bob)
        results = self.write(*moves, leaves, MarkerMoved(self.bob, team, 2))
        self.assertEqual([one.moved for one in (*results[:4], results[5])], [True, False, True, True, False])
        self.assertEqual(self.unread(self.bob, GLOBAL), 0)

    def test_sending_reads(self) -> None:
        """Sending moves the sender's marker to the message, and nobody else's."""
        self.write(message(GLOBAL, self.alice), message(GLOBAL, self.bob), message(GLOBAL, self.alice))
        unread = [self.unread(user, GLOBAL) for user in (self.alice, self.bob, self.carol)]
        self.assertEqual(unread, [0, 1, 3])

    def test_hidden_unread(self) -> None:
        """Messages of hidden senders after the marker are not unread."""
        self.write(
            *(message(GLOBAL, sender) for sender in (self.alice, self.bob, self.alice)),
            MarkerMoved(self.carol, GLOBAL, 1),
        )
        self.assertEqual(self.unread(self.carol, GLOBAL, [self.alice]), 1)
        self.assertEqual(self.unread(self.carol, GLOBAL, [self.alice, self.bob]), 0)
        self.assertEqual(self.unread(self.carol, GLOBAL), 2)

    def test_new_user(self) -> None:
        """A new user has read GLOBAL up to its end within that commit, and can page back."""
        dave = self.write(message(GLOBAL, self.alice), self.user("dave"), message(GLOBAL, self.alice))[1]
        self.assertEqual(self.chats(dave), [StoredChat(GLOBAL, 2, NOW + 1, 1, 1)])
        self.assertEqual(self.seqs(dave, GLOBAL), ([1, 2], False))

    def test_chats(self) -> None:
        """The latest chats come first, empty ones last. A private chat is listed under both user ids."""
        silent, team = self.team(self.bob, name="silent"), self.team(self.bob)
        self.write(
            message(team, self.bob, at=NOW + 1),
            message(self.pair, self.alice, at=NOW + 3),
            message(GLOBAL, self.alice, at=NOW + 2),
        )
        self.assertEqual(self.chats(self.bob), [
            StoredChat(self.pair, 1, NOW + 3, 0, 1), StoredChat(GLOBAL, 1, NOW + 2, 0, 1),
            StoredChat(team, 1, NOW + 1, 1, 0), StoredChat(silent, 0, None, 0, 0),
        ])  # fmt: skip

    # Groups and blocks

    def test_delete_messages(self) -> None:
        """Deleted messages are on no page and in no search. Counts exclude them, and seqs continue after the gap."""
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
        self.assertEqual(self.chats(self.carol), [StoredChat(GLOBAL, 6, NOW + 5, 1, 2)])
        self.assertEqual(self.unread(self.carol, GLOBAL, [self.alice]), 0)
        self.assertEqual(self.write(MarkerMoved(self.carol, GLOBAL, 6)), [Marker(6, 6, True)])
        (stored,) = self.write(message(GLOBAL, self.alice, "word 7"))
        self.assertEqual((stored.seq, self.unread(self.carol, GLOBAL)), (7, 1))
        self.assertEqual(self.unread(self.carol, GLOBAL, [self.alice]), 0)
        self.assertEqual(self.found_texts(self.carol, "7"), ["word 7"])

    def test_delete_with_its_nonce(self) -> None:
        """The nonce of a deleted message returns nothing."""
        self.write(message(GLOBAL, self.alice, nonce="n"), MessagesDeleted(((GLOBAL, 1),)))
        self.assertEqual(self.write(NonceSought(self.alice, "n", 0)), [None])

    def test_delete_all_of_a_private_chat(self) -> None:
        """A private chat left without messages is deleted, a group and GLOBAL stay. A new one counts from 1."""
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
        """One user's messages are found in all chats, in batches, each once, even while found ones are deleted."""
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


class SQLiteMessageTests(MessageContract, SQLiteHands, SynchronousTestCase):
    """SQLite fulfils the contract."""


class PostgresMessageTests(MessageContract, PostgresHands, SynchronousTestCase):
    """PostgreSQL fulfils the contract."""
