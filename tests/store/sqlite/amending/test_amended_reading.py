"""Pages around a message, from a time on and of changes, and mentions: a part of what every store must do."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from irchat.interfaces.stored import GLOBAL, ChatKey, Page
from irchat.interfaces.writes import MarkerMoved, MemberAdded, MemberRemoved, MessageAdded, MessageDeleted, UserRemoved
from irchat.store import changed_messages
from tests.helpers.stores import NOW, SQLiteHands, StoreHands, message


def said(chat: ChatKey, sender: int, *mentions: int, reply_to: int | None = None, hidden: Any = ()) -> MessageAdded:
    """A message that mentions users."""
    return MessageAdded(chat, sender, "hi", NOW, None, 0, mentions, reply_to, hidden)


class AmendedReadingContract(StoreHands):
    """The contract of stores for reading changed messages, as `StoreHands` calls it."""

    patch: Any

    # Places in a chat

    def test_around(self) -> None:
        """Half of a page is before a message and half from it on, itself counted, wherever it stands."""
        self.write(*(message(GLOBAL, self.alice) for _ in range(9)))
        self.delete(GLOBAL, 6, self.alice)
        for around, limit, expected in (
            (5, 4, ([3, 4, 5, 7], True)), (5, 5, ([3, 4, 5, 7, 8], True)), (5, 1, ([5], True)), (9, 1, ([9], True)),
            (5, 99, ([1, 2, 3, 4, 5, 7, 8, 9], False)), (1, 4, ([1, 2], True)), (9, 4, ([7, 8, 9], True)),
            (6, 4, ([4, 5, 7, 8], True)), (99, 4, ([8, 9], True)), (2**63 - 1, 20, ([1, 2, 3, 4, 5, 7, 8, 9], False)),
            (0, 4, ([1, 2], True)), (2, 4, ([1, 2, 3], True)), (8, 4, ([5, 7, 8, 9], True)),
        ):  # fmt: skip
            self.assertEqual(self.seqs(self.bob, GLOBAL, limit, around=around), expected, (around, limit))

    def test_around_within_bytes(self) -> None:
        """The message itself is always on the page. The part before it takes what the other one leaves."""
        self.write(*(message(GLOBAL, self.alice, "x" * 10, at=NOW + 10 * number) for number in range(9)))
        for page_bytes, expected in ((1, [5]), (20, [4, 5]), (30, [3, 4, 5]), (45, [3, 4, 5, 6])):
            self.assertEqual(self.seqs(self.bob, GLOBAL, around=5, page_bytes=page_bytes), (expected, True), page_bytes)
        self.assertEqual(self.seqs(self.bob, GLOBAL, around=9, page_bytes=45), ([6, 7, 8, 9], True))

    def test_around_hidden(self) -> None:
        """Hidden messages and those from before joining are on no page around a message."""
        team = self.team(self.alice, self.carol)
        self.write(*(message(team, self.alice) for _ in range(3)), MemberAdded(team, self.bob, self.alice))
        self.write(*(message(team, (self.alice, self.carol)[number % 2]) for number in range(6)))
        self.assertEqual(self.seqs(self.bob, team, 10, around=5, hidden=[self.carol]), ([4, 6, 8], False))
        self.assertEqual(self.seqs(self.bob, team, 10, around=2), ([4, 5, 6, 7, 8], True))

    def test_since(self) -> None:
        """A page begins with the first message from a time on, across gaps, and never before one joined."""
        team = self.team(self.alice)
        for chat in (GLOBAL, team):
            self.write(*(message(chat, self.alice, at=NOW + 10 * number) for number in range(1, 9)))
        for seq in (3, 4, 5):
            self.delete(GLOBAL, seq, self.alice)
        for since, expected in (
            (0, [1, 2]), (NOW + 10, [1, 2]), (NOW + 11, [2, 6]), (NOW + 20, [2, 6]), (NOW + 21, [6, 7]),
            (NOW + 60, [6, 7]), (NOW + 80, [8]), (NOW + 81, []), (2**62, []), (-5, [1, 2]),
        ):  # fmt: skip
            more = expected not in ([8], [])
            self.assertEqual(self.seqs(self.bob, GLOBAL, 2, since=since), (expected, more), since)
        self.write(MemberAdded(team, self.bob, self.alice), message(team, self.alice, at=NOW + 90))
        self.assertEqual(self.seqs(self.bob, team, since=NOW), ([9], False))
        self.assertEqual(self.seqs(self.carol, (self.bob, self.carol), since=NOW), ([], False))

    # Changes

    def changes(self, user: int, chat: ChatKey, after_rev: int, limit: int = 50, **how: Any) -> tuple[Any, ...]:
        """Return the seqs and revs of a page of changes."""
        page = self.page(user, chat, limit, after_rev=after_rev, **how)
        changed = [(message.seq, message.rev) for message in page.messages]
        return changed, list(zip(page.deleted, page.deleted_revs, strict=True)), page.rev, page.more

    def test_changes(self) -> None:
        """A page of changes has each changed message once, in the order of its last change, and the deleted numbers."""
        self.write(*(message(GLOBAL, self.alice, str(number)) for number in range(1, 6)))
        self.assertEqual(self.changes(self.bob, GLOBAL, 0), ([], [], 0, False))
        self.edit(GLOBAL, 1, self.alice)
        self.mark(GLOBAL, 2, self.bob)
        self.mark(GLOBAL, 3, self.bob)
        self.edit(GLOBAL, 2, self.alice)
        self.delete(GLOBAL, 3, self.alice)
        self.mark(GLOBAL, 1, self.carol)
        for after, limit, expected in (
            (0, 9, ([(2, 4), (1, 6)], [(3, 5)], 6, False)), (0, 3, ([(2, 4), (1, 6)], [(3, 5)], 6, False)),
            (0, 2, ([(2, 4)], [(3, 5)], 5, True)), (0, 1, ([(2, 4)], [], 4, True)), (4, 1, ([], [(3, 5)], 5, True)),
            (5, 1, ([(1, 6)], [], 6, False)), (6, 1, ([], [], 6, False)), (99, 1, ([], [], 6, False)),
            (2**63 - 1, 1, ([], [], 6, False)),
        ):  # fmt: skip
            self.assertEqual(self.changes(self.bob, GLOBAL, after, limit), expected, (after, limit))
        pages = self.page(self.bob, GLOBAL, after_rev=0), self.page(self.bob, GLOBAL)
        now = {message.seq: message for message in pages[1].messages}
        self.assertEqual([now[2], now[1]], pages[0].messages)
        self.assertEqual([(page.last_seq, page.end) for page in pages], [(5, 5)] * 2)

    def test_many_changes(self) -> None:
        """Hundreds of changes are on one page, each once, however the store reads them."""
        count = 250
        self.write(*(message(GLOBAL, self.alice) for _ in range(count)))
        self.write(*(MessageDeleted(GLOBAL, seq, self.alice, NOW + 10) for seq in range(count, 0, -1)))
        deleted = [(count + 1 - rev, rev) for rev in range(1, count + 1)]
        self.assertEqual(self.changes(self.bob, GLOBAL, 0, count), ([], deleted, count, False))

    def test_changes_within_bytes(self) -> None:
        """A page of changes ends before its texts are too long, with one change at least."""
        self.write(*(message(GLOBAL, self.alice, "x" * 10) for _ in range(4)))
        for seq in (4, 2, 1, 3):
            self.mark(GLOBAL, seq, self.bob)
        self.delete(GLOBAL, 4, self.alice)
        for page_bytes, expected in (
            (1, ([(2, 2)], [], 2, True)), (29, ([(2, 2)], [], 2, True)), (30, ([(2, 2), (1, 3)], [], 3, True)),
            (49, ([(2, 2), (1, 3), (3, 4)], [], 4, True)), (50, ([(2, 2), (1, 3), (3, 4)], [(4, 5)], 5, False)),
        ):  # fmt: skip
            self.assertEqual(self.changes(self.bob, GLOBAL, 0, overhead=5, page_bytes=page_bytes), expected, page_bytes)

    def test_hidden_changes(self) -> None:
        """Changes of hidden messages and of those from before joining are on no page, and count as seen."""
        team = self.team(self.alice, self.carol)
        self.write(message(team, self.alice), MemberAdded(team, self.bob, self.alice))
        self.write(*(message(team, (self.alice, self.carol)[number % 2]) for number in range(6)))
        for seq in (2, 3, 1, 5):
            self.edit(team, seq, self.carol if seq % 2 and seq > 1 else self.alice)
        self.delete(team, 1, self.alice)
        self.delete(team, 7, self.carol)
        self.assertEqual(self.changes(self.bob, team, 0, hidden=[self.carol]), ([(2, 1)], [(7, 6)], 6, False))
        self.assertEqual(self.changes(self.bob, team, 0, 1, hidden=[self.carol]), ([(2, 1)], [], 5, True))
        self.assertEqual(self.changes(self.bob, team, 0), ([(2, 1), (3, 2), (5, 4)], [(7, 6)], 6, False))
        self.assertEqual(self.page(self.bob, 999, after_rev=0), Page([], False, 0))

    def test_mostly_hidden_changes(self) -> None:
        """A page reads a limited number of changes, and says up to where."""
        self.patch(changed_messages, "CHANGES_READ", 2)
        self.write(*(message(GLOBAL, self.carol) for _ in range(4)), message(GLOBAL, self.alice))
        for seq in range(1, 6):
            self.edit(GLOBAL, seq, self.alice if seq == 5 else self.carol)
        steps = [self.changes(self.bob, GLOBAL, after, hidden=[self.carol]) for after in (0, 2, 4)]
        self.assertEqual(steps, [([], [], 2, True), ([], [], 4, True), ([(5, 5)], [], 5, False)])

    def test_sparse_page(self) -> None:
        """Messages far from each other have their own changes, marks and mentions."""
        self.write(said(GLOBAL, self.alice, self.bob), *(message(GLOBAL, self.carol) for _ in range(60)))
        self.write(said(GLOBAL, self.alice, self.carol), message(GLOBAL, self.alice))
        self.mark(GLOBAL, 1, self.bob)
        self.mark(GLOBAL, 30, self.bob)
        messages = self.page(self.carol, GLOBAL, hidden=[self.carol]).messages
        self.assertEqual([(one.seq, one.rev, len(one.marks)) for one in messages], [(1, 1, 1), (62, 0, 0), (63, 0, 0)])
        self.assertEqual([one.to for one in messages], [(self.bob,), (), ()])

    # Mentions

    def to(self, user: int, chat: ChatKey, **how: Any) -> list[tuple[int, ...]]:
        """Return the users whom the messages of a page mention."""
        return [one.to for one in self.page(user, chat, **how).messages]

    def test_mentions(self) -> None:
        """A message mentions others than its sender, each once, and is counted for them while it is unread."""
        (stored,) = self.write(said(GLOBAL, self.alice, self.carol, self.bob, self.carol, self.alice))
        self.assertEqual(stored.to, (self.bob, self.carol))
        self.write(message(GLOBAL, self.alice), said(GLOBAL, self.alice, self.bob))
        self.reopen()
        self.assertEqual(self.to(self.bob, GLOBAL), [(self.bob, self.carol), (), (self.bob,)])
        self.assertEqual(self.to(self.alice, GLOBAL, hidden=[self.carol]), [(self.bob,), (), (self.bob,)])
        self.assertEqual([self.chats(user)[0].mentions for user in (self.alice, self.bob, self.carol)], [0, 2, 1])
        self.assertEqual(self.chats(self.bob, [self.carol])[0].mentions, 2)
        self.assertEqual(self.chats(self.bob, [self.alice])[0].mentions, 0)
        self.write(MarkerMoved(self.bob, GLOBAL, 2))
        self.assertEqual([self.chats(self.bob, hidden)[0].mentions for hidden in ([], [self.carol])], [1, 1])
        self.delete(GLOBAL, 3, self.alice)
        self.assertEqual([self.chats(self.bob, hidden)[0].mentions for hidden in ([], [self.carol])], [0, 0])
        self.edit(GLOBAL, 1, self.alice, "no mention")
        self.assertEqual(self.to(self.bob, GLOBAL), [(self.bob, self.carol), ()])

    def test_reply(self) -> None:
        """A reply mentions the sender of a message that its sender can see, and that can see the reply."""
        team = self.team(self.alice, self.carol)
        self.write(message(team, self.carol), MemberAdded(team, self.bob, self.alice))
        results = self.write(
            message(team, self.alice),
            said(team, self.bob, reply_to=2),
            said(team, self.bob, reply_to=3),
            said(team, self.bob, reply_to=1),
            said(team, self.alice, self.bob, reply_to=1),
            said(team, self.alice, self.bob, reply_to=1, hidden=[self.carol]),
            said(team, self.alice, reply_to=8),
            said(team, self.alice, reply_to=2**70),
            said(team, self.alice, reply_to=0),
        )
        to = [stored.to for stored in results]
        self.assertEqual(to, [(), (self.alice,), (), (), (self.bob, self.carol), (self.bob,), (), (), ()])
        self.assertEqual(self.to(self.alice, team), [(), *to])
        self.write(MemberRemoved(team, self.carol, self.alice, self.carol))
        self.delete(team, 2, self.alice)
        self.write(UserRemoved(self.bob, "bob#2", "bob#2", NOW, ((team, self.alice),)))
        results = self.write(*(said(team, self.alice, reply_to=seq) for seq in (1, 2, 3)))
        self.assertEqual([stored.to for stored in results], [()] * 3)
        self.assertEqual(self.to(self.alice, team)[4:6], [(self.carol,), ()])

    def test_mentions_limit(self) -> None:
        """A message mentions 20 users at most, the sender of the answered one among them."""
        many = self.write(*(self.user(f"u{number}") for number in range(21)))
        results = self.write(said(GLOBAL, self.alice, *many), said(GLOBAL, many[20], reply_to=1))
        self.assertEqual([stored.to for stored in results], [tuple(many[:20]), (self.alice,)])
        (stored,) = self.write(said(GLOBAL, self.bob, *many, reply_to=1))
        self.assertEqual(stored.to, (self.alice, *many[:19]))

    def test_new_chat(self) -> None:
        """The first message of a private chat can mention, and one that fails to be stored mentions nobody."""
        self.failureResultOf(self.store.commit([said(self.pair, self.alice, self.bob), self.user("ALICE")]))
        self.write(message(GLOBAL, self.alice))
        self.assertEqual(self.write(said(self.pair, self.alice, self.bob, reply_to=1))[0].to, (self.bob,))
        self.assertEqual({state.chat: state.mentions for state in self.chats(self.bob)}, {GLOBAL: 0, self.pair: 1})


class AmendedReadingTests(AmendedReadingContract, SQLiteHands, SynchronousTestCase):
    """SQLite does what every store must."""
