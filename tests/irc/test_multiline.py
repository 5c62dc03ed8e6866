"""Multiline batches."""

import contextlib

from hypothesis import example, given
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from irchat.irc.irc_lines import Line, parse
from irchat.irc.multiline import (
    MAX_BYTES,
    MAX_LINES,
    TIMEOUT_SECONDS,
    Collected,
    Collector,
    MultilineError,
    Piece,
    compose,
    lines_of,
)

_tags = st.sampled_from(["batch", "label", "draft/multiline-concat"])
_CONCAT = "@batch=1;draft/multiline-concat PRIVMSG #team :"


def _line(text: str) -> Line:
    line = parse(text.encode(), 10_000)
    assert line is not None
    return line


class CollectorTests(SynchronousTestCase):
    """Batches of a client."""

    def setUp(self) -> None:
        """Begin without a batch."""
        self.clock = Clock()
        self.collector = Collector(self.clock.seconds)

    def send(self, *texts: str) -> Collected | None:
        """Send lines. Return the batch that the last one ends."""
        found = None
        for text in texts:
            line = _line(text)
            found = None
            if line.command == "BATCH":
                found = self.collector.batch(line)
            else:
                self.assertTrue(self.collector.takes(line))
        return found

    def refused(self, code: str, *texts: str) -> MultilineError:
        """Send lines of which the last is refused, and then the end of the batch. Return the refusal."""
        *firsts, last = texts
        self.send(*firsts)
        error = self.assertRaises(MultilineError, self.send, last)
        self.assertEqual(error.code, code)
        if last != "BATCH -1":
            self.assertTrue(self.collector.takes(_line("@batch=1 PRIVMSG #team :dropped")))
            self.assertIsNone(self.send("BATCH -1"))
        self.assertIsNone(self.collector.ends_at)
        return error

    def test_whole(self) -> None:
        """Lines are joined, with a line feed unless one continues the line before it, and blank lines stay."""
        self.assertEqual(
            self.send(
                "@label=x;+draft/reply=12-3 BATCH +1 draft/multiline #team",
                "@batch=1 PRIVMSG #team :hello",
                "@batch=1 PRIVMSG #team :",
                "@batch=1 PRIVMSG #team :how is ",
                _CONCAT + "everyone?",
                "BATCH -1",
            ),
            Collected(
                "PRIVMSG",
                "#team",
                {"label": "x", "+draft/reply": "12-3"},
                "x",
                "hello\n\nhow is everyone?",
                [Piece("hello"), Piece(""), Piece("how is "), Piece("everyone?", concat=True)],
            ),
        )
        self.assertIsNone(self.collector.ends_at)
        notice = self.send("BATCH +2 draft/multiline bob", "@batch=2 NOTICE bob :a", "BATCH -2")
        assert notice is not None
        self.assertEqual((notice.command, notice.target, notice.text, notice.label), ("NOTICE", "bob", "a", None))

    def test_first_continues(self) -> None:
        """A first line that continues nothing is a line as any other."""
        found = self.send("BATCH +1 draft/multiline #team", _CONCAT + "a", "BATCH -1")
        assert found is not None
        self.assertEqual(found.pieces, [Piece("a")])

    def test_other_lines(self) -> None:
        """Lines without the tag are not part of it."""
        self.send("BATCH +1 draft/multiline #team")
        self.assertFalse(self.collector.takes(_line("PRIVMSG #team :x")))
        self.assertFalse(self.collector.takes(_line("PING x")))

    def test_limits(self) -> None:
        """Too many lines or bytes are refused with the limit, and as many as allowed are taken."""
        begin = "@label=x BATCH +1 draft/multiline #team"
        many = ["@batch=1 PRIVMSG #team :x"] * MAX_LINES
        error = self.refused("MULTILINE_MAX_LINES", begin, *many, many[0])
        self.assertEqual((error.context, error.label), ((str(MAX_LINES),), "x"))
        self.assertIsNotNone(self.send(begin, *many, "BATCH -1"))
        long = [_CONCAT + "é" * 200] * (MAX_BYTES // 400)
        self.assertIsNotNone(self.send(begin, *long, "BATCH -1"))
        error = self.refused("MULTILINE_MAX_BYTES", begin, *long, _CONCAT + "x")
        self.assertEqual(error.context, (str(MAX_BYTES),))
        # A line feed counts.
        self.refused("MULTILINE_MAX_BYTES", begin, *long[1:], "@batch=1 PRIVMSG #team :" + "x" * 400)

    def test_invalid(self) -> None:
        """Other targets, other commands, empty continuations and batches without a text are refused."""
        begin, first = "BATCH +1 draft/multiline #team", "@batch=1 PRIVMSG #team :x"
        error = self.refused("MULTILINE_INVALID_TARGET", begin, first, "@batch=1 PRIVMSG #other :x")
        self.assertEqual(error.context, ("#team", "#other"))
        for last in (
            "@batch=1 NOTICE #team :x",
            "@batch=1 TAGMSG #team",
            "@batch=1 PRIVMSG #team",
            _CONCAT,
            "@batch=1 JOIN #x :y",
        ):
            self.refused("MULTILINE_INVALID", begin, first, last)
        self.refused("MULTILINE_INVALID", begin, "BATCH -1")
        self.refused("MULTILINE_INVALID", begin, "@batch=1 PRIVMSG #team :", "@batch=1 PRIVMSG #team :", "BATCH -1")
        self.refused("MULTILINE_INVALID", "BATCH +1 draft/multiline")

    def test_unknown(self) -> None:
        """Other types and other references are refused, and open no batch."""
        for text, code in (
            ("BATCH +1 chathistory #team", "UNKNOWN_TYPE"),
            ("BATCH +1", "UNKNOWN_TYPE"),
            ("BATCH -1", "INVALID_REFTAG"),
            ("BATCH +", "INVALID_REFTAG"),
            ("BATCH 1", "INVALID_REFTAG"),
            ("BATCH", "INVALID_REFTAG"),
        ):
            self.assertEqual(self.assertRaises(MultilineError, self.collector.batch, _line(text)).code, code, text)
        error = self.assertRaises(MultilineError, self.collector.takes, _line("@batch=1 PRIVMSG #team :x"))
        self.assertEqual(error.code, "MULTILINE_INVALID")
        self.assertIsNone(self.collector.ends_at)

    def test_second(self) -> None:
        """A second batch refuses the first, which answers its label, and one may begin again."""
        self.send("@label=a BATCH +1 draft/multiline #team", "@batch=1 PRIVMSG #team :x")
        error = self.assertRaises(MultilineError, self.send, "@label=b BATCH +2 draft/multiline #team")
        self.assertEqual((error.code, error.label), ("MULTILINE_INVALID", "a"))
        self.assertIsNotNone(self.send("BATCH +3 draft/multiline bob", "@batch=3 PRIVMSG bob :x", "BATCH -3"))

    def test_timeout(self) -> None:
        """A batch that is not ended in time is refused, when it is asked for, at its next line, and at its end."""
        begin = "@label=x BATCH +1 draft/multiline #team"
        for last in ("@batch=1 PRIVMSG #team :x", "BATCH -1"):
            self.send(begin)
            self.assertEqual(self.collector.ends_at, self.clock.seconds() + TIMEOUT_SECONDS)
            self.clock.advance(TIMEOUT_SECONDS - 0.1)
            self.send("@batch=1 PRIVMSG #team :x")
            self.collector.check_time()
            self.clock.advance(0.1)
            error = self.assertRaises(MultilineError, self.send, last)
            self.assertEqual((error.code, error.context, error.label), ("TIMEOUT", ("1",), "x"))
            with contextlib.suppress(MultilineError):
                self.send("BATCH -1")
        self.send(begin)
        self.clock.advance(TIMEOUT_SECONDS)
        self.assertEqual(self.assertRaises(MultilineError, self.collector.check_time).code, "TIMEOUT")
        self.collector.check_time()

    @given(
        st.lists(
            st.builds(
                Line,
                st.dictionaries(_tags, st.sampled_from(["1", "2", ""])),
                st.just(""),
                st.sampled_from(["BATCH", "BATCH", "PRIVMSG", "NOTICE", "JOIN"]),
                st.lists(st.sampled_from(["+1", "-1", "+2", "-2", "draft/multiline", "bob", "x", ""]), max_size=3),
            )
            | st.floats(0, 40),
            max_size=30,
        )
    )
    def test_any_lines(self, inputs: list[Line | float]) -> None:
        """Any lines at any time are taken or refused."""
        clock = Clock()
        collector = Collector(clock.seconds)
        for one in inputs:
            with contextlib.suppress(MultilineError):
                if isinstance(one, float):
                    clock.advance(one)
                    collector.check_time()
                elif one.command == "BATCH":
                    collector.batch(one)
                else:
                    collector.takes(one)


class ComposeTests(SynchronousTestCase):
    """Batches to clients."""

    @given(st.text(st.sampled_from(["a", " ", "\n", "é"]), max_size=80), st.integers(8, 20))
    @example("\n\n", 8)
    @example("", 8)
    def test_nothing_is_lost(self, text: str, most: int) -> None:
        """The lines joined are the text, and each is short enough."""
        pieces = compose(text, most)
        joined = "".join(("" if piece.concat else "\n") + piece.text for piece in pieces)
        self.assertEqual(joined, f"\n{text}")
        self.assertTrue(all(len(piece.text.encode()) <= most for piece in pieces))

    def test_many_lines(self) -> None:
        """A text of thousands of lines has a hundred: the last has the rest, with pictures of its line feeds."""
        lines = lines_of("a\n" * 2_000)
        self.assertEqual(lines, [*["a"] * (MAX_LINES - 1), "a\u240a" * 1_901])
        self.assertEqual(lines_of("\n".join("b" * MAX_LINES)), ["b"] * MAX_LINES)
        self.assertLess(len(compose("\n" * 4_000)), MAX_LINES + 40)
