"""A limit on the number of ready sockets that the reactor handles in one turn."""

from typing import Any

# Reading a request and running it takes about 150 us. 10,000 sockets that close at once would take a turn of 250 ms.
_SOCKETS_A_TURN = 32


class FewAtATime:
    """An epoll object for the reactor that returns only a few ready sockets at a time.

    The kernel rotates the ready sockets, so each gets its turn however many there are.
    """

    def __init__(self, poller: Any) -> None:
        self._poller = poller

    def __getattr__(self, name: str) -> Any:
        return getattr(self._poller, name)

    def poll(self, timeout: float, most: int) -> Any:
        """Wait for at most ``timeout`` seconds. Return ready sockets."""
        return self._poller.poll(timeout, min(most, _SOCKETS_A_TURN))


def take_few_at_a_time(reactor: Any) -> None:
    """Make ``reactor`` handle a few ready sockets in one turn. Do nothing unless it uses epoll."""
    poller = getattr(reactor, "_poller", None)
    if hasattr(poller, "fileno"):  # only Twisted's epoll reactor has one
        reactor._poller = FewAtATime(poller)
