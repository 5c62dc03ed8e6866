"""Pages that are chosen by a message, a time or a change, and those of a session that fell behind."""

import math

from twisted.internet.defer import ensureDeferred

from irchat.chat import read_state
from irchat.interfaces.stored import GLOBAL, StoredMessage
from irchat.protocol import events
from irchat.protocol.errors import Code, Refusal
from tests.helpers.chat import WorldTestCase


class PlaceTests(WorldTestCase):
    """`Reading.history`."""

    def test_places(self) -> None:
        """A page is around a message, from a time on, or of changes. The chat's last change is on each page."""
        for text in "abcdef":
            self.done(self.world.send("alice", "GLOBAL", text))
            self.world.pass_time(1)
        self.done(self.world.amend("alice", "GLOBAL", 2, "B"))
        self.done(self.world.amend("alice", "GLOBAL", 1))
        self.assertEqual(self.said("bob", "GLOBAL", around=4, limit=3), ["c", "d", "e"])
        self.assertEqual(self.said("bob", "GLOBAL", around=4, limit=4), ["B", "c", "d", "e"])
        self.assertEqual(self.said("bob", "GLOBAL", around=1, limit=4), ["B", "c"])
        since = "2026-11-22T14:00:03.0001Z"
        self.assertEqual(self.said("bob", "GLOBAL", since=since, limit=1), ["e"])
        self.refused(Code.BAD_REQUEST, self.world.history, "bob", "GLOBAL", since="yesterday")
        page = self.done(self.world.history("bob", "GLOBAL", after_rev=0))
        self.assertEqual((self.texts(page), page.deleted, page.rev, page.more), (["B"], [1], 2, False))
        page = self.done(self.world.history("bob", "GLOBAL", after_rev=0, limit=1))
        self.assertEqual((self.texts(page), page.deleted, page.rev, page.more), (["B"], [], 1, True))
        page = self.done(self.world.history("bob", "GLOBAL", after_rev=2, mark_read=True))
        self.assertEqual((self.texts(page), page.deleted, page.rev, page.more), ([], [], 2, False))
        self.assertEqual(self.unread("bob"), {"GLOBAL": 5})
        self.assertEqual(self.done(self.world.history("bob", "GLOBAL", limit=1)).rev, 2)

    def test_timed_at_the_end(self) -> None:
        """A page with the end of the chat has its live timed messages, whichever way it was chosen."""
        for text in "abcd":
            self.done(self.world.send("alice", "GLOBAL", text))
        self.done(self.world.send("alice", "GLOBAL", "timed", expires_in=9))
        for place, has_timed in (
            ({}, True), ({"limit": 1}, True), ({"after": 2}, True), ({"after": 2, "limit": 1}, False),
            ({"around": 3}, True), ({"around": 2, "limit": 2}, False), ({"around": 9, "limit": 2}, True),
            ({"since": "2026-11-22T14:00:00Z"}, True), ({"since": "2026-11-22T14:00:00Z", "limit": 1}, False),
            ({"before": 9}, False), ({"after_rev": 0}, False), ({"unread": True}, True),
        ):  # fmt: skip
            self.assertEqual("timed" in self.said("bob", "GLOBAL", **place), has_timed, place)

    def test_stored_pages(self) -> None:
        """A stored page has no timed message, and none of a user that is hidden, also by a block since it was read."""
        for name in "alice", "bob", "carol", "alice":
            self.done(self.world.send(name, "GLOBAL", name))
        self.done(self.world.send("alice", "GLOBAL", "timed", expires_in=9))
        self.block("bob", "carol")
        page = self.world.chat.reading.stored_page
        for how, seqs in (
            ({}, [1, 2, 4]), ({"limit": 1}, [4]), ({"before": 4}, [1, 2]), ({"after": 1}, [2, 4]),
            ({"around": 2}, [1, 2, 4]),
        ):  # fmt: skip
            chat, found = self.done(page(self.world["bob"], "GLOBAL", **{"limit": 9, **how}))
            self.assertEqual((chat.key, [one.seq for one in found.messages]), (GLOBAL, seqs), how)
        self.group("team", "alice", "bob")
        self.refused(Code.NO_SUCH_GROUP, page, self.world["carol"], "*team", limit=1)
        self.world.store.holding = True
        reading = ensureDeferred(page(self.world["bob"], "*team", limit=1))
        self.world.store.holding = False
        self.done(self.world.chat.groups.remove(self.world["bob"], "team", "bob", None))
        self.world.store.let_through()
        self.failureResultOf(reading, Refusal)

    def test_moments(self) -> None:
        """The place of a moment in a chat is that of the first message from then on."""
        for _ in range(3):
            self.done(self.world.send("alice", "@bob"))
            self.world.pass_time(1)
        place, first = self.world.chat.reading.place, self.world.ms - 3_000
        for at, seq in (0, 1), (first, 1), (first + 1, 2), (first + 2_000, 3), (first + 2_001, 4):
            self.assertEqual(self.done(place(self.world["bob"], "@alice", at)), seq)
        self.assertEqual(self.done(place(self.world["bob"], "@carol", first)), 1)
        self.refused(Code.NO_SUCH_USER, place, self.world["bob"], "@nobody", first)

    def test_stored_chats(self) -> None:
        """The stored chats are those of the reader, most recent first, without timed messages."""
        self.group("team", "alice", "bob")
        for chat in "*team", "GLOBAL", "@bob":
            self.done(self.world.send("alice", chat))
            self.world.pass_time(1)
        self.done(self.world.send("alice", "*team", "timed", expires_in=9))
        self.done(self.world.send("carol", "@bob", "timed", expires_in=9))
        found = self.done(self.world.chat.reading.stored_chats(self.world["bob"]))
        self.assertEqual([chat.label(self.world["bob"]) for chat, _ in found], ["@alice", "GLOBAL", "*team"])
        self.assertEqual([self.world.ms - (state.last_at or 0) for _, state in found], [1_000, 2_000, 3_000])

    def texts(self, page: events.History) -> list[str]:
        """Return the texts of a page."""
        return [message.text for message in page.messages]


