"""Message tags."""

from hypothesis import example, given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from irchat.irc.irc_lines import build
from irchat.irc.message_tags import build_tags, client_only, escape, parse_tags, tagged, unescape
from tests.helpers.strategies import HOSTILE, is_hostile

_value = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)


class TagTests(SynchronousTestCase):
    """Parsing, building and escaping."""

    @given(_value | st.text(st.sampled_from("\\;: srn\r\n"), max_size=12))
    def test_escapes(self, value: str) -> None:
        """An escaped value has nothing that ends it, and is unescaped to the same value."""
        escaped = escape(value)
        self.assertTrue(set("; \r\n\0").isdisjoint(escaped))
        self.assertEqual(unescape(escaped), value)

    @given(st.dictionaries(st.from_regex(r"\A\+?([A-Za-z.-]{1,5}/)?[A-Za-z0-9-]{1,8}\Z"), _value, max_size=5))
    @example({"+example.com/a-b": "; \\", "b": ""})
    def test_round_trip(self, tags: dict[str, str]) -> None:
        """Tags that are built are parsed as the same."""
        self.assertEqual(parse_tags(build_tags(tags)), tags)

    def test_as_specified(self) -> None:
        """Backslashes at the end or before other characters are dropped; the last of equal keys counts."""
        self.assertEqual(
            parse_tags("a=1;a=2;b;c=;d=x\\b\\;+x.y/z=\\:\\s\\\\\\r\\n"),
            {"a": "2", "b": "", "c": "", "d": "xb", "+x.y/z": "; \\\r\n"},
        )

    def test_bad_keys(self) -> None:
        """Tags with a key that is none are dropped."""
        self.assertEqual(parse_tags("=a;;+;ä=1;a b=1;a/=1;+a/b/c=1;++a=1;ok=1;\x01=2;a:b=3"), {"ok": "1"})

    def test_client_only(self) -> None:
        """Only client-only tags without control characters are passed on."""
        for character in HOSTILE:
            is_control = is_hostile(character) or character in "\u2028\u2029"
            self.assertEqual("+a" in client_only({"+a": f"x{character}"}), not is_control, hex(ord(character)))
        self.assertEqual(
            client_only({"label": "1", "+typing": "active", "+draft/react": "👍", "time": "2020", "+b": ""}),
            {"+typing": "active", "+draft/react": "👍", "+b": ""},
        )

    def test_tagged(self) -> None:
        """Tags are put before those of a line, or on a line without any."""
        line = build("PING", "x")
        self.assertEqual(tagged(line, {}), line)
        self.assertEqual(tagged(line, {"label": "a b"}), b"@label=a\\sb PING x\r\n")
        self.assertEqual(tagged(b"@a=1 PING x\r\n", {"b": ""}), b"@b;a=1 PING x\r\n")
