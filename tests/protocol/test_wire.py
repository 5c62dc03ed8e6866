"""The wire format: any bytes decode to a request or raise BadLine, and encoding is reversible."""

import contextlib
import json

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import UNSET
from twisted.trial.unittest import SynchronousTestCase

from irchat.protocol import events, requests, rules, wire
from irchat.protocol.errors import Code
from tests.helpers.strategies import members, plain_text, structs

any_request = st.one_of([structs(struct) for struct in members(requests.ANY)])
any_event = st.one_of([structs(struct) for struct in members(events.ANY)])
any_int = st.integers(-(2**63), 2**63 - 1)
any_ref = any_int | st.text(st.characters(exclude_categories=["Cs"]), max_size=rules.REF_LENGTH)

_TAGS = [struct.__struct_config__.tag for struct in members(requests.ANY)]
_FIELDS = sorted({name for struct in members(requests.ANY) for name in struct.__struct_fields__} | {"type", "nonsense"})
_scraps = st.sampled_from([
    b"{", b"}", b"[", b"]", b'"', b":", b",", b"\\ud800", b"\\udc00", b"\\ud83d\\ude00", b"\\u0000", b"\\x", b"\xff",
    b"\xed\xa0\x80", b"\xef\xbb\xbf", b"NaN", b"-Infinity", b"1e999", b"-0", b"null", b"true", b"\0", b"\x1b",
    b"9" * 30, b"9" * 4_300, b"9" * 5_000, b"[" * 2_000, b'{"a":' * 2_000, b"]" * 2_000,
    *(f'"{word}"'.encode() for word in [*_TAGS, *_FIELDS]),
])  # fmt: skip
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
_nearly_requests = st.fixed_dictionaries(
    {"type": st.sampled_from(_TAGS) | _json},
    optional={name: _json for name in _FIELDS if name != "type"},
).map(lambda fields: json.dumps(fields).encode())


@st.composite
def _damaged_requests(draw: st.DrawFn) -> bytes:
    line = wire.encode_request(draw(any_request))[:-1]
    start = draw(st.integers(0, len(line)))
    end = draw(st.integers(start, min(len(line), start + 4)))
    return line[:start] + draw(_scraps | st.binary(max_size=4)) + line[end:]


any_line = st.one_of(st.binary(), st.lists(_scraps, max_size=12).map(b"".join), _nearly_requests, _damaged_requests())


def _bad_line(line: bytes) -> wire.BadLine | None:
    try:
        wire.decode_request(line)
    except wire.BadLine as bad:
        return bad
    return None


