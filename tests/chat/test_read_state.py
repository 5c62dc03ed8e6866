"""Reading: pages with timed messages, search, the list of chats, and read markers."""

from itertools import combinations

from twisted.internet.defer import Deferred, ensureDeferred

from irchat.chat import read_state
from irchat.interfaces.stored import GLOBAL
from irchat.protocol import events, wire
from irchat.protocol.errors import Code, Refusal
from irchat.protocol.rules import PAGE_MAX, SEARCH_LENGTH, SERVER_LINE_BYTES
from tests.helpers.chat import WorldTestCase


class HistoryTests(WorldTestCase):
    """Pages."""

    def test_page(self) -> None:
        """A page holds the messages as published to the reader, and says whether there are more."""
        for text in ("one", "two", "three"):
            self.done(self.world.send("alice", "@bob", text))
        page = self.done(self.world.history("bob", "alice", limit=2))
        at = "2026-11-22T14:00:00."
        self.assertEqual(page, events.History(chat="@alice", more=True, messages=[
            events.Message(chat="@alice", sender="alice", at=f"{at}001Z", text="two", seq=2),
            events.Message(chat="@alice", sender="alice", at=f"{at}002Z", text="three", seq=3),
        ]))  # fmt: skip
        self.assertEqual(self.unread("bob"), {"@alice": 3})

    def test_where(self) -> None:
        """A page goes down from ``before``, or up from ``after`` or the marker. Only one of them may be given."""
        for text in "abcdef":
            self.done(self.world.send("alice", "GLOBAL", text))
        self.done(self.world.chat.reading.mark(self.world["bob"], "GLOBAL", 4, None))
        self.assertEqual(self.said("bob", "GLOBAL", before=4, limit=2), ["b", "c"])
        self.assertEqual(self.said("bob", "GLOBAL", after=1, limit=2), ["b", "c"])
        self.assertEqual(self.said("bob", "GLOBAL", unread=True), ["e", "f"])
        places = {"before": 1, "after": 1, "unread": True, "around": 1, "since": "2026-11-22T14:00:00Z", "after_rev": 1}
        for one, other in combinations(places, 2):
            both = {one: places[one], other: places[other]}
            self.refused(Code.BAD_REQUEST, self.world.history, "bob", "GLOBAL", **both)

    def test_no_chat(self) -> None:
        """A private chat without messages is empty. An invalid chat is refused."""
        for where in {}, {"around": 1}:
            page = self.done(self.world.history("bob", "@carol", **where))
            self.assertEqual(page, events.History("@carol", [], False))
        self.refused(Code.NO_SUCH_USER, self.world.history, "bob", "@dave")

    def test_limit(self) -> None:
        """A page holds at most 500 messages, however many are requested."""
        self.world.store.holding = True
        for number in range(PAGE_MAX + 2):
            self.world.send("alice", "GLOBAL", str(number))
        for _ in range(2):
            self.world.store.let_through()
        self.world.store.holding = False
        page = self.done(self.world.history("bob", "GLOBAL", limit=2**63 - 1))
        self.assertEqual((len(page.messages), page.more), (PAGE_MAX, True))
        self.assertEqual(self.done(self.world.history("bob", "GLOBAL", after=0, limit=10**9)).messages[0].seq, 1)

    def test_one_line(self) -> None:
        """With any texts, names and timed messages, a page fits into a server line, and pages are contiguous."""
        world = self.new_world(["a" * 32, "\N{CJK UNIFIED IDEOGRAPH-4E00}" * 32])
        for text in ("\N{GRINNING FACE}" * 4_000, '"' * 4_000, "x" + "\n" * 3_999, "\u0085x" * 2_000):
            for _ in range(30):
                self.done(world.send("a" * 32, "@" + "\u4e00" * 32, text))
                self.done(world.send("a" * 32, "@" + "\u4e00" * 32, text, expires_in=600))
        after, pages = 0, []
        while True:
            page = self.done(world.history("\u4e00" * 32, "a" * 32, after=after, limit=500))
            self.assertLessEqual(len(wire.encode_reply(page, "\N{GRINNING FACE}" * 64)), SERVER_LINE_BYTES)
            pages.append([message.seq for message in page.messages if message.seq is not None])
            if not page.more:
                break
            after = pages[-1][-1]
        self.assertEqual([seq for seqs in pages for seq in seqs], list(range(1, 121)))
        newest = self.done(world.history("\u4e00" * 32, "a" * 32, before=None, limit=1))
        self.assertLessEqual(len(wire.encode_reply(newest, "\N{GRINNING FACE}" * 64)), SERVER_LINE_BYTES)
        timed = [message for message in newest.messages if message.id is not None]
        self.assertGreater(len(timed), 10)
        self.assertEqual(timed[-1].text[0], "\ufffd")

    def test_what_counts_for_a_page(self) -> None:
        """A message takes from a page its text, the chat's name, and a constant part."""
        self.patch(read_state, "_PAGE_BYTES", 4 * (read_state._MESSAGE_BYTES + 40))
        for name, count in (("a" * 31, 4), ("a" * 30 + "b", 4), ("c" * 32, 3), ("d", 4)):
            self.group(name, "alice", "bob")
            for _ in range(5):
                self.done(self.world.send("alice", f"*{name}", "12345678"))
                self.done(self.world.send("alice", f"*{name}", "12345678", expires_in=9))
            page = self.done(self.world.history("bob", f"*{name}"))
            self.assertEqual((len(page.messages), page.more), (count, True), name)

    def test_timed_on_the_newest_page(self) -> None:
        """Live timed messages come last, beyond the limit, on pages that contain the end, and on no others."""
        for text in "abc":
            self.done(self.world.send("alice", "GLOBAL", text))
            self.done(self.world.send("alice", "GLOBAL", f"timed {text}", expires_in=9))
        timed = ["timed a", "timed b", "timed c"]
        for how, expected in (
            ({"limit": 1}, ["c", *timed]), ({"limit": 3}, ["a", "b", "c", *timed]), ({"before": 4}, ["a", "b", "c"]),
            ({"after": 2}, ["c", *timed]), ({"after": 0, "limit": 2}, ["a", "b"]), ({"after": 9}, timed),
            ({"unread": True, "limit": 2}, ["a", "b"]), ({"unread": True}, ["a", "b", "c", *timed]),
        ):  # fmt: skip
            self.assertEqual(self.said("bob", "GLOBAL", **how), expected, how)
        self.world.pass_time(9)
        self.assertEqual(self.said("bob", "GLOBAL"), ["a", "b", "c"])

    def test_unread_timed(self) -> None:
        """A page of unread messages includes the unread timed ones."""
        self.done(self.world.send("alice", "GLOBAL", "first", expires_in=9))
        self.assertEqual(self.said("bob", "GLOBAL", unread=True, mark_read=True), ["first"])
        self.done(self.world.send("alice", "GLOBAL", "second", expires_in=9))
        self.assertEqual(self.said("bob", "GLOBAL", unread=True), ["second"])
        self.assertEqual(self.said("alice", "GLOBAL", unread=True), [])

    def test_mark_read(self) -> None:
        """Marking moves the marker to the chat's end if the page contains it, otherwise to the end of the page."""
        for number in range(6):
            self.done(self.world.send("alice", "GLOBAL", str(number)))
        self.done(self.world.send("alice", "GLOBAL", "timed", expires_in=9))
        for how, unread in (
            ({"before": 1}, 7), ({"before": 3}, 5), ({"after": 2, "limit": 1}, 4), ({"unread": True, "limit": 2}, 2),
            ({"before": 2}, 2), ({"limit": 1}, 0),
        ):  # fmt: skip
            self.done(self.world.history("bob", "GLOBAL", mark_read=True, **how))
            self.assertEqual(self.unread("bob"), {"GLOBAL": unread}, how)

    def test_mark_what_fits(self) -> None:
        """Of the timed messages, only those on the page count as read."""
        for text in "a", "b", "c":
            self.done(self.world.send("alice", "GLOBAL", text, expires_in=9))
        self.patch(read_state, "_PAGE_BYTES", 2 * (read_state._MESSAGE_BYTES + len("GLOBAL") + 1))
        self.assertEqual(self.said("bob", "GLOBAL", mark_read=True), ["b", "c"])
        self.assertEqual(self.unread("bob"), {"GLOBAL": 1})
        self.assertEqual(self.said("bob", "GLOBAL", unread=True), ["a"])

    def test_mark_unavailable(self) -> None:
        """If the marker cannot be saved, the page is refused, and its timed messages stay unread."""
        self.done(self.world.send("alice", "GLOBAL", "timed", expires_in=9))
        self.world.store.holding = True
        page = self.world.history("bob", "GLOBAL", mark_read=True)
        self.world.store.let_through()
        self.world.store.fail()
        self.refused(Code.UNAVAILABLE, lambda: page)
        self.world.store.holding = False
        self.assertEqual(self.unread("bob"), {"GLOBAL": 1})

    def test_over_while_the_disk_is_slow(self) -> None:
        """A timed message that ends while the page or the marker waits for the disk is not on the page."""
        self.done(self.world.send("alice", "GLOBAL", "timed", expires_in=3))
        self.world.store.holding = True
        pages = [self.world.history("bob", "GLOBAL", mark_read=mark) for mark in (False, True)]
        self.world.pass_time(2)
        self.world.store.let_through()
        self.assertEqual([message.left_ms for message in self.done(pages[0]).messages], [1_000])
        self.world.pass_time(1)
        self.world.store.let_through()
        self.assertEqual(self.done(pages[1]).messages, [])

    def test_removed_while_the_disk_is_slow(self) -> None:
        """A user removed while a page, a search or a list waits for the disk gets nothing of the group."""
        self.group("team", "alice", "bob")
        self.done(self.world.send("alice", "team", "secret"))
        self.world.store.holding = True
        reader = self.world["bob"]
        asked = [self.world.history("bob", "*team"), self.world.history("bob", "*team", mark_read=True)]
        self.world.store.let_through()
        removing = self.world.chat.groups.remove(self.world["alice"], "team", "bob", None)
        self.world.store.let_through()
        late = self.world.history("bob", "*team"), self.world.search("bob", "secret"), self.world.chats("bob")
        missed = ensureDeferred(self.world.chat.reading.missed_page(reader, 2, 0, None))
        marking = self.world.chat.reading.mark(reader, "*team", 1, None)
        for _ in range(3):
            self.world.store.let_through()
        self.done(removing)
        self.assertEqual([message.text for message in self.done(asked[0]).messages], ["secret"])
        self.refused(Code.NO_SUCH_GROUP, lambda: late[0])
        self.refused(Code.NO_SUCH_GROUP, lambda: marking)
        self.assertEqual(self.done(late[1]).messages, [])
        self.assertEqual([chat.chat for chat in self.done(late[2]).chats], ["GLOBAL"])
        self.assertEqual(self.done(missed).messages, [])

    def test_removed_after_the_disk_answered(self) -> None:
        """Results read from the disk before a removal are not listed after it."""
        self.group("team", "alice", "bob")
        stale = self.world.store.chats(self.world["bob"].id, ())
        self.done(self.world.chat.groups.remove(self.world["alice"], "team", "bob", None))
        self.world.store.chats = lambda user, hidden: stale
        self.assertEqual([chat.chat for chat in self.done(self.world.chats("bob")).chats], ["GLOBAL"])

    def test_unavailable(self) -> None:
        """Failed reads from the disk are refused."""
        self.world.store.holding = True
        for ask in (
            lambda: self.world.history("bob", "GLOBAL"),
            lambda: self.world.search("bob", "x"),
            lambda: self.world.chats("bob"),
        ):
            asked = ask()
            self.world.store.fail()
            self.refused(Code.UNAVAILABLE, lambda asked=asked: asked)


