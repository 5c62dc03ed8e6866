"""The transport rules of the IRC protocol, with a whole server."""

from irchat.interfaces.limits import Limits
from irchat.irc.message_tags import CLIENT_TAG_BYTES
from irchat.protocol.rules import CLIENT_LINE_BYTES, PING_AFTER, SILENCE_ENDS, WAITING_BYTES
from irchat.server.protocols.irc import command_handlers
from irchat.server.protocols.irc.irc_shared import make_shared
from irchat.server.protocols.offers import irc_protocols
from tests.helpers.irc import IRCTestCase, numerics

_PONG = ":irchat PONG irchat :x"


class LineTests(IRCTestCase):
    """Lines from a client."""

    def setUp(self) -> None:
        """Sign in a client."""
        super().setUp()
        self.client = self.irc("alice", "labeled-response", "message-tags")

    def send(self, data: bytes) -> list[str]:
        """Send bytes. Return the answers."""
        self.client.got()
        self.client.send(data)
        return self.client.got()

    def test_ends(self) -> None:
        """Lines end with LF or CRLF. Empty ones are ignored, and NUL is dropped."""
        self.assertEqual(self.send(b"PING x\nPING x\r\n\r\n\n   \r\nPI\0NG x\r\n"), [_PONG] * 3)
        self.assertEqual(self.send(b"PING "), [])
        self.assertEqual(self.send(b"x\r\n"), [_PONG])

    def test_too_long(self) -> None:
        """510 bytes and 4,094 of tags are taken. More is thrown away to its end, and answered with 417."""
        most = b"PING " + b"x" * 505
        self.assertEqual(len(self.send(most + b"\r\n")[0]), len(":irchat PONG irchat :") + 505)
        too_long = [":irchat 417 alice :Input line was too long"]
        self.assertEqual(self.send(most + b"x\r\n"), too_long)
        tags = b"@" + b"a" * CLIENT_TAG_BYTES
        self.assertEqual(self.send(tags + b" PING x\r\n"), [_PONG])
        self.assertEqual(self.send(tags + b"a PING x\r\n"), too_long)
        huge = b"PRIVMSG #global :" + b"x" * CLIENT_LINE_BYTES
        self.assertEqual(self.send(huge + b"\r\nPING x\r\n"), [*too_long, _PONG])

    def test_before_the_sign_in(self) -> None:
        """Before the sign-in a line may have 4,096 bytes: passwords are long."""
        client = self.irc()
        client.ask("CAP LS 302")
        self.assertEqual(client.ask(f"PASS {'x' * 4_000}"), [])
        self.assertEqual(numerics(client.ask(f"PASS {'x' * 4_096}")), ["417"])

    def test_not_utf8(self) -> None:
        """A line that is not UTF-8 is refused, with its command and label, and does nothing."""
        bob = self.irc("bob")
        self.server.advance(2)
        (line,) = self.send(b"@label=7 privmsg #global :caf\xe9\r\n")
        self.assertTrue(line.startswith("@label=7 :irchat FAIL PRIVMSG INVALID_UTF8 :"), line)
        self.assertEqual(bob.got(), [])

    def test_labels(self) -> None:
        """A label is on the only line, on a batch, or on ACK. It covers all parts of a line."""
        self.assertEqual(self.client.ask("@label=1 PING x"), [f"@label=1 {_PONG}"])
        self.assertEqual(self.client.ask("@label=2 PONG x"), ["@label=2 :irchat ACK"])
        self.assertEqual(self.client.ask("@label=3 JOIN #global"), ["@label=3 :irchat ACK"])
        lines = self.client.ask("@label=4 JOIN #a1,#b1")
        self.assertEqual(lines[0].split(" ")[:2], ["@label=4", ":irchat"])
        self.assertIn(" labeled-response", lines[0])
        self.assertEqual(sum("JOIN" in line for line in lines), 2)
        self.assertEqual(lines[-1].split(" ")[1:], ["BATCH", lines[0].split(" ")[3].replace("+", "-")])
        self.assertEqual(self.client.ask("@label=5 FOO")[0][:23], "@label=5 :irchat 421 al")

    def test_own_commands_in_turn(self) -> None:
        """Lines that the registration answers wait for the messages before them too."""
        self.server.threads.write.holds = True
        self.client.ask("PRIVMSG #global :hi")
        self.assertEqual(self.client.ask("CAP LIST", "USER a b c d", "JOIN"), [])
        self.server.threads.write.release()
        self.client.type()  # what it could not send while the server did not read
        self.assertEqual([line.split(" ")[1] for line in self.client.got()], ["CAP", "462", "461"])

    def test_order(self) -> None:
        """A PING is answered after the messages before it were."""
        self.server.threads.write.holds = True
        self.client.type("@label=1 PRIVMSG #global :hi", "PING x")
        self.assertEqual(self.client.got(), [])
        self.server.threads.write.release()
        self.server.turn()
        self.assertEqual([line.split(" ")[-1] for line in self.client.got()], ["ACK", ":x"])

    def test_fault(self) -> None:
        """A handler that fails answers 400, and the session goes on."""

        def fail(call: object) -> None:
            raise ZeroDivisionError

        self.patch(command_handlers, "HANDLERS", command_handlers.HANDLERS)
        kept = command_handlers.HANDLERS["TIME"]
        self.addCleanup(command_handlers.HANDLERS.__setitem__, "TIME", kept)
        command_handlers.HANDLERS["TIME"] = fail
        lines = self.client.ask("TIME", "PING x")
        self.assertTrue(lines[0].startswith(":irchat 400 alice TIME :"), lines)
        self.assertEqual(lines[1:], [_PONG])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)


