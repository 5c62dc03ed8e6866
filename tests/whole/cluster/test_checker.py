"""The checker of recorded histories finds each kind of violation."""

from collections.abc import Iterator

from twisted.trial.unittest import SynchronousTestCase

from tests.helpers.cluster import checker
from tests.helpers.cluster.history import (
    Answered,
    BlockAnswered,
    BlockAsked,
    Came,
    Erased,
    History,
    Left,
    Paged,
    Posted,
    Presence,
    Record,
    Refused,
    Shown,
    ShownTimed,
    Stored,
    StoredText,
    canonical,
)

_BOTH = frozenset({"ann", "bob"})


def _good() -> tuple[History, Stored]:
    """Ann (connection 1) writes three messages and a timed one to Bob, who loses connection 2 and comes back as 3."""
    stored = {"GLOBAL": {seq: StoredText("ann", f"ann-{seq}") for seq in (1, 2, 3)}}
    history: History = [
        Came(1, "ann", 1, frozenset({"ann"})),
        Came(1, "bob", 2, _BOTH),
        Presence(1, "ann", 1, frozenset({"bob"}), frozenset()),
        Paged(1, "bob", 2, "GLOBAL", 0),
        Posted(2, "ann", 1, "GLOBAL", "ann-1", 0),
        Answered(2, "ann", 1, "GLOBAL", "ann-1", 1),
        Shown(2, "bob", 2, "GLOBAL", 1, "ann", "ann-1", True),
        Posted(2, "ann", 1, "GLOBAL", "secret", 2),
        Answered(2, "ann", 1, "GLOBAL", "secret", 0, "T", 2_000, 1),
        ShownTimed(2, "bob", 2, "GLOBAL", "T", "ann", "secret", 2_000, True),
        Erased(4, "bob", 2, "T"),
        Posted(5, "ann", 1, "GLOBAL", "ann-2", 0),
        Shown(5, "bob", 2, "GLOBAL", 2, "ann", "ann-2", True),
        Posted(5.5, "ann", 1, "GLOBAL", "ann-3", 0),
        Left(6, "bob", 2),
        Answered(6, "ann", 1, "GLOBAL", "ann-2", 2),
        Answered(6, "ann", 1, "GLOBAL", "ann-3", 3),
        Came(7, "bob", 3, _BOTH),
        Shown(7, "bob", 3, "GLOBAL", 3, "ann", "ann-3", False),
        Paged(7, "bob", 3, "GLOBAL", 2),
        Paged(20, "bob", 3, "GLOBAL", 3),
    ]
    return history, stored


def _blocked() -> History:
    """Bob blocks Ann from 10 to 30."""
    return [BlockAnswered(10, "bob", 3, "ann", True), BlockAsked(30, "bob", 3, "ann", False)]


