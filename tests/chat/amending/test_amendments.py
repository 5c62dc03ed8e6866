"""The requests to change a message, and their arguments."""

from irchat.protocol.errors import Code, Refusal
from irchat.protocol.events import Ok
from tests.helpers.chat import WorldTestCase


class ArgumentTests(WorldTestCase):
    """`Amendments`."""

    def test_wrong_combinations(self) -> None:
        """A change is of a stored message or a timed one, and is an edit or a deletion. Timed ones are never edited."""
        self.done(self.world.send("alice", "GLOBAL"))
        timed = self.done(self.world.send("alice", "GLOBAL", expires_in=9)).id
        for wrong in (
            {"delete": True},
            {"text": "new"},
            {"seq": 1, "delete": False},
            {"seq": 1, "text": "new", "delete": True},
            {"seq": 1, "message_id": timed, "delete": True},
            {"message_id": timed, "text": "new", "delete": False},
            {"message_id": timed, "delete": False},
        ):
            self.refused(Code.BAD_REQUEST, self.world.amend, "alice", "GLOBAL", **wrong)
        self.assertEqual(self.said("bob", "GLOBAL"), ["hi", "hi"])

    def test_kinds(self) -> None:
        """An edit is the default. A change of the last message is alone in its commit, others are not."""
        amendments, alice = self.world.chat.amendments, self.world["alice"]
        edit = amendments.to_amend(alice, "GLOBAL", seq=1, text=" new", origin=7)
        delete = amendments.to_amend(alice, "GLOBAL", seq=1, delete=True)
        mark = amendments.to_mark(alice, "GLOBAL", 1, "ok")
        self.assertEqual([one.alone for one in (edit, delete, mark)], [False] * 3)
        self.assertEqual((edit.origin, edit.characters, mark.on), (7, 4, None))
        last = [amendments.to_amend_last(alice, "GLOBAL", text, origin=7) for text in ("new", None)]
        self.assertEqual([(one.alone, one.origin, one.seq) for one in last], [(True, 7, None)] * 2)
        self.refused(Code.BAD_REQUEST, amendments.to_amend, alice, "GLOBAL", seq=1)

    def test_texts(self) -> None:
        """An edit has the checks of a message."""
        self.done(self.world.send("alice", "GLOBAL"))
        self.assertEqual(self.done(self.world.amend("alice", "GLOBAL", 1, "\x07")).text, "\u2407")
        self.assertEqual(self.done(self.world.amend_last("alice", "GLOBAL", "\x08")).text, "\u2408")
        for text, code in (("", Code.EMPTY_TEXT), (" \n", Code.EMPTY_TEXT), ("x" * 4_001, Code.TEXT_TOO_LONG)):
            self.refused(code, self.world.amend, "alice", "GLOBAL", 1, text)
            self.refused(code, self.world.amend_last, "alice", "GLOBAL", text)

    def test_marks(self) -> None:
        """An invalid mark is refused."""
        self.done(self.world.send("alice", "GLOBAL"))
        for mark in ("", "two words", "x" * 17):
            self.refused(Code.BAD_REQUEST, self.world.mark, "bob", "GLOBAL", 1, mark)

    def test_last(self) -> None:
        """One's last message in a chat is the last stored one or, to take it back, a later timed one."""
        self.done(self.world.send("alice", "GLOBAL", "one"))
        self.done(self.world.send("alice", "@bob", "private"))
        self.done(self.world.send("alice", "GLOBAL", "timed", expires_in=9))
        self.world.pass_time(1)
        self.done(self.world.send("alice", "GLOBAL", "two"))
        self.done(self.world.send("bob", "GLOBAL", "three"))
        self.assertEqual(self.done(self.world.amend_last("alice", "GLOBAL", "new")).seq, 2)
        self.assertEqual(self.done(self.world.amend_last("alice", "GLOBAL")).seq, 2)
        self.assertEqual(self.said("bob", "GLOBAL"), ["one", "three", "timed"])
        refusal = self.refused(Code.NO_SUCH_MESSAGE, self.world.amend_last, "alice", "GLOBAL", "secret")
        self.assertIn("timed", refusal.text)
        self.assertEqual(self.done(self.world.amend_last("alice", "GLOBAL")), Ok())
        self.assertEqual(self.said("bob", "GLOBAL"), ["one", "three"])
        self.assertEqual(self.done(self.world.amend_last("alice", "GLOBAL")).seq, 1)
        refusal = self.refused(Code.NO_SUCH_MESSAGE, self.world.amend_last, "alice", "GLOBAL")
        self.assertIn("You have no message in GLOBAL", refusal.text)

    def test_last_of_one_millisecond(self) -> None:
        """The order of sending decides which message is the last one, a timed or a stored one, not their times."""
        for seconds in 9, None, 9, 9, None, None, 9:
            self.done(self.world.send("alice", "@bob", expires_in=seconds))
        self.done(self.world.send("bob", "@alice"))
        self.done(self.world.send("alice", "GLOBAL"))
        replies = [self.done(self.world.amend_last("alice", "@bob")) for _ in range(7)]
        self.assertEqual(
            [getattr(reply, "seq", "timed") for reply in replies], ["timed", 3, 2, "timed", "timed", 1, "timed"]
        )
        self.refused(Code.NO_SUCH_MESSAGE, self.world.amend_last, "alice", "@bob")
        timed = self.done(self.world.send("alice", "@bob", expires_in=9)).id
        self.refused(Code.NO_SUCH_MESSAGE, self.world.amend_last, "alice", "@bob", "secret")
        self.done(self.world.send("alice", "@bob"))
        self.assertEqual(self.done(self.world.amend_last("alice", "@bob", "new")).seq, 5)
        self.world.chat.limits.edit_hours = 0.001
        self.world.pass_time(5)
        self.refused(Code.TOO_LATE, self.world.amend_last, "alice", "@bob", "late")
        self.done(self.world.amend("alice", "@bob", 5))
        self.refused(Code.NO_SUCH_MESSAGE, self.world.amend_last, "alice", "@bob", "secret")
        self.done(self.world.amend("alice", "@bob", message_id=timed))

    def test_last_in_one_commit(self) -> None:
        """The order of commits decides also among messages that other sessions of the user send at the same time."""
        for kinds, wanted in (
            (("timed", "#-"), ["ok"]),
            (("stored", "#-"), [3]),
            (("timed", "stored", "#-"), [3]),
            (("stored", "timed", "#-", "#-"), ["ok", 3]),
            (("timed", "#-", "#-"), ["ok", 1]),
            (("timed", "stored", "#="), [3]),
            (("stored", "timed", "#="), [Code.NO_SUCH_MESSAGE]),
        ):
            world = self.world = self.new_world(self.names)
            self.done(world.send("alice", "GLOBAL", "one"))
            world.store.holding = True
            world.send("bob", "GLOBAL", "these wait for this commit")
            asked = []
            for number, kind in enumerate(kinds):
                if kind in ("timed", "stored"):
                    world.send("alice", "GLOBAL", nonce=f"{number}", expires_in=9 if kind == "timed" else None)
                else:
                    asked.append(world.amend_last("alice", "GLOBAL", None if kind == "#-" else "new"))
            for _ in range(9):
                world.store.let_through()
            replies = [getattr(deferred.result, "value", deferred.result) for deferred in asked]
            said = [getattr(reply, "seq", getattr(reply, "code", "ok")) for reply in replies]
            self.assertEqual(said, wanted, kinds)
            for deferred in asked:
                deferred.addErrback(lambda failure: failure.trap(Refusal))
