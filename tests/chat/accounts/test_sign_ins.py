"""The sign-ins of a user: listed, ended, and those of programs."""

from typing import Any

from twisted.internet.defer import Deferred, ensureDeferred, succeed

from irchat.chat.accounts import sign_ins
from irchat.chat.accounts.accounts import SignedIn
from irchat.chat.accounts.sign_ins import token_digest
from irchat.interfaces.bus import sign_in_id
from irchat.interfaces.stored import StoredSignIn
from irchat.protocol import events
from irchat.protocol.errors import Code, Refusal
from irchat.protocol.rules import LABEL_LENGTH, TOKEN_SECONDS
from irchat.system.clock import rfc3339
from tests.helpers.accounts import AccountsTestCase


class SignInsTests(AccountsTestCase):
    """`SignIns`."""

    def setUp(self) -> None:
        """Create an account that is signed in twice, and another user."""
        super().setUp()
        self.first = self.register("alice")
        self.world.pass_time(60)
        self.second = self.login("alice")
        self.bob = self.register("bob")
        self.sign_ins = self.world.chat.sign_ins
        for session, signed_in in enumerate((self.first, self.second, self.bob), 1):
            self.world.chat.presence.enter(signed_in.user.id, session, signed_in.digest)

    def listed(self, signed_in: SignedIn | None = None) -> events.Sessions:
        """List alice's sign-ins, asked for by one of her sessions."""
        token = None if signed_in is None else signed_in.digest
        return self.done(self.sign_ins.listed(self.world["alice"], token))

    def works(self, *tokens: str) -> list[bool]:
        """Return whether each token can be used."""
        known = [self.done(self.world.store.token(token_digest(token))) for token in tokens]
        return [one is not None for one in known]

    def test_listed(self) -> None:
        """The list has the user's own sign-ins, oldest first: since when, whether online, and which is this one."""
        self.world.chat.presence.leave(self.first.user.id, 1)
        self.world.enter("alice", 7)
        self.world.chat.presence.enter(self.first.user.id, 8, b"a key, which is not in the list")
        listed = self.listed(self.second)
        self.assertEqual([one.id for one in listed.sessions], [sign_in_id(one.digest) for one in self.of_alice])
        self.assertEqual([(one.online, one.this) for one in listed.sessions], [(False, False), (True, True)])
        first, second = listed.sessions
        self.assertLess(first.since, second.since)
        self.assertEqual((first.since, first.label), (first.used, ""))
        self.assertEqual((listed.unlisted, listed.more), (2, False))
        self.assertNotIn(True, [one.this for one in self.listed().sessions])

    @property
    def of_alice(self) -> tuple[SignedIn, SignedIn]:
        """The two sign-ins of alice."""
        return self.first, self.second

    def test_many(self) -> None:
        """The list has the sign-ins used last, still oldest first, and says that there are more."""
        self.patch(sign_ins, "SIGN_INS_MAX", 2)
        self.assertEqual((len(self.listed().sessions), self.listed().more), (2, False))
        self.world.pass_time(60)
        third = self.login("alice")
        self.world.chat.presence.enter(third.user.id, 9, third.digest)
        listed = self.listed(third)
        self.assertEqual([one.id for one in listed.sessions], [sign_in_id(one.digest) for one in (self.second, third)])
        self.assertEqual((listed.more, listed.unlisted), (True, 1))

    def test_of_an_older_version(self) -> None:
        """A token of an older version has no beginning, and comes first."""
        now = self.world.ms
        rows = [StoredSignIn(b"new", now, now, None), StoredSignIn(b"old", None, now, None)]
        self.patch(self.world.store, "sign_ins", lambda user, limit: succeed(rows))
        listed = self.listed().sessions
        self.assertEqual([(one.id, one.since) for one in listed],
                         [(sign_in_id(b"old"), None), (sign_in_id(b"new"), rfc3339(now))])  # fmt: skip

    def test_twice_online(self) -> None:
        """A sign-in with two sessions is listed once, and neither is unlisted."""
        self.world.chat.presence.enter(self.first.user.id, 7, self.first.digest)
        listed = self.listed()
        self.assertEqual((len(listed.sessions), listed.unlisted), (2, 0))

    def test_removed_meanwhile(self) -> None:
        """The request of a user who was removed while it waited ends nothing and is refused."""
        alice = self.world["alice"]
        self.done(self.world.chat.moderation.remove("alice", False, lambda count: None))
        refusal = self.failureResultOf(self.sign_ins.end_others(alice, None, 1), Refusal).value
        self.assertEqual(refusal.code, Code.NOT_LOGGED_IN)

    def test_end_one(self) -> None:
        """Ending one ends its token, and says goodbye to its sessions alone."""
        self.done(self.sign_ins.end(self.first.user, sign_in_id(self.first.digest)))
        self.assertEqual(self.works(self.first.token, self.second.token), [False, True])
        (bye,) = [one for one in self.world.published if isinstance(one.event, events.Bye)]
        self.assertEqual((bye.audience, bye.sign_in), ((self.first.user.id,), sign_in_id(self.first.digest)))
        self.refuse(Code.BAD_TOKEN, self.accounts.resume, self.first.token)

    def test_end_unknown(self) -> None:
        """A sign-in that has ended, and that of another user, are refused alike."""
        for sign_in in "unknown", sign_in_id(self.bob.digest):
            self.refuse(Code.BAD_REQUEST, self.sign_ins.end, self.first.user, sign_in)
        self.assertEqual(self.works(self.bob.token), [True])

    def test_end_others(self) -> None:
        """Ending the others leaves the asking session and its token, and all of other users."""
        self.done(self.sign_ins.end_others(self.first.user, self.second.digest, 2))
        self.assertEqual(self.works(self.first.token, self.second.token, self.bob.token), [False, True, True])
        (bye,) = [one for one in self.world.published if isinstance(one.event, events.Bye)]
        self.assertEqual((bye.audience, bye.sign_in, bye.origin), ((self.first.user.id,), None, 2))

    def test_sign_in_meanwhile(self) -> None:
        """A token that was read just before it was ended does not sign in: it is read again."""
        for end in (
            lambda: self.sign_ins.end(self.first.user, sign_in_id(self.first.digest)),
            lambda: self.sign_ins.end_others(self.first.user, None, 0),
        ):
            token = self.first.token if self.works(self.first.token) == [True] else self.second.token
            known = self.done(self.world.store.token(token_digest(token)))
            self.assertIsNotNone(known)
            read: Deferred[Any] = Deferred()
            self.patch(self.world.store, "token", lambda digest, read=read: read)
            resuming = ensureDeferred(self.accounts.resume(token))
            self.done(end())
            self.patch(self.world.store, "token", self.world.store.store.token)
            read.callback(known)
            self.assertEqual(self.failureResultOf(resuming, Refusal).value.code, Code.BAD_TOKEN)

    def test_labelled(self) -> None:
        """The token of a program signs in, even years later, until the password is changed."""
        token = self.done(self.sign_ins.add_labelled("ALICE", " disk\ncheck "))
        self.world.pass_time(4 * TOKEN_SECONDS)
        self.assertIs(self.resume(token).user, self.world["alice"])
        self.restart()
        self.sign_ins = self.world.chat.sign_ins
        self.assertEqual(self.resume(token).user.name, "alice")
        self.assertEqual([one.label for one in self.listed().sessions], ["disk␊check"])
        self.done(self.accounts.reset_password("alice", "another password"))
        self.refuse(Code.BAD_TOKEN, self.accounts.resume, token)

    def test_labels(self) -> None:
        """A token needs a user and a label."""
        self.refuse(Code.NO_SUCH_USER, self.sign_ins.add_labelled, "nobody", "x")
        for label in "", " \t", "x" * (LABEL_LENGTH + 1):
            self.refuse(Code.BAD_REQUEST, self.sign_ins.add_labelled, "alice", label)
        for label in "x", "y" * LABEL_LENGTH:
            self.done(self.sign_ins.add_labelled("alice", label))
        self.assertEqual({one.label for one in self.listed().sessions}, {"", "x", "y" * LABEL_LENGTH})
