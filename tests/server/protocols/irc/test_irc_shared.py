"""How users look to IRC sessions."""

from irchat.server.protocols.irc.irc_shared import OFFLINE
from tests.helpers.irc import IRCTestCase
from tests.helpers.server import PASSWORD


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
        carol = self.irc()
        carol.ask("CAP LS 302", "NICK Carol", "USER cc 0 * :C", "REGISTER * * :long-enough", "CAP END")
        self.assertEqual(shared.mask_of_name("carol"), "Carol!cc@irchat")

    def test_registration(self) -> None:
        """Closed registration, and open again, reach all sessions with cap-notify at once, signed in or not."""
        waiting, alice, plain, gone = self.irc(), self.irc("alice"), self.irc(), self.irc("carol")
        waiting.ask("CAP LS 302", "NICK bob", "USER bob 0 * :Bob")
        plain.ask("CAP LS", "NICK dave")
        gone.leave()
        for is_open, told in (
            (False, "DEL :draft/account-registration"),
            (True, "NEW :draft/account-registration=before-connect"),
        ):
            self.server.accounts.registration_open = is_open
            self.server.irc_shared.open_registration(is_open=is_open)
            self.server.turn()
            self.assertEqual(waiting.got(), [f":irchat CAP * {told}"])
            self.assertEqual(alice.got()[-1], f":irchat CAP alice {told}")
            self.assertEqual(plain.got(), [])
            answer = "REGISTER SUCCESS bob" if is_open else "FAIL REGISTER DISALLOWED bob"
            self.assertIn(f":irchat {answer}", waiting.ask(f"REGISTER * * :{PASSWORD}")[0])
        self.assertEqual(len(self.server.irc_shared.protocols), 3)
