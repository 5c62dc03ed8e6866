"""Rendering: no string of a server or another user controls the terminal or imitates a line of the program."""

import datetime
import itertools

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st

from irchat.protocol import events, requests
from irchat.rendering.lines import Renderer
from tests.helpers.lines import SGR, LinesCase, message, timed
from tests.helpers.strategies import filled, hostile_text, is_hostile, members, structs

_DAYS_OF_ALL_KINDS = [
    "",
    "2026-11-22T14:03:05.120Z",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999Z",
    "2026-11-22",
]
_zones = st.sampled_from([None, datetime.UTC, *(datetime.timezone(datetime.timedelta(hours=h)) for h in (-12, 14))])
any_event = st.one_of(
    [structs(struct, hostile_text | st.sampled_from(_DAYS_OF_ALL_KINDS)) for struct in members(events.ANY)]
)


class SafetyTests(LinesCase):
    """Hostile strings in every field of every event."""

    @given(any_event, _zones, st.booleans())
    @example(message("x", at="0001-01-01T00:00:00Z"), datetime.timezone(datetime.timedelta(hours=-12)), True)
    def test_no_controls(self, event: events.Event, zone: datetime.tzinfo | None, withhold: bool) -> None:
        """Lines hold no control characters but our own colours and tabs, and without colours no escape sequence."""
        for colour in False, True:
            for line in Renderer(colour=colour, zone=zone, withhold_timed=withhold).lines(event):
                text = SGR.sub("", line.text) if colour else line.text
                self.assertFalse(set(filter(is_hostile, text)) - {"\t"})

    def test_no_controls_in_any_field(self) -> None:
        """No field of any event can inject a control character, an escape sequence or a forged line."""
        hostile = "a\x1b[31mb\x07\x9bc\u202ed\ud800\r\n[14:03] [GLOBAL] bob: e"
        for struct in members(events.ANY):
            event = filled(struct, hostile)
            events_ = [event, *([msgspec.structs.replace(event, id=None)] if struct is events.Message else [])]
            for one, options in itertools.product(events_, ({}, {"withhold_timed": True})):
                for line in self._shown(one, **options):
                    self.assertFalse(set(filter(is_hostile, line)), struct)
                    if struct is not events.Help:  # the only text written by the server itself, with its line breaks
                        self.assertFalse(line.startswith("[14:03]"), struct)

    def test_no_controls_in_replies(self) -> None:
        """Nor does a reply that shows differently from an event, or a change with only one part."""
        hostile = "a\x1b[31mb\x07\x9bc\u202ed\ud800\r\n[14:03] [GLOBAL] bob: e"
        amended, history = filled(events.Amended, hostile), filled(events.History, hostile)
        replace = msgspec.structs.replace
        for event, asked in (
            (amended, requests.AmendLast(chat="")),
            (replace(amended, text=None, deleted=False), requests.AmendLast(chat="")),
            (replace(amended, text=None, deleted=False), None),
            (replace(amended, by=""), None),
            (history, requests.History(chat="", around=7)),
            (history, requests.History(chat="", around=8)),
            (replace(history, messages=[]), requests.History(chat="", unread=True)),
        ):
            lines = [line.text for line in Renderer(colour=False).lines(event, asked)]
            self.assertTrue(lines)
            for line in lines:
                self.assertFalse(set(filter(is_hostile, line)), event)
                self.assertFalse(line.startswith("[14:03]"), event)

    @given(any_event)
    def test_colour_adds_nothing_else(self, event: events.Event) -> None:
        """Without their colours, the coloured lines are the plain lines. Each colour ends on its line."""
        coloured = Renderer(colour=True, zone=datetime.UTC).lines(event)
        plain = Renderer(colour=False, zone=datetime.UTC).lines(event)
        self.assertEqual([line._replace(text=SGR.sub("", line.text)) for line in coloured], plain)
        for line in coloured:
            codes = SGR.findall(line.text)
            self.assertEqual(codes[1::2], ["\x1b[0m"] * (len(codes) // 2))
            self.assertNotIn("\x1b[0m", codes[::2])

    @given(structs(events.Message, hostile_text))
    def test_further_lines_are_indented(self, message: events.Message) -> None:
        """A message cannot forge a line: each line after its first is indented."""
        first, *others = self._shown(message)
        self.assertTrue(first.startswith("["))
        self.assertEqual(len(others), message.text.count("\n"))
        for other in others:
            self.assertTrue(other.startswith("    "))

    @given(st.lists(structs(events.Message, hostile_text), min_size=1, max_size=3), st.booleans())
    def test_pages_are_indented(self, messages: list[events.Message], more: bool) -> None:
        """Each line of a page or of search results is a note, the first line of a message, or indented."""
        for page in events.History("GLOBAL", messages, more), events.Found(messages, more):
            lines = self._shown(page)
            indented = [line for line in lines if line.startswith("    ")]
            further = sum(message.text.count("\n") for message in messages)
            self.assertEqual(len(indented), further if isinstance(page, events.History) else 0)
            for line in lines:
                self.assertRegex(line, r"\A(-- |    |\[|\d+-\d\d-\d\d \[)")

    @given(structs(events.Message, hostile_text))
    @example(timed("one\ntwo\nthree"))
    def test_timed_lines_are_marked(self, message: events.Message) -> None:
        """Every line of a timed message has its id, alone or in a page, so that all of them can be erased."""
        for event in message, events.History("GLOBAL", [message], False), events.Found([message], False):
            lines = Renderer(colour=True).lines(event)
            marked = [line for line in lines if line.timed == message.id]
            shown = 1 if isinstance(event, events.Found) else message.text.count("\n") + 1
            self.assertEqual(len(marked), shown if message.id is not None else len(lines))

    @given(hostile_text)
    def test_note(self, text: str) -> None:
        """A note is one line without controls."""
        line = Renderer(colour=False).note(text)
        self.assertFalse(set(filter(is_hostile, line.text)))
        self.assertEqual(len(line.text), len(text) + 3)
