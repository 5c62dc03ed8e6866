"""Pages that are chosen by a message, a time or a change."""

from irchat.interfaces.stored import GLOBAL
from irchat.protocol import events
from irchat.protocol.errors import Code
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
        self.assertEqual((self.texts(page), page.deleted, page.rev, page.more), (["B"], (1,), 2, False))
        page = self.done(self.world.history("bob", "GLOBAL", after_rev=0, limit=1))
        self.assertEqual((self.texts(page), page.deleted, page.rev, page.more), (["B"], (), 1, True))
        page = self.done(self.world.history("bob", "GLOBAL", after_rev=2, mark_read=True))
        self.assertEqual((self.texts(page), page.deleted, page.rev, page.more), ([], (), 2, False))
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

    def texts(self, page: events.History) -> list[str]:
        """Return the texts of a page."""
        return [message.text for message in page.messages]


class MissedChangesTests(WorldTestCase):
    """The changes that a session which fell behind has missed."""

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
