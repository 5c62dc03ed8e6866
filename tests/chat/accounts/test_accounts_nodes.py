"""Sign-ins on one of several nodes: each decides by everything that was committed before it."""

from typing import Any

from twisted.internet.defer import Deferred, ensureDeferred

from irchat.chat.accounts.sign_ins import token_digest
from irchat.interfaces.stored import StoredBan
from irchat.interfaces.writes import BanSet, Entry, KeyAdded, PasswordSet, UserCreated
from irchat.protocol.errors import Code, Refusal
from tests.helpers.accounts import GOOD, AccountsTestCase
from tests.helpers.ssh_doors import new_key


class _Log:
    """A log whose `caught_up` the test answers."""

    def __init__(self) -> None:
        self.waiting: list[Deferred[None]] = []

    def caught_up(self) -> Deferred[None]:
        self.waiting.append(Deferred())
        return self.waiting[-1]

    def catch_up(self) -> None:
        """Answer those that wait."""
        waiting, self.waiting = self.waiting, []
        for one in waiting:
            one.callback(None)


class NodesTests(AccountsTestCase):
    """A node that has not applied everything. Alice has a password and a key."""

    def setUp(self) -> None:
        """Fall behind."""
        super().setUp()
        self.alice = self.register("alice").user
        self.key = new_key()
        self.done(self.accounts.keys.add(self.alice, self.key))
        self.vouched = self.done(self.accounts.vouch("alice", self.key.fingerprint)).token
        self.log = self.world.store.log = _Log()

    def follow(self, write: Any, result: Any = None) -> None:
        """Apply a commit of another node, and let those that wait go on."""
        self.world.directory.apply(Entry(write, result))
        self.log.catch_up()

    def ban(self) -> BanSet:
        """Return a ban of alice."""
        return BanSet(StoredBan(self.alice.id, None, None, "spam"), self.world.ms)

    def created(self, name: str) -> tuple[UserCreated, int]:
        """Create an account in the store, as another node does. Return the entry."""
        write = UserCreated(name, name, None, self.world.ms, None)
        (result,) = self.done(self.world.store.store.commit([write]))
        return write, result

    def test_new_account(self) -> None:
        """An account that was created on another node is known."""
        self.accounts = self.made(passwords=False)
        entry = self.created("bob")
        entering = ensureDeferred(self.accounts.login("bob", None))
        self.assertNoResult(entering)
        self.follow(*entry)
        self.log.catch_up()
        signed_in = self.done(entering)
        self.assertEqual((signed_in.user.id, signed_in.new), (entry[1], False))

    def test_new_account_with_a_key(self) -> None:
        """So is one that signs in by a key."""
        entry = self.created("bob")
        added = KeyAdded(entry[1], self.key.kind, self.key.blob, self.key.fingerprint, "", self.world.ms, 9)
        self.done(self.world.store.store.commit([added]))
        entering = ensureDeferred(self.accounts.vouch("bob", self.key.fingerprint))
        self.follow(*entry)
        self.log.catch_up()
        self.assertEqual(self.done(entering).user.id, entry[1])

    def test_banned_before(self) -> None:
        """A ban from another node holds for each way to sign in, with or without a new token."""
        for sign_in in (
            lambda: self.accounts.login("alice", GOOD, with_token=False),
            lambda: self.accounts.login("alice", GOOD),
            lambda: self.accounts.vouch("alice", self.key.fingerprint),
            lambda: self.accounts.resume(self.vouched),
        ):
            entering = ensureDeferred(sign_in())
            self.assertNoResult(entering)
            self.follow(self.ban())
            self.log.catch_up()
            self.refused(Code.BANNED, lambda entering=entering: entering)
            self.alice.ban = None
            self.world.directory.banned.clear()

    def test_banned_while_it_is_verified(self) -> None:
        """A ban that was committed while the password was verified holds too."""
        for with_token in True, False:
            entering = ensureDeferred(self.accounts.login("alice", GOOD, with_token=with_token))
            self.log.catch_up()
            self.assertNoResult(entering)
            self.follow(self.ban())
            self.refused(Code.BANNED, lambda entering=entering: entering)
            self.alice.ban = None
            self.world.directory.banned.clear()

    def test_new_password_while_it_is_verified(self) -> None:
        """A password that another node has replaced meanwhile signs in nobody."""
        entering = ensureDeferred(self.accounts.login("alice", GOOD, with_token=False))
        self.log.catch_up()
        self.follow(PasswordSet(self.alice.id, "hash", None))
        self.assertEqual(self.failureResultOf(entering, Refusal).value.code, Code.BAD_CREDENTIALS)

    def test_key_of(self) -> None:
        """Whether a key is that of a user is decided after everything was applied."""
        entry = self.created("bob")
        asked = ensureDeferred(self.accounts.keys.is_of("bob", self.key.blob))
        self.assertNoResult(asked)
        self.follow(*entry)
        self.assertFalse(self.done(asked))

    def test_when_current(self) -> None:
        """An answer from memory waits until everything is applied. On a single server it does not."""
        asked = self.world.chat.when_current(lambda name: self.world[name].id, "alice")
        self.assertNoResult(asked)
        self.log.catch_up()
        self.assertEqual(self.successResultOf(asked), self.alice.id)
        self.world.store.log = None
        self.assertEqual(self.world.chat.when_current(len, "four"), 4)

    def test_digest(self) -> None:
        """The sessions of a key are known by the key, others by their token."""
        entering = ensureDeferred(self.accounts.resume(self.vouched))
        self.log.catch_up()
        self.assertEqual(self.done(entering).digest, token_digest(self.key.fingerprint))
        self.world.store.log = None
        signed_in = self.login()
        self.assertEqual((signed_in.digest, signed_in.key), (token_digest(signed_in.token), ""))
