"""How much of what came over the network the reactor takes in one turn."""

from typing import Any

# To read from a socket and do what was asked takes about 150 us; 10,000 that close at once would be a turn of 250 ms.
_SOCKETS_A_TURN = 32


class FewAtATime:
    """A reactor's epoll that tells of a few ready sockets at a time.

    The kernel goes round among those that are ready, so each has its turn however many they are.
    """

    def __init__(self, poller: Any) -> None:
        self._poller = poller

    def __getattr__(self, name: str) -> Any:
        return getattr(self._poller, name)

    def poll(self, timeout: float, most: int) -> Any:
        """Wait for at most ``timeout`` seconds; gives the sockets that are ready."""
        return self._poller.poll(timeout, min(most, _SOCKETS_A_TURN))


def take_few_at_a_time(reactor: Any) -> None:
    """Have ``reactor`` take a few ready sockets in one turn, where it waits by epoll, which can be asked for few."""
    poller = getattr(reactor, "_poller", None)
    if hasattr(poller, "fileno"):  # of those that Twisted knows epoll alone has one
        reactor._poller = FewAtATime(poller)
