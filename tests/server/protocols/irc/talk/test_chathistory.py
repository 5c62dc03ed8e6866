"""CHATHISTORY: all subcommands by both kinds of references, targets, refusals, blocks and the moment of joining."""

import re

from irchat.protocol.errors import Code, Refusal
from tests.helpers.irc import IRCClient, IRCTestCase

CAPS = ("draft/chathistory", "batch", "message-tags", "server-time")


def texts(lines: list[str]) -> list[str]:
    """Return the texts of the messages among these lines."""
    return [line.partition(" :")[2].partition(" :")[2] for line in lines if re.search(" (PRIVMSG|NOTICE) ", line)]


class PagesTests(IRCTestCase):
    """Pages of a chat with ten messages, a second apart."""

    def setUp(self) -> None:
        """Ten messages in #global."""
        super().setUp()
        self.alice = self.irc("alice", *CAPS)
        writer = self.irc("bob")
        for number in range(1, 11):
            self.server.advance(1)
            writer.type(f"PRIVMSG #global :{number}")
        self.at = "timestamp=2026-11-22T14:00:{:02}.000Z".format

    def _page(self, query: str, client: IRCClient | None = None) -> list[str]:
        lines = (client or self.alice).ask(f"CHATHISTORY {query}")
        self.assertRegex(lines[0], r"^:irchat BATCH \+(b\d+) chathistory #global$")
        self.assertEqual(lines[-1], lines[0].replace("+", "-").removesuffix(" chathistory #global"))
        return texts(lines)

    def test_marks(self) -> None:
        """With draft/event-playback each message is followed by its marks, by those whom the reader does not block."""
        reader = self.irc("carol", *CAPS, "draft/event-playback")
        for name in "dave", "erin":
            self.server.json(name).ask("mark", chat="GLOBAL", seq=9, mark="ok")
        reader.ask("SILENCE +erin")
        lines = [line.partition(" :")[2] for line in reader.ask("CHATHISTORY LATEST #global * 2")[1:-1]]
        said = "bob!bob@irchat PRIVMSG #global :"
        self.assertEqual(lines, [f"{said}9", "dave!dave@irchat TAGMSG #global", f"{said}10"])
        self.assertEqual(self._page("LATEST #global * 2"), ["9", "10"])
        self.assertNotIn(" TAGMSG ", "".join(self.alice.ask("CHATHISTORY LATEST #global * 2")))

    def test_marks_of_private_chats(self) -> None:
        """In a private chat the target of a mark is the other user than the one that put it there."""
        reader, bob = self.irc("carol", *CAPS, "draft/event-playback"), self.server.json("bob")
        bob.ask("send", chat="@carol", text="psst")
        for client, chat in (bob, "@carol"), (self.server.json("carol"), "@bob"):
            client.ask("mark", chat=chat, seq=1, mark="ok")
        lines = [line.partition(" :")[2] for line in reader.ask("CHATHISTORY LATEST bob * 1")[2:-1]]
        self.assertEqual(lines, ["bob!bob@irchat TAGMSG carol", "carol!carol@irchat TAGMSG bob"])

    def test_by_msgid(self) -> None:
        """Each subcommand leaves out the reference, but AROUND, which has half before it."""
        for query, expected in {
            "LATEST #global * 3": "8 9 10",
            "LATEST #global msgid=g-8 5": "9 10",
            "LATEST #global msgid=g-3 2": "9 10",
            "BEFORE #global msgid=g-4 2": "2 3",
            "BEFORE #global msgid=g-1 2": "",
            "AFTER #global msgid=g-4 2": "5 6",
            "AFTER #global msgid=g-10 2": "",
            "AROUND #global msgid=g-5 4": "3 4 5 6",
            "AROUND #global msgid=g-5 1": "5",
            "BETWEEN #global msgid=g-3 msgid=g-7 2": "4 5",
            "BETWEEN #global msgid=g-7 msgid=g-3 2": "5 6",
            "BETWEEN #global msgid=g-3 msgid=g-7 50": "4 5 6",
            "BETWEEN #global msgid=g-3 msgid=g-4 5": "",
            "BETWEEN #global msgid=g-3 msgid=g-3 5": "",
        }.items():
            self.assertEqual(" ".join(self._page(query)), expected, query)

    def test_by_timestamp(self) -> None:
        """A time names the one message that has it, or a place between messages."""
        half = "timestamp=2026-11-22T14:00:04.500Z"
        for query, expected in {
            f"LATEST #global {self.at(8)} 5": "9 10",
            f"BEFORE #global {self.at(4)} 2": "2 3",
            f"BEFORE #global {half} 2": "3 4",
            f"AFTER #global {self.at(4)} 2": "5 6",
            f"AFTER #global {half} 2": "5 6",
            f"AROUND #global {self.at(5)} 4": "3 4 5 6",
            f"BETWEEN #global {self.at(3)} {self.at(7)} 2": "4 5",
            f"BETWEEN #global {self.at(7)} {self.at(3)} 2": "5 6",
            f"BETWEEN #global {half} msgid=g-7 9": "5 6",
            f"BETWEEN #global msgid=g-7 {half} 9": "5 6",
            "BEFORE #global timestamp=2000-01-01T00:00:00.000Z 9": "",
            "AFTER #global timestamp=2030-01-01T00:00:00.000Z 9": "",
            "BEFORE #global timestamp=2030-01-01T00:00:00.000Z 2": "9 10",
        }.items():
            self.assertEqual(" ".join(self._page(query)), expected, query)

    def test_lines(self) -> None:
        """Messages come with their ids and times, oldest first."""
        lines = self.alice.ask("CHATHISTORY LATEST #global * 1")
        self.assertEqual(
            lines[1],
            "@batch=b1;time=2026-11-22T14:00:10.000Z;msgid=g-10 :bob!bob@irchat PRIVMSG #global :10",
        )

    def test_without_batch(self) -> None:
        """Without batch only the lines come."""
        carol = self.irc("carol", "draft/chathistory")
        self.assertEqual(carol.ask("CHATHISTORY LATEST #global * 1"), [":bob!bob@irchat PRIVMSG #global :10"])

    def test_page_of_targets_without_batch(self) -> None:
        """Without batch the list of chats is only its lines."""
        carol = self.irc("carol", "draft/chathistory")
        every = "timestamp=2000-01-01T00:00:00.000Z timestamp=2030-01-01T00:00:00.000Z"
        self.assertEqual(
            carol.ask(f"CHATHISTORY TARGETS {every} 5"),
            [":irchat CHATHISTORY TARGETS #global 2026-11-22T14:00:10.000Z"],
        )

    def test_label(self) -> None:
        """The label is on the batch."""
        carol = self.irc("carol", *CAPS, "labeled-response")
        lines = carol.ask("@label=x CHATHISTORY LATEST #global * 1")
        self.assertEqual(lines[0], "@label=x :irchat BATCH +b1 chathistory #global")
        self.assertEqual(len(lines), 3)

    def test_blocks(self) -> None:
        """Messages of a user that is hidden by a block are left out, and the limit counts the others."""
        dave = self.irc("dave")
        dave.type("PRIVMSG #global :11")
        self.alice.ask("SILENCE +bob")
        self.assertEqual(self._page("LATEST #global * 3"), ["11"])
        self.alice.ask("SILENCE -bob")
        self.assertEqual(self._page("LATEST #global * 3"), ["9", "10", "11"])

    def test_deleted(self) -> None:
        """A deleted message is left out; it may still be the reference."""
        bob = self.server.json("bob")
        bob.ask("amend", chat="GLOBAL", seq=5, delete=True)
        self.assertEqual(self._page("AFTER #global msgid=g-4 2"), ["6", "7"])
        self.assertEqual(self._page("BEFORE #global msgid=g-5 2"), ["3", "4"])

    def test_reads_what_was_sent_before(self) -> None:
        """A page has what the same client sent before it."""
        self.server.threads.write.holds = True
        self.assertEqual(self.alice.ask("PRIVMSG #global :mine", "CHATHISTORY LATEST #global * 1"), [])
        self.server.threads.write.release()
        self.server.turn()
        self.assertEqual(texts(self.alice.got()), ["mine"])

    def test_multiline(self) -> None:
        """A message of several lines is a batch in the batch, for clients that know it."""
        self.server.json("bob").ask("send", chat="GLOBAL", text="one\ntwo")
        self.assertEqual(self._page("LATEST #global * 1"), ["one", "two"])
        carol = self.irc("carol", *CAPS, "draft/multiline")
        lines = carol.ask("CHATHISTORY LATEST #global * 1")
        self.assertRegex(
            lines[1], r"^@batch=b1;time=[^;]*;msgid=g-11 :bob!bob@irchat BATCH \+mg-11 draft/multiline #global$"
        )
        self.assertEqual(lines[2], "@batch=mg-11 :bob!bob@irchat PRIVMSG #global :one")
        self.assertEqual(lines[4], "@batch=b1 :bob!bob@irchat BATCH -mg-11")


