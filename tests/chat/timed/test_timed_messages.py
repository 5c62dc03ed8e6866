"""Timed messages: their visibility and their ends."""

from collections.abc import Callable
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from irchat.chat.state.directory import Directory
from irchat.chat.state.entities import DirectoryChat, User
from irchat.chat.timed import timed_chat
from irchat.chat.timed import timed_messages as timed
from irchat.chat.timed.timed_messages import TimedMessage, TimedMessages
from irchat.interfaces.stored import GLOBAL, Snapshot, StoredGroup, StoredUser
from irchat.interfaces.writes import BlockSet, Entry, MemberAdded, MemberRemoved

_AT = 1_795_356_000_000


class TimedMessagesTests(SynchronousTestCase):
    """Timed messages on a manual clock, in chats of three users, with a group of two."""

    def setUp(self) -> None:
        """Record each end and its time."""
        users = [StoredUser(number, name, name) for number, name in enumerate(("alice", "bob", "carol"), 1)]
        self.directory = Directory(Snapshot(users, [StoredGroup(7, "team", "team", 1, [1, 2])], []))
        self.alice, self.bob, self.carol = self.directory.users.values()
        self.team = self.directory.groups[7]
        self.clock = Clock()
        self.ended: list[tuple[float, list[int]]] = []
        self.timed = TimedMessages(
            self.clock, lambda ended: self.ended.append((self.clock.seconds(), [timed.order for timed in ended]))
        )

    def add(self, seconds: int, chat: str = "GLOBAL", sender: User | None = None, text: str = "psst") -> TimedMessage:
        """Send a timed message from alice."""
        sender = sender or self.alice
        found = self.directory.chat(sender, chat)
        return self.timed.add(found, sender, text, _AT, seconds, self.clock.seconds() + seconds)

    def alive(self, reader: User, chat: str = "GLOBAL") -> list[int]:
        """Return the positions of the messages visible to a reader in a chat."""
        newest_first = self.timed.newest_first(self.directory.chat(reader, chat).key, reader)
        return [timed.order for timed in newest_first][::-1]

    def by_chat(self, reader: User) -> dict[str, tuple[int, int]]:
        """Return a reader's latest position and unread count, in all chats."""
        found: dict[str, tuple[int, int]] = {}
        for key, latest, unread in self.timed.chats_of(reader):
            chat = self.directory.chat_by_key(key)
            assert isinstance(chat, DirectoryChat)
            found[chat.label(reader)] = (latest.order, unread)
        return found

    def missed(self, reader: User, since: int) -> list[int]:
        """Return the positions visible to a reader from a position on."""
        return [timed.order for timed in self.timed.missed(reader, since)]

    def test_take_back(self) -> None:
        """A message that is taken back ends at once and without ``on_end``, once. Its end then passes unnoticed."""
        first, second = self.add(5), self.add(9)
        self.assertEqual([timed.order for timed in self.timed.newest_of(self.alice, GLOBAL)], [2, 1])
        self.assertEqual(list(self.timed.newest_of(self.bob, GLOBAL)), [])
        self.assertEqual(list(self.timed.newest_of(self.alice, 7)), [])
        self.assertTrue(self.timed.take_back(first))
        self.assertFalse(self.timed.take_back(first))
        self.assertEqual((first.text, self.alive(self.bob), self.timed.count_of(self.alice)), ("", [2], 1))
        self.clock.advance(9)
        self.assertEqual((self.ended, second.text), ([(9, [2])], ""))

    def test_taken_back_are_dropped(self) -> None:
        """Of many that are taken back, no more than as many as live ones are remembered until their end."""
        kept = [self.add(9) for _ in range(5)]
        for _ in range(3 * timed._TAKEN_BACK_MOST):
            self.timed.take_back(self.add(100))
        self.assertLessEqual(len(self.timed._ends), timed._TAKEN_BACK_MOST + len(kept) + 1)
        self.clock.advance(9)
        self.assertEqual(self.ended, [(9, [message.order for message in kept])])

    def test_mentions(self) -> None:
        """Live, unread and visible messages that mention a user are counted in each chat."""
        chat = self.directory.chat(self.alice, "GLOBAL")
        for seconds in 3, 6, 9:
            self.timed.add(chat, self.alice, "psst", _AT, seconds, seconds, (self.bob,))
        self.assertEqual((self.timed.mentions(self.bob, GLOBAL), self.timed.mentions(self.carol, GLOBAL)), (3, 0))
        self.clock.advance(3)
        self.timed.note_read(self.bob, GLOBAL, 1, 2)
        self.assertEqual((self.timed.mentions(self.bob, GLOBAL), self.timed.mentions(self.bob, 7)), (1, 0))
        self.directory.apply(Entry(BlockSet(2, 1, True)))
        self.assertEqual(self.timed.mentions(self.bob, GLOBAL), 0)
        self.clock.advance(6)
        self.assertEqual(self.timed.mentions(self.bob, GLOBAL), 0)

    def test_ends(self) -> None:
        """Each ends at its time, in any order of sending. Those of one moment end together in that order."""
        for seconds in (5, 2, 9, 2, 5):
            self.add(seconds)
        self.clock.pump([0.25] * 40)
        self.assertEqual(self.ended, [(2.0, [2, 4]), (5.0, [1, 5]), (9.0, [3])])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_ends_at_any_fraction(self) -> None:
        """A copy that arrives shortly before its end ends on time, also right after another one."""
        chat = self.directory.chat(self.alice, "GLOBAL")
        for end in 0.25, 0.5:
            self.timed.add(chat, self.alice, "psst", _AT, 1, end)
        self.clock.pump([0.25] * 2)
        self.assertEqual(self.ended, [(0.25, [1]), (0.5, [2])])

    def test_text_goes(self) -> None:
        """After its end neither the text nor an empty chat and its users remain in memory."""
        timed = [self.add(2), self.add(2, "@bob"), self.add(2, "team")]
        self.clock.pump([0.25] * 8)
        self.assertEqual([one.text for one in timed], ["", "", ""])
        self.assertEqual((self.timed._chats, self.timed._private_chats, self.timed._ends), ({}, {}, []))

    def test_one_alarm(self) -> None:
        """However many wait, the reactor has one delayed call."""
        for seconds in range(1, 1_001):
            self.add(seconds)
            self.add(1_001 - seconds)
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)

    def test_clock_jump(self) -> None:
        """After a jump of the clock, as by a suspend, expired messages end within a quarter of a second."""
        self.add(3_600)
        self.add(10_000)
        self.clock.rightNow += 3_600  # the machine slept
        self.assertEqual(self.alive(self.bob), [2])
        self.clock.advance(0.25)
        self.assertEqual(self.ended, [(3600.25, [1])])

    def test_over_before_the_alarm(self) -> None:
        """After its end it is not returned, even if the alarm is late."""
        timed = self.add(5)
        self.clock.rightNow += 4.999
        self.assertEqual((self.alive(self.bob), timed_chat.left_ms(timed.end, self.clock.seconds())), ([1], 1))
        self.clock.rightNow = 5.0
        self.assertEqual((self.alive(self.bob), self.by_chat(self.bob), self.missed(self.bob, 0)), ([], {}, []))
        self.assertEqual((self.ended, timed_chat.left_ms(timed.end, 6.0)), ([], 0))

    def test_event(self) -> None:
        """A reader gets it with the chat's name on their side and its remaining time."""
        timed = self.add(5, "@bob")
        event = timed.event(self.bob, 1.5)
        self.assertEqual((event.chat, event.sender, event.text, event.seq), ("@alice", "alice", "psst", None))
        self.assertEqual((event.id, event.left_ms), (timed.id, 3_500))
        self.assertEqual((event.at, event.expires_at), ("2026-11-22T14:00:00.000Z", "2026-11-22T14:00:05.000Z"))
        self.assertEqual(timed.event(self.alice, 0).chat, "@bob")

    def test_ids_differ(self) -> None:
        """Ids are unique and do not reveal the number of messages."""
        ids = {self.add(5).id for _ in range(100)}
        self.assertEqual((len(ids), min(map(len, ids))), (100, 16))

    def test_chats(self) -> None:
        """A reader finds those of GLOBAL, their groups and private chats. Chats without any are left out."""
        self.add(5)
        self.add(5, "@bob")
        self.add(5, "team")
        self.add(5, "@carol")
        self.add(5)
        self.assertEqual(
            self.by_chat(self.alice), {"GLOBAL": (5, 0), "*team": (3, 0), "@bob": (2, 0), "@carol": (4, 0)}
        )
        self.assertEqual(self.by_chat(self.bob), {"GLOBAL": (5, 2), "*team": (3, 1), "@alice": (2, 1)})
        self.assertEqual(self.by_chat(self.carol), {"GLOBAL": (5, 2), "@alice": (4, 1)})
        self.assertEqual(self.missed(self.bob, 2), [2, 3, 5])

    def test_private_chat_over(self) -> None:
        """A private chat is forgotten with its last timed message, not before. Other chats of its users stay."""
        self.add(2, "@bob")
        self.add(4, "@bob")
        self.add(6, "@carol")
        self.clock.pump([0.25] * 8)
        self.assertEqual(self.by_chat(self.alice), {"@bob": (2, 0), "@carol": (3, 0)})
        self.clock.pump([0.25] * 8)
        self.assertEqual((self.by_chat(self.alice), self.by_chat(self.bob)), ({"@carol": (3, 0)}, {}))

    def test_late_member(self) -> None:
        """A new member finds messages sent after joining, also after a return."""
        self.add(9, "team")
        self.directory.apply(Entry(MemberAdded(7, 3, 1)))
        self.timed.begin_sight(self.team.id, self.carol)
        self.add(9, "team")
        self.assertEqual((self.alive(self.carol, "team"), self.alive(self.bob, "team")), ([2], [1, 2]))
        self.directory.apply(Entry(MemberRemoved(7, 2, 1, 2)))
        self.add(9, "team")
        self.directory.apply(Entry(MemberAdded(7, 2, 1)))
        self.timed.begin_sight(self.team.id, self.bob)
        self.assertEqual((self.alive(self.bob, "team"), self.alive(self.carol, "team")), ([], [2, 3]))
        self.assertEqual((self.missed(self.bob, 0), self.by_chat(self.carol)), ([], {"*team": (3, 2)}))

    def test_sight_of_others(self) -> None:
        """Joining a group without timed messages changes nothing, there or elsewhere."""
        self.add(9)
        self.timed.begin_sight(self.team.id, self.bob)
        self.add(9, "team")
        self.assertEqual((self.alive(self.bob), self.alive(self.bob, "team")), ([1], [2]))

    def test_blocks(self) -> None:
        """During a block neither sees the other's. Afterwards they are visible again."""
        self.add(9, sender=self.alice)
        self.add(9, sender=self.bob)
        self.directory.apply(Entry(BlockSet(2, 1, True)))
        self.assertEqual([self.alive(user) for user in (self.alice, self.bob, self.carol)], [[1], [2], [1, 2]])
        self.directory.apply(Entry(BlockSet(2, 1, False)))
        self.assertEqual([self.alive(user) for user in (self.alice, self.bob)], [[1, 2], [1, 2]])

    def test_together(self) -> None:
        """Ends that follow one another closely are published together, the first of them on time."""
        for end in (1.0, 1.001, 1.002, 1.1):
            self.timed.add(self.directory.chat(self.alice, "GLOBAL"), self.alice, "psst", _AT, 1, end)
        self.clock.pump([0.001] * 1_200)
        self.assertEqual([orders for _, orders in self.ended], [[1], [2, 3], [4]])
        for (told, _), expected in zip(self.ended, (1.0, 1.02, 1.1), strict=True):
            self.assertApproximates(told, expected, 0.002)

    def test_end_chat(self) -> None:
        """All messages of a chat end at once, once, and no others do."""
        timed = self.add(3, "team")
        self.add(4, "team")
        self.add(5)
        self.timed.end_chat(7)
        self.assertEqual((self.ended, timed.text, timed_chat.left_ms(timed.end, 0.0)), ([(0.0, [1, 2])], "", 0))
        self.timed.end_chat(7)
        self.timed.end_chat((1, 2))
        self.clock.pump([0.25] * 24)
        self.assertEqual(self.ended[1:], [(5.0, [3])])

    def test_end_chat_then_nothing(self) -> None:
        """A message ended early does not end again at its time."""
        self.add(3, "team")
        self.timed.end_chat(7)
        self.clock.pump([0.25] * 16)
        self.assertEqual((self.ended, self.clock.getDelayedCalls()), ([(0.0, [1])], []))


