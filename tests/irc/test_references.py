"""The grammar of CHATHISTORY, MARKREAD and SEARCH."""

import contextlib
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from irchat.irc.references import (
    BadReference,
    HistoryQuery,
    MarkQuery,
    Moment,
    SearchAttributes,
    format_time,
    parse_chathistory,
    parse_markread,
    parse_search,
    parse_time,
)
from irchat.irc.targets import Msgid

_AT = 1_772_460_180_123
_STAMP = "timestamp=2026-03-02T14:03:00.123Z"
_ID = "msgid=12-5"


class SearchTests(SynchronousTestCase):
    """SEARCH."""

    def test_attributes(self) -> None:
        """Attributes are encoded as tags. Those that are unknown or empty do not count."""
        time = "2026-03-02T14:03:00.123Z"
        for text, attributes in (
            ("in=#team", SearchAttributes("#team", "", None, None, "", 50)),
            (r"text=a\sb\:c;limit=7", SearchAttributes("", "", None, None, "a b;c", 7)),
            (f"text=a;from=bob;after={time}", SearchAttributes("", "bob", _AT, None, "a", 50)),
            (f"before={time};in=bob;limit=501", SearchAttributes("bob", "", None, _AT, "", 500)),
            ("text=a;before=;limit;from;in=;x=y;;+z", SearchAttributes("", "", None, None, "a", 50)),
        ):
            self.assertEqual(parse_search([text]), attributes, text)

    def test_refusals(self) -> None:
        """The refusal names the invalid part."""
        for params, context in (
            ([], "text"),
            (["from=bob"], "text"),
            (["in=bob;limit=0"], "limit"),
            (["in=bob;limit=-1"], "limit"),
            (["in=bob;after=2026"], "after"),
            ([f"in=bob;before={_STAMP}"], "before"),
        ):
            with self.assertRaises(BadReference) as raised:
                parse_search(params)
            self.assertEqual((raised.exception.code, raised.exception.context), ("INVALID_PARAMS", (context,)))


class HistoryTests(SynchronousTestCase):
    """CHATHISTORY."""

    def test_subcommands(self) -> None:
        """Each subcommand takes its references, by msgid or timestamp."""
        moment, place = Moment(_AT), Msgid("12", 5)
        for line, query in (
            ("LATEST #team * 50", HistoryQuery("LATEST", "#team", None, None, 50)),
            (f"latest #team {_ID} 1", HistoryQuery("LATEST", "#team", place, None, 1)),
            (f"BEFORE bob {_STAMP} 100", HistoryQuery("BEFORE", "bob", moment, None, 100)),
            (f"AFTER bob {_ID} 500", HistoryQuery("AFTER", "bob", place, None, 500)),
            (f"AROUND bob {_ID} 501", HistoryQuery("AROUND", "bob", place, None, 500)),
            (f"BETWEEN bob {_ID} {_STAMP} 9999999999", HistoryQuery("BETWEEN", "bob", place, moment, 500)),
            (f"TARGETS {_STAMP} {_STAMP} 10", HistoryQuery("TARGETS", "", moment, moment, 10)),
        ):
            self.assertEqual(parse_chathistory(line.split(" ")), query, line)

    def test_refusals(self) -> None:
        """Anything else is refused as INVALID_PARAMS with the subcommand."""
        for line, subcommand in (
            ("", ""),
            ("OLDEST bob * 5", "OLDEST"),
            ("LATEST", "LATEST"),
            ("LATEST bob *", "LATEST"),
            ("LATEST bob * 0", "LATEST"),
            ("LATEST bob * -5", "LATEST"),
            ("LATEST bob * ten", "LATEST"),
            ("LATEST bob * ٣", "LATEST"),
            ("BEFORE bob * 5", "BEFORE"),
            ("BEFORE bob msgid= 5", "BEFORE"),
            ("BEFORE bob msgid=abc 5", "BEFORE"),
            ("BEFORE bob seq=12-5 5", "BEFORE"),
            ("BEFORE bob timestamp=2026 5", "BEFORE"),
            (f"BETWEEN bob {_ID} 5", "BETWEEN"),
            (f"BETWEEN bob {_ID} x 5", "BETWEEN"),
            (f"TARGETS {_ID} {_STAMP} 5", "TARGETS"),
            (f"TARGETS {_STAMP} 5", "TARGETS"),
        ):
            refused = self.assertRaises(BadReference, parse_chathistory, line.split(" "))
            self.assertEqual((refused.code, refused.context), ("INVALID_PARAMS", (subcommand,)), line)
        self.assertEqual(self.assertRaises(BadReference, parse_chathistory, []).context, ("*",))

    @given(
        st.lists(
            st.sampled_from(["LATEST", "BETWEEN", "TARGETS", "*", _ID, _STAMP, "5", "bob"]) | st.text(), max_size=6
        )
    )
    def test_any_parameters(self, params: list[str]) -> None:
        """Any parameters are a query or refused."""
        with contextlib.suppress(BadReference):
            self.assertTrue(1 <= parse_chathistory(params).limit <= 500)
        with contextlib.suppress(BadReference):
            parse_markread(params)


