"""The state of a session that talks: its encoding follows its capabilities and hidden chats."""

from types import SimpleNamespace

from twisted.internet.defer import Deferred

from irchat.protocol.errors import Code, Refusal
from irchat.server.protocols.irc.talk.message_lines import Flavour
from irchat.server.protocols.irc.talk.talk_state import Talk
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

    def test_waiting(self) -> None:
        """Whoever waits for room, or until the session is no longer behind, goes on then, or fails at its end."""
        for waits, goes_on in (Talk.room, Talk.go_on), (Talk.level, Talk.caught_up):
            for ends in False, True:
                outbox = SimpleNamespace(full=lambda: outbox.behind, behind=False)  # noqa: B023  # called at once
                protocol = SimpleNamespace(session=SimpleNamespace(outbox=outbox), shared=self.server.irc_shared)
                talk = Talk(protocol)  # type: ignore[arg-type]
                self.successResultOf(Deferred.fromCoroutine(waits(talk)))
                outbox.behind = True
                waiting = Deferred.fromCoroutine(waits(talk))
                self.assertNoResult(waiting)
                if ends:
                    talk.over()
                    self.assertEqual(self.failureResultOf(waiting, Refusal).value.code, Code.NOT_LOGGED_IN)
                goes_on(talk)
                if not ends:
                    self.successResultOf(waiting)
                goes_on(talk)

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

    def test_many_offline_users(self) -> None:
        """A thousand of them are remembered, and one more makes the session forget the others."""
        talk = self.irc("alice").connection.session.protocol.talk
        for user in range(1_000):
            talk.tells_offline(user)
        self.assertFalse(talk.tells_offline(0))
        self.assertTrue(talk.tells_offline(1_000))
        self.assertTrue(talk.tells_offline(0))
