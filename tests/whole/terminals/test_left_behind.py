"""The remains of clients on the terminal and in files, however they end, and the reach of hostile servers."""

import signal
import sys
from pathlib import Path

import pytest

from tests.helpers import hostile_bytes
from tests.helpers.processes import TerminalProcess, environment, wait_for
from tests.whole.terminals.test_terminal import FullScreenCase as _FullScreenCase

_SECRET = "the timed text"
_CTRL_N, _CTRL_K = b"\x0e", b"\x0b"


@pytest.mark.slow
class SignalTests(_FullScreenCase):
    """Signals that end a client."""

    def shows_secret(self, *options: str) -> TerminalProcess:
        """Start a client with a timed message on its screen."""
        alice = self.client("alice", *options)
        alice.expect("alice")
        bob = self.bot("bob")
        wait_for(lambda: "alice" in bob.ask(type="users")["online"], "alice")
        self.assertEqual(bob.ask(type="send", chat="@alice", text=_SECRET, expires_in=600)["reached"], 1)
        if "--plain" not in options:
            wait_for(lambda: "(1) IRChat" in alice.text() or "(1) IRChat" in alice.screen.title, "the unread message")
            alice.press(_CTRL_N)
        alice.expect(_SECRET)
        return alice

    def test_full_screen(self) -> None:
        """After SIGHUP or SIGQUIT the full-screen client restores the terminal, and its text is gone."""
        for number in signal.SIGHUP, signal.SIGQUIT:
            alice = self.shows_secret()
            alice.process.send_signal(number)
            self.assertEqual(alice.wait(), 0)
            self.assert_restored(alice)
            self.assertNotIn(_SECRET, alice.text())

    def test_plain(self) -> None:
        """After SIGHUP the plain client clears the timed text."""
        alice = self.shows_secret("--plain")
        alice.process.send_signal(signal.SIGHUP)
        self.assertEqual(alice.wait(), 0)
        self.assertNotIn(_SECRET, alice.text())

    def test_no_core_dumps(self) -> None:
        """No client can leave a core dump, full-screen or plain."""
        for options in (), ("--plain",):
            alice = self.client("alice", *options)
            alice.expect("alice")
            limits = Path(f"/proc/{alice.process.pid}/limits").read_text()
            self.assertRegex(limits, r"Max core file size +0 +0 ")

    if not sys.platform.startswith("linux"):
        test_no_core_dumps.skip = "looks into /proc"


@pytest.mark.slow
class TeeTests(_FullScreenCase):
    """``irchat HOST | tee log`` on a terminal."""

    server_options = ("--no-tls", "--rate", "0")

    def test_questions_and_echo(self) -> None:
        """The log has the chat only, no password is echoed, and a pasted line end is not part of one."""
        home = self.home / "tee"
        environment(home)
        command = f"{sys.executable} -m irchat.client --no-tls 127.0.0.1:{self.server.port} | tee log"
        alice = TerminalProcess(["sh", "-c", command], home)
        self.addCleanup(alice.close)
        alice.expect("Your name:")
        alice.type("alice")
        alice.expect("New password:")
        alice.press(b"\x1b[200~correct horse\r\n\x1b[201~\n")
        alice.expect("New password again:")
        alice.press(b"correct horse\r\n")
        alice.expect("Welcome to IRChat")
        alice.type("hello everyone")
        alice.type("exit")
        self.assertEqual(alice.wait(), 0)
        self.assertNotIn("correct horse", alice.text())
        log = (home / "log").read_text()
        self.assertIn("Welcome to IRChat, alice!", log)
        for other in "Your name", "password:", "correct horse", "\x1b":
            self.assertNotIn(other, log)


@pytest.mark.slow
class HostileTests(_FullScreenCase):
    """A server that sends terminal control sequences in each field of each event."""

    def hostile_client(self, *options: str, refuse: str | None = None) -> TerminalProcess:
        """Connect a client to a hostile server."""
        server = hostile_bytes.HostileServer(refuse)
        self.addCleanup(server.close)
        home = self.home / "victim"
        home.mkdir(exist_ok=True)
        client = TerminalProcess.full_screen(f"victim@127.0.0.1:{server.port}", home, "--no-tls", *options, columns=120)
        self.addCleanup(client.close)
        return client

    def test_full_screen(self) -> None:
        """No control sequence reaches the terminal, in panes, prompt, status, title or notifications."""
        victim = self.hostile_client()
        victim.expect("PWNED")
        for keys in _CTRL_N, b"hi\r", _CTRL_N, b"?x\r", b"\x1b0", b"+x\r", _CTRL_K, b"P\r", b"no ->\r", b"!help\r":
            victim.press(keys)
            victim.read_raw(0.3)
            victim.text()
        self.assertEqual(hostile_bytes.raw_in(victim.output), [])
        victim.process.send_signal(signal.SIGTERM)
        victim.wait()
        self.assertEqual(hostile_bytes.raw_in(victim.output), [])

    def test_plain(self) -> None:
        """No control sequence reaches the terminal of the plain client, in any reply."""
        victim = self.hostile_client("--plain")
        victim.expect("PWNED")
        for line in "hi", "?x", "+x", "ls", "@", "~":
            victim.type(line)
        wait_for(lambda: victim.text().count("PWNED") > 100, "all that was answered")
        victim.type("exit")
        victim.process.send_signal(signal.SIGTERM)
        victim.wait()
        self.assertEqual(hostile_bytes.raw_in(victim.output), [])

    def test_refused(self) -> None:
        """No control sequence reaches the terminal in the refusal of a sign-in."""
        for options in (), ("--plain",):
            victim = self.hostile_client(*options, refuse="unavailable")
            self.assertEqual(victim.wait(), 1)
            self.assertIn("PWNED", victim.text())
            self.assertEqual(hostile_bytes.raw_in(victim.output), [])


@pytest.mark.slow
class FolderTests(_FullScreenCase):
    """Folders that cannot be written."""

    server_options = ("--no-passwords",)
    client_options = ()

    def test_goes_on(self) -> None:
        """The client goes on, and its warnings can still be read after the screen has opened."""
        (self.home / "alice").mkdir()
        (self.home / "alice" / "file").touch()
        folder = str(self.home / "alice" / "file")
        alice = self.client("alice", XDG_CONFIG_HOME=folder, XDG_STATE_HOME=folder, columns=120)
        alice.expect("Trust this server?")
        self.send(alice, "yes")
        alice.expect("Cannot save the server")
        alice.expect("The sign-in cannot be saved")
        self.assertIn("alice@127.0.0.1", alice.text())
