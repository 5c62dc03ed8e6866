"""Timed messages on three nodes that hear each other."""

from typing import Any

from twisted.internet.defer import ensureDeferred
from twisted.trial.unittest import SynchronousTestCase

from irchat.interfaces.nodes import LiveTimed, TimedCopy
from irchat.interfaces.stored import GLOBAL
from irchat.protocol import events
from irchat.protocol.errors import Code, Refusal
from tests.helpers.simulated_bus import advance
from tests.helpers.timed_nodes import TimedCluster, TimedNode, TimedSession


class CopiesTestCase(SynchronousTestCase):
    """Nodes n0, n1 and n2. alice, bob and carol are in the group team."""

    def setUp(self) -> None:
        """Start the nodes."""
        self.cluster = TimedCluster(0)
        self.addCleanup(self.cluster.close)
        self.cluster.database.delay = lambda: 0.0
        self.n0, self.n1, self.n2 = self.cluster.nodes

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        advance(self.cluster.clock, seconds)

    def send(
        self, chat: str = "GLOBAL", seconds: int = 60, *, node: TimedNode | None = None, **how: Any
    ) -> events.Sent:
        """Send a message of alice on n0. Return the answer."""
        answers = self.cluster.send(node or self.n0, "alice", chat, "psst", seconds, **how)
        self.advance(0.1)
        (answer,) = answers
        return answer

    def got(self, *sessions: TimedSession) -> list[list[str]]:
        """Return the kinds of events that each session got."""
        return [[type(event).__name__ for event in session.got()] for session in sessions]

    def unread(self, name: str) -> list[dict[str, tuple[int, int]]]:
        """Return a user's counts on each node."""
        return [node.counts(name) for node in self.cluster.nodes]

    def copy(self, **changes: Any) -> TimedCopy:
        """Return a copy of a message of alice in GLOBAL."""
        fields = {
            "id": "x",
            "chat": GLOBAL,
            "sender": 1,
            "text": "psst",
            "at": 1_000,
            "expires_at": 9_000,
            "left_ms": 8_000,
        }
        return TimedCopy(**{**fields, **changes})


class SendingTests(CopiesTestCase):
    """Messages reach all nodes."""

    def test_all_nodes(self) -> None:
        """Every session on every node gets it once, also the sender's others. Users on two nodes count once."""
        own, *others = [
            self.cluster.enter(node, name)
            for node, name in (
                (self.n0, "alice"), (self.n0, "bob"), (self.n1, "bob"), (self.n1, "alice"), (self.n2, "carol")
            )
        ]  # fmt: skip
        sent = self.send(origin=own.number)
        self.assertEqual((sent.reached, sent.of), (2, 4))
        self.assertEqual(self.got(own, *others), [[], *[["Message"]] * 4])
        message = others[3].got()[0]
        assert isinstance(message, events.Message)
        self.assertEqual((message.text, message.id, message.expires_at), ("psst", sent.id, sent.expires_at))
        self.advance(60)
        self.assertEqual(self.got(own, *others), [["Erased"], *[["Message", "Erased"]] * 4])
        self.assertEqual([node.texts_kept() for node in self.cluster.nodes], [[], [], []])

    def test_answer_waits_for_half_a_second(self) -> None:
        """A node that hangs delays the answer by half a second, and alone nobody is waited for."""
        self.cluster.enter(self.n1, "bob")
        self.n2.transport.is_hung = True
        answers = self.cluster.send(self.n0, "alice", "GLOBAL", "psst", 60)
        self.advance(0.45)
        self.assertEqual(answers, [])
        self.advance(0.1)
        self.assertEqual([answer.reached for answer in answers], [1])
        for node in self.n1, self.n2:
            self.cluster.kill(node)
        self.advance(6)
        self.assertEqual(len(self.cluster.send(self.n0, "alice", "GLOBAL", "psst", 60)), 0)
        self.cluster.clock.advance(0)
        self.assertEqual(len(self.cluster.sent), 2)

    def test_refused_while_the_bus_is_away(self) -> None:
        """While the bus is away nothing is added, and the sender hears what to do."""
        for node in self.cluster.nodes:
            node.transport.set_up(False)
        refusal = self.failureResultOf(self.n0.send("alice", "GLOBAL", expires_in=9), Refusal).value
        self.assertEqual((refusal.code, "Try again soon" in refusal.text), (Code.UNAVAILABLE, True))
        self.assertEqual(self.n0.live, {})

    def test_survives(self) -> None:
        """A message outlives its node, and all nodes that it was sent to, and ends on time."""
        self.send()
        self.cluster.kill(self.n0)
        self.cluster.start("new")
        self.advance(7)
        for node in self.n1, self.n2:
            self.cluster.kill(node)
        (new,) = self.cluster.nodes
        self.assertEqual(new.seen("bob"), {"1": ["psst"]})
        session = self.cluster.enter(new, "bob")
        self.advance(52.7)
        self.assertEqual(new.seen("bob"), {"1": ["psst"]})
        self.advance(0.3)
        self.assertEqual((new.seen("bob"), self.got(session)), ({}, [["Erased"]]))

    def test_late_copy_ends_on_time(self) -> None:
        """A node that was away for a while gets the message when it comes back. It ends there as elsewhere."""
        self.n2.transport.set_up(False)
        session = self.cluster.enter(self.n2, "bob")
        self.cluster.send(self.n0, "alice", "GLOBAL", "psst", 10)
        self.advance(4)
        self.n2.transport.set_up(True)
        self.advance(2)
        self.assertEqual(self.got(session), [["Message"]])
        ends = [one.end for node in self.cluster.nodes for one in node.live.values()]
        self.assertEqual(len(ends), 3)
        self.assertLess(max(ends) - min(ends), 0.01)


