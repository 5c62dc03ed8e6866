"""The timed messages of one chat: visibility and read state per reader, counted in blocks."""

import random
from typing import Any
from unittest import mock

import pytest
from twisted.trial.unittest import SynchronousTestCase

from irchat.chat.state.entities import DirectoryChat, User
from irchat.chat.timed import timed_chat
from irchat.chat.timed.timed_chat import TimedChat, TimedMessage, packed
from irchat.interfaces.stored import GLOBAL

_USERS = 4
_STEPS = 300


class _Plain:
    """The same, implemented message by message."""

    def __init__(self) -> None:
        self.alive: list[TimedMessage] = []
        self.begins: dict[int, int] = {}
        self.read: set[tuple[int, int]] = set()

    def seen(self, reader: User) -> list[TimedMessage]:
        begin = self.begins.get(reader.id, 0)
        return [timed for timed in self.alive if timed.order > begin and timed.sender.id not in reader.hidden]

    def unread(self, reader: User) -> list[TimedMessage]:
        return [
            timed
            for timed in self.seen(reader)
            if timed.sender is not reader and (reader.id, timed.order) not in self.read
        ]


class TimedChatTests(SynchronousTestCase):
    """Compare with the simple implementation, with blocks of three."""

    def setUp(self) -> None:
        """Begin with a few users, and positions with gaps, as caused by other chats."""
        self.users = [User(number, f"u{number}", f"u{number}") for number in range(1, _USERS + 1)]
        self.enterContext(mock.patch.object(timed_chat, "_BLOCK_MOST", 3))
        self.order = 0

    def step(self, chance: random.Random, chat: TimedChat, plain: _Plain) -> None:
        """Apply a random action."""
        user = chance.choice(self.users)
        what = chance.randrange(12)
        if what < 5:
            self.order += chance.randint(1, 3)
            timed = TimedMessage("id", chat.chat, user, "psst", 0, 1, 1.0, self.order)
            chat.add(timed)
            plain.alive.append(timed)
        elif not plain.alive:
            return
        elif what < 8:
            timed = plain.alive.pop(chance.choice((0, -1, chance.randrange(len(plain.alive)))))
            self.assertTrue(chat.remove(timed))
            self.assertFalse(chat.remove(timed))
        elif what < 10:
            seen = plain.seen(user)
            if seen:
                first, last = sorted(chance.choices(seen, k=2), key=lambda timed: timed.order)
                plain.read |= {(user.id, timed.order) for timed in seen if first.order <= timed.order <= last.order}
                chat.note_read(user, first.order - 1, last.order)
        elif what == 10:
            plain.read |= {(user.id, timed.order) for timed in plain.seen(user)}
            chat.note_all_read(user)
        else:
            user.hidden ^= {chance.choice(self.users).id} - {user.id}

    def test_as_the_plain_way(self) -> None:
        """After any sends, ends, reads and blocks, both implementations agree on visible and unread messages."""
        self.play(range(4))

    @pytest.mark.slow
    def test_more(self) -> None:
        """The same, for more seeds."""
        self.play(range(4, 24))

    def play(self, seeds: range) -> None:
        """Play random actions on both implementations."""
        for seed in seeds:
            chance = random.Random(seed)
            chat, plain = TimedChat(DirectoryChat(GLOBAL)), _Plain()
            for user in self.users:
                user.hidden = frozenset()
            for _ in range(_STEPS):
                self.step(chance, chat, plain)
                self.assertEqual(chat.is_empty, not plain.alive)
                if chat.is_empty:
                    chat, plain = TimedChat(DirectoryChat(GLOBAL)), _Plain()
                    continue
                if chance.randrange(40) == 0:
                    user = chance.choice(self.users)
                    chat.begin_sight(user)
                    plain.begins[user.id] = self.order
                for user in self.users:
                    self.compare(chance, chat, plain, user)

    def compare(self, chance: random.Random, chat: TimedChat, plain: _Plain, reader: User) -> None:
        """Check that both agree for a reader."""
        hidden, seen, unread = reader.hidden, plain.seen(reader), plain.unread(reader)
        since = chance.randint(0, self.order)
        self.assertEqual(list(chat.newest_first(reader, hidden)), seen[::-1])
        self.assertEqual(list(chat.newest_first(reader, hidden, unread=True)), unread[::-1])
        self.assertEqual(chat.unread(reader, hidden), len(unread))
        self.assertEqual(list(chat.since(since, reader, hidden)), [one for one in seen if one.order >= since])
        of_reader = [timed for batch in chat.batches(reader) for timed in batch]
        self.assertEqual(of_reader, [timed for timed in plain.alive if timed.sender is reader])
        self.assertEqual([timed for batch in chat.batches() for timed in batch], plain.alive)

    def test_few_spans(self) -> None:
        """Reading message by message is one span, whatever messages are between. Ended ones are forgotten."""
        chat = TimedChat(DirectoryChat(GLOBAL))
        alice, bob, carol, _ = self.users
        bob.hidden = frozenset({carol.id})
        sent = [
            TimedMessage("id", chat.chat, (alice, bob, carol)[order % 3], "", 0, 1, 1.0, order)
            for order in range(1, 101)
        ]
        for timed in sent:
            chat.add(timed)
            if timed.sender is alice:
                chat.note_read(bob, timed.order - 1, timed.order)
        self.assertEqual(len(chat._spans(bob)), 1)
        bob.hidden = frozenset()
        self.assertEqual(chat.unread(bob, bob.hidden), 33)
        for timed in sent[:-1]:
            chat.remove(timed)
        chat.note_read(bob, 99, 100)
        self.assertEqual(len(chat._spans(bob)), 1)

    def test_counting_many(self) -> None:
        """Counting and finding the latest work block by block if all messages of a block are alike to the reader."""
        alice, bob, _, _ = self.users
        with mock.patch.object(timed_chat, "_BLOCK_MOST", 100):
            chat = TimedChat(DirectoryChat(GLOBAL))
            for order in range(1, 10_001):
                chat.add(TimedMessage("id", chat.chat, alice, "", 0, 1, 1.0, order))
        chat.note_read(bob, 0, 9_000)
        looked: list[int] = []
        for block in chat._blocks:
            block.alive = _Watched(block.alive, looked)
        self.assertEqual(chat.unread(bob, frozenset()), 1_000)
        self.assertEqual(list(chat.newest_first(bob, frozenset({alice.id}))), [])
        self.assertEqual(chat.unread(bob, frozenset({alice.id})), 0)
        self.assertEqual(looked, [])
        self.assertEqual(next(chat.newest_first(bob, frozenset())).order, 10_000)


class HadTests(SynchronousTestCase):
    """The receivers of a message."""

    def test_packed(self) -> None:
        """Immediate receivers take four bytes each, and are returned together with later ones."""
        chat = DirectoryChat(GLOBAL)
        timed = TimedMessage("id", chat, User(1, "alice", "alice"), "", 0, 1, 1.0, 1)
        self.assertEqual(timed.had_by(), frozenset())
        timed.had = packed({3, 70_000, 1})
        self.assertEqual((len(timed.had), timed.had_by()), (12, {1, 3, 70_000}))
        timed.note_given(User(4, "dave", "dave"))
        self.assertEqual(timed.had_by(), {1, 3, 4, 70_000})


class _Watched(dict[int, TimedMessage]):
    """The messages of a block. It records iterations."""

    def __init__(self, alive: dict[int, TimedMessage], looked: list[int]) -> None:
        super().__init__(alive)
        self._looked = looked

    def values(self) -> Any:
        """Return the messages."""
        self._looked.append(1)
        return super().values()
