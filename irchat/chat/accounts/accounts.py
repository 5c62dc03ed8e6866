"""Accounts: registration, sign-in, tokens, password changes. Passwords are hashed with argon2id, in threads."""

import secrets
from collections.abc import Callable, Hashable
from contextlib import suppress
from dataclasses import KW_ONLY, dataclass, field
from typing import NamedTuple, Protocol, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError, VerifyMismatchError
from twisted.internet.defer import Deferred
from twisted.logger import Logger

from irchat.chat.accounts.sign_ins import new_token, token_digest
from irchat.chat.accounts.user_keys import UserKeys, Vouched
from irchat.chat.changes import Change, Result, Unchecked
from irchat.chat.commits import CommitQueue
from irchat.chat.state import bans
from irchat.chat.state.directory import Directory
from irchat.chat.state.entities import User
from irchat.interfaces.bus import Publication
from irchat.interfaces.store import Store
from irchat.interfaces.stored import StoredToken
from irchat.interfaces.writes import (
    HashReplaced,
    KeyUsed,
    PasswordSet,
    TokenAdded,
    TokenRemoved,
    TokenUsed,
    UserCreated,
    Write,
)
from irchat.protocol.errors import Code, Refusal
from irchat.protocol.rules import TOKEN_SECONDS, TOKEN_TOUCH_SECONDS, check_password
from irchat.system.clock import rfc3339
from irchat.system.seldom import SeldomLog
from irchat.system.workers import short_of_resources
from irchat.text.passwords import prepared

Given = TypeVar("Given")


class InThread(Protocol):
    """Runs calls in threads, so that users take turns."""

    def __call__(self, by: Hashable, call: Callable[..., Given], /, *args: object) -> Deferred[Given]:
        """Run ``call`` on behalf of ``by``: the user or, before sign-in, the address."""


# Maximum number of passwords that wait for a thread. More are refused, so a storm of sign-ins takes no memory.
_HASHING_MOST = 1_000

_seldom = SeldomLog(Logger())


class SignedIn(NamedTuple):
    """A sign-in. ``token`` is empty if none was requested. ``key``: the fingerprint of the key that signed in."""

    user: User
    new: bool
    token: str
    key: str = ""

    @property
    def digest(self) -> bytes | None:
        """The hash of the key or token, which is all that the store keeps of a token."""
        return token_digest(self.key or self.token) if self.token else None