class NonceTests(CopiesTestCase):
    """Repetitions on another node."""

    def test_first_answer(self) -> None:
        """A repetition on another node gets the first answer, and nothing is sent."""
        self.cluster.enter(self.n1, "bob")
        first = self.send(nonce="n")
        self.cluster.enter(self.n2, "carol")
        again = self.send(nonce="n", node=self.n1)
        self.assertEqual((again.id, again.reached, again.of), (first.id, 1, 4))
        new = self.cluster.start("new")
        self.advance(1)
        self.assertEqual((self.send(nonce="n", node=new).id, len(self.n0.live)), (first.id, 1))
        self.assertEqual(self.send(nonce="n", node=new).reached, 1)

    def test_unanswered(self) -> None:
        """If the first node dies before it answers, the repetition is answered half a second later at most."""
        self.cluster.kill(self.n0)
        self.n1.copies.receive(self.copy(nonce="n", reached=2, of=4))
        again = self.cluster.send(self.n1, "alice", "GLOBAL", "psst", 60, "n")
        self.advance(0.4)
        self.assertEqual(again, [])
        self.advance(0.2)
        self.assertEqual([(answer.id, answer.reached, answer.of) for answer in again], [("x", 2, 4)])

    def test_sent_twice(self) -> None:
        """A message that two nodes sent, because one of them hung, stays once, and the same one on all nodes."""
        session = self.cluster.enter(self.n2, "bob")
        self.n0.transport.is_hung = True
        self.cluster.send(self.n0, "alice", "GLOBAL", "psst", 60, "n")
        self.cluster.send(self.n1, "alice", "GLOBAL", "psst", 60, "n")
        self.advance(0.6)
        self.n0.transport.is_hung = False
        self.advance(3)
        (kept,) = {frozenset(node.live) for node in self.cluster.nodes}
        self.assertEqual(len(kept), 1)
        got = session.got()
        ended = {event.id for event in got if isinstance(event, events.Erased)}
        self.assertEqual({event.id for event in got} - ended, kept)


class EndTests(CopiesTestCase):
    """Messages that end early."""

    def test_take_back(self) -> None:
        """A message that is taken back on one node is erased on all, and a late copy does not bring it back."""
        sessions = [self.cluster.enter(node, "bob") for node in self.cluster.nodes]
        sent = self.send()
        self.successResultOf(self.n1.amend_last("alice", "GLOBAL"))
        self.advance(0.1)
        self.assertEqual(self.got(*sessions), [["Message", "Erased"]] * 3)
        self.assertEqual(self.n2.copies.receive(self.copy(id=sent.id)), frozenset())
        new = self.cluster.start("new")
        self.advance(1)
        self.assertEqual(new.copies.receive(self.copy(id=sent.id)), frozenset())
        self.assertEqual([node.live for node in self.cluster.nodes], [{}] * 4)
        self.assertEqual([node.texts_kept() for node in self.cluster.nodes], [[]] * 4)

    def test_to_sessions_that_moved(self) -> None:
        """A user that had it on a node that died gets its end on another one, but nobody that may not see it."""
        self.cluster.enter(self.n0, "bob")
        self.send()
        self.successResultOf(self.n1.chat.blocks.block(self.n1["alice"], "carol", True, None))
        self.cluster.kill(self.n0)
        bob, carol = self.cluster.enter(self.n2, "bob"), self.cluster.enter(self.n2, "carol")
        self.successResultOf(self.n1.amend_last("alice", "GLOBAL"))
        self.advance(0.1)
        self.assertEqual(self.got(bob, carol), [["Erased"], []])

    def test_removed_with_messages(self) -> None:
        """The messages of a user that is removed with them end on all nodes, also those still on their way."""
        self.send()
        self.successResultOf(ensureDeferred(self.n1.chat.moderation.remove("alice", True, lambda count: None)))
        self.advance(0.1)
        self.assertEqual([node.live for node in self.cluster.nodes], [{}] * 3)
        self.n1.copies.receive(self.copy())
        self.advance(0.1)
        self.n2.copies.receive(self.copy())
        self.assertEqual([node.live for node in self.cluster.nodes], [{}] * 3)

    def test_last_message(self) -> None:
        """Whether a stored message of its sender follows a timed one is known on all nodes, also on a new one."""
        self.send()
        self.successResultOf(self.n1.send("alice", "GLOBAL", "stored"))
        self.send()
        self.cluster.start("new")
        self.advance(1)
        for node in self.cluster.nodes:
            self.assertEqual([timed.followed_by for timed in node.live.values()], [1, 0], node.name)

    def test_group_that_ended(self) -> None:
        """A copy for a group that has ended, and one that has ended itself, change nothing."""
        self.assertEqual(self.n1.copies.receive(self.copy(chat=99)), frozenset())
        self.assertEqual(self.n1.copies.receive(self.copy(left_ms=0)), frozenset())
        self.assertEqual(self.n1.live, {})


