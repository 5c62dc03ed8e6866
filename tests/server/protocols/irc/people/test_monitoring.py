"""MONITOR."""

from tests.helpers.irc import IRCTestCase, numerics


class MonitorTests(IRCTestCase):
    """``MONITOR``."""

    def setUp(self) -> None:
        """Sign in a user who hides everyone."""
        super().setUp()
        self.alice = self.irc("alice")
        self.alice.ask("PART #global")

    def later(self) -> list[str]:
        """Return the lines that alice gets once all bundles are sent."""
        self.server.advance(1, 1)
        return self.alice.got()

    def test_coming_and_going(self) -> None:
        """The state of a target is sent at once, and whenever it comes or goes; a second session changes nothing."""
        self.assertEqual(self.alice.ask("MONITOR + bob"), [":irchat 731 alice :bob"])
        bob = self.irc("Bob")
        self.assertEqual(self.later(), [":irchat 730 alice :Bob!Bob@irchat"])
        second = self.irc("bob")
        self.assertEqual(self.later(), [])
        bob.leave()
        self.assertEqual(self.later(), [])
        second.leave()
        self.assertEqual(self.later(), [":irchat 731 alice :Bob"])

    def test_online(self) -> None:
        """Targets online are sent with their prefix. The services are online."""
        self.irc("Bob")
        self.later()
        self.assertEqual(
            self.alice.ask("MONITOR + bob,nobody,*irchat"),
            [":irchat 730 alice :Bob!Bob@irchat,*irchat!irchat@irchat", ":irchat 731 alice :nobody"],
        )

    def test_subcommands(self) -> None:
        """-, C, L and S as usual; others are ignored."""
        self.alice.ask("MONITOR + bob,carol,BOB", "MONITOR - CAROL")
        self.assertEqual(
            self.alice.ask("MONITOR L"), [":irchat 732 alice :BOB", ":irchat 733 alice :End of MONITOR list"]
        )
        self.assertEqual(self.alice.ask("monitor s"), [":irchat 731 alice :BOB"])
        self.assertEqual(self.alice.ask("MONITOR C"), [])
        self.assertEqual(self.alice.ask("MONITOR L"), [":irchat 733 alice :End of MONITOR list"])
        self.assertEqual(self.alice.ask("MONITOR X bob", "MONITOR +", "MONITOR -"), [])
        self.irc("carol")
        self.assertEqual(self.later(), [])
        self.assertEqual(self.alice.connection.session.protocol.shared.watchers._sessions, {})

    def test_masks(self) -> None:
        """A mask is a target that nobody is called."""
        self.irc("bob")
        self.later()
        self.assertEqual(self.alice.ask("MONITOR + *!username@irchat", "MONITOR + b*"),
                         [":irchat 731 alice :*!username@irchat", ":irchat 731 alice :b*"])  # fmt: skip

    def test_full(self) -> None:
        """A session has 100 targets; what is over is 734."""
        for ten in range(10):
            self.alice.ask("MONITOR + " + ",".join(f"user{ten}x{one}" for one in range(10)))
        self.assertEqual(
            self.alice.ask("MONITOR + user0x0,zoe,yan"),
            [":irchat 731 alice :user0x0", ":irchat 734 alice 100 zoe,yan :Monitor list is full"],
        )
        listed = self.alice.ask("MONITOR L")
        self.assertEqual(sum(line.count(",") + 1 for line in listed if " 732 " in line), 100)

    def test_away(self) -> None:
        """With extended-monitor and away-notify, a target without a common chat is shown as away."""
        carol = self.irc("carol", "extended-monitor", "away-notify", "setname")
        carol.ask("PART #global", "MONITOR + bob")
        bob = self.irc("bob", "setname")
        self.server.advance(1, 1)
        carol.got()
        bob.ask("AWAY :x", "SETNAME :Bob B.")
        self.server.advance(1, 1)
        self.assertEqual(sorted(carol.got()), [":bob!bob@irchat AWAY :x", ":bob!bob@irchat SETNAME :Bob B."])
        self.assertEqual(numerics(self.alice.got()), [])
