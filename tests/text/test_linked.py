"""Texts in pieces."""

import re

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from irchat.text.cells import wrap
from irchat.text.linked import Linked, linked_rows

_ALICE = re.compile("@alice")


class LinkedTests(SynchronousTestCase):
    """`linked_rows`."""

    def targets(self, text: str, room: int = 80) -> list[tuple[str, str]]:
        """Return the parts of links with their targets."""
        rows = linked_rows(text, "class:text", room, 0, _ALICE)
        return [(str(part), part.target) for row in rows for _, part in row if isinstance(part, Linked)]

    def test_cut(self) -> None:
        """Each part of an address that rows cut leads to the whole address."""
        address = "https://a.example/" + "x" * 30
        parts = self.targets(f"see {address}, or not", 20)
        self.assertEqual("".join(part for part, _ in parts), address)
        self.assertEqual({target for _, target in parts}, {address})
        self.assertGreater(len(parts), 2)

    def test_other_letters(self) -> None:
        """The punycode of a host with other letters stands beside the address, and is no part of the link."""
        rows = linked_rows("https://аррӏе.com/x!", "class:text", 80, 0, None)
        self.assertEqual("".join(part for _, part in rows[0]), "https://аррӏе.com/x (xn--80ak6aa92e.com)!")
        self.assertEqual(self.targets("https://аррӏе.com/x!")[0][0], "https://аррӏе.com/x")

    def test_styles(self) -> None:
        """Links to messages and the user's name have styles of their own, but not within an address."""
        (row,) = linked_rows("@alice *team#17 http://x/@alice", "class:text", 80, 0, _ALICE)
        self.assertEqual(row, [("class:mention", "@alice"), ("class:text", " "), ("class:link", "*team#17"),
                               ("class:text", " "), ("class:link", "http://x/@alice")])  # fmt: skip
        self.assertEqual(self.targets("*team#17"), [])

    @given(st.text(st.sampled_from("htps:/.a #1\n\t*漢@lice")), st.integers(10, 40), st.integers(0, 9))
    def test_wrapped(self, text: str, room: int, taken: int) -> None:
        """Rows are those of `wrap`, whatever is marked in them."""
        for call in None, _ALICE:
            rows = ["".join(part for _, part in row) for row in linked_rows(text, "", room, taken, call)]
            if "漢" not in text or "://" not in text:
                self.assertEqual(rows, wrap(text, room, taken))