class RefusalTests(IRCTestCase):
    """Refusals, and empty answers."""

    def setUp(self) -> None:
        """A group that alice is not in, with a message."""
        super().setUp()
        self.alice, self.bob = self.irc("alice", *CAPS), self.irc("bob", *CAPS)
        self.bob.ask("JOIN #team", "PRIVMSG #team :secret", "PRIVMSG #global :hello")
        self.alice.got()

    def test_not_in_it(self) -> None:
        """A group of others, one that does not exist and an unknown user are alike."""
        for target in "#team", "#nope", "nobody", "*irchat", "alice":
            self.assertEqual(
                self.alice.ask(f"CHATHISTORY LATEST {target} * 5"),
                [f":irchat FAIL CHATHISTORY INVALID_TARGET LATEST {target} :You have no such chat"],
            )

    def test_never_spoken(self) -> None:
        """A user with whom one never spoke has an empty history."""
        lines = self.alice.ask("CHATHISTORY LATEST bob * 5")
        self.assertEqual(lines, [":irchat BATCH +b1 chathistory bob", ":irchat BATCH -b1"])

    def test_references(self) -> None:
        """A message that does not exist, one of another chat, and nonsense are alike."""
        for reference in (
            "msgid=g-2",
            "msgid=2-1",
            "msgid=1.2-1",
            "msgid=x",
            "msgid=g-99999999999999999999",
            "time=1",
            "*",
        ):
            self.assertEqual(
                self.alice.ask(f"CHATHISTORY BEFORE #global {reference} 5"),
                [":irchat FAIL CHATHISTORY INVALID_PARAMS BEFORE :Unknown message, or not a msgid= or timestamp="],
                reference,
            )

    def test_syntax(self) -> None:
        """Bad syntax is INVALID_PARAMS."""
        for query in (
            "LATEST", "LATEST #global", "LATEST #global *", "LATEST #global * 0", "LATEST #global * x",
            "NEWEST #global * 1", "BETWEEN #global msgid=g-1 5", "TARGETS msgid=g-1 msgid=g-2 5",
        ):  # fmt: skip
            (line,) = self.alice.ask(f"CHATHISTORY {query}")
            self.assertTrue(line.startswith(f":irchat FAIL CHATHISTORY INVALID_PARAMS {query.split()[0]} :"), line)

    def test_store(self) -> None:
        """A store that fails is MESSAGE_ERROR."""
        self.server.threads.read.holds = True
        self.alice.type("CHATHISTORY LATEST #global * 5")
        self.server.threads.read.fail(Refusal(Code.UNAVAILABLE, "The disk fails."))
        self.server.turn()
        (line,) = self.alice.got()
        self.assertTrue(line.startswith(":irchat FAIL CHATHISTORY MESSAGE_ERROR LATEST #global :"), line)

    def test_store_of_targets(self) -> None:
        """A list of chats that cannot be read has no target to name."""

        async def fail(user: object) -> None:
            raise Refusal(Code.UNAVAILABLE, "The disk fails.")

        self.patch(self.server.chat.reading, "stored_chats", fail)
        (line,) = self.alice.ask(
            "CHATHISTORY TARGETS timestamp=2000-01-01T00:00:00.000Z timestamp=2030-01-01T00:00:00.000Z 5"
        )
        self.assertTrue(line.startswith(":irchat FAIL CHATHISTORY MESSAGE_ERROR TARGETS :"), line)

    def test_before_joining(self) -> None:
        """A new member of a group sees nothing from before, by no reference."""
        self.bob.ask("INVITE alice #team", "PRIVMSG #team :welcome")
        for query in (
            "LATEST #team * 9",
            "BEFORE #team msgid=2-2 9",
            "AROUND #team msgid=2-2 9",
            "AFTER #team msgid=2-1 9",
        ):
            found = texts(self.alice.ask(f"CHATHISTORY {query}"))
            self.assertNotIn("secret", found, query)
        self.assertEqual(texts(self.alice.ask("CHATHISTORY LATEST #team * 9")), ["welcome"])

    def test_timed(self) -> None:
        """No page has a timed message, live or not, and no list its chat or time."""
        json = self.server.json("carol")
        self.server.advance(5)
        json.ask("send", chat="GLOBAL", text="secret", expires_in=60)
        json.ask("send", chat="@alice", text="secret", expires_in=60)
        self.alice.got()
        for query in "LATEST #global * 9", "LATEST carol * 9":
            self.assertNotIn("secret", str(self.alice.ask(f"CHATHISTORY {query}")))
        lines = self.alice.ask(
            "CHATHISTORY TARGETS timestamp=2000-01-01T00:00:00.000Z timestamp=2030-01-01T00:00:00.000Z 9"
        )
        self.assertEqual(lines[1:-1], ["@batch=b3 :irchat CHATHISTORY TARGETS #global 2026-11-22T14:00:00.000Z"])


