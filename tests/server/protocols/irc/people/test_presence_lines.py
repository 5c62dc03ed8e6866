"""The shared lines of presence."""

from irchat.protocol import events
from tests.helpers.irc import IRCTestCase


class BundleTests(IRCTestCase):
    """`Bundle` and `Bundles`."""

    def test_shared(self) -> None:
        """Sessions with the same capabilities get the same bytes, others their own; another event other ones."""
        caps = ("away-notify", "extended-join"), (), ()
        first, second, third = (
            self.irc(name, *of_one).connection.session.protocol
            for name, of_one in zip(("alice", "bob", "carol"), caps, strict=True)
        )
        self.irc("dave")
        event = events.Presence(online=["dave", "removed#7"], offline=["gone"])
        shared = self.server.irc_shared
        bundle = shared.bundles.of(shared, event)
        self.assertIs(shared.bundles.of(shared, event), bundle)
        self.assertIs(bundle.everyone(second), bundle.everyone(third))
        self.assertEqual(
            bundle.everyone(second),
            b":dave!dave@irchat JOIN #global\r\n:gone!gone@irchat PART #global :offline\r\n",
        )
        self.assertIn(b"JOIN #global dave :dave", bundle.everyone(first))
        self.assertEqual(
            bundle.without("dave", shared).everyone(second), b":gone!gone@irchat PART #global :offline\r\n"
        )
        self.assertIsNot(shared.bundles.of(shared, events.Presence(online=[], offline=[])), bundle)

    def test_groups(self) -> None:
        """The members of each group are found without a look at the others."""
        self.irc("alice").ask("JOIN #team")
        shared = self.server.irc_shared
        alice = shared.find_user("alice")
        assert alice is not None
        bundle = shared.bundles.of(shared, events.Presence(online=[], offline=["alice"]))
        self.assertEqual(bundle.of_group, {group: [(alice, False)] for group in alice.groups})

    def test_away(self) -> None:
        """A user who comes online and is away is shown so, with away-notify only, and in no other way to its groups."""
        knows, plain = self.irc("alice", "away-notify"), self.irc("bob")
        carol = self.irc("carol")
        carol.ask("JOIN #team", "INVITE alice #team", "AWAY :lunch")
        shared = self.server.irc_shared
        bundle = shared.bundles.of(shared, events.Presence(online=["carol"], offline=[]))
        join = b":carol!carol@irchat JOIN #global\r\n"
        self.assertEqual(bundle.everyone(plain.connection.session.protocol), join)
        self.assertEqual(
            bundle.everyone(knows.connection.session.protocol), join + b":carol!carol@irchat AWAY :lunch\r\n"
        )
        self.assertEqual([told for ((_, told),) in bundle.of_group.values()], [True])
