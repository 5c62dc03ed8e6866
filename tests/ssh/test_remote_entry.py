"""The sign-in of a session."""

from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from irchat.client.connect.request_channel import RequestChannel
from irchat.client.exceptions import ClientError, Later
from irchat.protocol import events, requests
from irchat.ssh.identity import Identity
from irchat.ssh.remote_entry import RemoteEntry
from tests.helpers.client_fakes import welcome
from tests.helpers.ssh_peers import FakeDoor


class _Questions:
    """Answers each question."""

    interactive = True

    def __init__(self) -> None:
        self.said: list[str] = []
        self.answers = ["bob", "correct horse", "correct horse"]

    def suggest(self, text: str) -> None:
        self.said.append(f"suggest {text}")

    def note(self, text: str) -> None:
        pass

    def complain(self, text: str) -> None:
        self.said.append(text)

    async def ask(self, question: str, *, secret: bool = False, can_cancel: bool = False) -> str:
        return self.answers.pop(0)


class EntryTests(SynchronousTestCase):
    """Users by key, by password, and guests."""

    def setUp(self) -> None:
        """Make the server."""
        self.door = FakeDoor()
        self.questions = _Questions()
        self.calls: list[str] = []
        self.is_last = True

    def entry(self, identity: Identity) -> RemoteEntry:
        """Return an entry."""
        return RemoteEntry(
            identity,
            self.questions,
            lambda: self.is_last,
            lambda: self.calls.append("signed in"),
            lambda why: self.calls.append(why.text),
        )

    def sign_in(self, entry: RemoteEntry) -> "Deferred[events.Welcome]":
        """Sign in on a new connection."""

        async def run() -> Any:
            channel: RequestChannel = self.door.channel(await self.door.connect(7))
            return await entry.sign_in(channel)

        return Deferred.fromCoroutine(run())

    def asked(self) -> list[str]:
        """Return the types of requests since the last call."""
        asked, self.door.asked = self.door.asked, []
        return [type(request).__name__ for request in asked]

    def test_key(self) -> None:
        """A key is vouched for. Later connections resume, and the token ends with the session."""
        entry = self.entry(Identity("alice", fingerprint="SHA256:x"))
        self.successResultOf(self.sign_in(entry))
        self.assertEqual(self.door.asked, [requests.Vouch(ref=1, user="alice", fingerprint="SHA256:x")])
        self.assertTrue(entry.is_temporary)
        self.asked()
        self.successResultOf(self.sign_in(entry))
        self.assertEqual(self.asked(), ["Resume"])
        self.assertEqual(self.calls, ["signed in"])
        entry.forget()

    def test_password(self) -> None:
        """The token of the sign-in at SSH is used, and ends with the last session of the connection."""
        entry = self.entry(Identity("alice", token="t"))
        self.successResultOf(self.sign_in(entry))
        self.assertEqual(self.door.asked, [requests.Resume(ref=1, token="t")])
        self.assertTrue(entry.is_temporary)
        self.is_last = False
        self.assertFalse(entry.is_temporary)

    def test_guest(self) -> None:
        """A guest is asked, with the name at SSH as a suggestion, and may create an account."""

        def answer(request: Any) -> events.Event:
            match request:
                case requests.Register(password=""):
                    return events.Error("weak-password", "")
                case requests.Register():
                    return welcome("bob", new=True)
            return events.Error("bad-credentials", "")

        self.door.answer = answer
        entry = self.entry(Identity("alice"))
        self.assertEqual(self.successResultOf(self.sign_in(entry)).name, "bob")
        self.assertEqual(self.questions.said, ["suggest alice"])
        self.assertTrue(entry.is_temporary)

    def test_over(self) -> None:
        """A sign-in that is no longer valid, and a ban, end the session."""
        for code, told in ("bad-token", "no longer valid"), ("bad-credentials", "no longer"), ("banned", "You are"):
            self.calls.clear()
            self.door.answer = lambda request, code=code: events.Error(code, "You are banned.")
            stop = self.failureResultOf(self.sign_in(self.entry(Identity("alice", token="t"))), ClientError).value
            self.assertIn(told, stop.text)
            self.assertEqual(self.calls, [stop.text])

    def test_later(self) -> None:
        """A temporary refusal is tried again. An answer of another kind is an error."""
        self.door.answer = lambda request: events.Error("unavailable", "Not now.")
        self.failureResultOf(self.sign_in(self.entry(Identity("alice", fingerprint="x"))), Later)
        self.door.answer = lambda request: events.Ok()
        self.failureResultOf(self.sign_in(self.entry(Identity("alice", fingerprint="x"))), ClientError)
        self.assertEqual(self.calls, [])
