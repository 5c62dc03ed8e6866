"""Lines of IRC: parsing, building and cutting."""

import contextlib
import unicodedata

import regex
from hypothesis import example, given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from irchat.irc.irc_lines import REST_BYTES, REST_BYTES_BEFORE, BadIRCLine, Line, build, cut, middle, parse
from irchat.irc.message_tags import CLIENT_TAG_BYTES
from irchat.protocol.errors import Code
from tests.helpers.strategies import BIDI, is_hostile

_text = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="".join(BIDI)), max_size=60)
_word = _text.filter(lambda text: middle(text) == text)
_key = st.from_regex(r"\A\+?([a-z.]{1,5}/)?[a-z-]{1,8}\Z")
_tags = st.dictionaries(_key, _text, max_size=4)
_any_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


class ParseTests(SynchronousTestCase):
    """Parsing of lines."""

    def test_forms(self) -> None:
        """Tags, source, command and parameters are found in each form in which clients write them."""
        for data, line in (
            (b"PING", Line({}, "", "PING", [])),
            (b"ping x", Line({}, "", "PING", ["x"])),
            (b"  privmsg   #a  :b c ", Line({}, "", "PRIVMSG", ["#a", "b c "])),
            (b"USER u 0 * :", Line({}, "", "USER", ["u", "0", "*", ""])),
            (b"JOIN :", Line({}, "", "JOIN", [""])),
            (b"PRIVMSG bob ::)", Line({}, "", "PRIVMSG", ["bob", ":)"])),
            (b":alice!u@h  PRIVMSG bob hi", Line({}, "alice!u@h", "PRIVMSG", ["bob", "hi"])),
            (b"@label=1;+typing=active  :a TAGMSG b", Line({"label": "1", "+typing": "active"}, "a", "TAGMSG", ["b"])),
            (b"TOPIC a:b :c :d", Line({}, "", "TOPIC", ["a:b", "c :d"])),
            ("PRIVMSG bob :ÄÖ".encode(), Line({}, "", "PRIVMSG", ["bob", "ÄÖ"])),
            (b"PI\0NG\0 x", Line({}, "", "PING", ["x"])),
        ):
            self.assertEqual(parse(data), line, data)

    def test_empty(self) -> None:
        """A line without a command is none."""
        for data in (b"", b"   ", b":source", b":source ", b"@a=b", b"@a=b ", b"@a :b ", b":", b" :", b"\0", b":a :b"):
            self.assertIsNone(parse(data), data)

    def test_too_long(self) -> None:
        """A line is refused by the length of its tags and of its rest, and what is refused can still be named."""
        tag = b"@label=7;+a=" + b"x" * (CLIENT_TAG_BYTES - len("label=7;+a="))
        rest = b"PRIVMSG bob :" + b"y" * (REST_BYTES - len("PRIVMSG bob :"))
        line = parse(tag + b" " + rest)
        assert line is not None
        self.assertEqual(line.label, "7")
        for data in (tag + b"x " + rest, tag + b" " + rest + b"y"):
            refused = self.assertRaises(BadIRCLine, parse, data)
            self.assertEqual((refused.code, refused.command, refused.label), (Code.LINE_TOO_LONG, "PRIVMSG", "7"))
        self.assertIsNotNone(parse(b"REGISTER * * " + b"p" * 1_024, REST_BYTES_BEFORE))

    def test_not_utf8(self) -> None:
        """A line that is not UTF-8 is refused, with its command if that can be shown."""
        for data, command, label in (
            (b"@label=a PRIVMSG bob :\xff", "PRIVMSG", "a"),
            (b"@+a=\xff TAGMSG bob", "TAGMSG", None),
            (b"\xff\xfe", "*", None),
            (b"PRIV\xffMSG bob", "*", None),
        ):
            refused = self.assertRaises(BadIRCLine, parse, data)
            self.assertEqual((refused.code, refused.command, refused.label), (Code.BAD_ENCODING, command, label))

    def test_labels(self) -> None:
        """A label has 1 to 64 characters; any other is none."""
        for value, label in (("", None), ("x" * 64, "x" * 64), ("x" * 65, None), ("\x1b[2J", None)):
            self.assertEqual(Line({"label": value}, "", "PING", []).label, label)

    @given(_tags, _word, st.from_regex(r"\A[A-Z]{1,8}\Z"), st.lists(_word, max_size=4), st.none() | _text)
    @example({"a": ""}, "a!b@c", "PRIVMSG", ["bob"], " :x ")
    def test_round_trip(
        self, tags: dict[str, str], source: str, command: str, words: list[str], text: str | None
    ) -> None:
        """A line that is built is parsed as the same values."""
        data = build(command, *words, source=source, text=text, tags=tags)
        self.assertTrue(data.endswith(b"\r\n"))
        line = parse(data[:-2], 10_000)
        self.assertEqual(line, Line(tags, source, command, [*words, *([] if text is None else [text])]))

    @given(
        _any_text, st.lists(_any_text, max_size=4), st.none() | _any_text, st.dictionaries(_key, _any_text, max_size=3)
    )
    def test_nothing_ends_a_line(self, one: str, params: list[str], text: str | None, tags: dict[str, str]) -> None:
        """Whatever stands in the parameters, a built line is one line with as many parameters."""
        data = build("NOTICE", one, *params, text=text, tags=tags)
        self.assertEqual((data.count(b"\n"), data.count(b"\r"), data.count(b"\0")), (1, 1, 0))
        shown = build("NOTICE", one, *params, text=text)
        self.assertFalse(any(map(is_hostile, shown.decode()[:-2].replace("\t", ""))))
        line = parse(data[:-2], 10_000)
        assert line is not None
        self.assertEqual(len(line.params), 1 + len(params) + (text is not None))

    @given(st.binary(max_size=80))
    @example(b"@")
    @example(b"@ :")
    @example(b"\r")
    def test_any_bytes(self, data: bytes) -> None:
        """Any bytes are a line, no line, or refused."""
        with contextlib.suppress(BadIRCLine):
            parse(data)


