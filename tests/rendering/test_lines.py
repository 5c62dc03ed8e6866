"""Rendering: the lines as displayed."""

import datetime
import unicodedata

from twisted.trial.unittest import SynchronousTestCase

from irchat.protocol import events, requests
from irchat.rendering import lines
from irchat.rendering.lines import Renderer, TextLine, local_time
from tests.helpers.lines import AT, SGR, LinesCase, amended, half_past_three, message, timed
from tests.helpers.strategies import is_hostile, members


class TimeTests(SynchronousTestCase):
    """`local_time`."""

    def test_local_time(self) -> None:
        """A wire time is converted, and an invalid one returns None."""
        self.assertEqual(str(local_time("2026-11-22T13:00:00.000Z", datetime.UTC)), "2026-11-22 13:00:00+00:00")
        self.assertIsNone(local_time("yesterday", datetime.UTC))


class MessageTests(LinesCase):
    """How messages look."""

    def test_look(self) -> None:
        """Messages have the form that the protocol defines, and their further lines are indented."""
        self.assertEqual(self._shown(message("hi")), ["[14:03] [GLOBAL #1] alice: hi"])
        self.assertEqual(self._shown(message("hi", chat="@bob", sender="bob")), ["[14:03] [@bob #1] bob: hi"])
        self.assertEqual(
            self._shown(message("a\n\n[b", chat="*team")), ["[14:03] [*team #1] alice: a", "    ", "    [b"]
        )

    def test_zone(self) -> None:
        """Times are shown in the given zone."""
        zone = datetime.timezone(datetime.timedelta(hours=5, minutes=30))
        self.assertEqual(
            Renderer(colour=False, zone=zone).lines(message("hi"))[0].text, "[19:33] [GLOBAL #1] alice: hi"
        )

    def test_bad_time(self) -> None:
        """An invalid time is shown as unknown."""
        self.assertEqual(self._shown(message("hi", at="noon")), ["[--:--] [GLOBAL #1] alice: hi"])

    def test_timed(self) -> None:
        """A timed message shows its remaining seconds, rounded up and never below 0."""
        for left, seconds in (29_001, 30), (30_000, 30), (1, 1), (0, 0), (-5, 0):
            self.assertEqual(self._shown(timed("hi", left)), [f"[14:03] [GLOBAL] ({seconds}s) alice: hi"])
        self.assertEqual(self._shown(message("hi", seq=None, id="t1")), ["[14:03] [GLOBAL] (0s) alice: hi"])

    def test_withheld(self) -> None:
        """With ``withhold_timed`` no part of a timed text is shown. Stored texts are shown."""
        page = [timed("secret\nmore secrets"), message("open")]
        for event in page[0], events.History("GLOBAL", page, False), events.Found(page, False):
            shown = "\n".join(self._shown(event, withhold_timed=True))
            self.assertNotIn("secret", shown)
            self.assertIn("its text is shown only on a terminal", shown)
        self.assertEqual(self._shown(page[1], withhold_timed=True), self._shown(page[1]))

    def test_places(self) -> None:
        """Every line of a stored message carries its place, live, in a page and found, so that it can be dropped."""
        said = message("one\ntwo", chat="*team", seq=17)
        for event in said, events.History("*team", [said], False), events.Found([said], False):
            lines = [line for line in Renderer(colour=True).lines(event) if "-- " not in line.text]
            self.assertEqual({line.stored for line in lines}, {("*team", 17)})
        self.assertEqual({line.stored for line in Renderer(colour=True).lines(timed("one\ntwo"))}, {None})

    def test_name_colour(self) -> None:
        """A name always has the same colour, in any case."""
        renderer = Renderer(colour=True)
        one, other = (
            renderer.lines(events.Presence([], [])),
            renderer.lines(events.Users(["Alice", "ALICE"], [], False)),
        )
        self.assertEqual(one, [])
        codes = SGR.findall(other[0].text)
        self.assertEqual(codes[0], codes[2])


