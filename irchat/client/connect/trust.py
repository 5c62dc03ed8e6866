"""Trust in a server, by a verified certificate or by a fingerprint that the user accepted."""

import ssl
from collections.abc import Callable

from irchat.client.connect.dialer import Dialer
from irchat.client.connect.dialogue import Dialogue
from irchat.client.connect.known_hosts import Known, KnownHosts
from irchat.client.connect.server_connection import VERIFIED, ServerConnection
from irchat.client.connect.tokens import Tokens
from irchat.client.exceptions import ClientError, Unencrypted

_CHANGED = """\
WARNING: THE FINGERPRINT OF {label} IS NOT THE EXPECTED ONE!
Somebody between you and the server may be reading along, or the server has a new certificate.
  expected: {expected}
  now:      {found}
Nothing was sent. Ask the administrator of the server for its fingerprint.
"""
_GIVEN = "The expected one is that of --fingerprint."
_ACCEPTED = "The expected one is the one that you accepted before."
_UNENCRYPTED = """\
WARNING: {label} USED TLS BEFORE, AND THIS CONNECTION WOULD NOT!
Without TLS anybody on the network can read your password and all messages, and impersonate the server.
Nothing was sent. Connect with TLS.
"""
_NO_TLS_ANSWER = """\
WARNING: {label} ANSWERED WITHOUT TLS!
It used TLS before, so somebody between you and the server may be reading along. Nothing was sent.
Ask the administrator of the server, or try from another network.
"""

_ANSWERS = {"yes": True, "y": True, "no": False, "n": False}


class Trust:
    """Make trusted connections. Nothing is sent over a connection before it is trusted.

    ``pinned`` is the fingerprint of --fingerprint. If present, it is the only accepted one. ``warn`` is called with
    problems that do not prevent the connection.
    """

    def __init__(
        self,
        dialer: Dialer,
        known_hosts: KnownHosts,
        tokens: Tokens,
        screen: Dialogue,
        pinned: str | None,
        warn: Callable[[str], None],
    ) -> None:
        self._dialer = dialer
        self._known_hosts = known_hosts
        self._tokens = tokens
        self._screen = screen
        self._pinned = pinned
        self._how_pinned = _GIVEN
        self._warn = warn
        self._label = dialer.target.label

    async def connect(self) -> ServerConnection:
        """Return a connection to the trusted server. Raises ClientError."""
        if not self._dialer.target.tls:
            return await self._connect_unencrypted()
        if self._pinned is not None:
            return await self._dial_pinned(self._pinned, self._how_pinned)
        known = self._known_hosts.find(self._label)
        if known is not None:
            return await self._dial_pinned(known.fingerprint, self._how_known(known))
        try:
            connection = await self._dial(ssl.create_default_context())
        except ssl.SSLCertVerificationError as unverified:
            return await self._meet(unverified.verify_message)
        connection.identity = VERIFIED
        return connection

    async def _connect_unencrypted(self) -> ServerConnection:
        """Return a connection without TLS, but never to a server that used TLS before.

        A hostile network may be the very reason why TLS fails.
        """
        if self._pinned is not None:
            raise ClientError("--fingerprint needs TLS, which has the certificate to compare with. Leave out --no-tls.")
        if (advice := self._if_tls_is_gone()) is not None:
            raise ClientError(_UNENCRYPTED.format(label=self._label) + advice)
        self._screen.note("this connection is not encrypted: anybody on the network can read it")
        return await self._dialer.dial(None)

    async def _dial(self, context: ssl.SSLContext) -> ServerConnection:
        """Return a connection with TLS. Do not suggest --no-tls if a server known to use TLS answers without it."""
        try:
            return await self._dialer.dial(context)
        except Unencrypted as unencrypted:
            advice = self._if_tls_is_gone() if self._pinned is None else self._how_pinned
            if advice is None:
                raise
            raise ClientError(_NO_TLS_ANSWER.format(label=self._label) + advice) from unencrypted

    def _if_tls_is_gone(self) -> str | None:
        """Return how to connect to a server that used TLS before and runs without it now, or None for other servers."""
        path, line = self._tokens.path, self._tokens.line_over_tls(self._label)
        if (known := self._known_hosts.find(self._label)) is not None:
            path, line = self._known_hosts.path, known.line
        if line is None:
            return None
        return (
            "If the administrator of the server has told you that it now runs without TLS, delete line "
            f"{line} of\n  {path}\nand connect again."
        )

    async def _meet(self, reason: str) -> ServerConnection:
        """Show the fingerprint of an unknown server and ask the user to decide, unless it is the one on this machine.

        The connection is closed meanwhile, because servers close connections that do not sign in soon.
        """
        connection = await self._dial(_unverifying())
        fingerprint = connection.fingerprint()
        connection.close()
        if fingerprint == self._dialer.target.fingerprint:  # the server on this machine has written it down
            self._screen.note(f"{self._label} is the server that runs on this machine")
            self._remember(fingerprint)
            return await self.connect()
        if not self._screen.interactive:
            raise ClientError(
                f"The certificate of {self._label} cannot be verified: {reason}. Its fingerprint is\n"
                f"  {fingerprint}\n"
                "Compare it with the one that the server printed when it started. To trust it, add\n"
                f"  --fingerprint {fingerprint}\n"
                "or connect once from a terminal and answer yes."
            )
        await self._question(reason, fingerprint)
        self._remember(fingerprint)
        return await self.connect()

    async def _question(self, reason: str, fingerprint: str) -> None:
        self._screen.note(f"{self._label} is not known yet, and its certificate cannot be verified: {reason}")
        if (line := self._tokens.line_over_tls(self._label)) is not None:
            self._screen.complain(
                f"You signed in here before, when it had another certificate (line {line} of "
                f"{self._tokens.path}): somebody may be between you and the server."
            )
        self._screen.note("compare its fingerprint with the one that the server printed when it started:")
        self._screen.note(f"  {fingerprint}")
        while (answer := (await self._screen.ask("Trust this server? [yes/no] ")).strip().lower()) not in _ANSWERS:
            self._screen.note("type yes if both are the same, or no to leave")
        if not _ANSWERS[answer]:
            raise ClientError("The server is not trusted; nothing was sent to it.")

    def _remember(self, fingerprint: str) -> None:
        """Trust the server from now on, or until the client exits if the file cannot be written."""
        try:
            self._known_hosts.remember(self._label, fingerprint)
            self._screen.note(f"remembered in {self._known_hosts.path}")
        except ClientError as stop:
            self._warn(stop.text)
            self._pinned, self._how_pinned = fingerprint, _ACCEPTED

    async def _dial_pinned(self, expected: str, how_known: str) -> ServerConnection:
        connection = await self._dial(_unverifying())
        found = connection.fingerprint()
        if found != expected:
            connection.close()
            raise ClientError(_CHANGED.format(label=self._label, expected=expected, found=found) + how_known)
        connection.identity = found
        return connection

    def _how_known(self, known: Known) -> str:
        return (
            "If the server is known to have a new certificate, and this is its fingerprint, delete line "
            f"{known.line} of\n  {self._known_hosts.path}\nand connect again."
        )


def _unverifying() -> ssl.SSLContext:
    """Return a TLS context without verification. The fingerprint is compared before anything is sent."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
