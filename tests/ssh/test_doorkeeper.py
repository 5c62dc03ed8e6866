"""Sign-in at SSH, with a client of the library, and by the callbacks alone."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import asyncssh
from asyncssh import auth
from twisted.trial.unittest import SynchronousTestCase

from irchat.protocol import events, requests
from irchat.ssh.doorkeeper import Doorkeeper, take_passwords_as_typed
from irchat.ssh.identity import Identity
from irchat.ssh.relayed_connection import RelayedConnection
from tests.helpers.ssh_peers import FakeDoor, offered, ssh_client, write_host_key

_KEY = asyncssh.generate_private_key("ssh-ed25519")
_OTHER = asyncssh.generate_private_key("ssh-ed25519")
_PASSWORD = "correct horse"


class _Liar(asyncssh.SSHClient):
    """A client that offers a public key whose private half it lacks, and then goes on with what it has."""

    def __init__(self, *keys: Any) -> None:
        self._keys = list(keys)

    def public_key_auth_requested(self) -> Any:
        return self._keys.pop(0) if self._keys else None

    def kbdint_auth_requested(self) -> str | None:
        return ""

    def kbdint_challenge_received(self, name: str, instructions: str, lang: str, prompts: Any) -> Any:
        return []


class _Forged(asyncssh.SSHKeyPair):
    """The public half of one key, with signatures by another."""

    def __init__(self, public: asyncssh.SSHKey, signer: asyncssh.SSHKey) -> None:
        algorithm = public.algorithm
        super().__init__(algorithm, algorithm, [algorithm], [algorithm], public.public_data, b"")
        self._signer = signer

    def sign(self, data: bytes) -> bytes:
        return self._signer.sign(data, self._signer.algorithm)


class DoorkeeperCase(SynchronousTestCase):
    """A doorkeeper with a fake server behind it."""

    def setUp(self) -> None:
        self.door = FakeDoor()
        self.sessions: list[Any] = []
        self.host_key = write_host_key(Path(self.mktemp()))
        self.keeper = self.new_keeper()

    def new_keeper(self, *, with_passwords: bool = True) -> Doorkeeper:
        """Return another doorkeeper."""
        return Doorkeeper(self.door, self.sessions.append, with_passwords=with_passwords)  # type: ignore[arg-type]

    def signed_in(self, **options: Any) -> Identity | None:
        """Connect with a client of the library. Return the identity, None if the sign-in was refused."""

        async def connect() -> None:
            try:
                async with ssh_client(self.host_key, self.keeper, **options):
                    pass
            except (asyncssh.PermissionDenied, asyncssh.ConnectionLost, asyncssh.DisconnectError):
                return

        asyncio.run(connect())
        return self.keeper.identity


class MethodTests(DoorkeeperCase):
    """The methods, by a client."""

    def test_key(self) -> None:
        """A key of the user signs in, and the server gets the relay and the key."""
        self.assertEqual(self.signed_in(client_keys=[_KEY]), Identity("alice", fingerprint=_KEY.get_fingerprint()))
        key = offered(_KEY)
        self.assertEqual(self.door.asked[0], requests.KeyOf(ref=1, user="alice", kind=key.kind, blob=key.blob))
        self.assertEqual(self.door.hellos[0], (7, []))
        self.assertEqual(list(self.keeper.offered.values()), [key])
        self.assertTrue(all(transport.disconnecting for transport in self.door.transports))

    def test_forged_key(self) -> None:
        """The public key alone makes a guest: neither a query nor a bad signature leaves a trace."""
        liar = _Liar(_Forged(_KEY, _OTHER))
        identity = self.signed_in(client_keys=(), client_factory=lambda: liar)
        self.assertEqual(identity, Identity("alice"))
        self.assertGreaterEqual(len(self.door.asked), 2)  # the query, and the bad signature

    def test_guest(self) -> None:
        """Without a key, everyone is a guest, without a question."""
        self.assertEqual(self.signed_in(username="bob", client_factory=_Liar), Identity("bob"))
        self.assertEqual(self.door.asked, [])

    def test_password(self) -> None:
        """The password of the account signs in, and stays online until a session is."""
        only = {"preferred_auth": "password", "password": _PASSWORD}
        self.assertEqual(self.signed_in(**only), Identity("alice", token="token"))
        self.assertTrue(all(transport.disconnecting for transport in self.door.transports))
        self.keeper = self.new_keeper()
        self.assertIsNone(self.signed_in(**{**only, "password": "wrong horse"}))
        self.keeper = self.new_keeper()
        self.assertIsNone(self.signed_in(**only, username="new"))
        self.keeper = self.new_keeper(with_passwords=False)
        self.assertIsNone(self.signed_in(**only))

    def test_password_as_typed(self) -> None:
        """The server gets each password as it was typed, also one with an emoji, a tab or a ligature."""
        self.patch(auth, "saslprep", auth.saslprep)
        take_passwords_as_typed()
        asked: list[Any] = []

        def answer(request: Any) -> Any:
            asked.append(request)
            return events.Error("bad-credentials", "no")

        self.door.answer = answer
        typed = ["\U0001f9d1\u200d\U0001f680 secret", "a tab\there", "\ufb01ne \u2460 word", "cafe\u0301 password"]
        for password in typed:
            self.keeper = self.new_keeper()
            self.assertIsNone(self.signed_in(preferred_auth="password", password=password))
        self.assertEqual([request.password for request in asked], typed)

    def test_server_is_gone(self) -> None:
        """Without the server, nobody but a guest gets in."""
        self.door.is_down = True
        self.assertIsNone(self.signed_in(preferred_auth="password", password=_PASSWORD))
        self.keeper = self.new_keeper()
        self.assertIsNone(self.signed_in(client_keys=[_KEY], preferred_auth="publickey"))


class CallbackTests(DoorkeeperCase):
    """The callbacks of the library, in the order of hostile clients."""

    def setUp(self) -> None:
        """Give the doorkeeper a connection."""
        super().setUp()
        self.disconnected: list[str] = []
        self.banners: list[str] = []
        self.name = "alice"
        self.closed = 0
        case = self

        class Connection(RelayedConnection):
            def __init__(self) -> None:
                self.relay = 7
                self.channels = 0

            def close(self) -> None:
                case.closed += 1

            def is_closed(self) -> bool:
                return False

            def get_extra_info(self, name: str, default: Any = None) -> Any:
                return case.name

            def disconnect(self, code: int, reason: str, lang: str = "") -> None:
                case.disconnected.append(reason)

            def send_auth_banner(self, msg: str, lang: str = "") -> None:
                case.banners.append(msg)

        self.keeper.connection_made(Connection())

    def do(self, *calls: Callable[[], Awaitable[Any]]) -> list[Any]:
        """Call callbacks one after another."""

        async def run() -> list[Any]:
            return [await call() for call in calls]

        return asyncio.run(run())

    def key(self, user: str = "alice", key: asyncssh.SSHKey = _KEY) -> Callable[[], Awaitable[bool]]:
        """Return the callback of a request with a key."""
        return lambda: self.keeper.validate_public_key(user, key.convert_to_public())

    def guest(self, user: str = "alice") -> Callable[[], Awaitable[bool]]:
        """Return the callback of keyboard-interactive."""
        return lambda: self.keeper.get_kbdint_challenge(user, "", "")

    def password(self, password: str, user: str = "alice") -> Callable[[], Awaitable[bool]]:
        """Return the callback of a password."""
        return lambda: self.keeper.validate_password(user, password)

    def completed(self) -> Identity | None:
        """Return the identity after the last method has succeeded."""
        self.keeper.auth_completed()
        return self.keeper.identity

    def test_key_then_guest(self) -> None:
        """A key that was asked for, or refused for its signature, does not count for another method."""
        self.assertEqual(self.do(self.key(), self.guest()), [True, True])
        self.assertEqual(self.completed(), Identity("alice"))

    def test_password_then_other(self) -> None:
        """A right password that was followed by another request does not count either."""
        self.assertEqual(self.do(self.password(_PASSWORD), self.key("bob"), self.guest()), [True, False, True])
        self.assertEqual(self.completed(), Identity("alice"))

    def test_other_name(self) -> None:
        """A change of the name drops what was proved for the first one."""
        self.do(self.key())
        self.assertTrue(self.keeper.begin_auth("root"))
        self.name = "root"
        self.assertEqual(self.completed(), Identity("root"))

    def test_overtaken(self) -> None:
        """The answer to a request that was followed by another does not count."""
        self.door.answer = lambda request: None

        async def run() -> None:
            asking = asyncio.ensure_future(self.keeper.validate_public_key("alice", _KEY))
            await asyncio.sleep(0)
            await self.keeper.get_kbdint_challenge("alice", "", "")
            self.door.connections[0].dataReceived(b'{"type":"ok","ref":1}\n')
            self.assertFalse(await asking)

        asyncio.run(run())
        self.assertEqual(self.completed(), Identity("alice"))

    def test_cancelled(self) -> None:
        """A request that the client cancels by another one closes its connection to the server."""
        self.door.answer = lambda request: None

        async def run() -> None:
            asking = asyncio.ensure_future(self.keeper.validate_public_key("alice", _KEY))
            await asyncio.sleep(0)
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)

        asyncio.run(run())
        self.assertTrue(self.door.transports[0].disconnecting)

    def test_kinds_of_keys(self) -> None:
        """Only the known kinds are asked for, RSA without SHA-1, and 20 keys at most."""
        old = asyncssh.generate_private_key("ssh-dss")
        rsa = asyncssh.generate_private_key("ssh-rsa", key_size=2_048).convert_to_public()
        self.assertEqual(self.do(self.key(key=old), self.key(key=rsa)), [False, True])

        async def check() -> None:
            await self.keeper.validate_public_key("alice", rsa)

        asyncio.run(check())
        self.assertNotIn(b"ssh-rsa", rsa.all_sig_algorithms)
        keys = [asyncssh.generate_private_key("ssh-ed25519") for _ in range(25)]
        answers = self.do(*(self.key(key=key) for key in keys))
        self.assertEqual(answers, [True] * 19 + [False] * 6)
        self.assertEqual(len(self.keeper.offered), 20)
        self.assertEqual(self.do(self.key(key=keys[0])), [True])

    def test_told_refusals(self) -> None:
        """A client with the right password sees a ban, and any client sees that there were too many tries."""
        self.door.answer = lambda request: events.Error("banned", "You are banned: spam\x1b[2J")
        self.assertEqual(self.do(self.password(_PASSWORD)), [False])
        self.assertEqual(self.banners, ["You are banned: spam\u241b[2J\n"])

    def test_too_many_requests(self) -> None:
        """The 31st request of sign-in ends the connection."""
        for _ in range(30):
            self.keeper.kbdint_auth_supported()
        self.assertEqual(self.disconnected, [])
        self.keeper.kbdint_auth_supported()
        self.assertEqual(len(self.disconnected), 1)

    def test_channels(self) -> None:
        """A channel needs an identity, and there are ten at most."""
        self.assertFalse(self.keeper.session_requested())
        self.completed()
        for self.keeper.connection.channels in range(10):
            self.keeper.session_requested()
        self.assertEqual(self.sessions, [self.keeper] * 10)
        self.keeper.connection.channels = 10
        self.assertFalse(self.keeper.session_requested())

    def test_guest_without_session(self) -> None:
        """The connection of a guest is closed if there is no session on it. Others may wait."""
        self.completed()
        self.keeper.sessions = 1
        self.door.clock.advance(60)
        self.assertEqual(self.closed, 0)
        self.keeper.sessions = 0
        self.door.clock.advance(60)
        self.assertEqual(self.closed, 1)
        self.assertEqual(self.door.clock.getDelayedCalls(), [])
        self.do(self.key())
        self.completed()
        self.door.clock.advance(60)
        self.assertEqual(self.closed, 1)

    def test_lost(self) -> None:
        """A connection that is lost leaves nothing."""
        self.do(self.password(_PASSWORD))
        self.assertFalse(self.door.transports[0].disconnecting)
        self.keeper.connection_lost(None)
        self.assertTrue(self.door.transports[0].disconnecting)
