"""Users who come online and go offline, as IRC shows them."""

from irchat.interfaces.bus import Publication
from irchat.protocol import events
from tests.helpers.irc import IRCClient, IRCTestCase, plain


class PresenceTests(IRCTestCase):
    """JOIN and PART of #global, AWAY of members."""

    def later(self, client: IRCClient) -> list[str]:
        """Return the lines that a client gets once all bundles are sent."""
        self.server.advance(1, 1)
        return client.got()

    def test_everyone(self) -> None:
        """A user who comes online joins #global, and parts on going offline: once for all sessions, of any protocol."""
        alice = self.irc("alice")
        bob = self.irc("Bob")
        self.assertEqual(self.later(alice), [":Bob!Bob@irchat JOIN #global"])
        program = self.server.json("bob")
        bob.ask("QUIT :secret reason")
        self.assertEqual(self.later(alice), [])
        program.leave()
        self.assertEqual(self.later(alice), [":Bob!Bob@irchat PART #global :offline"])

    def test_bundles(self) -> None:
        """The first change comes at once, the others in one bundle a second, without that of oneself."""
        alice = self.irc("alice")
        self.server.advance(1, 1)
        alice.got()
        self.irc("bob")
        self.assertEqual(alice.got(), [":bob!bob@irchat JOIN #global"])
        carol = self.irc("carol")
        self.irc("dave")
        self.assertEqual(alice.got(), [])
        self.assertEqual(self.later(alice), [":carol!carol@irchat JOIN #global", ":dave!dave@irchat JOIN #global"])
        self.assertEqual(carol.got(), [":dave!dave@irchat JOIN #global"])

    def test_extended_join(self) -> None:
        """With extended-join, a JOIN has the account and the realname."""
        alice = self.irc("alice", "extended-join")
        carol = self.irc()
        carol.ask("CAP LS", "NICK carol", "USER c 0 * :Carol C.", "REGISTER * * long-enough", "CAP END")
        self.assertEqual(self.later(alice), [":carol!c@irchat JOIN #global carol :Carol C."])

    def test_members(self) -> None:
        """With away-notify, a member of a common group is shown as back and as away."""
        alice, bob = self.irc("alice", "away-notify"), self.irc("bob")
        alice.ask("JOIN #team", "INVITE bob #team")
        self.later(alice)
        bob.ask("QUIT")
        self.assertEqual(
            self.later(alice),
            [":bob!bob@irchat PART #global :offline", ":bob!bob@irchat AWAY :offline: reads it later"],
        )
        self.irc("bob")
        self.assertEqual(self.later(alice), [":bob!bob@irchat JOIN #global", ":bob!bob@irchat AWAY"])

    def test_hidden(self) -> None:
        """A session that hides #global is not told, but of members."""
        alice = self.irc("alice", "away-notify")
        self.irc("bob").ask("JOIN #team", "INVITE alice #team", "QUIT")
        self.later(alice)
        alice.ask("PART #global")
        self.irc("carol")
        self.assertEqual(self.later(alice), [])
        self.irc("bob")
        self.assertEqual(self.later(alice), [":bob!bob@irchat AWAY"])
        self.assertTrue(alice.ask("JOIN #global")[0].endswith("JOIN #global"))

    def test_back_away(self) -> None:
        """A member that comes online as away is shown as away, once, whether #global is hidden or not."""
        alice, dave = self.irc("alice", "away-notify"), self.irc("dave", "away-notify")
        self.irc("bob").ask("JOIN #team", "INVITE alice #team", "INVITE dave #team", "QUIT")
        for client in alice, dave:
            self.later(client)
        alice.ask("PART #global")
        bob = self.irc()
        bob.ask("CAP LS", "NICK bob", "USER bob 0 * :bob", "CAP REQ :sasl draft/pre-away", "AWAY :lunch")
        bob.ask("AUTHENTICATE PLAIN", f"AUTHENTICATE {plain('bob')}", "CAP END")
        self.assertEqual(self.later(alice), [":bob!bob@irchat AWAY :lunch"])
        self.assertEqual(dave.got(), [":bob!bob@irchat JOIN #global", ":bob!bob@irchat AWAY :lunch"])

    def test_removed(self) -> None:
        """Nothing is shown of a user that was removed since."""
        alice = self.irc("alice", "away-notify", "setname")
        gone = Publication(events.Personas(away={"nobody": "lunch"}, realnames={"nobody": "x"}), ())
        for line in "PING x", "PART #global":
            alice.ask(line)
            self.assertEqual(alice.connection.session.protocol.event(gone), b"")

    def test_blocks(self) -> None:
        """A block does not hide presence."""
        alice = self.irc("alice")
        self.irc("bob").ask("QUIT")
        alice.ask("SILENCE +bob")
        self.later(alice)
        self.irc("bob")
        self.assertEqual(self.later(alice), [":bob!bob@irchat JOIN #global"])

    def test_none_of_oneself(self) -> None:
        """A session is not told of the other sessions of its user."""
        alice = self.irc("alice", "away-notify")
        self.later(alice)
        self.irc("alice").ask("AWAY :x", "QUIT")
        self.assertEqual(self.later(alice), [])

    def test_bundle_with_oneself(self) -> None:
        """Of a bundle with the user itself, such as of a session that ended just before, the others are shown."""
        alice = self.irc("alice", "away-notify")
        self.irc("bob")
        self.later(alice)
        both = Publication(events.Presence(online=["alice", "bob"], offline=[]), ())
        shown = alice.connection.session.protocol.event(both)
        self.assertEqual(shown, b":bob!bob@irchat JOIN #global\r\n")

    def test_seen(self) -> None:
        """A session that hides #global sees who of its groups went away, and nobody else."""
        alice, bob, carol = self.irc("alice", "away-notify"), self.irc("bob"), self.irc("carol")
        bob.ask("JOIN #team", "INVITE alice #team")
        alice.ask("PART #global")
        self.later(alice)
        for client in bob, carol:
            client.ask("AWAY :lunch")
        self.assertEqual(self.later(alice), [":bob!bob@irchat AWAY :lunch"])

    def test_watched_with_everyone(self) -> None:
        """A session that sees #global and watches a user gets both lines, once."""
        alice = self.irc("alice")
        alice.ask("MONITOR + bob")
        self.later(alice)
        self.irc("bob")
        self.assertEqual(
            sorted(self.later(alice)), [":bob!bob@irchat JOIN #global", ":irchat 730 alice :bob!bob@irchat"]
        )

    def test_seen_by_watchers(self) -> None:
        """A session that hides #global and has extended-monitor sees who of the watched users went away, only those."""
        alice, bob, carol = self.irc("alice", "away-notify", "extended-monitor"), self.irc("bob"), self.irc("carol")
        dave = self.irc("dave", "away-notify")
        for client in alice, dave:
            client.ask("PART #global", "MONITOR + bob")
            self.later(client)
        for client in bob, carol:
            client.ask("AWAY :lunch")
        self.assertEqual(self.later(alice), [":bob!bob@irchat AWAY :lunch"])
        self.assertEqual(dave.got(), [])