class MarkReadTests(SynchronousTestCase):
    """MARKREAD."""

    def test_forms(self) -> None:
        """It asks for a marker or sets it."""
        self.assertEqual(parse_markread(["#team"]), MarkQuery("#team", None))
        self.assertEqual(parse_markread(["bob", _STAMP]), MarkQuery("bob", _AT))

    def test_refusals(self) -> None:
        """Missing and bad parameters have codes of their own."""
        for params, code, context in (
            ([], "NEED_MORE_PARAMS", ()),
            ([""], "NEED_MORE_PARAMS", ()),
            (["bob", "*"], "INVALID_PARAMS", ("bob",)),
            (["bob", "timestamp=*"], "INVALID_PARAMS", ("bob",)),
            (["bob", "timestamp=2026-13-02T14:03:00.000Z"], "INVALID_PARAMS", ("bob",)),
            (["bob", _ID], "INVALID_PARAMS", ("bob",)),
        ):
            refused = self.assertRaises(BadReference, parse_markread, params)
            self.assertEqual((refused.code, refused.context), (code, context))


class TimeTests(SynchronousTestCase):
    """Times."""

    def test_forms(self) -> None:
        """A time has milliseconds, or more or fewer digits."""
        for text, ms in (
            ("2026-03-02T14:03:00.123Z", _AT),
            ("2026-03-02T14:03:00.123999Z", _AT),
            ("2026-03-02T14:03:00.12Z", _AT - 3),
            ("2026-03-02T14:03:00Z", _AT - 123),
            ("2026-03-02T14:02:60.123Z", _AT - 1_000),
            ("1970-01-01T00:00:00.000Z", 0),
            ("0001-01-01T00:00:00.000Z", 0),
            ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
        ):
            self.assertEqual(parse_time(text), ms, text)

    def test_none(self) -> None:
        """Anything else is no time."""
        for text in ("", "*", "2026-03-02", "2026-03-02 14:03:00Z", "2026-03-02T14:03:00.123", "2026-02-30T00:00:00Z",
                     "2026-03-02T14:03:00+01:00", "0000-01-01T00:00:00Z", "2026-03-02T24:00:00Z",
                     "2026-03-02T14:03:61Z",
                     "٢026-03-02T14:03:00Z", "2026-03-02T14:03:00.Z", "2026-03-02T14:03:00Z\n"):  # fmt: skip
            self.assertIsNone(parse_time(text), text)

    @given(st.integers(0, 253_402_300_799_999))
    def test_both_ways(self, ms: int) -> None:
        """A time is written so that it is read as the same."""
        text = format_time(ms)
        self.assertEqual(parse_time(text), ms)
        self.assertEqual(
            datetime.fromisoformat(text), datetime.fromtimestamp(ms // 1000, UTC).replace(microsecond=ms % 1000 * 1000)
        )

    def test_outside(self) -> None:
        """A time that cannot be written is written as the nearest one."""
        self.assertEqual(format_time(-5), "1970-01-01T00:00:00.000Z")
        self.assertEqual(format_time(10**18), "9999-12-31T23:59:59.999Z")
