"""The reactor handles a few ready sockets per turn, and starves none of them."""

import select
import socket
from types import SimpleNamespace

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from irchat.server import reactor_tuning
from irchat.server.reactor_tuning import take_few_at_a_time


class FewAtATimeTests(SynchronousTestCase):
    """A system poller with a hundred ready sockets."""

    def test_few(self) -> None:
        """Each poll returns a few sockets, and all have their turn even if none is read."""
        if not hasattr(select, "epoll"):
            raise SkipTest("there is no epoll here")
        self.patch(reactor_tuning, "_SOCKETS_A_TURN", 10)
        reactor = SimpleNamespace(_poller=select.epoll())
        self.addCleanup(reactor._poller.close)
        take_few_at_a_time(reactor)
        pairs = [socket.socketpair() for _ in range(100)]
        for ours, theirs in pairs:
            self.addCleanup(ours.close)
            self.addCleanup(theirs.close)
            theirs.send(b"x")
            reactor._poller.register(ours.fileno(), select.EPOLLIN)
        polls = [reactor._poller.poll(1.0, 1_000) for _ in range(10)]
        self.assertEqual([len(ready) for ready in polls], [10] * 10)
        self.assertEqual({fd for ready in polls for fd, _ in ready}, {ours.fileno() for ours, _ in pairs})
        self.assertEqual(len(reactor._poller.poll(1.0, 3)), 3)

    def test_other_reactors(self) -> None:
        """A reactor that does not use epoll is not changed."""
        for reactor in SimpleNamespace(), SimpleNamespace(_poller=select.poll()):
            before = dict(vars(reactor))
            take_few_at_a_time(reactor)
            self.assertEqual(vars(reactor), before)
