"""The sign-in dialogue."""

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from irchat.client.connect.request_channel import RequestChannel
from irchat.client.connect.sign_in import SignIn
from irchat.client.exceptions import ClientError, InputEnded
from irchat.client.plain.screens import PlainScreen
from irchat.protocol import events, requests
from tests.helpers.client_fakes import FakeServer, Keyboard, error, welcome


class _Screen(PlainScreen):
    """A screen that records its questions. The test decides whether it is a terminal."""

    def __init__(self, keyboard: Keyboard, *, interactive: bool) -> None:
        super().__init__(keyboard.console, keyboard.errors.append)
        self.interactive = interactive
        self.asked: list[str] = []

    def note(self, text: str) -> None:
        self.asked.append(text)

    async def ask(self, question: str, *, secret: bool = False) -> str:
        self.asked.append(question + ("(secret)" if secret else ""))
        return await super().ask(question, secret=secret)


class _Dialogue(SynchronousTestCase):
    interactive = True

    def setUp(self) -> None:
        """Connect, without a sign-in."""
        self.keyboard = Keyboard()
        self.server = FakeServer()
        self.screen = _Screen(self.keyboard, interactive=self.interactive)
        channel = RequestChannel(Clock(), self.server.connection, self.screen.show, self.keyboard.console.break_off)
        self.sign_in = SignIn(channel, self.screen)

    def begin(self, name: str | None) -> None:
        """Begin to sign in."""
        self.signed_in = Deferred.fromCoroutine(self.sign_in.run(name))

    def exchange(self, request: requests.ANY, reply: events.Event) -> None:
        """Check that the server gets exactly this request, and answer it."""
        self.assertEqual(self.server.asked(), [request])
        self.server.answer(reply)

    def probe(self, name: str, code: str) -> None:
        """Check that the server is asked whether it knows the name."""
        self.exchange(requests.Login(name=name), error("bad-credentials"))
        self.exchange(requests.Register(name=name, password=""), error(code))

    def stopped(self) -> str:
        """Return the error that ended the sign-in."""
        return self.failureResultOf(self.signed_in, ClientError).value.text


