"""A world without users, for tests of accounts."""

from collections.abc import Callable
from typing import Any

from argon2 import PasswordHasher
from twisted.internet.defer import Deferred, ensureDeferred, maybeDeferred

from irchat.chat.accounts.accounts import Accounts, SignedIn
from irchat.protocol.errors import Code
from tests.helpers.chat import WorldTestCase

GOOD = "correct horse"
HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


class AccountsTestCase(WorldTestCase):
    """A world without users."""

    names = ()

    def setUp(self) -> None:
        """Create accounts that use passwords and allow registration."""
        super().setUp()
        self.calls: list[Any] = []
        self.accounts = self.made()

    def made(self, **how: bool) -> Accounts:
        """Create other accounts on the same store."""

        def in_thread(by: object, call: Callable[..., Any], *args: Any) -> Deferred[Any]:
            self.calls.append(call)
            return maybeDeferred(call, *args)

        return Accounts(
            self.world.directory, self.world.chat.queue, self.world.store, in_thread, self.world.wall_ms,
            hasher=HASHER, **how,
        )  # fmt: skip

    def restart(self) -> None:
        """Restart the server."""
        self.world.restart()
        self.accounts = self.made()

    def register(self, name: str = "Alice", password: str = GOOD, **how: bool) -> SignedIn:
        """Register a user."""
        return self.done(self.accounts.register(name, password, **how))

    def login(self, name: str = "alice", password: str | None = GOOD, **how: bool) -> SignedIn:
        """Sign in by name and password."""
        return self.done(self.accounts.login(name, password, **how))

    def resume(self, token: str) -> SignedIn:
        """Sign in by a token."""
        return self.done(self.accounts.resume(token))

    def refuse(self, code: Code, ask: Any, *args: Any, **how: Any) -> str:
        """Check that a request is refused."""
        return self.refused(code, lambda: ensureDeferred(ask(*args, **how))).text

    def change(self, signed_in: SignedIn, old: str = GOOD, new: str = "battery staple") -> None:
        """Change the password in a session."""
        self.done(self.accounts.change_password(signed_in.user, old, new, signed_in.digest))
