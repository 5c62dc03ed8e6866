"""Connect to a server: TCP, optional TLS, greeting. Each kind of failure has its own error text."""

import ssl
from typing import Any

from twisted.internet import error
from twisted.internet.interfaces import IAddress, IReactorTime, IStreamClientEndpoint
from twisted.internet.protocol import Factory, Protocol

from irchat.client.connect.address import Target
from irchat.client.connect.server_connection import ServerConnection
from irchat.client.exceptions import ClientError, Unencrypted
from irchat.net.tls import TLSLayer
from irchat.protocol.rules import DEFAULT_PORT, shown

# Seconds to wait for the connection, and again for TLS and the greeting.
PATIENCE = 10
# The first byte from a peer that speaks TLS: an alert or a handshake.
_TLS_RECORDS = (b"\x15", b"\x16")
# The first bytes from an IRChat server without TLS.
_GREETING = b"IRChat/"


class Unverified(Exception):
    """The server's certificate could not be verified, for ``reason``."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Dialer:
    """Connect to ``target`` through ``endpoint``."""

    def __init__(self, clock: IReactorTime, endpoint: IStreamClientEndpoint, target: Target) -> None:
        self.target = target
        self._clock = clock
        self._endpoint = endpoint

    async def dial(self, context: ssl.SSLContext | None) -> ServerConnection:
        """Connect, over TLS if there is a ``context``, and wait for the greeting.

        Raises ClientError, or Unverified if ``context`` verifies certificates and refuses this one.
        """
        factory = _Factory(self.target, context)
        try:
            protocol = await self._endpoint.connect(factory)
        except (error.ConnectError, error.DNSLookupError, ValueError) as failure:
            raise ClientError(_explain(failure, self.target)) from failure
        limit = self._clock.callLater(PATIENCE, _give_up, factory.connection, protocol, self._silence())
        try:
            await factory.connection.greeted
        finally:
            if limit.active():
                limit.cancel()
        return factory.connection

    def _silence(self) -> str:
        hint = "" if self.target.tls else " If it speaks TLS, leave out --no-tls."
        return (
            f"No greeting from {self.target.label} within {PATIENCE} seconds, so it is not an IRChat "
            f"server, or it is too busy. Check the host and the port.{hint}"
        )


class _Factory(Factory):
    """Build one connection."""

    noisy = False

    def __init__(self, target: Target, context: ssl.SSLContext | None) -> None:
        self.connection = ServerConnection(target.label)
        self._target = target
        self._context = context

    def buildProtocol(self, addr: IAddress | None) -> Protocol:
        """Return the connection, wrapped in TLS if there is a context."""
        if self._context is None:
            return self.connection
        return _SniffingTLS(self._context, self.connection, self._target)


class _SniffingTLS(TLSLayer):
    """TLS that keeps the first bytes from the peer, to identify a peer that does not speak TLS."""

    def __init__(self, context: ssl.SSLContext, connection: ServerConnection, target: Target) -> None:
        name = target.host.partition("%")[0]  # certificates do not contain the zone of an IPv6 address
        super().__init__(
            context, connection, server_side=False, server_hostname=name, on_failure=self._on_handshake_failed
        )
        self._connection = connection
        self._target = target
        self._first = b""

    def dataReceived(self, data: bytes) -> None:
        """Take bytes from the peer."""
        self._first = self._first or data[:16]
        super().dataReceived(data)

    def _on_handshake_failed(self, failure: ssl.SSLError) -> None:
        if isinstance(failure, ssl.SSLCertVerificationError):
            self._connection.greeted.errback(Unverified(failure.verify_message))
        else:
            self._connection.fail(self._explain(failure))

    def _explain(self, failure: ssl.SSLError) -> ClientError:
        return (
            Unencrypted(self._without_tls())
            if self._first.startswith(_GREETING)
            else ClientError(self._no_tls(failure))
        )

    def _without_tls(self) -> str:
        return (
            f"The server {self._target.label} answers without TLS, or somebody between you and it is reading along. "
            "Nothing was sent.\nAsk the administrator of the server. irchat --help names the option for a server that "
            "runs without TLS on purpose; anybody on the network can then read your password and all messages."
        )

    def _no_tls(self, failure: ssl.SSLError) -> str:
        label = self._target.label
        if self._first[:1] in _TLS_RECORDS:
            return f"The TLS handshake with {label} failed: {failure.reason or failure}."
        return f"{label} does not speak TLS, so it is not an IRChat server. Check the host and the port."


def _give_up(connection: ServerConnection, protocol: Any, why: str) -> None:
    connection.fail(ClientError(why))
    protocol.transport.abortConnection()


def _explain(failure: Exception, target: Target) -> str:
    match failure:
        case error.DNSLookupError() | ValueError():
            return f"There is no host {shown(target.host, 80)!r}. Check the spelling, or use its IP address."
        case error.ConnectionRefusedError():
            port = "" if target.port == DEFAULT_PORT else f" --port {target.port}"
            return (
                f"Nothing is listening at {target.label}. Check the port, or start a server on that machine: "
                f"irchat-server{port}"
            )
        case error.TimeoutError() | error.TCPTimedOutError():
            return (
                f"No answer from {target.label} within {PATIENCE} seconds. Check the address, "
                "that the machine is on, and its firewall."
            )
    return f"No connection to {target.label}: {shown(str(failure), 200)}"
