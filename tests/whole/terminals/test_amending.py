"""Edits, deletions, marks and answers on the full screen, with real processes."""

import pytest

from tests.whole.terminals.test_terminal import FullScreenCase

_SHIFT_TAB, _UP = b"\x1b[Z", b"\x1b[A"


@pytest.mark.slow
class AmendingTests(FullScreenCase):
    """Two users at one server."""

    def test_changes(self) -> None:
        """A mark, an edit, an answer and a deletion are seen by the other, and the deleted text leaves both screens."""
        alice, bob = self.signed_in("alice"), self.signed_in("bob")
        self.send(alice, "lunch at none?")
        alice.expect_confirmed("lunch at none?")
        bob.expect("lunch at none?")
        bob.press(_SHIFT_TAB)
        bob.expect("#1  r, Enter")
        bob.press(b"+ok")
        bob.expect("#1+ok")
        bob.press(b"\r")
        for person in alice, bob:
            person.expect("ok bob")
        self.send(alice, "#= lunch at noon?")
        for person in alice, bob:
            person.expect("lunch at noon? (edited)")
            person.expect("ok bob")
        bob.press(_SHIFT_TAB + b"r")
        bob.expect("> #1")
        bob.press(b"yes\r")
        alice.expect("┌ alice: lunch at noon?")
        self.send(alice, "#1-")
        for person in alice, bob:
            person.expect_gone("lunch at")
            person.expect("#1 yes")
        alice.press(_UP)
        alice.expect("#1-")
        alice.press(_UP + b"end")
        alice.expect("end")
        self.assertNotIn("lunch", alice.text())

    def test_header(self) -> None:
        """The header counts the pins, also those from before the sign-in, and shows the members of a group."""
        alice, bob = self.signed_in("alice"), self.signed_in("bob")
        self.send(alice, "the rules")
        bob.expect("the rules")
        self.send(alice, "#1+pin")
        carol = self.signed_in("carol", columns=150)
        for person in alice, bob, carol:
            person.expect("GLOBAL  pin 1  ·  everyone")
        carol.expect("│ Online 3")
        self.send(alice, "#1-pin")
        bob.expect("GLOBAL  everyone")
        self.send(alice, "*bob -> team")
        alice.expect("*team  2 members: alice (owner), bob")
        self.send(alice, "+carol team")
        alice.expect("3 members: alice (owner), bob, carol")
