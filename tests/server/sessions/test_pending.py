"""A request on its way through a session."""

from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from irchat.protocol import events
from irchat.server.sessions.pending import Asked, Reply


class _Session:
    """Notes what it is to say."""

    def __init__(self) -> None:
        self.said: list[tuple[object, Asked]] = []

    def answer(self, reply: Reply, asked: Asked, /) -> None:
        self.said.append((reply, asked))

    def fail(self, failure: Failure, asked: Asked, /) -> None:
        self.said.append((failure.value, asked))


class AskedTests(SynchronousTestCase):
    """`Asked`."""

    def setUp(self) -> None:
        """Ask twice, in the same words."""
        self.session = _Session()
        self.first, self.second = Asked(self.session, "context"), Asked(self.session, "context")

    def test_result(self) -> None:
        """The session gets each result of a change, and each error, together with its request."""
        reply, error = events.Ok(), ValueError("wrong")
        self.second.callback(reply)
        self.first.errback(Failure(error))
        self.assertEqual(self.session.said, [(reply, self.second), (error, self.first)])

    def test_equal_requests(self) -> None:
        """Two requests that are alike are not one."""
        self.assertNotEqual(self.first, self.second)
        self.assertEqual([self.first, self.second].index(self.second), 1)

    def test_nothing_asked(self) -> None:
        """A line that is no request costs no work as a request, because its refusal is charged, and runs alone."""
        self.assertEqual((self.first.cost.work, self.first.cost.messages, self.first.exclusive), (0, 0, True))
