"""Messages as rows: at every width nothing is lost, every row fits, and search words are marked."""

from datetime import UTC, date

from hypothesis import example, given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from irchat.client.view.items import Item, Kind
from irchat.client.view.navigation import found_item
from irchat.client.view.rows import NAME_COLOURS, Brush, Row, column, left, name_style
from irchat.protocol.events import Mark
from irchat.text.cells import cells
from tests.helpers.client_fakes import message

_NAMES = st.sampled_from(["bob", "山田太郎", "José", "नमस्ते", "a" * 32, "дмитрий", "👩\u200d💻x"])
_TEXTS = st.text(st.sampled_from("ab  cd日本\u0301🙂👩\u200d💻\n🇩🇪नक्षिש"), min_size=1, max_size=80)


def _text(row: Row) -> str:
    return "".join(text for _, text in row.pieces)


def _item(text: str, sender: str = "bob", **fields: object) -> Item:
    return Item(Kind.MESSAGE, (1, 0, 0), text, sender, "2026-11-22T13:00:00.000Z", **fields)


class RowsTests(SynchronousTestCase):
    """Items as rows of a pane."""

    def rows(self, item: Item, width: int, *, with_chat: bool = False, name_width: int = 5) -> list[Row]:
        """Return the rows of an item."""
        brush = Brush(width, 10.0, name_width=name_width, zone=UTC, today=date(2026, 11, 22))
        return brush.rows(item, None, unread_line=False, with_chat=with_chat)

    @example("ि日", "bob", 26, True, True)  # a vowel sign without a letter, behind what stands before a text
    @given(_TEXTS, _NAMES, st.integers(20, 100), st.booleans(), st.booleans())
    def test_nothing_is_lost(self, text: str, sender: str, width: int, timed: bool, with_chat: bool) -> None:
        """At any width every row fits, and shows every letter of the text once."""
        item = _item(text, sender, chat="*team", ends=40.0 if timed else None)
        rows = self.rows(item, width, with_chat=with_chat, name_width=cells(sender))
        for row in rows:
            self.assertLessEqual(cells(_text(row)), width)
        shown = "".join(piece for row in rows for style, piece in row.pieces if style == "class:text")
        self.assertEqual("".join(shown.split()), "".join(text.split()))
        everything = "".join(map(_text, rows))
        self.assertEqual((everything.count("(30s)"), everything.count("*team")), (timed, with_chat))

    def test_narrow(self) -> None:
        """In a pane of less than 40 columns a long text is wrapped at the width left by its indentation."""
        rows = [_text(row) for row in self.rows(_item("abcdefghij" * 6), 30)]
        self.assertEqual([cells(row) for row in rows], [30, 30, 16])
        self.assertEqual("".join([rows[0].split("│ ")[1], *(row[2:] for row in rows[1:])]), "abcdefghij" * 6)

    def test_long_first_word(self) -> None:
        """The remaining time of a timed message is shown once, even if its first word is longer than the row."""
        for width in 30, 60, 80:
            rows = [_text(row) for row in self.rows(_item("x" * 200, ends=40.0), width)]
            self.assertEqual("".join(rows).count("(30s)"), 1)
            self.assertEqual("".join(rows).count("x"), 200)

    def test_names_in_cells(self) -> None:
        """A name of wide letters gets the cells reserved for names, and is not cut while there is room."""
        (row,) = self.rows(_item("hi", "山田太郎"), 60, name_width=cells("山田太郎"))
        self.assertEqual(_text(row), "13:00 山田太郎 │ hi")

    def test_room_for_names(self) -> None:
        """Names get as many cells as the longest one needs, at least 4 and at most 16, and a quarter of the row."""
        for width, name_width, room in ((80, 0, 4), (80, 9, 9), (80, 30, 16), (60, 30, 15), (40, 30, 10)):
            (row,) = self.rows(_item("hi", "b"), width, name_width=name_width)
            self.assertEqual(_text(row), "13:00 " + "b".rjust(room) + " │ hi", (width, name_width))

    def test_hit_fills_its_rows(self) -> None:
        """A long search result takes three rows of a wide pane, behind the name of its chat."""
        hit = found_item(0, message("début " * 400), "alice", "début")
        rows = self.rows(hit, 200, with_chat=True)
        room = 200 - 14
        shown = sum(cells(text) for row in rows for style, text in row.pieces if style in ("class:hit", "class:text"))
        self.assertTrue(2 * room < shown + len("GLOBAL ") <= 3 * room, shown)

    def test_long_hit(self) -> None:
        """Of a long search result a few rows are shown, around the marked words."""
        text = "début " * 400 + "the needle here " + "end " * 300
        for width in 30, 60, 80, 200:
            rows = self.rows(found_item(0, message(text), "alice", "NEEDLE"), width, with_chat=True)
            self.assertLessEqual(len(rows), 5)
            self.assertEqual([piece for row in rows for style, piece in row.pieces if style == "class:hit"], ["needle"])
            for row in rows:
                self.assertLessEqual(cells(_text(row)), width)

    def test_short_hit(self) -> None:
        """A short result is shown as a whole, with all words marked."""
        (row,) = self.rows(found_item(0, message("Café\nau lait, cafe noir"), "alice", "cafe noir"), 80)
        self.assertEqual(
            row.pieces[-5:],
            (("class:hit", "Café"), ("class:text", " au lait, "), ("class:hit", "cafe"), ("class:text", " "),
             ("class:hit", "noir")),
        )  # fmt: skip

    def test_lead_in_a_narrow_pane(self) -> None:
        """A lead that does not fit beside the name is in the next row, which is filled to the last column."""
        rows = [_text(row) for row in self.rows(_item("abcdefghij" * 6, chat="*" * 30, ends=40.0), 30, with_chat=True)]
        self.assertEqual(rows[:2], ["13:00 bob │ ", "  " + "*" * 13 + "… (30s) abcdefg"])
        self.assertEqual([cells(row) for row in rows], [12, 30, 30, 27])

    def test_lead_that_just_fits(self) -> None:
        """A lead that leaves no cell for the text stays beside the name."""
        rows = [_text(row) for row in self.rows(_item("a" * 20, chat="*" * 12, ends=15.0), 30, with_chat=True)]
        self.assertEqual(rows, ["13:00 bob │ " + "*" * 12 + " (5s) ", "  " + "a" * 20])

    def test_where_narrow_begins(self) -> None:
        """From 40 columns on a text continues in its own column, below that under the name."""
        for width, indent in ((40, 14), (39, 2)):
            rows = [_text(row) for row in self.rows(_item("a" * 50), width)]
            self.assertEqual(rows[1].index("a"), indent)
            self.assertEqual(cells(rows[0]), width)

    def test_chat_is_not_named(self) -> None:
        """A row names its chat only in lists with several chats."""
        brush = Brush(60, 10.0, name_width=5, zone=UTC, today=date(2026, 11, 22))
        (row,) = brush.rows(_item("hi", chat="*team"), None, unread_line=False)
        self.assertNotIn("*team", _text(row))

    def test_rule(self) -> None:
        """A rule has its text in the middle, truncated if needed, and reaches from edge to edge."""
        for width, line in ((15, "─── unread ────"), (14, "─── unread ───"), (8, "─ unr… ─")):
            self.assertEqual(_text(Brush(width, 0.0).rule("unread", "")), line)

    def test_note_is_wrapped(self) -> None:
        """A note fills the rows after its mark."""
        rows = self.rows(Item(Kind.NOTE, (0, 0, 0), "x" * 59), 60)
        self.assertEqual([_text(row) for row in rows], ["  " + "x" * 58, "  x"])


