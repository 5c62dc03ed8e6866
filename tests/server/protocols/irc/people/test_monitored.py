"""The lines to sessions that watch a name, and when they come."""

from unittest.mock import patch

from tests.helpers.irc import IRCTestCase


class WatchersTests(IRCTestCase):
    """`Watchers` between sessions."""

    def test_at_once(self) -> None:
        """Each coming and going is sent at once and only once, also several in a second."""
        alice = self.irc("alice")
        alice.ask("PART #global", "MONITOR + bob")
        self.server.advance(1, 1)
        for _ in range(3):
            bob = self.irc("bob")
            self.assertEqual(alice.got(), [":irchat 730 alice :bob!bob@irchat"])
            bob.leave()
            self.server.turn()
            self.assertEqual(alice.got(), [":irchat 731 alice :bob"])
        self.server.advance(1, 1)
        self.assertEqual(alice.got(), [])

    def test_behind(self) -> None:
        """A session that is behind gets the difference when it reads again."""
        alice = self.irc("alice")
        alice.ask("PART #global", "MONITOR + bob")
        self.server.advance(1, 1)
        alice.outbox.behind = True
        self.irc("bob")
        self.server.advance(1, 1)
        alice.outbox.behind = False
        self.assertEqual(alice.got(), [])
        self.irc("carol")
        self.server.advance(1, 1)
        self.assertEqual(alice.got(), [":irchat 730 alice :bob!bob@irchat"])

    def test_asked_meanwhile(self) -> None:
        """What MONITOR has just said does not come again with the next bundle."""
        alice = self.irc("alice")
        self.server.advance(1, 1)
        self.irc("zed")  # the first change comes at once, the next ones a second later
        self.irc("bob")
        self.assertIn(":irchat 730 alice :bob!bob@irchat", alice.ask("MONITOR + bob"))
        self.server.advance(1, 1)
        self.assertEqual(alice.got(), [":bob!bob@irchat JOIN #global"])

    def test_end(self) -> None:
        """Nothing is kept of a session that ends."""
        alice = self.irc("alice")
        alice.ask("MONITOR + bob,carol", "MONITOR - bob")
        self.assertEqual(list(alice.connection.session.protocol.shared.watchers._sessions), ["carol"])
        shared = alice.connection.session.protocol.shared
        alice.leave()
        self.server.turn()
        self.assertEqual(shared.watchers._sessions, {})

    def test_full(self) -> None:
        """A session without room gets the line with the next bundle, once it has room."""
        alice = self.irc("alice")
        alice.ask("PART #global", "MONITOR + bob")
        self.server.advance(1, 1)
        outbox = alice.outbox
        self.irc("zed")  # the first change comes at once, the next ones a second later
        with patch.object(type(outbox), "full", lambda one: one is outbox):
            self.irc("bob")
            self.assertEqual(alice.got(), [])
        self.server.advance(1, 1)
        self.irc("carol")
        self.server.advance(1, 1)
        self.assertEqual(alice.got(), [":irchat 730 alice :bob!bob@irchat"])
