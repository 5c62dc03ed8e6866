"""``--forget``."""

from pathlib import Path

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from irchat.client.connect.server_connection import UNENCRYPTED
from irchat.client.connect.tokens import Tokens
from irchat.client.control.questions import Questions
from irchat.client.exceptions import ClientError
from irchat.client.plain.forget import forget_sign_in
from irchat.client.plain.plain_run import Talk
from irchat.client.view.screen_state import ScreenState
from irchat.protocol import events, requests
from tests.helpers.client_fakes import FakeServer, error, welcome

_LABEL = "host:7667"


class _Case(SynchronousTestCase):
    def setUp(self) -> None:
        """Return a tokens file that does not exist yet."""
        self.tokens = Tokens(Path(self.mktemp()) / "deep" / "tokens")


class ForgetTests(_Case):
    """``--forget``."""

    def forget(self, name: str | None) -> Talk:
        """Forget a sign-in."""
        self.view = ScreenState(_LABEL)
        return forget_sign_in(Clock(), self.tokens, _LABEL, name, Questions(self.view, lambda: None))

    def test_forgets_here_and_there(self) -> None:
        """The token ends in the file and on the server."""
        self.tokens.keep(_LABEL, "alice", "old", UNENCRYPTED)
        server = FakeServer()
        done = Deferred.fromCoroutine(self.forget(None)(server.connection))
        self.assertIsNone(self.tokens.find(_LABEL, "alice"))
        self.assertEqual(server.asked(), [requests.Resume(token="old")])
        server.answer(welcome())
        self.assertEqual(server.asked(), [requests.Logout(forget=True)])
        server.answer(events.Bye("you left"))
        self.successResultOf(done)
        self.assertIn("alice is forgotten", self.view.own.items[-1].text)

    def test_unknown_at_the_server(self) -> None:
        """A token unknown to the server is forgotten all the same."""
        self.tokens.keep(_LABEL, "alice", "old", UNENCRYPTED)
        server = FakeServer()
        done = Deferred.fromCoroutine(self.forget("alice")(server.connection))
        server.answer(error("bad-token"))
        self.successResultOf(done)

    def test_another_server(self) -> None:
        """To a server of another identity the token is not sent. It is forgotten here, with a warning."""
        self.tokens.keep(_LABEL, "alice", "old", "sha256:AA")
        server = FakeServer()
        done = Deferred.fromCoroutine(self.forget("alice")(server.connection))
        self.assertIn("was not sent", self.failureResultOf(done, ClientError).value.text)
        self.assertEqual(server.asked(), [])
        self.assertIsNone(self.tokens.find(_LABEL, "alice"))

    def test_nothing_kept(self) -> None:
        """Without a saved token the user sees an error."""
        self.assertIn("anybody", self.assertRaises(ClientError, self.forget, None).text)
        self.assertIn("bob", self.assertRaises(ClientError, self.forget, "bob").text)
