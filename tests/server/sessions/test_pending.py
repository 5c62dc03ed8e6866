"""A request on its way through a session, and replies that change while they wait or cannot be encoded."""

import math
from types import SimpleNamespace
from typing import Any

from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from irchat.chat.timed.timed_replies import TimedSent
from irchat.protocol import events
from irchat.protocol.errors import Code, Refusal
from irchat.server.sessions.pending import UNHEARD, Asked, Reply, failed, perishable


class _Session:
    """Notes what it is to say."""

    def __init__(self) -> None:
        self.said: list[tuple[object, Asked]] = []

    def answer(self, reply: Reply, asked: Asked, /) -> None:
        self.said.append((reply, asked))

    def fail(self, failure: Failure, asked: Asked, /) -> None:
        self.said.append((failure.value, asked))


class AskedTests(SynchronousTestCase):
    """`Asked`."""

    def setUp(self) -> None:
        """Ask twice, in the same words."""
        self.session = _Session()
        self.first, self.second = Asked(self.session, "context"), Asked(self.session, "context")

    def test_result(self) -> None:
        """The session gets each result of a change, and each error, together with its request."""
        reply, error = events.Ok(), ValueError("wrong")
        self.second.callback(reply)
        self.first.errback(Failure(error))
        self.assertEqual(self.session.said, [(reply, self.second), (error, self.first)])

    def test_equal_requests(self) -> None:
        """Two requests that are alike are not one."""
        self.assertNotEqual(self.first, self.second)
        self.assertEqual([self.first, self.second].index(self.second), 1)

    def test_nothing_asked(self) -> None:
        """A line that is no request costs no work as a request, because its refusal is charged, and runs alone."""
        self.assertEqual((self.first.cost.work, self.first.cost.messages, self.first.exclusive), (0, 0, True))


class _Protocol:
    """Encodes a receipt by what is left, and fails on request."""

    broken = False

    def reply(self, context: object, event: Any) -> bytes:
        if isinstance(event, events.Error):
            return f"{context} {event.code}".encode()
        if self.broken:
            raise ValueError("broken")
        return f"{context} first {event.left_ms}".encode()

    def again(self, context: object, event: events.Sent) -> bytes:
        return f"{context} again {event.left_ms}".encode()


class ReplyTests(SynchronousTestCase):
    """`TimedSent`, `perishable` and `failed`."""

    def setUp(self) -> None:
        """Make the receipt of a message that ends in 10 s."""
        self.now = 100.0
        self.protocol: Any = _Protocol()
        everyone = SimpleNamespace(label=lambda sender: "GLOBAL")
        timed: Any = SimpleNamespace(id="t1", chat=everyone, sender=None, at=0, expires_at=10_000, end=self.now + 10)
        self.receipt = TimedSent(timed, 0, 0)

    def left(self, moment: float) -> int | None:
        """Return the milliseconds left at that moment."""
        return self.receipt.event(moment).left_ms

    def test_left(self) -> None:
        """The time left of the message falls, and is never below 0."""
        self.assertEqual([self.left(moment) for moment in (100.0, 104.0, 110.0, 999.0)], [10_000, 6_000, 0, 0])

    def test_receipt_never_ends(self) -> None:
        """A receipt has no text, so it waits as long as it likes."""
        self.assertEqual(self.receipt.until(), math.inf)

    def test_perishable(self) -> None:
        """A line that was not sent at once is encoded again for the time at which it is sent."""
        line = perishable(self.protocol, "context", self.receipt, lambda: self.now)
        self.assertEqual(line.data, b"context first 10000")
        self.now = 103.0
        self.assertTrue(line.renew())
        self.assertEqual(line.data, b"context again 7000")

    def test_failed(self) -> None:
        """A reply that cannot be encoded is an internal error, and the exception is in the log once."""
        self.protocol.broken = True
        line = perishable(self.protocol, "context", self.receipt, lambda: self.now)
        self.assertEqual(line.data, f"context {Code.INTERNAL.value}".encode())
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)

    def test_failed_alone(self) -> None:
        """The error that takes the place of a reply has the context of its request."""
        try:
            raise KeyError("x")
        except KeyError:
            data = failed(self.protocol, "other")
        self.assertEqual(data, f"other {Code.INTERNAL.value}".encode())
        self.assertEqual(len(self.flushLoggedErrors(KeyError)), 1)


class UnheardTests(SynchronousTestCase):
    """`UNHEARD`."""

    def test_outcomes(self) -> None:
        """A reply and a refusal are dropped, and any other failure is logged."""
        UNHEARD.callback(events.Ok())
        UNHEARD.errback(Failure(Refusal(Code.UNAVAILABLE, "Later.")))
        self.assertEqual(self.flushLoggedErrors(), [])
        UNHEARD.errback(Failure(ValueError("wrong")))
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)