class CheckerTests(SynchronousTestCase):
    """The checks."""

    def setUp(self) -> None:
        """Make a correct history."""
        self.history, self.stored = _good()

    def found(self) -> list[str]:
        """Return the violations."""
        return [*checker.check(self.history, self.stored, 1.5), *checker.presence(self.history, self.stored)]

    def replace(self, wanted: Record, *others: Record) -> None:
        """Replace a record by others."""
        index = self.history.index(wanted)
        self.history[index : index + 1] = others

    def drop(self, kind: type[Record], **fields: object) -> None:
        """Drop the only record of that kind with these fields."""
        (found,) = self.matching(kind, **fields)
        self.replace(found)

    def matching(self, kind: type[Record], **fields: object) -> Iterator[Record]:
        """Yield the records of that kind with these fields."""
        for one in self.history:
            if isinstance(one, kind) and all(getattr(one, name) == value for name, value in fields.items()):
                yield one

    def assert_found(self, *parts: str) -> None:
        """Check that each violation has one of ``parts``, and each part is in one."""
        found = self.found()
        for part in parts:
            self.assertTrue([one for one in found if part in one], (part, found))
        for one in found:
            self.assertTrue([part for part in parts if part in one], one)

    def test_correct(self) -> None:
        """A correct history has no violations."""
        self.assertEqual(self.found(), [])

    def test_lost(self) -> None:
        """An acknowledged message that is not stored is found."""
        del self.stored["GLOBAL"][3]
        self.assert_found("ann-3 was acknowledged as GLOBAL 3, and is stored as []", "was shown ann-3")

    def test_doubled(self) -> None:
        """A message that is stored twice is found."""
        self.stored["GLOBAL"][4] = StoredText("ann", "ann-3")
        self.assert_found("ann-3 is stored 2 times", "ann-3 was acknowledged", "bob never saw GLOBAL [4]")

    def test_moved(self) -> None:
        """A message that is stored elsewhere than acknowledged is found."""
        messages = self.stored["GLOBAL"]
        messages[2], messages[3] = messages[3], messages[2]
        self.assert_found("was acknowledged", "was sent before", "was shown")

    def test_not_sent(self) -> None:
        """A stored message that nobody sent there is found."""
        self.drop(Posted, text="ann-2")
        self.assert_found("who did not send it there")

    def test_stored_gap(self) -> None:
        """A gap in the numbers of the store is found."""
        self.stored["GLOBAL"][5] = self.stored["GLOBAL"].pop(3)
        self.replace(Answered(6, "ann", 1, "GLOBAL", "ann-3", 3), Answered(6, "ann", 1, "GLOBAL", "ann-3", 5))
        shown = Shown(7, "bob", 3, "GLOBAL", 3, "ann", "ann-3", False)
        self.replace(shown, shown._replace(seq=5))
        self.assert_found("without a gap")

    def test_two_answers(self) -> None:
        """A repetition with another answer is found."""
        self.history.append(Answered(9, "ann", 1, "GLOBAL", "ann-3", 2))
        self.assert_found("ann-3 was acknowledged as")

    def test_refused_order(self) -> None:
        """A message that was refused may be stored later than what was sent after it."""
        messages = self.stored["GLOBAL"]
        messages[2], messages[3] = messages[3], messages[2]
        self.history.append(Refused(5, "ann", 1, "ann-2", "unavailable"))
        self.assertEqual([one for one in self.found() if "sent before" in one], [])

    def test_shown_twice(self) -> None:
        """A message that comes twice in one connection is found."""
        (shown,) = self.matching(Shown, seq=2)
        self.replace(shown, shown, shown)
        self.assert_found("bob got GLOBAL 2 after 2")

    def test_out_of_order(self) -> None:
        """Messages out of order are found."""
        (shown,) = self.matching(Shown, seq=1)
        self.replace(shown)
        self.history.insert(self.history.index(Left(6, "bob", 2)), shown)
        self.assert_found("bob got GLOBAL 1 after 2")

    def test_gap(self) -> None:
        """A message that is missing between two others is found, in a connection and for the user."""
        self.drop(Shown, seq=1)
        self.assert_found("bob lacks GLOBAL [1]", "bob never saw GLOBAL [1]")

    def test_gap_of_a_reconnect(self) -> None:
        """A message that was missed while away is found."""
        self.drop(Shown, seq=3)
        self.assert_found("bob never saw GLOBAL [3]")

    def test_gap_of_pages(self) -> None:
        """A message that is missing between the page and what comes after it is found."""
        self.stored["GLOBAL"][4] = StoredText("bob", "bob-1")
        self.stored["GLOBAL"][5] = StoredText("ann", "ann-5")
        self.stored["GLOBAL"][6] = StoredText("ann", "ann-6")
        self.history += [
            Posted(30, "bob", 3, "GLOBAL", "bob-1", 0),
            Shown(30, "ann", 1, "GLOBAL", 4, "bob", "bob-1", True),
            Posted(30, "ann", 1, "GLOBAL", "ann-5", 0),
            Posted(30, "ann", 1, "GLOBAL", "ann-6", 0),
            Shown(31, "bob", 3, "GLOBAL", 6, "ann", "ann-6", True),
        ]
        self.assert_found("bob lacks GLOBAL [5] in connection 3", "bob never saw GLOBAL [5]")

    def test_block(self) -> None:
        """A message that is sent during a block and shown is found, and may be missing."""
        self.stored["GLOBAL"][4] = StoredText("ann", "ann-4")
        self.history += _blocked()
        self.history.insert(-1, Posted(11, "ann", 1, "GLOBAL", "ann-4", 0))
        self.assertEqual(self.found(), [])
        self.history.insert(-1, Shown(12, "bob", 4, "GLOBAL", 4, "ann", "ann-4", True))
        self.assert_found("bob was shown ann-4 of ann while bob blocked ann")

    def test_block_and_late_message(self) -> None:
        """A message of before the block is found where the block was answered, and may still come elsewhere."""
        self.stored["GLOBAL"][4] = StoredText("ann", "ann-4")
        self.history += _blocked()
        self.history.insert(-2, Posted(9, "ann", 1, "GLOBAL", "ann-4", 0))
        late = Shown(12, "bob", 4, "GLOBAL", 4, "ann", "ann-4", True)
        self.history.insert(-1, late)
        self.assertEqual(self.found(), [])
        self.replace(late, late._replace(connection=3))
        self.assert_found("bob was shown ann-4 of ann while bob blocked ann")

    def test_private(self) -> None:
        """A private message that reaches somebody else is found."""
        chat = canonical("@bob", "ann")
        self.assertEqual(chat, canonical("@ann", "bob"))
        self.stored[chat] = {1: StoredText("ann", "ann-9")}
        self.history += [
            Posted(30, "ann", 1, chat, "ann-9", 0),
            Shown(30, "bob", 3, chat, 1, "ann", "ann-9", True),
        ]
        self.assertEqual(self.found(), [])
        self.history.append(Shown(30, "eve", 9, chat, 1, "ann", "ann-9", True))
        self.assert_found("eve was shown ann-9")

    def test_timed_stored(self) -> None:
        """A timed message that is stored is found."""
        self.stored["GLOBAL"][4] = StoredText("ann", "secret")
        self.assert_found("secret is stored in GLOBAL", "secret is stored as", "bob never saw")

    def test_timed_too_late(self) -> None:
        """A timed message that is shown after its end is found."""
        self.history += [
            ShownTimed(8, "bob", 3, "GLOBAL", "T", "ann", "secret", 1_000, False),
            Erased(9, "bob", 3, "T"),
        ]
        self.assert_found("bob was shown secret after its end")

    def test_timed_sent_again(self) -> None:
        """A timed message may be sent again only if its connection was lost just after it was shown, unanswered."""
        shown = ShownTimed(2, "bob", 2, "GLOBAL", "N", "ann", "new", 2_000, True)
        again = [
            Posted(4, "ann", 4, "GLOBAL", "new", 2),
            shown._replace(at=4.1, connection=3, id="O"),
            Answered(4.2, "ann", 4, "GLOBAL", "new", 0, "O", 2_000, 1),
            Erased(6, "bob", 3, "O"),
        ]
        for left, found in (Left(3, "ann", 1), 0), (Left(3.9, "ann", 1), 1), (Left(3, "ann", 9), 1):
            history: History = [
                Posted(1.9, "ann", 1, "GLOBAL", "new", 2),
                shown,
                left,
                Erased(4, "bob", 2, "N"),
                *again,
            ]
            self.assertEqual(len(list(checker.timed(history, {}, 1.5))), found, left)

    def test_timed_twice(self) -> None:
        """A timed message that comes twice, also under another id, is found."""
        (shown,) = self.matching(ShownTimed, id="T")
        self.replace(shown, shown, shown)
        self.assert_found("bob got secret twice")
        self.setUp()
        self.replace(shown, shown, shown._replace(id="U"), Erased(2, "bob", 2, "U"))
        self.assert_found("secret was shown as T and as U")

    def test_erased_late(self) -> None:
        """An end that arrives late is found."""
        self.replace(Erased(4, "bob", 2, "T"), Erased(5.8, "bob", 2, "T"))
        self.assert_found("bob was told 1.8 s after the end of T")
        self.assertEqual(checker.check(self.history, self.stored, 2.0), [])

    def test_never_erased(self) -> None:
        """An end that is never told is found, unless the connection ended before."""
        self.drop(Erased, id="T")
        self.assert_found("bob was never told of the end of T")
        self.replace(Left(6, "bob", 2))
        self.history.insert(10, Left(3, "bob", 2))
        self.assertEqual([one for one in self.found() if "told" in one], [])

    def test_presence(self) -> None:
        """A user shown online without a connection is found, and a connected one that is not shown."""
        self.drop(Presence, user="ann")
        self.assert_found("ann (connection 1) is wrong about who is online: ['bob']")
        self.setUp()
        self.history.append(Left(21, "ann", 1))
        self.assert_found("bob (connection 3) is wrong about who is online: ['ann']")

    def test_unread(self) -> None:
        """Unread messages are those after the last own one and after the read marker."""
        self.assertEqual(checker.unread(self.stored, "bob", {"GLOBAL": 1}, set()), {"GLOBAL": {(1, 2)}})
        self.assertEqual(checker.unread(self.stored, "ann", {}, set()), {"GLOBAL": {(3, 0)}})

    def test_unread_past_hidden(self) -> None:
        """A read marker may have moved past the messages of a foe, but not past those of others."""
        stored = {"GLOBAL": {seq: StoredText(sender, "") for seq, sender in enumerate(["ann", "cid", "cid", "ann"], 1)}}
        found = checker.unread(stored, "bob", {"GLOBAL": 1}, {"cid"})
        self.assertEqual(found, {"GLOBAL": {(1, 3), (2, 2), (3, 1)}})

    def test_absence(self) -> None:
        """The longest time without a connection is that of a user who lost the last one."""
        self.assertEqual(checker.longest_absence(self.history), 1.0)
        self.history.append(Left(21, "ann", 1))
        self.assertEqual(checker.longest_absence(self.history), float("inf"))

    def test_delays_of_ends(self) -> None:
        """The delays of ends are those of the received ends, and none is below 0."""
        self.assertEqual(checker.delays_of_ends(self.history), [0.0])
        self.replace(Erased(4, "bob", 2, "T"), Erased(5.5, "bob", 2, "T"), Erased(6, "bob", 2, "U"))
        self.assertEqual(checker.delays_of_ends(self.history), [1.5])
