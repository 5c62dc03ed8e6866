"""The full-screen client with real processes, on a pseudo-terminal whose screen is read by pyte."""

import os
import re
import shutil
import signal
import sys
import tempfile
import termios
from pathlib import Path

import pytest
from twisted.trial.unittest import SynchronousTestCase

from tests.helpers.processes import JSONClient, ServerProcess, TerminalProcess, wait_for

_PASSWORD = "correct horse"
_CTRL_C, _CTRL_K, _CTRL_N, _CTRL_Z, _F1, _TAB, _ALT = b"\x03", b"\x0b", b"\x0e", b"\x1a", b"\x1bOP", b"\t", b"\x1b"
_UP, _PAGE_UP, _END = b"\x1b[A", b"\x1b[5~", b"\x1b[F"
_LOCAL_MODES = 3


class FullScreenCase(SynchronousTestCase):
    """Starts real processes in a folder of its own. By default the server uses no passwords and no TLS."""

    server_options: tuple[str, ...] = ("--no-tls", "--no-passwords", "--rate", "0")
    client_options: tuple[str, ...] = ("--no-tls",)

    def setUp(self) -> None:
        # Short, because the path of a UNIX socket is limited to about a hundred characters.
        self.home = Path(tempfile.mkdtemp(prefix="irchat-"))
        self.addCleanup(shutil.rmtree, self.home)
        self.server = self.start_server()

    def start_server(self, port: int = 0) -> ServerProcess:
        """Start a server that ends with the test."""
        server = ServerProcess(self.home, *self.server_options, port=port)
        self.addCleanup(lambda: server.process.poll() is None and server.kill())
        return server

    def client(self, name: str, *options: str, columns: int = 80, lines: int = 24, **more: str) -> TerminalProcess:
        """Start a client that ends with the test."""
        home = self.home / name
        home.mkdir(exist_ok=True)
        address = f"{name}@127.0.0.1:{self.server.port}"
        options = (*self.client_options, *options)
        client = TerminalProcess.full_screen(address, home, *options, columns=columns, lines=lines, **more)
        self.addCleanup(client.close)
        return client

    def signed_in(self, name: str, *options: str, columns: int = 80, lines: int = 24, **more: str) -> TerminalProcess:
        """Start a client and wait until it has signed in."""
        client = self.client(name, *options, columns=columns, lines=lines, **more)
        client.expect(f"{name}@127.0.0.1")
        return client

    def bot(self, name: str) -> JSONClient:
        """Sign in a JSON client."""
        client = JSONClient(self.server, tls=False)
        self.addCleanup(client.close)
        self.assertEqual(client.ask(type="login", name=name)["type"], "welcome")
        return client

    def send(self, client: TerminalProcess, text: str) -> None:
        """Type a text and press Enter."""
        client.press(text.encode() + b"\r")

    def assert_restored(self, client: TerminalProcess) -> None:
        """Check that the terminal is restored and shows nothing of the client."""
        self.assertTrue(client.modes()[_LOCAL_MODES] & termios.ECHO)
        self.assertTrue(client.modes()[_LOCAL_MODES] & termios.ICANON)
        for undone in b"\x1b[?1049l", b"\x1b[?2004l", b"\x1b[?7h", b"\x1b[?25h":
            self.assertIn(undone, client.output[client.output.rindex(b"\x1b[?1049h") :])


