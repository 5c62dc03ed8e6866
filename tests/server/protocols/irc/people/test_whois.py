"""WHOIS, WHOWAS, ISON and USERHOST."""

from tests.helpers.irc import IRCTestCase, numerics


class WhoisTests(IRCTestCase):
    """``WHOIS``."""

    def setUp(self) -> None:
        """Sign in two users."""
        super().setUp()
        self.bob, self.alice = self.irc("Bob"), self.irc("alice")

    def test_online(self) -> None:
        """It shows common groups only, the account, and no address."""
        self.bob.ask("JOIN #ours", "JOIN #others", "INVITE alice #ours")
        lines = self.alice.ask("WHOIS bob")
        self.assertEqual(
            lines,
            [
                ":irchat 311 alice Bob Bob irchat * :Bob",
                ":irchat 319 alice Bob :@#ours",
                ":irchat 312 alice Bob irchat :Test",
                ":irchat 330 alice Bob Bob :is logged in as",
                ":irchat 317 alice Bob 0 1795356000 :seconds idle, signon time",
                ":irchat 318 alice Bob :End of /WHOIS list",
            ],
        )
        self.assertEqual(self.alice.ask("WHOIS irchat bob"), lines)
        self.assertEqual(self.alice.ask("WHOIS bob bob"), lines)

    def test_owner(self) -> None:
        """Only the owner of a group has an @ before it."""
        self.alice.ask("JOIN #ours", "INVITE bob #ours")
        self.assertIn(":irchat 319 alice Bob :#ours", self.alice.ask("WHOIS bob"))

    def test_nobody(self) -> None:
        """A nick without an account is refused, in the spelling of the client."""
        self.assertEqual(self.alice.ask("WHOIS Nobody"), [
            ":irchat 401 alice Nobody :No such nick",
            ":irchat 318 alice Nobody :End of /WHOIS list",
        ])  # fmt: skip

    def test_idle(self) -> None:
        """317 counts from the last message of any IRC session of the user. Other lines and refusals do not count."""

        def idle() -> list[str]:
            lines = self.alice.ask("WHOIS Bob")
            return [line.split(" ")[4] for line in lines if " 317 " in line]

        other = self.irc("Bob")
        for say, expected in (
            (lambda: self.bob.ask("PRIVMSG #global :hi"), "5"),
            (lambda: other.ask("NOTICE alice :psst"), "5"),
            (lambda: self.bob.ask("AWAY :lunch", "TAGMSG #global", "PRIVMSG #nope :hi", "PRIVMSG alice :"), "10"),
            (lambda: other.ask("QUIT"), "20"),
        ):
            say()
            self.server.advance(5)
            self.assertEqual(idle(), [expected])
        self.bob.ask("QUIT")
        self.assertEqual(idle(), [])

    def test_idle_elsewhere(self) -> None:
        """A user without an IRC session has no 317, nor has a user that is hidden by a block."""
        self.server.json("carol")
        self.assertNotIn("317", numerics(self.alice.ask("WHOIS carol")))
        self.alice.ask("SILENCE +bob")
        self.assertNotIn("317", numerics(self.alice.ask("WHOIS bob")))
        self.assertNotIn("317", numerics(self.bob.ask("WHOIS alice")))

    def test_offline(self) -> None:
        """An offline user is away."""
        self.bob.ask("QUIT")
        lines = self.alice.ask("WHOIS bob")
        self.assertEqual(lines[0], ":irchat 301 alice Bob :offline: reads it later")
        self.assertEqual(numerics(lines), ["301", "311", "312", "330", "318"])

    def test_unknown(self) -> None:
        """Nobody is 401 and 318."""
        for name in ("nobody", "*", "a b", "b*", "x" * 400):
            self.assertEqual(numerics(self.alice.ask(f"WHOIS :{name}")), ["401", "318"], name)
        self.assertEqual(numerics(self.alice.ask("WHOIS")), ["431"])
        self.assertEqual(
            self.alice.ask("WHOIS :"), [":irchat 401 alice * :No such nick", ":irchat 318 alice * :End of /WHOIS list"]
        )

    def test_services(self) -> None:
        """The services are users online."""
        self.assertEqual(numerics(self.alice.ask("WHOIS *irchat")), ["311", "312", "318"])
        self.assertEqual(numerics(self.alice.ask("WHOIS nickserv")), ["311", "312", "318"])

    def test_whowas(self) -> None:
        """WHOWAS knows nobody."""
        self.assertEqual(
            self.alice.ask("WHOWAS bob"),
            [":irchat 406 alice bob :There was no such nickname", ":irchat 369 alice bob :End of WHOWAS"],
        )
        self.assertEqual(numerics(self.alice.ask("WHOWAS")), ["431"])

    def test_ison(self) -> None:
        """ISON tells who is online, in any form of its parameters."""
        self.irc("carol").ask("QUIT")
        self.assertEqual(self.alice.ask("ISON bob nobody carol"), [":irchat 303 alice :Bob"])
        self.assertEqual(
            self.alice.ask("ISON :ALICE bob *irchat NICKSERV"), [":irchat 303 alice :alice Bob *irchat NickServ"]
        )
        self.assertEqual(self.alice.ask("ISON nobody"), [":irchat 303 alice :"])

    def test_userhost(self) -> None:
        """USERHOST tells who is away."""
        self.bob.ask("AWAY :x")
        self.assertEqual(
            self.alice.ask("USERHOST alice bob nobody"), [":irchat 302 alice :alice=+alice@irchat Bob=-Bob@irchat"]
        )

    def test_first_name(self) -> None:
        """WHOIS of several names answers for the first one."""
        self.assertEqual(self.alice.ask("WHOIS bob,alice"), self.alice.ask("WHOIS bob"))

    def test_most(self) -> None:
        """USERHOST answers for the first five names, ISON for the first hundred."""
        self.assertEqual(self.alice.ask("USERHOST a b c d alice bob"), [":irchat 302 alice :alice=+alice@irchat"])
        nobody = " ".join(["x"] * 99)
        self.assertEqual(self.alice.ask(f"ISON {nobody} alice bob"), [":irchat 303 alice :alice"])

    def test_offline_people(self) -> None:
        """USERHOST omits offline users."""
        self.bob.leave()
        self.assertEqual(self.alice.ask("USERHOST bob alice"), [":irchat 302 alice :alice=+alice@irchat"])


class NamesOnlyTests(IRCTestCase):
    """A server without passwords."""

    options = {"passwords": False}

    def test_no_account(self) -> None:
        """No account is claimed."""
        alice = self.irc("alice")
        self.assertNotIn("330", numerics(alice.ask("WHOIS alice")))
