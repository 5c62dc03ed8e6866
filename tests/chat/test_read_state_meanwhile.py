"""Pages that wait to be sent, and reads during which the reader leaves, is blocked, or is caught up."""

import math
from collections.abc import Coroutine
from typing import Any

from twisted.internet.defer import Deferred, ensureDeferred, succeed

from irchat.chat.read_state import TimedPage
from irchat.interfaces.stored import GLOBAL
from irchat.protocol import events
from irchat.protocol.errors import Code
from tests.helpers.chat import WorldTestCase


class LeftTests(WorldTestCase):
    """Changed messages for a session that fell behind, of a chat that its user has left."""

    def test_left(self) -> None:
        """Nothing of it is read, and what was read before is not shown."""
        self.group("team", "alice", "bob")
        self.done(self.world.send("alice", "*team", "secret"))
        self.done(self.world.amend("alice", "*team", 1, "secret too"))
        reading, bob = self.world.chat.reading, self.world["bob"]
        (key,) = self.world.directory.groups
        page = self.done(ensureDeferred(reading.missed_page(bob, key, None, 0)))
        self.assertEqual(len(reading.present_states(bob, key, page)), 1)
        self.done(self.world.chat.groups.remove(self.world["alice"], "team", "bob", None))
        self.assertEqual(reading.present_states(bob, key, page), [])
        self.assertEqual(self.done(ensureDeferred(reading.missed_page(bob, key, None, 0))).messages, [])


class TimedPageTests(WorldTestCase):
    """`TimedPage`, encoded some time after it was read."""

    def page(self, chat: str = "GLOBAL") -> Any:
        """Read a page of bob, which waits."""
        return self.done(ensureDeferred(self.world.chat.reading.history(self.world["bob"], chat, limit=50)))

    def texts(self, page: TimedPage) -> list[str]:
        """Return the texts of a page that is encoded now."""
        return [message.text for message in page.event(self.world.clock.seconds()).messages]

    def send(self, chat: str = "GLOBAL", *seconds: int) -> None:
        """Send timed messages of alice."""
        for duration in seconds:
            self.done(self.world.send("alice", chat, f"for {duration} s", expires_in=duration))

    def test_ends(self) -> None:
        """It has the messages that are alive when it is encoded, and expires with the first of those."""
        self.done(self.world.send("alice", "GLOBAL", "stored"))
        self.send("GLOBAL", 9, 3)
        page = self.page()
        self.assertEqual(page.until(), 3.0)
        self.assertEqual((self.texts(page), page.until()), (["stored", "for 9 s", "for 3 s"], 3.0))
        self.world.clock.rightNow += 3  # the alarm is late
        self.assertEqual((self.texts(page), page.until()), (["stored", "for 9 s"], 9.0))
        self.world.pass_time(6)
        self.assertEqual((self.texts(page), page.until()), (["stored"], math.inf))

    def test_remaining_time(self) -> None:
        """The remaining time is that at the given moment."""
        self.send("GLOBAL", 9)
        self.assertEqual([message.left_ms for message in self.page().event(2.5).messages], [6_500])

    def test_blocked(self) -> None:
        """It has no timed message of a user that has been hidden since."""
        self.send("GLOBAL", 9)
        self.done(self.world.send("carol", "GLOBAL", "of carol", expires_in=5))
        page = self.page()
        self.block("carol", "bob")
        self.assertEqual((self.texts(page), page.until()), (["for 9 s"], 9.0))

    def test_left(self) -> None:
        """It has no timed message of a group that the reader has left since."""
        self.group("team", "alice", "bob")
        self.send("*team", 9)
        page = self.page("*team")
        self.done(self.world.chat.groups.remove(self.world["bob"], "team", "bob", None))
        self.assertEqual((self.texts(page), page.until()), ([], math.inf))

    def test_without(self) -> None:
        """A page without timed messages is a plain reply. So is one whose only timed message is read."""
        self.assertIsInstance(self.page(), events.History)
        self.send("GLOBAL", 9)
        self.said("bob", "GLOBAL", mark_read=True)
        reading = self.world.chat.reading.history(self.world["bob"], "GLOBAL", unread=True, limit=50)
        self.assertIsInstance(self.done(reading), events.History)


class MeanwhileTests(WorldTestCase):
    """Reads of the group team, whose members change while the store works."""

    def setUp(self) -> None:
        """Create the group."""
        super().setUp()
        self.group("team", "alice", "bob")
        self.done(self.world.send("alice", "*team"))
        self.reading, self.bob = self.world.chat.reading, self.world["bob"]

    def begun(self, reading: "Coroutine[Any, Any, Any]") -> Deferred[Any]:
        """Begin to read, remove bob, and let the store answer."""
        self.world.store.holding = True
        begun = ensureDeferred(reading)
        self.world.store.holding = False
        self.done(self.world.chat.groups.remove(self.bob, "team", "bob", None))
        self.world.store.let_through()
        return begun

    def test_place(self) -> None:
        """A user that has left meanwhile learns no place."""
        self.refused(Code.NO_SUCH_GROUP, lambda: self.begun(self.reading.place(self.bob, "*team", 0)))

    def test_stored_chats(self) -> None:
        """A list of chats lacks those that were left, and those that ended, meanwhile."""
        self.group("own", "bob")
        stale = self.done(self.world.store.chats(self.bob.id, ()))
        for name in "team", "own":
            self.done(self.world.chat.groups.remove(self.bob, name, "bob", None))
        self.patch(self.world.store, "chats", lambda user, hidden: succeed(stale))
        found = self.done(self.reading.stored_chats(self.bob))
        self.assertEqual([chat.key for chat, _ in found], [GLOBAL])
        self.assertEqual([chat.chat for chat in self.done(self.world.chats("bob")).chats], ["GLOBAL"])

    def test_missed(self) -> None:
        """Nothing more of a chat that was left is to come."""
        self.done(self.world.chat.groups.remove(self.bob, "team", "bob", None))
        (team,) = self.world["alice"].groups
        for key in team, 99:
            page = self.done(self.reading.missed_page(self.bob, key, 0, None))
            self.assertEqual((page.messages, page.more, page.last_seq), ([], False, 0))
            self.assertEqual(self.reading.present_states(self.bob, key, page), [])

    def test_missed_is_published(self) -> None:
        """A page for a session that fell behind is returned after its messages are published."""
        self.world.store.holding = True
        self.world.send("alice", "GLOBAL", "new")
        self.world.store.holding = False
        missed = ensureDeferred(self.reading.missed_page(self.bob, GLOBAL, 0, None))
        self.assertNoResult(missed)
        self.world.store.let_through()
        self.done(missed)

    def test_changes_do_not_mark(self) -> None:
        """A page of changes moves no marker, whatever messages it has."""
        for _ in range(3):
            self.done(self.world.send("alice", "GLOBAL"))
        self.done(self.world.amend("alice", "GLOBAL", 2, "new"))
        page = self.done(self.world.history("bob", "GLOBAL", after_rev=0, mark_read=True))
        self.assertEqual([message.seq for message in page.messages], [2])
        self.assertEqual(self.unread("bob")["GLOBAL"], 3)

    def test_hidden_meanwhile(self) -> None:
        """A page has no message of a user that was hidden while it was read."""
        self.done(self.world.send("carol", "GLOBAL", "of carol"))
        self.world.store.holding = True
        page = self.world.history("bob", "GLOBAL")
        self.world.store.holding = False
        self.block("carol", "bob")
        self.world.store.let_through()
        self.assertEqual(self.done(page).messages, [])
