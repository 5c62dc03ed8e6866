"""Marks: which there are, and which are the same."""

from twisted.trial.unittest import SynchronousTestCase

from irchat.protocol.errors import Code, Refusal
from irchat.protocol.marks import clean_mark


class MarkTests(SynchronousTestCase):
    """`clean_mark`."""

    def test_forms(self) -> None:
        """A mark is shown as it was typed, in NFC and with visible controls, and compared without regard to case."""
        for typed, shown, key in (
            ("ok", "ok", "ok"),
            ("OK", "OK", "ok"),
            ("1", "👍", "👍"),
            ("❤️", "❤", "❤"),
            ("e\u0301", "é", "é"),
            ("Straße", "Straße", "strasse"),
            ("a\x07", "a\u2407", "a\u2407"),
            ("x" * 16, "x" * 16, "x" * 16),
        ):
            self.assertEqual(clean_mark(typed), (shown, key))

    def test_refused(self) -> None:
        """Nothing, several words and more than 16 characters are no marks."""
        for typed in ("", "\ufe0f", "two words", "tab\there", "line\n", "x" * 17, "\u3000"):
            refusal = self.assertRaises(Refusal, clean_mark, typed)
            self.assertEqual(refusal.code, Code.BAD_REQUEST)
