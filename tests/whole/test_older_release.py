"""The release from before messages could be changed, as it was: its clients and its server beside today's."""

import subprocess
from pathlib import Path

import pytest
from twisted.trial.unittest import SkipTest

from tests.helpers.processes import ServerProcess, TerminalProcess
from tests.whole.terminals.test_terminal import FullScreenCase

_COMMIT = "b8ade140dc4755f884d0092ad3e875ee13501b20"
_ROOT = Path(__file__).parents[2]
_SHIFT_TAB, _CTRL_U, _ESCAPE = b"\x1b[Z", b"\x15", b"\x1b"


class _OlderCase(FullScreenCase):
    """Real processes, some of them of the older release."""

    def install(self) -> dict[str, str]:
        """Unpack the older release. Return the variables with which Python finds it before today's. Raises SkipTest."""
        archive = subprocess.run(
            ["git", "archive", _COMMIT, "irchat", "twisted"], cwd=_ROOT, capture_output=True, check=False
        )
        if archive.returncode:
            raise SkipTest("the history of the repository is not here")
        older = self.home / "older"
        older.mkdir()
        subprocess.run(["tar", "-x", "-C", str(older)], input=archive.stdout, check=True)
        # Where today's is installed its plugin is found first, for it lies beside those of Twisted.
        plugins = f"import twisted.plugins\ntwisted.plugins.__path__.insert(0, {str(older / 'twisted/plugins')!r})\n"
        (older / "sitecustomize.py").write_text(plugins)
        return {"PYTHONPATH": str(older)}


@pytest.mark.slow
class OlderReleaseTests(_OlderCase):
    """Older clients at today's server, in the same chats as today's."""

    def test_full_screen(self) -> None:
        """Its full screen shows every message once, goes on after each kind of change, and reads the present texts."""
        older = self.install()
        alice = self.bot("alice")
        bob = self.opened(older)
        for text in "lunch at none?", "to be deleted":
            alice.ask(type="send", chat="GLOBAL", text=text)
            bob.expect(text)
        alice.ask(type="amend", chat="GLOBAL", seq=1, text="lunch at noon?")
        alice.ask(type="amend", chat="GLOBAL", seq=2, delete=True)
        alice.ask(type="mark", chat="GLOBAL", seq=1, mark="ok")
        alice.ask(type="alert", chat="@bob", alert="none")
        alice.ask(type="send", chat="GLOBAL", text="#1 yes, @bob")
        bob.expect("#1 yes, @bob")
        self.send(bob, "from the past")
        self.assertEqual(alice.event("message")["text"], "from the past")
        bob.expect_confirmed("bob ┃ from the past")
        self.send(bob, "exit")
        self.assertEqual(bob.wait(), 0)
        again = self.opened(older)
        screen = again.expect("lunch at noon?")
        for gone in "at none", "to be deleted":
            self.assertNotIn(gone, screen)
        for shown in "lunch at noon?", "#1 yes, @bob", "from the past":
            self.assertEqual(screen.count(shown), 1, screen)

    def opened(self, older: dict[str, str]) -> TerminalProcess:
        """Start the older full screen, and open GLOBAL."""
        bob = self.client("bob", **older)
        bob.expect("Nothing unread")
        self.send(bob, "ls GLOBAL")
        bob.expect("GLOBAL  everyone")
        return bob

    def test_plain(self) -> None:
        """Its plain client prints every message, and neither ends nor prints anything at a change."""
        older = self.install()
        alice = self.bot("alice")
        bob = self.client("bob", "--plain", **older)
        bob.expect("Type a message")
        alice.ask(type="send", chat="@bob", text="one")
        bob.expect("alice: one")
        alice.ask(type="amend", chat="@bob", seq=1, text="changed")
        alice.ask(type="mark", chat="@bob", seq=1, mark="ok")
        alice.ask(type="amend", chat="@bob", seq=1, delete=True)
        alice.ask(type="send", chat="@bob", text="two")
        screen = bob.expect("alice: two")
        self.assertNotIn("changed", screen)
        bob.type("@alice #2 three")
        self.assertEqual(alice.event("message")["text"], "#2 three")


@pytest.mark.slow
class OlderReleaseServerTests(_OlderCase):
    """Today's client at the older server."""

    def start_server(self, port: int = 0) -> ServerProcess:
        """Start the older server."""
        server = ServerProcess(self.home, *self.server_options, port=port, variables=self.install())
        self.addCleanup(server.kill)
        return server

    def test_not_offered(self) -> None:
        """The client refuses what the server would take for a message, and talks as before."""
        bob = self.bot("bob")
        alice = self.signed_in("alice")
        self.send(alice, "hello")
        self.assertEqual(bob.event("message")["text"], "hello")
        for line in "#1= hello all", "#1-", "#-", "#1+ok", "#1", "?@", "ls GLOBAL +ok":
            self.send(alice, line)
            alice.expect("This server is older and cannot do that.")
            alice.press(_CTRL_U)
            alice.expect_gone("This server is older")
        alice.press(_SHIFT_TAB)
        alice.expect("#1  r, Enter")
        alice.press(b"+")
        alice.expect("This server is older and cannot do that.")
        alice.press(_ESCAPE)
        alice.expect("F1: help")
        self.send(alice, "#1 an answer")
        self.assertEqual(bob.event("message")["text"], "#1 an answer")
        bob.ask(type="send", chat="@alice", text="for you")
        alice.expect("@bob 1")
