"""Accounts: registering and signing in."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, ensureDeferred, maybeDeferred

from irchat.chat.accounts import accounts
from irchat.chat.accounts.accounts import Accounts
from irchat.protocol.errors import Code, Refusal
from irchat.protocol.rules import PASSWORD_MAX_BYTES
from irchat.store.sqlite.threads import NoThreads
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
            self.refuse(Code.BAD_NAME, ask, "NickServ", GOOD)
        self.world.add_user("nickserv")
        self.assertEqual(self.done(self.made(passwords=False).login("NickServ", None)).user.name, "nickserv")

    def test_refused(self) -> None:
        """A name that is bad or taken and a password that is weak make no account."""
        self.register("Alice")
        for code, name, password in (
            (Code.BAD_NAME, "a b", GOOD), (Code.BAD_NAME, "", GOOD), (Code.NAME_TAKEN, "ALICE", GOOD),
            (Code.NAME_TAKEN, "alice", ""), (Code.WEAK_PASSWORD, "bob", "short"),
            (Code.WEAK_PASSWORD, "bob", "x" * (PASSWORD_MAX_BYTES + 1)), (Code.WEAK_PASSWORD, "robert_b", "Robert_B"),
        ):  # fmt: skip
            self.refuse(code, self.accounts.register, name, password)
        self.assertEqual([user.name for user in self.world.store.snapshot().users], ["Alice"])

    def test_two_at_once(self) -> None:
        """Of two who register the same name at the same time one gets it."""
        self.world.store.holding = True
        asked = [ensureDeferred(self.accounts.register(name, GOOD)) for name in ("bob", "BOB")]
        for _ in range(2):
            self.world.store.let_through()
        self.assertEqual(self.done(asked[0]).user.name, "bob")
        self.refused(Code.NAME_TAKEN, lambda: asked[1])

    def test_banned(self) -> None:
        """Who is banned is told until when and why, after the right password alone; the ban ends by the wall clock."""
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
        """Where registration is closed the administrator alone adds accounts, who then sign in."""
        self.accounts = self.made(registration_open=False)
        self.refuse(Code.REGISTRATION_CLOSED, self.accounts.register, "alice", GOOD)
        self.done(self.accounts.add("alice", GOOD))
        self.refuse(Code.NAME_TAKEN, self.accounts.add, "Alice", GOOD)
        self.refuse(Code.WEAK_PASSWORD, self.accounts.add, "bob", "x")
        self.assertEqual(self.login().user.name, "alice")

    def test_nothing_secret_on_disk(self) -> None:
        """Neither a password nor a token is in any file."""
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
        """An account that the disk does not take is none."""
        self.world.store.holding = True
        asked = ensureDeferred(self.accounts.register("alice", GOOD))
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
        self.done(accounts.register("alice", GOOD))
        self.assertEqual(self.done(self.world.store.password(1))[:10], "$argon2id$")


class LoginTests(AccountsTestCase):
    """Signing in by name and password."""

    def test_wrong(self) -> None:
        """A wrong password, an unknown name and one that can be none get one answer, after the same work."""
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
        """A server with passwords wants one."""
        self.refuse(Code.BAD_REQUEST, self.accounts.login, "alice", None)

    def test_account_without_password(self) -> None:
        """An account that was made without a password is closed where passwords are asked for."""
        self.world.add_user("alice")
        for password in ("", GOOD):
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
        asked = ensureDeferred(self.accounts.login("alice", GOOD))
        self.world.store.let_through()  # the hash is read
        self.assertNoResult(asked)
        self.world.store.fail()
        self.refused(Code.UNAVAILABLE, lambda: asked)


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
