"""Accounts: registering, signing in, tokens and passwords."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher
from twisted.internet.defer import Deferred, ensureDeferred, maybeDeferred

from irchat.chat import accounts
from irchat.chat.accounts import Accounts, SignedIn
from irchat.interfaces.writes import PasswordSet
from irchat.protocol.errors import Code, Refusal
from irchat.protocol.rules import PASSWORD_MAX_BYTES, TOKEN_SECONDS, TOKEN_TOUCH_SECONDS
from irchat.store.sqlite.threads import NoThreads
from irchat.system.clock import rfc3339
from tests.helpers.chat import BEGIN_MS, WorldTestCase

_GOOD = "correct horse"
_HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


class AccountsTestCase(WorldTestCase):
    """A world without users."""

    names = ()

    def setUp(self) -> None:
        """Make the accounts of a server with passwords that takes new users."""
        super().setUp()
        self.calls: list[Any] = []
        self.accounts = self.made()

    def made(self, **how: bool) -> Accounts:
        """Other accounts of the same store."""

        def in_thread(by: object, call: Callable[..., Any], *args: Any) -> Deferred[Any]:
            self.calls.append(call)
            return maybeDeferred(call, *args)

        return Accounts(
            self.world.directory, self.world.chat.queue, self.world.store, in_thread, self.world.wall_ms,
            hasher=_HASHER, **how,
        )  # fmt: skip

    def restart(self) -> None:
        """Restart the server."""
        self.world.restart()
        self.accounts = self.made()

    def register(self, name: str = "Alice", password: str = _GOOD, **how: bool) -> SignedIn:
        """Register."""
        return self.done(self.accounts.register(name, password, **how))

    def login(self, name: str = "alice", password: str | None = _GOOD, **how: bool) -> SignedIn:
        """Sign in."""
        return self.done(self.accounts.login(name, password, **how))

    def resume(self, token: str) -> SignedIn:
        """Sign in by a token."""
        return self.done(self.accounts.resume(token))

    def refuse(self, code: Code, ask: Any, *args: Any, **how: Any) -> str:
        """What is asked is refused."""
        return self.refused(code, lambda: ensureDeferred(ask(*args, **how))).text

    def change(self, signed_in: SignedIn, old: str = _GOOD, new: str = "battery staple") -> None:
        """Change the password in that session."""
        self.done(self.accounts.change_password(signed_in.user, old, new, signed_in.digest))


class RegisterTests(AccountsTestCase):
    """New accounts."""

    def test_register(self) -> None:
        """A new account signs in by its name in any case, its password and its token, also after a restart."""
        new = self.register("Alice")
        self.assertEqual((new.user.name, new.user.key, new.new), ("Alice", "alice", True))
        self.assertIdentical(self.world["ALICE"], new.user)
        self.restart()
        self.assertEqual([self.login("ALICE").user.name, self.resume(new.token).user.name], ["Alice", "Alice"])

    def test_order_of_refusals(self) -> None:
        """What is wrong is looked at in this order: closed, the name, taken, the password."""
        self.register("Alice")
        closed = self.made(registration_open=False)
        for made, name, code in (
            (closed, "bad name", Code.REGISTRATION_CLOSED),
            (self.accounts, "bad name", Code.BAD_NAME),
            (self.accounts, "alice", Code.NAME_TAKEN),
            (self.accounts, "dave", Code.WEAK_PASSWORD),
        ):
            self.refuse(code, made.register, name, "x")

    def test_name_of_a_service(self) -> None:
        """No new user is called nickserv, with or without passwords; one that there is stays."""
        for ask in (self.accounts.register, self.accounts.add, self.made(passwords=False).login):
            self.refuse(Code.BAD_NAME, ask, "NickServ", _GOOD)
        self.world.add_user("nickserv")
        self.assertEqual(self.done(self.made(passwords=False).login("NickServ", None)).user.name, "nickserv")

    def test_refused(self) -> None:
        """A name that is bad or taken and a password that is weak make no account."""
        self.register("Alice")
        for code, name, password in (
            (Code.BAD_NAME, "a b", _GOOD), (Code.BAD_NAME, "", _GOOD), (Code.NAME_TAKEN, "ALICE", _GOOD),
            (Code.NAME_TAKEN, "alice", ""), (Code.WEAK_PASSWORD, "bob", "short"),
            (Code.WEAK_PASSWORD, "bob", "x" * (PASSWORD_MAX_BYTES + 1)), (Code.WEAK_PASSWORD, "robert_b", "Robert_B"),
        ):  # fmt: skip
            self.refuse(code, self.accounts.register, name, password)
        self.assertEqual([user.name for user in self.world.store.snapshot().users], ["Alice"])

    def test_two_at_once(self) -> None:
        """Of two who register the same name at the same time one gets it."""
        self.world.store.holding = True
        asked = [ensureDeferred(self.accounts.register(name, _GOOD)) for name in ("bob", "BOB")]
        for _ in range(2):
            self.world.store.let_through()
        self.assertEqual(self.done(asked[0]).user.name, "bob")
        self.refused(Code.NAME_TAKEN, lambda: asked[1])

    def test_banned(self) -> None:
        """Who is banned is told until when and why, after the right password alone; the ban ends by the wall clock."""
        self.register()
        end = self.world.ms + 60_000
        self.done(self.world.chat.moderation.ban("alice", end, "spam", None))
        refusal = self.refused(Code.BANNED, lambda: ensureDeferred(self.accounts.login("alice", _GOOD)))
        self.assertEqual((refusal.until, refusal.text[-7:]), (rfc3339(end), ": spam."))
        self.refuse(Code.BAD_CREDENTIALS, self.accounts.login, "alice", "wrong")
        self.refuse(Code.BANNED, self.accounts.login, "alice", _GOOD, with_token=False)
        self.world.ms = end
        self.login()

    def test_closed(self) -> None:
        """Where registration is closed the administrator alone adds accounts, who then sign in."""
        self.accounts = self.made(registration_open=False)
        self.refuse(Code.REGISTRATION_CLOSED, self.accounts.register, "alice", _GOOD)
        self.done(self.accounts.add("alice", _GOOD))
        self.refuse(Code.NAME_TAKEN, self.accounts.add, "Alice", _GOOD)
        self.refuse(Code.WEAK_PASSWORD, self.accounts.add, "bob", "x")
        self.assertEqual(self.login().user.name, "alice")

    def test_nothing_secret_on_disk(self) -> None:
        """Neither a password nor a token is in any file."""
        new = self.register()
        signed_in = self.login()
        self.change(signed_in)
        for path in self.world.folder.iterdir():
            data = Path(path).read_bytes()
            for secret in (_GOOD, "battery staple", new.token, signed_in.token):
                self.assertNotIn(secret.encode(), data)

    def test_off_the_reactor(self) -> None:
        """Hashing and verifying run in a thread."""
        self.register()
        self.login()
        self.assertEqual(len(self.calls), 2)

    def test_unavailable(self) -> None:
        """An account that the disk does not take is none."""
        self.world.store.holding = True
        asked = ensureDeferred(self.accounts.register("alice", _GOOD))
        self.world.store.fail()
        self.refused(Code.UNAVAILABLE, lambda: asked)
        self.world.store.holding = False
        self.assertEqual(self.register("Alice").user.name, "Alice")

    def test_without_token(self) -> None:
        """A session that wants no token gets none, and none is kept."""
        for signed_in in (self.register(with_token=False), self.login(with_token=False)):
            self.assertEqual((signed_in.token, signed_in.digest), ("", None))
        self.assertEqual(
            [type(write).__name__ for commit in self.world.store.commits for write in commit], ["UserCreated"]
        )

    def test_default_hasher(self) -> None:
        """Without another hasher it is argon2id."""
        accounts = Accounts(
            self.world.directory, self.world.chat.queue, self.world.store, NoThreads().read, self.world.wall_ms
        )
        self.done(accounts.register("alice", _GOOD))
        self.assertEqual(self.done(self.world.store.password(1))[:10], "$argon2id$")


class LoginTests(AccountsTestCase):
    """Signing in by name and password."""

    def test_wrong(self) -> None:
        """A wrong password, an unknown name and one that can be none get one answer, after the same work."""
        self.register()
        texts, works = set(), set()
        for name, password in (
            ("alice", "wrong horse"),
            ("nobody", _GOOD),
            ("a b", _GOOD),
            ("alice", ""),
            ("alice", "\ud800"),
            ("alice", "x" * 10_000),
        ):
            self.calls.clear()
            texts.add(self.refuse(Code.BAD_CREDENTIALS, self.accounts.login, name, password))
            works.add(tuple(self.calls))
        self.assertEqual((len(texts), len(works), len(works.pop())), (1, 1, 1))

    def test_no_password_given(self) -> None:
        """A server with passwords wants one."""
        self.refuse(Code.BAD_REQUEST, self.accounts.login, "alice", None)

    def test_account_without_password(self) -> None:
        """An account that was made without a password is closed where passwords are asked for."""
        self.world.add_user("alice")
        for password in ("", _GOOD):
            self.refuse(Code.BAD_CREDENTIALS, self.accounts.login, "alice", password)

    def test_damaged_hash(self) -> None:
        """A hash that is none opens to nobody."""
        signed_in = self.register()
        self.patch(self.accounts, "_hash", lambda by, password: maybeDeferred(lambda: "no hash"))
        self.change(signed_in)
        self.refuse(Code.BAD_CREDENTIALS, self.accounts.login, "alice", "no hash")

    def test_by_name(self) -> None:
        """On a server without passwords a name is enough, an unknown one makes its account, a bad one does not."""
        self.accounts = self.made(passwords=False)
        first, again = self.login("Bob", None), self.login("bob", "anything")
        self.assertEqual((first.new, again.new, again.user), (True, False, first.user))
        self.assertEqual(self.resume(again.token).user, first.user)
        self.refuse(Code.BAD_NAME, self.accounts.login, "a b", None)
        self.accounts = self.made(passwords=False, registration_open=False)
        self.refuse(Code.REGISTRATION_CLOSED, self.accounts.login, "carol", None)
        self.assertEqual(self.login("bob", None).new, False)

    def test_token_on_disk_first(self) -> None:
        """Nobody is signed in before the token is on the disk."""
        self.register()
        self.world.store.holding = True
        asked = ensureDeferred(self.accounts.login("alice", _GOOD))
        self.world.store.let_through()  # the hash is read
        self.assertNoResult(asked)
        self.world.store.fail()
        self.refused(Code.UNAVAILABLE, lambda: asked)


class TokenTests(AccountsTestCase):
    """Tokens."""

    def test_wrong(self) -> None:
        """A token that was never given is refused."""
        self.register()
        for token in ("", "x", "\ud800", "x" * 60_000):
            self.refuse(Code.BAD_TOKEN, self.accounts.resume, token)

    def test_differ(self) -> None:
        """Each sign-in has a token of its own, long enough that nobody guesses it; resuming keeps it."""
        tokens = {self.register().token, *(self.login().token for _ in range(20))}
        self.assertEqual((len(tokens), min(map(len, tokens))), (21, 43))
        token = tokens.pop()
        resumed = self.resume(token)
        self.assertEqual((resumed.token, resumed.new), (token, False))

    def test_forget(self) -> None:
        """A forgotten token is over, the others live."""
        first, second = self.register(), self.login()
        assert first.digest is not None
        self.done(self.accounts.forget(first.digest))
        self.refuse(Code.BAD_TOKEN, self.accounts.resume, first.token)
        self.assertEqual(self.resume(second.token).user, first.user)

    def test_ninety_days(self) -> None:
        """A token lives while it is used within 90 days."""
        used, unused = self.register(), self.login()
        for _ in range(3):
            self.world.ms += TOKEN_SECONDS * 1000
            self.resume(used.token)
        self.refuse(Code.BAD_TOKEN, self.accounts.resume, unused.token)
        self.world.ms += TOKEN_SECONDS * 1000 + 1
        self.refuse(Code.BAD_TOKEN, self.accounts.resume, used.token)

    def test_written_once_a_day(self) -> None:
        """That a token was used is written at most once a day."""
        token = self.register().token
        count = len(self.world.store.commits)
        for ms in (0, TOKEN_TOUCH_SECONDS * 1000, 1, 0):
            self.world.ms += ms
            self.resume(token)
        self.assertEqual(self.world.ms, BEGIN_MS + TOKEN_TOUCH_SECONDS * 1000 + 1)
        self.assertEqual(len(self.world.store.commits), count + 1)

    def test_without_password(self) -> None:
        """A token for which no password was asked opens nothing where they are asked for; the other way it does."""
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
        """Who is banned or removed while the use of a token is committed is refused."""
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
        """A token that is ended while somebody resumes by it stays ended."""
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
        """A token that was found just before a new password ended it lets nobody in after that."""
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


class PasswordTests(AccountsTestCase):
    """Changing the password."""

    def test_change(self) -> None:
        """The new password opens, the old one does not, and all tokens but the session's own are over."""
        here, elsewhere = self.register(), self.login()
        other = self.register("bob")
        self.change(here)
        self.refuse(Code.BAD_CREDENTIALS, self.accounts.login, "alice", _GOOD)
        self.assertEqual(self.login("alice", "battery staple").user, here.user)
        self.refuse(Code.BAD_TOKEN, self.accounts.resume, elsewhere.token)
        self.assertEqual([self.resume(one.token).user for one in (here, other)], [here.user, other.user])

    def test_other_forms_of_unicode(self) -> None:
        """A password is the same composed and decomposed, and with any kind of space, for new hashes and for old."""
        composed, decomposed = "gr\u00fc\u00dfe aus k\u00f6ln", "gru\u0308\u00dfe\u00a0aus ko\u0308ln"
        self.register("alice", composed)
        self.register("bob", decomposed)
        for name in ("alice", "bob"):
            for password in (composed, decomposed):
                self.login(name, password)
            self.refuse(Code.BAD_CREDENTIALS, self.accounts.login, name, "gru\u00dfe aus koln")

    def test_old_hash(self) -> None:
        """A hash of what was typed before passwords were prepared opens to that, and is replaced then by one that opens
        to all forms; tokens stay. Where it cannot be replaced the sign-in is right all the same."""
        composed, decomposed = "gr\u00fc\u00dfe aus k\u00f6ln", "gru\u0308\u00dfe\u00a0aus ko\u0308ln"
        first = self.register("alice", _GOOD)
        old = _HASHER.hash(decomposed)
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
        """A session without a token ends all of them."""
        first = self.register()
        self.change(self.login(with_token=False))
        self.refuse(Code.BAD_TOKEN, self.accounts.resume, first.token)

    def test_refused(self) -> None:
        """A wrong old password or a weak new one changes nothing."""
        signed_in = self.register()
        for code, old, new in (
            (Code.BAD_CREDENTIALS, "wrong", "battery staple"),
            (Code.WEAK_PASSWORD, _GOOD, "x"),
            (Code.WEAK_PASSWORD, _GOOD, "x" * 1_025),
        ):
            self.refuse(code, self.accounts.change_password, signed_in.user, old, new, None)
        self.assertEqual((self.login().user, self.resume(signed_in.token).user), (signed_in.user, signed_in.user))

    def test_account_without_password(self) -> None:
        """An account without a password has none to change."""
        user = self.world.add_user("alice")
        self.refuse(Code.BAD_CREDENTIALS, self.accounts.change_password, user, "", _GOOD, None)

    def test_login_meanwhile(self) -> None:
        """Who signs in by the old password just before it is changed has no token after the change."""
        here = self.register()
        self.world.store.holding = True
        entering = ensureDeferred(self.accounts.login("alice", _GOOD))
        changing = ensureDeferred(self.accounts.change_password(here.user, _GOOD, "battery staple", here.digest))
        for _ in range(3):
            self.world.store.let_through()
        self.done(changing)
        self.world.store.holding = False
        self.refuse(Code.BAD_TOKEN, self.accounts.resume, self.done(entering).token)

    def test_together(self) -> None:
        """Where the change and a sign-in by the old password wait for the disk together, the change goes alone."""
        here = self.register()
        self.world.store.holding = True
        changing = ensureDeferred(self.accounts.change_password(here.user, _GOOD, "battery staple", here.digest))
        entering = ensureDeferred(self.accounts.login("alice", _GOOD))
        self.accounts.forget(b"keeps the disk busy")
        for _ in range(3):
            self.world.store.let_through()
        self.done(changing)
        self.refused(Code.BAD_CREDENTIALS, lambda: entering)

    def test_too_late(self) -> None:
        """Who gave the old password before the change and is let in after it is refused, and so is another change."""
        here = self.register()
        self.world.store.holding = True
        changing = ensureDeferred(self.accounts.change_password(here.user, _GOOD, "battery staple", here.digest))
        entering = ensureDeferred(self.accounts.login("alice", _GOOD))
        another = ensureDeferred(self.accounts.change_password(here.user, _GOOD, "of somebody else", None))
        for _ in range(2):
            self.world.store.let_through()
        self.done(changing)
        self.refused(Code.BAD_CREDENTIALS, lambda: entering)
        self.refused(Code.BAD_CREDENTIALS, lambda: another)
        self.world.store.holding = False
        self.assertEqual((self.login("alice", "battery staple").user, self.resume(here.token).user), (here.user,) * 2)

    def test_too_late_without_token(self) -> None:
        """A sign-in without a token, as in the text protocol, is no way in with the old password either."""
        self.register()
        held: list[Any] = []
        self.patch(self.accounts, "_in_thread", lambda by, *call: held.append((Deferred(), call)) or held[-1][0])
        resetting = ensureDeferred(self.accounts.reset_password("alice", "battery staple"))
        entering = ensureDeferred(self.accounts.login("alice", _GOOD, with_token=False))
        for done, (call, *args) in held:
            done.callback(call(*args))
        self.done(resetting)
        self.refused(Code.BAD_CREDENTIALS, lambda: entering)