class BrushTests(SynchronousTestCase):
    """Items as rows."""

    def brush(self, width: int = 60) -> Brush:
        """Create a brush at time 10."""
        return Brush(width, 10.0, name_width=5, zone=UTC, today=date(2026, 11, 22))

    def talk(self, text: str, **fields: object) -> Item:
        """Return a message from bob."""
        return Item(Kind.MESSAGE, (1, 0, 0), text, "bob", "2026-11-22T13:00:00.000Z", **fields)

    def lines(self, item: Item, before: Item | None = None, width: int = 60, **options: bool) -> list[str]:
        """Return the rows as text."""
        rows = self.brush(width).rows(item, before, unread_line=options.get("unread_line", False),
                                      with_chat=options.get("with_chat", False))  # fmt: skip
        return [_text(row).rstrip() for row in rows]

    def test_message(self) -> None:
        """Time, name, text. Further rows are aligned with the text."""
        self.assertEqual(self.lines(self.talk("hi")), ["13:00   bob │ hi"])
        self.assertEqual(
            self.lines(self.talk("one two three four five six seven eight nine ten")),
            ["13:00   bob │ one two three four five six seven eight nine", "            │ ten"],
        )

    def test_own_and_pending(self) -> None:
        """The user's own messages have their own bar, and a pending one has no time yet."""
        self.assertEqual(self.lines(self.talk("hi", own=True)), ["13:00   bob ┃ hi"])
        pending = self.talk("hi", own=True)
        pending.kind = Kind.PENDING
        self.assertEqual(self.lines(pending), ["  …     bob ┃ hi"])

    def test_styles(self) -> None:
        """Own messages, mentions and messages of others have different names and bars, and a pending text its own."""
        for fields, name, bar in (
            ({}, name_style("bob"), "class:bar"),
            ({"calls": True}, name_style("bob"), "class:mention"),
            ({"own": True}, "class:own-name", "class:own-bar"),
            ({"own": True, "calls": True}, "class:own-name", "class:own-bar"),
        ):
            (row,) = self.brush().rows(self.talk("hi", **fields), None, unread_line=False)
            self.assertEqual([style for style, _ in row.pieces[2:4]], [name, bar])
        for kind, time, text in (
            (Kind.MESSAGE, "class:time", "class:text"),
            (Kind.PENDING, "class:pending", "class:pending"),
        ):
            item = self.talk("hi")
            item.kind = kind
            (row,) = self.brush().rows(item, None, unread_line=False)
            self.assertEqual((row.pieces[0][0], row.pieces[-1]), (time, (text, "hi")))

    def test_called(self) -> None:
        """The user's name stands out in a message that calls it, and not in another one."""
        brush = Brush(60, 10.0, name_width=5, zone=UTC, today=date(2026, 11, 22), me="alice")
        for calls in True, False:
            (row,) = brush.rows(self.talk("hi @alice", calls=calls), None, unread_line=False)
            self.assertEqual(row.pieces[-1] == ("class:text", "hi @alice"), not calls, row.pieces)
        (row,) = self.brush().rows(self.talk("a @ b", calls=True), None, unread_line=False)
        self.assertEqual(row.pieces[-1], ("class:text", "a @ b"))

    def test_timed(self) -> None:
        """A timed message shows its remaining time."""
        self.assertEqual(self.lines(self.talk("psst", ends=38.5)), ["13:00   bob │ (29s) psst"])

    def test_found(self) -> None:
        """A search result shows its chat."""
        self.assertEqual(self.lines(self.talk("hi", chat="*team"), with_chat=True), ["13:00   bob │ *team hi"])

    def test_narrow(self) -> None:
        """On a very narrow pane the text begins beside the name and continues below it."""
        self.assertEqual(
            self.lines(self.talk("one two three four five", ends=11.0), width=24),
            ["13:00 bob │ (1s) one two", "  three four five"],
        )

    def test_days(self) -> None:
        """A new day has a line, except today at the beginning. Items other than messages do not count."""
        earlier = self.talk("old")
        earlier.at = "2026-11-21T13:00:00.000Z"
        self.assertEqual(len(self.lines(self.talk("hi"))), 1)
        self.assertIn("Saturday, 21 November 2026", self.lines(earlier)[0])
        self.assertIn("Sunday, 22 November 2026", self.lines(self.talk("hi"), earlier)[0])
        self.assertEqual(len(self.lines(self.talk("hi"), self.talk("before"))), 1)
        odd = self.talk("hi")
        odd.at = "?"
        self.assertEqual(self.lines(odd), ["--:--   bob │ hi"])

    def test_unread_line(self) -> None:
        """The unread line comes before the message."""
        self.assertIn(" unread ", self.lines(self.talk("hi"), unread_line=True)[0])

    def test_notes(self) -> None:
        """The client's own lines and errors are distinguishable without colour."""
        self.assertEqual(self.lines(Item(Kind.NOTE, (0, 0, 0), "done")), ["  done"])
        self.assertEqual(self.lines(Item(Kind.ERROR, (0, 0, 0), "no\nuse")), ["! no", "  use"])


