"""Edits and marks: who may make them, until when, and who sees them."""

from irchat.protocol import events
from irchat.protocol.errors import Code
from irchat.protocol.marks import MESSAGE_MARKS, USER_MARKS
from tests.helpers.chat import WorldTestCase

_AT = "2026-11-22T14:00:00.000Z"


class EditTests(WorldTestCase):
    """`Edit`."""

    def test_reply_and_event(self) -> None:
        """The sender gets the reply, all others and the sender's other sessions the same event; pages are changed."""
        self.done(self.world.send("alice", "GLOBAL", "old"))
        self.world.published.clear()
        reply = self.done(self.world.amend("alice", "GLOBAL", 1, "new", origin=1))
        self.assertEqual(reply, events.Amended("GLOBAL", 1, 1, "alice", _AT, text="new", edited=_AT))
        self.assertEqual((self.world.told("bob"), self.world.told("alice"), self.world.told("alice", 1)),
                         ([reply], [reply], []))  # fmt: skip
        (message,) = self.done(self.world.history("bob", "GLOBAL")).messages
        self.assertEqual((message.text, message.rev, message.edited, message.marks), ("new", 1, _AT, None))
        self.assertEqual((self.found("bob", "new"), self.found("bob", "old")), (["new"], []))

    def test_characters(self) -> None:
        """An edit counts in the queue with the length of its text."""
        edit = self.world.chat.amendments.to_amend(self.world["alice"], "GLOBAL", seq=1, text="x" * 70)
        self.assertEqual(edit.characters, 70)

    def test_private(self) -> None:
        """In a private chat each of the two gets it with the name of the other."""
        self.done(self.world.send("alice", "@bob", "old"))
        self.world.published.clear()
        self.done(self.world.amend("alice", "@bob", 1, "new", origin=1))
        (event,) = self.world.told("bob")
        self.assertEqual((event.chat, event.by, self.world.told("carol")), ("@alice", "alice", []))
        self.assertEqual([change.chat for change in self.world.told("alice")], ["@bob"])

    def test_who_may(self) -> None:
        """Only the sender edits, while in the group: not its owner, nor who joined after the message."""
        self.group("team", "bob", "alice")
        self.done(self.world.send("alice", "*team", "old"))
        self.done(self.world.chat.groups.add(self.world["bob"], "team", "carol", None))
        refusal = self.refused(Code.NOT_YOURS, self.world.amend, "bob", "*team", 1, "new")
        self.assertIn("begin your message with #1 and a blank", refusal.text)
        self.refused(Code.NO_SUCH_MESSAGE, self.world.amend, "carol", "*team", 1, "new")
        self.done(self.world.chat.groups.remove(self.world["alice"], "team", "alice", None))
        self.refused(Code.NO_SUCH_GROUP, self.world.amend, "alice", "*team", 1, "new")
        self.assertEqual(self.said("bob", "*team"), ["old"])

    def test_beside_a_timed_one(self) -> None:
        """A message is edited by its number also after its sender has sent a timed one."""
        for seconds in None, 9:
            self.done(self.world.send("alice", "GLOBAL", f"for {seconds}", expires_in=seconds))
        self.done(self.world.amend("alice", "GLOBAL", 1, "new"))
        self.assertEqual(self.said("bob", "GLOBAL"), ["new", "for 9"])
        self.refused(Code.NO_SUCH_MESSAGE, self.world.amend, "alice", "GLOBAL", 2, "new")

    def test_no_such_message(self) -> None:
        """A number without a message, of a deleted one and of one behind a block are refused alike."""
        self.done(self.world.send("alice", "GLOBAL"))
        self.done(self.world.send("carol", "GLOBAL"))
        self.done(self.world.amend("alice", "GLOBAL", 1))
        self.block("bob", "carol")
        texts = set()
        for seq in 0, 1, 2, 3, 2**62:
            for ask in self.world.amend, self.world.mark:
                refusal = self.refused(Code.NO_SUCH_MESSAGE, ask, "bob", "GLOBAL", seq, "x")
                texts.add(refusal.text.replace(str(seq), "N"))
        self.assertEqual(texts, {"There is no message N in GLOBAL. ls GLOBAL shows the messages with their numbers."})

    def test_too_late(self) -> None:
        """A message can be edited for ``edit_hours``, or always with 0."""
        self.done(self.world.send("alice", "GLOBAL", "old"))
        self.world.ms += 24 * 3_600_000
        self.done(self.world.amend("alice", "GLOBAL", 1, "new"))
        self.world.ms += 1
        refusal = self.refused(Code.TOO_LATE, self.world.amend, "alice", "GLOBAL", 1, "newer")
        self.assertIn("24 hours", refusal.text)
        self.world.chat.limits.edit_hours = 1
        self.assertIn("1 hour ", self.refused(Code.TOO_LATE, self.world.amend, "alice", "GLOBAL", 1, "newer").text)
        self.world.chat.limits.edit_hours = 0
        self.done(self.world.amend("alice", "GLOBAL", 1, "newer"))
        self.assertEqual(self.said("bob", "GLOBAL"), ["newer"])

    def test_blocked(self) -> None:
        """Behind a block a private message can be deleted, but neither edited nor marked."""
        self.done(self.world.send("alice", "@bob", "old"))
        self.block("bob", "alice")
        self.refused(Code.BLOCKED, self.world.amend, "alice", "@bob", 1, "new")
        self.refused(Code.BLOCKED, self.world.mark, "alice", "@bob", 1)
        self.done(self.world.amend("alice", "@bob", 1))

    def test_hidden(self) -> None:
        """In a group and in GLOBAL an edit does not reach users behind a block, nor members that joined later."""
        self.group("team", "alice", "bob")
        for chat in "*team", "GLOBAL":
            self.done(self.world.send("alice", chat, "old"))
        self.done(self.world.chat.groups.add(self.world["bob"], "team", "carol", None))
        self.world.published.clear()
        self.done(self.world.amend("alice", "*team", 1, "new"))
        self.assertEqual((len(self.world.told("bob")), self.world.told("carol")), (1, []))
        self.block("bob", "alice")
        self.world.published.clear()
        for chat in "*team", "GLOBAL":
            self.done(self.world.amend("alice", chat, 1, "newer"))
        self.assertEqual(self.world.told("bob"), [])
        self.assertEqual([event.chat for event in self.world.told("carol")], ["GLOBAL"])

    def test_off(self) -> None:
        """With ``no_amend`` nobody edits, and marks stay possible."""
        self.world.chat.limits.no_amend = True
        self.done(self.world.send("alice", "GLOBAL", "old"))
        self.refused(Code.AMEND_OFF, self.world.amend, "alice", "GLOBAL", 1, "new")
        self.refused(Code.AMEND_OFF, self.world.amend, "alice", "GLOBAL", 1, "new", is_admin=True)
        self.refused(Code.AMEND_OFF, self.world.amend_last, "alice", "GLOBAL", "new")
        self.done(self.world.mark("alice", "GLOBAL", 1))
        self.assertEqual(self.said("bob", "GLOBAL"), ["old"])

    def test_mentions_stay(self) -> None:
        """An edit mentions nobody, and the mentions of the message stay."""
        self.done(self.world.send("alice", "GLOBAL", "@bob"))
        self.assertNotIn("to", self.done(self.world.amend("alice", "GLOBAL", 1, "@carol")).__struct_fields__)
        (message,) = self.done(self.world.history("carol", "GLOBAL")).messages
        self.assertEqual(message.to, ["bob"])


