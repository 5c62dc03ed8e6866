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

    def test_nothing_visible(self) -> None:
        """A mark needs a character that can be seen, and then may have invisible ones."""
        invisible = (
            "\u200b", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u200e", "\u034f", "\u115f", "\u1160", "\u3164",
            "\uffa0", "\u17b4", "\u180e", "\u2065", "\u2800", "\ufe00", "\ufe0e", "\U000e0041", "\U000e0100", "\u0301",
            "\u0903", "\u20dd", "\u200b\u0301", "\u2800\u200d",
        )  # fmt: skip
        for typed in invisible:
            refusal = self.assertRaises(Refusal, clean_mark, typed)
            self.assertEqual((refusal.code, "can be seen" in refusal.text), (Code.BAD_REQUEST, True), ascii(typed))
            self.assertEqual(clean_mark(f"👍{typed}")[0].rstrip(typed), "👍")
        for typed in "👩\u200d🚀", "🏴\U000e0067\U000e007f", "🇩🇪", "?", "\u0915\u093f", "\ue0a0", "\u2407", "あ\u3099":
            self.assertTrue(clean_mark(typed))
