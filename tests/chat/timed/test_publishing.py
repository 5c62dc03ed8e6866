"""The publications of timed messages."""

from twisted.trial.unittest import SynchronousTestCase

from irchat.chat.state.directory import Directory
from irchat.chat.state.presence import Presence
from irchat.chat.timed.publishing import erased, others, sent
from irchat.chat.timed.timed_chat import TimedMessage, packed
from irchat.interfaces.stored import Snapshot, StoredGroup, StoredUser
from irchat.interfaces.writes import BlockSet, Entry, GroupCreated, UserCreated, UserRemoved


class PublishingTests(SynchronousTestCase):
    """Messages of alice. All are online but dave, and alice blocks carol."""

    def setUp(self) -> None:
        """Set the block."""
        users = [StoredUser(number, name, name) for number, name in enumerate(("alice", "bob", "carol", "dave"), 1)]
        self.directory = Directory(Snapshot(users, [StoredGroup(7, "team", "team", 1, [1, 2, 3, 4])], []))
        self.directory.apply(Entry(BlockSet(1, 3, True)))
        self.alice = self.directory.users[1]
        self.presence = Presence(lambda user, online: None)
        for user in 1, 2, 3:
            self.presence.enter(user, user)

    def timed(self, chat: str, had: tuple[int, ...] = (), late: tuple[int, ...] = ()) -> TimedMessage:
        """Return a message."""
        found = self.directory.chat(self.alice, chat)
        return TimedMessage("x", found, self.alice, "psst", 1, 2, 9.0, 1, had=packed(had), late=frozenset(late))

    def test_others(self) -> None:
        """Others are those that may see it; those online here are reached."""
        for chat, of, reached in (("GLOBAL", 2, {2}), ("*team", 2, {2}), ("@bob", 1, {2}), ("@dave", 1, set())):
            found = others(self.directory, self.presence, self.directory.chat(self.alice, chat), self.alice)
            self.assertEqual(found, (of, reached), chat)

    def test_blind(self) -> None:
        """Users whose sessions show no timed messages are not reached, but count among the others."""
        self.presence.enter(4, 4, shows_timed=False)
        for chat, of, reached in (("GLOBAL", 2, {2}), ("*team", 2, {2}), ("@dave", 1, set()), ("@bob", 1, {2})):
            found = others(self.directory, self.presence, self.directory.chat(self.alice, chat), self.alice)
            self.assertEqual(found, (of, reached), chat)

    def test_hidden_elsewhere(self) -> None:
        """A hidden user counts only where it could see messages: not in other groups, nor after its removal."""
        for name, members in ("crew", (1, 2, 4)), ("duo", (1, 3)):
            self.directory.apply(Entry(GroupCreated(name, name, members, 0), 8 + len(members)))
        wanted = {"*crew": (2, {2}), "*duo": (0, set()), "GLOBAL": (2, {2})}
        self.directory.apply(Entry(BlockSet(4, 1, True)))
        self.directory.apply(Entry(BlockSet(4, 1, False)))
        for chat, expected in wanted.items():
            found = others(self.directory, self.presence, self.directory.chat(self.alice, chat), self.alice)
            self.assertEqual(found, expected, chat)
        self.directory.apply(Entry(UserRemoved(3, "carol#3", "carol#3", 0, ((7, 1), (10, 1)))))
        found = others(self.directory, self.presence, self.directory.chat(self.alice, "GLOBAL"), self.alice)
        self.assertEqual(found, (2, {2}))

    def test_behind_a_block(self) -> None:
        """A private message behind a block would reach nobody."""
        chat = self.directory.chat(self.alice, "@carol")
        self.assertEqual(others(self.directory, self.presence, chat, self.alice), (1, frozenset()))

    def test_sent(self) -> None:
        """A message goes to its chat, but not past a block or to late members, and to each peer by its label."""
        (to_all,) = sent(self.timed("GLOBAL", late=(2,)), 1.0, self.presence, 5)
        self.assertEqual((to_all.audience, to_all.hidden, to_all.origin), (None, {2, 3}, 5))
        to_pair = sent(self.timed("@bob"), 1.0, self.presence, None)
        self.assertEqual([(one.event.chat, one.audience) for one in to_pair], [("@bob", (1,)), ("@alice", (2,))])  # type: ignore[attr-defined]
        self.assertEqual([one.audience for one in sent(self.timed("@carol"), 1.0, self.presence, None)], [(1,)])

    def test_erased_together(self) -> None:
        """The ends of messages that the same users received share one audience, so that they are written together."""
        ends = erased([self.timed("GLOBAL", (2, 3)), self.timed("GLOBAL", (3, 2)), self.timed("GLOBAL", (2,))])
        self.assertIs(ends[0].audience, ends[1].audience)
        self.assertEqual(ends[2].audience, {2})

    def test_erased(self) -> None:
        """The end goes to all that had it and, with other nodes, to those that may have had it there."""
        (end,) = erased([self.timed("GLOBAL", (2, 3))])
        self.assertEqual(end.audience, {2, 3})
        self.directory.apply(Entry(UserCreated("eve", "eve", None, 0, None), 5))
        self.presence.enter(5, 5)  # no member
        (end,) = erased([self.timed("*team", (4,), late=(2,))], self.presence.sessions)
        self.assertEqual(end.audience, {1, 4})
        pair = erased([self.timed("@bob", (1,))], self.presence.sessions)
        self.assertEqual([one.audience for one in pair], [(1,), (2,)])
        self.assertEqual([one.audience for one in erased([self.timed("@bob", (1,))])], [(1,)])