class SignInTests(FullScreenCase):
    """The sign-in, with TLS and passwords."""

    server_options = ()
    client_options = ()

    def test_sign_in_and_token(self) -> None:
        """A new user chooses a password on the same screen. Later starts use the token, until it is forgotten."""
        client = self.client("alice")
        client.expect("Trust this server?")
        self.send(client, "yes")
        client.expect("Choose a password")
        for question in "New password:", "New password again:":
            client.expect(question)
            self.send(client, _PASSWORD)
        client.expect("Welcome to IRChat, alice!")
        self.assertNotIn(_PASSWORD, client.text())
        self.assertNotIn(_PASSWORD.encode(), client.output)
        self.send(client, "exit")
        self.assertEqual(client.wait(), 0)
        self.assert_restored(client)
        self.assertEqual(client.text().strip(), "")
        (token,) = (self.home / "alice").rglob("tokens")
        self.assertEqual(token.stat().st_mode & 0o777, 0o600)
        client = self.client("alice")
        client.expect("GLOBAL>")
        self.send(client, "exit --forget")
        self.assertEqual(client.wait(), 0)
        client = self.client("alice")
        client.expect("Password:")
        self.send(client, _PASSWORD)
        client.expect("GLOBAL>")
        client.press(_CTRL_C)
        client.expect("Press Ctrl-C again to leave")
        client.press(_CTRL_C)
        self.assertEqual(client.wait(), 0)
        forget = self.client("alice", "--forget")
        self.assertEqual(forget.wait(), 0)
        self.assertIn("alice is forgotten", forget.text())
        client = self.client("alice")
        client.expect("Password:")
        client.press(_CTRL_C)
        self.assertEqual(client.wait(), 0)
        self.assert_restored(client)

    @pytest.mark.slow
    def test_nobody_listens(self) -> None:
        """Without a server, the client restores the terminal, shows the reason, and exits with status 1."""
        self.server.kill()
        client = self.client("alice")
        self.assertEqual(client.wait(), 1)
        self.assertIn("! Nothing is listening", client.text())
        self.assert_restored(client)

    @pytest.mark.slow
    def test_no_address(self) -> None:
        """An invalid address is reported without switching to the full screen."""
        client = TerminalProcess.full_screen("host:x", self.home)
        self.addCleanup(client.close)
        self.assertEqual(client.wait(), 1)
        self.assertIn("'x' is not a port", client.text())
        self.assertNotIn(b"\x1b[?1049h", client.output)

    @pytest.mark.slow
    def test_not_trusted(self) -> None:
        """A user who does not trust the server leaves with status 1."""
        client = self.client("alice")
        client.expect("Trust this server?")
        self.send(client, "no")
        self.assertEqual(client.wait(), 1)
        self.assertIn("not trusted", client.text())


class TalkTests(FullScreenCase):
    """Conversations."""

    def test_unread_list_and_talk(self) -> None:
        """A user finds the unread chats, opens one with Enter, and talks to a user, a group and everyone."""
        bob = self.bot("bob")
        self.signed_in("alice").press(b"\x04")
        bob.ask(type="send", chat="@alice", text="for you alone")
        bob.ask(type="create_group", name="team", members=["alice"])
        bob.ask(type="send", chat="*team", text="for the team")
        alice = self.signed_in("alice")
        screen = alice.expect("@bob")
        self.assertRegex(screen, r"▸ \*team +1 unread\n  @bob +1 unread")
        alice.press(b"\r")
        self.assertIn(" unread ", alice.expect("bob │ for the team"))
        self.send(alice, "hello team")
        alice.expect("alice ┃ hello team")
        self.assertEqual(bob.event("message")["text"], "hello team")
        alice.press(_CTRL_N)
        alice.expect("bob │ for you alone")
        self.send(alice, "*600 psst")
        alice.expect("s) psst")
        self.assertEqual(bob.event("message")["chat"], "@alice")
        self.send(alice, "?team")
        alice.expect("Found")
        alice.press(_UP + b"\r")
        alice.expect("*team  2 members: bob (owner), alice")
        alice.press(_ALT + b"0")
        alice.expect("Nothing unread")
        alice.press(_CTRL_K + b"bo\r")
        alice.expect("@bob  online")
        bob.close()
        alice.expect("@bob  away")

    @pytest.mark.slow
    def test_alert(self) -> None:
        """A private message rings, notifies and is in the title. The text of a timed one is in none of them."""
        alice, bob = self.signed_in("alice"), self.bot("bob")
        bob.ask(type="send", chat="@alice", text="are you there")
        alice.expect("1 unread")
        wait_for(lambda: alice.text() and b"\x07\x1b]9;bob: are you there\x1b\\" in alice.output, "the alert")
        self.assertIn(b"\x1b]777;notify;IRChat;bob: are you there\x1b\\", alice.output)
        wait_for(lambda: alice.text() and b"\x1b]2;(1) IRChat" in alice.output, "the title")
        bob.ask(type="send", chat="@alice", text="secret word", expires_in=60)
        wait_for(lambda: alice.text() and b"\x1b]9;timed message from bob\x1b\\" in alice.output, "the alert")
        self.assertNotIn(b"secret word", alice.output)
        quiet = self.signed_in("carol", "--no-bell", NO_COLOR="1")
        bob.ask(type="send", chat="@carol", text="are you there")
        quiet.expect("1 unread")
        self.assertNotIn(b"\x07\x1b]9", quiet.output)
        self.assertNotIn(b"\x1b[38;", quiet.output)

    def test_timed_message_leaves_no_trace(self) -> None:
        """A timed message leaves the screen, scrollback and input history in time, even without the server."""
        alice, bob = self.signed_in("alice"), self.signed_in("bob", columns=120, lines=40)
        self.send(alice, "*3@bob the secret word")
        alice.expect("the secret word")
        bob.press(_ALT + b"0")
        bob.expect("▸ @alice")
        bob.press(b"\r")
        bob.expect("the secret word")
        self.server.kill()
        for person in alice, bob:
            person.expect("rying again")
            person.expect_gone("the secret word")
            person.press(_UP)
        self.send(alice, "said later")
        alice.expect("said later")
        self.assertNotIn("secret", alice.text() + bob.text())
        self.assertEqual(len(alice.screen.history.top) + len(bob.screen.history.top), 0)
        for path in self.home.rglob("*"):
            if path.is_file():
                self.assertNotIn(b"secret word", path.read_bytes(), path)

    @pytest.mark.slow
    def test_reconnect(self) -> None:
        """After the server is killed, the client says so and reconnects, and no message is lost or doubled."""
        alice, bob = self.signed_in("alice"), self.bot("bob")
        alice.press(_CTRL_K + b"bob\r")
        alice.expect("@bob>")
        self.send(alice, "before")
        alice.expect("alice ┃ before")
        bob.close()
        self.server.kill()
        alice.expect("Trying again")
        self.send(alice, "meanwhile")
        alice.expect("…   alice ┃ meanwhile")
        self.server = self.start_server(self.server.port)
        wait_for(lambda: re.search(r"\d\d:\d\d alice ┃ meanwhile", alice.text()), "the message to be sent", alice.text)
        bob = self.bot("bob")
        bob.ask(type="send", chat="@alice", text="after")
        self.assertRegex(alice.expect("after"), r"(?s)before.*meanwhile.*after")
        texts = [message["text"] for message in bob.ask(type="history", chat="@alice")["messages"]]
        self.assertEqual(texts, ["before", "meanwhile", "after"])