class DecodeRequestTests(SynchronousTestCase):
    """`wire.decode_request`."""

    def _refused(self, line: bytes, code: Code, ref: object = UNSET) -> str:
        bad = self.assertRaises(wire.BadLine, wire.decode_request, line)
        self.assertEqual((bad.refusal.code, bad.ref), (code, ref))
        return bad.refusal.text

    @given(any_line)
    @example(b'{"type":"ping","nonsense":' + b"[" * 32_000)
    @example(b'{"type":"nonsense","ref":7,"nonsense":' + b"[" * 32_000 + b"]" * 32_000 + b"}")
    @example(b'{"type":"nonsense","ref":' + b"9" * 60_000 + b"}")
    @example(b'{"type":"nonsense","ref":"\\ud800"}')
    def test_any_bytes(self, line: bytes) -> None:
        """Any bytes return a request or raise BadLine, whose refusal and ref fit in one line."""
        bad = _bad_line(line)
        if bad is None:
            return
        self.assertIn(bad.refusal.code, (Code.BAD_REQUEST, Code.BAD_ENCODING))
        answer = wire.encode_reply(events.Error(bad.refusal.code, bad.refusal.text), bad.ref)
        self.assertEqual(wire.reply_ref(answer[:-1]), bad.ref)
        self.assertLessEqual(len(answer), rules.SERVER_LINE_BYTES)

    @given(any_request)
    def test_round_trip(self, request: requests.Request) -> None:
        """Each request is encoded as one line of UTF-8 JSON, and decodes to itself."""
        line = wire.encode_request(request)
        self.assertEqual((line[-1:], line.count(b"\n"), line.count(b"\r")), (b"\n", 1, 0))
        self.assertIsInstance(json.loads(line.decode()), dict)
        self.assertEqual(wire.decode_request(line[:-1]), request)

    @given(st.binary().filter(lambda data: not _is_utf8(data)))
    def test_bad_encoding(self, data: bytes) -> None:
        """Bytes that are not UTF-8 are bad-encoding anywhere in a line, also in unknown fields."""
        for line in (
            data,
            b'{"type":"ping","nonsense":"' + data + b'"}',
            b'{"type":"send","text":"' + data + b'"}',
        ):
            self._refused(line, Code.BAD_ENCODING)

    def test_lone_surrogates(self) -> None:
        """A lone surrogate, written as an escape, is bad-request, with the ref that follows it."""
        for escape in (b"\\ud800", b"\\udc00", b"\\ud800\\ud800", b"\\udfff tail", b"\\ud83d\\n"):
            for field in b"text", b"nonsense":
                self._refused(b'{"type":"send","%b":"%b","ref":7}' % (field, escape), Code.BAD_REQUEST, 7)

    def test_surrogate_pair(self) -> None:
        """A pair of surrogate escapes is one character."""
        request = wire.decode_request(b'{"type":"send","chat":"GLOBAL","text":"\\ud83d\\ude00"}')
        self.assertEqual(request, requests.Send(chat="GLOBAL", text="\N{GRINNING FACE}"))

    def test_ref_of_a_refused_line(self) -> None:
        """A refused request keeps its ref if the ref is valid, whatever else is wrong with the line."""
        for wrong in (
            b'"type":"nonsense"',
            b'"type":"send"',
            b'"type":"send","chat":1,"text":"x"',
            b'"type":3',
            b'"nonsense":1',
            b'"type":"nonsense","nonsense":' + b"9" * 5_000,
            b'"type":"nonsense","nonsense":' + b"[" * 500 + b"]" * 500,
        ):
            self._refused(b"{" + wrong + b',"ref":"r7"}', Code.BAD_REQUEST, "r7")
            self._refused(b'{"ref":-12,' + wrong + b"}", Code.BAD_REQUEST, -12)

    def test_bad_ref(self) -> None:
        """A ref other than an integer or a string of up to 64 characters is bad-request, and is not repeated."""
        for ref in (b"1.5", b"true", b"null", b"[1]", b"{}", b"NaN", b"9" * 4_301, b'"%b"' % (b"a" * 65)):
            self._refused(b'{"type":"ping","ref":%b}' % ref, Code.BAD_REQUEST)
            self._refused(b'{"type":"nonsense","ref":%b}' % ref, Code.BAD_REQUEST)

    def test_not_an_object(self) -> None:
        """A line that is not a JSON object in UTF-8 is bad-request without a ref."""
        utf16 = '{"type":"nonsense","ref":5}'.encode("utf-16-le")
        for line in (
            b"",
            b"5",
            b"[]",
            b"null",
            b'"ref"',
            b"{",
            b'{"type":"ping","ref":5}}',
            utf16,
            b"\xef\xbb\xbf{}",
        ):
            self._refused(line, Code.BAD_REQUEST)

    def test_too_deep(self) -> None:
        """A line nested too deeply for the decoder, which depends on the Python, is bad-request and does not crash."""
        for depth in 2_000, 32_000:
            for kind in b"ping", b"nonsense":
                line = b'{"type":"%b","a":%b%b}' % (kind, b"[" * depth, b"]" * depth)
                if (bad := _bad_line(line)) is None:
                    self.assertEqual(wire.decode_request(line), requests.Ping())
                else:
                    self.assertEqual((bad.refusal.code, bad.ref), (Code.BAD_REQUEST, UNSET))

    def test_numbers_beyond_a_store(self) -> None:
        """A seq or limit above 2**63 - 1 is bad-request, and that number itself is accepted."""
        for field in "before", "limit":
            line = '{"type":"history","chat":"GLOBAL","%s":%d}'
            self._refused((line % (field, 2**63)).encode(), Code.BAD_REQUEST)
            taken = wire.decode_request((line % (field, 2**63 - 1)).encode())
            self.assertEqual(getattr(taken, field), 2**63 - 1)

    def test_unknown_fields(self) -> None:
        """Unknown fields are ignored."""
        self.assertEqual(wire.decode_request(b'{"later":{"a":[1]},"type":"ping","ref":0}'), requests.Ping(0))

    def test_long_value(self) -> None:
        """A refusal repeats little of a long value, and no control characters."""
        text = self._refused(b'{"type":"\\u001b%b"}' % (b"x" * 60_000), Code.BAD_REQUEST)
        self.assertLess(len(text), 300)
        self.assertNotIn("\x1b", text)


