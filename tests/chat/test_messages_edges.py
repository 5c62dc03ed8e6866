"""Sending at the edges: notices, times ahead of the clock, changes of permission while a message waits, and nonces."""

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from irchat.chat import messages
from irchat.chat.timed.timed_replies import TimedSent
from irchat.interfaces.stored import GLOBAL
from irchat.protocol.errors import Code, Refusal
from irchat.protocol.rules import NONCE_SECONDS
from irchat.system.clock import rfc3339
from tests.helpers.chat import BEGIN_MS, WorldTestCase


class NoticeTests(WorldTestCase):
    """Notices with nonces."""

    def test_not_allowed_any_more(self) -> None:
        """A repeated notice returns the first reply too, and a new one is refused."""
        first = self.done(self.world.send("alice", "@bob", nonce="n", is_notice=True))
        timed = self.done(self.world.send("alice", "@bob", nonce="t", expires_in=9))
        self.block("bob", "alice")
        self.assertEqual(self.done(self.world.send("alice", "@bob", nonce="n", is_notice=True)), first)
        self.assertEqual(self.done(self.world.send("alice", "@bob", nonce="t", is_notice=True)), timed)
        self.refused(Code.BLOCKED, self.world.send, "alice", "@bob", nonce="new", is_notice=True)
        self.refused(Code.BLOCKED, self.world.send, "alice", "@bob", is_notice=True)


class TimesAheadTests(WorldTestCase):
    """Messages of one chat whose times are ahead of the clock."""

    def at(self, chat: str = "GLOBAL", expires_in: int | None = 9) -> int:
        """Send a message. Return the milliseconds of its time."""
        return int(self.done(self.world.send("alice", chat, expires_in=expires_in)).at[20:23])

    def test_within_a_millisecond(self) -> None:
        """A timed message is not earlier than the stored ones before it in its chat. Other chats have their own."""
        self.assertEqual([self.at(expires_in=None) for _ in range(3)], [0, 1, 2])
        self.assertEqual((self.at(), self.at("@bob")), (2, 0))
        self.world.ms += 1
        self.assertEqual(self.at(), 2)
        self.world.ms += 1
        self.assertEqual((self.at(), self.world.chat.messages._ahead), (2, {}))
        self.world.ms += 1
        self.assertEqual(self.at(), 3)

    def test_bounded(self) -> None:
        """Few chats are remembered, and the latest among them."""
        self.patch(messages, "_AHEAD_MOST", 2)
        for number in range(1, 6):
            self.world.chat.messages.note_ahead(number, BEGIN_MS + number)
            if number == 2:
                self.assertEqual(list(self.world.chat.messages._ahead), [1, 2])
        self.assertEqual(self.world.chat.messages._ahead, {5: BEGIN_MS + 5})
        self.assertEqual(self.world.chat.messages.next_timed_at(5, BEGIN_MS), BEGIN_MS + 5)

    def test_of_other_nodes(self) -> None:
        """Only a stored message of another node that is ahead of the clock is remembered."""
        for at, ahead in (BEGIN_MS, {}), (BEGIN_MS + 1, {GLOBAL: BEGIN_MS + 1}):
            stored = messages.Stored(GLOBAL, 1, at, repeated=False)
            self.world.chat.messages.note_stored(self.world["bob"], stored)
            self.assertEqual(self.world.chat.messages._ahead, ahead)


