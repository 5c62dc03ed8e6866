"""Signing in on the full screen."""

from pathlib import Path

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from irchat.client.connect.entry import Entry
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
        """A file that is not there yet."""
        self.tokens = Tokens(Path(self.mktemp()) / "deep" / "tokens")


class EntryTests(_Case):
    """Signing in."""

    def setUp(self) -> None:
        """A server, and a user who can be asked."""
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
        self.entry = Entry(self.tokens, _LABEL, name, self.questions, self.troubles.append)
        return Deferred.fromCoroutine(self.entry.sign_in(self.channel))

    def test_token(self) -> None:
        """A kept token signs in by itself, as who used the server last, and the new one is kept."""
        self.tokens.keep(_LABEL, "alice", "old", UNENCRYPTED)
        done = self.enter(None)
        self.assertEqual(self.server.asked(), [requests.Resume(token="old")])
        self.server.answer(welcome())
        self.assertEqual(self.successResultOf(done).name, "alice")
        self.assertEqual(self.tokens.find(_LABEL, "alice"), Kept("token", UNENCRYPTED))

    def test_bad_token(self) -> None:
        """A token that is no good any more is forgotten, and the password asked for, the name suggested."""
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
        """A token refused for any other reason stays, and no password is asked for; too-fast is tried again."""
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
        """A reply that is none ends the sign-in."""
        self.tokens.keep(_LABEL, "alice", "old", UNENCRYPTED)
        done = self.enter(None)
        self.server.answer(events.Ok())
        self.assertIn("cannot read", self.failureResultOf(done, ClientError).value.text)

    def test_token_of_another_server(self) -> None:
        """A token goes to no server of another identity: not without TLS, not to another certificate; the password is
        asked for, with the reason."""
        for kept, found in (VERIFIED, UNENCRYPTED), ("sha256:AA", UNENCRYPTED), (UNENCRYPTED, VERIFIED), (
            "sha256:AA", "sha256:BB"), ("sha256:AA", VERIFIED), (VERIFIED, "sha256:AA"):  # fmt: skip
            self.tokens.keep(_LABEL, "alice", "secret", kept)
            self.server.connection.identity = found
            self.enter("alice")
            self.assertEqual(self.server.asked(), [requests.Login(name="alice")], (kept, found))
            self.assertIn("another certificate", self.view.own.items[-1].text)
            self.assertEqual(self.tokens.find(_LABEL, "alice"), Kept("secret", kept))

    def test_bound(self) -> None:
        """A token is kept for the server that issued it."""
        self.server.connection.identity = "sha256:AA"
        done = self.enter("alice")
        self.server.answer(welcome())
        self.successResultOf(done)
        self.assertEqual(self.tokens.find(_LABEL, "alice"), Kept("token", "sha256:AA"))

    def test_readable_by_others(self) -> None:
        """A file that others could read is closed to them, and the user is told after the sign-in."""
        self.tokens.keep(_LABEL, "alice", "old", UNENCRYPTED)
        self.tokens.path.chmod(0o644)
        done = self.enter("alice")
        self.assertEqual(self.troubles, [])
        self.server.answer(welcome())
        self.successResultOf(done)
        self.assertIn("Others could read", self.troubles[0])

    def test_given_name(self) -> None:
        """A name that was given is not asked for."""
        self.enter("bob")
        self.assertEqual(self.server.asked(), [requests.Login(name="bob")])

    def test_not_kept(self) -> None:
        """Where the token cannot be kept the user is told, and is in."""
        self.tokens.path.mkdir(parents=True)
        done = self.enter("alice")
        self.server.answer(welcome())
        self.successResultOf(done)
        self.assertIn("cannot be saved", self.troubles[0])

    def test_comes_back_without_a_file(self) -> None:
        """Where the token cannot be kept it is still known while the client runs, and the trouble is told once."""
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
        """Forgetting takes the token; before any name is known there is nothing to forget."""
        self.enter(None)
        self.entry.forget()
        self.assertFalse(self.tokens.path.exists())
        self.tokens.keep(_LABEL, "alice", "old", UNENCRYPTED)
        self.enter("alice")
        self.entry.forget()
        self.assertIsNone(self.tokens.find(_LABEL, "alice"))

    def test_questions(self) -> None:
        """Errors and notes are shown in the view; an ask that was broken off fails, until things are mended."""
        self.questions.show(error("x", "wrong"))
        self.questions.show(welcome())
        self.assertEqual(self.view.own.items[0].text, "wrong")
        asked = Deferred.fromCoroutine(self.questions.ask("Name? "))
        self.questions.break_off(ClientError("gone"))
        self.assertEqual(self.failureResultOf(asked, ClientError).value.text, "gone")
        self.failureResultOf(Deferred.fromCoroutine(self.questions.ask("Name? ")), ClientError)
        self.questions.mend()
        self.assertNoResult(Deferred.fromCoroutine(self.questions.ask("Name? ")))
