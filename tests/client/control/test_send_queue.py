"""Messages on their way to the server."""

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from irchat.client.connect.request_channel import Reply
from irchat.client.control.send_queue import SendQueue
from irchat.client.exceptions import ClientError
from irchat.protocol import events, requests
from tests.helpers.client_fakes import error, sent


def _message(nonce: str) -> requests.Send:
    return requests.Send(chat="GLOBAL", text=nonce, nonce=nonce)


class SendQueueTests(SynchronousTestCase):
    """The order of messages, and their outcomes."""

    def setUp(self) -> None:
        """Create a queue whose owner wants every message, with a connection."""
        self.is_up = True
        self.unwanted: set[object] = set()
        self.asked: list[tuple[str, Deferred[Reply]]] = []
        self.replies: list[tuple[object, events.Event]] = []
        self.dropped: list[tuple[object, bool]] = []
        self.queue = SendQueue(self._ask, lambda: self.is_up, self)

    def _ask(self, request: requests.Send) -> Deferred[Reply]:
        self.asked.append((str(request.nonce), Deferred()))
        return self.asked[-1][1]

    def is_wanted(self, request: requests.Send) -> bool:
        """Return whether the test wants the message."""
        return request.nonce not in self.unwanted

    def on_reply(self, request: requests.Send, reply: events.Event) -> None:
        """Record a reply."""
        self.replies.append((request.nonce, reply))

    def on_dropped(self, request: requests.Send, *, tried: bool) -> None:
        """Record a message that is not sent."""
        self.dropped.append((request.nonce, tried))

    def sent(self) -> str:
        """Return the nonces of all requests so far."""
        return "".join(nonce for nonce, _ in self.asked)

    def test_one_at_a_time(self) -> None:
        """Each message waits for the reply to the previous one, whatever it is."""
        for nonce in "abc":
            self.queue.send(_message(nonce))
        self.assertEqual(self.sent(), "a")
        self.asked[0][1].callback(sent(seq=1))
        self.asked[1][1].callback(error("blocked"))
        self.assertEqual(self.sent(), "abc")
        self.assertEqual(self.replies, [("a", sent(seq=1)), ("b", error("blocked"))])
        self.assertEqual([request.nonce for request in self.queue.waiting], ["c"])

    def test_unknown_reply(self) -> None:
        """A reply of an unknown type still completes a message."""
        self.queue.send(_message("a"))
        self.queue.send(_message("b"))
        self.asked[0][1].callback(None)
        self.assertEqual((self.sent(), self.replies), ("ab", []))

    def test_again_over_a_new_connection(self) -> None:
        """An unanswered message is repeated first, with the same nonce, before any other."""
        self.queue.send(_message("a"))
        self.is_up = False
        self.asked[0][1].errback(ClientError("Gone."))
        self.queue.send(_message("b"))
        self.assertEqual(self.sent(), "a")
        self.is_up = True
        self.queue.resume()
        self.assertEqual(self.sent(), "aa")
        self.asked[1][1].callback(sent(seq=1))
        self.assertEqual(self.sent(), "aab")

    def test_not_wanted_any_more(self) -> None:
        """An unwanted message is dropped before it is sent, but not while its reply is pending."""
        self.queue.send(_message("a"))
        self.queue.send(_message("b"))
        self.unwanted |= {"a", "b"}
        self.queue.sweep()
        self.assertEqual(self.dropped, [("b", False)])
        self.is_up = False
        self.asked[0][1].errback(ClientError("Gone."))
        self.queue.sweep()
        self.assertEqual(self.dropped, [("b", False), ("a", True)])
        self.assertEqual(self.queue.waiting, [])