class WaitingTests(WorldTestCase):
    """Messages that are checked again, or whose permission changes meanwhile."""

    def test_checked_again(self) -> None:
        """A timed message that is checked again after a lost turn is sent if it is allowed by then."""
        change = self.world.chat.messages.to_send(
            self.world["alice"], "@bob", "hi", expires_in=9, nonce="n", origin=None
        )
        self.block("bob", "alice")
        self.assertIsNotNone(change.check())
        self.block("bob", "alice", on=False)
        change.check()
        self.assertIsInstance(change.reply(None, []), TimedSent)

    def test_refusal_keeps_nothing(self) -> None:
        """The refusal that waits for the lookup of a nonce holds no frame of the check."""
        change: Any = self.world.chat.messages.to_send(
            self.world["alice"], "@nobody", "hi", expires_in=None, nonce="n", origin=None
        )
        change.check()
        self.assertIsNone(change.refusal.__traceback__)
        self.assertEqual(self.assertRaises(Refusal, change.reply, None, []).code, Code.NO_SUCH_USER)

    def test_take_back_ended(self) -> None:
        """Taking back a message that has ended publishes nothing."""
        self.done(self.world.send("alice", "GLOBAL", expires_in=9))
        (timed,) = self.world.chat.messages.timed.newest_of(self.world["alice"], GLOBAL)
        self.assertEqual(len(self.world.chat.messages.take_back(timed)), 1)
        self.assertEqual(self.world.chat.messages.take_back(timed), [])

    def test_of_removed(self) -> None:
        """A message of a user that was removed while it waited is refused, as is one to a removed user."""
        self.world.store.holding = True
        self.world.send("carol", "GLOBAL")
        removing: Deferred[Any] = Deferred.fromCoroutine(
            self.world.chat.moderation.remove("bob", False, lambda count: None)
        )
        late = [self.world.send("bob", "GLOBAL", expires_in=seconds) for seconds in (None, 9)]
        for _ in range(4):
            self.world.store.let_through()
        self.done(removing)
        for one in late:
            self.refused(Code.NOT_LOGGED_IN, lambda one=one: one)
        self.world.store.holding = False
        refusal = self.refused(Code.NO_SUCH_USER, self.world.send, "alice", "@bob#2")
        self.assertIn("bob#2 was removed", refusal.text)

    def test_characters(self) -> None:
        """A change counts with the length of its cleaned text, which limits a group."""
        for seconds in None, 9:
            change = self.world.chat.messages.to_send(
                self.world["alice"], "GLOBAL", "x" * 70, expires_in=seconds, nonce=None, origin=7
            )
            self.assertEqual((change.characters, change.origin, change.alone), (70, 7, False))


class NonceWindowTests(SynchronousTestCase):
    """The start of the time for which nonces are remembered."""

    def setUp(self) -> None:
        """Begin with a wall clock that is ahead of the forward clock."""
        self.clock = Clock()
        self.lead = BEGIN_MS
        self.window = messages._NonceWindow(self.clock, lambda: int(self.clock.seconds() * 1000) + self.lead)

    def age(self) -> int:
        """Return the age of the start of the window, in seconds."""
        return (int(self.clock.seconds() * 1000) + self.lead - self.window.begin()) // 1000

    def test_steady(self) -> None:
        """It is ten minutes long, and needs no memory."""
        for _ in range(5):
            self.assertEqual(self.age(), NONCE_SECONDS)
            self.clock.advance(400)
        self.assertEqual(len(self.window._leads), 1)

    def test_forward(self) -> None:
        """After a jump forward it is longer by the jump, for ten minutes from the last look before the jump."""
        self.window.begin()
        self.lead += 3_600_000
        self.clock.advance(1)
        self.assertEqual(self.age(), NONCE_SECONDS + 3_600)
        self.lead += 60_000
        self.clock.advance(NONCE_SECONDS - 1)
        self.assertEqual(self.age(), NONCE_SECONDS + 3_660)
        self.clock.advance(1)
        self.assertEqual(self.age(), NONCE_SECONDS + 60)
        self.clock.advance(NONCE_SECONDS)
        self.assertEqual(self.age(), NONCE_SECONDS)

    def test_back(self) -> None:
        """A jump back moves it back at once, as it moves the times of new nonces."""
        self.window.begin()
        self.lead -= 3_600_000
        self.assertEqual((self.age(), len(self.window._leads)), (NONCE_SECONDS, 1))


class StoredTimesTests(WorldTestCase):
    """The reply to a repetition."""

    def test_first_time(self) -> None:
        """A repetition has the time of the first message, also in a chat that has been renamed by a removal."""
        self.done(self.world.send("alice", "@bob", nonce="n"))
        self.world.pass_time(5)
        self.done(Deferred.fromCoroutine(self.world.chat.moderation.remove("bob", False, lambda count: None)))
        sent = self.done(self.world.send("alice", "@bob#2", nonce="n"))
        self.assertEqual((sent.chat, sent.at), ("@bob#2", rfc3339(BEGIN_MS)))
