"""Timed messages: who may see which of them, and when they end."""

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from irchat.chat.directory import Chat, Directory, User
from irchat.chat.timed import TimedMessage, TimedMessages
from irchat.interfaces import Snapshot, StoredGroup, StoredUser

_AT = 1_795_356_000_000


class TimedMessagesTests(SynchronousTestCase):
    """Timed messages by a clock set by hand, in chats of three users, two of them in a group."""

    def setUp(self) -> None:
        """Note what ends, and when."""
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
        """A timed message of alice's."""
        sender = sender or self.alice
        found = self.directory.chat(sender, chat)
        return self.timed.add(found, sender, text, _AT, seconds, self.clock.seconds() + seconds)

    def alive(self, reader: User, chat: str = "GLOBAL") -> list[int]:
        """The places of those that a reader finds in a chat."""
        return [timed.order for timed in self.timed.in_chat(self.directory.chat(reader, chat).key, reader)]

    def by_chat(self, reader: User) -> dict[str, list[int]]:
        """The places of those that a reader finds in all chats."""
        found: dict[str, list[int]] = {}
        for key, alive in self.timed.chats_of(reader):
            chat = self.directory.chat_by_key(key)
            assert isinstance(chat, Chat)
            found[chat.label(reader)] = [timed.order for timed in alive]
        return found

    def test_ends(self) -> None:
        """Each ends at its moment, whatever the order of sending; those of one moment end together in that order."""
        for seconds in (5, 2, 9, 2, 5):
            self.add(seconds)
        self.clock.pump([0.25] * 40)
        self.assertEqual(self.ended, [(2.0, [2, 4]), (5.0, [1, 5]), (9.0, [3])])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_many_ends(self) -> None:
        """Very many of one moment end in parts, each in a turn of its own, and all of them are over at that moment; so
        it is with those of a chat that ends."""
        for end in (lambda: self.clock.advance(2), lambda: self.timed.end_chat(7)):
            self.ended.clear()
            for _ in range(1_000):
                self.add(2, "team")
            end()
            self.assertEqual(self.alive(self.bob, "team"), [])
            self.clock.advance(0)
            self.assertEqual([(at, len(part)) for at, part in self.ended], [(2.0, 200)] * 5)

    def test_text_goes(self) -> None:
        """At its end the text is no longer in memory, nor are the chat and its users among those that have any."""
        timed = [self.add(2), self.add(2, "@bob"), self.add(2, "team")]
        self.clock.pump([0.25] * 8)
        self.assertEqual([one.text for one in timed], ["", "", ""])
        self.assertEqual((self.timed._by_chat, self.timed._private_chats, self.timed._ends), ({}, {}, []))

    def test_one_alarm(self) -> None:
        """However many wait, the reactor holds one call."""
        for seconds in range(1, 1_001):
            self.add(seconds)
            self.add(1_001 - seconds)
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)

    def test_clock_jump(self) -> None:
        """A clock that jumped, as over a suspend, ends what it passed within a quarter of a second."""
        self.add(3_600)
        self.add(10_000)
        self.clock.rightNow += 3_600  # the machine slept
        self.assertEqual(self.alive(self.bob), [2])
        self.clock.advance(0.25)
        self.assertEqual(self.ended, [(3600.25, [1])])

    def test_over_before_the_alarm(self) -> None:
        """At its end it is not given any more, even where the alarm has not come."""
        timed = self.add(5)
        self.clock.rightNow += 4.999
        self.assertEqual((self.alive(self.bob), timed.left_ms(self.clock.seconds())), ([1], 1))
        self.clock.rightNow = 5.0
        self.assertEqual((self.alive(self.bob), self.by_chat(self.bob), self.timed.missed(self.bob, 0)), ([], {}, []))
        self.assertEqual((self.ended, timed.left_ms(6.0)), ([], 0))

    def test_event(self) -> None:
        """A reader is told of it with the chat's name on the reader's side and what remains of its life."""
        timed = self.add(5, "@bob")
        event = timed.event(self.bob, 1.5)
        self.assertEqual((event.chat, event.sender, event.text, event.seq), ("@alice", "alice", "psst", None))
        self.assertEqual((event.id, event.left_ms), (timed.id, 3_500))
        self.assertEqual((event.at, event.expires_at), ("2026-11-22T14:00:00.000Z", "2026-11-22T14:00:05.000Z"))
        self.assertEqual(timed.event(self.alice, 0).chat, "@bob")

    def test_ids_differ(self) -> None:
        """No two have the same id, and it tells nothing of how many there were."""
        ids = {self.add(5).id for _ in range(100)}
        self.assertEqual((len(ids), min(map(len, ids))), (100, 16))

    def test_chats(self) -> None:
        """A reader finds those of GLOBAL, of one's groups and one's private chats; chats without any are left out."""
        self.add(5)
        self.add(5, "@bob")
        self.add(5, "team")
        self.add(5, "@carol")
        self.add(5)
        self.assertEqual(self.by_chat(self.alice), {"GLOBAL": [1, 5], "*team": [3], "@bob": [2], "@carol": [4]})
        self.assertEqual(self.by_chat(self.bob), {"GLOBAL": [1, 5], "*team": [3], "@alice": [2]})
        self.assertEqual(self.by_chat(self.carol), {"GLOBAL": [1, 5], "@alice": [4]})
        self.assertEqual([timed.order for timed in self.timed.missed(self.bob, 2)], [2, 3, 5])

    def test_private_chat_over(self) -> None:
        """A private chat is forgotten with its last timed message, not before, and others of its users stay."""
        self.add(2, "@bob")
        self.add(4, "@bob")
        self.add(6, "@carol")
        self.clock.pump([0.25] * 8)
        self.assertEqual(self.by_chat(self.alice), {"@bob": [2], "@carol": [3]})
        self.clock.pump([0.25] * 8)
        self.assertEqual((self.by_chat(self.alice), self.by_chat(self.bob)), ({"@carol": [3]}, {}))

    def test_late_member(self) -> None:
        """Who joins a group finds what is sent from then on, also on coming back."""
        self.add(9, "team")
        self.directory.add_member(self.team, self.carol)
        self.add(9, "team")
        self.assertEqual((self.alive(self.carol, "team"), self.alive(self.bob, "team")), ([2], [1, 2]))
        self.directory.remove_member(self.team, self.bob)
        self.timed.lose_sight(self.team.id, self.bob)
        self.add(9, "team")
        self.directory.add_member(self.team, self.bob)
        self.assertEqual((self.alive(self.bob, "team"), self.alive(self.carol, "team")), ([], [2, 3]))
        self.assertEqual(self.timed.missed(self.bob, 0), [])

    def test_one_set_of_those_who_may_see(self) -> None:
        """Who leaves a group does not make each of its messages hold a set of its own, of up to a thousand members."""
        first = [self.add(5, "team") for _ in range(3)]
        self.directory.add_member(self.team, self.carol)
        second = [self.add(5, "team") for _ in range(3)]
        self.assertEqual(self.alive(self.carol, "team"), [4, 5, 6])
        self.directory.remove_member(self.team, self.carol)
        self.timed.lose_sight(7, self.carol)
        self.assertEqual({id(one.may_see) for one in first + second}, {id(first[0].may_see)})
        self.assertEqual(first[0].may_see, {1, 2})

    def test_sight_of_others(self) -> None:
        """To lose sight of a chat without any, or of one that is no group, changes nothing."""
        self.add(9)
        self.timed.lose_sight(self.team.id, self.bob)
        self.timed.lose_sight(1, self.bob)
        self.assertEqual(self.alive(self.bob), [1])

    def test_blocks(self) -> None:
        """While a block stands neither sees the other's; lifted, they are seen again."""
        self.add(9, sender=self.alice)
        self.add(9, sender=self.bob)
        self.directory.set_block(self.bob, self.alice, True)
        self.assertEqual([self.alive(user) for user in (self.alice, self.bob, self.carol)], [[1], [2], [1, 2]])
        self.directory.set_block(self.bob, self.alice, False)
        self.assertEqual([self.alive(user) for user in (self.alice, self.bob)], [[1, 2], [1, 2]])

    def test_unread(self) -> None:
        """It is unread to others until they read it, never to its sender."""
        timed = self.add(9)
        timed.note_read(self.bob)
        self.assertEqual([timed.unread_by(user) for user in (self.alice, self.bob, self.carol)], [False, False, True])

    def test_end_chat(self) -> None:
        """All in a chat end at once, once, and nothing else does."""
        self.add(3, "team")
        self.add(4, "team")
        self.add(5)
        timed = next(iter(self.timed._by_chat[7].values()))
        self.timed.end_chat(7)
        self.assertEqual((self.ended, timed.text, timed.left_ms(0.0)), ([(0.0, [1, 2])], "", 0))
        self.timed.end_chat(7)
        self.timed.end_chat((1, 2))
        self.clock.pump([0.25] * 24)
        self.assertEqual(self.ended[1:], [(5.0, [3])])

    def test_end_chat_then_nothing(self) -> None:
        """What ended before its time does not end again at its time."""
        self.add(3, "team")
        self.timed.end_chat(7)
        self.clock.pump([0.25] * 16)
        self.assertEqual((self.ended, self.clock.getDelayedCalls()), ([(0.0, [1])], []))
