"""The end of a ban: parsing and display."""

import time
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from irchat.protocol.errors import Code, Refusal
from irchat.system.times import check_end, end_after, end_at, end_of, moment, shown_moment, start_of_day

NOW = 1_795_356_000_000  # 2026-11-22T14:00:00Z


class MomentTests(SynchronousTestCase):
    """Durations and times."""

    def test_durations(self) -> None:
        """A duration has weeks to seconds, each of them optional."""
        for text, seconds in (("90s", 90), ("2h30m", 9_000), ("1w2d3h4m5s", 788_645), (" 7d ", 604_800), ("007m", 420)):
            self.assertEqual(end_after(text, NOW), NOW + seconds * 1000, text)

    def test_no_durations(self) -> None:
        """An invalid, zero or excessive duration is refused."""
        for text in ("", "2", "2h2h", "30m2h", "-1h", "1.5h", "0s", "h", "٣h", "9" * 9 + "w", "9" * 30 + "s", "2h 30m"):
            refused = self.assertRaises(Refusal, end_after, text, NOW)
            self.assertEqual(refused.code, Code.BAD_TIME, text)

    def test_moments(self) -> None:
        """A time has a time zone, or is in the local one, and lies in the future."""
        self.assertEqual(end_at("2026-11-22T15:00Z", NOW), NOW + 3_600_000)
        self.assertEqual(end_at("2026-11-22T16:00:01+01:00", NOW), NOW + 3_601_000)
        local = datetime(2030, 1, 2, 3, 4)
        self.assertEqual(end_at("2030-01-02T03:04", NOW), int(time.mktime(local.timetuple())) * 1000)

    def test_days(self) -> None:
        """A day begins at midnight in the time zone of this machine."""
        self.assertEqual(start_of_day("2026-03-01"), int(time.mktime(datetime(2026, 3, 1).timetuple())) * 1000)
        for text in "2026-02-30", "0000-01-01", "2026-3-1":
            self.assertRaises(ValueError, start_of_day, text)

    def test_no_moments(self) -> None:
        """An invalid or past time is refused in one line without controls."""
        for text in ("2026-11-22T14:00Z", "2020-01-01", "tomorrow", "2026-13-01", "9999-12-31T23:59:59-23:00", "\x1b-"):
            refused = self.assertRaises(Refusal, end_at, text, NOW)
            self.assertEqual(refused.code, Code.BAD_TIME, text)
            self.assertTrue(refused.text.isprintable())

    def test_either(self) -> None:
        """One field accepts both a duration and a time."""
        self.assertEqual(end_of("1m", NOW), NOW + 60_000)
        self.assertEqual(end_of("2026-11-22T14:01Z", NOW), NOW + 60_000)

    def test_absurd(self) -> None:
        """A number from a program that is past or beyond any calendar is refused, and still has a text for display."""
        for ms in NOW, 0, -1, 2**63 - 1, 2**63, -(2**70):
            self.assertEqual(self.assertRaises(Refusal, check_end, ms, NOW).code, Code.BAD_TIME)
        self.assertEqual((check_end(NOW + 1, NOW), check_end(None, NOW)), (NOW + 1, None))
        self.assertEqual(shown_moment(2**63 - 1), "9999-12-31 00:00 UTC")
        self.assertEqual(shown_moment(-(2**63)), "1970-01-01 00:00 UTC")

    def test_rfc3339(self) -> None:
        """A time in RFC 3339 has a time zone, and its fraction is rounded up to a millisecond."""
        for text in ("2026-11-22T14:00:00Z", "2026-11-22t15:00:00.000+01:00", "2026-11-22 14:00:00.0z"):
            self.assertEqual(moment(text), NOW, text)
        self.assertEqual([moment(f"2026-11-22T14:00:00.{part}Z") for part in ("001", "0001")], [NOW + 1] * 2)
        self.assertLess(moment("0001-01-01T00:00:00+23:59"), 0)

    def test_no_rfc3339(self) -> None:
        """Anything else is refused in one safe line."""
        for text in ("", "2026-11-22", "2026-11-22T14:00Z", "2026-11-22T14:00:00", "2026-13-01T00:00:00Z", "\x1b",
                     "2026-11-22T14:00:00Z\n", "٢026-11-22T14:00:00Z", "2026-11-22T14:00:00+99:00"):  # fmt: skip
            refused = self.assertRaises(Refusal, moment, text)
            self.assertEqual(refused.code, Code.BAD_REQUEST, text)
            self.assertTrue(refused.text.isprintable())

    @given(st.integers(NOW, NOW + 10**12))
    def test_shown(self, ms: int) -> None:
        """A time is shown rounded up to the minute."""
        shown = datetime.strptime(shown_moment(ms), "%Y-%m-%d %H:%M UTC").replace(tzinfo=UTC).timestamp() * 1000
        self.assertTrue(0 <= shown - ms < 60_000)