@dataclass(eq=False, repr=False)
class Accounts:
    """The accounts of a server. Without ``passwords``, a name is enough, and an unknown name creates an account."""

    directory: Directory
    queue: CommitQueue
    store: Store
    in_thread: InThread
    wall_ms: Callable[[], int]
    _: KW_ONLY
    registration_open: bool = True
    passwords: bool = True
    hasher: PasswordHasher = field(default_factory=PasswordHasher)

    def __post_init__(self) -> None:
        self._hashing = 0
        self.vouched = Vouched()
        self.keys = UserKeys(self.directory, self.queue, self.store, self.wall_ms)
        # Verified for an unknown name, so that the answer takes as long as for a known name.
        self._nobodys_hash = self.hasher.hash(secrets.token_urlsafe())

    async def register(
        self, name: str, password: str | None, *, with_token: bool = True, by: Hashable | None = None
    ) -> SignedIn:
        """Create an account, on behalf of the address ``by``. Without a password, the name is enough to sign in.

        Raises Refusal ``registration-closed``, ``bad-name``, ``name-taken`` or ``weak-password``.
        """
        if not self.registration_open:
            raise Refusal(Code.REGISTRATION_CLOSED, "Registration is closed. Ask the administrator for an account.")
        return await self._create(name, password, with_token=with_token, by=by)

    async def add(self, name: str, password: str) -> None:
        """Create an account on behalf of the administrator, even if registration is closed. Raises Refusal."""
        await self._create(name, password, with_token=False)

    async def login(
        self, name: str, password: str | None, *, with_token: bool = True, by: Hashable | None = None
    ) -> SignedIn:
        """Sign in, on behalf of the address ``by``.

        Raises Refusal ``bad-credentials``. An unknown name takes the same time as a wrong password.
        """
        if not self.passwords:
            return await self._login_by_name(name, with_token=with_token, by=by)
        if password is None:
            raise Refusal(Code.BAD_REQUEST, "This server asks for a password. Sign in with name and password.")
        await self._catch_up()
        user = self.directory.find_user(name)
        resets = 0 if user is None else user.resets
        known = await self.store.password(0 if user is None else user.id)
        right = await self._is_right(by, user, known or self._nobodys_hash, password)
        if user is None or known is None or not right:
            raise _bad_credentials()
        return await self._signed_in(user, resets, with_token=with_token)

    async def resume(self, token: str) -> SignedIn:
        """Sign in with a token. Raises Refusal ``bad-token`` if it has ended or expired."""
        digest = token_digest(token)
        if (by_key := self.vouched.find(digest)) is not None:
            return await self._vouch(*by_key, token)
        resets = -1
        while resets != self.directory.resets:  # ask again if a new password has ended tokens meanwhile
            resets = self.directory.resets
            known = await self.store.token(digest)
        now = self.wall_ms()
        if known is None or _is_expired(known, now) or (self.passwords and not known.by_password):
            raise _bad_token()
        user = self.directory.users[known.user]
        self._refuse_shut_out(user, Code.BAD_TOKEN)
        if known.used_at + TOKEN_TOUCH_SECONDS * 1000 < now:
            if not await self.queue.submit(Unchecked(None, None, TokenUsed(digest, now))):
                raise _bad_token()
            self._refuse_shut_out(user, Code.BAD_TOKEN)
        return SignedIn(user, new=False, token=token)

    async def vouch(self, name: str, fingerprint: str) -> SignedIn:
        """Sign in a user whose signature with the key of this fingerprint was verified.

        The token is kept in memory, until it is forgotten in `vouched`. Raises Refusal ``bad-credentials``.
        """
        await self._catch_up()
        user = self.directory.find_user(name)
        if user is None:
            raise _bad_key()
        token = new_token()
        signed_in = await self._vouch(user, fingerprint, token)
        self.vouched.keep(token_digest(token), user, fingerprint)
        return signed_in

    async def _vouch(self, user: User, fingerprint: str, token: str) -> SignedIn:
        await self._catch_up()
        use = _SignIn(user, None, KeyUsed(user.id, fingerprint, self.wall_ms()), self, user.resets)
        if not await self.queue.submit(use):
            raise _bad_key()
        return SignedIn(user, new=False, token=token, key=fingerprint)

    async def change_password(
        self, user: User, old: str, new: str, keep: bytes | None, origin: int | None = None
    ) -> None:
        """Change the password. End all tokens except ``keep`` and all sessions except ``origin``.

        Raises Refusal ``bad-credentials`` or ``weak-password``.
        """
        resets = user.resets
        known = await self.store.password(user.id)
        if known is None:
            raise Refusal(Code.BAD_CREDENTIALS, "Your account has no password. Ask the administrator to set one.")
        if not await self._is_right(user, None, known, old):
            raise Refusal(Code.BAD_CREDENTIALS, "The old password is wrong; nothing was changed. Try again.")
        hashed = await self._hash(user, check_password(new, user.name))
        goodbye = "your password was changed in another session"
        await self.queue.submit(_SetPassword(user, origin, hashed, goodbye, keep, resets))

    async def reset_password(self, name: str, password: str) -> None:
        """Set a new password on behalf of the administrator. End all tokens and sessions of the user.

        Raises Refusal ``no-such-user`` or ``weak-password``.
        """
        user = self.directory.user(name)
        hashed = await self._hash(None, check_password(password, user.name))
        goodbye = "the administrator gave you a new password"
        await self.queue.submit(_SetPassword(user, None, hashed, goodbye, ends_keys=True))

    def forget(self, digest: bytes) -> Deferred[None]:
        """End a token."""
        return self.queue.submit(Unchecked(None, None, TokenRemoved(digest)))

    async def _create(
        self, name: str, password: str | None, *, with_token: bool, by: Hashable | None = None
    ) -> SignedIn:
        self.directory.new_user_key(name)
        hashed = None if password is None else await self._hash(by, check_password(password, name))
        token = new_token() if with_token else ""
        digest = token_digest(token) if with_token else None
        change = _CreateAccount(by, None, self.directory, name, hashed, self.wall_ms(), digest)
        return SignedIn(await self.queue.submit(change), new=True, token=token)

    async def _login_by_name(self, name: str, *, with_token: bool, by: Hashable | None) -> SignedIn:
        await self._catch_up()
        user = self.directory.find_user(name)
        if user is not None:
            return await self._signed_in(user, user.resets, with_token=with_token)
        return await self.register(name, None, with_token=with_token, by=by)

    async def _signed_in(self, user: User, resets: int, *, with_token: bool) -> SignedIn:
        """Sign in ``user``. ``resets``: the count of its password changes when the password was verified."""
        await self._catch_up()
        self.refuse_sign_in(user, resets)
        token = new_token() if with_token else ""
        if with_token:
            write = TokenAdded(token_digest(token), user.id, self.wall_ms(), by_password=self.passwords)
            await self.queue.submit(_SignIn(user, None, write, self, resets))
        return SignedIn(user, new=False, token=token)

    async def _catch_up(self) -> None:
        """Wait until this node has applied everything that is committed now."""
        if self.store.log is not None:
            await self.store.log.caught_up()

    def refuse_sign_in(self, user: User, resets: int) -> None:
        """Raise Refusal if ``user`` may not sign in, or has had more than ``resets`` changes of its password."""
        self._refuse_shut_out(user, Code.BAD_CREDENTIALS)
        if user.resets != resets:
            raise _bad_credentials()

    def _refuse_shut_out(self, user: User, code: Code) -> None:
        """Raise Refusal ``banned`` if ``user`` is banned, or ``code`` if it was removed."""
        if user.removed:
            raise Refusal(code, "Your account was removed.")
        if bans.stands(user.ban, self.wall_ms()):
            until = None if user.ban.until is None else rfc3339(user.ban.until)
            raise Refusal(Code.BANNED, f"{bans.notice(user.ban)}.", until=until)

    async def _hash(self, by: Hashable | None, password: str) -> str:
        return await self._hashed(by, self.hasher.hash, _password_bytes(prepared(password)))

    async def _is_right(self, by: Hashable | None, user: User | None, hashed: str, password: str) -> bool:
        """Verify ``password`` prepared, then as typed for an old hash, which is replaced for ``user``."""
        as_compared = prepared(password)
        if await self._verify(by, hashed, as_compared):
            return True
        if as_compared == password or not await self._verify(by, hashed, password):
            return False
        if user is not None:
            with suppress(Refusal):  # the password is correct anyway, and the next sign-in tries again
                new = await self._hash(by, password)
                await self.queue.submit(Unchecked(None, None, HashReplaced(user.id, hashed, new)))
        return True

    async def _verify(self, by: Hashable | None, hashed: str, password: str) -> bool:
        return await self._hashed(by, _verify, self.hasher, hashed, _password_bytes(password))

    async def _hashed(self, by: Hashable | None, call: Callable[..., Given], *args: object) -> Given:
        if self._hashing >= _HASHING_MOST:
            raise Refusal(Code.TOO_MANY, "Too many sign-ins at the moment. Try again soon.")
        self._hashing += 1
        try:
            return await self.in_thread(by, call, *args)
        except (Argon2Error, MemoryError) as error:  # no memory or no threads: the password may be correct
            _seldom.error(f"a password cannot be hashed: {error}")
            raise short_of_resources() from None
        finally:
            self._hashing -= 1


