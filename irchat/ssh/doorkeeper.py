"""Sign-in at SSH: its methods, and the identity that each of them proves."""

import asyncio
import base64
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import asyncssh
from asyncssh import auth
from twisted.internet.defer import Deferred

from irchat.client.connect.gate import safe_line
from irchat.client.connect.request_channel import Reply
from irchat.client.connect.server_connection import ServerConnection
from irchat.client.exceptions import ClientError
from irchat.protocol import events, requests
from irchat.protocol.errors import Code
from irchat.protocol.ssh_door import OFFERED_MOST, OfferedKey
from irchat.ssh.algorithms import SIGNATURES
from irchat.ssh.channel_session import ChannelSession
from irchat.ssh.door import Door
from irchat.ssh.identity import Claims, Identity
from irchat.ssh.relayed_connection import RelayedConnection

_REQUESTS_MOST = 30
_CHANNELS_MOST = 10
# Seconds between two looks at a guest who has opened no session.
_GUEST_SECONDS = 60
# Refusals that trying again does not change, so that the user should read them.
_TOLD = (Code.BANNED, Code.TOO_MANY_TRIES)
_SIGNATURES = {name.encode() for name in SIGNATURES}
_KINDS = frozenset({
    "ssh-ed25519", "sk-ssh-ed25519@openssh.com", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521",
    "sk-ecdsa-sha2-nistp256@openssh.com", "ssh-rsa",
})  # fmt: skip
_R = TypeVar("_R")
NewSession = Callable[["Doorkeeper"], ChannelSession]


def take_passwords_as_typed() -> None:
    """Make asyncssh pass on each password as it was typed. The server prepares it (`irchat.text.passwords`).

    asyncssh prepares passwords by SASLprep (RFC 4013). That would change some that the other doors take, such as those
    with a ligature, and it ends the connection at an emoji or a tab.
    """
    auth.saslprep = lambda text: text  # type: ignore[attr-defined, assignment]


class Doorkeeper(asyncssh.SSHServer):
    """The sign-in of one SSH connection. ``identity`` is set when it has succeeded.

    ``offered`` are the keys that the client has offered and that the server may take. ``sessions`` is the number of its
    sessions. ``new_session`` makes one for each channel. ``with_passwords``: an account has a password.
    """

    def __init__(self, door: Door, new_session: NewSession, *, with_passwords: bool) -> None:
        self.identity: Identity | None = None
        self.offered: dict[str, OfferedKey] = {}
        self.sessions = 0
        self._door = door
        self._new_session = new_session
        self._with_passwords = with_passwords
        self._claims = Claims()
        self._requests = 0
        self._held: ServerConnection | None = None

    @property
    def relay(self) -> int:
        """The number of the connection."""
        return self.connection.relay

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        """Begin."""
        assert isinstance(conn, RelayedConnection)
        self.connection = conn

    def connection_lost(self, exc: Exception | None) -> None:
        """End. The sessions end by the loss of their channels."""
        self._claims.reset()
        self.release()

    # Called by the library for each request of sign-in.

    def begin_auth(self, username: str) -> bool:
        """Begin again for another name."""
        self._claims.reset()
        return True

    def public_key_auth_supported(self) -> bool:
        """Return True: keys are a way to sign in."""
        return True

    def password_auth_supported(self) -> bool:
        """Return whether passwords are a way to sign in."""
        return self._with_passwords

    def kbdint_auth_supported(self) -> bool:
        """Return True. The library asks this once for each request that fails, so that is where they are counted."""
        self._count()
        return True

    async def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        """Return whether a key signs in the user. Called with and without a signature."""
        attempt = self._claims.reset()
        kind, fingerprint = key.get_algorithm(), key.get_fingerprint()
        if kind not in _KINDS or (fingerprint not in self.offered and len(self.offered) >= OFFERED_MOST):
            return False
        key.all_sig_algorithms = key.all_sig_algorithms & _SIGNATURES  # RSA has others, with SHA-1
        blob = base64.b64encode(key.public_data).decode()
        self.offered[fingerprint] = OfferedKey(kind, blob)
        reply = await self._ask(requests.KeyOf(user=username, kind=kind, blob=blob))
        return isinstance(reply, events.Ok) and self._claims.put(attempt, Identity(username, fingerprint=fingerprint))

    async def get_kbdint_challenge(self, username: str, lang: str, submethods: str) -> bool:
        """Let everyone in as a guest, who signs in on the screen."""
        self._claims.reset()
        return True

    async def validate_password(self, username: str, password: str) -> bool:
        """Return whether this is the password of an account. A new name creates none."""
        attempt = self._claims.reset()
        self.release()
        try:
            reply = await _in_asyncio(self._log_in(username, password))
        except ClientError:
            return False
        if isinstance(reply, events.Error) and reply.code in _TOLD:
            self.connection.send_auth_banner(f"{safe_line(reply.text)}\n")
        if not isinstance(reply, events.Welcome):
            self.release()
            return False
        return self._claims.put(attempt, Identity(username, token=reply.token))

    def auth_completed(self) -> None:
        """Keep the identity that the method proved."""
        self.identity = self._claims.proved(self.connection.get_extra_info("username"))
        if self.identity.is_guest:
            self._door.clock.callLater(_GUEST_SECONDS, self._watch_guest)

    def session_requested(self) -> ChannelSession | bool:
        """Return a session for a new channel, unless there are too many."""
        if self.identity is None or self.connection.channels >= _CHANNELS_MOST:
            return False
        return self._new_session(self)

    def release(self) -> None:
        """End the session of a sign-in by password, once another one is online."""
        held, self._held = self._held, None
        if held is not None:
            held.close()

    def _watch_guest(self) -> None:
        """Close the connection of a guest without a session. The screen ends a guest who does not sign in."""
        if self.sessions == 0:
            self.connection.close()
        elif not self.connection.is_closed():
            self._door.clock.callLater(_GUEST_SECONDS, self._watch_guest)

    def _count(self) -> None:
        self._requests += 1
        if self._requests > _REQUESTS_MOST and self.identity is None:
            self.connection.disconnect(asyncssh.DISC_NO_MORE_AUTH_METHODS_AVAILABLE, "Too many requests of sign-in")

    async def _ask(self, request: requests.Request) -> Reply:
        try:
            return await _in_asyncio(self._ask_once(request))
        except ClientError:
            return None

    async def _ask_once(self, request: requests.Request) -> Reply:
        connection = await self._door.connect(self.relay)
        try:
            return await self._door.channel(connection).request(request)
        finally:
            connection.close()

    async def _log_in(self, name: str, password: str) -> Reply:
        """Sign in, and stay online until `release`, so that the user does not come and go at once."""
        connection = self._held = await self._door.connect(self.relay)
        return await self._door.channel(connection).request(requests.Login(name=name, password=password))


def _in_asyncio(coroutine: Coroutine[Deferred[Any], Any, _R]) -> "asyncio.Future[_R]":
    """Run a coroutine of Twisted for one of asyncio. Cancelling the future cancels it."""
    return Deferred.fromCoroutine(coroutine).asFuture(asyncio.get_running_loop())
