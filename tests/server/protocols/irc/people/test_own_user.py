"""NICK, AWAY, SETNAME and SILENCE."""

from tests.helpers.irc import IRCClient, IRCTestCase, numerics


class NickTests(IRCTestCase):
    """NICK after the sign-in."""

    def test_refusals(self) -> None:
        """The own name says nothing, another's is 433, any other is 447."""
        self.irc("Bob")
        alice = self.irc("Alice")
        self.assertEqual(alice.ask("NICK alice", "NICK Alice", "NICK :ALICE"), [])
        self.assertEqual(alice.ask("NICK bob"), [":irchat 433 Alice bob :Nickname is already in use"])
        self.assertEqual(numerics(alice.ask("NICK zoe", "NICK a-b", "NICK :")), ["447", "447", "431"])


class AwayTests(IRCTestCase):
    """AWAY."""

    def setUp(self) -> None:
        """Sign in two users with a common group."""
        super().setUp()
        self.bob = self.irc("bob", "away-notify")
        self.alice = self.irc("alice")
        self.bob.ask("JOIN #team", "INVITE alice #team")

    def away_of_alice(self) -> list[str]:
        """Return the 301 of a WHOIS."""
        return [line for line in self.bob.ask("WHOIS alice") if " 301 " in line]

    def told(self) -> list[str]:
        """Return the AWAY lines that bob got, once all bundles are sent."""
        self.server.advance(1, 1)
        return [line for line in self.bob.got() if " AWAY" in line]

    def test_there_and_back(self) -> None:
        """A user is away with its text, and back without one; members see it."""
        self.assertEqual(self.alice.ask("AWAY :at lunch"), [":irchat 306 alice :You have been marked as being away"])
        self.assertEqual(self.told(), [":alice!alice@irchat AWAY :at lunch"])
        self.assertEqual(self.away_of_alice(), [":irchat 301 bob alice :at lunch"])
        self.assertEqual(self.alice.ask("AWAY"), [":irchat 305 alice :You are no longer marked as being away"])
        self.assertEqual(self.told(), [":alice!alice@irchat AWAY"])
        self.assertEqual(self.away_of_alice(), [])
        self.assertEqual(numerics(self.alice.ask("AWAY :x", "AWAY :")), ["306", "305"])

    def test_all_sessions(self) -> None:
        """A user is away when all its sessions are, with the last text. JSON sessions count as being there."""
        second = self.irc("alice")
        self.alice.ask("AWAY :one")
        self.assertEqual(self.away_of_alice(), [])
        second.ask("AWAY :two")
        self.assertEqual(self.away_of_alice(), [":irchat 301 bob alice :two"])
        self.alice.ask("AWAY :three")
        self.assertEqual(self.away_of_alice(), [":irchat 301 bob alice :three"])
        program = self.server.json("alice")
        self.assertEqual(self.away_of_alice(), [])
        program.leave()
        self.assertEqual(self.away_of_alice(), [":irchat 301 bob alice :three"])
        self.alice.leave()
        self.assertEqual(self.away_of_alice(), [":irchat 301 bob alice :two"])

    def test_nobody_there(self) -> None:
        """A session with AWAY * counts as not being there: any other text goes before it."""
        second = self.irc("alice")
        second.ask("AWAY *")
        self.assertEqual(self.away_of_alice(), [])
        self.alice.ask("AWAY :at lunch")
        self.assertEqual(self.away_of_alice(), [":irchat 301 bob alice :at lunch"])
        second.ask("AWAY *")
        self.assertEqual(self.away_of_alice(), [":irchat 301 bob alice :at lunch"])
        self.alice.ask("AWAY *")
        self.assertEqual(len(self.away_of_alice()), 1)
        self.assertNotIn("*", self.away_of_alice()[0].split(" :")[1])

    def test_before_registration(self) -> None:
        """With draft/pre-away a session is away from its first moment."""
        carol = self.irc()
        carol.ask(
            "CAP REQ :draft/pre-away", "AWAY :on a train", "NICK carol", "USER c 0 * :C", "REGISTER * * long-enough"
        )
        carol.ask("CAP END")
        self.assertEqual(
            [line for line in self.bob.ask("WHOIS carol") if " 301 " in line], [":irchat 301 bob carol :on a train"]
        )

    def test_long_and_hostile(self) -> None:
        """A text has at most 300 characters, and no terminal obeys it."""
        self.alice.ask("AWAY :\x1b[2J" + "x" * 400)
        (line,) = self.away_of_alice()
        self.assertEqual(line, ":irchat 301 bob alice :␛[2J" + "x" * 296)

    def test_not_told(self) -> None:
        """Sessions without away-notify are not told."""
        carol = self.irc("carol")
        self.alice.ask("AWAY :x")
        self.server.advance(1, 1)
        self.assertEqual([line for line in carol.got() if "AWAY" in line], [])


