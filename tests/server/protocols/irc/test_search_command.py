"""SEARCH: words, chats, users and times; refusals, blocks, timed messages and costs."""

from irchat.interfaces.limits import Limits
from irchat.protocol import requests
from irchat.protocol.errors import Code, Refusal
from irchat.server.sessions.costs import COSTS, WORK_AT_ONCE
from tests.helpers.irc import IRCClient, IRCTestCase

CAPS = ("soju.im/search", "batch", "message-tags", "server-time")


class SearchTests(IRCTestCase):
    """Searches among messages of three users in three chats, a second apart."""

    def setUp(self) -> None:
        """Send the messages."""
        super().setUp()
        self.alice, self.bob, self.carol = self.irc("alice", *CAPS), self.irc("bob"), self.irc("carol")
        self.bob.ask("JOIN #team", "INVITE alice #team")
        for client, target, text in (
            (self.bob, "#global", "red one"),
            (self.carol, "#global", "red two"),
            (self.bob, "#team", "red three"),
            (self.bob, "alice", "red four"),
            (self.alice, "bob", "Réd five"),
            (self.carol, "#global", "blue six"),
            (self.bob, "#global", "dark red seven"),
        ):
            self.server.advance(1)
            client.ask(f"PRIVMSG {target} :{text}")
        self.alice.got()

    def found(self, attributes: str, client: IRCClient | None = None) -> str:
        """Return the last words of the messages in the batch that answers a search."""
        lines = (client or self.alice).ask(f"SEARCH {attributes}")
        self.assertRegex(lines[0], r"^:irchat BATCH \+(b\d+) soju.im/search$")
        self.assertEqual(lines[-1], lines[0].replace("+", "-").removesuffix(" soju.im/search"))
        return " ".join(line.rpartition(" ")[2] for line in lines[1:-1])

    def test_words(self) -> None:
        """All words are looked up as by search, in all chats or one, and the newest results come, oldest first."""
        for attributes, expected in {
            "text=red": "one two three four five seven",
            "text=RED;limit=2": "five seven",
            r"text=red\sdark": "seven",
            r"text=dark\sred;in=#GLOBAL": "seven",
            "text=red;in=#team": "three",
            "text=red;in=bob": "four five",
            "text=re": "",
            "text=red;in=carol": "",
            "text=red;+unknown=1;other": "one two three four five seven",
        }.items():
            self.assertEqual(self.found(attributes), expected, attributes)

    def test_user_and_time(self) -> None:
        """Results are chosen by sender and time, inclusively: from ``after`` on, or else back from ``before``."""
        for attributes, expected in {
            "text=red;from=BOB": "one three four seven",
            "text=red;from=nobody": "",
            "text=red;before=2026-11-22T14:00:03.000Z;limit=2": "two three",
            "text=red;after=2026-11-22T14:00:03.000Z;limit=2": "three four",
            "text=red;in=#global;after=2026-11-22T14:00:01.000Z;limit=1": "one",
            "text=red;in=#global;before=2026-11-22T14:00:01.000Z;limit=1": "one",
            "text=red;after=2026-11-22T14:00:02.000Z;before=2026-11-22T14:00:04.000Z": "two three four",
            "text=red;in=#global;from=bob;limit=1": "seven",
            "text=red;in=#global;from=carol;limit=1": "two",
        }.items():
            self.assertEqual(self.found(attributes), expected, attributes)

    def test_without_words(self) -> None:
        """Without words the messages of one chat are chosen by sender and time."""
        for attributes, expected in {
            "in=#global": "one two six seven",
            "in=#global;limit=2": "six seven",
            "in=#global;from=carol": "two six",
            "in=#global;from=bob;limit=1": "seven",
            "in=bob;from=alice": "five",
            "in=#global;before=2026-11-22T14:00:06.000Z;limit=2": "two six",
            "in=#global;after=2026-11-22T14:00:02.000Z;limit=2": "two six",
            "in=#global;after=2026-11-22T14:00:02.000Z;before=2026-11-22T14:00:05.000Z": "two",
            "in=#global;before=2010-01-01T00:00:00.000Z": "",
            "in=#global;after=2030-01-01T00:00:00.000Z": "",
            "in=#global;from=nobody": "",
            "in=carol": "",
        }.items():
            self.assertEqual(self.found(attributes), expected, attributes)

    def test_several_pages(self) -> None:
        """The messages of one user are looked for on several pages, in both directions."""
        for number in range(1_100):
            self.carol.type(f"PRIVMSG #global :{number}")
        self.alice.got()
        self.bob.ask("PRIVMSG #global :the last")
        self.assertEqual(self.found("in=#global;from=bob"), "one seven last")
        for limit, expected in (2, "seven last"), (1, "seven"):
            after = f"in=#global;from=bob;after=2026-11-22T14:00:02.000Z;limit={limit}"
            self.assertEqual(self.found(after), expected)

    def test_each_once(self) -> None:
        """A message is found once, however many pages are read."""
        for number in range(600):
            (self.carol, self.bob)[number % 2].type(f"PRIVMSG #global :number {number}")
        self.alice.got()
        for name, before, first in ("carol", "two six", 0), ("bob", "one seven", 1):
            wanted = f"{before} {' '.join(map(str, range(first, 600, 2)))}"
            for after in "", ";after=2026-11-22T14:00:01.000Z":
                self.assertEqual(self.found(f"in=#global;from={name};limit=500{after}"), wanted)

    def test_lines(self) -> None:
        """Messages come with their ids and times, notices as such, in a batch with the label, or without batch."""
        self.bob.ask("NOTICE #team :notable")
        self.assertEqual(
            self.alice.ask("SEARCH text=notable")[1],
            "@batch=b1;time=2026-11-22T14:00:07.000Z;msgid=2-2 :bob!bob@irchat NOTICE #team :notable",
        )
        plain = self.irc("dave", "labeled-response", "batch")
        lines = plain.ask("@label=x SEARCH text=seven")
        self.assertEqual(lines[0], "@label=x :irchat BATCH +b1 soju.im/search")
        self.assertEqual(len(lines), 3)
        self.assertEqual(self.carol.ask("SEARCH text=seven"), [":bob!bob@irchat PRIVMSG #global :dark red seven"])

    def test_no_marks(self) -> None:
        """The messages come without their marks."""
        self.server.json("bob").ask("mark", chat="GLOBAL", seq=1, mark="ok", on=True)
        for attributes in "text=one", "in=#global;limit=9":
            self.assertNotIn("TAGMSG", str(self.alice.ask(f"SEARCH {attributes}")))

    def test_may_not_see(self) -> None:
        """Blocks, groups of others, deleted messages and hidden chats are left out, unless the chat is asked for."""
        self.assertEqual(self.found("text=red", self.irc("dave", *CAPS)), "one two seven")
        self.server.json("bob").ask("amend", chat="GLOBAL", seq=1, delete=True)
        self.alice.ask("PART #team")
        self.assertEqual(self.found("text=red"), "two four five seven")
        self.assertEqual(self.found("text=red;in=#team"), "three")
        self.alice.ask("SILENCE +carol")
        self.assertEqual(self.found("text=red"), "four five seven")
        self.assertEqual(self.found("in=#global"), "seven")
        self.assertEqual(self.found("in=#global;from=carol"), "")

    def test_timed(self) -> None:
        """No search finds a timed message."""
        json = self.server.json("dave")
        json.ask("send", chat="GLOBAL", text="red secret", expires_in=60)
        json.ask("send", chat="@alice", text="red secret", expires_in=60)
        self.alice.got()
        for attributes in "text=red", "text=secret", "in=#global", "in=dave", "in=#global;from=dave":
            self.assertNotIn("secret", str(self.alice.ask(f"SEARCH {attributes}")))

    def test_removed_user(self) -> None:
        """Messages of a removed user are found, by the name with the number."""
        moderation = self.server.chat.moderation
        self.successResultOf(moderation.remove("bob", with_messages=False, progress=lambda *_: None))
        self.server.advance(2)
        self.alice.got()
        self.assertEqual(self.found("text=red;from=bob#2"), "one three four seven")
        self.assertEqual(self.found("text=red;from=bob"), "")

    def test_refusals(self) -> None:
        """An invalid attribute is INVALID_PARAMS with its name. A chat of others is like none."""
        for attributes, refusal in {
            "": "text :Give text= or in=",
            " from=bob": "text :Give text= or in=",
            " :=;;": "text :Give text= or in=",
            " in=#global;limit=0": "limit :The limit",
            " in=#global;limit=x": "limit :The limit",
            " in=#global;after=today": "after :Not a time",
            " in=#global;before=1": "before :Not a time",
            " in=#nope": "in :You have no such chat",
            " text=red;in=#nope": "in :You have no such chat",
            " text=red;in=nobody": "in :You have no such chat",
            " text=red;in=alice": "in :You have no such chat",
            " text=red;in=*irchat": "in :You have no such chat",
            " in=#": "in :You have no such chat",
            " text=...": "text :Search for at least one letter",
            f" text={'x' * 201}": "text :Search for fewer words",
        }.items():
            (line,) = self.alice.ask(f"SEARCH{attributes}")
            self.assertTrue(line.startswith(f":irchat FAIL SEARCH INVALID_PARAMS {refusal}"), (attributes, line))
        self.bob.ask("JOIN #others")
        self.assertEqual(self.alice.ask("SEARCH in=#others"), self.alice.ask("SEARCH in=#nope"))

    def test_store(self) -> None:
        """A store that fails is INTERNAL_ERROR."""
        for attributes in "text=red", "in=#global":
            self.server.threads.read.holds = True
            self.alice.type(f"SEARCH {attributes}")
            self.server.threads.read.fail(Refusal(Code.UNAVAILABLE, "The disk fails."))
            self.server.turn()
            self.assertEqual(
                self.alice.got(), [":irchat FAIL SEARCH INTERNAL_ERROR :The messages cannot be searched now"]
            )


class CostTests(IRCTestCase):
    """The cost of searches."""

    options = {"limits": Limits(per_address=0, per_user=0, timed=0, rate=5)}

    def test_cost(self) -> None:
        """Words are charged as ``search`` is: without work left, the answers come later, and none is lost."""
        alice = self.irc("alice", *CAPS)
        at_once = int(WORK_AT_ONCE / COSTS[requests.Search].work)
        alice.type(*["SEARCH text=red"] * (2 * at_once))
        answers = str(alice.got()).count("BATCH +")
        self.assertLessEqual(answers, at_once + 1)
        self.assertEqual(answers + str(alice.wait(1, 1, 1, 1, 1)).count("BATCH +"), 2 * at_once)