@pytest.mark.slow
class InputTests(FullScreenCase):
    """Keys and pastes."""

    def test_editing(self) -> None:
        """Emacs keys, history, Tab, several lines, usage hints, rejected input, the manual and switching work."""
        self.bot("bob")
        alice = self.signed_in("alice")
        alice.press(b"@bo" + _TAB)
        alice.expect("> @bob")
        alice.press(b"hi")
        alice.expect("say it to one user alone")
        alice.press(b"\x01x" + _CTRL_C)
        alice.expect_gone("@bob hi")
        self.send(alice, "~a b")
        alice.expect("not how ~ is used")
        alice.press(_CTRL_C + b"@bob one" + _ALT + b"\rtwo\r")
        alice.expect("two")
        alice.press(_UP)
        alice.expect("> @bob one")
        alice.press(_CTRL_C + _ALT + b"2")
        alice.expect("@bob  online")
        alice.press(_F1)
        alice.expect("Keys and commands")
        alice.press(_F1)
        alice.expect("@bob  online")
        alice.press(b"a draft" + _ALT + b"1")
        alice.expect("GLOBAL  everyone")
        alice.expect_gone("a draft")
        alice.press(_ALT + b"2")
        alice.expect("> a draft")

    def test_paste(self) -> None:
        """A paste of 10 kB waits for Enter and is sent in parts. One of a few lines is one message. Ctrl-C drops it."""
        bob, alice = self.bot("bob"), self.signed_in("alice")
        self.send(alice, "start")
        alice.expect("alice ┃ start")
        alice.press(b"\x1b[200~one\r\n@two\nthree\x1b[201~\r")
        text = "".join(f"{number:04} 0123456789 abcdefgh\n" for number in range(400))
        alice.expect("three")
        self.paste(alice, text)
        alice.expect("Enter sends them in 3 messages")
        alice.press(_CTRL_C)
        alice.expect("online")
        self.paste(alice, text)
        alice.expect("Enter sends them in 3 messages")
        alice.press(b"\r")
        alice.expect("0399 0123456789")
        texts = [bob.event("message")["text"] for _ in range(5)]
        self.assertEqual(texts[:2], ["start", "one\n@two\nthree"])
        self.assertEqual("".join(part.strip() for part in texts[2:]).replace("\n", ""), text.replace("\n", ""))

    def paste(self, client: TerminalProcess, text: str) -> None:
        """Paste a text as fast as the terminal takes it."""
        data = f"\x1b[200~{text}\x1b[201~".encode()
        while data:
            client.press(data[:1_000])
            data = data[1_000:]
            client.text()

    def test_older_history(self) -> None:
        """PgUp loads older messages up to the first, a count shows new ones below, and End returns to them."""
        bob = self.bot("bob")
        alice = self.signed_in("alice")
        for number in range(150):
            bob.ask(type="send", chat="GLOBAL", text=f"number {number:03}")
        alice.press(_ALT + b"1")
        alice.expect("number 149")
        wait_for(lambda: alice.press(_PAGE_UP) or "number 000" in alice.text(), "the first message", alice.text)
        bob.ask(type="send", chat="GLOBAL", text="the newest")
        alice.expect("1 new below")
        alice.press(_END)
        alice.expect("the newest")
        self.assertEqual(len(alice.screen.history.top), 0)