class NameTests(IRCTestCase):
    """SETNAME, realname and user."""

    def sign_in(self, user: str, realname: str, *caps: str) -> IRCClient:
        """Sign alice in."""
        client = self.irc()
        client.ask("CAP LS 302", "NICK alice", f"USER {user} 0 * :{realname}", f"CAP REQ :{' '.join(caps)}")
        client.ask("REGISTER * * long-enough", "CAP END")
        return client

    def shown(self) -> tuple[str, str]:
        """Return the user and the realname that others see."""
        line = next(line for line in self.bob.ask("WHOIS alice") if " 311 " in line)
        return line.split(" ")[4], line.split(" :")[1]

    def setUp(self) -> None:
        """Sign in another user."""
        super().setUp()
        self.bob = self.irc("bob", "setname")

    def test_of_the_session(self) -> None:
        """User and realname are those of the last IRC session, made safe; without one they are the name."""
        client = self.sign_in("~al!x@y", "Alice \x1b Smith" + "z" * 200)
        user, realname = self.shown()
        self.assertEqual(user, "~alxy")
        self.assertEqual(len(realname), 100)
        self.assertTrue(realname.startswith("Alice ␛ Smith"))
        client.ask("QUIT")
        self.assertEqual(self.shown(), ("alice", "alice"))

    def test_setname(self) -> None:
        """SETNAME changes it; clients with setname see it."""
        client = self.sign_in("al", "Alice", "setname")
        self.server.advance(1, 1)
        self.bob.got()
        self.assertEqual(client.ask("SETNAME :Alice B. Smith"), [":alice!al@irchat SETNAME :Alice B. Smith"])
        self.server.advance(1, 1)
        self.assertEqual(self.bob.got(), [":alice!al@irchat SETNAME :Alice B. Smith"])
        self.assertEqual(self.shown(), ("al", "Alice B. Smith"))

    def test_refused(self) -> None:
        """An empty realname is refused."""
        client = self.sign_in("al", "Alice", "setname")
        self.assertEqual(client.ask("SETNAME :  ")[0].split(" :")[0], ":irchat FAIL SETNAME INVALID_REALNAME")
        self.assertEqual(self.shown()[1], "Alice")


class SilenceTests(IRCTestCase):
    """SILENCE: the block."""

    def setUp(self) -> None:
        """Sign in two users."""
        super().setUp()
        self.bob, self.alice = self.irc("Bob"), self.irc("alice")

    def test_block(self) -> None:
        """It blocks both ways, lists, and lifts the block. A mask is read as its nick."""
        self.assertEqual(self.alice.ask("SILENCE +bob!*@*"), [
            ":*irchat!irchat@irchat NOTICE alice :Bob is blocked: neither of you sees what the other writes."
            " SILENCE -Bob lifts the block"
        ])  # fmt: skip
        self.assertEqual(
            self.alice.ask("SILENCE"), [":irchat 271 alice alice Bob!*@*", ":irchat 272 alice :End of SILENCE list"]
        )
        for client, target in (self.alice, "bob"), (self.bob, "alice"):
            self.assertEqual(numerics(client.ask(f"PRIVMSG {target} :hi")), ["531"])
        self.bob.ask("PRIVMSG #global :you do not see this")
        self.assertEqual(self.alice.got(), [])
        self.assertEqual(self.bob.ask("SILENCE"), [":irchat 272 Bob :End of SILENCE list"])
        self.assertEqual(self.alice.ask("SILENCE -BOB"), [":*irchat!irchat@irchat NOTICE alice :You do not block Bob"])
        self.assertEqual(self.alice.ask("SILENCE"), [":irchat 272 alice :End of SILENCE list"])
        self.bob.ask("PRIVMSG #global :you see this")
        self.assertEqual(self.alice.got(), [":Bob!Bob@irchat PRIVMSG #global :you see this"])

    def test_refusals(self) -> None:
        """Unknown users and oneself are refused, and the list of others is not shown."""
        self.assertEqual(numerics(self.alice.ask("SILENCE +nobody")), ["401"])
        self.assertEqual(numerics(self.alice.ask("SILENCE +*!*@*")), ["401"])
        self.assertEqual(numerics(self.alice.ask("SILENCE +alice")), ["531"])
        self.bob.ask("SILENCE +alice")
        self.assertEqual(numerics(self.alice.ask("SILENCE bob")), ["272"])

    def test_list_of_oneself(self) -> None:
        """The list may be asked for by the own name or mask. By another name it is empty, whoever is blocked."""
        self.alice.ask("SILENCE +bob")
        for own in "SILENCE Alice", "SILENCE alice!*@*":
            self.assertEqual(numerics(self.alice.ask(own)), ["271", "272"], own)
        for other in "SILENCE bob", "SILENCE nobody":
            self.assertEqual(numerics(self.alice.ask(other)), ["272"], other)
