"""A message from Enter to the server's confirmation."""

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from irchat.client.connect.request_channel import Reply
from irchat.client.control.controller import Taken
from irchat.client.control.sending import Sending
from irchat.client.exceptions import ClientError
from irchat.client.view.screen_state import ScreenState
from irchat.protocol import requests
from tests.client.control.test_controller import ControllerCase
from tests.helpers.client_fakes import error, sent


class SendingTests(ControllerCase):
    """Messages that are sent, refused or expired."""

    def test_plain_text(self) -> None:
        """A text goes to the open chat with a nonce, is pending until confirmed, and may be remembered."""
        self.open("@bob")
        self.assertEqual(self.submit("hi"), Taken(True, True))
        self.assertEqual(self.asked(), [requests.Send(chat="@bob", text="hi", nonce="a", id="id")])
        self.assertIsNone(self.view.here.items[-1].seq)
        self.server.answer(sent(chat="@bob", seq=1))
        self.assertEqual(self.view.here.items[-1].seq, 1)

    def test_id_of_the_chat(self) -> None:
        """A message goes with the id of its chat, if the server has named it, so that no later chat gets it."""
        self.open("@bob")
        self.view.chats["@bob"].id = "@7"
        self.submit("hi")
        self.assertEqual(self.asked(), [requests.Send(chat="@bob", text="hi", nonce="a", id="@7")])
        self.server.answer(sent(chat="@bob", seq=1))
        self.view.chats["GLOBAL"].id = "GLOBAL"
        self.controller.open("GLOBAL")
        self.submit("all")
        sends = [request for request in self.asked() if isinstance(request, requests.Send)]
        self.assertEqual([(request.text, request.id) for request in sends], [("all", None)])

    def test_one_after_another(self) -> None:
        """Messages are sent one after another. One refused as too-fast is repeated before the others."""
        self.open("@bob")
        self.submit("one")
        self.submit("two")
        self.server.answer(error("too-fast"))
        self.assertEqual(self.asked(), [])
        self.clock.advance(0.5)
        self.assertEqual([request.text for request in self.asked()], ["one"])
        self.server.answer(sent(chat="@bob", seq=1))
        self.assertEqual([request.text for request in self.asked()], ["two"])

    def test_refused_by_the_server(self) -> None:
        """A refused message is no longer pending, and the reason is shown in its place."""
        self.open("@bob")
        self.submit("hi")
        self.server.answer(error("blocked", "Not to them."))
        self.assertEqual(self.texts(), ["Not to them.", "not sent: hi"])

    def test_timed(self) -> None:
        """A timed message counts down and disappears with its note, and does not enter the input history."""
        self.open("@bob")
        self.assertEqual(self.submit("*30 psst"), Taken(True, False))
        self.server.answer(sent(chat="@bob", id="t", left_ms=30_000, reached=1, of=1))
        self.assertEqual(self.texts(), ["psst", "1 of 1 have it now"])
        drawn: list[float] = []
        self.controller.on_changed = lambda: drawn.append(self.clock.seconds())
        self.clock.pump([0.25] * 12)
        self.assertEqual(drawn, [1.0, 2.0, 3.0])
        self.clock.pump([0.25] * 120)
        self.assertEqual(self.texts(), [])

    def test_timed_and_late(self) -> None:
        """The note of a timed message accepted late ends with it, counted from the time of typing."""
        self.open("@bob")
        self.submit("*30 psst")
        self.clock.advance(20)
        self.server.answer(sent(chat="@bob", id="t", left_ms=30_000, reached=1, of=1))
        self.assertEqual(self.texts(), ["psst", "1 of 1 have it now"])
        self.clock.pump([0.25] * 40)
        self.assertEqual(self.texts(), [])

    def test_unsent(self) -> None:
        """Unconfirmed messages are counted per chat."""
        self.open("@bob")
        for text in "one", "two", "@ carol three":
            self.submit(text)
        self.assertEqual(self.controller.sending.unsent(), "2 messages to @bob, 1 message to @carol")
        self.server.answer(sent(chat="@bob", seq=1))
        self.assertEqual(self.controller.sending.unsent(), "1 message to @bob, 1 message to @carol")


