"""The conformance cases of kosoku, which are those of Autobahn, against an echo of `WebSocketLayer`."""

import re
import shutil
import sys
import tempfile
from importlib.util import find_spec
from typing import Any

import pytest
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Protocol, ServerFactory, connectionDone
from twisted.internet.utils import getProcessOutputAndValue
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase
from websockets.frames import Frame, Opcode

from irchat.net.socket_writer import Outgoing, outgoing_of
from irchat.net.websocket_layer import WebSocketLayer
from irchat.server.listeners.web.request_heads import cut, parse
from tests.helpers.services import missing

# Speed with messages of up to 16 MB, and compression, which is never agreed.
_LEFT_OUT = ("9.*", "12.*", "13.*")
# Binary messages end the connection, for they cannot be JSON. In 7.1.5 a message is unfinished when the peer closes:
# the library answers with 1002, and not with the code of the peer.
_DIFFERENT = {"7.1.5", *(f"1.2.{number}" for number in range(1, 9))}
_RUN = "from kosoku._cli import main; main()"


class _Echo(Protocol):
    """Returns each message, without the line end that the layer added."""

    def __init__(self, below: Outgoing) -> None:
        self._below = below

    def dataReceived(self, data: bytes) -> None:
        self._below.send(Frame(Opcode.TEXT, data[:-1]).serialize(mask=False))


class _Connection(Protocol):
    transport: Any
    _unread = b""
    _layer: WebSocketLayer | None = None

    def dataReceived(self, data: bytes) -> None:
        if self._layer is not None:
            self._layer.received(data)
            return
        head_bytes, self._unread = cut(self._unread + data)
        if head_bytes is None:
            return
        head, below = parse(head_bytes), outgoing_of(self.transport)
        head.protocol.send_response(head.protocol.accept(head.request))
        below.send(b"".join(head.protocol.data_to_send()))
        clock: Any = reactor
        self._layer = WebSocketLayer(head.protocol, below, self.transport, _Echo(below), clock)
        self._layer.start()
        self._layer.received(self._unread)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self._layer is not None:
            self._layer.lost(reason)


@pytest.mark.slow
class ConformanceTests(TestCase):
    """`WebSocketLayer` and `parse` on a real port."""

    async def test_cases(self) -> None:
        """All cases pass but those of binary messages, and one whose close code differs."""
        if find_spec("kosoku") is None:
            missing("kosoku")
        folder = tempfile.mkdtemp(prefix="irchat-")
        self.addCleanup(shutil.rmtree, folder)
        listening: Any = reactor
        port = listening.listenTCP(0, ServerFactory.forProtocol(_Connection), interface="127.0.0.1")
        self.addCleanup(port.stopListening)
        without = [word for case in _LEFT_OUT for word in ("-x", case)]
        arguments = [f"ws://127.0.0.1:{port.getHost().port}", *without, "-p", "8", "-o", folder]
        command: Deferred[Any] = getProcessOutputAndValue(sys.executable, ["-c", _RUN, *arguments])
        output, errors, _ = await command
        said = (output + errors).decode()
        self.assertIn("247 cases", said)
        self.assertEqual(set(re.findall(r"^  ([0-9.]+): ", said, re.MULTILINE)), _DIFFERENT, said)
