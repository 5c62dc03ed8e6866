"""Password changes, and the equivalent forms of typed passwords."""

from typing import Any

from argon2.exceptions import HashingError
from twisted.internet.defer import Deferred, ensureDeferred, fail

from irchat.chat.accounts import accounts
from irchat.interfaces.writes import PasswordSet
from irchat.protocol.errors import Code
from tests.helpers.accounts import GOOD, HASHER, AccountsTestCase


class PasswordTests(AccountsTestCase):
    """Changing the password."""

    def test_change(self) -> None:
        """The new password is valid, the old one is not, and all tokens except the session's own are revoked."""
        here, elsewhere = self.register(), self.login()
        other = self.register("bob")
        self.change(here)
        self.refuse(Code.BAD_CREDENTIALS, self.accounts.login, "alice", GOOD)
        self.assertEqual(self.login("alice", "battery staple").user, here.user)
        self.refuse(Code.BAD_TOKEN, self.accounts.resume, elsewhere.token)
        self.assertEqual([self.resume(one.token).user for one in (here, other)], [here.user, other.user])

    def test_other_forms_of_unicode(self) -> None:
        """Composed and decomposed passwords are equal, with any kind of space, for new hashes and for old."""
        composed, decomposed = "gr\u00fc\u00dfe aus k\u00f6ln", "gru\u0308\u00dfe\u00a0aus ko\u0308ln"
        self.register("alice", composed)
        self.register("bob", decomposed)
        for name in ("alice", "bob"):
            for password in (composed, decomposed):
                self.login(name, password)
            self.refuse(Code.BAD_CREDENTIALS, self.accounts.login, name, "gru\u00dfe aus koln")
            self.refuse(Code.BAD_CREDENTIALS, self.accounts.login, name, "gru\u0308\u00dfe\u00a0aus kolm")

    def test_old_hash(self) -> None:
        """A hash from before passwords were normalised matches its original form. It is then replaced.

        The new hash matches all forms, and tokens stay. If it cannot be replaced, the sign-in still succeeds.
        """
        composed, decomposed = "gr\u00fc\u00dfe aus k\u00f6ln", "gru\u0308\u00dfe\u00a0aus ko\u0308ln"
        first = self.register("alice", GOOD)
        old = HASHER.hash(decomposed)
        self.done(self.world.store.commit([PasswordSet(first.user.id, old, first.digest)]))
        self.refuse(Code.BAD_CREDENTIALS, self.accounts.login, "alice", composed)
        self.world.store.holding = True
        entering = ensureDeferred(self.accounts.login("alice", decomposed, with_token=False))
        self.world.store.let_through()
        self.world.store.fail()
        self.assertEqual(self.done(entering).user, first.user)
        self.world.store.holding = False
        self.assertEqual(self.done(self.world.store.password(first.user.id)), old)
        self.login("alice", decomposed)
        self.login("alice", composed)
        self.assertEqual(self.resume(first.token).user, first.user)

    def test_from_a_session_without_token(self) -> None:
        """A session without a token revokes all of them."""
        first = self.register()
        self.change(self.login(with_token=False))
        self.refuse(Code.BAD_TOKEN, self.accounts.resume, first.token)

    def test_refused(self) -> None:
        """A wrong old password or a weak new one changes nothing."""
        signed_in = self.register()
        for code, old, new in (
            (Code.BAD_CREDENTIALS, "wrong", "battery staple"),
            (Code.WEAK_PASSWORD, GOOD, "x"),
            (Code.WEAK_PASSWORD, GOOD, "x" * 1_025),
        ):
            self.refuse(code, self.accounts.change_password, signed_in.user, old, new, None)
        self.assertEqual((self.login().user, self.resume(signed_in.token).user), (signed_in.user, signed_in.user))

    def test_account_without_password(self) -> None:
        """An account without a password has none to change."""
        user = self.world.add_user("alice")
        self.refuse(Code.BAD_CREDENTIALS, self.accounts.change_password, user, "", GOOD, None)

    def test_removed_meanwhile(self) -> None:
        """The password of a user that is removed while it is hashed is not set."""
        self.register()
        held: list[Any] = []
        self.patch(self.accounts, "in_thread", lambda by, *call: held.append(Deferred()) or held[-1])
        resetting = ensureDeferred(self.accounts.reset_password("alice", "battery staple"))
        self.done(self.world.chat.moderation.remove("alice", False, lambda count: None))
        held[0].callback("hash")
        self.refused(Code.NO_SUCH_USER, lambda: resetting)

    def test_removed_while_it_is_verified(self) -> None:
        """A user that is removed while the password is verified does not sign in."""
        self.register()
        held: list[Any] = []
        self.patch(self.accounts, "in_thread", lambda by, *call: held.append(Deferred()) or held[-1])
        entering = ensureDeferred(self.accounts.login("alice", GOOD, with_token=False))
        self.done(self.world.chat.moderation.remove("alice", False, lambda count: None))
        held[0].callback(True)
        self.refused(Code.BAD_CREDENTIALS, lambda: entering)

    def test_no_memory(self) -> None:
        """Without memory for a hash a request is refused as such, not as a wrong password, and may be repeated."""
        self.register()
        logged: list[str] = []
        self.patch(accounts._seldom, "error", logged.append)
        for error in MemoryError(), HashingError("threads"):
            self.patch(self.accounts, "in_thread", lambda by, *call, error=error: fail(error))
            for _ in range(2):
                self.refuse(Code.UNAVAILABLE, self.accounts.login, "alice", GOOD)
        self.assertEqual((len(logged), logged[-1]), (4, "a password cannot be hashed: threads"))
        self.assertEqual(self.accounts._hashing, 0)

    def test_login_meanwhile(self) -> None:
        """A sign-in by the old password just before the change has no token afterwards."""
        here = self.register()
        self.world.store.holding = True
        entering = ensureDeferred(self.accounts.login("alice", GOOD))
        changing = ensureDeferred(self.accounts.change_password(here.user, GOOD, "battery staple", here.digest))
        for _ in range(3):
            self.world.store.let_through()
        self.done(changing)
        self.world.store.holding = False
        self.refuse(Code.BAD_TOKEN, self.accounts.resume, self.done(entering).token)

    def test_together(self) -> None:
        """If the change and a sign-in by the old password wait for the disk together, the change is committed alone."""
        here = self.register()
        self.world.store.holding = True
        changing = ensureDeferred(self.accounts.change_password(here.user, GOOD, "battery staple", here.digest))
        entering = ensureDeferred(self.accounts.login("alice", GOOD))
        self.accounts.forget(b"keeps the disk busy")
        for _ in range(3):
            self.world.store.let_through()
        self.done(changing)
        self.refused(Code.BAD_CREDENTIALS, lambda: entering)

    def test_too_late(self) -> None:
        """A sign-in by the old password that completes after the change is refused, and so is another change."""
        here = self.register()
        self.world.store.holding = True
        changing = ensureDeferred(self.accounts.change_password(here.user, GOOD, "battery staple", here.digest))
        entering = ensureDeferred(self.accounts.login("alice", GOOD))
        another = ensureDeferred(self.accounts.change_password(here.user, GOOD, "of somebody else", None))
        for _ in range(2):
            self.world.store.let_through()
        self.done(changing)
        self.refused(Code.BAD_CREDENTIALS, lambda: entering)
        self.refused(Code.BAD_CREDENTIALS, lambda: another)
        self.world.store.holding = False
        self.assertEqual((self.login("alice", "battery staple").user, self.resume(here.token).user), (here.user,) * 2)

    def test_too_late_without_token(self) -> None:
        """A sign-in without a token, as in the text protocol, cannot use the old password either."""
        self.register()
        held: list[Any] = []
        self.patch(self.accounts, "in_thread", lambda by, *call: held.append((Deferred(), call)) or held[-1][0])
        resetting = ensureDeferred(self.accounts.reset_password("alice", "battery staple"))
        entering = ensureDeferred(self.accounts.login("alice", GOOD, with_token=False))
        for done, (call, *args) in held:
            done.callback(call(*args))
        self.done(resetting)
        self.refused(Code.BAD_CREDENTIALS, lambda: entering)
