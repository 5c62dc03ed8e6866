"""The administrator's door to a running server: a socket in the data folder that only its owner can open.

One JSON object a line each way; see `irchat.admin` for who asks.
"""

from typing import Any

import msgspec
from twisted.internet.defer import Deferred
from twisted.internet.protocol import ServerFactory
from twisted.logger import Logger
from twisted.protocols.basic import LineReceiver
from twisted.python.failure import Failure

from irchat.accounts import Accounts
from irchat.errors import Refusal

SOCKET_FILE = "control.sock"

_log = Logger()


class AddUser(msgspec.Struct, frozen=True, tag_field="command", tag="add-user"):
    """Make an account, whether registration is open or not."""

    name: str
    password: str


class Answer(msgspec.Struct, frozen=True):
    """What came of a command: ``error`` is empty where it was done."""

    error: str = ""


class Control(LineReceiver):
    """One connection of the administrator."""

    delimiter = b"\n"

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    def lineReceived(self, line: bytes) -> None:
        """A command came."""
        try:
            command = msgspec.json.decode(line, type=AddUser)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            self._answer(Answer(error="this server does not know that command; is it of another version?"))
            return
        Deferred.fromCoroutine(self._accounts.add(command.name, command.password)).addCallbacks(
            lambda _: self._answer(Answer()), self._failed
        )

    def _failed(self, failure: Failure) -> None:
        if isinstance(failure.value, Refusal):
            self._answer(Answer(error=failure.value.text))
        else:
            _log.failure("a command of the administrator failed", failure)
            self._answer(Answer(error="the server met an error of its own; its log says more"))

    def _answer(self, answer: Answer) -> None:
        transport: Any = self.transport
        transport.write(msgspec.json.encode(answer) + b"\n")


class ControlFactory(ServerFactory):
    """Builds a `Control` for each connection to the socket."""

    noisy = False

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    def buildProtocol(self, addr: Any) -> Control:
        """A connection of the administrator."""
        return Control(self._accounts)
