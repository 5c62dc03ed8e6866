"""The marks of removed accounts."""

from twisted.internet.defer import Deferred, ensureDeferred, succeed

from irchat.chat.amending import removed_marks
from irchat.interfaces.stored import GLOBAL, PlacedMark
from irchat.interfaces.writes import MarksRemoved
from irchat.protocol import events
from tests.helpers.chat import WorldTestCase


class RemovedMarksTests(WorldTestCase):
    """`RemovedMarks`."""

    def remove(self, name: str) -> Deferred[str]:
        """Remove an account."""
        return ensureDeferred(self.world.chat.moderation.remove(name, False, lambda count: None))

    def ended(self, name: str) -> list[tuple[str, int, str | None, str]]:
        """Return the chat, rev, mark and author of each mark whose end a user learns of."""
        return [
            (event.chat, event.rev, event.mark, event.by)
            for event in self.world.told(name)
            if isinstance(event, events.Amended) and event.on is False
        ]

    def test_clients_see_them_go(self) -> None:
        """Each mark ends with an event in rising rev, under the name that clients know, in every chat."""
        self.group("team", "alice", "bob")
        for chat in "GLOBAL", "*team", "@bob":
            self.done(self.world.send("alice", chat))
        for chat, mark in ("GLOBAL", "ok"), ("GLOBAL", "no"), ("*team", "ok"), ("@alice", "ok"):
            self.done(self.world.mark("bob", chat, 1, mark))
        self.done(self.world.mark("carol", "GLOBAL", 1))
        self.done(self.remove("bob"))
        ended = self.ended("alice")
        self.assertEqual([(chat, rev) for chat, rev, _, _ in ended],
                         [("GLOBAL", 4), ("GLOBAL", 5), ("*team", 2), ("@bob#2", 2)])  # fmt: skip
        self.assertEqual({(mark, by) for _, _, mark, by in ended}, {("ok", "bob"), ("no", "bob")})
        self.assertEqual(self.ended("carol"), ended[:2])
        (message,) = self.done(self.world.history("alice", "GLOBAL")).messages
        self.assertEqual((message.rev, message.marks), (5, [events.Mark("ok", 1, ["carol"], False)]))

    def test_hidden(self) -> None:
        """A reader from whom the user or the sender is hidden does not learn of it, nor does a later member."""
        self.world.add_user("dave")
        self.group("team", "alice", "bob")
        for chat in "GLOBAL", "*team", "@bob":
            self.done(self.world.send("alice", chat))
            self.done(self.world.mark("bob", "@alice" if chat == "@bob" else chat, 1))
        for name in "carol", "dave":
            self.world.enter(name)
            self.done(self.world.chat.groups.add(self.world["alice"], "team", name, None))
        self.block("alice", "bob")
        self.block("carol", "alice")
        self.done(self.remove("bob"))
        self.assertEqual([self.ended(name) for name in ("alice", "carol")], [[], []])
        self.assertEqual(self.ended("dave"), [("GLOBAL", 2, "ok", "bob")])

    def test_many(self) -> None:
        """Many marks end in several commits, between which others send. Fewer go together where more are online."""
        self.patch(removed_marks, "_TOGETHER", 5)
        for _ in range(12):
            self.done(self.world.send("alice", "GLOBAL"))
        for seq in range(1, 13):
            self.done(self.world.mark("bob", "GLOBAL", seq))
        store = self.world.store

        def taken_off() -> list[int]:
            return [len(write.marks) for commit in store.commits for write in commit if isinstance(write, MarksRemoved)]

        store.holding = True
        removing = self.remove("bob")
        store.let_through()
        store.let_through()
        sent = self.world.send("carol", "GLOBAL", "hi")
        store.let_through()
        store.let_through()
        self.assertTrue(sent.called)
        self.assertFalse(removing.called)
        store.holding = False
        store.let_through()
        self.done(removing)
        self.assertEqual(taken_off(), [5, 5, 2])
        self.assertEqual(len(self.ended("alice")), 12)
        self.patch(removed_marks, "_RECIPIENTS_TOGETHER", 9)
        for seq in range(1, 7):
            self.done(self.world.mark("carol", "GLOBAL", seq))
        store.commits.clear()
        self.done(self.remove("carol"))
        self.assertEqual(taken_off(), [4, 2])

    def test_marks_that_stay(self) -> None:
        """Marks that the store keeps returning are tried once, and nothing is sought without removed accounts."""
        marks = [PlacedMark(GLOBAL, 99, 2, "ok", "ok")]
        asked: list[object] = []
        self.patch(self.world.store, "marks_of", lambda users, limit: asked.append(list(users)) or succeed(marks))
        self.world.chat.resume()
        self.assertEqual(asked, [])
        self.world.store.commits.clear()
        self.done(self.remove("bob"))
        self.assertEqual(asked, [[2], [2]])
        self.assertEqual(len(self.world.store.commits), 2)

    def test_interrupted(self) -> None:
        """Marks that remain because the store failed or the process ended are taken off after the next start."""
        self.done(self.world.send("alice", "GLOBAL"))
        for mark in "a", "b":
            self.done(self.world.mark("bob", "GLOBAL", 1, mark))
        user, store = self.world["bob"].id, self.world.store
        store.holding = True
        removing = self.remove("bob")
        for _ in range(2):
            store.let_through()
        store.fail()
        self.done(removing)
        self.world.restart()
        self.assertEqual(len(self.done(self.world.store.marks_of([user], 9))), 2)
        self.world.enter("alice")
        self.world.chat.resume()
        self.assertEqual(self.ended("alice"), [("GLOBAL", 3, "a", "bob"), ("GLOBAL", 4, "b", "bob")])
        self.world.chat.resume()
        self.assertEqual(len(self.ended("alice")), 2)
