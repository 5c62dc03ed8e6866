"""The file of kept sign-ins, forgetting one, and signing in by it."""

import stat
from pathlib import Path

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from irchat.client.connect import shared_files
from irchat.client.connect.entry import Entry
from irchat.client.connect.request_channel import RequestChannel
from irchat.client.connect.server_connection import UNENCRYPTED, VERIFIED
from irchat.client.connect.tokens import Kept, Tokens
from irchat.client.control.questions import Questions
from irchat.client.exceptions import ClientError, Later
from irchat.client.plain.forget import Forget
from irchat.client.view.screen_state import ScreenState
from irchat.protocol import events, requests
from irchat.protocol.errors import Code
from tests.helpers.client_fakes import FakeServer, error, welcome

_LABEL = "host:7667"


class _Case(SynchronousTestCase):
    def setUp(self) -> None:
        """A file that is not there yet."""
        self.tokens = Tokens(Path(self.mktemp()) / "deep" / "tokens")


class TokensTests(_Case):
    """The file."""

    def test_keep(self) -> None:
        """A token is found by server and name, whatever the case of the name; the file is for its owner alone."""
        self.assertIsNone(self.tokens.find(_LABEL, "alice"))
        self.tokens.keep(_LABEL, "alice", "t1", UNENCRYPTED)
        self.tokens.keep("other:1", "alice", "t2", UNENCRYPTED)
        self.tokens.keep(_LABEL, "Alice", "t3", UNENCRYPTED)
        self.assertEqual(self.tokens.find(_LABEL, "ALICE"), Kept("t3", UNENCRYPTED))
        self.assertEqual(self.tokens.find("other:1", "alice"), Kept("t2", UNENCRYPTED))
        self.assertEqual(stat.S_IMODE(self.tokens.path.stat().st_mode), 0o600)
        self.assertEqual(self.tokens.path.read_text().count("\n"), 2)
        self.assertEqual(sorted(path.name for path in self.tokens.path.parent.iterdir()), ["tokens", "tokens.lock"])

    def test_last_name(self) -> None:
        """The name that was used last is known, also when its token was forgotten."""
        self.assertIsNone(self.tokens.last_name(_LABEL))
        self.tokens.keep(_LABEL, "alice", "t1", UNENCRYPTED)
        self.tokens.keep(_LABEL, "bob", "t2", UNENCRYPTED)
        self.assertEqual(self.tokens.last_name(_LABEL), "bob")
        self.tokens.forget(_LABEL, "alice")
        self.assertEqual((self.tokens.last_name(_LABEL), self.tokens.find(_LABEL, "alice")), ("alice", None))

    def test_odd_lines(self) -> None:
        """Lines that are something else are nothing, and a name that is none is only itself."""
        self.tokens.path.parent.mkdir(parents=True)
        self.tokens.path.write_bytes(b"\xff\nhost:7667 alice\nhost:7667 c t0\nhost:7667 d \xff x\nhost:7667 a:b t1 x\n")
        self.assertEqual(self.tokens.find(_LABEL, "a:b"), Kept("t1", "x"))
        self.assertIsNone(self.tokens.find(_LABEL, "c"))
        self.assertIsNone(self.tokens.find(_LABEL, "d"))
        self.assertIsNone(self.tokens.find(_LABEL, "A:B"))

    def test_unknown_issuer(self) -> None:
        """A token without the identity of its issuer is for nobody; its name is remembered, its line replaced."""
        self.tokens.path.parent.mkdir(parents=True)
        self.tokens.path.write_text("host:7667 alice t1\n")
        self.assertEqual((self.tokens.find(_LABEL, "alice"), self.tokens.last_name(_LABEL)), (None, "alice"))
        self.assertIsNone(self.tokens.line_over_tls(_LABEL))
        self.tokens.keep(_LABEL, "alice", "t2", VERIFIED)
        self.assertEqual(self.tokens.path.read_text(), "host:7667 alice t2 verified\n")

    def test_forged(self) -> None:
        """What a hostile server gives as token or name makes no line of its own, for another server as little."""
        self.tokens.keep(_LABEL, "alice", "t1", UNENCRYPTED)
        before = self.tokens.path.read_text()
        for name, token in (
            ("bob", "t\nother:1 alice forged"), ("bob\nother:1 alice forged", "t"), ("bob", ""), ("", "t"),
            ("bob", "t\u2028x"), ("b ob", "t"), ("bob", "\xe9"),
        ):  # fmt: skip
            self.assertRaises(ClientError, self.tokens.keep, _LABEL, name, token, UNENCRYPTED)
        self.assertEqual(self.tokens.path.read_text(), before)

    def test_cannot_write(self) -> None:
        """Where the file cannot be written the user is told which one, and nothing is left behind."""
        self.tokens.path.mkdir(parents=True)
        stop = self.assertRaises(ClientError, self.tokens.keep, _LABEL, "alice", "t1", UNENCRYPTED)
        self.assertIn(str(self.tokens.path), stop.text)
        self.assertEqual(sorted(path.name for path in self.tokens.path.parent.iterdir()), ["tokens", "tokens.lock"])

    def test_over_tls(self) -> None:
        """It is known where a token came over TLS, on which line; a forgotten one tells nothing."""
        self.tokens.keep(_LABEL, "alice", "t1", UNENCRYPTED)
        self.assertIsNone(self.tokens.line_over_tls(_LABEL))
        self.tokens.keep(_LABEL, "bob", "t2", VERIFIED)
        self.assertEqual((self.tokens.line_over_tls(_LABEL), self.tokens.line_over_tls("other:1")), (2, None))
        self.tokens.forget(_LABEL, "bob")
        self.assertIsNone(self.tokens.line_over_tls(_LABEL))

    def test_forget_this_one(self) -> None:
        """A token that another client has replaced meanwhile is not forgotten."""
        self.tokens.keep(_LABEL, "alice", "new", UNENCRYPTED)
        self.tokens.forget(_LABEL, "alice", "old")
        self.assertEqual(self.tokens.find(_LABEL, "alice"), Kept("new", UNENCRYPTED))
        self.tokens.forget(_LABEL, "alice", "new")
        self.assertIsNone(self.tokens.find(_LABEL, "alice"))

    def test_other_lines_stay(self) -> None:
        """Lines that are something else stay as they are."""
        self.tokens.path.parent.mkdir(parents=True)
        self.tokens.path.write_bytes(b"# caf\xe9\nhost:7667 alice t1 x\nlast")
        self.tokens.keep(_LABEL, "alice", "t2", "x")
        self.assertEqual(self.tokens.path.read_bytes(), b"# caf\xe9\nlast\nhost:7667 alice t2 x\n")

    def test_unreadable(self) -> None:
        """A file that cannot be read is not replaced by one that has less in it."""
        self.tokens.keep(_LABEL, "alice", "t1", UNENCRYPTED)

        def denied(path: Path) -> str:
            raise PermissionError(13, "Permission denied")

        self.patch(shared_files, "read", denied)
        self.assertIsNone(self.tokens.find(_LABEL, "alice"))
        stop = self.assertRaises(ClientError, self.tokens.keep, _LABEL, "bob", "t2", UNENCRYPTED)
        self.assertIn("Permission denied", stop.text)
        self.assertIn("alice", self.tokens.path.read_text())

    def test_protect(self) -> None:
        """The right of others to read the file is taken away, once."""
        self.assertFalse(self.tokens.protect())
        self.tokens.keep(_LABEL, "alice", "t1", UNENCRYPTED)
        self.assertFalse(self.tokens.protect())
        self.tokens.path.chmod(0o640)
        self.assertEqual((self.tokens.protect(), self.tokens.protect()), (True, False))
        self.assertEqual(stat.S_IMODE(self.tokens.path.stat().st_mode), 0o600)


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
        self.assertIn("cannot be kept", self.troubles[0])

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