class TargetsTests(IRCTestCase):
    """TARGETS: the chats by the time of the last message."""

    def setUp(self) -> None:
        """Messages in three chats, a second apart."""
        super().setUp()
        self.alice, bob, carol = self.irc("alice", *CAPS), self.irc("bob"), self.irc("carol")
        bob.ask("JOIN #team", "INVITE alice #team")
        for client, target in (bob, "#team"), (bob, "alice"), (carol, "#global"), (carol, "bob"):
            self.server.advance(1)
            client.type(f"PRIVMSG {target} :x")
        self.alice.got()

    def _targets(self, begin: str, end: str, limit: int = 9) -> list[str]:
        lines = self.alice.ask(f"CHATHISTORY TARGETS timestamp={begin} timestamp={end} {limit}")
        self.assertRegex(lines[0], r"^:irchat BATCH \+b\d+ draft/chathistory-targets$")
        return [line.split(" TARGETS ")[1] for line in lines[1:-1]]

    def test_ascending(self) -> None:
        """All of one's chats, oldest first, either way round."""
        early, late = "2026-01-01T00:00:00.000Z", "2027-01-01T00:00:00.000Z"
        every = [
            "#team 2026-11-22T14:00:01.000Z", "bob 2026-11-22T14:00:02.000Z", "#global 2026-11-22T14:00:03.000Z",
        ]  # fmt: skip
        self.assertEqual(self._targets(early, late), every)
        self.assertEqual(self._targets(late, early), every)
        self.assertEqual(self._targets(early, late, 2), every[:2])
        self.assertEqual(self._targets(late, early, 2), every[1:])

    def test_between(self) -> None:
        """Both times are excluded."""
        self.assertEqual(
            self._targets("2026-11-22T14:00:01.000Z", "2026-11-22T14:00:03.000Z"), ["bob 2026-11-22T14:00:02.000Z"]
        )

    def test_blocks(self) -> None:
        """A chat counts by its last message that one may see."""
        self.irc("dave").type("PRIVMSG #global :y")
        self.alice.ask("SILENCE +carol", "SILENCE +dave")
        self.assertEqual(
            self._targets("2026-01-01T00:00:00.000Z", "2027-01-01T00:00:00.000Z"),
            ["#team 2026-11-22T14:00:01.000Z", "bob 2026-11-22T14:00:02.000Z"],
        )

    def test_hidden(self) -> None:
        """A chat that the session has left with PART is not listed."""
        self.alice.ask("PART #team")
        targets = self._targets("2026-01-01T00:00:00.000Z", "2027-01-01T00:00:00.000Z")
        self.assertEqual([target.split(" ")[0] for target in targets], ["bob", "#global"])