class EncodeEventTests(SynchronousTestCase):
    """`wire.encode` and `wire.encode_reply`, and decoding their lines."""

    def _check_line(self, line: bytes) -> None:
        self.assertEqual((line[-1:], line.count(b"\n"), line.count(b"\r")), (b"\n", 1, 0))
        self.assertLessEqual(len(line), rules.SERVER_LINE_BYTES)
        self.assertIsInstance(json.loads(line.decode()), dict)

    @given(any_event, any_ref)
    @example(events.Ok(), 2**63 - 1)
    @example(events.Ok(), "\0" * rules.REF_LENGTH)
    def test_round_trip(self, event: events.Event, ref: events.Ref) -> None:
        """Each event, with or without a ref, is encoded as one line of UTF-8 JSON, and decodes to itself."""
        for line, expected in (wire.encode(event), UNSET), (wire.encode_reply(event, ref), ref):
            self._check_line(line)
            self.assertEqual(wire.decode_event(line[:-1]), event)
            self.assertEqual(wire.reply_ref(line[:-1]), expected)

    def test_reply_without_ref(self) -> None:
        """A reply to a request without a ref is the plain event."""
        self.assertEqual(wire.encode_reply(events.Pong(), UNSET), wire.encode(events.Pong()))

    def test_lists_are_cut(self) -> None:
        """A list too long for a line is halved until it fits, and ``more`` is set if the event has it."""
        names = [f"{number:05}" + "\N{GRINNING FACE}" * 27 for number in range(4_000)]
        message = events.Message("GLOBAL", "alice", "2026-11-22T14:03:05.120Z", "\n" * 4_000, 1)
        chats = [events.Chat(name, name, 1, 2, 3, None) for name in names]
        unread = [events.UnreadChat(name, name, 1, 2) for name in names]
        found = wire.decode_event(self._encoded(events.Found([message] * 500, more=False)))
        self.assertEqual(found, events.Found([message] * 31, more=True))
        self.assertEqual(wire.decode_event(self._encoded(events.Chats(chats))), events.Chats(chats[:500]))
        users = wire.decode_event(self._encoded(events.Users(names, names[:1_000], more=False)))
        self.assertEqual(users, events.Users(names[:1_000], names[:1_000], more=True))
        users = wire.decode_event(self._encoded(events.Users(names[:10], names, more=False)))
        self.assertEqual(users, events.Users(names[:10], names[:2_000], more=True))
        welcome = events.Welcome("alice", False, "t", 1, {}, names[:1_000], 1_000, unread)
        expected = msgspec.structs.replace(welcome, online=names[:500], unread=unread[:500])
        self.assertEqual(wire.decode_event(self._encoded(welcome)), expected)
        welcome = events.Welcome("alice", False, "t", 1, {}, names, 4_000, unread[:400])
        expected = msgspec.structs.replace(welcome, online=names[:1_000])
        self.assertEqual(wire.decode_event(self._encoded(welcome)), expected)

    def _encoded(self, event: events.Event) -> bytes:
        for ref in 2**63 - 1, UNSET:
            line = wire.encode_reply(event, ref)
            self._check_line(line)
            self.assertGreater(len(line), rules.SERVER_LINE_BYTES // 4)
        return line[:-1]

    def test_longest_line(self) -> None:
        """A line of exactly 256 KiB is sent, and one byte more is refused, with and without a ref."""
        for ref in UNSET, 1, "ref", 2**63 - 1:
            room = rules.SERVER_LINE_BYTES - len(wire.encode_reply(events.Help(""), ref))
            self.assertEqual(len(wire.encode_reply(events.Help("x" * room), ref)), rules.SERVER_LINE_BYTES)
            self.assertRaises(ValueError, wire.encode_reply, events.Help("x" * (room + 1)), ref)

    def test_nothing_to_cut(self) -> None:
        """A line that is too long and has no list to cut raises ValueError, and does not loop forever."""
        long = "x" * rules.SERVER_LINE_BYTES
        for event in (
            events.Bye(long),
            events.Welcome(long, False, "t", 1, {}, ["a"], 1, [events.UnreadChat("a", "b", 1, 1)]),
            events.Presence([long], []),
            events.History("GLOBAL", [events.Message("GLOBAL", "a", "b", long, 1)], more=False),
        ):
            self.assertRaises(ValueError, wire.encode, event)

    def test_one_long_item(self) -> None:
        """A list with a single item too long for a line becomes empty."""
        long = "x" * rules.SERVER_LINE_BYTES
        self.assertEqual(wire.encode(events.Users([], [long], False)), wire.encode(events.Users([], [], True)))
        self.assertEqual(wire.encode(events.Users([long], [], False)), wire.encode(events.Users([], [], True)))

    def test_largest_group(self) -> None:
        """A group with the most members, and the longest names in the widest characters, fits in a line."""
        names = ["\N{GOTHIC LETTER AHSA}" * rules.NAME_LENGTH] * rules.GROUP_MEMBERS
        self._check_line(wire.encode_reply(events.Group("*" + names[0], "7", names[0], names), "r" * rules.REF_LENGTH))

    @given(plain_text.filter(lambda text: text.strip()))
    def test_line_bytes(self, text: str) -> None:
        """`rules.line_bytes` returns the bytes that a cleaned text takes in a line."""
        clean = rules.clean_text(text)
        self.assertEqual(
            rules.line_bytes(clean),
            len(wire.encode(events.Help(clean)).removeprefix(b'{"type":"help","text":"').removesuffix(b'"}\n')),
        )


class DecodeEventTests(SynchronousTestCase):
    """`wire.decode_event` and `wire.reply_ref`, on lines of a server of any version."""

    @given(any_line)
    @example(b'{"type":"ok","later":' + b"[" * 32_000)
    @example(b'{"type":"later","later":' + b"[" * 32_000 + b"]" * 32_000 + b"}")
    def test_any_bytes(self, line: bytes) -> None:
        """Any bytes return an event or None or raise ValueError, and return a ref or raise ValueError."""
        for decode in wire.decode_event, wire.reply_ref:
            with contextlib.suppress(ValueError):
                decode(line)

    def test_unknown_type(self) -> None:
        """An event of a later version is None with a readable ref, whatever its unknown fields hold."""
        for line in (b'{"type":"later","ref":7}', b'{"ref":7,"type":"later","n":%b}' % (b"9" * 5_000)):
            self.assertIsNone(wire.decode_event(line))
            self.assertEqual(wire.reply_ref(line), 7)

    def test_no_event(self) -> None:
        """A line that is not a JSON object raises ValueError, for the event and for the ref."""
        for line in b"", b"5", b"[]", b"{", b"IRChat/1 here: your username?", b"\xff", b"[" * 32_000:
            self.assertRaises(ValueError, wire.decode_event, line)
            self.assertRaises(ValueError, wire.reply_ref, line)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