class IdleTests(IRCTestCase):
    """Silent clients."""

    def test_ping(self) -> None:
        """A silent client is pinged, and closed if it does not answer."""
        client = self.irc("alice")
        client.got()
        self.server.advance(PING_AFTER)
        self.assertEqual(client.got(), ["PING :irchat"])
        client.type("PONG irchat")
        self.server.advance(PING_AFTER)
        self.assertEqual(client.got(), ["PING :irchat"])
        self.server.advance(SILENCE_ENDS)
        self.assertEqual(client.got(), ["ERROR :Ping timeout"])
        self.assertFalse(client.is_open)


class OwnPortTests(IRCTestCase):
    """A port for IRC alone."""

    def test_no_greeting(self) -> None:
        """It greets nobody, and takes any first line. The name of the server is that of its option."""
        shared = make_shared(self.server.services, self.server.clock, "Test", "irc.example.org")
        self.server.factory.offers = irc_protocols(shared)
        client = self.irc(keep_greeting=True)
        self.assertEqual(client.read(), "")
        self.assertEqual(client.ask("@a=b JOIN #x"), [":irc.example.org 451 * :You have not registered"])
        self.assertIn(":irc.example.org 001 bob :Welcome to Test, bob", client.ask("NICK bob", "USER u 0 * :U"))


class RateTests(IRCTestCase):
    """Too fast: reading rests."""

    options = {"limits": Limits(per_address=10, per_user=0, timed=0, rate=5)}

    def test_messages(self) -> None:
        """Messages over the rate wait, in their order. None is refused, none is lost."""
        alice, bob = self.irc("alice", "echo-message"), self.irc("bob")
        alice.got()
        self.server.advance(2)
        bob.got()
        alice.type(*(f"PRIVMSG #global :{number}" for number in range(40)))
        first = bob.got()
        self.assertEqual(len(first), 15)
        alice_first = alice.got()
        self.assertFalse(alice.socket.is_read)
        echoes = alice.wait(*[0.25] * 24)
        lines = [*first, *bob.got()]
        self.assertEqual([line.rpartition(":")[2] for line in lines], [str(number) for number in range(40)])
        self.assertTrue(alice.socket.is_read)
        self.assertEqual(len([line for line in [*alice_first, *echoes] if "PRIVMSG" in line]), 40)
        self.assertEqual(self.server.services.refusals.total(), 0)

    def test_groups(self) -> None:
        """Creating groups counts as messages do."""
        alice = self.irc("alice")
        lines = alice.ask(*(f"JOIN #g{number}x" for number in range(20)))
        self.assertLess(sum(" JOIN " in line for line in lines), 16)
        lines += alice.wait(*[0.5] * 20)
        self.assertEqual(sum(" JOIN " in line for line in lines), 20)

    def test_other_lines(self) -> None:
        """Other commands: 60 at once, then 20 a second."""
        alice = self.irc("alice")
        self.server.advance(10)
        alice.got()
        alice.type(*["PING x"] * 100)
        first = len(alice.got())
        self.assertTrue(50 <= first <= 61, first)
        self.assertTrue(15 <= len(alice.wait(1)) <= 25)
        self.assertEqual(len(alice.wait(*[0.5] * 10)), 100 - first - 20)

    def test_end_while_waiting(self) -> None:
        """A session that ends while its lines wait leaves nothing behind."""
        alice = self.irc("alice")
        alice.type(*["PRIVMSG #global :x"] * 100)
        alice.leave()
        self.server.advance(*[0.5] * 20)
        self.assertEqual(self.server.delivery.behind(), 0)


class SlowReaderTests(IRCTestCase):
    """Slow readers."""

    def test_fed_from_the_store(self) -> None:
        """Waiting output is bounded. All messages come when it drains, with their time, and nobody is cut off."""
        bob = self.irc("bob", "server-time")
        alice = self.irc("alice")
        bob.got()
        bob.socket.room = 0
        for number in range(1_000):
            alice.type(f"PRIVMSG #global :{number} {'x' * 480}")
        self.assertTrue(bob.outbox.behind)
        waiting = bob.socket.waiting + sum(len(one) for one in bob.outbox._pending)
        self.assertLess(waiting, WAITING_BYTES + 1_000)
        bob.socket.room = None
        self.server.advance(*[0.1] * 100)
        lines = [line for line in bob.got() if " PRIVMSG " in line]
        self.assertEqual([int(line.split(" ")[4][1:]) for line in lines], list(range(1_000)))
        self.assertTrue(all(line.startswith("@time=2026-11-22T14:") for line in lines))

    def test_long_tags(self) -> None:
        """A line with many tags costs work by its length, and other lines nothing."""
        alice = self.irc("alice", "message-tags")
        charged: list[float] = []
        self.patch(alice.connection.session, "charge", charged.append)
        for length in 100, 3_000:
            alice.ask(f"@+x={'y' * length} PING x")
        (work,) = charged
        self.assertTrue(0.7 < work < 0.8, work)

    def test_replies(self) -> None:
        """A client that reads none of its replies is not read any further, and its memory is bounded."""
        alice = self.irc("alice")
        for number in range(100):
            self.server.json(f"member{number:020}")
        alice.socket.room = 0
        alice.type(*["NAMES #global"] * 1_000)
        self.assertFalse(alice.socket.is_read)
        self.assertLess(sum(len(one) for one in alice.outbox._pending), 2 * WAITING_BYTES)
        alice.socket.room = None
        self.assertEqual(sum(" 366 " in line for line in alice.wait(*[0.1] * 100)), 1_000)
