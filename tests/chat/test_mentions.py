"""Mentions: which names in a text call a user, and who learns of it."""

from irchat.chat.mentions import MENTIONS_MOST, Mentioned, called, mentioned, mentioned_by_timed
from irchat.protocol import events
from tests.helpers.chat import WorldTestCase


class CallTests(WorldTestCase):
    """`called` and `mentioned`."""

    names = ("alice", "bob", "carol", "d.r", "j.", "山田")

    def called(self, text: str, chat: str = "GLOBAL", by: str = "alice") -> list[str]:
        """Return the names that a text mentions."""
        directory, sender = self.world.directory, self.world[by]
        users = called(directory, sender, directory.chat(sender, chat), text)
        return [directory.users[user].name for user in users]

    def test_names(self) -> None:
        """A name after ``@`` calls its user, once, in any case, also with a sign or the end of a sentence after it."""
        for text, names in (
            ("@bob", ["bob"]),
            ("hi @bob, @Carol and @BOB!", ["bob", "carol"]),
            ("(@bob) @carol.", ["bob", "carol"]),
            ("@bob\u2019s turn, @carol\u3002", ["bob", "carol"]),
            ("@d.r. knows @d.r", ["d.r"]),
            ("@j. knows", ["j."]),
            ("你好@山田", ["山田"]),
            ("@@bob", ["bob"]),
        ):
            self.assertEqual(self.called(text), names, text)

    def test_no_names(self) -> None:
        """An address, a part of a name, a removed user's name, a blank after the sign and oneself call nobody."""
        for text in ("mail me@bob", "x_@bob", "@bobby", "@bob#7", "@ bob", "@alice", "@", "@" * 4_000, f"@{'b' * 99}"):
            self.assertEqual(self.called(text), [], text)

    def test_who_may_see_it(self) -> None:
        """Only members of a group, the other one of a private chat, and nobody behind a block are called."""
        self.group("team", "alice", "bob")
        self.assertEqual(self.called("@bob @carol", "*team"), ["bob"])
        self.assertEqual(self.called("@bob @carol", "@carol"), ["carol"])
        self.block("carol", "alice")
        self.assertEqual(self.called("@bob @carol"), ["bob"])

    def test_answered_by_a_timed_one(self) -> None:
        """The sender of the answered message is mentioned while it may see the answer."""
        self.group("team", "alice", "bob")
        directory, alice, bob = self.world.directory, self.world["alice"], self.world["bob"]
        chat = directory.chat(alice, "*team")
        self.assertEqual(mentioned_by_timed(directory, alice, chat, "#1 yes", bob.id), (bob,))
        self.done(self.world.chat.groups.remove(alice, "team", "bob", None))
        self.assertEqual(mentioned_by_timed(directory, alice, chat, "#1 yes", bob.id), ())

    def test_many(self) -> None:
        """At most 20 users are mentioned, and at most 60 names are looked up."""
        for number in range(25):
            self.world.add_user(f"user{number}")
        text = " ".join(f"@user{number}" for number in range(25))
        self.assertEqual(self.called(text), [f"user{number}" for number in range(MENTIONS_MOST)])
        self.assertEqual(self.called(" ".join(f"@nobody{number}" for number in range(60)) + " @bob"), [])

    def test_answers(self) -> None:
        """A text that begins with a number and a blank is an answer."""
        directory, alice = self.world.directory, self.world["alice"]
        everyone = directory.chat(alice, "GLOBAL")
        for text, reply_to in (
            ("#17 yes", 17), ("#017 yes", 17), ("#1 priority", 1), ("#17yes", None), ("#17", None), ("#0 no", None),
            (" #17 no", None), ("#", None), (f"#{'9' * 30} no", None), ("# 17", None),
        ):  # fmt: skip
            self.assertEqual(mentioned(directory, alice, everyone, text), Mentioned((), reply_to), text)
        self.assertEqual(mentioned(directory, alice, everyone, "#2 @bob"), Mentioned((self.world["bob"].id,), 2))


