"""Deletions of stored messages, and taking back timed ones."""

from twisted.internet.defer import Deferred, ensureDeferred

from irchat.protocol import events
from irchat.protocol.errors import Code
from tests.helpers.chat import WorldTestCase

_AT = "2026-11-22T14:00:00.000Z"


class _Case(WorldTestCase):
    def send_before_a_block(self) -> None:
        """Let alice send to a group, which carol joins later, to everyone and to bob, who then blocks alice."""
        self.group("team", "alice", "bob")
        for chat in "*team", "GLOBAL", "@bob":
            self.done(self.world.send("alice", chat))
        self.done(self.world.chat.groups.add(self.world["alice"], "team", "carol", None))
        self.block("bob", "alice")
        self.world.published.clear()


class DeleteTests(_Case):
    """`Delete`."""

    def test_reply_and_event(self) -> None:
        """The reply and the event say who deleted it. Pages, searches and counts lack it; a repetition is refused."""
        self.done(self.world.send("alice", "GLOBAL", "one"))
        self.done(self.world.send("alice", "GLOBAL", "two"))
        self.world.published.clear()
        reply = self.done(self.world.amend("alice", "GLOBAL", 1, origin=1))
        self.assertEqual(reply, events.Amended("GLOBAL", 1, 1, "alice", _AT, deleted=True))
        self.assertEqual((self.world.told("bob"), self.world.told("alice", 1)), ([reply], []))
        self.assertEqual((self.said("bob", "GLOBAL"), self.found("bob", "one")), (["two"], []))
        self.assertEqual(self.unread("bob"), {"GLOBAL": 1})
        self.refused(Code.NO_SUCH_MESSAGE, self.world.amend, "alice", "GLOBAL", 1)

    def test_who_may(self) -> None:
        """In a group the owner and administrators delete too, in GLOBAL administrators, in a private chat nobody."""
        self.group("team", "alice", "bob", "carol")
        for chat in "*team", "GLOBAL", "@carol":
            for _ in range(2):
                self.done(self.world.send("bob", chat))
        refusals = [
            self.refused(Code.NOT_YOURS, self.world.amend, "carol", "*team", 1),
            self.refused(Code.NOT_YOURS, self.world.amend, "carol", "GLOBAL", 1),
            self.refused(Code.NOT_YOURS, self.world.amend, "carol", "@bob", 1, is_admin=True),
        ]
        self.assertIn("alice, who owns team", refusals[0].text)
        self.assertIn("administrators", refusals[1].text)
        self.refused(Code.NOT_YOURS, self.world.amend, "alice", "GLOBAL", 1)
        self.done(self.world.amend("alice", "*team", 1))
        self.done(self.world.amend("carol", "*team", 2, is_admin=True))
        self.done(self.world.amend("carol", "GLOBAL", 1, is_admin=True))
        self.assertEqual((self.said("bob", "*team"), len(self.said("bob", "GLOBAL"))), ([], 1))

    def test_beside_a_timed_one(self) -> None:
        """The deletion of a message by its number leaves the timed messages of its sender alone, later or earlier."""
        for seconds in 9, None, 9:
            self.done(self.world.send("alice", "GLOBAL", f"for {seconds}", expires_in=seconds))
        self.assertTrue(self.done(self.world.amend("alice", "GLOBAL", 1)).deleted)
        self.assertEqual(self.said("bob", "GLOBAL"), ["for 9", "for 9"])

    def test_removed_meanwhile(self) -> None:
        """A user whose account is removed before its turn deletes nothing."""
        alice = self.world["alice"]
        self.done(self.world.send("alice", "GLOBAL", "stays"))
        change = self.world.chat.amendments.to_amend(alice, "GLOBAL", seq=1, delete=True)
        self.done(ensureDeferred(self.world.chat.moderation.remove("alice", False, lambda count: None)))
        self.refused(Code.NOT_LOGGED_IN, self.world.chat.queue.submit, change)
        self.assertEqual(self.said("bob", "GLOBAL"), ["stays"])

    def test_not_in_the_group(self) -> None:
        """An administrator that is not in a group, and a sender that has left it, cannot delete there."""
        self.group("team", "alice", "bob")
        self.done(self.world.send("bob", "*team"))
        self.done(self.world.chat.groups.remove(self.world["bob"], "team", "bob", None))
        for name in "bob", "carol":
            self.refused(Code.NO_SUCH_GROUP, self.world.amend, name, "*team", 1, is_admin=True)

    def test_off(self) -> None:
        """With ``no_amend`` senders delete no stored messages, owners and administrators any, and timed ones go."""
        self.world.chat.limits.no_amend = True
        self.group("team", "alice", "bob")
        for chat in "*team", "GLOBAL":
            self.done(self.world.send("bob", chat))
            self.refused(Code.AMEND_OFF, self.world.amend, "bob", chat, 1)
            self.refused(Code.AMEND_OFF, self.world.amend_last, "bob", chat)
        self.done(self.world.amend("alice", "*team", 1))
        self.done(self.world.amend("carol", "GLOBAL", 1, is_admin=True))
        timed = self.done(self.world.send("bob", "GLOBAL", expires_in=9)).id
        self.done(self.world.send("bob", "GLOBAL", expires_in=9))
        self.assertEqual(self.done(self.world.amend("bob", "GLOBAL", message_id=timed)), events.Ok())
        self.assertEqual(self.done(self.world.amend_last("bob", "GLOBAL")), events.Ok())
        self.assertEqual(self.said("bob", "GLOBAL"), [])

    def test_behind_a_block(self) -> None:
        """A deletion reaches those behind a block as well, without the name of who did it, but no later members."""
        self.send_before_a_block()
        for chat in "*team", "GLOBAL", "@bob":
            self.done(self.world.amend("alice", chat, 1))
        self.assertEqual([(event.chat, event.by) for event in self.world.told("bob")],
                         [("*team", ""), ("GLOBAL", ""), ("@alice", "")])  # fmt: skip
        self.assertEqual([(event.chat, event.by) for event in self.world.told("carol")], [("GLOBAL", "alice")])

    def test_owner_behind_a_block(self) -> None:
        """The owner of a group cannot delete the messages of a user behind a block: they cannot be seen."""
        self.group("team", "alice", "bob")
        self.done(self.world.send("bob", "*team"))
        self.block("alice", "bob")
        self.refused(Code.NO_SUCH_MESSAGE, self.world.amend, "alice", "*team", 1)

    def test_nonce_after_deletion(self) -> None:
        """A repeated send of a deleted message sends nothing again."""
        sent = self.done(self.world.send("alice", "@bob", nonce="n"))
        self.done(self.world.amend("alice", "@bob", 1))
        self.assertEqual(self.done(self.world.send("alice", "@bob", nonce="n")).seq, sent.seq)
        self.assertEqual(self.said("bob", "@alice"), [])
        self.assertEqual(self.done(self.world.send("alice", "@bob")).seq, 2)


