"""MODE, TOPIC, NAMES and LIST of channels."""

from irchat.interfaces.limits import Limits
from irchat.server.protocols.irc.chats import channels
from tests.helpers.irc import IRCTestCase, numerics


class ChannelInfoTests(IRCTestCase):
    """A session's questions about its channels."""

    def setUp(self) -> None:
        """Create a group of two, one offline, and an outsider."""
        super().setUp()
        self.alice, self.dave = self.irc("alice"), self.irc("dave")
        self.irc("bob").leave()
        self.alice.ask("JOIN #team", "INVITE bob #team")
        self.server.advance(2)

    def test_mode(self) -> None:
        """The modes are fixed."""
        self.assertEqual(self.alice.ask("MODE #TEAM")[0], ":irchat 324 alice #team +ins")
        self.assertEqual(self.alice.ask("MODE #global")[0], ":irchat 324 alice #global +n")
        self.assertEqual(numerics(self.alice.ask("MODE #team")), ["324", "329"])
        since = self.server.irc_shared.began_ms // 1_000
        self.assertEqual(self.alice.ask("MODE #team")[1], f":irchat 329 alice #team {since}")

    def test_lists(self) -> None:
        """The lists are empty."""
        for letter, numeric in ("b", "368"), ("e", "349"), ("I", "347"), ("+b", "368"):
            self.assertEqual(numerics(self.alice.ask(f"MODE #team {letter}")), [numeric])

    def test_changing(self) -> None:
        """A mode that is always set has no answer, a known one 482, another 472. ``+o`` looks at its user first."""
        for change in "+i", "+ns", "ins":
            self.assertEqual(self.alice.ask(f"MODE #team {change}"), [])
        for change, expected in (
            ("+m", "482 alice #team"),
            ("-i", "482 alice #team"),
            ("+b x!*@*", "482 alice #team"),
            ("+k key", "482 alice #team"),
            ("+y", "472 alice y"),
            ("+o nobody", "401 alice nobody"),
            ("+o dave", "441 alice dave #team"),
            ("+oo nobody bob", "401 alice nobody"),
            ("+o bob", "482 alice #team"),
            ("+o", "482 alice #team"),
            ("-v", "482 alice #team"),
        ):
            (said,) = self.alice.ask(f"MODE #team {change}")
            self.assertTrue(said.startswith(f":irchat {expected} :"), (change, said))

    def test_topic(self) -> None:
        """There is none, and none can be set."""
        self.assertEqual(self.alice.ask("TOPIC #team"), [":irchat 331 alice #team :No topic is set"])
        self.assertEqual(self.alice.ask("TOPIC #team :new"), [":irchat 482 alice #team :Channels have no topics here"])

    def test_outsiders(self) -> None:
        """To an outsider a group looks like none."""
        for command, numeric in ("MODE", "403"), ("TOPIC", "403"), ("NAMES", "366"), ("WHO", "315"):
            seen, none = (self.dave.ask(f"{command} {name}")[0].replace(name, "#x") for name in ("#team", "#none"))
            self.assertEqual(seen, none)
            self.assertEqual(numerics([seen]), [numeric])
        self.assertEqual(self.dave.ask("LIST #team"), self.dave.ask("LIST #none"))

    def test_names(self) -> None:
        """All members of a group, also those offline; who is online for everyone. The owner has @."""
        self.assertEqual(self.alice.ask("NAMES #Team")[0], ":irchat 353 alice = #team :@alice bob")
        self.assertEqual(self.alice.ask("NAMES #global")[0], ":irchat 353 alice = #global :alice dave")
        self.assertEqual(self.alice.ask("NAMES"), [":irchat 366 alice * :End of /NAMES list"])
        carol = self.irc("carol", "userhost-in-names")
        self.assertIn("carol!carol@irchat", carol.ask("NAMES #global")[0])
        self.alice.ask("INVITE carol #team")
        names = carol.ask("NAMES #team")[0].rpartition(":")[2].split()
        self.assertEqual([name.startswith("@") for name in names], [name.startswith("@alice!") for name in names])
        self.assertEqual(sum(name.startswith("@") for name in names), 1)

    def test_list(self) -> None:
        """Everyone and the own groups, all or by masks."""
        self.assertEqual(self.alice.ask("LIST"), [
            ":irchat 321 alice Channel :Users  Name",
            ":irchat 322 alice #global 2 :",
            ":irchat 322 alice #team 2 :",
            ":irchat 323 alice :End of /LIST",
        ])  # fmt: skip
        self.assertEqual(numerics(self.alice.ask("LIST #te*,#no")), ["321", "322", "323"])
        self.assertEqual(numerics(self.dave.ask("LIST")), ["321", "322", "323"])


class CostTests(IRCTestCase):
    """The cost of lines that are answered from memory: it follows the work that they cause."""

    options = {"limits": Limits(per_address=0, per_user=0, timed=0, rate=5)}

    def work(self, line: str) -> float:
        """Return the milliseconds of work that a line of alice is charged for."""
        alice = self.server.chat.directory.find_user("alice")
        assert alice is not None
        limiter = self.server.rate_limiters.of(alice.id)
        before = limiter.work
        self.alice.ask(line)
        return before - limiter.work

    def test_costs(self) -> None:
        """Each name asked for, each group listed for each mask, and each user blocked counts."""
        self.alice = self.irc("alice")
        for number in range(8):
            self.irc(f"bob{number}").leave()
            self.alice.ask(f"JOIN #team{number}", f"SILENCE +bob{number}")
            self.server.advance(2)
        names = [f"n{number}" for number in range(40)]
        works = {
            line: round(self.work(line) - self.work("TIME"), 3)
            for line in (
                "LIST", "LIST a,b,c", f"MONITOR + {','.join(names)}", "MONITOR S", f"ISON {' '.join(names)}", "SILENCE",
                "WHOIS alice",
            )
        }  # fmt: skip
        self.assertEqual(list(works.values()), [0.09, 0.27, 0.4, 0.4, 0.4, 0.08, 0.088])

    def test_list_looks_at_no_member(self) -> None:
        """LIST counts the members of groups, and MODE looks for one, without a walk through them."""
        self.alice = self.irc("alice")
        self.irc("bob").leave()
        self.alice.ask("JOIN #team", "INVITE bob #team")
        self.patch(channels, "members_of", lambda protocol, chat: self.fail("a walk"))
        self.assertIn(":irchat 322 alice #team 2 :", self.alice.ask("LIST"))
        self.assertEqual(numerics(self.alice.ask("MODE #team +o bob", "MODE #global +o bob")), ["482", "441"])

    def test_costs_of_members(self) -> None:
        """Each member that NAMES or WHO lists counts."""
        self.alice = self.irc("alice")
        self.alice.ask("JOIN #team")
        for name in "bob", "carol", "dave":
            self.irc(name).leave()
            self.server.advance(2)
            self.alice.ask(f"INVITE {name} #team")
        time = self.work("TIME")
        works = [round(self.work(line) - time, 3) for line in ("NAMES #team", "WHO #team")]
        self.assertEqual(works, [0.01, 0.1])
        for number in range(100):
            self.server.json(f"user{number}")
        self.assertGreater(self.work("WHO nobody*"), time, "it looks at all users")
