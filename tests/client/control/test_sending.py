"""A message from Enter to the server's confirmation."""

from irchat.client.control.controller import Taken
from irchat.protocol import requests
from tests.client.control.test_controller import ControllerCase
from tests.helpers.client_fakes import error, sent


class SendingTests(ControllerCase):
    """Messages that are sent, refused or expired."""

    def test_plain_text(self) -> None:
        """A text goes to the open chat with a nonce, is pending until confirmed, and may be remembered."""
        self.open("@bob")
        self.assertEqual(self.submit("hi"), Taken(True, True))
        self.assertEqual(self.asked(), [requests.Send(chat="@bob", text="hi", nonce="a")])
        self.assertIsNone(self.view.here.items[-1].seq)
        self.server.answer(sent(chat="@bob", seq=1))
        self.assertEqual(self.view.here.items[-1].seq, 1)

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
