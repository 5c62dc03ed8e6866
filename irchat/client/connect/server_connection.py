"""One connection to a server, as lines. The greeting is checked before anything is sent."""

import re
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IPushProducer
from twisted.internet.protocol import connectionDone
from twisted.protocols.basic import LineOnlyReceiver
from twisted.python.failure import Failure
from zope.interface import implementer

from irchat.client.connect.gate import safe_line
from irchat.client.exceptions import ClientError, NoServer
from irchat.net.fingerprints import fingerprint_of
from irchat.net.socket_writer import Outgoing, outgoing_of
from irchat.protocol.rules import PROTOCOL, SERVER_LINE_BYTES, shown

_GREETING = re.compile(r"IRChat/(\d{1,9}) (.*?)(?:: your username\?)?")
_SHOWN_OF_GREETING = 200
# The identity of a server without TLS, and of one whose certificate was verified for its host name.
UNENCRYPTED, VERIFIED = "unencrypted", "verified"


@implementer(IPushProducer)
class ServerConnection(LineOnlyReceiver):
    """Exchange lines of JSON with the server ``label``.

    ``greeted`` fires when the greeting has arrived and ``server_name`` is set, or fails with ClientError. After that,
    ``on_line`` is called with each line of JSON. ``on_lost`` is called once, with the reason as a ClientError, unless
    `close` ended the connection, which calls ``on_closed``. ``paused``: reading from the server is paused.

    ``identity`` is the server's identity, for secrets that no other server may get: UNENCRYPTED, VERIFIED, or the
    fingerprint of its certificate.
    """

    transport: Any
    delimiter = b"\n"
    MAX_LENGTH = SERVER_LINE_BYTES + 1_024

    def __init__(self, label: str) -> None:
        self.greeted: Deferred[None] = Deferred()
        self.on_line: Callable[[bytes], None] = lambda line: None
        self.on_lost: Callable[[ClientError], None] = lambda why: None
        self.on_closed: Callable[[], None] = lambda: None
        self.paused = False
        self.server_name: str | None = None
        self.identity = UNENCRYPTED
        self._label = label
        self._over = False
        self._outgoing: Outgoing | None = None
        self._closed: Deferred[None] = Deferred()
        self._drained: list[Deferred[None]] = []

    @property
    def is_over(self) -> bool:
        """Whether the connection was closed or lost."""
        return self._over

    def fingerprint(self) -> str:
        """Return the fingerprint of the server's certificate. The connection must use TLS."""
        return fingerprint_of(self.transport.peer_certificate())

    def send(self, line: bytes) -> None:
        """Send a line, which ends with a line feed."""
        if self._outgoing is not None and not self._over:
            self._outgoing.send(line)

    def drained(self) -> Deferred[None]:
        """Return a Deferred that fires when all output has reached the kernel, or the connection is lost."""
        if self._outgoing is None or self._over or self._outgoing.idle:
            return succeed(None)
        self._drained.append(Deferred())
        return self._drained[-1]

    def close(self) -> Deferred[None]:
        """Close the connection after all output is sent. Return a Deferred that fires when it is closed."""
        if self._outgoing is not None and not self._over:
            self._over = True
            self.on_closed()
            self._outgoing.close()
        return self._closed

    def fail(self, why: ClientError) -> None:
        """Close the connection at once. ``why`` is shown to the user."""
        if self._over:
            return
        if self._outgoing is not None:
            self._outgoing.abort()
        self._end(why)

    # Called by Twisted.

    def connectionMade(self) -> None:
        """Begin. The connection is open and any TLS handshake is done."""
        self._outgoing = outgoing_of(self.transport)
        self._outgoing.on_drained = self._on_drained

    def lineReceived(self, line: bytes) -> None:
        """Handle a line without its line end."""
        if self._over:
            return
        if self.server_name is None:
            self._greet(line.removesuffix(b"\r"))
        elif line.startswith(b"{"):
            self.on_line(line)

    def lineLengthExceeded(self, line: bytes) -> None:
        """Fail: the line exceeds the limit of the protocol."""
        too_long = f"{self._label} sent a line longer than the protocol allows. Check the host and the port."
        self.fail(self._not_irchat() if self.server_name is None else ClientError(too_long))

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Report why the connection was lost, unless we closed it."""
        if not self._over:
            self._end(self._not_irchat() if self.server_name is None else self._gone(reason))
        self._on_drained()
        self._closed.callback(None)

    def pauseProducing(self) -> None:
        """Pause reading from the server, because our own output is not being read."""
        self.paused = True
        self.transport.pauseProducing()

    def resumeProducing(self) -> None:
        """Resume reading from the server."""
        self.paused = False
        self.transport.resumeProducing()

    def stopProducing(self) -> None:
        """Do nothing: the client ends by itself when its output is no longer read."""

    def _on_drained(self) -> None:
        waiting, self._drained = self._drained, []
        for drained in waiting:
            drained.callback(None)

    def _end(self, stop: ClientError) -> None:
        self._over = True
        if self.server_name is None:
            self.greeted.errback(stop)
        else:
            self.on_lost(stop)

    def _greet(self, line: bytes) -> None:
        if not line:
            return
        match = _GREETING.fullmatch(line.decode("utf-8", "replace"))
        if match is None:
            self.fail(self._not_irchat())
        elif (version := int(match[1])) != PROTOCOL:
            versions = f"{self._label} speaks version {version} of the protocol, this client version {PROTOCOL}."
            self.fail(ClientError(f"{versions} Install the version of IRChat that the server runs."))
        else:
            self.server_name = safe_line(shown(match[2], _SHOWN_OF_GREETING))
            self.greeted.callback(None)

    def _not_irchat(self) -> ClientError:
        return NoServer(f"{self._label} is not an IRChat server. Check the host and the port.")

    def _gone(self, reason: Failure) -> ClientError:
        # After the TLS close alert, a reset of the socket is not worth reporting.
        in_order = reason.check(ConnectionDone) or self.transport.disconnecting
        how = "" if in_order else f" ({shown(reason.getErrorMessage(), 200).rstrip('.')})"
        return ClientError(f"The server {self._label} has gone away{how}. Start the client again to reconnect.")