class CutTests(SynchronousTestCase):
    """Long texts in pieces."""

    @given(
        _any_text | st.lists(st.sampled_from(["a", " ", "ß", "漢", "👍🏽", "e\u0301", "🇩🇪"])).map("".join),
        st.integers(8, 40),
    )
    @example("x" * 100, 10)
    @example("e" + "\u0301" * 400, 20)
    def test_nothing_is_lost(self, text: str, most: int) -> None:
        """Pieces joined are the text, and each is short enough."""
        pieces = cut(text, most)
        self.assertEqual("".join(pieces), text)
        self.assertTrue(all(len(piece.encode()) <= most for piece in pieces))
        if text:
            self.assertNotIn("", pieces)

    def test_at_a_space(self) -> None:
        """A text is cut at the last space in the second half of a piece."""
        self.assertEqual(cut("aaaa bbbb cccc dddd", 12), ["aaaa bbbb ", "cccc dddd"])
        self.assertEqual(cut("aa " + "b" * 12, 12), ["aa bbbbbbbbb", "bbb"])

    def test_inside_no_character(self) -> None:
        """A visible character stays whole: a letter with marks, a flag, an emoji with a skin colour."""
        for seen in ("e\u0301", "👍🏽", "👩‍👩‍👧", "ế", "한"):
            for shift in range(6):
                text = "x" * shift + seen * 20
                for piece in cut(text, 50)[1:]:
                    self.assertTrue(piece.startswith(seen), (seen, shift))

    def test_endless_character(self) -> None:
        """A letter with more marks than a piece holds is cut between them."""
        pieces = cut("e" + "\u0301" * 500, 100)
        self.assertTrue(all(len(piece.encode()) <= 100 for piece in pieces))
        self.assertEqual(unicodedata.category(pieces[1][0]), "Mn")

    @given(st.text(st.sampled_from("ab é漢"), max_size=400))
    def test_text_of_a_line(self, text: str) -> None:
        """A text of up to 500 bytes is one piece."""
        self.assertEqual(len(cut(text)) == 1, len(text.encode()) <= 500)

    def test_clusters(self) -> None:
        """A text without spaces is cut as the rules of Unicode cut it."""
        text = "👨‍👩‍👧‍👦é🇫🇷" * 80
        ends = {found.end() for found in regex.finditer(r"\X", text)}
        place = 0
        for piece in cut(text)[:-1]:
            place += len(piece)
            self.assertIn(place, ends)
