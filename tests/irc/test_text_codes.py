"""Formatting codes, CTCP and ACTION."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase
from twisted.words.protocols.irc import assembleFormattedText, attributes

from irchat.irc.text_codes import Said, read_said, strip_formatting

_CODES = "\x02\x03\x04\x0f\x11\x16\x1d\x1e\x1f"
_typed = st.text(st.sampled_from([*_CODES, "1", "9", ",", "x", " ", "F"]), max_size=20)


class FormattingTests(SynchronousTestCase):
    """Formatting codes."""

    def test_codes(self) -> None:
        """Each code is taken out with its digits, and no other digit."""
        for text, plain in (
            ("\x02bold\x02 \x1dslanted\x1d \x1funder\x1f \x1estruck\x1e \x11mono\x11 \x16reverse\x0f",
             "bold slanted under struck mono reverse"),
            ("\x0304,12red\x03", "red"),
            ("\x03123", "3"),
            ("\x031,234", "4"),
            ("\x03,5", ",5"),
            ("\x034,x", ",x"),
            ("\x04FF00aa,00ff00hi\x04", "hi"),
            ("\x04FF00ag", "FF00ag"),
            ("a\nb\tc", "a\nb\tc"),
            ("plain, 漢字", "plain, 漢字"),
        ):  # fmt: skip
            self.assertEqual(strip_formatting(text), plain, repr(text))

    def test_as_others_write(self) -> None:
        """Text formatted by Twisted's client becomes plain again."""
        text = assembleFormattedText(
            attributes.normal[attributes.bold["hi "], attributes.fg.lightRed["red "], attributes.underline["!"]]
        )
        self.assertNotEqual(text, "hi red !")
        self.assertEqual(strip_formatting(text), "hi red !")

    @given(_typed)
    def test_nothing_is_left(self, text: str) -> None:
        """No code is left, and nothing is added."""
        plain = strip_formatting(text)
        self.assertTrue(set(_CODES).isdisjoint(plain))
        self.assertEqual(plain.count("x") + plain.count(" "), text.count("x") + text.count(" "))


class CTCPTests(SynchronousTestCase):
    """ACTION and other CTCP."""

    def test_said(self) -> None:
        """ACTION is stored as /me, any other CTCP is refused, formatting codes are taken out."""
        for text, said in (
            ("hi", Said("hi")),
            ("\x02hi\x02", Said("hi")),
            ("\x01ACTION waves\x01", Said("/me waves")),
            ("\x01action \x02waves\x02 twice", Said("/me waves twice")),
            ("\x01ACTION\x01", Said("")),
            ("\x01ACTION  \x01", Said("")),
            ("\x01VERSION\x01", Said("", ctcp=True)),
            ("\x01DCC SEND x 1 2 3\x01", Said("", ctcp=True)),
            ("\x01", Said("", ctcp=True)),
            ("\x01ACTIONS x\x01", Said("", ctcp=True)),
            ("a \x01ACTION b\x01", Said("a \x01ACTION b\x01")),
        ):
            self.assertEqual(read_said(text), said, repr(text))

    @given(st.text())
    def test_any_text(self, text: str) -> None:
        """Any text is said, or refused."""
        read_said(text)
