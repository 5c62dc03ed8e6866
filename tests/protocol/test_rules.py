"""Rules for names, texts, passwords and times."""

import json
import unicodedata

from hypothesis import example, given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from irchat.protocol import rules
from irchat.protocol.errors import Code, Refusal
from tests.helpers.strategies import hostile_text, is_hostile, plain_text

_FORBIDDEN = "*@+-~:,?!\\#&><\"'{}[]()/|=;"
_name_like = st.text(st.characters(categories=["L", "M", "N", "P"]), max_size=rules.NAME_LENGTH + 1)


class _Case(SynchronousTestCase):
    def _refused(self, code: Code, function: object, *arguments: object) -> str:
        refusal = self.assertRaises(Refusal, function, *arguments)
        self.assertEqual((refusal.code, refusal.usage), (code, None))
        self.assertFalse(set(filter(is_hostile, refusal.text)))
        return refusal.text


class FoldNameTests(_Case):
    """`rules.fold_name`."""

    @given(hostile_text | _name_like | plain_text)
    @example("İ" * rules.NAME_LENGTH)
    @example("\u0345")
    def test_any_text(self, name: str) -> None:
        """Any text returns a key, or raises ``bad-name`` with a safe text. A key is its own key."""
        try:
            key = rules.fold_name(name)
        except Refusal as refusal:
            self.assertEqual(refusal.code, Code.BAD_NAME)
            self.assertFalse(set(filter(is_hostile, refusal.text)))
            self.assertLess(len(refusal.text), 300)
            return
        self.assertFalse(any(is_hostile(character) or character.isspace() for character in name + key))
        self.assertFalse(set(_FORBIDDEN) & set(name + key))
        if len(key) <= rules.NAME_LENGTH:
            self.assertEqual(rules.fold_name(key), key)

    @given(st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ._", min_size=4, max_size=32))
    def test_case(self, name: str) -> None:
        """Case does not matter in names."""
        if name.lower() in ("exit", "global"):
            return
        self.assertEqual(rules.fold_name(name.upper()), rules.fold_name(name.lower()))

    def test_names(self) -> None:
        """Names of many languages are accepted, and their width, case and composition do not matter."""
        for name, key in (
            ("Alice", "alice"),
            ("ａlice", "alice"),
            ("Ali\u0063\u0065\u0301", "alic\xe9"),
            ("Müller_2", "müller_2"),
            ("Ольга", "ольга"),
            ("ΑΛΕΞΗΣ", "αλεξης"),
            ("김민준", "김민준"),
            ("たなか太郎ABC", "たなか太郎abc"),
            ("محمد", "محمد"),
            ("a" * 32, "a" * 32),
            ("a.b", "a.b"),
            ("7a", "7a"),
        ):
            self.assertEqual(rules.fold_name(name), key)

    def test_length(self) -> None:
        """A name has 1 to 32 characters, and a refusal does not repeat a long one in full."""
        self._refused(Code.BAD_NAME, rules.fold_name, "")
        text = self._refused(Code.BAD_NAME, rules.fold_name, "a" * 70_000)
        self.assertLess(len(text), 200)

    def test_characters(self) -> None:
        """Names have no white space, controls, lone surrogates, or signs of the command language in any width."""
        for character in (
            _FORBIDDEN + " \t\n\r\x00\x1b\x7f\x85\xa0\u200b\u200e\u202e\u2028\u3000\ufeff\ud800\udfff＠＊："
        ):
            for name in (character, f"a{character}", f"{character}a", f"a{character}b"):
                self._refused(Code.BAD_NAME, rules.fold_name, name)

    def test_forbidden_are_named(self) -> None:
        """The refusal lists the forbidden characters."""
        self.assertIn("names do not have @ |", self._refused(Code.BAD_NAME, rules.fold_name, "a@|"))

    def test_reserved(self) -> None:
        """Reserved words and names of digits only are refused, in any case, width or script."""
        for name in "ls", "LS", "exit", "Exit", "GLOBAL", "global", "ＧＬＯＢＡＬ", "0", "123", "１２", "٣٤":
            self._refused(Code.BAD_NAME, rules.fold_name, name)

    def test_mixed_scripts(self) -> None:
        """Names that mix scripts, or use a historic script, are refused."""
        for name in "аlice", "alicе", "Αlice", "김たなか", "abcдеф", "𐌰𐌱":
            self.assertIn("scripts", self._refused(Code.BAD_NAME, rules.fold_name, name))


class VisibleTests(_Case):
    """`rules.visible`, `rules.shown` and `rules.clean_text`."""

    @given(hostile_text)
    def test_any_text(self, text: str) -> None:
        """Only the controls LF and TAB stay. The length does not change, and a second call changes nothing."""
        made = rules.visible(text)
        self.assertFalse(set(filter(is_hostile, made)) - {"\n", "\t"})
        self.assertEqual(len(made), len(text))
        self.assertEqual(rules.visible(made), made)
        kept = [(a, b) for a, b in zip(text, made, strict=True) if not is_hostile(a) or a in "\n\t"]
        self.assertTrue(all(a == b for a, b in kept))

    def test_pictures(self) -> None:
        """C0 controls and DEL become control pictures; C1 and bidirectional controls become U+FFFD."""
        self.assertEqual(
            rules.visible("\x00\x1b[31m\r\n\t\x7f\x9b\u202e\u2066\ud800é"),
            "␀␛[31m␍\n\t␡\ufffd\ufffd\ufffd\ufffdé",
        )

    @given(hostile_text, st.integers(2, 40))
    def test_shown(self, text: str, length: int) -> None:
        """Text quoted in an error is one line without controls, with at most the given length."""
        made = rules.shown(text, length)
        self.assertFalse(set(filter(is_hostile, made)))
        self.assertEqual(len(made), min(len(text), length))
        if len(text) > length:
            self.assertTrue(made.endswith("…"))

    @given(hostile_text)
    def test_clean_text(self, text: str) -> None:
        """A text is returned with its controls made visible, or refused as empty."""
        if text.strip():
            self.assertEqual(rules.clean_text(text), rules.visible(text))
        else:
            self._refused(Code.EMPTY_TEXT, rules.clean_text, text)

    def test_text_length(self) -> None:
        """A text has up to 4,000 characters, however many bytes they take."""
        self.assertEqual(rules.clean_text("\U0001f600" * 4_000), "\U0001f600" * 4_000)
        self.assertIn("4,001", self._refused(Code.TEXT_TOO_LONG, rules.clean_text, "x" * 4_001))
        self._refused(Code.TEXT_TOO_LONG, rules.clean_text, " " * 4_001)

    @given(plain_text.filter(lambda text: text.strip()))
    def test_line_bytes(self, text: str) -> None:
        """The bytes that a cleaned text takes in a line are computed exactly."""
        clean = rules.clean_text(text)
        self.assertEqual(rules.line_bytes(clean), len(json.dumps(clean, ensure_ascii=False).encode()) - 2)

    def test_white_space_alone(self) -> None:
        """A text of white space only, of any kind, is empty."""
        for text in "", " ", "\n\t", "\xa0\u3000\u2003":
            self._refused(Code.EMPTY_TEXT, rules.clean_text, text)


class SecondsTests(_Case):
    """`rules.check_seconds` and `rules.seconds_left`."""

    def test_range(self) -> None:
        """A timed message lives 1 to 604,800 seconds."""
        for seconds in 1, 30, 604_800:
            self.assertEqual(rules.check_seconds(seconds), seconds)
        for seconds in 0, -1, 604_801, 10**5_000:
            self.assertIn("604,800", self._refused(Code.BAD_TIME, rules.check_seconds, seconds))

    def test_left(self) -> None:
        """The time left is limited to what the server itself would accept, whatever it reports."""
        reported = {None: 0, -5: 0, 1_500: 1.5, 604_800_000: 604_800, 10**400: 604_800}
        for left_ms, seconds in reported.items():
            self.assertEqual(rules.seconds_left(left_ms), seconds)


class PasswordTests(_Case):
    """`rules.check_password`."""

    def test_length(self) -> None:
        """A password has 8 to 1,024 bytes of UTF-8."""
        for password in "x" * 8, "é" * 4, "x" * 1_024, "\U0001f600" * 256, "\ud800" * 3:
            self.assertEqual(rules.check_password(password, "alice"), password)
        for password in "", "x" * 7, "x" * 1_025, "\U0001f600" * 257:
            self._refused(Code.WEAK_PASSWORD, rules.check_password, password, "alice")

    def test_not_the_name(self) -> None:
        """The user's name is refused as a password, in any case, width or composition."""
        for password in "Rosalinde", "ROSALINDE", "ｒosalinde", "rosalinde":
            self._refused(Code.WEAK_PASSWORD, rules.check_password, password, "rosalinde")
        self._refused(Code.WEAK_PASSWORD, rules.check_password, "José-Maria".replace("é", "e\u0301"), "josé-maria")
        self.assertEqual(rules.check_password("rosalinde1", "rosalinde"), "rosalinde1")

    @given(hostile_text, hostile_text)
    def test_any_text(self, password: str, name: str) -> None:
        """Any text is accepted, or refused as weak."""
        try:
            self.assertEqual(rules.check_password(password, name), password)
        except Refusal as refusal:
            self.assertEqual(refusal.code, Code.WEAK_PASSWORD)


class SearchableTests(_Case):
    """`rules.is_searchable`."""

    def test_words(self) -> None:
        """Words with a letter, digit or symbol are searchable, even if new to Python. Punctuation is not."""
        signs = "\U0001f600", "½", "\ue000", "€", "→", "#\ufe0f\u20e3", "\U0001fae9", "\U000e0080"
        for word in "a", "7", "é", "字", "a*", '"b"', *signs:
            self.assertTrue(rules.is_searchable(word), word)
        for word in "", "*", '""', "...", "\u0301", " ", "+-", "¨", "\ufe0f", "\u200d":
            self.assertFalse(rules.is_searchable(word))

    @given(st.characters())
    def test_any_character(self, character: str) -> None:
        """Every letter and digit of Unicode is searchable."""
        if unicodedata.category(character)[0] in "LN":
            self.assertTrue(rules.is_searchable(f"-{character}-"))


class AnsweredSeqTests(SynchronousTestCase):
    """`rules.answered_seq`."""

    def test_answers(self) -> None:
        """A text answers a message if it begins with its number and a space."""
        seqs = [
            rules.answered_seq(text) for text in ("#17 yes", "#017 yes", "#17", "#17- x", " #17 x", "#0 x", "x #1 y")
        ]
        self.assertEqual(seqs, [17, 17, None, None, None, None, None])
        self.assertIsNone(rules.answered_seq(f"#{10**18} x"))