class SendTests(WorldTestCase):
    """Messages that mention users."""

    def to(self, name: str) -> list[tuple[str, list[str] | None]]:
        """Return the texts published to a user, each with its mentions."""
        return [(event.text, event.to) for event in self.world.told(name) if isinstance(event, events.Message)]

    def test_published_and_stored(self) -> None:
        """Readers see the mentions live, in history and in search. Others are not called."""
        self.done(self.world.send("alice", "GLOBAL", "hi @bob and @alice", origin=1))
        self.done(self.world.send("alice", "GLOBAL", "hi all"))
        wanted = [("hi @bob and @alice", ["bob"]), ("hi all", None)]
        self.assertEqual(self.to("carol"), wanted)
        page = self.done(self.world.history("carol", "GLOBAL"))
        self.assertEqual([(message.text, message.to) for message in page.messages], wanted)
        found = self.done(self.world.search("bob", "", mentions=True))
        self.assertEqual([message.text for message in found.messages], ["hi @bob and @alice"])
        self.assertEqual(self.done(self.world.search("carol", "", mentions=True)).messages, [])

    def test_answer(self) -> None:
        """An answer mentions the sender of the message, unless that is oneself or hidden."""
        self.done(self.world.send("bob", "GLOBAL", "lunch?"))
        self.done(self.world.send("alice", "GLOBAL", "#1 yes"))
        self.done(self.world.send("bob", "GLOBAL", "#1 me too"))
        self.block("carol", "bob")
        self.done(self.world.send("carol", "GLOBAL", "#1 well"))
        self.assertEqual([to for _, to in self.to("alice")], [None, ["bob"], None, None])

    def test_private(self) -> None:
        """A private message can mention the other user alone, and reaches both."""
        self.done(self.world.send("alice", "@bob", "hi @bob, and @carol", origin=1))
        self.assertEqual(self.to("bob"), [("hi @bob, and @carol", ["bob"])])
        self.assertEqual(self.to("alice"), self.to("bob"))
        self.assertEqual(len(self.world.told("bob", 1)), 1)
        self.assertEqual(self.world.told("alice", 1), [])

    def test_blocked_name(self) -> None:
        """A reader behind a block does not see the name, live and in history, but the message."""
        self.done(self.world.send("bob", "GLOBAL", "lunch?"))
        self.block("carol", "bob")
        self.done(self.world.send("alice", "GLOBAL", "#1 yes"))
        self.assertEqual(self.to("carol")[-1], ("#1 yes", None))
        self.assertEqual(self.to("bob")[-1], ("#1 yes", ["bob"]))
        self.assertIsNone(self.done(self.world.history("carol", "GLOBAL")).messages[-1].to)

    def test_counts(self) -> None:
        """Unread mentions are counted for each chat, timed ones too, until they are read, taken back or ended."""
        self.done(self.world.send("alice", "GLOBAL", "@bob"))
        self.done(self.world.send("alice", "GLOBAL", "@bob again"))
        self.done(self.world.send("alice", "@bob", "@bob", expires_in=5))
        self.done(self.world.send("alice", "@bob", "@bob", expires_in=9))
        self.assertEqual(self.mentions("bob"), {"GLOBAL": 2, "@alice": 2})
        self.done(self.world.chat.reading.mark(self.world["bob"], "GLOBAL", 1, None))
        self.done(self.world.amend_last("alice", "@bob"))
        self.assertEqual(self.mentions("bob"), {"GLOBAL": 1, "@alice": 1})
        self.done(self.world.amend("alice", "GLOBAL", 2))
        self.world.pass_time(5)
        self.assertEqual(self.mentions("bob"), {"GLOBAL": 0})
        self.done(self.world.send("alice", "GLOBAL", "@bob", expires_in=9))
        self.done(self.world.send("alice", "GLOBAL", "@bob"))
        self.assertEqual(self.mentions("bob"), {"GLOBAL": 2})
        self.done(self.world.chat.reading.mark(self.world["bob"], "GLOBAL", 3, None))
        self.assertEqual(self.mentions("bob"), {"GLOBAL": 0})

    def mentions(self, name: str) -> dict[str, int]:
        """Return the unread mentions in the user's chats."""
        return {chat.chat: chat.mentions for chat in self.done(self.world.chats(name)).chats}
