"""Signing in on the full screen."""

from pathlib import Path

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from irchat.client.connect.entry import SavedSignIn
from irchat.client.connect.request_channel import RequestChannel
from irchat.client.connect.server_connection import UNENCRYPTED, VERIFIED
from irchat.client.connect.tokens import Kept, Tokens
from irchat.client.control.questions import Questions
from irchat.client.exceptions import ClientError, Later
from irchat.client.view.screen_state import ScreenState
from irchat.protocol import events, requests
from irchat.protocol.errors import Code
from tests.helpers.client_fakes import FakeServer, error, welcome

_LABEL = "host:7667"


class _Case(SynchronousTestCase):
    def setUp(self) -> None:
        """Return a tokens file that does not exist yet."""
        self.tokens = Tokens(Path(self.mktemp()) / "deep" / "tokens")


class EntryTests(_Case):
    """Signing in."""

    def setUp(self) -> None:
        """Create a server and a user who can be asked."""
        super().setUp()
        self.server = FakeServer()
        self.view = ScreenState(_LABEL)
        self.questions = Questions(self.view, self.settle)
        self.channel = RequestChannel(Clock(), self.server.connection, lambda _: None, lambda _: None)
        self.troubles: list[str] = []

    def settle(self) -> None:
        """Each change is drawn, and nothing is being typed."""
        self.questions.settle()

    def enter(self, name: str | None) -> "Deferred[events.Welcome]":
        """Begin to sign in."""
        self.entry = SavedSignIn(self.tokens, _LABEL, name, self.questions, self.troubles.append)
        return Deferred.fromCoroutine(self.entry.sign_in(self.channel))

    def test_token(self) -> None:
        """A saved token signs in the last user without questions, and is replaced by the new one."""
        self.tokens.keep(_LABEL, "alice", "old", UNENCRYPTED)
        done = self.enter(None)
        self.assertEqual(self.server.asked(), [requests.Resume(token="old")])
        self.server.answer(welcome())
        self.assertEqual(self.successResultOf(done).name, "alice")
        self.assertEqual(self.tokens.find(_LABEL, "alice"), Kept("token", UNENCRYPTED))

    def test_bad_token(self) -> None:
        """A token that is no longer valid is forgotten. The password is asked for, and the name is suggested."""
        self.tokens.keep(_LABEL, "alice", "old", UNENCRYPTED)
        done = self.enter(None)
        self.server.answer(error("bad-token", "Sign in again."))
        self.assertIn("Sign in again.", self.view.own.items[-1].text)
        asked = self.questions.current
        self.assertEqual((asked.text, asked.suggestion), ("Your name: ", "alice"))
        self.assertIsNone(self.tokens.find(_LABEL, "alice"))
        self.questions.answer("alice")
        self.server.answer(error("bad-request"), error("name-taken"))
        self.assertTrue(self.questions.current.secret)
        self.questions.answer("correct horse")
        self.server.answer(welcome())
        self.successResultOf(done)
        self.assertNotIn("correct horse", "".join(item.text for item in self.view.own.items))

    def test_refused_for_now(self) -> None:
        """A token refused for any other reason stays, without a question. ``too-fast`` is tried again."""
        self.tokens.keep(_LABEL, "alice", "old", UNENCRYPTED)
        for code in [*Code, "banned", "a-code-of-the-future"]:
            if code in ("bad-token", "bad-request", "bad-credentials", "no-such-user", "too-fast"):
                continue
            done = self.enter(None)
            self.server.answer(error(code, "Not now."))
            later = self.failureResultOf(done, Later).value
            self.assertEqual((later.text, later.pause), ("Not now.", 300 if code == "banned" else 0))
            self.assertFalse(self.questions.is_asking)
        self.assertEqual(self.tokens.find(_LABEL, "alice"), Kept("old", UNENCRYPTED))

    def test_unreadable_reply(self) -> None:
        """A reply of an unknown type ends the sign-in."""
        self.tokens.keep(_LABEL, "alice", "old", UNENCRYPTED)
        done = self.enter(None)
        self.server.answer(events.Ok())
        self.assertIn("cannot read", self.failureResultOf(done, ClientError).value.text)

    def test_token_of_another_server(self) -> None:
        """A token is sent only to a server with the issuer's identity: neither without TLS nor to another certificate.

        Otherwise the password is asked for, with the reason.
        """
        for kept, found in (VERIFIED, UNENCRYPTED), ("sha256:AA", UNENCRYPTED), (UNENCRYPTED, VERIFIED), (
            "sha256:AA", "sha256:BB"), ("sha256:AA", VERIFIED), (VERIFIED, "sha256:AA"):  # fmt: skip
            self.tokens.keep(_LABEL, "alice", "secret", kept)
            self.server.connection.identity = found
            self.enter("alice")
            self.assertEqual(self.server.asked(), [requests.Login(name="alice")], (kept, found))
            self.assertIn("another certificate", self.view.own.items[-1].text)
            self.assertEqual(self.tokens.find(_LABEL, "alice"), Kept("secret", kept))

    def test_bound(self) -> None:
        """A token is saved with the identity of its server."""
        self.server.connection.identity = "sha256:AA"
        done = self.enter("alice")
        self.server.answer(welcome())
        self.successResultOf(done)
        self.assertEqual(self.tokens.find(_LABEL, "alice"), Kept("token", "sha256:AA"))

    def test_readable_by_others(self) -> None:
        """A file readable by others is made private, and the user is warned after the sign-in."""
        self.tokens.keep(_LABEL, "alice", "old", UNENCRYPTED)
        self.tokens.path.chmod(0o644)
        done = self.enter("alice")
        self.assertEqual(self.troubles, [])
        self.server.answer(welcome())
        self.successResultOf(done)
        self.assertIn("Others could read", self.troubles[0])

    def test_given_name(self) -> None:
        """A name given on the command line is not asked for."""
        self.enter("bob")
        self.assertEqual(self.server.asked(), [requests.Login(name="bob")])

    def test_not_kept(self) -> None:
        """If the token cannot be saved, the user is warned and signed in."""
        self.tokens.path.mkdir(parents=True)
        done = self.enter("alice")
        self.server.answer(welcome())
        self.successResultOf(done)
        self.assertIn("cannot be saved", self.troubles[0])

    def test_comes_back_without_a_file(self) -> None:
        """A token that cannot be saved is kept in memory, and the warning appears once."""
        self.tokens.path.mkdir(parents=True)
        done = self.enter("alice")
        self.server.answer(welcome())
        self.successResultOf(done)
        again = Deferred.fromCoroutine(self.entry.sign_in(self.channel))
        self.assertEqual(self.server.asked(), [requests.Resume(token="token")])
        self.server.answer(error("bad-token"))
        self.assertEqual(self.server.asked(), [requests.Login(name="alice")])
        self.server.answer(welcome())
        self.successResultOf(again)
        self.assertEqual(len(self.troubles), 1)

    def test_forget(self) -> None:
        """`forget` deletes the token. Without a known name it does nothing."""
        self.enter(None)
        self.entry.forget()
        self.assertFalse(self.tokens.path.exists())
        self.tokens.keep(_LABEL, "alice", "old", UNENCRYPTED)
        self.enter("alice")
        self.entry.forget()
        self.assertIsNone(self.tokens.find(_LABEL, "alice"))

    def test_questions(self) -> None:
        """Errors and notes are shown in the view. `ask` fails after `break_off` until `mend`."""
        self.questions.complain("wrong")
        self.questions.note("connecting")
        self.assertEqual([item.text for item in self.view.own.items], ["wrong", "connecting"])
        asked = Deferred.fromCoroutine(self.questions.ask("Name? "))
        self.questions.break_off(ClientError("gone"))
        self.assertEqual(self.failureResultOf(asked, ClientError).value.text, "gone")
        self.failureResultOf(Deferred.fromCoroutine(self.questions.ask("Name? ")), ClientError)
        self.questions.mend()
        self.assertNoResult(Deferred.fromCoroutine(self.questions.ask("Name? ")))
