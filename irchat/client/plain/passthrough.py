"""``--json``: copy lines of JSON between standard input, the server and standard output, unchanged."""

from twisted.internet.defer import Deferred

from irchat.client.connect.server_connection import ServerConnection
from irchat.client.exceptions import ClientError
from irchat.client.plain.console import Console
from irchat.protocol import requests, wire

_LAST = "irchat-last"


class PassThrough:
    """Connect a bot to the server. The bot's lines are not checked, only searched for a ``logout``.

    At the end of the input, the client itself sends a ``logout``. The reply to that ends the client and is not shown.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._leaving = False
        self._left: Deferred[None] = Deferred()

    async def run(self, connection: ServerConnection) -> None:
        """Copy lines until one side ends. Raises ClientError if the server closes without a logout."""
        connection.on_line = self._show
        connection.on_lost = self._lost
        self._console.pace(connection)
        try:
            await self._pass_input(connection)
        except ClientError:
            if not self._leaving:
                raise
        else:
            self._leaving = True
            connection.send(wire.encode_request(requests.Logout(ref=_LAST)))
            await self._left

    async def _pass_input(self, connection: ServerConnection) -> None:
        while (line := await self._console.read_line()) is not None:
            self._leaving = self._leaving or _is_logout(line)
            connection.send(line + b"\n")
            await connection.drained()

    def _show(self, line: bytes) -> None:
        if self._leaving and _LAST.encode() in line and _is_last(line):
            self._end()
        else:
            self._console.write(line + b"\n")

    def _lost(self, stop: ClientError) -> None:
        self._console.break_off(stop)
        self._end()

    def _end(self) -> None:
        if not self._left.called:
            self._left.callback(None)


def _is_logout(line: bytes) -> bool:
    try:
        return isinstance(wire.decode_request(line), requests.Logout)
    except wire.BadLine:
        return False


def _is_last(line: bytes) -> bool:
    try:
        return wire.reply_ref(line) == _LAST
    except ValueError:
        return False
