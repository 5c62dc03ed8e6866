"""Tests of `irchat.server.admission`."""

import contextlib
from collections.abc import Sequence

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from irchat.interfaces.limits import Limits
from irchat.protocol.errors import Code, Refusal
from irchat.server import admission
from irchat.server.admission import Admission, Visit, counted_address


class AdmissionTests(SynchronousTestCase):
    """Limits on connections, sessions, sign-in attempts and registrations."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.limits = Limits(per_address=2, per_user=3, pending=4, tries=2, registrations=2)
        self.admission = Admission(self.limits, self.clock.seconds)

    def visit(self, address: str = "a") -> Visit:
        """Return a connection."""
        return Visit(self.admission, address)

    def refused(self, code: Code, call: object, *args: object) -> str:
        """Return the text with which ``call`` is refused with ``code``."""
        assert callable(call)
        refusal = self.assertRaises(Refusal, call, *args)
        self.assertEqual(refusal.code, code)
        return refusal.text

    def wrong(self, visit: Visit, name: str, code: Code = Code.BAD_CREDENTIALS) -> None:
        """Make a sign-in attempt that fails."""

        def attempt() -> None:
            with self.admission.trying(visit.address, name):
                raise Refusal(code, "wrong")

        self.refused(code, attempt)

    def right(self, visit: Visit, name: str) -> None:
        """Make a sign-in attempt that succeeds."""
        with self.admission.trying(visit.address, name):
            pass

    def register(self, visit: Visit, refusal: Refusal | None = None) -> None:
        """Create an account, or be refused."""
        with self.admission.registering(visit.address):
            if refusal is not None:
                raise refusal

    def test_connections_of_one_address(self) -> None:
        """The connections of an address without a sign-in are limited. One that ends makes room for another."""
        first, _ = self.visit(), self.visit()
        self.assertIn("your address", self.refused(Code.TOO_MANY, self.visit))
        self.visit("b")
        first.over()
        first.over()
        self.visit()

    def test_connections_in_all(self) -> None:
        """The connections of all addresses without a sign-in are limited."""
        visits = [self.visit(f"address {number}") for number in range(4)]
        self.refused(Code.TOO_MANY, self.visit, "one more")
        visits[0].enter(0)
        self.visit("one more")

    def test_sessions_of_one_address(self) -> None:
        """The sessions of an address are limited. Leaving one makes room, and its connection is again not signed in."""
        visits = [self.visit() for _ in range(2)]
        for visit in visits:
            visit.enter(0)
        third = self.visit()
        self.refused(Code.TOO_MANY, third.enter, 0)
        visits[0].leave()
        third.enter(0)
        self.visit()
        self.refused(Code.TOO_MANY, self.visit)
        visits[0].over()
        self.visit()

    def test_counts(self) -> None:
        """Connections without a sign-in are counted, and sessions by address. Nothing is kept of those that left."""
        first, second = self.visit(), self.visit("b")
        first.enter(0)
        second.enter(0)
        self.assertEqual((self.admission.pending, dict(self.admission.sessions_here())), (0, {"a": 1, "b": 1}))
        first.leave()
        self.assertEqual((self.admission.pending, dict(self.admission.sessions_here())), (1, {"b": 1}))
        for visit in first, second, first:
            visit.over()
        self.assertEqual((self.admission.pending, dict(self.admission.sessions_here())), (0, {}))
        self.assertEqual(self.admission.sign_ins, 2)

    def test_sessions_of_one_user(self) -> None:
        """The sessions of a user are limited."""
        self.refused(Code.TOO_MANY, self.visit().enter, 3)
        self.visit().enter(2)

    def test_pauses_grow(self) -> None:
        """After some failures there is a pause, doubled by each further one, without attempts meanwhile."""
        visit = self.visit()
        pauses = []
        self.wrong(visit, "bob")
        for _ in range(4):
            self.wrong(visit, "bob")
            tried = []
            waited = 0
            while not tried:
                try:
                    with self.admission.trying(visit.address, "bob"):
                        tried.append(True)
                        raise Refusal(Code.UNAVAILABLE, "not counted")
                except Refusal as refusal:
                    if refusal.code == Code.TOO_MANY_TRIES:
                        self.clock.advance(1)
                        waited += 1
            pauses.append(waited)
        self.assertEqual(pauses, [1, 2, 4, 8])

    def test_says_how_long(self) -> None:
        """The refusal says how many seconds are left of the pause."""
        visit = self.visit()
        self.clock.advance(1_000)
        for _ in range(6):
            self.admission.note_failed(["@bob"], succeeded=False)
        said = [self.refused(Code.TOO_MANY_TRIES, self.right, visit, "bob")]
        self.clock.advance(4.5)
        said.append(self.refused(Code.TOO_MANY_TRIES, self.right, visit, "bob"))
        self.assertEqual(said, [f"Too many sign-ins failed. Wait {left} seconds, then try again." for left in (16, 12)])

    def test_pause_of_a_name_is_short(self) -> None:
        """Failures for a name from elsewhere delay its owner by half a minute at most."""
        for number in range(20):
            visit = self.visit(f"address {number}")
            self.wrong(visit, "bob")
            visit.over()
            self.clock.advance(30)
        self.right(self.visit("home"), "bob")

    def test_name_is_paused_for_all_addresses(self) -> None:
        """Failures for a name count together, from all addresses and in any case."""
        self.wrong(self.visit("a"), "bob")
        self.wrong(self.visit("b"), "BOB")
        self.refused(Code.TOO_MANY_TRIES, self.right, self.visit("c"), "Bob")
        self.right(self.visit("d"), "alice")

    def test_name_is_paused_in_all_spellings(self) -> None:
        """Failures count together for all names that are equal in the directory, such as letters of another width."""
        self.wrong(self.visit("a"), "caf\u00e9")
        self.wrong(self.visit("b"), "\uff43afe\u0301")
        self.refused(Code.TOO_MANY_TRIES, self.right, self.visit("c"), "Caf\u00e9")

    def test_no_name(self) -> None:
        """An impossible name, such as one of 60,000 characters, counts for the address and is not kept."""
        self.wrong(self.visit("a"), "x" * 60_000)
        self.assertEqual(list(self.admission._failures), ["a"])

    def test_address_is_paused_for_all_names(self) -> None:
        """Failures from an address count together, whatever is tried, including tokens."""
        visit = self.visit()
        self.wrong(visit, "bob")
        self.wrong(visit, "", Code.BAD_TOKEN)
        self.refused(Code.TOO_MANY_TRIES, self.right, visit, "alice")

    def test_many_at_once(self) -> None:
        """Simultaneous attempts are as limited as consecutive ones, and other names are not delayed."""
        visits = [self.visit(f"address {number}") for number in range(3)]
        with self.admission.trying(visits[0].address, "bob"), self.admission.trying(visits[1].address, "BOB"):
            self.refused(Code.TOO_MANY_TRIES, self.right, visits[2], "bob")
            self.right(visits[2], "alice")
            self.right(visits[2], "")
        self.right(visits[2], "bob")

    def test_one_guess_after_a_pause(self) -> None:
        """After a pause one password is verified, for a name and for an address, however many arrive together."""
        for address, name in (("other", "bob"), ("home", "other")):
            self.admission = Admission(self.limits, self.clock.seconds)
            visit, another, away = self.visit("home"), self.visit(address), self.visit("away")
            for _ in range(2):
                self.wrong(visit, "bob")
            self.clock.advance(1)
            with self.admission.trying(visit.address, "bob"):
                for _ in range(10):
                    self.refused(Code.TOO_MANY_TRIES, self.right, another, name)
                self.right(away, "alice")

    def test_an_hour_gives_all_tries_back(self) -> None:
        """An hour without a failure restores the number of simultaneous attempts."""
        visits = [self.visit(address) for address in "abc"]
        for visit in visits[:2]:
            self.wrong(visit, "bob")
        self.clock.advance(3_600)
        with self.admission.trying(visits[0].address, "bob"), self.admission.trying(visits[1].address, "bob"):
            self.refused(Code.TOO_MANY_TRIES, self.right, visits[2], "bob")

    def test_what_is_under_way_counts_as_failed(self) -> None:
        """Pending attempts are deducted from the free ones."""
        visits = [self.visit(address) for address in "abc"]
        self.wrong(visits[0], "bob")
        with self.admission.trying(visits[1].address, "bob"):
            self.refused(Code.TOO_MANY_TRIES, self.right, visits[2], "bob")

    def test_tokens_beside_passwords(self) -> None:
        """A token cannot be guessed: it needs no free attempt, and takes none."""
        with contextlib.ExitStack() as tries:
            for _ in range(5):
                tries.enter_context(self.admission.trying("a", ""))
            for name in "bob", "carol":
                tries.enter_context(self.admission.trying("a", name))
            tries.enter_context(self.admission.trying("a", ""))
            self.refused(Code.TOO_MANY_TRIES, self.right, self.visit(), "dave")

    def test_guesses_of_a_day(self) -> None:
        """A name is tried less than 2,900 times a day by ten addresses that try every five seconds."""
        verified = 0
        for moment in range(0, 86_400, 5):
            under_way = []
            for number in range(10):
                trying = self.admission.trying(f"{moment} {number}", "bob")
                with contextlib.suppress(Refusal):
                    trying.__enter__()
                    under_way.append(trying)
            for trying in under_way:
                with contextlib.suppress(Refusal):
                    trying.__exit__(Refusal, Refusal(Code.BAD_CREDENTIALS, "wrong"), None)
            verified += len(under_way)
            self.clock.advance(5)
        self.assertTrue(2_800 < verified < 2_900, verified)

    def test_success_forgets(self) -> None:
        """A successful sign-in resets the failures, and so does an hour."""
        visit = self.visit()
        for _ in range(3):
            self.wrong(visit, "bob")
            self.right(visit, "bob")
        self.wrong(visit, "bob")
        self.clock.advance(3_600)
        self.wrong(visit, "bob")
        self.right(visit, "bob")

    def test_no_limits(self) -> None:
        """0 means no limit: nothing is counted."""
        self.limits.change_to(Limits(per_address=0, per_user=0, pending=0, tries=0, registrations=0))
        visits = [self.visit() for _ in range(100)]
        for visit in visits:
            visit.enter(1_000)
            self.register(visit)
            self.wrong(visit, "bob")

    def test_bounded(self) -> None:
        """Of very many addresses and names only the last are remembered."""
        self.patch(admission, "_REMEMBERED_MOST", 4)
        for number in range(3):
            visit = self.visit(f"address {number}")
            self.wrong(visit, f"name{number}")
            self.register(visit)
            visit.over()
        self.assertEqual(list(self.admission._failures), ["@name1", "address 1", "@name2", "address 2"])
        for number in range(3, 6):
            self.register(self.visit(f"address {number}"))
        self.assertEqual(list(self.admission._registrations), [f"address {number}" for number in range(2, 6)])

    def test_registrations(self) -> None:
        """The accounts created by an address in an hour are limited."""
        visit = self.visit()
        self.register(visit)
        self.register(visit)
        self.refused(Code.TOO_MANY_TRIES, self.register, visit)
        self.register(self.visit("b"))
        self.clock.advance(3_601)
        self.register(visit)

    def test_registrations_behind_a_balancer(self) -> None:
        """Without a limit by address, or with one of 0, new accounts are not limited: all may come from one address."""
        for limits in Limits(per_address=0, registrations=1), Limits(per_address=9, registrations=0):
            self.limits.change_to(limits)
            for _ in range(4):
                self.register(self.visit())

    def test_registrations_that_fail(self) -> None:
        """Only created accounts count: refused registrations keep nobody else from creating one."""
        visit = self.visit()
        for _ in range(10):
            self.refused(Code.WEAK_PASSWORD, self.register, visit, Refusal(Code.WEAK_PASSWORD, "too short"))
        self.register(visit)
        self.refused(Code.WEAK_PASSWORD, self.register, visit, Refusal(Code.WEAK_PASSWORD, "too short"))
        self.register(visit)
        self.refused(Code.TOO_MANY_TRIES, self.register, visit)


class AddressTests(SynchronousTestCase):
    """`counted_address`."""

    def test_addresses(self) -> None:
        """IPv4 counts the same when mapped to IPv6, an IPv6 /64 network as one, and anything else as it is."""
        for given, counted in [
            ("192.0.2.1", "192.0.2.1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
            ("2001:db8:0:1::1", "2001:db8:0:1::/64"),
            ("2001:db8:0:1:ffff::2", "2001:db8:0:1::/64"),
            ("fe80::1%eth0", "fe80::/64"),
            ("::1", "::1"),
            ("", ""),
        ]:
            self.assertEqual(counted_address(given), counted, given)


class OtherNodesTests(SynchronousTestCase):
    """Counts over several nodes."""

    def setUp(self) -> None:
        """Make the admission of one node, and record its messages to the others."""
        self.clock = Clock()
        limits = Limits(per_address=3, per_user=3, pending=9, tries=2, registrations=2)
        self.admission = Admission(limits, self.clock.seconds)
        self.admission.others = self
        self.told: list[object] = []
        self.elsewhere = 0

    def failed(self, keys: Sequence[str], *, succeeded: bool) -> None:
        """Record a failure or a success."""
        self.told.append((list(keys), succeeded))

    def registered(self, address: str) -> None:
        """Record a registration."""
        self.told.append(address)

    def set_sessions(self, address: str, sessions: int) -> None:
        """Record a number of sessions."""
        self.told.append((address, sessions))

    def sessions_of(self, address: str) -> int:
        """Return the number of sessions elsewhere."""
        return self.elsewhere

    def attempt(self, error: Code | None = None) -> None:
        """Try to sign in."""
        with self.admission.trying("a", "Bob"):
            if error is not None:
                raise Refusal(error, "wrong")

    def refused(self, code: Code, call: object, *args: object) -> None:
        """Check that ``call`` is refused with ``code``."""
        assert callable(call)
        self.assertEqual(self.assertRaises(Refusal, call, *args).code, code)

    def test_sessions(self) -> None:
        """The sessions of an address on all nodes are limited, and the others hear of those here."""
        visits = [Visit(self.admission, "a") for _ in range(3)]
        self.elsewhere = 1
        visits[0].enter(0)
        visits[1].enter(0)
        self.refused(Code.TOO_MANY, visits[2].enter, 0)
        visits[0].over()
        self.assertEqual(self.told, [("a", 1), ("a", 2), ("a", 1)])
        self.assertEqual(dict(self.admission.sessions_here()), {"a": 1})

    def test_failures(self) -> None:
        """Failures on all nodes are counted. A success after failures ends the count everywhere."""
        self.attempt()
        self.assertEqual(self.told, [])
        self.refused(Code.BAD_CREDENTIALS, self.attempt, Code.BAD_CREDENTIALS)
        self.assertEqual(self.told, [(["@bob", "a"], False)])
        self.attempt()
        self.assertEqual(self.told[1:], [(["@bob", "a"], True)])
        for _ in range(3):
            self.admission.note_failed(["@bob"], succeeded=False)
        self.refused(Code.TOO_MANY_TRIES, self.attempt)
        self.admission.note_failed(["@bob"], succeeded=True)
        self.attempt()
        self.assertEqual(len(self.told), 2)

    def test_pause_of_name(self) -> None:
        """The pauses for a name stay short, and those for an address grow, also by failures on other nodes."""
        for _ in range(20):
            self.admission.note_failed(["@bob", "b"], succeeded=False)
        self.clock.advance(31)
        self.attempt()
        with self.assertRaises(Refusal), self.admission.trying("b", "ann"):
            self.fail("it is paused")

    def test_registrations(self) -> None:
        """Registrations on all nodes are counted. The others hear of those that did not fail."""
        with self.assertRaises(Refusal), self.admission.registering("a"):
            raise Refusal(Code.NAME_TAKEN, "taken")
        self.assertEqual(self.told, [])
        with self.admission.registering("a"):
            pass
        self.assertEqual(self.told, ["a"])
        self.admission.note_registered("a")
        with self.assertRaises(Refusal), self.admission.registering("a"):
            self.fail("it is too much")
        self.clock.advance(3_601)
        with self.admission.registering("a"):
            pass
