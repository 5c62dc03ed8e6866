"""Connect to a server: TCP, optional TLS, greeting. Each kind of failure has its own error text."""

import ssl

from twisted.internet import defer, error
from twisted.internet.endpoints import connectProtocol
from twisted.internet.interfaces import IReactorTime, IStreamClientEndpoint

from irchat.client.connect.address import Target
from irchat.client.connect.server_connection import ServerConnection
from irchat.client.exceptions import ClientError, NoServer, Unencrypted
from irchat.net.tls import TLSLayer
from irchat.protocol.rules import DEFAULT_PORT, shown

# Seconds to wait for the connection, and again for TLS and the greeting.
PATIENCE = 10
# The first byte from a peer that speaks TLS: an alert or a handshake.
_TLS_RECORDS = (b"\x15", b"\x16")
# The first bytes from an IRChat server without TLS.
_GREETING = b"IRChat/"


class Dialer:
    """Connect to ``target`` through ``endpoint``."""

    def __init__(self, clock: IReactorTime, endpoint: IStreamClientEndpoint, target: Target) -> None:
        self.target = target
        self._clock = clock
        self._endpoint = endpoint

    async def dial(self, context: ssl.SSLContext | None) -> ServerConnection:
        """Connect, over TLS if there is a ``context``, and wait for the greeting.

        Raises ClientError, or SSLCertVerificationError if ``context`` verifies certificates and refuses this one.
        """
        connection = ServerConnection(self.target.label)
        try:
            outer = connection if context is None else _SniffingTLS(context, connection, self.target)
            await connectProtocol(self._endpoint, outer)
        except (error.ConnectError, error.DNSLookupError, ValueError) as failure:
            raise NoServer(_explain(failure, self.target)) from failure
        try:
            await connection.greeted.addTimeout(PATIENCE, self._clock)
        except defer.TimeoutError as silence:
            outer.transport.abortConnection()
            hint = "" if self.target.tls else " If it speaks TLS, leave out --no-tls."
            raise NoServer(
                f"No greeting from {self.target.label} within {PATIENCE} seconds, so it is not an IRChat "
                f"server, or it is too busy. Check the host and the port.{hint}"
            ) from silence
        return connection


class _SniffingTLS(TLSLayer):
    """TLS that keeps the first bytes from the peer, to identify a peer that does not speak TLS."""

    def __init__(self, context: ssl.SSLContext, connection: ServerConnection, target: Target) -> None:
        name = target.host.partition("%")[0]  # certificates do not contain the zone of an IPv6 address
        super().__init__(
            context,
            lambda alpn: connection,
            server_side=False,
            server_hostname=name,
            on_failure=self._on_handshake_failed,
        )
        self._connection = connection
        self._label = target.label
        self._first = b""

    def dataReceived(self, data: bytes) -> None:
        """Take bytes from the peer."""
        self._first = self._first or data[:16]
        super().dataReceived(data)

    def _on_handshake_failed(self, failure: ssl.SSLError) -> None:
        if isinstance(failure, ssl.SSLCertVerificationError):
            self._connection.greeted.errback(failure)
        else:
            self._connection.fail(self._explain(failure))

    def _explain(self, failure: ssl.SSLError) -> ClientError:
        if self._first.startswith(_GREETING):
            return Unencrypted(
                f"The server {self._label} answers without TLS, or somebody between you and it is reading along. "
                "Nothing was sent.\nAsk the administrator of the server. irchat --help names the option for a server "
                "that runs without TLS on purpose; anybody on the network can then read your password and all messages."
            )
        if not self._first:
            return NoServer(
                f"{self._label} closed the connection at once: no server runs behind it now, or it accepts no more "
                "connections from this address. Try again later, and check the host and the port."
            )
        if self._first[:1] in _TLS_RECORDS:
            return NoServer(
                f"The TLS handshake with {self._label} failed: {failure.reason or failure}. "
                "Ask the administrator of the server."
            )
        return NoServer(
            f"{self._label} does not speak TLS, so it is not an IRChat server. Check the host and the port."
        )


def _explain(failure: Exception, target: Target) -> str:
    match failure:
        case error.DNSLookupError() | ValueError():
            return f"There is no host {shown(target.host, 80)!r}. Check the spelling, or use its IP address."
        case error.ConnectionRefusedError():
            server = "irchat-server" if target.port == DEFAULT_PORT else f"irchat-server --port {target.port}"
            return (
                f"Nothing is listening at {target.label}. Check the port, or start a server on that machine: {server}"
            )
        case error.TimeoutError() | error.TCPTimedOutError():
            return (
                f"No answer from {target.label} within {PATIENCE} seconds. Check the address, "
                "that the machine is on, and its firewall."
            )
    return f"No connection to {target.label}: {shown(str(failure), 200)}"
