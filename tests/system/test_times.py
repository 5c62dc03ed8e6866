"""When a ban ends, as it is written and as it is told."""

import time
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from irchat.protocol.errors import Code, Refusal
from irchat.system.times import check_end, end_after, end_at, end_of, shown_moment, start_of_day

NOW = 1_795_356_000_000  # 2026-11-22T14:00:00Z


class MomentTests(SynchronousTestCase):
    """Durations and moments."""

    def test_durations(self) -> None:
        """A duration is of weeks to seconds, any of them left out."""
        for text, seconds in (("90s", 90), ("2h30m", 9_000), ("1w2d3h4m5s", 788_645), (" 7d ", 604_800), ("007m", 420)):
            self.assertEqual(end_after(text, NOW), NOW + seconds * 1000, text)

    def test_no_durations(self) -> None:
        """What is no duration, or none of any length, or reaches past all calendars, is refused."""
        for text in ("", "2", "2h2h", "30m2h", "-1h", "1.5h", "0s", "h", "٣h", "9" * 9 + "w", "9" * 30 + "s", "2h 30m"):
            refused = self.assertRaises(Refusal, end_after, text, NOW)
            self.assertEqual(refused.code, Code.BAD_TIME, text)

    def test_moments(self) -> None:
        """A moment has a time zone, or is of this machine's; it is to come."""
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
        """What is past, or no moment, is refused in one safe line."""
        for text in ("2026-11-22T14:00Z", "2020-01-01", "tomorrow", "2026-13-01", "9999-12-31T23:59:59-23:00", "\x1b-"):
            refused = self.assertRaises(Refusal, end_at, text, NOW)
            self.assertEqual(refused.code, Code.BAD_TIME, text)
            self.assertTrue(refused.text.isprintable())

    def test_either(self) -> None:
        """In the chat both are written in the same place."""
        self.assertEqual(end_of("1m", NOW), NOW + 60_000)
        self.assertEqual(end_of("2026-11-22T14:01Z", NOW), NOW + 60_000)

    def test_absurd(self) -> None:
        """A moment that no calendar has is refused from a program, and shown as the last or the first all the same."""
        for ms in NOW, 0, -1, 2**63 - 1, 2**63, -(2**70):
            self.assertEqual(self.assertRaises(Refusal, check_end, ms, NOW).code, Code.BAD_TIME)
        self.assertEqual((check_end(NOW + 1, NOW), check_end(None, NOW)), (NOW + 1, None))
        self.assertEqual(shown_moment(2**63 - 1), "9999-12-31 00:00 UTC")
        self.assertEqual(shown_moment(-(2**63)), "1970-01-01 00:00 UTC")

    @given(st.integers(NOW, NOW + 10**12))
    def test_shown(self, ms: int) -> None:
        """A moment is shown as a minute that is not before it, and less than a minute after."""
        shown = datetime.strptime(shown_moment(ms), "%Y-%m-%d %H:%M UTC").replace(tzinfo=UTC).timestamp() * 1000
        self.assertTrue(0 <= shown - ms < 60_000)
