"""How users look to IRC sessions."""

from irchat.server.protocols.irc.irc_shared import OFFLINE
from tests.helpers.irc import IRCTestCase


class SharedTests(IRCTestCase):
    """`IRCShared`."""

    def test_people(self) -> None:
        """A user has what its IRC session says of it, another one its name; who is offline is away."""
        shared = self.server.irc_shared
        self.server.json("a" * 20)
        irc = self.irc("bob")
        irc.ask("SETNAME :Bob Smith", "AWAY :lunch", "MODE bob +B")
        bob = shared.find_user("BOB")
        assert bob is not None
        person = shared.person(bob)
        self.assertEqual(
            (person.nick, person.user, person.realname, person.account, person.away, person.bot),
            ("bob", "bob", "Bob Smith", "bob", "lunch", True),
        )
        other = shared.find_user("a" * 20)
        assert other is not None
        self.assertEqual(shared.mask(other), f"{'a' * 20}!{'a' * 10}@irchat")
        self.assertEqual(shared.person(other).realname, "a" * 20)
        irc.leave()
        self.assertEqual((shared.person(bob).away, shared.person(bob).realname), (OFFLINE, "bob"))

    def test_names(self) -> None:
        """Names that nobody can have are nobody's; the mask of a removed user is made from its name."""
        shared = self.server.irc_shared
        self.assertIsNone(shared.find_user("a b"))
        self.assertFalse(shared.has_account("x"))
        self.assertEqual(shared.mask_of_name("bob#7"), "bob#7!bob#7@irchat")
