"""The transcript: the lines that are printed again when a timed message ends."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from irchat.protocol.events import Amended, Sent
from irchat.protocol.rules import CLIENT_LINE_BYTES, TRANSCRIPT_LENGTH, TRANSCRIPT_LINES
from irchat.rendering.lines import TextLine
from irchat.rendering.transcript import CLEAR, Transcript
from tests.helpers.strategies import hostile_text, is_hostile

AT = "2026-11-22T14:03:05.120Z"
_ids = st.sampled_from(["t1", "t2", "t3"])
_steps = st.lists(
    st.tuples(st.just("show"), st.lists(st.builds(TextLine, st.sampled_from("abc"), st.none() | _ids), max_size=3))
    | st.tuples(st.just("typed"), st.sampled_from(["*5* x", "*5* y"]))
    | st.tuples(st.just("sent"), st.sampled_from(["*5* x", "*5* y"]), _ids)
    | st.tuples(st.just("erase"), st.sets(_ids))
)


def _sent(timed_id: str) -> Sent:
    return Sent("GLOBAL", AT, id=timed_id)


class TranscriptTests(SynchronousTestCase):
    """`Transcript`."""

    def _lines(self, transcript: Transcript) -> list[str]:
        text = transcript.reprint()
        self.assertTrue(text.startswith(CLEAR))
        *lines, end = text[len(CLEAR) :].split("\r\n")
        self.assertEqual(end, "")
        return lines

    def test_clear(self) -> None:
        """The screen and its scrollback are cleared in the only order that all terminals obey."""
        self.assertEqual(Transcript().reprint(), "\x1b[H\x1b[2J\x1b[3J")

    def test_erase(self) -> None:
        """A timed message is erased with all its lines and the typed line that sent it. The rest stays in order."""
        transcript = Transcript()
        transcript.show(
            [TextLine("one"), TextLine("secret", "t1"), TextLine("    more", "t1"), TextLine("other", "t2")]
        )
        transcript.typed("*5* mine")
        transcript.show([TextLine("two")])
        transcript.sent("*5* mine", _sent("t3"))
        transcript.erase(["t1", "t3"])
        self.assertEqual(self._lines(transcript), ["one", "other", "two"])
        transcript.erase(["t2"])
        self.assertEqual(self._lines(transcript), ["one", "two"])

    def test_same_line_twice(self) -> None:
        """The same line typed twice is two messages, and each is erased with its own message."""
        transcript = Transcript()
        for timed_id in "t1", "t2":
            transcript.typed("*5* x")
            transcript.sent("*5* x", _sent(timed_id))
        transcript.erase(["t1"])
        self.assertEqual(self._lines(transcript), ["*5* x"])
        transcript.erase(["t2"])
        self.assertEqual(self._lines(transcript), [])

    def test_replies_after_both_lines(self) -> None:
        """The same line typed twice before the first reply belongs to both messages."""
        transcript = Transcript()
        transcript.typed("*5* x")
        transcript.typed("*5* x")
        transcript.sent("*5* x", _sent("t1"))
        transcript.sent("*5* x", _sent("t2"))
        transcript.erase(["t1", "t2"])
        self.assertEqual(self._lines(transcript), [])

    def test_deleted(self) -> None:
        """A deleted message goes with all its lines, and the lines that sent and edited it; no other one goes."""
        transcript = Transcript()
        place = "*team", 17
        for line in "hi", "*team #17= ho":
            transcript.typed(line)
        transcript.show(
            [TextLine("one", None, place), TextLine("    two", None, place), TextLine("a", None, ("*team", 1))]
        )
        transcript.show([TextLine("b", None, ("@bob", 17)), TextLine("c", "t1"), TextLine("d")])
        transcript.sent("hi", Sent("*team", AT, 17))
        transcript.sent("*team #17= ho", Amended("*team", 17, 1, "bob", AT, text="ho", edited=AT))
        transcript.typed("*team #17-")
        transcript.sent("*team #17-", Amended("*team", 17, 2, "bob", AT, deleted=True))
        self.assertFalse(transcript.erase((), [("*team", 2)]))
        self.assertTrue(transcript.erase((), [place]))
        self.assertEqual(self._lines(transcript), ["a", "b", "c", "d", "*team #17-"])
        self.assertTrue(transcript.erase(["t1"], [("*team", 1)]))
        self.assertEqual(self._lines(transcript), ["b", "d", "*team #17-"])

    def test_line_gone_by(self) -> None:
        """A reply whose typed line is gone changes nothing."""
        transcript = Transcript()
        transcript.show([TextLine("one")])
        transcript.sent("*5* x", _sent("t1"))
        transcript.erase(["t1"])
        self.assertEqual(self._lines(transcript), ["one"])

    def test_length(self) -> None:
        """The last 500 lines are kept, also after some were erased."""
        transcript = Transcript()
        transcript.show(TextLine(str(number), "t1" if number % 2 else None) for number in range(TRANSCRIPT_LINES + 100))
        self.assertEqual(self._lines(transcript)[0], "100")
        transcript.erase(["t1"])
        self.assertEqual(len(self._lines(transcript)), TRANSCRIPT_LINES // 2)
        transcript.show(TextLine(str(number)) for number in range(TRANSCRIPT_LINES + 1))
        self.assertEqual(self._lines(transcript), [str(number) for number in range(1, TRANSCRIPT_LINES + 1)])

    def test_long_lines(self) -> None:
        """Fewer lines of the greatest length are kept, also after some were erased or forgotten."""
        transcript, long = Transcript(), "x" * CLIENT_LINE_BYTES
        most = TRANSCRIPT_LENGTH // CLIENT_LINE_BYTES
        for number in range(10):
            transcript.typed(long)
            transcript.show([TextLine("one", f"t{number}")])
        self.assertEqual(self._lines(transcript).count(long), most - 1)
        transcript.erase([f"t{number}" for number in range(10)])
        transcript.typed(long)
        self.assertEqual(self._lines(transcript), [long] * most)
        transcript.forget(long)
        transcript.typed("y" * CLIENT_LINE_BYTES)
        self.assertEqual(self._lines(transcript).count(long), most - 1)

    @given(hostile_text)
    def test_typed_controls(self, text: str) -> None:
        """Controls in typed or pasted text are escaped in a reprint, and it is erased with its message."""
        transcript = Transcript()
        transcript.typed(text)
        self.assertFalse(set(filter(is_hostile, transcript.reprint()[len(CLEAR) : -2])) - {"\n", "\t"})
        transcript.sent(text, _sent("t1"))
        transcript.erase(["t1"])
        self.assertEqual(transcript.reprint(), CLEAR)

    @given(_steps)
    def test_any_steps(self, steps: list[tuple]) -> None:
        """After any steps, the lines are those of a plain list with the same rules."""
        transcript, model = Transcript(), []
        for name, *arguments in steps:
            if name == "sent":
                transcript.sent(arguments[0], _sent(arguments[1]))
                untied = [index for index, line in enumerate(model) if line == TextLine(arguments[0])]
                if untied:
                    model[untied[-1]] = TextLine(*arguments)
            else:
                getattr(transcript, name)(*arguments)
                if name == "show":
                    model += arguments[0]
                elif name == "typed":
                    model.append(TextLine(arguments[0]))
                else:
                    model = [line for line in model if line.timed not in arguments[0]]
        self.assertEqual(self._lines(transcript), [line.text for line in model])
        for timed_id in "t1", "t2", "t3":  # an erased message takes its own lines with it, and no others
            transcript.erase([timed_id])
            model = [line for line in model if line.timed != timed_id]
            self.assertEqual(self._lines(transcript), [line.text for line in model])
