"""The plain client on a terminal, whose connection is lost and comes back."""

from collections.abc import Awaitable

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from irchat.client.connect.request_channel import RequestChannel
from irchat.client.connect.server_connection import ServerConnection
from irchat.client.exceptions import ClientError, Later
from irchat.client.plain.conversation import PlainChat
from irchat.client.plain.screens import TerminalScreen
from irchat.protocol import events, requests
from tests.helpers.client_fakes import FakeEcho, FakeServer, Keyboard, error, message, sent, welcome


class StayingTests(SynchronousTestCase):
    """Alice on a terminal. Each pause between two attempts is as long as it is without chance."""

    def setUp(self) -> None:
        """Sign in."""
        self.clock = Clock()
        self.keyboard = Keyboard()
        self.server = FakeServer()
        self.refused: ClientError | None = None
        self.attempts = 0
        nonces = iter("abcdefgh")
        screen = TerminalScreen(
            self.keyboard.console, self.keyboard.errors.append, self.clock, FakeEcho(), colour=False, errors_apart=False
        )
        chat = PlainChat(self.clock, self.keyboard.console, screen, lambda: next(nonces), lambda: 0.5)
        self.over = Deferred.fromCoroutine(chat.run(self.connect, self.sign_in))
        self.server.answer(welcome(), events.Chats([]))
        self.keyboard.shown()

    def connect(self) -> Deferred[ServerConnection]:
        """Connect to the present server, unless it cannot be reached."""
        self.attempts += 1
        return succeed(self.server.connection) if self.refused is None else fail(self.refused)

    async def sign_in(self, channel: RequestChannel) -> events.Welcome:
        """Sign in with a token."""
        reply = await channel.request(requests.Resume(token="token"))
        if isinstance(reply, events.Error):
            raise Later(reply.text)
        assert isinstance(reply, events.Welcome)
        return reply

    def lose(self) -> None:
        """Lose the connection. A new server waits."""
        lost, self.server = self.server, FakeServer()
        lost.lose(ConnectionDone())

    def come_back(self, *pauses: float) -> list[requests.ANY]:
        """Let the client connect after pauses, and sign it in. Return its further requests, which are unanswered."""
        self.clock.pump(pauses or (1.0,))
        self.server.answer(welcome())
        first, *others = self.server.asked()
        self.assertEqual(first, requests.Chats())
        self.server.answer(events.Chats([]))
        return others

    def test_comes_back(self) -> None:
        """The loss is shown with its reason, and after the sign-in the chat goes on."""
        self.lose()
        self.assertIn("has gone away. Reconnecting", self.keyboard.shown())
        self.come_back()
        self.assertIn("Welcome back, alice.", self.keyboard.shown())
        self.server.tell(message("hello"))
        self.assertIn("bob: hello", self.keyboard.shown())
        self.assertNoResult(self.over)

    def test_message(self) -> None:
        """A message without an answer is repeated with its nonce, before what was typed meanwhile."""
        self.keyboard.type("one")
        self.server.asked()
        self.lose()
        self.keyboard.type("two")
        self.assertEqual(self.come_back(), [requests.Line(line="one", nonce="a")])
        self.server.answer(sent(seq=1))
        self.assertEqual(self.server.asked(), [requests.Line(line="two", nonce="b")])

    def test_command(self) -> None:
        """A command without an answer is not repeated. A note on the screen says so."""
        self.keyboard.type("@bob-")
        self.server.asked()
        self.lose()
        self.assertEqual(self.come_back(), [])
        self.assertIn("lost before the answer", self.keyboard.shown())

    def test_timed(self) -> None:
        """A timed message that would have ended is not repeated."""
        self.keyboard.type("*2*team secret")
        self.server.asked()
        self.lose()
        self.refused = ClientError("No server.")
        self.clock.pump([1.0] * 3)
        self.refused = None
        self.assertEqual(self.come_back(1, 1, 1, 1), [])
        self.assertIn("may not have been sent", self.keyboard.shown())

    def test_reasons(self) -> None:
        """Attempts follow with longer pauses. Each new reason is shown once."""
        self.lose()
        self.keyboard.shown()
        self.refused = ClientError("No server.")
        self.clock.pump([1.0] * 7)
        self.assertEqual((self.attempts, self.keyboard.shown().count("No server.")), (4, 1))

    def test_refused(self) -> None:
        """If the server refuses the user for a while, it says so, and the client tries again."""
        self.lose()
        self.clock.advance(1)
        self.server.answer(error("unavailable", "Not now."))
        self.assertIn("Not now.", self.keyboard.shown())
        self.server = FakeServer()
        self.clock.pump([1.0, 1.0])
        self.server.answer(welcome(), events.Chats([]))
        self.assertIn("Welcome back", self.keyboard.shown())

    def test_question(self) -> None:
        """A loss during a question ends the client: the rest of a password would become a message."""
        self.keyboard.type("!password")
        self.lose()
        self.assertIn("has gone away", self.failureResultOf(self.over, ClientError).value.text)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_leave(self) -> None:
        """The user can leave while there is no connection."""
        self.lose()
        self.over.addErrback(lambda failure: None)
        self.over.cancel()
        self.successResultOf(self.over)
        self.clock.advance(60)
        self.assertEqual((self.attempts, self.clock.getDelayedCalls()), (1, []))


class FirstTests(SynchronousTestCase):
    """The first sign-in."""

    def test_refused(self) -> None:
        """A temporary refusal ends the client, as any other error does."""
        keyboard, server, clock = Keyboard(), FakeServer(), Clock()
        screen = TerminalScreen(
            keyboard.console, keyboard.errors.append, clock, FakeEcho(), colour=False, errors_apart=False
        )

        def refuse(channel: RequestChannel) -> Awaitable[events.Welcome]:
            return fail(Later("Not now."))

        chat = PlainChat(clock, keyboard.console, screen, str, lambda: 0.5)
        over = Deferred.fromCoroutine(chat.run(lambda: succeed(server.connection), refuse))
        self.assertEqual(self.failureResultOf(over, ClientError).value.text, "Not now.")