class SearchTests(WorldTestCase):
    """Search."""

    def test_found(self) -> None:
        """A search covers all of the user's chats, newest first, each named as the reader writes it."""
        self.group("team", "alice", "bob")
        for chat, text in (("GLOBAL", "a word"), ("@bob", "word b"), ("*team", "Wörd"), ("@carol", "word for carol")):
            self.done(self.world.send("alice", chat, text))
        found = self.done(self.world.search("bob", "word"))
        self.assertEqual(
            [(message.chat, message.text, message.seq) for message in found.messages],
            [("*team", "Wörd", 1), ("@alice", "word b", 1), ("GLOBAL", "a word", 1)],
        )
        self.assertEqual((self.found("bob", "word", "alice"), self.found("bob", "b  WORD")), (["word b"], ["word b"]))
        self.assertEqual(self.done(self.world.search("bob", "word", limit=2)).more, True)
        self.refused(Code.NO_SUCH_USER, self.world.search, "bob", "word", "@dave")

    def test_words(self) -> None:
        """Punctuation alone is not a word, and is ignored among words. Controls are searched as they are stored."""
        for words in ("", "?? !", "\u0301"):
            self.refused(Code.BAD_REQUEST, self.world.search, "bob", words)
        self.done(self.world.send("alice", "GLOBAL", "yes - a\0b \x1b[2J"))
        self.assertEqual(self.found("bob", "- yes -"), ["yes - a\u2400b \u241b[2J"])
        for words in ("a\0b", "\x1b[2J", "A\u2400B", "2J"):
            self.assertEqual(len(self.found("bob", words)), 1, words)
        self.assertEqual(self.found("bob", "a\x01b"), [])

    def test_long_texts(self) -> None:
        """Results fit into one line without truncation, for any texts and names."""
        name = "\U00020000" * 32
        self.world.add_user(name)
        for _ in range(100):
            self.done(self.world.send(name, "@bob", "word " + '\U0001f600"' * 1_900))
        found = self.done(self.world.search("bob", "word", limit=500))
        line = wire.encode(found)
        self.assertEqual((len(wire.decode_event(line).messages), found.more), (len(found.messages), True))
        self.assertTrue(SERVER_LINE_BYTES - 16_000 < len(line) < SERVER_LINE_BYTES)

    def test_long_names(self) -> None:
        """Results fit into one line however long the names are."""
        name = "\U00020000" * 32
        self.world.add_user(name)
        for _ in range(PAGE_MAX):
            self.done(self.world.send(name, "@bob", "word " + "x" * 100))
        found = self.done(self.world.search("bob", "word", limit=PAGE_MAX))
        self.assertTrue(found.more and SERVER_LINE_BYTES // 2 < len(wire.encode(found)) < SERVER_LINE_BYTES)

    def test_many_words(self) -> None:
        """Very many words are refused, because each is looked up in all messages. Repeated words count once."""
        self.done(self.world.send("alice", "GLOBAL", "a word"))
        self.refused(Code.BAD_REQUEST, self.world.search, "bob", "a" * (SEARCH_LENGTH + 1))
        self.assertEqual(self.found("bob", "a" * SEARCH_LENGTH), [])
        asked: list[object] = []
        search = self.world.store.store.search
        self.patch(self.world.store.store, "search", lambda query: asked.append(query.words) or search(query))
        self.assertEqual(self.found("bob", "a word " * 28), ["a word"])
        self.assertEqual(asked, [["a", "word"]])

    def test_timed(self) -> None:
        """A timed message is never found."""
        self.done(self.world.send("alice", "GLOBAL", "word", expires_in=9))
        self.assertEqual(self.found("bob", "word"), [])


class MarkerTests(WorldTestCase):
    """Markers and the list of chats. Carol is offline."""

    away = ("carol",)

    def mark(self, name: str, seq: int, chat: str = "GLOBAL", origin: int | None = None) -> Deferred[events.Ok]:
        """Move a marker."""
        return self.world.chat.reading.mark(self.world[name], chat, seq, origin)

    def test_mark(self) -> None:
        """A marker only advances. If it moved, the user's other sessions are notified, and nobody else."""
        for _ in range(3):
            self.done(self.world.send("alice", "GLOBAL"))
        self.world.published.clear()
        self.assertEqual(self.done(self.mark("bob", 1, origin=1)), events.Ok())
        self.assertEqual(self.world.published, [])
        self.world.enter("bob", 2)
        session = 1
        for seq in (2, 1, 2, 99, 3):
            self.done(self.mark("bob", seq, origin=session))
        self.assertEqual(self.world.told("bob"), [events.Read("GLOBAL", 2), events.Read("GLOBAL", 3)])
        self.assertEqual((self.world.told("alice"), self.world.told("bob", session)), ([], []))
        self.assertEqual(self.unread("bob"), {"GLOBAL": 0})
        self.assertEqual(self.done(self.world.chats("bob")).chats[0].read_seq, 3)

    def test_timed_are_read_at_the_end(self) -> None:
        """A marker at the chat's end or beyond reads the live timed messages, an earlier one does not."""
        for expires_in in (None, None, 9):
            self.done(self.world.send("alice", "GLOBAL", expires_in=expires_in))
        unread = [self.unread("bob")["GLOBAL"]]
        for seq in (1, 2):
            self.done(self.mark("bob", seq))
            unread.append(self.unread("bob")["GLOBAL"])
        self.assertEqual((unread, self.unread("carol")), ([3, 2, 0], {"GLOBAL": 3}))

    def test_timed_in_an_empty_chat(self) -> None:
        """Without stored messages the end is 0."""
        self.done(self.world.send("alice", "@bob", expires_in=9))
        self.assertEqual(self.unread("bob"), {"@alice": 1})
        self.done(self.mark("bob", 0, "@alice"))
        self.assertEqual(self.unread("bob"), {"@alice": 0})

    def test_what_a_session_has_shown(self) -> None:
        """Live output counts as read: stored messages up to a seq, a timed one by its position."""
        for expires_in in (None, 9, 9):
            self.done(self.world.send("alice", "GLOBAL", expires_in=expires_in))
        parts, bob = self.world.chat.reading, self.world["bob"]
        marking: Deferred[events.Ok] = Deferred()
        parts.mark_shown(bob, GLOBAL, 1, None, marking)
        self.assertEqual(self.done(marking), events.Ok())
        self.assertEqual(self.unread("bob"), {"GLOBAL": 2})
        parts.timed_shown(bob, GLOBAL, 2)
        self.assertEqual((self.unread("bob"), self.said("bob", "GLOBAL", unread=True)), ({"GLOBAL": 1}, ["hi"]))
        self.assertEqual(self.unread("carol"), {"GLOBAL": 3})
        parts.mark_shown(bob, 99, 1, None, marking)  # the chat has ended

    def test_shown_to_the_removed(self) -> None:
        """A marker of a user removed since is refused."""
        self.group("team", "alice", "bob")
        self.done(self.world.send("alice", "team"))
        self.done(self.world.chat.groups.remove(self.world["alice"], "team", "bob", None))
        marking: Deferred[events.Ok] = Deferred()
        self.world.chat.reading.mark_shown(self.world["bob"], 2, 1, None, marking)
        self.assertEqual(self.failureResultOf(marking, Refusal).value.code, Code.NO_SUCH_GROUP)

    def test_sending_reads(self) -> None:
        """Sending moves the sender's marker to the message. A timed message does not move it."""
        self.done(self.world.send("alice", "GLOBAL"))
        self.done(self.world.send("bob", "GLOBAL", expires_in=9))
        self.assertEqual(self.unread("bob"), {"GLOBAL": 1})
        self.done(self.world.send("bob", "GLOBAL"))
        self.assertEqual(self.unread("bob"), {"GLOBAL": 0})

    def test_chats(self) -> None:
        """The latest chats come first. Timed messages count for that and as unread. Empty chats come last."""
        self.group("silent", "bob")
        group = self.group("team", "alice", "bob")
        for chat, expires_in in (("GLOBAL", None), ("*team", None), ("@bob", 9), ("GLOBAL", 5)):
            self.done(self.world.send("alice", chat, expires_in=expires_in))
            self.world.pass_time(1)
        listed = self.done(self.world.chats("bob")).chats
        self.assertEqual([chat.chat for chat in listed], ["GLOBAL", "@alice", "*team", "*silent"])
        at = "2026-11-22T14:00:0{}.000Z"
        self.assertEqual(listed[0], events.Chat("GLOBAL", "GLOBAL", 2, 1, 0, at.format(3), alert="mentions"))
        self.assertEqual(listed[1], events.Chat("@alice", "@1", 1, 0, 0, at.format(2), alert="all"))
        self.assertEqual((listed[2].id, listed[3].last_at), (group.id, None))
        self.world.pass_time(9)
        listed = self.done(self.world.chats("bob")).chats
        self.assertEqual([(chat.chat, chat.unread) for chat in listed], [("*team", 1), ("GLOBAL", 1), ("*silent", 0)])

    def test_most_chats(self) -> None:
        """The list is limited to the latest chats."""
        self.patch(read_state, "CHATS_MAX", 2)
        for chat in ("@bob", "@carol", "GLOBAL"):
            self.done(self.world.send("alice", chat))
            self.world.pass_time(1)
        self.assertEqual([chat.chat for chat in self.done(self.world.chats("alice")).chats], ["GLOBAL", "@carol"])
