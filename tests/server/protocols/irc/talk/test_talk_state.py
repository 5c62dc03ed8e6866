"""The state of a session that talks: its encoding follows its capabilities and hidden chats."""

from twisted.internet.defer import Deferred

from irchat.protocol.errors import Code, Refusal
from irchat.server.protocols.irc.talk.message_lines import Extras, Flavour
from tests.helpers.irc import IRCClient, IRCTestCase


class TalkTests(IRCTestCase):
    """One session."""

    def _encode(self, client: IRCClient) -> object:
        return client.connection.session.outbox.encode

    def test_encoding(self) -> None:
        """A session shares the encoding of its flavour, and follows CAP; with a hidden chat it has none."""
        of = self.server.irc_shared.talk.encoding.of
        alice = self.irc("alice", "server-time")
        self.assertIs(self._encode(alice), of(Flavour(time=True)))
        alice.ask("CAP REQ message-tags")
        self.assertIs(self._encode(alice), of(Flavour(time=True, tags=True)))
        alice.ask("PART #global")
        self.assertIsNone(self._encode(alice))
        alice.ask("JOIN #global")
        self.assertIs(self._encode(alice), of(Flavour(time=True, tags=True)))

    def test_before_sign_in(self) -> None:
        """Before the sign-in there is none."""
        client = IRCClient(self.server)
        client.type("CAP LS 302", "CAP REQ server-time", "NICK alice")
        self.assertIsNone(self._encode(client))

    def test_end(self) -> None:
        """Nothing stays of a session that is over."""
        alice = self.irc("alice")
        delivered = self.server.irc_shared.talk.delivered
        self.assertEqual(len(delivered._of_user), 1)
        alice.leave()
        self.assertEqual(delivered._of_user, {})

    def test_offline_users(self) -> None:
        """The users of whom a client was told that they are offline are bounded, and forgotten after ten minutes."""
        alice = self.irc("alice")
        talk = alice.connection.session.protocol.talk
        self.assertTrue(all(talk.tells_offline(user) for user in range(2_000)))
        self.assertFalse(talk.tells_offline(1_999))
        self.assertLessEqual(len(talk._told_offline), 1_000)
        self.server.clock.rightNow += 599
        self.assertFalse(talk.tells_offline(1_999))
        self.server.clock.rightNow += 1
        self.assertTrue(talk.tells_offline(1_999))


class WaitingTests(IRCTestCase):
    """The waits of a session whose client reads slowly."""

    def setUp(self) -> None:
        """One session."""
        super().setUp()
        self.alice = self.irc("alice")
        self.talk = self.alice.connection.session.protocol.talk

    def test_no_wait(self) -> None:
        """Nobody waits for a session that is not behind and has room."""
        self.successResultOf(Deferred.fromCoroutine(self.talk.level()))
        self.successResultOf(Deferred.fromCoroutine(self.talk.room()))

    def test_level(self) -> None:
        """A wait for a session that is behind ends when it has caught up, and not before."""
        self.alice.outbox.behind = True
        waiting = Deferred.fromCoroutine(self.talk.level())
        self.talk.go_on()
        self.assertNoResult(waiting)
        self.talk.caught_up()
        self.successResultOf(waiting)
        self.talk.caught_up()

    def test_room(self) -> None:
        """A wait for room ends when there is some, and not before."""
        self.patch(type(self.alice.outbox), "full", lambda outbox: True)
        waiting = Deferred.fromCoroutine(self.talk.room())
        self.talk.caught_up()
        self.assertNoResult(waiting)
        self.talk.go_on()
        self.successResultOf(waiting)
        self.talk.go_on()

    def test_end(self) -> None:
        """The end of the session ends both waits with a refusal."""
        self.patch(type(self.alice.outbox), "full", lambda outbox: True)
        self.alice.outbox.behind = True
        waits = [Deferred.fromCoroutine(wait) for wait in (self.talk.room(), self.talk.level())]
        self.alice.leave()
        for wait in waits:
            self.assertEqual(self.failureResultOf(wait, Refusal).value.code, Code.NOT_LOGGED_IN)

    def test_expected(self) -> None:
        """The extras of texts that were not answered end with the session."""
        encoding = self.server.irc_shared.talk.encoding
        for text in "one", "two":
            self.talk.expect(text, Extras({"+a": text}))
        self.assertEqual(len(encoding._extras), 1)
        self.alice.leave()
        self.assertEqual(encoding._extras, {})
