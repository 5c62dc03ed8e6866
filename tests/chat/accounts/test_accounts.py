"""Accounts: registration and sign-in."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, ensureDeferred, maybeDeferred

from irchat.chat.accounts import accounts
from irchat.chat.accounts.accounts import Accounts
from irchat.protocol.errors import Code, Refusal
from irchat.protocol.rules import PASSWORD_MAX_BYTES
from irchat.store.threads import NoThreads
from irchat.system.clock import rfc3339
from tests.helpers.accounts import GOOD, HASHER, AccountsTestCase


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
        """Registration is checked in this order: closed, invalid name, taken name, password."""
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
        """The name nickserv cannot be registered, with or without passwords. An existing account keeps it."""
        for ask in (self.accounts.register, self.accounts.add, self.made(passwords=False).login):
            self.refuse(Code.BAD_NAME, ask, "NickServ", GOOD)
        self.world.add_user("nickserv")
        self.assertEqual(self.done(self.made(passwords=False).login("NickServ", None)).user.name, "nickserv")

    def test_refused(self) -> None:
        """An invalid or taken name, or a weak password, creates no account."""
        self.register("Alice")
        for code, name, password in (
            (Code.BAD_NAME, "a b", GOOD), (Code.BAD_NAME, "", GOOD), (Code.NAME_TAKEN, "ALICE", GOOD),
            (Code.NAME_TAKEN, "alice", ""), (Code.WEAK_PASSWORD, "bob", "short"),
            (Code.WEAK_PASSWORD, "bob", "x" * (PASSWORD_MAX_BYTES + 1)), (Code.WEAK_PASSWORD, "robert_b", "Robert_B"),
        ):  # fmt: skip
            self.refuse(code, self.accounts.register, name, password)
        self.assertEqual([user.name for user in self.world.store.snapshot().users], ["Alice"])

    def test_two_at_once(self) -> None:
        """Of two simultaneous registrations of a name, one succeeds."""
        self.world.store.holding = True
        asked = [ensureDeferred(self.accounts.register(name, GOOD)) for name in ("bob", "BOB")]
        for _ in range(2):
            self.world.store.let_through()
        self.assertEqual(self.done(asked[0]).user.name, "bob")
        self.refused(Code.NAME_TAKEN, lambda: asked[1])

    def test_banned(self) -> None:
        """A banned user learns the end and the reason, only by the right password. The ban ends by the wall clock."""
        self.register()
        end = self.world.ms + 60_000
        self.done(self.world.chat.moderation.ban("alice", end, "spam", None))
        refusal = self.refused(Code.BANNED, lambda: ensureDeferred(self.accounts.login("alice", GOOD)))
        self.assertEqual((refusal.until, refusal.text[-7:]), (rfc3339(end), ": spam."))
        self.refuse(Code.BAD_CREDENTIALS, self.accounts.login, "alice", "wrong")
        self.refuse(Code.BANNED, self.accounts.login, "alice", GOOD, with_token=False)
        self.world.ms = end
        self.login()

    def test_closed(self) -> None:
        """If registration is closed, only the administrator adds accounts, which can then sign in."""
        self.accounts = self.made(registration_open=False)
        self.refuse(Code.REGISTRATION_CLOSED, self.accounts.register, "alice", GOOD)
        self.done(self.accounts.add("alice", GOOD))
        self.refuse(Code.NAME_TAKEN, self.accounts.add, "Alice", GOOD)
        self.refuse(Code.WEAK_PASSWORD, self.accounts.add, "bob", "x")
        self.assertEqual(self.done(self.world.store.figures()).tokens, 0)
        self.assertEqual(self.login().user.name, "alice")

    def test_nothing_secret_on_disk(self) -> None:
        """No file contains a password or token."""
        new = self.register()
        signed_in = self.login()
        self.change(signed_in)
        for path in self.world.folder.iterdir():
            data = Path(path).read_bytes()
            for secret in (GOOD, "battery staple", new.token, signed_in.token):
                self.assertNotIn(secret.encode(), data)

    def test_off_the_reactor(self) -> None:
        """Hashing and verifying run in a thread."""
        self.register()
        self.login()
        self.assertEqual(len(self.calls), 2)

    def test_unavailable(self) -> None:
        """An account that cannot be written to disk does not exist."""
        self.world.store.holding = True
        asked = ensureDeferred(self.accounts.register("alice", GOOD))
        self.world.store.fail()
        self.refused(Code.UNAVAILABLE, lambda: asked)
        self.world.store.holding = False
        self.assertEqual(self.register("Alice").user.name, "Alice")

    def test_without_token(self) -> None:
        """A session without the need for a token gets none, and none is stored."""
        for signed_in in (self.register(with_token=False), self.login(with_token=False)):
            self.assertEqual((signed_in.token, signed_in.digest), ("", None))
        self.assertEqual(
            [type(write).__name__ for commit in self.world.store.commits for write in commit], ["UserCreated"]
        )

    def test_default_hasher(self) -> None:
        """The default hasher is argon2id."""
        accounts = Accounts(
            self.world.directory, self.world.chat.queue, self.world.store, NoThreads().read, self.world.wall_ms
        )
        self.done(accounts.register("alice", GOOD))
        self.assertEqual(self.done(self.world.store.password(1))[:10], "$argon2id$")


class LoginTests(AccountsTestCase):
    """Signing in by name and password."""

    def test_wrong(self) -> None:
        """A wrong password, an unknown name and an invalid name get the same answer, after the same work."""
        self.register()
        texts, works = set(), set()
        for name, password in (
            ("alice", "wrong horse"),
            ("nobody", GOOD),
            ("a b", GOOD),
            ("alice", ""),
            ("alice", "\ud800"),
            ("alice", "x" * 10_000),
        ):
            self.calls.clear()
            texts.add(self.refuse(Code.BAD_CREDENTIALS, self.accounts.login, name, password))
            works.add(tuple(self.calls))
        self.assertEqual((len(texts), len(works), len(works.pop())), (1, 1, 1))

    def test_no_password_given(self) -> None:
        """A server with passwords requires one."""
        self.refuse(Code.BAD_REQUEST, self.accounts.login, "alice", None)

    def test_account_without_password(self) -> None:
        """An account created without a password is closed if passwords are required."""
        self.world.add_user("alice")
        for password in ("", GOOD):
            self.refuse(Code.BAD_CREDENTIALS, self.accounts.login, "alice", password)

    def test_damaged_hash(self) -> None:
        """An invalid hash matches no password."""
        signed_in = self.register()
        self.patch(self.accounts, "_hash", lambda by, password: maybeDeferred(lambda: "no hash"))
        self.change(signed_in)
        self.refuse(Code.BAD_CREDENTIALS, self.accounts.login, "alice", "no hash")

    def test_by_name(self) -> None:
        """Without passwords a name is enough. An unknown one creates its account, an invalid one does not."""
        self.accounts = self.made(passwords=False)
        first, again = self.login("Bob", None), self.login("bob", "anything")
        self.assertEqual((first.new, again.new, again.user), (True, False, first.user))
        self.assertEqual(self.resume(again.token).user, first.user)
        self.refuse(Code.BAD_NAME, self.accounts.login, "a b", None)
        self.accounts = self.made(passwords=False, registration_open=False)
        self.refuse(Code.REGISTRATION_CLOSED, self.accounts.login, "carol", None)
        self.assertEqual(self.login("bob", None).new, False)

    def test_token_on_disk_first(self) -> None:
        """The sign-in completes only after the token is on the disk."""
        self.register()
        self.world.store.holding = True
        asked = ensureDeferred(self.accounts.login("alice", GOOD))
        self.world.store.let_through()  # the hash is read
        self.assertNoResult(asked)
        self.world.store.fail()
        self.refused(Code.UNAVAILABLE, lambda: asked)


class StormTests(AccountsTestCase):
    """More sign-ins than the hasher can take."""

    def test_bounded(self) -> None:
        """A limited number waits, the others are refused at once, and service resumes after the storm."""
        self.patch(accounts, "_HASHING_MOST", 3)
        held: list[Deferred[Any]] = []

        def in_thread(by: object, call: Callable[..., Any], *args: Any) -> Deferred[Any]:
            held.append(Deferred())
            return held[-1]

        self.accounts = Accounts(
            self.world.directory, self.world.chat.queue, self.world.store, in_thread, self.world.wall_ms,
            hasher=HASHER,
        )  # fmt: skip
        waiting = [ensureDeferred(self.accounts.login("nobody", GOOD)) for _ in range(3)]
        self.refuse(Code.TOO_MANY, self.accounts.login, "nobody", GOOD)
        self.refuse(Code.TOO_MANY, self.accounts.register, "alice", GOOD)
        self.assertEqual(len(held), 3)
        for hashed in held:
            hashed.callback(False)
        for login in waiting:
            self.assertEqual(self.failureResultOf(login, Refusal).value.code, Code.BAD_CREDENTIALS)
        registering = ensureDeferred(self.accounts.register("alice", GOOD))
        held[-1].callback("hash")
        self.assertEqual(self.successResultOf(registering).user.name, "alice")
        self.assertEqual(self.accounts._hashing, 0)