class StormTests(AccountsTestCase):
    """More sign-ins than passwords can be hashed."""

    def test_bounded(self) -> None:
        """So many wait and no more; the others are refused at once, and when the storm is over all goes on."""
        self.patch(accounts, "_HASHING_MOST", 3)
        held: list[Deferred[Any]] = []

        def in_thread(by: object, call: Callable[..., Any], *args: Any) -> Deferred[Any]:
            held.append(Deferred())
            return held[-1]

        self.accounts = Accounts(
            self.world.directory, self.world.chat.queue, self.world.store, in_thread, self.world.wall_ms,
            hasher=_HASHER,
        )  # fmt: skip
        waiting = [ensureDeferred(self.accounts.login("nobody", _GOOD)) for _ in range(3)]
        self.refuse(Code.TOO_MANY, self.accounts.login, "nobody", _GOOD)
        self.refuse(Code.TOO_MANY, self.accounts.register, "alice", _GOOD)
        self.assertEqual(len(held), 3)
        for hashed in held:
            hashed.callback(False)
        for login in waiting:
            self.assertEqual(self.failureResultOf(login, Refusal).value.code, Code.BAD_CREDENTIALS)
        registering = ensureDeferred(self.accounts.register("alice", _GOOD))
        held[-1].callback("hash")
        self.assertEqual(self.successResultOf(registering).user.name, "alice")