class ForgetTests(_Case):
    """``--forget``."""

    def forget(self, name: str | None) -> Forget:
        """Forget a sign-in."""
        self.view = ScreenState(_LABEL)
        return Forget(Clock(), self.tokens, _LABEL, name, Questions(self.view, lambda: None))

    def test_forgets_here_and_there(self) -> None:
        """The token ends here and at the server."""
        self.tokens.keep(_LABEL, "alice", "old", UNENCRYPTED)
        server = FakeServer()
        done = Deferred.fromCoroutine(self.forget(None).run(server.connection))
        self.assertIsNone(self.tokens.find(_LABEL, "alice"))
        self.assertEqual(server.asked(), [requests.Resume(token="old")])
        server.answer(welcome())
        self.assertEqual(server.asked(), [requests.Logout(forget=True)])
        server.answer(events.Bye("you left"))
        self.successResultOf(done)
        self.assertIn("alice is forgotten", self.view.own.items[-1].text)

    def test_unknown_at_the_server(self) -> None:
        """One that the server does not know any more is forgotten all the same."""
        self.tokens.keep(_LABEL, "alice", "old", UNENCRYPTED)
        server = FakeServer()
        done = Deferred.fromCoroutine(self.forget("alice").run(server.connection))
        server.answer(error("bad-token"))
        self.successResultOf(done)

    def test_another_server(self) -> None:
        """To a server of another identity the token is not sent; here it is forgotten, and the user is told."""
        self.tokens.keep(_LABEL, "alice", "old", "sha256:AA")
        server = FakeServer()
        done = Deferred.fromCoroutine(self.forget("alice").run(server.connection))
        self.assertIn("was not sent", self.failureResultOf(done, ClientError).value.text)
        self.assertEqual(server.asked(), [])
        self.assertIsNone(self.tokens.find(_LABEL, "alice"))

    def test_nothing_kept(self) -> None:
        """Where none is kept the user is told so."""
        self.assertIn("anybody", self.assertRaises(ClientError, self.forget, None).text)
        self.assertIn("bob", self.assertRaises(ClientError, self.forget, "bob").text)
