"""The replies to the senders of timed messages, and their nonces."""

import math
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from irchat.chat.state.directory import Directory
from irchat.chat.timed.timed_messages import TimedMessages
from irchat.chat.timed.timed_replies import TimedNonces, TimedSent, WhenSettled
from irchat.interfaces.stored import Snapshot, StoredUser
from irchat.protocol.errors import Code, Refusal
from irchat.protocol.events import Sent
from irchat.protocol.rules import NONCE_SECONDS


class ReplyTests(SynchronousTestCase):
    """Replies to a message of alice."""

    def setUp(self) -> None:
        """Send it."""
        directory = Directory(Snapshot([StoredUser(1, "alice", "alice"), StoredUser(2, "bob", "bob")], [], []))
        self.alice = directory.users[1]
        self.clock = Clock()
        timed = TimedMessages(self.clock, lambda ended: None)
        self.timed = timed.add(directory.chat(self.alice, "@bob"), self.alice, "psst", 1_000, 9, 9.0)

    def asked(self, sent: TimedSent) -> Deferred[Any]:
        """Ask for the reply when it is settled."""
        asked: Deferred[Any] = Deferred()
        WhenSettled(asked).callback(sent)
        return asked

    def test_closed(self) -> None:
        """Without other nodes it is known at once whom a message reached."""
        sent = TimedSent(self.timed, 1, 2)
        self.assertIs(self.successResultOf(self.asked(sent)), sent)
        event = sent.event(1.0)
        self.assertEqual((event.chat, event.id, event.left_ms), ("@bob", self.timed.id, 8_000))
        self.assertEqual((event.reached, event.of, sent.reached, sent.of), (1, 2, 1, 2))

    def test_nobody(self) -> None:
        """A message may reach nobody, and its reply never expires."""
        sent = TimedSent(self.timed, 0, 0)
        self.assertEqual((sent.id, sent.reached, sent.of, sent.until()), (self.timed.id, 0, 0, math.inf))
        self.assertEqual((sent.event(9.5).left_ms, sent.event(9.5).reached), (0, 0))

    def test_open(self) -> None:
        """All that ask for an open reply get it when it is settled, and with the first numbers."""
        sent = TimedSent(self.timed, 1, 5, is_open=True)
        asked = [self.asked(sent), self.asked(sent)]
        self.assertNoResult(asked[0])
        sent.settle(3)
        sent.settle(4)
        self.assertEqual([self.successResultOf(one).reached for one in asked], [3, 3])
        self.assertEqual((self.successResultOf(self.asked(sent)).event(0.0).reached, sent.is_open), (3, False))

    def test_others_pass(self) -> None:
        """The reply to a repeated stored message and a refusal need not wait."""
        asked: Deferred[Any] = Deferred()
        stored = Sent(chat="GLOBAL", at="then", seq=3)
        WhenSettled(asked).callback(stored)
        self.assertIs(self.successResultOf(asked), stored)
        refused: Deferred[Any] = Deferred()
        WhenSettled(refused).errback(Failure(Refusal(Code.BLOCKED, "no")))
        self.failureResultOf(refused, Refusal)

    def test_nonces(self) -> None:
        """A nonce is found for ten minutes, by its user only, and then forgotten."""
        nonces = TimedNonces(self.clock.seconds)
        sent = TimedSent(self.timed, 1, 2)
        nonces.remember(self.alice, "n", sent)
        nonces.remember(self.alice, None, sent)
        self.assertEqual(nonces.by_id(), {self.timed.id: ("n", sent)})
        self.assertIs(nonces.find(1, "n"), sent)
        self.assertEqual([nonces.find(2, "n"), nonces.find(1, "m"), nonces.find(1, None)], [None, None, None])
        self.clock.advance(NONCE_SECONDS)
        self.assertIsNone(nonces.find(1, "n"))
        nonces.remember(self.alice, "later", sent)
        self.assertEqual(list(nonces._sent), [(1, "later")])