class OrderTests(SynchronousTestCase):
    """The order of messages over a connection that the test answers, loses and restores."""

    def setUp(self) -> None:
        """Create a user with a connection."""
        self.is_up = True
        self.asks: list[tuple[str, Deferred[Reply]]] = []
        self.clock = Clock()
        self.view = ScreenState("host:7667")
        self.sending = Sending(self.clock, self.view, self, iter("abcdefgh").__next__)
        self.outcomes = 0
        self.sending.on_outcome = self.owner_notified

    def ask(self, request: requests.Send) -> Deferred[Reply]:
        """Take a request."""
        self.asks.append((str(request.nonce), Deferred()))
        return self.asks[-1][1]

    def owner_notified(self) -> None:
        """Count the outcomes."""
        self.outcomes += 1
        self.sending.sweep()  # as the owner does

    def send(self, text: str, *, chat: str = "@bob", seconds: int | None = None) -> None:
        """Type a message in the chat that gets it."""
        self.sending.send(requests.Send(chat=chat, text=text, expires_in=seconds), text, self.view.chat(chat))

    def lose(self) -> None:
        """Lose the connection before the last reply."""
        self.is_up = False
        self.asks[-1][1].errback(ClientError("Gone."))

    def asked(self) -> str:
        """Return the nonces of all requests so far."""
        return "".join(nonce for nonce, _ in self.asks)

    def texts(self, chat: str) -> list[str]:
        """Return the texts in a chat."""
        return [item.text for item in self.view.chat(chat).items]

    def test_one_at_a_time(self) -> None:
        """Each message waits for the reply to the previous one, whatever it is."""
        for text in "one", "two", "three":
            self.send(text)
        self.assertEqual(self.asked(), "a")
        self.asks[0][1].callback(sent(chat="@bob", seq=1))
        self.asks[1][1].callback(error("blocked"))
        self.assertEqual((self.asked(), self.outcomes), ("abc", 2))
        self.assertEqual(self.sending.unsent(), "1 message to @bob")

    def test_unknown_reply(self) -> None:
        """A reply of an unknown type still completes a message."""
        self.send("one")
        self.send("two")
        self.asks[0][1].callback(None)
        self.assertEqual((self.asked(), self.sending.unsent()), ("ab", "1 message to @bob"))

    def test_again_over_a_new_connection(self) -> None:
        """An unanswered message is repeated first, with the same nonce, before any other."""
        self.send("one")
        self.lose()
        self.send("two")
        self.assertEqual(self.asked(), "a")
        self.is_up = True
        self.sending.go_on()
        self.assertEqual(self.asked(), "aa")
        self.asks[1][1].callback(sent(chat="@bob", seq=1))
        self.assertEqual(self.asked(), "aab")

    def test_expired(self) -> None:
        """An expired message is dropped before it is sent, but not while its reply is pending."""
        self.send("one", seconds=5)
        self.send("two", seconds=5)
        self.clock.advance(5)
        self.view.expire(self.clock.seconds())
        self.sending.sweep()
        self.assertEqual(self.texts("@bob"), [
            "A timed message to @bob was not sent: it expired before the connection was back."])  # fmt: skip
        self.lose()
        self.sending.sweep()
        self.assertIn("A timed message to @bob may not have been sent", self.texts("@bob")[1])
        self.assertEqual((self.sending.unsent(), self.asked()), ("", "a"))

    def test_gone(self) -> None:
        """All messages to a chat that is gone are dropped at once, and the others sent."""
        self.is_up = False
        for text in "one", "two":
            self.send(text, chat="*team")
        self.send("three")
        self.view.chat("*team").gone = "You are no longer in *team."
        self.is_up = True
        self.sending.go_on()
        self.assertEqual((self.asked(), self.outcomes), ("c", 1))
        reason = "A message to *team was not sent: You are no longer in *team."
        self.assertEqual(self.texts("*team"), [reason, "not sent: one", reason, "not sent: two"])