class MarkTests(WorldTestCase):
    """`SetMark`."""

    def marks(self, name: str, chat: str = "GLOBAL") -> list[tuple[str, int, list[str], bool]]:
        """Return the marks of the last message as a user sees them."""
        (*_, message) = self.done(self.world.history(name, chat)).messages
        return [(mark.mark, mark.count, mark.names, mark.mine) for mark in message.marks or ()]

    def test_on_and_off(self) -> None:
        """A mark is put, taken off, or toggled. All that see the message see it. A repetition changes nothing."""
        self.done(self.world.send("alice", "GLOBAL"))
        self.world.published.clear()
        reply = self.done(self.world.mark("bob", "GLOBAL", 1, "OK", origin=1))
        self.assertEqual(reply, events.Amended("GLOBAL", 1, 1, "bob", _AT, mark="OK", on=True))
        self.assertEqual(self.world.told("alice"), [reply])
        again = self.done(self.world.mark("bob", "GLOBAL", 1, "ok", True))
        self.assertEqual((again.on, again.rev, self.world.told("alice")), (True, 0, [reply]))
        self.done(self.world.mark("carol", "GLOBAL", 1, "ok", None))
        self.assertEqual(self.marks("bob"), [("OK", 2, ["bob", "carol"], True)])
        self.assertEqual(self.marks("alice"), [("OK", 2, ["bob", "carol"], False)])
        self.assertFalse(self.done(self.world.mark("carol", "GLOBAL", 1, "ok", None)).on)
        self.assertFalse(self.done(self.world.mark("bob", "GLOBAL", 1, "ok", False)).on)
        self.assertEqual(self.marks("bob"), [])
        self.assertEqual([event.rev for event in self.world.told("alice")], [1, 2, 3, 4])

    def test_who_sees_it(self) -> None:
        """Users behind a block see neither the event nor the mark, and count without it."""
        self.done(self.world.send("carol", "GLOBAL"))
        self.block("alice", "bob")
        self.world.published.clear()
        self.done(self.world.mark("bob", "GLOBAL", 1))
        self.done(self.world.mark("carol", "GLOBAL", 1))
        self.assertEqual([event.by for event in self.world.told("alice")], ["carol"])
        self.assertEqual(self.marks("alice"), [("ok", 1, ["carol"], False)])
        self.assertEqual(self.marks("carol"), [("ok", 2, ["bob", "carol"], True)])

    def test_too_many(self) -> None:
        """A user has 6 marks on a message at most, and a message 12 different ones."""
        self.done(self.world.send("alice", "GLOBAL"))
        for name in "alice", "bob":
            for number in range(USER_MARKS):
                self.done(self.world.mark(name, "GLOBAL", 1, f"{name}{number}"))
            self.assertIn("at most", self.refused(Code.TOO_MANY, self.world.mark, name, "GLOBAL", 1, "more").text)
        self.refused(Code.TOO_MANY, self.world.mark, "carol", "GLOBAL", 1, "more")
        self.done(self.world.mark("carol", "GLOBAL", 1, "bob1"))
        self.assertEqual(len(self.marks("carol")), MESSAGE_MARKS)

    def test_private(self) -> None:
        """In a private chat both see it."""
        self.done(self.world.send("alice", "@bob"))
        self.world.published.clear()
        self.done(self.world.mark("bob", "@alice", 1, origin=1))
        self.assertEqual([(event.chat, event.by) for event in self.world.told("alice")], [("@bob", "bob")])
        self.assertEqual(self.marks("alice", "@bob"), [("ok", 1, ["bob"], False)])

    def test_search(self) -> None:
        """The messages with a mark are found, newest first, in one chat or all."""
        for text in "one", "two", "three":
            self.done(self.world.send("alice", "GLOBAL", text))
        self.done(self.world.send("alice", "@bob", "four"))
        for chat, seq in (("GLOBAL", 1), ("GLOBAL", 3), ("@alice", 1)):
            self.done(self.world.mark("bob", chat, seq, "Pin"))
        found = self.done(self.world.search("bob", "", "GLOBAL", mark="pin"))
        self.assertEqual([message.text for message in found.messages], ["three", "one"])
        self.assertEqual(found.messages[0].marks, [events.Mark("Pin", 1, ["bob"], True)])
        found = self.done(self.world.search("bob", "", mark="PIN"))
        self.assertEqual([message.text for message in found.messages], ["four", "three", "one"])
        self.refused(Code.BAD_REQUEST, self.world.search, "bob", "", mark="two words")
        self.refused(Code.BAD_REQUEST, self.world.search, "bob", "???", mark="pin")
        self.refused(Code.BAD_REQUEST, self.world.search, "bob", "")
