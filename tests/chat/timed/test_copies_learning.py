"""All live timed messages of a node, as another one learns them."""

from irchat.chat.timed import copies
from irchat.interfaces.stored import GLOBAL
from tests.chat.timed.test_copies_calls import OneNodeTestCase


class LearningTests(OneNodeTestCase):
    """The parts that go out, and what they change where they are learnt."""

    def team(self) -> int:
        """Create a group of alice and bob."""
        self.done(self.world.chat.groups.create(self.world["alice"], "team", ["bob"], None))
        (group,) = self.world.directory.groups
        return group

    def test_parts(self) -> None:
        """Live messages go out in parts of some messages of one chat, with what users have read of each part."""
        self.patch(copies, "_PART", 2)
        self.learn(*(self.copy(timed_id) for timed_id in "abc"))
        self.learn(self.copy("p", chat=(1, 2)))
        orders = [one.order for one in self.timed.missed(self.world["bob"], 0)]
        self.timed.note_read(self.world["bob"], GLOBAL, orders[0], orders[2])
        parts = list(self.copies.live())
        self.assertEqual([[copy.id for copy in part.copies] for part in parts], [["a", "b"], ["c"], ["p"]])
        self.assertEqual([part.reads for part in parts], [((2, 1, 1, ()),), ((2, 0, 0, ()),), ()])
        self.assertEqual([part.audience for part in parts], [None] * 3)

    def test_part(self) -> None:
        """Each has its nonce and its answer so far. Messages that were taken back are left out."""
        answered = self.world.send("alice", "GLOBAL", expires_in=30, nonce="n")
        self.world.pass_time(0)
        self.others.sending[0].callback(frozenset({2, 3}))
        self.learn(self.copy("x"))
        ((one, other),) = (part.copies for part in self.copies.live())
        self.assertEqual((one.id, one.nonce, one.reached, one.of), (self.done(answered).id, "n", 2, 2))
        self.assertEqual((other.id, other.nonce, other.reached, other.of), ("x", None, 0, 0))
        self.done(self.world.amend_last("alice", "GLOBAL"))
        self.assertEqual([[copy.id for copy in part.copies] for part in self.copies.live()], [[one.id]])

    def test_audiences(self) -> None:
        """A part has the members of its group. A message that some of them may not see has its own audience."""
        group = self.team()
        self.learn(self.copy("a", chat=group), audience=(1, 2))
        self.done(self.world.chat.groups.add(self.world["alice"], "team", "carol", None))
        self.learn(self.copy("b", chat=group), self.copy("c", chat=group, audience=(1, 3)), audience=(1, 2, 3))
        (part,) = self.copies.live()
        self.assertEqual(part.audience, (1, 2, 3))
        self.assertEqual([copy.audience for copy in part.copies], [(1, 2), None, (1, 3)])
        self.assertEqual([self.live(group, name) for name in self.names], [["a", "b", "c"], ["a", "b"], ["b", "c"]])
        self.learn(self.copy("d", chat=group), audience=(1, 2))
        self.assertEqual(["d" in self.live(group, name) for name in self.names], [True, True, False])

    def test_shown(self) -> None:
        """Sessions that are already online get the messages that are learnt."""
        self.world.published.clear()
        self.learn(self.copy("a"))
        self.assertEqual([getattr(event, "id", None) for event in self.world.told("bob")], ["a"])

    def test_back(self) -> None:
        """What one node knows, another learns: the same messages, unread by the same users."""
        self.learn(*(self.copy(timed_id) for timed_id in "abcdef"))
        orders = [one.order for one in self.timed.missed(self.world["bob"], 0)]
        self.timed.note_read(self.world["bob"], GLOBAL, orders[0], orders[2])
        self.timed.note_read(self.world["carol"], GLOBAL, orders[4], orders[5])
        (part,) = self.copies.live()
        seen = [self.live(reader=name, unread=True) for name in ("bob", "carol")]
        self.assertEqual(seen, [["a", "d", "e", "f"], ["a", "b", "c", "d", "e"]])
        self.world.restart()
        self.copies = self.world.chat.share_timed(self.others)
        self.timed = self.world.chat.messages.timed
        self.copies.learn(part)
        self.assertEqual([self.live(reader=name, unread=True) for name in ("bob", "carol")], seen)

    def test_ended_between_parts(self) -> None:
        """A message that ends while the parts go out is in none of the later ones, nor is a read of it."""
        self.patch(copies, "_PART", 1)
        self.learn(self.copy("a"), self.copy("b"), self.copy("c"), reads=((2, 1, 1, ()),))
        parts = self.copies.live()
        self.assertEqual([copy.id for copy in next(parts).copies], ["a"])
        self.copies.forget([("b", 5_000)])
        self.assertEqual([(copy.id, part.reads) for part in parts for copy in part.copies], [("c", ())])
        self.patch(copies, "_PART", 2)
        self.assertEqual([part.reads for part in self.copies.live()], [()])

    def test_nothing_known(self) -> None:
        """Reads of messages that have ended here change nothing."""
        self.copies.forget([("x", 5_000)])
        self.learn(self.copy("x"), reads=((2, 0, 0, ()),))
        self.assertEqual((self.live(), list(self.copies._reads), self.world.published), ([], [], []))

    def test_hidden_senders(self) -> None:
        """What a user has read does not cover the senders that were hidden from it."""
        self.learn(self.copy("a"), self.copy("b", sender=3), reads=((2, 0, 1, (3,)),))
        self.assertEqual(self.live(unread=True), ["b"])