class TerminalTests(_Dialogue):
    """On a terminal, questions are repeated after mistakes."""

    def test_no_passwords(self) -> None:
        """Without passwords the name is enough."""
        self.begin("alice")
        self.exchange(requests.Login(name="alice"), welcome())
        self.assertEqual(self.successResultOf(self.signed_in), welcome())
        self.assertEqual(self.screen.asked, [])

    def test_name_is_asked(self) -> None:
        """Without a name the user is asked for one, and surrounding spaces are ignored."""
        self.begin(None)
        self.assertEqual(self.server.asked(), [])
        self.keyboard.type(" alice ")
        self.exchange(requests.Login(name="alice"), welcome())
        self.assertEqual(self.screen.asked, ["Your name: "])

    def test_known_name(self) -> None:
        """For an existing name the password is asked for."""
        self.begin("alice")
        self.probe("alice", "name-taken")
        self.assertEqual(self.screen.asked, ["Password: (secret)"])
        self.keyboard.type("correct horse")
        self.exchange(requests.Login(name="alice", password="correct horse"), welcome())
        self.assertEqual(self.successResultOf(self.signed_in), welcome())

    def test_server_without_login_by_name(self) -> None:
        """A server that refuses an empty password as a bad request is asked about the name as well."""
        self.begin("alice")
        self.exchange(requests.Login(name="alice"), error("bad-request"))
        self.exchange(requests.Register(name="alice", password=""), error("name-taken"))
        self.assertEqual(self.screen.asked, ["Password: (secret)"])

    def test_wrong_password(self) -> None:
        """A wrong password is reported, and the third one ends the client."""
        self.begin("alice")
        self.probe("alice", "name-taken")
        for tries in range(3):
            self.assertEqual(len(self.screen.asked), tries + 1)
            self.assertNoResult(self.signed_in)
            self.keyboard.type("wrong")
            self.exchange(requests.Login(name="alice", password="wrong"), error("bad-credentials"))
        self.assertIn("Wrong password for alice", self.stopped())
        self.assertEqual(self.keyboard.complaints().count("Wrong password for alice"), 2)

    def test_banned(self) -> None:
        """A banned user sees the server's text and is not asked again."""
        self.begin("alice")
        self.probe("alice", "name-taken")
        self.keyboard.type("correct horse")
        banned = events.Error(code="banned", text="You are banned until 2026-12-01 12:00 UTC: spam.")
        self.exchange(requests.Login(name="alice", password="correct horse"), banned)
        self.assertEqual(self.stopped(), banned.text)

    def test_new_name(self) -> None:
        """A new name is reported as new, and a password is asked for twice."""
        self.begin("alice")
        self.probe("alice", "weak-password")
        self.keyboard.type("longenough", "longenough")
        self.exchange(requests.Register(name="alice", password="longenough"), welcome(new=True))
        self.assertEqual(self.successResultOf(self.signed_in), welcome(new=True))
        self.assertEqual(
            self.screen.asked,
            [
                "alice is new here. Choose a password to keep the name.",
                "New password: (secret)",
                "New password again: (secret)",
            ],
        )

    def test_passwords_differ(self) -> None:
        """Two passwords that differ are asked for again and not sent."""
        self.begin("alice")
        self.probe("alice", "weak-password")
        self.keyboard.type("longenough", "lengenough")
        self.assertIn("differ", self.keyboard.complaints())
        self.assertEqual(self.server.asked(), [])
        self.keyboard.type("longenough", "longenough")
        self.exchange(requests.Register(name="alice", password="longenough"), welcome())

    def test_weak_password(self) -> None:
        """A password that the server refuses as weak is asked for again, with the reason."""
        self.begin("alice")
        self.probe("alice", "weak-password")
        self.keyboard.type("alice", "alice")
        self.exchange(requests.Register(name="alice", password="alice"), error("weak-password", "Too short."))
        self.assertEqual(self.keyboard.complaints(), "! Too short.")
        self.keyboard.type("longenough", "longenough")
        self.exchange(requests.Register(name="alice", password="longenough"), welcome())

    def test_name_taken_meanwhile(self) -> None:
        """A name registered meanwhile by another ends the sign-in with that reason."""
        self.begin("alice")
        self.probe("alice", "weak-password")
        self.keyboard.type("longenough", "longenough")
        self.exchange(requests.Register(name="alice", password="longenough"), error("name-taken", "alice is taken."))
        self.assertEqual(self.stopped(), "alice is taken.")

    def test_bad_name(self) -> None:
        """An invalid name is reported, and another one asked for."""
        self.begin("GLOBAL")
        self.exchange(requests.Login(name="GLOBAL"), error("bad-name", "No name."))
        self.assertEqual(self.keyboard.complaints(), "! No name.")
        self.keyboard.type("ls")
        self.probe("ls", "bad-name")
        self.keyboard.type("alice")
        self.exchange(requests.Login(name="alice"), welcome())

    def test_registration_closed(self) -> None:
        """Without registration, the error of a wrong password mentions that the name may be unknown."""
        self.begin("alice")
        self.probe("alice", "registration-closed")
        self.keyboard.type("wrong")
        self.exchange(requests.Login(name="alice", password="wrong"), error("bad-credentials"))
        self.assertIn("the administrator of the server adds new users", self.keyboard.complaints())
        self.keyboard.type("correct horse")
        self.exchange(requests.Login(name="alice", password="correct horse"), welcome())
        self.assertEqual(self.successResultOf(self.signed_in), welcome())

    def test_other_errors(self) -> None:
        """An error that no answer can fix ends the sign-in at every step, in the server's words."""
        self.begin("alice")
        self.exchange(requests.Login(name="alice"), error("unavailable", "No disk."))
        self.assertEqual(self.stopped(), "No disk.")
        self.begin("alice")
        self.probe("alice", "internal")
        self.assertEqual(self.stopped(), "internal")
        self.begin("alice")
        self.probe("alice", "name-taken")
        self.keyboard.type("correct horse")
        self.exchange(requests.Login(name="alice", password="correct horse"), events.Ok())
        self.assertIn("cannot read", self.stopped())

    def test_end_of_input(self) -> None:
        """Without an answer there is no sign-in."""
        self.begin(None)
        self.keyboard.end()
        self.failureResultOf(self.signed_in, InputEnded)


class PipeTests(_Dialogue):
    """In a pipe, the next line is not a second attempt."""

    interactive = False

    def test_order(self) -> None:
        """A pipe provides the name, the password and, for a new name, the password again."""
        self.keyboard.type("alice", "longenough", "longenough")
        self.begin(None)
        self.probe("alice", "weak-password")
        self.exchange(requests.Register(name="alice", password="longenough"), welcome(new=True))
        self.assertEqual(self.successResultOf(self.signed_in), welcome(new=True))

    def test_wrong_password(self) -> None:
        """A wrong password ends the client at once."""
        self.keyboard.type("wrong", "hello everyone")
        self.begin("alice")
        self.probe("alice", "name-taken")
        self.exchange(requests.Login(name="alice", password="wrong"), error("bad-credentials"))
        self.assertIn("Wrong password for alice", self.stopped())
        self.assertEqual(self.server.asked(), [])

    def test_passwords_differ(self) -> None:
        """Two passwords that differ end the client."""
        self.keyboard.type("longenough", "lengenough")
        self.begin("alice")
        self.probe("alice", "weak-password")
        self.assertIn("differ", self.stopped())

    def test_bad_name(self) -> None:
        """An invalid name ends the client."""
        self.begin("ls")
        self.exchange(requests.Login(name="ls"), error("bad-name", "No name."))
        self.assertEqual(self.stopped(), "No name.")