class TakeBackTests(WorldTestCase):
    """`TakeBack`."""

    def test_take_back(self) -> None:
        """A timed message ends at once everywhere, and nothing of it is on the disk. Repeated, it is refused."""
        for chat in "GLOBAL", "@bob":
            self.world.published.clear()
            timed = self.done(self.world.send("alice", chat, "secret", expires_in=9)).id
            self.assertEqual(self.done(self.world.amend("alice", chat, message_id=timed, origin=1)), events.Ok())
            for name in "alice", "bob":
                (sent, erased) = self.world.told(name)
                self.assertEqual((sent.text, sent.id, erased.id), ("secret", timed, timed))
            self.assertEqual(self.said("bob", "GLOBAL" if chat == "GLOBAL" else "@alice"), [])
            self.refused(Code.NO_SUCH_MESSAGE, self.world.amend, "alice", chat, message_id=timed)
            self.world.pass_time(10)
            self.assertEqual(len(self.world.told("bob")), 2)
        self.assertEqual(self.world.store.commits, [])

    def test_whose(self) -> None:
        """Only the sender takes it back, in its chat, while it lives. To whoever cannot see it, it does not exist."""
        self.group("team", "alice", "bob", "carol")
        self.block("carol", "alice")
        timed = self.done(self.world.send("alice", "*team", expires_in=9)).id
        self.refused(Code.NOT_YOURS, self.world.amend, "bob", "*team", message_id=timed, is_admin=True)
        for name, chat in (("carol", "*team"), ("alice", "GLOBAL"), ("alice", "@bob"), ("bob", "GLOBAL")):
            self.refused(Code.NO_SUCH_MESSAGE, self.world.amend, name, chat, message_id=timed, is_admin=True)
        self.refused(Code.NO_SUCH_MESSAGE, self.world.amend, "alice", "*team", message_id="unknown")
        self.world.pass_time(9)
        self.refused(Code.NO_SUCH_MESSAGE, self.world.amend, "alice", "*team", message_id=timed)

    def test_in_one_commit(self) -> None:
        """It keeps its place among the messages of one commit."""
        timed = self.done(self.world.send("alice", "GLOBAL", "secret", expires_in=9)).id
        self.world.store.holding = True
        for text in "one", "two":
            self.world.send("bob", "GLOBAL", text)
        taken = self.world.amend("alice", "GLOBAL", message_id=timed)
        self.world.send("bob", "GLOBAL", "three")
        for _ in range(2):
            self.world.store.let_through()
        self.assertEqual(self.done(taken), events.Ok())
        told = [getattr(event, "text", "erased") for event in self.world.told("carol")]
        self.assertEqual(told, ["secret", "one", "two", "erased", "three"])

    def test_blocked(self) -> None:
        """Behind a block one's own can be taken back."""
        timed = self.done(self.world.send("alice", "@bob", expires_in=9)).id
        self.block("bob", "alice")
        self.world.published.clear()
        self.done(self.world.amend("alice", "@bob", message_id=timed))
        self.assertEqual(self.world.told("bob"), [events.Erased("@alice", timed)])