@dataclass(eq=False, repr=False)
class _CreateAccount(Change[int, User]):
    directory: Directory
    name: str
    password: str | None
    at: int
    token: bytes | None
    alone = True

    def check(self) -> UserCreated:
        key = self.directory.new_user_key(self.name)
        return UserCreated(self.name, key, self.password, self.at, self.token)

    def reply(self, result: int, publications: list[Publication]) -> User:
        return self.directory.users[result]


@dataclass(eq=False, repr=False)
class _SignIn(Unchecked[Result]):
    """Note a sign-in. Fails if a ban, a removal or a new password came first."""

    by: User
    accounts: Accounts
    resets: int

    def check(self) -> Write[Result]:
        self.accounts.refuse_sign_in(self.by, self.resets)
        return self.write


@dataclass(eq=False, repr=False)
class _SetPassword(Change[None, None]):
    """Set a password. End all tokens except ``keep`` and all sessions except ``origin``.

    ``resets``: the count of changes when the old password was verified. Fails if there was another change since then.
    """

    by: User
    password: str
    goodbye: str
    keep: bytes | None = None
    resets: int | None = None
    ends_keys: bool = False
    alone = True

    def check(self) -> PasswordSet:
        if self.by.removed:
            raise Refusal(Code.NO_SUCH_USER, f"{self.by.name} was removed.")
        if self.resets not in (None, self.by.resets):
            raise _bad_credentials()
        return PasswordSet(self.by.id, self.password, self.keep, self.goodbye, self.ends_keys)

    def reply(self, result: None, publications: list[Publication]) -> None:
        """Return None. The state machine ends the sessions."""


def _password_bytes(password: str) -> bytes:
    return password.encode("utf-8", "surrogatepass")


def _verify(hasher: PasswordHasher, hashed: str, password: bytes) -> bool:
    """Return whether the password is correct. Raises Argon2Error if it cannot be verified."""
    try:
        return hasher.verify(hashed, password)
    except (VerifyMismatchError, InvalidHashError):
        return False


def _is_expired(token: StoredToken, now: int) -> bool:
    """Return whether a token was not used for too long. A token with a label never is."""
    return token.label is None and token.used_at + TOKEN_SECONDS * 1000 < now


def _bad_token() -> Refusal:
    return Refusal(Code.BAD_TOKEN, "That token is no longer valid. Sign in with name and password.")


def _bad_key() -> Refusal:
    return Refusal(Code.BAD_CREDENTIALS, "That key signs in nobody of this name. Sign in with name and password.")


def _bad_credentials() -> Refusal:
    return Refusal(Code.BAD_CREDENTIALS, "Wrong name or password. Try again.")
