"""The control socket, which connects the administrator to a running server. Only the owner of its folder can open it.

A command is one line of JSON. The answer is also one line, possibly after lines with progress. The commands are in
`irchat.chat.accounts.administration`. The client is `irchat.admin`.
"""

from typing import Any

import msgspec
from twisted.internet.defer import Deferred
from twisted.internet.protocol import ServerFactory
from twisted.logger import Logger
from twisted.protocols.basic import LineReceiver
from twisted.python.failure import Failure

from irchat.chat.accounts.administration import Administration, Answer, AnyAdminRequest, Progress
from irchat.protocol.errors import Refusal

SOCKET_FILE = "control.sock"

_log = Logger()


class Control(LineReceiver):
    """A connection of the administrator."""

    transport: Any
    delimiter = b"\n"
    MAX_LENGTH = 65_536

    def __init__(self, administration: Administration) -> None:
        self._administration = administration

    def lineReceived(self, line: bytes) -> None:
        """Run a command and answer it."""
        try:
            command: AnyAdminRequest = msgspec.json.decode(line, type=AnyAdminRequest)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            self._say(Answer(error="this server does not know that command; it may run another version: restart it"))
            return
        running = self._administration.run(command, lambda text: self._say(Progress(text)))
        Deferred.fromCoroutine(running).addCallbacks(lambda result: self._say(Answer(result=result)), self._failed)

    def lineLengthExceeded(self, line: bytes) -> None:
        """Refuse an overlong command and close the connection."""
        self._say(Answer(error=f"a command has at most {self.MAX_LENGTH:,} bytes; shorten the name or the reason"))
        self.transport.loseConnection()

    def _failed(self, failure: Failure) -> None:
        if isinstance(failure.value, Refusal):
            self._say(Answer(error=failure.value.text))
        else:
            _log.failure("a command of the administrator failed", failure)
            self._say(Answer(error="internal error; see the log of the server"))

    def _say(self, line: Answer | Progress) -> None:
        self.transport.write(msgspec.json.encode(line) + b"\n")


class ControlFactory(ServerFactory):
    """Creates a `Control` for each connection to the socket."""

    noisy = False

    def __init__(self, administration: Administration) -> None:
        self._administration = administration

    def buildProtocol(self, addr: Any) -> Control:
        """Return a new connection."""
        return Control(self._administration)
