"""Whether a server is the one that is meant: by its certificate, or by a fingerprint that the user trusts."""

import ssl

from irchat.client.connection import Connection
from irchat.client.dialer import Dialer, Unverified
from irchat.client.dialogue import Dialogue
from irchat.client.known_hosts import Known, KnownHosts
from irchat.client.stop import Stop

_WARNING = """\
WARNING: THE FINGERPRINT OF {label} IS NOT THE EXPECTED ONE!
Somebody may be between you and the server, to read along; or the server has a new certificate.
  expected: {expected}
  now:      {found}
Nothing was sent. Ask whoever runs the server which fingerprint it has.
"""
_GIVEN = "The expected one is that of --fingerprint."

_ANSWERS = {"yes": True, "y": True, "no": False, "n": False}


class Trust:
    """Makes trusted connections. Nothing is sent on one that is not trusted yet.

    ``pinned`` is the one fingerprint that the user accepts, where one was given.
    """

    def __init__(self, dialer: Dialer, known_hosts: KnownHosts, screen: Dialogue, pinned: str | None) -> None:
        self._dialer = dialer
        self._known_hosts = known_hosts
        self._screen = screen
        self._pinned = pinned
        self._label = dialer.target.label

    async def connect(self) -> Connection:
        """A connection to the server that is meant. Raises Stop."""
        if not self._dialer.target.tls:
            if self._pinned is not None:
                raise Stop("--fingerprint needs TLS: without it there is no certificate to compare with.")
            self._screen.note("this connection is not encrypted: whoever can listen to the network can read it")
            return await self._dialer.dial(None)
        if self._pinned is not None:
            return await self._dial_pinned(self._pinned, _GIVEN)
        known = self._known_hosts.find(self._label)
        if known is not None:
            return await self._dial_pinned(known.fingerprint, self._how_known(known))
        try:
            return await self._dialer.dial(_verifying())
        except Unverified as unverified:
            return await self._meet(unverified.reason)

    async def _meet(self, reason: str) -> Connection:
        """The first time: show the fingerprint and let the user decide.

        The connection that told it is closed meanwhile, for a server does not wait long for a sign-in.
        """
        connection = await self._dialer.dial(_unverifying())
        fingerprint = connection.fingerprint()
        connection.close()
        if not self._screen.interactive:
            raise Stop(
                f"The certificate of {self._label} cannot be verified: {reason}. Its fingerprint is\n"
                f"  {fingerprint}\n"
                "Compare it with the one that the server printed when it started. To trust it, add\n"
                f"  --fingerprint {fingerprint}\n"
                "or connect once from a terminal and answer yes."
            )
        await self._question(reason, fingerprint)
        remembered = self._known_hosts.remember(self._label, fingerprint)
        self._screen.note(f"remembered in {self._known_hosts.path}")
        return await self._dial_pinned(fingerprint, self._how_known(remembered))

    async def _question(self, reason: str, fingerprint: str) -> None:
        self._screen.note(f"{self._label} is not known yet, and its certificate cannot be verified: {reason}")
        self._screen.note("compare its fingerprint with the one that the server printed when it started:")
        self._screen.note(f"  {fingerprint}")
        while (answer := (await self._screen.ask("Trust this server? [yes/no] ")).strip().lower()) not in _ANSWERS:
            self._screen.note("type yes if both are the same, or no to leave")
        if not _ANSWERS[answer]:
            raise Stop("The server is not trusted; nothing was sent to it.")

    async def _dial_pinned(self, expected: str, how_known: str) -> Connection:
        connection = await self._dialer.dial(_unverifying())
        found = connection.fingerprint()
        if found != expected:
            connection.close()
            warning = _WARNING.format(label=self._label, expected=expected, found=found)
            raise Stop(warning + how_known)
        return connection

    def _how_known(self, known: Known) -> str:
        return (
            "If the server is known to have a new certificate, and this is its fingerprint, delete line "
            f"{known.line} of\n  {self._known_hosts.path}\nand connect again."
        )


def _verifying() -> ssl.SSLContext:
    return ssl.create_default_context()


def _unverifying() -> ssl.SSLContext:
    """For connections whose certificate is compared with a fingerprint before anything is sent."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
