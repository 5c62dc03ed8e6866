"""Tokens: how they are created, how long they last, and what revokes them."""

from typing import Any

from twisted.internet.defer import Deferred, ensureDeferred

from irchat.protocol.errors import Code
from irchat.protocol.rules import TOKEN_SECONDS, TOKEN_TOUCH_SECONDS
from tests.helpers.accounts import AccountsTestCase


class TokenTests(AccountsTestCase):
    """Tokens."""

    def test_wrong(self) -> None:
        """An unknown token is refused."""
        self.register()
        for token in ("", "x", "\ud800", "x" * 60_000):
            self.refuse(Code.BAD_TOKEN, self.accounts.resume, token)

    def test_differ(self) -> None:
        """Each sign-in has its own token, too long to guess. Resuming keeps it."""
        tokens = {self.register().token, *(self.login().token for _ in range(20))}
        self.assertEqual((len(tokens), min(map(len, tokens))), (21, 43))
        token = tokens.pop()
        resumed = self.resume(token)
        self.assertEqual((resumed.token, resumed.new), (token, False))

    def test_forget(self) -> None:
        """A forgotten token is revoked, the others stay valid."""
        first, second = self.register(), self.login()
        assert first.digest is not None
        self.done(self.accounts.forget(first.digest))
        self.refuse(Code.BAD_TOKEN, self.accounts.resume, first.token)
        self.assertEqual(self.resume(second.token).user, first.user)

    def test_ninety_days(self) -> None:
        """A token stays valid while it is used at least every 90 days."""
        used, unused = self.register(), self.login()
        for _ in range(3):
            self.world.ms += TOKEN_SECONDS * 1000
            self.resume(used.token)
        self.refuse(Code.BAD_TOKEN, self.accounts.resume, unused.token)
        self.world.ms += TOKEN_SECONDS * 1000 + 1
        self.refuse(Code.BAD_TOKEN, self.accounts.resume, used.token)

    def test_written_once_a_day(self) -> None:
        """The use of a token is written at most once a day."""
        token = self.register().token
        begin = len(self.world.store.commits)
        counts = []
        for ms in (0, TOKEN_TOUCH_SECONDS * 1000, 1, 0, TOKEN_TOUCH_SECONDS * 1000):
            self.world.ms += ms
            self.resume(token)
            counts.append(len(self.world.store.commits) - begin)
        self.assertEqual(counts, [0, 0, 1, 1, 1])

    def test_without_password(self) -> None:
        """A token issued without a password is invalid if passwords are required. The reverse is valid."""
        by_password = self.register("bob").token
        self.accounts = self.made(passwords=False)
        tokens = [self.login(name, None).token for name in ("bob", "carol")]
        for token in (*tokens, by_password):
            self.resume(token)
        self.restart()
        for token in tokens:
            self.refuse(Code.BAD_TOKEN, self.accounts.resume, token)
        self.assertEqual(self.resume(by_password).user.name, "bob")

    def test_shut_out_while_it_is_used(self) -> None:
        """A user banned or removed while the use of a token is committed is refused."""
        moderation = self.world.chat.moderation
        tokens = [self.register(name).token for name in ("alice", "bob")]
        self.world.ms += TOKEN_TOUCH_SECONDS * 1000 + 1
        for token, code, shut_out in zip(
            tokens,
            (Code.BANNED, Code.BAD_TOKEN),
            (
                lambda: moderation.ban("alice", None, "", None),
                lambda: ensureDeferred(moderation.remove("bob", False, lambda count: None)),
            ),
            strict=True,
        ):
            self.world.store.holding = True
            resuming = ensureDeferred(self.accounts.resume(token))
            shutting_out = shut_out()
            for _ in range(2):
                self.assertNoResult(resuming)
                self.world.store.let_through()
            self.world.store.holding = False
            self.done(shutting_out)
            self.refused(code, lambda resuming=resuming: resuming)

    def test_ended_while_it_is_used(self) -> None:
        """A token revoked during a resume stays revoked."""
        first = self.register()
        assert first.digest is not None
        self.world.ms += TOKEN_TOUCH_SECONDS * 1000 + 1
        self.world.store.holding = True
        resuming = ensureDeferred(self.accounts.resume(first.token))
        forgetting = self.accounts.forget(first.digest)
        for _ in range(3):
            self.world.store.let_through()
        self.done(forgetting)
        self.world.store.holding = False
        self.refused(Code.BAD_TOKEN, lambda: resuming)
        self.refuse(Code.BAD_TOKEN, self.accounts.resume, first.token)

    def test_reset_while_it_is_used(self) -> None:
        """A token looked up just before a new password revoked it admits nobody afterwards."""
        first = self.register()
        found: list[Deferred[Any]] = []
        known = self.done(self.world.store.token(first.digest or b""))
        self.patch(self.world.store, "token", lambda digest: found.append(Deferred()) or found[-1])
        resuming = ensureDeferred(self.accounts.resume(first.token))
        self.done(self.accounts.reset_password("alice", "battery staple"))
        found[0].callback(known)
        self.assertNoResult(resuming)
        found[1].callback(None)
        self.refused(Code.BAD_TOKEN, lambda: resuming)
