"""Any bytes: each reply is valid, no exception escapes, and the connection goes on."""

import itertools
import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from irchat.irc.command_table import COMMANDS
from irchat.protocol.rules import CLIENT_LINE_BYTES
from tests.helpers import fuzz_targets

_typed = st.sampled_from(
    ["@", "@ ", "@bob ", "*bob -> team", "*team ", "+bob team", "-bob team", "*30*", "*30@bob ", "*0* ", "*1*team hi",
     "ls", "ls @bob", "ls -n", "ls GLOBAL 3", "ls @bob ?", "?", "?hi", "~", "~bob", "!help", "!help *", "!password",
     "exit", "\\", "hi", "GLOBAL", "\x00", "\x1b[2J", "\u202e", "\ud800", '"', "{", "alice", " ", "\r", "\t", "9" * 25]
)  # fmt: skip
_typed_line = st.lists(_typed | st.text(max_size=5), max_size=5).map(
    lambda words: "".join(words).encode("utf-8", "surrogatepass")
)
_scalar = st.one_of(
    st.sampled_from(["GLOBAL", "@bob", "*team", "bob", "team", "", "x" * 4_001, "\x00", "\x1b[2J", "\u202e"]),
    st.text(max_size=8), st.integers(-1, 3), st.integers(-(2**70), 2**70), st.booleans(), st.none(), st.floats(),
    st.lists(st.sampled_from(["bob", "alice", "zoe", ""]), max_size=3),
)  # fmt: skip
_types = st.sampled_from(
    ["send", "line", "history", "search", "read", "chats", "users", "create_group", "add_member", "remove_member",
     "members", "block", "blocks", "help", "ping", "pong", "login", "register", "resume", "password", "logout", "none"]
)  # fmt: skip
_names = st.sampled_from(
    ["chat", "text", "line", "name", "words", "seq", "members", "group", "prefix", "limit", "before", "after", "unread",
     "expires_in", "nonce", "ref", "password", "token", "blocked", "mark_read", "old", "new", "forget"]
)  # fmt: skip


def _json_line(kind: str, fields: dict[str, object]) -> bytes:
    return json.dumps({"type": kind, **fields}).encode()


_request = st.builds(_json_line, _types, st.dictionaries(_names, _scalar, max_size=4))
_irc_word = st.one_of(
    st.sampled_from(
        ["#global", "#GLOBAL", "#team", "bob", "alice", "zoe", "*irchat", "NickServ", "*", "", ":", "+o", "-i", "LS",
         "REQ", "END", "302", ":batch labeled-response", "PLAIN", "AGEAYg==", "LATEST", "BETWEEN", "TARGETS", "g-1",
         "msgid=g-1", "timestamp=2026-11-22T14:00:00.000Z", "5", "+1", "-1", "draft/multiline", ":hi", "a,b", "*!*@*",
         ":REGISTER long-enough", "%tna,1", ":*30@bob hi", ":\x01ACTION x\x01", ":\x02x\x02"]
    ),
    st.text(max_size=5),
)  # fmt: skip
_irc_tags = st.sampled_from(
    ["", "", "", "@label=x ", "@batch=1 ", "@+typing=active ", "@+draft/react=ok;+draft/reply=g-1 "]
)


def _irc_bytes(tags: str, command: str, words: list[str]) -> bytes:
    return f"{tags}{command} {' '.join(words)}".encode("utf-8", "surrogatepass")


_irc_line = st.builds(_irc_bytes, _irc_tags, st.sampled_from([*COMMANDS]), st.lists(_irc_word, max_size=4))
_long = st.integers(CLIENT_LINE_BYTES - 2, CLIENT_LINE_BYTES + 3).map(lambda length: b"x" * length)
_any_line = st.one_of(_request, _typed_line, st.binary(max_size=30), _long)


@st.composite
def _segments(draw: st.DrawFn, lines: st.SearchStrategy[bytes]) -> list[bytes]:
    """Split lines anywhere, as a network does."""
    ends = st.sampled_from([b"\n", b"\r\n", b"\n\n", b""])
    data = b"".join(line + draw(ends) for line in draw(st.lists(lines, max_size=8)))
    cuts = sorted(draw(st.lists(st.integers(0, len(data)), max_size=5)))
    return [data[begin:end] for begin, end in itertools.pairwise([0, *cuts, len(data)]) if begin < end]


@pytest.mark.slow
class FuzzTests(SynchronousTestCase):
    """Each part that parses bytes from strangers. `tests.fuzz_atheris` runs the same targets with a guided fuzzer."""

    @settings(max_examples=300)
    @given(_any_line)
    @example(b'{"type":"ping","x":' + b"[" * 60_000)
    @example(b'{"type":"ping","x":' + b"[" * 30_000 + b"]" * 30_000 + b"}")
    def test_wire(self, line: bytes) -> None:
        """A line of the JSON protocol is a request or is refused."""
        fuzz_targets.wire(line)

    @settings(max_examples=300)
    @given(_typed_line | st.binary(max_size=40))
    def test_commands(self, line: bytes) -> None:
        """A typed line is a request or is refused."""
        fuzz_targets.commands(line)

    @settings(max_examples=80)
    @given(_segments(_any_line))
    @example([b"\xff" * 3 + b"\n"])
    @example([b"x" * (CLIENT_LINE_BYTES + 1), b"\n{", b'"type":"ping"}\n'])
    def test_json_protocol(self, segments: list[bytes]) -> None:
        """A connection with the JSON protocol has no internal error, and goes on."""
        fuzz_targets.json_protocol(segments)

    @settings(max_examples=80)
    @given(_segments(st.one_of(_typed_line, _request, st.binary(max_size=30))))
    def test_text_protocol(self, segments: list[bytes]) -> None:
        """A connection with the text protocol has no internal error, and goes on."""
        fuzz_targets.text_protocol(segments)

    @settings(max_examples=60)
    @given(_segments(_typed_line | st.sampled_from([b"zoe", b"long enough", b"GET / HTTP/1.1"]) | _request))
    def test_sign_in(self, segments: list[bytes]) -> None:
        """The sign-in dialogue has no internal error."""
        fuzz_targets.text_protocol(segments, signed_in=False)

    @settings(max_examples=300)
    @given(_irc_line | st.binary(max_size=60))
    def test_irc_line(self, line: bytes) -> None:
        """A line of IRC is read or refused by each part of the library."""
        fuzz_targets.irc_line(line)

    @settings(max_examples=80)
    @given(_segments(_irc_line | st.binary(max_size=30) | _long))
    def test_irc_protocol(self, segments: list[bytes]) -> None:
        """A connection with the IRC protocol has no internal error, and goes on unless it says ERROR."""
        fuzz_targets.irc_protocol(segments)

    @settings(max_examples=80)
    @given(_segments(_irc_line | st.binary(max_size=30)))
    def test_irc_sign_in(self, segments: list[bytes]) -> None:
        """The registration of an IRC client has no internal error."""
        fuzz_targets.irc_protocol(segments, signed_in=False)

    @settings(max_examples=100)
    @given(
        st.binary(max_size=300),
        st.booleans(),
        st.sampled_from(
            [b"", b"\x16\x03\x01\x00\x80\x01\x00\x00\x7c\x03\x03", b"\x17\x03\x03\x00\x20", b"\x15\x03\x03\x00\x02"]
        ),
    )
    def test_tls_records(self, data: bytes, after_handshake: bool, head: bytes) -> None:
        """Bytes that are not TLS raise nothing, before or after the handshake."""
        fuzz_targets.tls_records(head + data, after_handshake=after_handshake)
