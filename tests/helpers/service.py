"""The service in the process of a test: its options, its terminal, a client, and the signal that it takes."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from twisted.internet import defer
from twisted.internet.defer import Deferred
from twisted.internet.protocol import connectionDone
from twisted.protocols.basic import LineReceiver
from twisted.python.failure import Failure

from irchat.tap import Options


def options_of(*arguments: str) -> Options:
    """Return the options in these arguments."""
    options = Options()
    options.parseOptions(list(arguments))
    return options


@contextmanager
def sighup_kept() -> Iterator[None]:
    """Restore the handler of SIGHUP. A stopped service ignores it, and so would clients that later tests start."""
    before = signal.getsignal(signal.SIGHUP)
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)


class Client(LineReceiver):
    """Keeps the lines that it receives."""

    delimiter = b"\n"

    def __init__(self) -> None:
        self.lines: defer.DeferredQueue[bytes] = defer.DeferredQueue()
        self.lost: Deferred[None] = Deferred()

    def lineReceived(self, line: bytes) -> None:
        self.lines.put(line)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.lost.callback(None)

    async def next(self, start: bytes) -> bytes:
        """Return the next line that starts with ``start``, and drop those before it."""
        while not (line := await self.lines.get()).startswith(start):
            pass
        return line


class Terminal:
    """Keeps the messages of the start. A failure raises SystemExit."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.announce = self.said.append

    def show_progress(self, text: str) -> None:
        """Do nothing."""

    def fail(self, line: str) -> NoReturn:
        raise SystemExit(line)