class CatchUpTests(WorldTestCase):
    """Catch-up of a session that fell behind."""

    def test_after(self) -> None:
        """It gets the stored messages after a seq, as many as fit, without those hidden from it."""
        self.block("bob", "carol")
        for number, sender in enumerate(("alice", "carol", "alice", "alice")):
            self.done(self.world.send(sender, "GLOBAL", str(number) * 10))
        parts, bob = self.world.chat.reading, self.world["bob"]
        self.patch(read_state, "_MISSED_MESSAGES", 2)
        page = self.done(parts.missed_page(bob, GLOBAL, 0, None))
        self.assertEqual(([message.seq for message in page.messages], page.more, page.last_seq), ([1, 3], True, 4))
        self.patch(read_state, "_MISSED_BYTES", 10)
        page = self.done(parts.missed_page(bob, GLOBAL, 1, None))
        self.assertEqual(([message.seq for message in page.messages], page.more), ([3], True))

    def test_after_leaving(self) -> None:
        """It gets nothing of a group that was left or dissolved."""
        self.group("team", "alice", "bob")
        self.done(self.world.send("alice", "team"))
        parts, bob = self.world.chat.reading, self.world["bob"]
        self.assertEqual(self.done(parts.missed_page(bob, 2, 0, None)).last_seq, 1)
        self.done(self.world.chat.groups.remove(bob, "team", "bob", None))
        for key in (2, 99):
            self.assertEqual(self.done(parts.missed_page(bob, key, 0, None)).messages, [])

    def test_event(self) -> None:
        """A stored message is returned as the reader may see it now, or not at all."""
        self.group("team", "alice", "bob")
        parts, bob = self.world.chat.reading, self.world["bob"]
        message = StoredMessage(2, 1, 1, 0, "hi")
        event = parts.event(bob, message)
        assert event is not None
        self.assertEqual((event.chat, event.sender, event.at), ("*team", "alice", "1970-01-01T00:00:00.000Z"))
        self.assertIdentical(parts.event(self.world["carol"], message), None)
        self.assertIdentical(parts.event(bob, message._replace(chat=99)), None)
        self.block("alice", "bob")
        self.assertIdentical(parts.event(bob, message), None)

    def test_missed_timed(self) -> None:
        """It gets the timed messages from a position on except its own, in contiguous pages, and their ends."""
        chats = ("GLOBAL", "@bob", "GLOBAL", "@bob", "GLOBAL")
        sent = [
            self.done(self.world.send("alice", chat, str(number), expires_in=9)) for number, chat in enumerate(chats)
        ]
        parts, dave, bob = self.world.chat.reading, self.world.add_user("dave"), self.world["bob"]
        pages = []
        since: int | None = 2
        while since is not None:
            missed, since, _ = parts.missed_timed(bob, since, {(GLOBAL, 3)}, 700)
            pages.append([event.text for _, event in missed])
        self.assertEqual(pages, [["1", "3"], ["4"]])
        self.assertEqual([place for place, _ in parts.missed_timed(bob, 4, (), 1)[0]], [((1, 2), 4)])
        missed, since, end = parts.missed_timed(bob, 1, (), 2 * (read_state._MESSAGE_BYTES + 1))
        self.assertEqual(([event.text for _, event in missed], since, end), (["0", "1"], 3, 9.0))
        self.assertEqual(parts.missed_timed(bob, 6, (), 700), ([], None, math.inf))
        missed, since, _ = parts.missed_timed(dave, 0, (), 1 << 20)
        self.assertEqual(
            [(place, event.left_ms) for place, event in missed], [((GLOBAL, order), 9_000) for order in (1, 3, 5)]
        )
        self.assertIdentical(since, None)
        self.world.published.clear()
        self.world.pass_time(9)
        erased = [event.id for event in self.world.told("dave") if isinstance(event, events.Erased)]
        self.assertEqual(erased, [sent[number].id for number in (0, 2, 4)])

    def test_changes(self) -> None:
        """It gets the present states of changed messages that it may see, in the order of their changes."""
        self.block("bob", "carol")
        for sender in "alice", "carol", "alice", "alice":
            self.done(self.world.send(sender, "GLOBAL", "old"))
        self.done(self.world.amend("alice", "GLOBAL", 4, "new"))
        self.done(self.world.amend("carol", "GLOBAL", 2, "new"))
        self.done(self.world.amend("alice", "GLOBAL", 3))
        self.done(self.world.mark("alice", "GLOBAL", 1))
        reading, bob = self.world.chat.reading, self.world["bob"]
        page = self.done(reading.missed_page(bob, GLOBAL, None, 0))
        self.assertEqual((page.rev, page.more), (4, False))
        states = [state for state, _ in reading.present_states(bob, GLOBAL, page)]
        self.assertEqual([(state.seq, state.rev, state.deleted) for state in states],
                         [(4, 1, False), (3, 3, True), (1, 4, False)])  # fmt: skip
        self.assertEqual([state.text for state in states], ["new", None, "old"])
        self.assertEqual(reading.present_states(bob, 99, page), [])