class ChangedRowsTests(SynchronousTestCase):
    """Edits, marks and answers."""

    def rows(self, item: Item, width: int = 60, **how: object) -> list[str]:
        """Return the rows of an item as text."""
        brush = Brush(width, 10.0, name_width=5, zone=UTC, today=date(2026, 11, 22))
        rows = brush.rows(item, None, unread_line=False, **how)
        for row in rows:
            self.assertLessEqual(cells(_text(row)), width)
        return [_text(row).rstrip() for row in rows]

    def test_edited(self) -> None:
        """An edited message says so behind its text, or below a text that fills its row."""
        self.assertTrue(self.rows(_item("hi", edited="2026-11-22T13:05:00Z"))[0].endswith("hi (edited)"))
        rows = self.rows(_item("a" * 43, edited="2026-11-22T13:05:00Z"))
        self.assertEqual((len(rows), rows[1].split()), (2, ["│", "(edited)"]))
        detailed = self.rows(_item("hi", edited="2026-11-22T13:05:00Z"), with_details=True)
        self.assertTrue(detailed[0].endswith("(edited 2026-11-22 13:05)"))

    def test_room_for_edited(self) -> None:
        """The note of an edit is behind the text as long as both fit in the row, which a remaining time shortens."""
        how = {"edited": "2026-11-22T13:05:00Z"}
        for text, ends, count in (
            ("a" * 37, None, 1),
            ("a" * 38, None, 2),
            ("a" * 31, 40.0, 1),
            ("a" * 32, 40.0, 2),
            ("a" * 40 + "b" * 37, 40.0, 2),
            ("a" * 40 + "b" * 38, 40.0, 3),
        ):
            rows = self.rows(_item(text, ends=ends, **how))
            self.assertEqual((len(rows), rows[-1].endswith("(edited)")), (count, True), (text, ends))

    def test_marks(self) -> None:
        """Marks are a row below: the count, or the name of the only user; with details, all names."""
        marks = [Mark("ok", 3, ["bob", "eve"], False), Mark("👍", 1, ["bob"], False)]
        self.assertTrue(self.rows(_item("hi", marks=marks))[1].endswith("│ ok 3 · 👍 bob"))
        detailed = self.rows(_item("hi", marks=marks), with_details=True)
        self.assertTrue(detailed[1].endswith("│ ok bob, eve and 1 more · 👍 bob"))

    def test_quote(self) -> None:
        """The row above an answer shows the message on one line, cut to the width, above the text."""
        answer = _item("#17 yes")
        first, second = self.rows(answer, quote=_item("lunch\nat noon?"))
        self.assertEqual(first.index("┌ bob: lunch at noon?"), second.index("#17 yes"))
        self.assertTrue(self.rows(answer, quote=_item("long " * 50))[0].endswith("…"))
        self.assertEqual(self.rows(answer, 30, quote=_item("lunch"))[0], "  ┌ bob: lunch")
        self.assertEqual((answer.reply_to, _item("#17").reply_to, _item("#0017 x").reply_to), (17, None, 17))


