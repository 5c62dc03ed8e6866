"""BATCH: messages of several lines, in both directions, and their refusals."""

from irchat.irc.multiline import MAX_BYTES, MAX_LINES, TIMEOUT_SECONDS
from tests.helpers.irc import IRCTestCase

CAPS = ("message-tags", "batch", "draft/multiline", "echo-message", "labeled-response")


def batch(*lines: str, target: str = "#global", tags: str = "", command: str = "PRIVMSG") -> list[str]:
    """Return the lines of a batch of a client. A line that begins with + continues the one before it."""
    inner = [
        f"@batch=x;draft/multiline-concat {command} {target} :{line[1:]}"
        if line.startswith("+")
        else f"@batch=x {command} {target} :{line}"
        for line in lines
    ]
    return [f"{tags}BATCH +x draft/multiline {target}", *inner, "BATCH -x"]


class MultilineTests(IRCTestCase):
    """Messages of several lines."""

    def setUp(self) -> None:
        """Clients with and without the capability."""
        super().setUp()
        self.alice, self.bob = self.irc("alice", *CAPS), self.irc("bob", *CAPS)
        self.plain, self.json = self.irc("carol"), self.server.json("dave")
        for client in self.alice, self.bob, self.plain, self.json:
            client.read()

    def test_one_message(self) -> None:
        """A batch is one message with one label, composed as it was sent for those online."""
        echo = self.alice.ask(*batch("one", "", "tw", "+o", tags="@label=1;+a=b "))
        begin = " :alice!alice@irchat BATCH +mg-1 draft/multiline #global"
        inner = [
            "@batch=mg-1 :alice!alice@irchat PRIVMSG #global :one",
            "@batch=mg-1 :alice!alice@irchat PRIVMSG #global :",
            "@batch=mg-1 :alice!alice@irchat PRIVMSG #global :tw",
            "@batch=mg-1;draft/multiline-concat :alice!alice@irchat PRIVMSG #global :o",
            ":alice!alice@irchat BATCH -mg-1",
        ]
        self.assertEqual(echo, [f"@label=1;+a=b;msgid=g-1{begin}", *inner])
        self.assertEqual(self.bob.got(), [f"@+a=b;msgid=g-1{begin}", *inner])
        self.assertEqual(
            self.plain.got(),
            [f":alice!alice@irchat PRIVMSG #global :{line}" for line in ("one", "tw", "o")],
        )
        self.assertEqual(self.json.one("message")["text"], "one\n\ntwo")

    def test_pieces_alone(self) -> None:
        """The lines of a batch are passed on as they were sent, also without a tag of the client."""
        self.alice.type(*batch("one", "tw", "+o"))
        lines = [line.rpartition(":")[2] for line in self.bob.got()[1:-1]]
        self.assertEqual(lines, ["one", "tw", "o"])
        self.assertEqual(self.json.one("message")["text"], "one\ntwo")

    def test_notice_and_query(self) -> None:
        """A batch of NOTICE lines is a notice, also to a user."""
        self.alice.type(*batch("one", "two", target="bob", command="NOTICE"))
        lines = self.bob.got()
        self.assertEqual(lines[1], "@batch=m1-2-1 :alice!alice@irchat NOTICE bob :one")

    def test_from_json(self) -> None:
        """A text of several lines of another protocol is a batch."""
        self.json.ask("send", chat="GLOBAL", text="one\ntwo")
        self.assertEqual(len(self.bob.got()), 4)
        self.assertEqual(len(self.plain.got()), 2)

    def test_one_capability(self) -> None:
        """A client with only one of the two capabilities gets lines of their own."""
        clients = [self.irc("carol", "batch"), self.irc("dave", "draft/multiline")]
        self.server.advance(2)
        for client in clients:
            client.got()
        self.json.ask("send", chat="GLOBAL", text="one\ntwo")
        for client in clients:
            self.assertEqual([line.rpartition(":")[2] for line in client.got()], ["one", "two"])

    def test_no_echo(self) -> None:
        """Without echo-message the label is answered by ACK."""
        carol = self.irc("carol", "batch", "draft/multiline", "labeled-response")
        self.assertEqual(carol.ask(*batch("one", "two", tags="@label=1 ")), ["@label=1 :irchat ACK"])

    def test_label_within(self) -> None:
        """A label on a line of a batch gets no answer: that of the batch counts."""
        carol = self.irc("carol", "batch", "draft/multiline", "labeled-response", "message-tags")
        first, *others, end = batch("one", "two")
        lines = [f"@label=9;{line[1:]}" for line in others]
        self.assertEqual(carol.ask(f"@label=1 {first}", *lines, end), ["@label=1 :irchat ACK"])

    def test_reply(self) -> None:
        """A reply of several lines is stored with the number before its text, and IRC clients get what was sent."""
        self.json.ask("send", chat="GLOBAL", text="lunch?")
        self.json.got()
        self.alice.type(*batch("yes", "n", "+o", tags="@+draft/reply=g-1 "))
        self.assertEqual(self.json.one("message")["text"], "#1 yes\nno")
        self.assertIn("@batch=mg-2 :alice!alice@irchat PRIVMSG #global :yes", self.bob.got())

    def test_one_line(self) -> None:
        """A batch of one line means what the line alone means: an ACTION is passed on, other CTCP is not."""
        self.alice.type(*batch("\x01ACTION waves\x01"))
        self.assertEqual(self.json.one("message")["text"], "/me waves")
        self.bob.got()
        self.assertEqual(self._refused(*batch("\x01VERSION\x01")), ":irchat 412 alice :No text to send")

    def test_without_labels(self) -> None:
        """A client that has not enabled labels gets none, whether the batch is sent or refused."""
        erin = self.irc("erin", "message-tags", "batch", "draft/multiline", "echo-message")
        self.assertTrue(erin.ask(*batch("one", "two", tags="@label=1 "))[0].startswith("@msgid=g-1 "))
        (line,) = erin.ask("@label=1 BATCH +x draft/multiline #global", "BATCH -x")
        self.assertTrue(line.startswith(":irchat FAIL BATCH MULTILINE_INVALID :"), line)

    def test_formatting(self) -> None:
        """Formatting codes are taken out, and other controls are made visible."""
        self.alice.type(*batch("\x02one\x02", "t\x07wo"))
        self.assertEqual(self.json.one("message")["text"], "one\nt\u2407wo")

    def test_looks_timed(self) -> None:
        """A batch that begins like a timed message is refused."""
        (line,) = self.alice.ask(*batch("*30@bob hi", "there"))
        self.assertTrue(line.startswith(":irchat FAIL PRIVMSG TIMED_ELSEWHERE #global :"), line)
        self.assertEqual(self.json.got(), [])

    def _refused(self, *lines: str) -> str:
        (line,) = self.alice.ask(*lines)
        self.assertEqual((self.json.got(), self.bob.got()), ([], []))
        return line

    def test_limits(self) -> None:
        """Too many bytes or lines are refused, and the batch is dropped as a whole."""
        many = batch(*["x" * 400] * (MAX_BYTES // 400 + 1))
        self.assertTrue(self._refused(*many).startswith(f":irchat FAIL BATCH MULTILINE_MAX_BYTES {MAX_BYTES} :"))
        many = batch(*["x"] * (MAX_LINES + 1))
        self.assertTrue(self._refused(*many).startswith(f":irchat FAIL BATCH MULTILINE_MAX_LINES {MAX_LINES} :"))
        self.alice.type(*batch("still", "works"))
        self.assertEqual(len(self.json.told("message")), 1)

    def test_invalid(self) -> None:
        """Other targets, other kinds of batches, and empty ones."""
        other = batch("one", "two")
        other[2] = "@batch=x PRIVMSG bob :two"
        line = self._refused("@label=1 " + other[0], *other[1:])
        self.assertTrue(line.startswith("@label=1 :irchat FAIL BATCH MULTILINE_INVALID_TARGET #global bob :"), line)
        self.assertTrue(self._refused("BATCH +x chathistory #t").startswith(":irchat FAIL BATCH UNKNOWN_TYPE "))
        self.assertTrue(self._refused(*batch()).startswith(":irchat FAIL BATCH MULTILINE_INVALID :"))
        self.assertTrue(self._refused("@batch=y PRIVMSG bob :x").startswith(":irchat FAIL BATCH MULTILINE_INVALID :"))

    def test_timeout(self) -> None:
        """A batch that is not ended in time is refused with its label, and its rest is no message."""
        self.alice.type("@label=1 BATCH +x draft/multiline #global", "@batch=x PRIVMSG #global :one")
        self.server.advance(TIMEOUT_SECONDS - 1)
        self.assertNotIn("FAIL", self.alice.read())
        self.server.advance(2)
        (line,) = self.alice.got()
        self.assertTrue(line.startswith("@label=1 :irchat FAIL BATCH TIMEOUT x :"), line)
        self.assertEqual(self.alice.ask("@batch=x PRIVMSG #global :two", "BATCH -x"), [])
        self.assertEqual(self.json.told("message"), [])

    def test_after_a_timeout(self) -> None:
        """After a timeout the next batch is taken, and has its own time."""
        begin = "BATCH +x draft/multiline #global"
        self.alice.type(begin)
        self.server.advance(TIMEOUT_SECONDS + 1)
        self.assertIn(" TIMEOUT x :", self.alice.got()[0])
        self.alice.type(*batch("one", "two"))
        self.assertEqual(self.json.one("message")["text"], "one\ntwo")
        self.assertIsNone(self.alice.connection.session.protocol.talk.collecting)
        self.alice.ask(begin)
        self.server.advance(TIMEOUT_SECONDS + 1)
        self.assertIn(" TIMEOUT x :", self.alice.got()[0])
        self.alice.leave()
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_end_of_session(self) -> None:
        """The end of the session drops an open batch."""
        self.alice.type("BATCH +x draft/multiline #global")
        timeout = self.alice.connection.session.protocol.talk.collecting
        self.assertTrue(timeout.active())
        self.alice.leave()
        self.assertFalse(timeout.active())
        self.server.advance(TIMEOUT_SECONDS + 1)