class ReadTests(CopiesTestCase):
    """The messages that users have read, and may see."""

    def mark(self, node: TimedNode, name: str) -> None:
        """Read GLOBAL to its end."""
        self.successResultOf(node.chat.reading.mark(node[name], "GLOBAL", 10**6, None))
        self.advance(0.2)

    def test_reads(self) -> None:
        """A user's counts are the same on all nodes, also on one that starts, and with gaps."""
        for _ in range(5):
            self.send()
        second = list(self.n1.live.values())[1]
        self.n1.chat.reading.timed_shown(self.n1["bob"], GLOBAL, second.order)
        self.advance(0.2)
        self.assertEqual(self.unread("bob"), [{"1": (4, 0)}] * 3)
        self.cluster.start("new")
        self.advance(1)
        self.assertEqual(self.unread("bob"), [{"1": (4, 0)}] * 4)
        self.mark(self.n2, "bob")
        self.assertEqual(self.unread("bob"), [{}] * 4)
        self.send()
        self.assertEqual((self.unread("bob"), self.unread("carol")), ([{"1": (1, 0)}] * 4, [{"1": (6, 0)}] * 4))

    def test_marker_for_other_sessions(self) -> None:
        """Sessions on other nodes get the marker when only timed messages were unread."""
        self.cluster.enter(self.n0, "bob")
        self.send()
        published = self.n0.published
        del published[:]
        self.mark(self.n1, "bob")
        self.assertEqual([one.event for one in published], [events.Read(chat="GLOBAL", seq=0)])

    def test_read_before_it_arrives(self) -> None:
        """A message that was read on another node before its copy arrives is read."""
        self.n2.copies.note_read([2], GLOBAL, ["x"])
        self.n2.copies.receive(self.copy())
        self.assertEqual((self.n2.counts("bob"), self.n2.counts("carol")), ({}, {"1": (1, 0)}))

    def test_late_member(self) -> None:
        """A member that joined before the copy arrived, but after the message was sent, neither gets nor sees it."""
        self.successResultOf(self.n0.chat.groups.add(self.n0["alice"], "team", "dave", None))
        self.advance(0.1)
        sessions = [self.cluster.enter(self.n2, name) for name in ("bob", "dave")]
        group = next(iter(self.n2.directory.groups))
        reached = self.n2.copies.receive(self.copy(chat=group, audience=(1, 2, 3)))
        self.assertEqual((reached, self.got(*sessions)), ({2}, [["Message"], []]))
        self.assertEqual((self.n2.seen("dave"), self.n2.counts("dave")), ({}, {}))
        self.assertEqual(self.n2.copies.receive(self.copy(chat=group)), {2})
        (live,) = self.n2.copies.live()
        self.assertEqual(live.copies[0].audience, (1, 2, 3))

    def test_block(self) -> None:
        """A block that was set meanwhile holds, and hides the message."""
        self.successResultOf(self.n2.chat.blocks.block(self.n2["bob"], "alice", True, None))
        session = self.cluster.enter(self.n2, "bob")
        for chat in GLOBAL, (1, 2):
            self.assertEqual(self.n2.copies.receive(self.copy(id=str(chat), chat=chat)), frozenset())
        self.assertEqual((self.got(session), self.n2.seen("bob")), ([[]], {}))

    def test_reads_of_many(self) -> None:
        """The reads of many users are noted in slices."""
        self.n2.copies.receive(self.copy())
        self.patch(self.n2.copies._clock, "seconds", iter(range(1_000)).__next__)
        self.n2.copies.note_read([2, 3, 4], GLOBAL, ["x"])
        self.assertEqual(len(self.n2.copies._reads), 2)

    def test_learn_reads_of_known(self) -> None:
        """Spans of another node fit messages that arrived here in another order, or between others."""
        for timed_id in "cadb":
            self.n2.copies.receive(self.copy(id=timed_id))
        copies = tuple(self.copy(id=timed_id) for timed_id in "abc")
        self.n2.copies.learn(LiveTimed(copies, None, ((2, 0, 1, ()), (3, 1, 2, ()))))
        user, timed = self.n2["bob"], self.n2.chat.messages.timed
        self.assertEqual([one.id for one in timed.newest_first(GLOBAL, user, unread=True)], ["d", "c"])
        user = self.n2["carol"]
        self.assertEqual([one.id for one in timed.newest_first(GLOBAL, user, unread=True)], ["d", "a"])
