"""The port for clients."""

import errno
from types import SimpleNamespace
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from irchat.server.listeners.chat_port import ChatPort
from irchat.server.listeners.listener import CannotBind


class ChatPortTests(SynchronousTestCase):
    """`ChatPort`."""

    def setUp(self) -> None:
        """Open a port."""
        self.clock = Clock()
        self.asked: list[int] = []
        self.open = 0
        self.error: Exception | None = None
        self.port = ChatPort(self._listen, 0, self.clock)

    def _listen(self, number: int) -> Any:
        self.asked.append(number)
        if self.error is not None:
            raise self.error
        self.open += 1
        return SimpleNamespace(getHost=lambda: SimpleNamespace(port=number or 4_000), stopListening=self._stop)

    def _stop(self) -> None:
        self.open -= 1

    def test_reasons(self) -> None:
        """It is closed while any reason stands, and opens on the same number."""
        self.assertEqual((self.port.number, self.port.is_open), (4_000, True))
        self.port.set_closed("a", True)
        self.port.set_closed("b", True)
        self.port.set_closed("a", True)
        self.assertEqual((self.open, self.port.is_open), (0, False))
        self.port.set_closed("a", False)
        self.assertFalse(self.port.is_open)
        self.port.set_closed("b", False)
        self.port.set_closed("b", False)
        self.assertEqual((self.asked, self.open, self.port.is_open), ([0, 4_000], 1, True))

    def test_taken(self) -> None:
        """If the number is taken meanwhile, it tries again each second, until it is stopped."""
        self.port.set_closed("a", True)
        self.error = CannotBind(errno.EADDRINUSE, "Address already in use")
        self.port.set_closed("a", False)
        self.clock.pump([1.0] * 3)
        self.assertEqual(len(self.asked), 5)
        self.error = None
        self.clock.advance(1)
        self.assertTrue(self.port.is_open)
        self.successResultOf(self.port.stop())
        self.assertEqual(self.open, 0)

    def test_closed_again(self) -> None:
        """A new reason ends the attempts to open."""
        self.port.set_closed("a", True)
        self.error = CannotBind(errno.EADDRINUSE, "Address already in use")
        self.port.set_closed("a", False)
        self.port.set_closed("b", True)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_cannot_open(self) -> None:
        """The first attempt raises the error."""
        self.error = CannotBind(errno.EADDRINUSE, "Address already in use")
        self.assertRaises(CannotBind, ChatPort, self._listen, 1, self.clock)
