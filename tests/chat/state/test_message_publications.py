"""Messages of other nodes and their changes, as the sessions of this node learn of them."""

from irchat.interfaces.bus import ChangePlace, Publication, StoredPlace
from irchat.interfaces.stored import GLOBAL, ChatKey, Stored, StoredChange
from irchat.interfaces.writes import Entry, MarkSet, MessageAdded, MessageDeleted, MessageEdited, Write
from irchat.protocol import events
from irchat.protocol.errors import Code
from irchat.system.clock import rfc3339
from tests.helpers.chat import BEGIN_MS, WorldTestCase

_AT = rfc3339(BEGIN_MS)


class OfOtherNodesTests(WorldTestCase):
    """Entries without a session here."""

    away = ("carol",)

    def follow(self, write: Write[object], result: object) -> list[Publication]:
        """Follow an entry of another node, and publish it."""
        publications = self.world.chat.state.apply(Entry(write, result))
        self.world.published += publications
        return publications

    def message(self, chat: ChatKey, text: str = "hi", to: tuple[int, ...] = ()) -> None:
        """Follow the first message of a chat, by alice."""
        stored = Stored(chat, 1, BEGIN_MS, repeated=False, to=to)
        self.follow(MessageAdded(chat, 1, text, BEGIN_MS, None, 0), stored)

    def test_message_to_all(self) -> None:
        """Everyone gets it, also the sessions of its sender here, except those that a block hides it from."""
        self.block("bob", "alice")
        self.world.published.clear()
        self.message(GLOBAL)
        event = events.Message(chat="GLOBAL", sender="alice", at=_AT, text="hi", seq=1)
        self.assertEqual(self.world.told("alice"), [event])
        self.assertEqual(self.world.told("carol"), [event])
        self.assertEqual(self.world.told("bob"), [])

    def test_private_message(self) -> None:
        """Each of the two gets it under its own name of the chat."""
        self.message((1, 2))
        told = [self.world.told(name)[0] for name in ("alice", "bob")]
        self.assertEqual([getattr(event, "chat", None) for event in told], ["@bob", "@alice"])
        self.assertEqual(self.world.published[0].place, StoredPlace((1, 2), 1))

    def test_mention(self) -> None:
        """A mention names the users that the reader may see."""
        self.block("bob", "carol")
        self.world.published.clear()
        self.message(GLOBAL, "@carol", to=(3,))
        self.assertEqual([getattr(event, "to", None) for event in self.world.told("alice")], [["carol"]])
        self.assertEqual([getattr(event, "to", None) for event in self.world.told("bob")], [None])

    def test_times_ahead(self) -> None:
        """A timed message is not shown before a stored one of another node whose time is ahead of the clock."""
        stored = Stored(GLOBAL, 1, BEGIN_MS + 5_000, repeated=False)
        self.follow(MessageAdded(GLOBAL, 1, "hi", BEGIN_MS + 5_000, None, 0), stored)
        sent = self.done(self.world.send("bob", "GLOBAL", expires_in=9))
        self.assertEqual(sent.at, rfc3339(BEGIN_MS + 5_000))

    def test_last_message(self) -> None:
        """A stored message of another node is the last one of its sender, after a timed one of this node."""
        self.done(self.world.send("alice", "GLOBAL", expires_in=9))
        (timed,) = self.world.chat.messages.timed.newest_of(self.world["alice"], GLOBAL)
        self.message(GLOBAL)
        self.assertEqual(timed.followed_by, 1)

    def test_changes(self) -> None:
        """Edits, marks and deletions are published with their rev. The administrator has no name."""
        change = StoredChange(seq=1, rev=2, sender=1, at=BEGIN_MS)
        for write, fields in (
            (MessageEdited(GLOBAL, 1, 1, "new", BEGIN_MS, 0), {"by": "alice", "text": "new", "edited": _AT}),
            (MarkSet(GLOBAL, 1, 2, "ok", "ok", None, BEGIN_MS), {"by": "bob", "mark": "ok", "on": False}),
            (MessageDeleted(GLOBAL, 1, None, BEGIN_MS), {"by": "", "deleted": True}),
        ):
            self.world.published.clear()
            (publication,) = self.follow(write, change)
            event = events.Amended(chat="GLOBAL", seq=1, rev=2, at=_AT, **fields)  # type: ignore[arg-type]
            self.assertEqual(self.world.told("bob"), [event])
            self.assertEqual(publication.place, ChangePlace(GLOBAL, 2, 1))

    def test_nothing_changed(self) -> None:
        """A refused change and a mark that was there already publish nothing."""
        write = MarkSet(GLOBAL, 1, 2, "ok", "ok", True, BEGIN_MS)
        for change in (StoredChange(is_new=False), StoredChange(refusal=Code.TOO_MANY)):
            self.assertEqual(self.follow(write, change), [])
        edit = MessageEdited(99, 1, 1, "new", BEGIN_MS, 0)
        self.assertEqual(self.follow(edit, StoredChange(seq=1, rev=2, sender=1, at=BEGIN_MS)), [])

    def test_offline(self) -> None:
        """A private change is published to those with sessions here alone."""
        edit = MessageEdited((1, 3), 1, 1, "new", BEGIN_MS, 0)
        publications = self.follow(edit, StoredChange(seq=1, rev=2, sender=1, at=BEGIN_MS))
        self.assertEqual([one.audience for one in publications], [(1,)])

    def test_hidden_changes(self) -> None:
        """A mark of a hidden user is not seen, a deletion is seen without its author."""
        self.block("bob", "alice")
        self.world.published.clear()
        change = StoredChange(seq=1, rev=2, sender=3, at=BEGIN_MS)
        self.follow(MarkSet(GLOBAL, 1, 1, "ok", "ok", None, BEGIN_MS), change)
        self.assertEqual(self.world.told("bob"), [])
        self.follow(MessageDeleted(GLOBAL, 1, 1, BEGIN_MS, of_anyone=True), change)
        (deleted,) = self.world.told("bob")
        self.assertEqual(getattr(deleted, "by", None), "")
