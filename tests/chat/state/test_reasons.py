"""The reasons of removals, before they are committed."""

from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from irchat.chat.state import reasons
from irchat.chat.state.reasons import Reasons
from irchat.protocol.rules import REASON_LENGTH


class ReasonsTests(SynchronousTestCase):
    """`Reasons` of removals from group 5."""

    def setUp(self) -> None:
        """Record the messages to the other nodes."""
        self.clock = Clock()
        self.reasons = Reasons(self.clock)
        self.told: list[tuple[Any, ...]] = []
        self.reasons.others = self  # type: ignore[assignment]

    def give_reason(self, *given: Any) -> None:
        """Record a message to the other nodes."""
        self.told.append(given)

    def test_taken_once(self) -> None:
        """A reason belongs to one removal of one user by one other, on this node and on the others."""
        self.reasons.give(5, 2, 1, "spam")
        self.reasons.note(5, 3, 1, "noise")
        for about in (5, 2, 9), (5, 9, 1), (9, 2, 1):
            self.assertIsNone(self.reasons.take(*about))
        self.assertEqual([self.reasons.take(5, user, 1) for user in (2, 2, 3, 3)], ["spam", None, "noise", None])
        self.assertEqual(self.told, [(5, 2, 1, "spam")])

    def test_clean(self) -> None:
        """It is one visible line of limited length. An empty one is none."""
        for given, expected in (
            (" \x1b[2J bye\nnow ", "\u241b[2J bye\u240anow"),
            ("x" * (REASON_LENGTH + 1), "x" * (REASON_LENGTH - 1) + "\u2026"),
            ("y" * REASON_LENGTH, "y" * REASON_LENGTH),
            (" \n ", None),
            (None, None),
        ):
            self.reasons.give(5, 2, 1, given)
            self.assertEqual(self.reasons.take(5, 2, 1), expected)
        self.assertEqual(len(self.told), 3)

    def test_old(self) -> None:
        """The reason of a removal that failed is not that of the next one, nor of any after some seconds."""
        self.reasons.give(5, 2, 1, "spam")
        self.reasons.give(5, 2, 1, None)
        self.assertIsNone(self.reasons.take(5, 2, 1))
        self.reasons.give(5, 2, 1, "spam")
        self.clock.advance(reasons._SECONDS + 1)
        self.assertIsNone(self.reasons.take(5, 2, 1))
        self.reasons.give(5, 2, 1, "spam")
        self.clock.advance(reasons._SECONDS)
        self.assertEqual(self.reasons.take(5, 2, 1), "spam")

    def test_bounded(self) -> None:
        """Few reasons are kept, and none for long."""
        self.patch(reasons, "_KEPT", 3)
        for user in range(5):
            self.reasons.note(5, user, 1, "spam")
        self.assertEqual([self.reasons.take(5, user, 1) for user in range(5)], [None, None, *["spam"] * 3])
        self.reasons.note(5, 2, 1, "old")
        self.clock.advance(reasons._SECONDS + 1)
        self.reasons.note(5, 3, 1, "new")
        self.assertEqual(len(self.reasons._given), 1)
