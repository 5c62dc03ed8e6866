"""The allowance of a session: what it takes from the limiters of its user and address, and when it continues."""

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from irchat.interfaces.limits import Limits
from irchat.protocol import requests
from irchat.protocol.errors import Code, Refusal
from irchat.server.sessions.allowance import LONG, Allowance
from irchat.server.sessions.costs import ADDRESS_SHARE, BYTES_OF_MS, WORK_A_SECOND, WORK_AT_ONCE, WORK_OF_LINE, Cost
from irchat.server.sessions.rate_limiter import RateLimiters


class AllowanceTests(SynchronousTestCase):
    """`Allowance`."""

    def setUp(self) -> None:
        """Create a session of user 1, and record when it may continue."""
        self.clock = Clock()
        self.limiters = RateLimiters(Limits(rate=1), self.clock)
        self.went: list[str] = []
        self.allowance = self.session("first")
        self.allowance.enter(1)
        self.user, self.address = self.limiters.of(1), self.limiters.of("192.0.2.1")

    def session(self, name: str, address: str = "192.0.2.1") -> Allowance:
        """Return the allowance of a session without a user."""
        return Allowance(self.limiters, address, lambda: self.went.append(name))

    def test_charges_both(self) -> None:
        """Work counts for the user and the address, before the sign-in only for the address."""
        self.allowance.charge(10)
        self.session("second").charge(5)
        self.assertEqual((self.user.work, self.address.work), (WORK_AT_ONCE - 10, WORK_AT_ONCE * ADDRESS_SHARE - 15))
        self.allowance.part()
        self.allowance.charge(1)
        self.assertEqual((self.user.work, self.address.work), (WORK_AT_ONCE - 10, WORK_AT_ONCE * ADDRESS_SHARE - 16))

    def test_lines(self) -> None:
        """A line says whether the work of the user or the address may be used up, to a guest only the address."""
        guest = self.session("guest")
        for limiter, of_user, of_guest in ((self.user, True, False), (self.address, True, True)):
            before, limiter.work = limiter.work, WORK_OF_LINE
            self.assertEqual((self.allowance.charge_line(9), guest.charge_line(9)), (of_user, of_guest))
            limiter.work = before
        before = self.user.work, self.address.work
        self.assertEqual((self.allowance.charge_line(9), guest.charge_line(9)), (False, False))
        self.assertAlmostEqual(before[0] - self.user.work, WORK_OF_LINE)
        self.assertAlmostEqual(before[1] - self.address.work, 2 * WORK_OF_LINE)

    def test_charges_what_is_long(self) -> None:
        """A line or reply costs by its length above 4 KiB."""
        self.allowance.charge_bytes(LONG)
        self.assertEqual(self.user.work, WORK_AT_ONCE)
        self.allowance.charge_bytes(LONG + 1)
        self.assertEqual(self.user.work, WORK_AT_ONCE - (LONG + 1) / BYTES_OF_MS)

    def test_waits_for_the_user(self) -> None:
        """If the user's work is used up the session waits, and continues when some is back."""
        self.assertFalse(self.allowance.is_used_up())
        self.allowance.charge(WORK_AT_ONCE)
        self.assertEqual([self.allowance.is_used_up() for _ in range(3)], [True] * 3)
        self.assertEqual((self.went, len(self.clock.getDelayedCalls())), ([], 1))
        self.clock.advance(0.01)
        self.assertEqual((self.went, self.clock.getDelayedCalls()), (["first"], []))
        self.assertFalse(self.allowance.is_used_up())

    def test_waits_for_the_address(self) -> None:
        """The same holds for the work of an address and all of its sessions, signed in or not, and for no other."""
        second, other = self.session("second"), self.session("other", "192.0.2.2")
        second.charge(WORK_AT_ONCE * ADDRESS_SHARE)
        self.assertEqual([one.is_used_up() for one in (self.allowance, second, other)], [True, True, False])
        self.clock.advance(0.01)
        self.assertEqual(self.went, ["first", "second"])

    def test_work_comes_back_unseen(self) -> None:
        """Work that came back since lets the session continue without waiting."""
        self.allowance.charge(WORK_AT_ONCE + WORK_A_SECOND)
        self.clock.advance(1.01)
        self.assertFalse(self.allowance.is_used_up())
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_over(self) -> None:
        """An ended session does not continue, and its limiters are kept only until they are full."""
        self.allowance.charge(WORK_AT_ONCE)
        self.assertTrue(self.allowance.is_used_up())
        self.allowance.part()
        self.allowance.over()
        self.assertEqual(set(self.limiters._kept), {self.user, self.address})
        self.clock.advance(0.01)
        self.assertEqual(self.went, [])

    def test_admits(self) -> None:
        """Messages count for the user. Free requests, and requests without a user, are always admitted."""
        asked = requests.Send(chat="GLOBAL", text="hi")
        one, none = Cost(1, 1), Cost(1)
        for _ in range(3):
            self.allowance.admit(one, asked, None)
        self.assertIs(self.assertRaises(Refusal, self.allowance.admit, one, asked, None).code, Code.TOO_FAST)
        self.allowance.admit(none, asked, None)
        self.clock.advance(3)
        self.allowance.admit(Cost(1, 9), asked, None)
        self.allowance.admit(none, asked, None)
        self.allowance.part()
        self.allowance.admit(one, asked, None)

    def test_waits_for_messages(self) -> None:
        """After a refusal the session waits until the rate admits the request, and takes nothing for the wait."""
        asked, one = requests.Send(chat="GLOBAL", text="hi"), Cost(1, 1)
        for _ in range(3):
            self.allowance.admit(one, asked, None)
        self.allowance.wait_for_messages(Cost(1, lambda request, user: 2), asked, None)
        self.clock.advance(1.99)
        self.assertEqual((self.allowance.is_used_up(), self.went), (True, []))
        self.clock.advance(0.02)
        self.assertEqual((self.allowance.is_used_up(), self.went), (False, ["first"]))
        for _ in range(2):
            self.allowance.admit(one, asked, None)

    def test_waits_for_no_messages(self) -> None:
        """A line that is no request, and a session without a user, do not wait for messages."""
        self.allowance.wait_for_messages(Cost(1, 1), None, None)
        guest = self.session("guest")
        guest.wait_for_messages(Cost(1, 1), requests.Send(chat="GLOBAL", text="hi"), None)
        self.assertEqual([one.is_used_up() for one in (self.allowance, guest)], [False, False])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_admits_by_the_request(self) -> None:
        """A cost may be a function of the request and its user. A line that is no request counts as no message."""
        user, asked = object(), requests.Send(chat="GLOBAL", text="hi")
        seen: list[object] = []
        cost = Cost(1, lambda request, of: seen.extend((request, of)) or 3)
        for _ in range(9):
            self.allowance.admit(cost, None, user)
        self.allowance.admit(cost, asked, user)
        self.assertEqual(seen, [asked, user])
        self.assertRaises(Refusal, self.allowance.admit, Cost(1, 1), asked, user)

    def test_part_without_a_user(self) -> None:
        """A session without a user leaves nothing, and leaving twice is leaving once."""
        self.allowance.part()
        self.limiters._kept.clear()
        self.allowance.part()
        self.assertEqual(list(self.limiters._kept), [])
