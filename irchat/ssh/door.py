"""Connections back to the server, one for each session of an SSH connection."""

from collections.abc import Sequence

from twisted.internet import defer, error
from twisted.internet.endpoints import connectProtocol
from twisted.internet.interfaces import IReactorTime, IStreamClientEndpoint

from irchat.client.connect.request_channel import RequestChannel
from irchat.client.connect.server_connection import ServerConnection
from irchat.client.exceptions import ClientError
from irchat.protocol.ssh_door import DoorHello, OfferedKey, encode

# Seconds to wait for the greeting.
_PATIENCE = 10
_UNREACHABLE = "The server does not answer. Try again later."


class Door:
    """Connect to the server through ``endpoint``. ``name``: that of the server."""

    def __init__(self, clock: IReactorTime, endpoint: IStreamClientEndpoint, name: str) -> None:
        self.clock = clock
        self.name = name
        self._endpoint = endpoint

    async def connect(self, relay: int, keys: Sequence[OfferedKey] = ()) -> ServerConnection:
        """Return a connection for a session of the SSH connection ``relay``, which offered ``keys``.

        Raises ClientError.
        """
        connection = ServerConnection(self.name)
        try:
            await connectProtocol(self._endpoint, connection)
        except (error.ConnectError, OSError) as failure:
            raise ClientError(_UNREACHABLE) from failure
        connection.send(encode(DoorHello("ssh", relay, list(keys))))
        try:
            await connection.greeted.addTimeout(_PATIENCE, self.clock)
        except defer.TimeoutError as silence:
            connection.fail(ClientError(_UNREACHABLE))
            raise ClientError(_UNREACHABLE) from silence
        except BaseException:
            connection.close()
            raise
        return connection

    def channel(self, connection: ServerConnection) -> RequestChannel:
        """Return the requests of a connection. The loss of the connection fails them."""
        return RequestChannel(self.clock, connection, lambda event: None, lambda why: None)