class AdministratorTests(_Case):
    """`AdministratorDelete`."""

    def test_chats(self) -> None:
        """The administrator of the machine deletes in any chat. Nobody is named, and no later member learns of it."""
        self.send_before_a_block()
        for chat in "*Team", "global", "@bob@alice":
            reply = self.done(self.delete(chat, 1))
            self.assertEqual((reply.chat, reply.seq, reply.by, reply.deleted), (chat, 1, "", True))
        for name, labels in (("alice", ["*team", "GLOBAL", "@bob"]), ("bob", ["*team", "GLOBAL", "@alice"])):
            told = [(event.chat, event.by, event.deleted) for event in self.world.told(name)]
            self.assertEqual(told, [(label, "", True) for label in labels])
        self.assertEqual([event.chat for event in self.world.told("carol")], ["GLOBAL"])

    def test_refused(self) -> None:
        """A chat or a message that does not exist is refused."""
        for chat in "team", "*team", "@bob", "@bob@dave", "@bob@bob", "@alice@bob@carol", "":
            self.refused(Code.NO_SUCH_CHAT, self.delete, chat, 1)
        for chat, seq in ("GLOBAL", 1), ("@alice@bob", 1), ("GLOBAL", 2**63), ("GLOBAL", -(2**63) - 1):
            self.refused(Code.NO_SUCH_MESSAGE, self.delete, chat, seq)

    def delete(self, chat: str, seq: int) -> Deferred[events.Amended]:
        """Delete a message."""
        return self.world.chat.queue.submit(self.world.chat.amendments.to_delete_for_administrator(chat, seq))
