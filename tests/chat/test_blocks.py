"""Blocks: both users hidden from each other everywhere, and nothing lost afterwards."""

from twisted.internet.defer import Deferred

from irchat.protocol import events
from irchat.protocol.errors import Code
from tests.helpers.chat import WorldTestCase


class BlockTests(WorldTestCase):
    """Three users."""

    def ask(
        self, user: str, name: str, blocked: bool | None = None, origin: int | None = None
    ) -> Deferred[events.Blocks]:
        """Request a block."""
        return self.world.chat.blocks.block(self.world[user], name, blocked, origin)

    def test_toggle(self) -> None:
        """Without a direction, the request toggles the block."""
        answers = [self.done(self.ask("alice", name)).names for name in ("bob", "carol", "BOB", "bob")]
        self.assertEqual(answers, [["bob"], ["bob", "carol"], ["carol"], ["bob", "carol"]])
        self.assertEqual(self.world.chat.blocks.listed(self.world["bob"]), events.Blocks(names=[]))

    def test_said_which_way(self) -> None:
        """Requesting the current state writes nothing and gets the same answer."""
        self.assertEqual(self.done(self.ask("alice", "bob", False)).names, [])
        for _ in range(2):
            self.assertEqual(self.done(self.ask("alice", "bob", True)).names, ["bob"])
        for _ in range(2):
            self.assertEqual(self.done(self.ask("alice", "bob", False)).names, [])
        self.assertEqual(len(self.world.store.commits), 2)

    def test_refused(self) -> None:
        """A user cannot block themselves or an unknown user."""
        self.refused(Code.YOURSELF, self.ask, "alice", "Alice")
        self.refused(Code.NO_SUCH_USER, self.ask, "alice", "dave")
        self.refused(Code.NO_SUCH_USER, self.ask, "alice", "* *")
        self.assertEqual(self.world.store.snapshot().blocks, [])

    def test_other_sessions(self) -> None:
        """The blocker's other sessions are notified. The blocked user is not, nor is anyone without such sessions."""
        session = 1
        self.done(self.ask("alice", "bob", origin=session))
        self.assertEqual(self.world.published, [])
        self.world.enter("alice", 2)
        self.done(self.ask("alice", "carol", origin=session))
        self.assertEqual(self.world.told("alice"), [events.Blocks(names=["bob", "carol"])])
        self.assertEqual(
            [self.world.told("alice", session), self.world.told("bob"), self.world.told("carol")], [[]] * 3
        )

    def test_restart(self) -> None:
        """A block survives a restart."""
        self.block("alice", "bob")
        self.world.restart()
        self.assertEqual(self.world.chat.blocks.listed(self.world["alice"]).names, ["bob"])
        self.refused(Code.BLOCKED, self.world.send, "bob", "@alice")

    def test_silence(self) -> None:
        """It hides the two live, in history, search, counts and catch-up, and from nobody else."""
        self.group("team", "carol", "alice", "bob")
        self.done(self.world.send("alice", "@bob", "word before private"))
        self.done(self.world.send("alice", "GLOBAL", "word before"))
        self.block("bob", "alice")
        self.world.published.clear()
        for sender in ("alice", "bob", "carol"):
            for chat in ("GLOBAL", "*team"):
                self.done(self.world.send(sender, chat, f"word of {sender}"))
                self.done(self.world.send(sender, chat, f"timed of {sender}", expires_in=900))
        for name, other, found, unread in (
            ("alice", "bob", ["word before", "word of alice", "word of carol"], {"GLOBAL": 2, "*team": 2, "@bob": 0}),
            ("bob", "alice", ["word of bob", "word of carol"], {"GLOBAL": 2, "*team": 2}),
        ):
            self.assertFalse([text for text in self.world.texts(name) if other in text])
            self.assertEqual(self.said(name, "GLOBAL"), [*found, f"timed of {name}", "timed of carol"])
            for page in (
                self.said(name, "*team", unread=True),
                self.said(name, "*team", after=0),
                self.said(name, "GLOBAL", before=99),
                self.found(name, "word"),
                self.found(name, "word", "*team"),
            ):
                self.assertFalse([text for text in page if f"of {other}" in text], page)
            self.assertEqual(self.unread(name), unread)
            missed, _, _ = self.world.chat.reading.missed_timed(self.world[name], 0, (), 1 << 20)
            self.assertEqual({event.sender for _, event in missed}, {name, "carol"})
        self.assertEqual(self.said("bob", "@alice"), [])
        self.assertEqual(self.said("alice", "@bob"), ["word before private"])
        self.assertEqual(len(self.world.texts("carol")), 12)

    def test_lifted(self) -> None:
        """Lifting it restores the history to both, in pages, search and counts."""
        self.done(self.world.send("alice", "@bob", "before"))
        self.block("bob", "alice")
        self.done(self.world.send("alice", "GLOBAL", "word a"))
        self.done(self.world.send("bob", "GLOBAL", "word b"))
        self.done(self.world.send("alice", "GLOBAL", "word timed", expires_in=99))
        self.assertEqual((self.unread("alice")["GLOBAL"], self.unread("bob")["GLOBAL"]), (0, 0))
        self.block("bob", "alice", on=None)
        self.assertEqual(self.said("bob", "GLOBAL"), ["word a", "word b", "word timed"])
        self.assertEqual((self.said("bob", "@alice"), self.found("bob", "word")), (["before"], ["word b", "word a"]))
        self.assertEqual(
            (self.unread("alice"), self.unread("bob")), ({"GLOBAL": 1, "@bob": 0}, {"GLOBAL": 1, "@alice": 1})
        )

    def test_both_made_one(self) -> None:
        """If both have blocked, the block stands until both have lifted it."""
        self.block("alice", "bob")
        self.block("bob", "alice")
        self.block("alice", "bob", on=False)
        self.refused(Code.BLOCKED, self.world.send, "alice", "@bob")
        self.block("bob", "alice", on=False)
        self.done(self.world.send("alice", "@bob"))

    def test_while_one_reads(self) -> None:
        """Results of a request from before the block exclude what it hides when they arrive after it."""
        self.done(self.world.send("alice", "GLOBAL", "word"))
        self.world.store.holding = True
        blocking = self.ask("alice", "bob", True)
        page, found = self.world.history("bob", "GLOBAL", mark_read=True), self.world.search("bob", "word")
        self.world.store.let_through()
        self.done(blocking)
        self.world.store.let_through()
        self.assertEqual((self.done(page).messages, self.done(found).messages), ([], []))

    def test_order(self) -> None:
        """A message sent before a block is delivered, one sent after it is hidden."""
        self.world.store.holding = True
        self.world.send("alice", "GLOBAL", "before")
        self.ask("bob", "alice", True)
        self.world.send("alice", "GLOBAL", "after")
        for _ in range(3):
            self.world.store.let_through()
        self.assertEqual((self.world.texts("bob"), self.world.texts("carol")), (["before"], ["before", "after"]))