class ColourTests(SynchronousTestCase):
    """Colours of names, and times in human-readable form."""

    def test_name(self) -> None:
        """A name has one colour in any case."""
        self.assertEqual(name_style("Bob"), name_style("bob"))
        styles = {name_style(f"user{n}") for n in range(100)}
        self.assertGreater(len(styles), 10)
        self.assertLessEqual(styles, {f"class:name{n}" for n in range(len(NAME_COLOURS))})

    def test_contrast(self) -> None:
        """Each colour is readable on black and on white."""
        for colour in NAME_COLOURS:
            luminance = _luminance(colour)
            self.assertGreater(min(1.05 / (luminance + 0.05), (luminance + 0.05) / 0.05), 3.6, colour)

    def test_left(self) -> None:
        """The remaining time is rounded up, and short for any length."""
        self.assertEqual(
            [left(seconds) for seconds in (0.2, 29.5, 119, 120, 7_199, 7_200, 86_399, 86_400, 176_400, 604_800, -3)],
            ["1s", "30s", "119s", "2m00s", "119m59s", "2h00m", "23h59m", "1d0h", "2d1h", "7d0h", "0s"],
        )


def _luminance(colour: str) -> float:
    channels = [int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


class ColumnTests(SynchronousTestCase):
    """A list of names."""

    def test_room(self) -> None:
        """Names are cut to the width. There are never more rows than there is room for."""
        names = [("alice", True), ("bob", False)]
        rows = ["".join(text for _, text in row.pieces) for row in column("Online 2", names, 7, 5)]
        self.assertEqual(rows, [" Onlin…", " ● ali…", "   bob"])
        for height in 0, 1, 2:
            self.assertEqual(len(column("Online 2", names, 20, height)), height)
        self.assertEqual(column("Online 2", names, 20, -1), [])