class ReplyTests(LinesCase):
    """Replies and other events."""

    def test_welcome(self) -> None:
        """A new user is welcomed and shown how to start, without a line about unread messages."""
        welcome = events.Welcome("alice", True, "t", 1, {}, ["alice"], 1, [])
        self.assertEqual(self._shown(welcome), [
            "Welcome to IRChat, alice!",
            "Online (1): alice",
            "Type a message and it goes to everyone; !help shows what else you can type.",
        ])  # fmt: skip

    def test_welcome_back(self) -> None:
        """A returning user sees the unread counts of each chat, and at most twenty of the users online."""
        names = [f"user{number}" for number in range(30)]
        unread = [events.UnreadChat("GLOBAL", "g", 1_234, 5_000), events.UnreadChat("@bob", "b", 2, 2)]
        shown = self._shown(events.Welcome("alice", False, "t", 1, {}, names, 1_500, unread))
        self.assertEqual(shown[:4], [
            "Welcome back, alice.",
            "Unread messages (ls -n <chat_name> shows them):",
            "  GLOBAL  1,234 unread",
            "  @bob    2 unread",
        ])  # fmt: skip
        self.assertEqual(shown[4], f"Online (1,500): {', '.join(names[:20])} and 1,480 more")
        self.assertIn("Nothing unread.", self._shown(events.Welcome("alice", False, "t", 1, {}, names, 30, [])))

    def test_sent(self) -> None:
        """A stored message has no reply line. A timed one shows whom it reached and when it ends."""
        self.assertEqual(self._shown(events.Sent("GLOBAL", AT, 7)), [])
        sent = events.Sent("@bob", AT, id="t1", expires_at=AT, left_ms=29_500, reached=0, of=1)
        self.assertEqual(self._shown(sent), ["-- timed message to @bob: 0 of 1 have it now; erased in 30 s"])
        self.assertIn("erased in 0 s", self._shown(events.Sent("@bob", AT, id="t1"))[0])

    def test_edits(self) -> None:
        """An edit shows like a message, its further lines indented. The present state has no name of who edited."""
        edit = amended(text="new\n[14:05] text", edited=AT)
        lines = ["[14:03] [*team #17] bob, edited: new", "    [14:05] text"]
        self.assertEqual(self._shown(edit), lines)
        self.assertEqual(self._shown(amended(by="", text="new", edited=AT)), ["[14:03] [*team #17] edited: new"])
        self.assertEqual({line.stored for line in Renderer(colour=False).lines(edit)}, {("*team", 17)})

    def test_edited_on_a_page(self) -> None:
        """Pages and search results show which messages were edited, as the live line does."""
        said = message("lunch at one?\nor two?", seq=17, edited=AT)
        head = "[14:03] [GLOBAL #17] alice, edited: "
        self.assertEqual(self._shown(said), [f"{head}lunch at one?", "    or two?"])
        page = self._shown(events.History(chat="GLOBAL", messages=[said, message("yes", seq=18)], more=False))
        self.assertEqual(page[1:4], [f"{head}lunch at one?", "    or two?", "[14:03] [GLOBAL #18] alice: yes"])
        (hit,) = [line for line in self._shown(events.Found(messages=[said], more=False)) if "lunch" in line]
        self.assertEqual(hit, f"2026-11-22 {head}lunch at one? or two?")

    def test_marks(self) -> None:
        """A mark is a line of the chat's own, put on or taken off."""
        self.assertEqual(self._shown(amended(mark="ok", on=True)), ["-- bob: ok on *team #17"])
        self.assertEqual(self._shown(amended(mark="ok", on=False)), ["-- bob: ok taken off *team #17"])

    def test_changes_without_lines(self) -> None:
        """A deletion, and the present state of a message that was only marked, show nothing."""
        self.assertEqual(self._shown(amended(deleted=True)), [])
        self.assertEqual(self._shown(amended(by="", text="old", marks=[])), [])

    def test_own_changes(self) -> None:
        """The reply to a change says in one line what was changed."""
        asked = requests.AmendLast(chat="*team")
        for fields, shown in (
            ({"text": "new", "edited": AT}, "-- edited *team #17"),
            ({"deleted": True}, "-- deleted *team #17"),
            ({"mark": "ok", "on": True}, "-- ok on *team #17"),
            ({"mark": "ok", "on": False}, "-- ok taken off *team #17"),
        ):
            (line,) = Renderer(colour=False).lines(amended(**fields), asked)
            self.assertEqual((line.text, line.stored), (shown, None))

    def test_shown_alone(self) -> None:
        """The message that a page is about shows its edit and its marks; other messages of the page do not."""
        marks = [events.Mark("ok", 12, ["bob", "carol"], False), events.Mark("\U0001f44d", 1, ["alice"], True)]
        page = [message(str(seq), seq=seq, edited="2026-11-20T08:00:00Z", marks=marks) for seq in (16, 17)]
        renderer = Renderer(colour=False, zone=datetime.UTC, wall_ms=half_past_three)
        asked = requests.History(chat="GLOBAL", around=17)
        lines = renderer.lines(events.History("GLOBAL", page, False), asked)
        self.assertEqual([line.text for line in lines], [
            "-- GLOBAL:",
            "[14:03] [GLOBAL #16] alice, edited: 16",
            "[14:03] [GLOBAL #17] alice, edited: 17",
            "-- #17 edited 2026-11-20 08:00",
            "-- #17 ok 12: bob, carol and 10 more",
            "-- #17 \U0001f44d 1: alice",
            "-- end of GLOBAL",
        ])  # fmt: skip
        self.assertEqual({line.stored for line in lines[2:-1]}, {("GLOBAL", 17)})
        *_, missing, _ = renderer.lines(events.History("GLOBAL", page[:1], False), asked)
        self.assertEqual(missing.text, "-- there is no #17 that you can see")

    def test_alert(self) -> None:
        """When a chat alerts is said in words."""
        for alert, words in ("all", "every message"), ("mentions", "messages that mention you"), ("none", "nothing"):
            self.assertEqual(self._shown(events.Alert("*team", alert)), [f"-- *team alerts you to {words}"])

    def test_history(self) -> None:
        """A page has a first and a last line, and shows each date except today's."""
        old = [message("a", at="2026-11-20T08:00:00Z"), message("b", at="2026-11-20T09:00:00Z")]
        self.assertEqual(self._shown(events.History("@bob", [*old, message("c")], True)), [
            "-- @bob: (there is more)",
            "-- Friday, 2026-11-20",
            "[08:00] [GLOBAL #1] alice: a",
            "[09:00] [GLOBAL #1] alice: b",
            "-- Sunday, 2026-11-22",
            "[14:03] [GLOBAL #1] alice: c",
            "-- end of @bob",
        ])  # fmt: skip
        self.assertEqual(
            self._shown(events.History("@bob", [message("c", at="noon"), message("c")], False))[1:-1],
            ["[--:--] [GLOBAL #1] alice: c", "[14:03] [GLOBAL #1] alice: c"],
        )
        self.assertEqual(self._shown(events.History("@bob", [], False)), ["-- @bob: no messages to show"])

    def test_nothing_unread(self) -> None:
        """An empty page of unread messages does not read as if the chat were empty."""
        lines = Renderer(colour=False, wall_ms=half_past_three).lines
        unread = requests.History(chat="@bob", unread=True)
        (line,) = lines(events.History("@bob", [], False), unread)
        self.assertEqual(line.text, "-- @bob: nothing is unread")
        (line,) = lines(events.History("@bob", [], False), requests.History(chat="@bob"))
        self.assertIn("no messages", line.text)
        self.assertEqual(len(lines(events.History("@bob", [message("c")], False), unread)), 3)

    def test_found(self) -> None:
        """Search results show the date of each message, that there are more, and how to narrow a search for words."""
        self.assertEqual(self._shown(events.Found([], False)), ["-- nothing found"])
        found = self._shown(events.Found([message("a\nb"), message("c", at="noon")], True))
        self.assertEqual(found, [
            "-- found, newest first:",
            "2026-11-22 [14:03] [GLOBAL #1] alice: a b",
            "[--:--] [GLOBAL #1] alice: c",
            "-- there is more than is shown",
        ])  # fmt: skip
        self.assertEqual(len(self._shown(events.Found([message("a")], False))), 2)
        *_, end = Renderer(colour=False).lines(events.Found([message("a")], True), requests.Search(words="a"))
        self.assertEqual(end.text, "-- there is more; use more words, or search in one chat: ls <chat_name> ?<words>")

    def test_found_words(self) -> None:
        """A long message that was found is shown as an excerpt, with the search words marked."""
        found = events.Found([message("x" * 2_000 + "\nThe CAFÉ at last " + "y " * 900)], False)
        for words in "cafe last", "last  cafe":
            _, line = Renderer(colour=True).lines(found, requests.Search(words=words))
            self.assertIn("The \x1b[1;4mCAFÉ\x1b[0m at \x1b[1;4mlast\x1b[0m y", line.text)
            self.assertLess(len(line.text), 450)

    def test_found_at_a_bounded_cost(self) -> None:
        """In a page of long messages, words are marked up to a fixed cost. The rest show their beginning."""
        found = events.Found([message("y " * 1_900 + "needle")] * 50, False)
        _, *lines = Renderer(colour=True).lines(found, requests.Search(words="needle"))
        self.assertEqual(["needle" in line.text for line in lines], [True] * 6 + [False] * 44)
        self.assertLess(max(len(line.text) for line in lines), 450)

    def test_columns_in_cells(self) -> None:
        """Columns are aligned by terminal cells, also for wide letters and combining characters."""
        chats = [events.Chat(name, "", 1, 9, 9, AT) for name in ("@山田太郎", "@bob", "@e\u0301")]
        lines = self._shown(events.Chats(chats))[1:]
        names = [line.removesuffix("  1 unread  14:03") for line in lines]
        self.assertEqual(names, ["  @山田太郎", "  @bob     ", "  @e\u0301       "])

    def test_chats(self) -> None:
        """Chats are listed in columns, with their unread count and the time of the last message."""
        chats = [
            events.Chat("GLOBAL", "g", 3, 9, 6, AT, mentions=2),
            events.Chat("*team", "t", 0, 9, 9, "2026-11-20T08:00:00Z"),
            events.Chat("@bob", "b", 0, 0, 0, None),
        ]
        self.assertEqual(self._shown(events.Chats(chats)), [
            "-- your chats, latest first:",
            "  GLOBAL  3 unread, 2 for you  14:03",
            "  *team                        2026-11-20",
            "  @bob                         no messages yet",
        ])  # fmt: skip
        self.assertEqual(self._shown(events.Chats([])), ["-- your chats, latest first:"])

    def test_users(self) -> None:
        """Users are listed twenty to a line, online ones first."""
        names = [f"u{number}" for number in range(21)]
        self.assertEqual(self._shown(events.Users(names, ["z"], True)), [
            f"online:  {', '.join(names[:20])}",
            "online:  u20",
            "offline: z",
            "-- there are more users than shown",
        ])  # fmt: skip
        self.assertEqual(self._shown(events.Users([], [], False)), [])

    def test_groups(self) -> None:
        """A group shows its owner and members. A change of members shows who made it."""
        self.assertEqual(
            self._shown(events.Group("*team", "7", "alice", ["alice", "bob"])),
            ["*team, owner alice: alice, bob"],
        )
        self.assertEqual(
            self._shown(events.Added("*team", "7", "bob", "alice", "alice")), ["-- alice added bob to *team"]
        )
        self.assertEqual(
            self._shown(events.Removed("*team", "7", "bob", "alice", "alice")),
            ["-- alice removed bob from *team"],
        )
        self.assertEqual(self._shown(events.Removed("*team", "7", "bob", "bob", "alice")), ["-- bob left *team"])

    def test_presence(self) -> None:
        """Users who connect or disconnect are listed one to a line up to twenty, and counted beyond that."""
        self.assertEqual(self._shown(events.Presence(["bob"], ["eve"])), ["-- bob connected", "-- eve disconnected"])
        self.assertEqual(len(self._shown(events.Presence(["bob"] * 20, []))), 20)
        self.assertEqual(self._shown(events.Presence([], ["bob"] * 2_100)), ["-- 2,100 users disconnected"])

    def test_blocks(self) -> None:
        """The list of blocked users is one line."""
        self.assertEqual(self._shown(events.Blocks(["bob", "eve"])), ["-- you block: bob, eve"])
        self.assertEqual(self._shown(events.Blocks([])), ["-- you block nobody"])

    def test_sessions(self) -> None:
        """Sessions are numbered, with label, beginning and state. What is not listed is counted."""
        at = "2026-11-20T14:03:00.000Z"
        listed = [
            events.ListedSession("a", None, at),
            events.ListedSession("b", at, at, "back\nups", online=True),
            events.ListedSession("c", at, at, online=True, this=True),
        ]
        shown = self._shown(events.Sessions(listed, True, 1))
        self.assertEqual(shown[0], "-- your sessions, oldest first:")
        self.assertRegex(shown[1], r"^  1 +last used 2026-11-20$")
        self.assertRegex(shown[2], r"^  2  back␊ups  since (2026-11-20 )?\d\d:\d\d  online$")
        self.assertRegex(shown[3], r"^  3 +since (2026-11-20 )?\d\d:\d\d  online, this one$")
        self.assertEqual(shown[4], "-- online, too: 1 session that has no saved sign-in, as in IRC and by SSH key")
        self.assertEqual(len(shown), 7)

    def test_help(self) -> None:
        """The manual is shown line by line."""
        self.assertEqual(self._shown(events.Help("one\n  two\x07")), ["one", "  two␇"])

    def test_error(self) -> None:
        """An error shows its text, and each usage on a line of its own."""
        self.assertEqual(self._shown(events.Error("bad-time", "too\nlong")), ["! too␊long"])
        self.assertEqual(
            self._shown(events.Error("bad-time", "no", "*<time>\n@\x1b")),
            ["! no", "  usage: *<time>", "  usage: @␛"],
        )

    def test_small_ones(self) -> None:
        """``bye``, ``ok`` and ``pong`` are one line each."""
        for event, shown in (
            (events.Bye("the server stops"), "-- goodbye: the server stops"),
            (events.Ok(), "-- done"),
            (events.Pong(), "-- pong"),
        ):
            self.assertEqual(self._shown(event), [shown])

    def test_not_for_the_eye(self) -> None:
        """``erased``, ``read`` and ``ping`` show nothing, and every other event has a rendering."""
        silent = (events.Erased("GLOBAL", "t1"), events.Read("GLOBAL", 7), events.Ping())
        for event in silent:
            self.assertEqual(self._shown(event), [])
        self.assertEqual(set(members(events.ANY)) - set(lines._RENDERERS), set(map(type, silent)))

    def test_colours_are_on(self) -> None:
        """With colours, the time is dim and the name bold, and each style ends right after it."""
        text = Renderer(colour=True, zone=datetime.UTC).lines(message("hi"))[0].text
        self.assertRegex(text, r"\A\x1b\[2m\[14:03\]\x1b\[0m \[GLOBAL #1\] \x1b\[1;\d\dmalice\x1b\[0m: hi\Z")
        self.assertEqual(Renderer(colour=True).note("x"), TextLine("\x1b[2m-- x\x1b[0m"))

    def test_hostile_characters(self) -> None:
        """`is_hostile` covers all control characters and bidirectional controls of Unicode."""
        controls = {chr(code) for code in range(0x110000) if unicodedata.category(chr(code)) == "Cc"}
        self.assertEqual({character for character in controls if is_hostile(character)}, controls)
        bidi = {
            c
            for c in map(chr, range(0x110000))
            if unicodedata.bidirectional(c) in ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
        }
        self.assertTrue(all(map(is_hostile, bidi)))
