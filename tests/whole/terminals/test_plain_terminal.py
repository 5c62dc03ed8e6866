"""The plain client on a real terminal: pastes that must not confirm anything, and Ctrl-C."""

import shutil
import tempfile
from pathlib import Path

import pytest
from twisted.trial.unittest import SynchronousTestCase

from tests.helpers.processes import JSONClient, ServerProcess, TerminalProcess

_PASSWORD = "correct horse"
_CTRL_C = b"\x03"


@pytest.mark.slow
class PlainTerminalTests(SynchronousTestCase):
    """Real processes and a pseudo-terminal, where each line of a paste is read separately."""

    def setUp(self) -> None:
        """Sign in alice in the client, and bob as a second user."""
        self.home = Path(tempfile.mkdtemp(prefix="irchat-"))
        self.addCleanup(shutil.rmtree, self.home)
        self.server = ServerProcess(self.home, "--no-tls", "--rate", "0")
        self.addCleanup(lambda: self.server.process.poll() is None and self.server.kill())
        self.bob = JSONClient(self.server, tls=False)
        self.addCleanup(self.bob.close)
        self.assertEqual(self.bob.ask(type="register", name="bob", password=_PASSWORD)["type"], "welcome")
        home = self.home / "alice"
        home.mkdir()
        self.alice = TerminalProcess.client(f"alice@127.0.0.1:{self.server.port}", home, "--no-tls", "--plain")
        self.addCleanup(self.alice.close)
        self.alice.expect("New password:")
        self.alice.type(_PASSWORD)
        self.alice.expect("New password again:")
        self.alice.type(_PASSWORD)
        self.alice.expect("Welcome to IRChat")

    def heard(self) -> str:
        """Return the text of bob's next message."""
        return str(self.bob.event("message")["text"])

    def test_pasted_habit(self) -> None:
        """A habit line twice in one paste is not sent. Typed again after its hint, it is sent to everyone."""
        self.alice.press(b"/msg bob secret\n/msg bob secret\nhello\n")
        self.assertEqual(self.heard(), "hello")
        self.alice.type("quit")
        self.alice.expect("In IRChat, type: exit")
        self.alice.type("quit")
        self.assertEqual(self.heard(), "quit")

    def test_interrupted_question(self) -> None:
        """Ctrl-C cancels a question of ``!password`` and what was typed for it, and the chat goes on."""
        self.alice.type("!password")
        self.alice.expect("Old password:")
        self.alice.press(b"half a password" + _CTRL_C)
        self.alice.expect("cancelled: the password is unchanged")
        self.alice.type("still here")
        self.assertEqual(self.heard(), "still here")
        self.alice.press(_CTRL_C)
        self.assertEqual(self.alice.wait(), 0)
        self.assertNotIn("half a password", self.alice.text())