@pytest.mark.slow
class TerminalTests(FullScreenCase):
    """Resizing, suspending, and ends of the client."""

    def test_resize(self) -> None:
        """A resize redraws everything, hides the list of chats on narrow screens, and scrolls nothing off."""
        self.bot("bob")
        alice = self.signed_in("alice")
        alice.press(_CTRL_K + b"bob\r")
        alice.expect("@bob>")
        self.send(alice, "a text that is long enough to be wrapped on a narrow screen but not on a wide one")
        alice.expect("narrow screen")
        for columns, lines, has_list in (120, 40, True), (50, 12, False), (30, 6, False), (200, 50, True):
            alice.resize(columns, lines)
            screen = alice.expect("│ @bob  online" if has_list else "@bob  online")
            self.assertEqual("Online 2" in screen, has_list, screen)
        alice.expect("alice ┃ a text that is long enough to be wrapped on a narrow screen but not on a wide one")

    def test_suspend(self) -> None:
        """Ctrl-Z returns the terminal to the shell, and ``fg`` redraws the screen, also after SIGSTOP."""
        shell = TerminalProcess(["sh", "-i"], self.home, 80, 24, PS1="$ ")
        self.addCleanup(shell.close)
        self.send(shell, f"{sys.executable} -m irchat.client --no-tls alice@127.0.0.1:{self.server.port}")
        shell.expect("GLOBAL>")
        self.send(shell, "hello all")
        shell.expect("alice ┃ hello all")
        shell.press(_CTRL_Z)
        shell.expect("Stopped")
        self.assertNotIn("hello all", shell.text())
        self.assert_restored(shell)
        self.send(shell, "fg")
        shell.expect("alice ┃ hello all")
        os.kill(self.child(shell), signal.SIGSTOP)
        shell.expect("Stopped")
        shell.press(b"fg\n")  # SIGSTOP has left the shell a raw terminal
        shell.expect_gone("Stopped")
        self.send(shell, "and again")
        shell.expect_confirmed("alice ┃ and again")
        self.send(shell, "exit")
        shell.expect("\n$")
        self.assertNotIn("hello all", shell.text())

    def child(self, process: TerminalProcess) -> int:
        """Return the process that the shell has started."""
        pid = process.process.pid
        return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])

    def test_sigterm(self) -> None:
        """SIGTERM restores the terminal."""
        alice = self.signed_in("alice")
        alice.process.send_signal(signal.SIGTERM)
        alice.wait()
        self.assert_restored(alice)

    def test_crash(self) -> None:
        """If drawing fails, the client restores the terminal, shows the error and ends."""
        broken = self.home / "broken"
        broken.mkdir()
        (broken / "sitecustomize.py").write_text(
            "import sys\nsys.path.insert(0, '')\n"
            "from irchat.client.view import panels\n"
            "def fail(*_): raise RuntimeError('the test broke this')\n"
            "panels.Painter._found = fail\n"
        )
        alice = self.signed_in("alice", PYTHONPATH=os.pathsep.join([str(broken), os.environ.get("PYTHONPATH", "")]))
        self.send(alice, "?x")
        self.assertEqual(alice.wait(), 1)
        self.assertIn("the test broke this", alice.text())
        self.assert_restored(alice)

    def test_dumb_terminal(self) -> None:
        """A terminal that cannot show a full screen gets the plain client."""
        alice = self.client("alice", TERM="dumb")
        alice.expect("Welcome to IRChat")
        self.assertNotIn(b"\x1b[?1049h", alice.output)
