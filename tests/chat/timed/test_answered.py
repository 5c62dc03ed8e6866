"""Timed messages that answer a stored one: whom they mention, and in which order they are sent."""

from typing import Any

from twisted.internet.defer import Deferred, ensureDeferred

from irchat.chat.changes import Change
from irchat.protocol import events
from irchat.protocol.errors import Code
from tests.helpers.chat import WorldTestCase
from tests.helpers.server import ServerTestCase, request


class TimedAnswerTests(WorldTestCase):
    """`TimedAnswers`."""

    def answer(self, name: str, chat: str, text: str, **how: Any) -> Deferred[Any]:
        """Send a timed message for nine seconds."""
        how = {"expires_in": 9, "nonce": None, "origin": None, **how}
        outcome = self.world.chat.timed_answers.to_send(self.world[name], chat, text, **how)
        return self.world.chat.queue.submit(outcome) if isinstance(outcome, Change) else ensureDeferred(outcome)

    def to(self, name: str, chat: str) -> list[str] | None:
        """Return the names that the last published message to a user mentions."""
        told = [event for event in self.world.told(name) if isinstance(event, events.Message) and event.chat == chat]
        return told[-1].to

    def test_mentions_the_sender(self) -> None:
        """It mentions the sender of the answered message and the called users, each once. Nothing is written."""
        self.group("team", "alice", "bob", "carol")
        for chat in "GLOBAL", "*team":
            self.done(self.world.send("bob", chat, "lunch?"))
        self.world.store.commits.clear()
        for chat in "GLOBAL", "*team":
            for text, to in (
                ("#1 yes", ["bob"]), ("#1 @carol", ["bob", "carol"]), ("#1 @bob", ["bob"]), ("#2 none", None),
                ("#1yes", None), ("yes #1 ", None),
            ):  # fmt: skip
                self.done(self.answer("alice", chat, text))
                self.assertEqual(self.to("bob", chat), to, text)
        self.assertEqual(self.world.store.commits, [])

    def test_which_message(self) -> None:
        """The sender is that of the message with the number, not of one before or after it."""
        for name in "carol", "bob", "carol":
            self.done(self.world.send(name, "GLOBAL"))
        self.done(self.answer("alice", "GLOBAL", "#2 yes"))
        self.assertEqual(self.to("carol", "GLOBAL"), ["bob"])

    def test_counts(self) -> None:
        """It counts as an unread mention of that user until it ends."""
        self.done(self.world.send("bob", "GLOBAL"))
        self.done(self.answer("alice", "GLOBAL", "#1 yes"))
        self.assertEqual([chat.mentions for chat in self.done(self.world.chats("bob")).chats], [1])
        self.world.pass_time(9)
        self.assertEqual([chat.mentions for chat in self.done(self.world.chats("bob")).chats], [0])

    def test_nobody(self) -> None:
        """Oneself, a hidden sender, one that left, and that of a deleted or earlier message are not mentioned."""
        self.group("team", "alice", "bob")
        for name, chat in (("alice", "GLOBAL"), ("bob", "GLOBAL"), ("carol", "GLOBAL"), ("bob", "*team")):
            self.done(self.world.send(name, chat))
        self.done(self.world.amend("carol", "GLOBAL", 3))
        self.done(self.world.chat.groups.add(self.world["alice"], "team", "carol", None))
        self.done(self.answer("carol", "*team", "#1 before my time"))
        self.assertIsNone(self.to("alice", "*team"))
        self.done(self.world.chat.groups.remove(self.world["bob"], "team", "bob", None))
        self.done(self.answer("alice", "*team", "#1 gone"))
        self.assertIsNone(self.to("carol", "*team"))
        self.block("alice", "bob")
        for seq in 1, 2, 3:
            self.done(self.answer("alice", "GLOBAL", f"#{seq} hm"))
            self.assertIsNone(self.to("carol", "GLOBAL"))

    def test_most(self) -> None:
        """The answered sender counts among the twenty that a message mentions."""
        for number in range(20):
            self.world.add_user(f"user{number}")
        self.done(self.world.send("bob", "GLOBAL"))
        self.done(self.answer("alice", "GLOBAL", "#1 " + " ".join(f"@user{number}" for number in range(20))))
        self.assertEqual(self.to("carol", "GLOBAL"), ["bob", *(f"user{number}" for number in range(19))])

    def test_refused_and_repeated(self) -> None:
        """An unknown chat and a bad time are refused as ever, and a repeated nonce sends nothing."""
        self.refused(Code.NO_SUCH_GROUP, self.answer, "alice", "*team", "#1 yes")
        self.refused(Code.BAD_TIME, self.answer, "alice", "GLOBAL", "#1 yes", expires_in=0)
        first = self.done(self.answer("alice", "@bob", "#1 yes", nonce="n"))
        self.assertIs(self.done(self.answer("alice", "@bob", "#1 yes", nonce="n")), first)


class OrderTests(ServerTestCase):
    """Several requests of one session."""

    def test_later_messages_follow(self) -> None:
        """Messages sent after a timed answer arrive after it, although it waits for a read."""
        server = self.make_server()
        alice, bob = server.json("alice"), server.json("bob")
        bob.ask("send", chat="GLOBAL", text="lunch?")
        bob.got()
        reads = server.threads.read
        reads.holds = True
        alice.send(
            request("send", chat="GLOBAL", text="#1 yes", expires_in=9) + request("send", chat="GLOBAL", text="now")
        )
        self.assertEqual(bob.told("message"), [])
        reads.release()
        server.turn()
        self.assertEqual([event["text"] for event in bob.told("message")], ["#1 yes", "now"])
