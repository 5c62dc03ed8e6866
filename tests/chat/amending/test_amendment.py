"""The base of the changes of a message: their place in the queue, and what they publish."""

from irchat.interfaces.bus import ChangePlace
from irchat.interfaces.stored import GLOBAL
from irchat.protocol.errors import Code
from tests.helpers.chat import WorldTestCase


class PublicationTests(WorldTestCase):
    """`Amendment`."""

    def test_places(self) -> None:
        """A publication has the rev of its change and the sender of the message, and revs rise by one in each chat."""
        self.done(self.world.send("alice", "GLOBAL"))
        self.done(self.world.send("alice", "@bob"))
        self.world.published.clear()
        self.done(self.world.mark("bob", "GLOBAL", 1))
        self.done(self.world.amend("alice", "GLOBAL", 1, "new"))
        self.done(self.world.mark("bob", "@alice", 1))
        alice, bob = self.world["alice"].id, self.world["bob"].id
        places = [publication.place for publication in self.world.published]
        changes = (GLOBAL, 1), (GLOBAL, 2), ((alice, bob), 1), ((alice, bob), 1)
        self.assertEqual(places, [ChangePlace(chat, rev, alice) for chat, rev in changes])

    def test_with_messages(self) -> None:
        """Changes share a commit with messages, and see those before them."""
        self.world.store.holding = True
        self.world.send("bob", "GLOBAL")
        self.world.send("alice", "GLOBAL", "old")
        edit = self.world.amend("alice", "GLOBAL", 2, "new")
        mark = self.world.mark("bob", "GLOBAL", 2)
        for _ in range(2):
            self.world.store.let_through()
        self.assertEqual([len(commit) for commit in self.world.store.commits], [1, 3])
        self.assertEqual([self.done(change).rev for change in (edit, mark)], [1, 2])

    def test_unavailable(self) -> None:
        """If the commit fails, the change is refused and nothing is published."""
        self.done(self.world.send("alice", "GLOBAL", "old"))
        self.world.published.clear()
        self.world.store.holding = True
        edit = self.world.amend("alice", "GLOBAL", 1, "new")
        self.world.store.fail()
        self.world.store.holding = False
        self.assertEqual(self.failureResultOf(edit).value.code, Code.UNAVAILABLE)
        self.assertEqual((self.world.published, self.said("bob", "GLOBAL")), ([], ["old"]))