class _SlowClock(Clock):
    """A clock on which each end takes 0.1 ms. It records the number of ends per turn."""

    def __init__(self) -> None:
        super().__init__()
        self.turns = [0]
        self.slow = True
        self.batches: list[int] = []
        self.seconds_of_each = 0.0001

    def callLater(self, when: float, what: Callable[..., object], *args: Any, **named: Any) -> Any:
        """A call is a turn of its own."""
        return super().callLater(when, self._turn, what, *args, **named)

    def told(self, ended: list[TimedMessage]) -> None:
        """Count ends."""
        self.turns[-1] += len(ended)
        self.batches.append(len(ended))
        if self.slow:
            self.rightNow += self.seconds_of_each * len(ended)

    def _turn(self, what: Callable[..., object], *args: Any, **named: Any) -> None:
        self.turns.append(0)
        what(*args, **named)


class SliceTests(SynchronousTestCase):
    """A thousand messages that end at once, in slices."""

    def setUp(self) -> None:
        """Half of them are from alice, the others from bob."""
        users = [StoredUser(number, name, name) for number, name in enumerate(("alice", "bob", "carol"), 1)]
        self.directory = Directory(Snapshot(users, [], []))
        self.alice, self.bob, self.carol = self.directory.users.values()
        self.clock = _SlowClock()
        self.patch(timed_chat, "_BLOCK_MOST", 100)
        self.timed = TimedMessages(self.clock, self.clock.told)
        for number in range(1_000):
            sender = (self.alice, self.bob)[number % 2]
            self.timed.add(self.directory.chat(sender, "GLOBAL"), sender, "psst", _AT, 5, 5.0)

    def test_end(self) -> None:
        """They end in slices."""
        self.clock.advance(5)
        self.clock.advance(1)
        self.assertEqual((sum(self.clock.turns), max(self.clock.turns) < 250), (1_000, True))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_batches(self) -> None:
        """Batches are small at first, grow while they are quick, and shrink to a few ends when each takes long."""
        self.clock.slow = False
        self.clock.advance(5)
        self.assertEqual(self.clock.batches, [8, 16, 32, 64, *[128] * 6, 112])
        self.clock.batches.clear()
        for count in 1, 200:
            for _ in range(count):
                self.timed.add(self.directory.chat(self.alice, "GLOBAL"), self.alice, "psst", _AT, 5, 5.0)
            self.clock.pump([0.25] * 4)
        self.assertEqual(self.clock.batches, [1, 128, 72])
        self.clock.slow, self.clock.seconds_of_each = True, 0.002
        for count in 50, 10:
            self.clock.batches.clear()
            for _ in range(count):
                self.timed.add(self.directory.chat(self.alice, "GLOBAL"), self.alice, "psst", _AT, 5, 5.0)
            self.clock.pump([0.25] * 30)
        self.assertEqual(self.clock.batches, [2] * 5)

    def test_slices_while_the_clock_stands(self) -> None:
        """A turn ends at most eight batches, even if the clock stands still. All end eventually."""
        self.patch(timed, "_BATCH", 10)
        self.clock.slow = False
        self.clock.advance(5)
        self.clock.advance(1)
        self.assertEqual((sum(self.clock.turns), max(self.clock.turns)), (1_000, 80))

    def test_slices_of_a_user_while_the_clock_stands(self) -> None:
        """The same holds for the early end of one user's messages: eight blocks per turn."""
        self.clock.slow = False
        self.timed.end_of(self.alice)
        self.assertEqual(self.clock.turns, [400])
        self.clock.advance(1)
        self.assertEqual(sum(self.clock.turns), 500)

    def test_over(self) -> None:
        """Messages whose slice has not run are not returned to anyone."""
        self.clock.rightNow = 5.0
        self.assertEqual(list(self.timed.newest_first(GLOBAL, self.carol)), [])
        self.assertEqual(list(self.timed.missed(self.carol, 0)), [])

    def test_end_of(self) -> None:
        """One user's messages end in slices. From the first slice on, nobody sees or counts the others."""
        self.timed.end_of(self.alice)
        self.assertLess(self.clock.turns[0], 250)
        seen = {timed.sender for timed in self.timed.newest_first(GLOBAL, self.carol)}
        self.assertEqual((seen, [unread for _, _, unread in self.timed.chats_of(self.carol)]), ({self.bob}, [500]))
        self.clock.advance(1)
        alive = [self.timed.count_of(user) for user in (self.alice, self.bob)]
        self.assertEqual((sum(self.clock.turns), alive), (500, [0, 500]))
        self.assertEqual(self.timed._senders_cut, frozenset())
