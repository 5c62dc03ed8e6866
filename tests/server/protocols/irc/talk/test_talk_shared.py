"""The parts that the sessions of a server share for messages."""

from tests.helpers.irc import IRCTestCase


class TalkSharedTests(IRCTestCase):
    """Ids of signals, flavours, and bots."""

    def test_signal_ids(self) -> None:
        """Each id is another, and none is that of a stored message."""
        talk = self.server.irc_shared.talk
        ids = {talk.signal_id() for _ in range(100)}
        self.assertEqual(len(ids), 100)
        self.assertTrue(all(one.startswith("t-") for one in ids))

    def test_bot(self) -> None:
        """A user calls itself a bot by its mode, until the end of its session."""
        alice = self.irc("alice")
        talk, user = self.server.irc_shared.talk, alice.connection.session.user
        self.assertFalse(talk.is_bot(user))
        alice.ask("MODE alice +B")
        self.assertTrue(talk.is_bot(user))
        alice.leave()
        self.assertFalse(talk.is_bot(user))

    def test_flavour(self) -> None:
        """The flavour of a session has its capabilities."""
        alice = self.irc("alice", "account-tag")
        self.assertTrue(self.server.irc_shared.talk.flavour(alice.connection.session.protocol).account)
