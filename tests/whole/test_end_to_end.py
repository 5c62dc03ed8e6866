"""The real ``twistd irchat`` and the real client."""

import re
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest
from twisted.trial.unittest import SynchronousTestCase

from tests.helpers.processes import (
    PATIENCE,
    JSONClient,
    Place,
    ServerProcess,
    TerminalProcess,
    environment,
    twistd,
    wait_for,
)

_PASSWORD = "correct horse"


class EndToEnd(SynchronousTestCase):
    """Starts real processes in a folder of its own."""

    def setUp(self) -> None:
        # Short, because the path of a UNIX socket is limited to about a hundred characters.
        self.home = Path(tempfile.mkdtemp(prefix="irchat-"))
        self.addCleanup(shutil.rmtree, self.home)

    def server(self, *options: str, port: int = 0) -> ServerProcess:
        """Start a server that ends with the test."""
        server = ServerProcess(self.home, *options, port=port)
        self.addCleanup(lambda: server.process.poll() is None and server.kill())
        return server

    def client(self, server: ServerProcess, name: str) -> TerminalProcess:
        """Start a client in a terminal, which asks whether to trust the server."""
        home = self.home / name
        home.mkdir(exist_ok=True)
        client = TerminalProcess.client(f"{name}@127.0.0.1:{server.port}", home)
        self.addCleanup(client.close)
        return client

    def newcomer(self, server: ServerProcess, name: str) -> TerminalProcess:
        """Start a client and create its account."""
        client = self.client(server, name)
        client.expect("sha256:")
        client.type("yes")
        client.expect("Choose a password")
        client.type(_PASSWORD)
        client.expect("again")
        client.type(_PASSWORD)
        client.expect("Welcome to IRChat")
        return client

    def comes_back(self, server: ServerProcess, name: str) -> TerminalProcess:
        """Start a client that signs in again by the token of its last session, at a server it trusts."""
        client = self.client(server, name)
        client.expect("Welcome back")
        return client

    def bot(self, server: ServerProcess, name: str) -> JSONClient:
        """Return a JSON client with a new account."""
        client = JSONClient(server)
        self.addCleanup(client.close)
        welcome = client.ask(type="register", name=name, password=_PASSWORD)
        self.assertEqual(welcome["type"], "welcome", welcome)
        return client


class PeopleTests(EndToEnd):
    """Two users in two terminals."""

    def test_two_talk_and_one_comes_back(self) -> None:
        """Two users talk to everyone and to each other. One leaves, comes back, and finds the unread messages."""
        server = self.server()
        alice, bob = self.newcomer(server, "alice"), self.newcomer(server, "bob")
        alice.expect("bob connected")
        alice.type("Hello World!")
        bob.expect("[GLOBAL #1] alice: Hello World!")
        bob.type("@alice just you and me")
        alice.expect("[@bob #1] bob: just you and me")
        bob.type("exit")
        self.assertEqual(bob.wait(), 0)
        alice.expect("bob disconnected")
        alice.type("*bob -> team")
        alice.expect("*team, owner alice: alice, bob")
        alice.type("*team for later")
        alice.type("@bob for you")
        alice.type("@nobody hi")
        alice.expect("There is no user 'nobody'")
        bob = self.comes_back(server, "bob")
        screen = bob.expect("Online")
        self.assertRegex(screen, r"@alice +1 unread")
        self.assertRegex(screen, r"\*team +1 unread")
        bob.type("ls -n team")
        bob.expect("[*team #1] alice: for later")

    @pytest.mark.slow
    def test_changed_messages(self) -> None:
        """An edit and a mark are shown at the other end; a deletion takes the message off the screens of both."""
        server = self.server()
        alice, bob = self.newcomer(server, "alice"), self.newcomer(server, "bob")
        alice.type("lunch at noon?")
        bob.expect("[GLOBAL #1] alice: lunch at noon?")
        alice.type("#= lunch at one?")
        bob.expect("[GLOBAL #1] alice, edited: lunch at one?")
        bob.type("#1+ok")
        alice.expect("-- bob: ok on GLOBAL #1")
        alice.type("#1")
        alice.expect("-- #1 ok 1: bob")
        alice.type("#-")
        alice.expect("-- deleted GLOBAL #1")
        for person in alice, bob:
            person.expect_gone("lunch at")

    def test_timed_message_leaves_no_trace(self) -> None:
        """A timed message disappears from screen and scrollback of both users, and was in no file of the server."""
        server = self.server()
        alice, bob = self.newcomer(server, "alice"), self.newcomer(server, "bob")
        alice.type("*3@bob the secret word")
        screen = bob.expect("alice: the secret word")
        self.assertIn("[@alice]", screen)
        self.assertNotFoundOnDisk(server, b"secret word")
        for person in alice, bob:
            person.expect_gone("the secret word")
        self.assertNotFoundOnDisk(server, b"secret word")
        bob.type("ls @alice")
        self.assertNotIn("secret", bob.expect("no messages to show"))

    def assertNotFoundOnDisk(self, server: ServerProcess, text: bytes) -> None:
        """Check that no file of the server, including its log, holds ``text``."""
        files = [path for path in [*server.data.rglob("*"), server.log] if path.is_file()]
        self.assertTrue(files)
        for path in files:
            self.assertNotIn(text, path.read_bytes(), path)

    @pytest.mark.slow
    def test_timed_message_goes_when_the_server_is_killed(self) -> None:
        """If the server dies, the client clears the timed message at its end, and comes back with the server."""
        server = self.server()
        alice, bob = self.newcomer(server, "alice"), self.newcomer(server, "bob")
        alice.type("*5* soon gone")
        bob.expect("alice: soon gone")
        server.kill()
        bob.expect("Reconnecting")
        bob.expect_gone("soon gone")
        self.server(port=server.port)
        for client in bob, alice:
            client.expect("Welcome back")
        bob.type("here again")
        alice.expect("bob: here again")

    @pytest.mark.slow
    def test_wrong_password(self) -> None:
        """After three wrong passwords the client exits with status 1, and none of them was on the screen."""
        server = self.server()
        alice = self.newcomer(server, "alice")
        alice.type("exit --forget")
        self.assertEqual(alice.wait(), 0)
        client = self.client(server, "alice")
        for asked in range(1, 4):
            wait_for(lambda asked=asked: client.text().count("Password:") == asked, "the question", client.text)
            client.type("wrong password")
        self.assertEqual(client.wait(), 1)
        self.assertNotIn("wrong password", client.text().replace("wrong password or", ""))


class ServerTests(EndToEnd):
    """The server's process."""

    def test_killed_server_keeps_what_it_acknowledged(self) -> None:
        """After kill -9 under load, everything acknowledged or shown is stored, once and in order."""
        server = self.server("--rate", "0")
        sender, reader = self.bot(server, "alice"), self.bot(server, "bob")
        sender.post(*({"type": "send", "chat": "GLOBAL", "text": f"m{n}", "ref": n} for n in range(2_000)))
        acknowledged: dict[int, str] = {}
        while len(acknowledged) < 500 and (reply := sender.next()) is not None:
            if reply["type"] == "sent":
                acknowledged[reply["seq"]] = f"m{reply['ref']}"
        server.kill()
        while (reply := sender.next()) is not None:
            if reply["type"] == "sent":
                acknowledged[reply["seq"]] = f"m{reply['ref']}"
        shown = {}
        while (event := reader.next()) is not None:
            if event["type"] == "message":
                shown[event["seq"]] = event["text"]
        again = self.server("--rate", "0", port=server.port)
        client = JSONClient(again)
        self.addCleanup(client.close)
        client.ask(type="login", name="alice", password=_PASSWORD)
        kept: list[dict[str, Any]] = []
        more = True
        while more:
            after = kept[-1]["seq"] if kept else 0
            page = client.ask(type="history", chat="GLOBAL", after=after, limit=500)
            kept += page["messages"]
            more = page["more"]
        stored = {message["seq"]: message["text"] for message in kept}
        self.assertEqual([message["seq"] for message in kept], list(range(1, len(kept) + 1)))
        self.assertEqual([message["text"] for message in kept], [f"m{n}" for n in range(len(kept))])
        self.assertEqual(acknowledged, {seq: stored.get(seq) for seq in acknowledged})
        self.assertEqual(shown, {seq: stored.get(seq) for seq in shown})

    def test_sigterm_says_goodbye(self) -> None:
        """On SIGTERM a session gets ``bye``, sent messages are kept, and the port file is deleted."""
        server = self.server()
        client = self.bot(server, "alice")
        runtime = self.home / "run"
        self.assertTrue(list(runtime.rglob("*.port")))
        client.post({"type": "send", "chat": "GLOBAL", "text": "last words"})
        server.process.send_signal(signal.SIGTERM)
        client.event("bye")
        self.assertIsNone(client.next())
        self.assertEqual(server.stop(), -signal.SIGTERM)  # twistd ends with the signal itself
        self.assertEqual(list(runtime.rglob("*.port")), [])
        again = self.server()
        client = JSONClient(again)
        self.addCleanup(client.close)
        client.ask(type="login", name="alice", password=_PASSWORD)
        page = client.ask(type="history", chat="GLOBAL")
        self.assertEqual([message["text"] for message in page["messages"]], ["last words"])

    def test_hangup_reads_the_configuration_again(self) -> None:
        """On SIGHUP the configuration file is read again, and sessions go on."""
        file = self.home / "irchat.toml"
        file.write_text('name = "Before"\n')
        server = self.server("--config", str(file))
        client = self.bot(server, "alice")
        self.assertIn("Before", client.greeting)
        file.write_text('name = "After"\n')
        server.process.send_signal(signal.SIGHUP)

        def greeting() -> bool:
            other = JSONClient(server)
            other.close()
            return "After" in other.greeting

        wait_for(greeting, "the new name in the greeting")
        self.assertEqual(client.ask(type="ping")["type"], "pong")

    def test_daemon(self) -> None:
        """``twistd irchat`` daemonizes, prints where it listens, and writes its log and pid file."""
        pid_file = self.home / "twistd.pid"
        started = self.run_twistd("irchat", "--data", "data", "--host", "127.0.0.1", "--port", "0")
        self.assertEqual(started.returncode, 0, started.stderr)
        address = re.search(r"To join: \S*/\S+.* 127\.0\.0\.1:(\d+)\n", started.stdout)
        assert address is not None, started.stdout
        JSONClient(Place(int(address[1]))).close()  # a server that answers handles signals
        pid = int(pid_file.read_text())
        subprocess.run(["kill", str(pid)], check=True)
        wait_for(lambda: not pid_file.exists(), "the daemon to end")
        self.assertIn("stopped", (self.home / "twistd.log").read_text())

    @pytest.mark.slow
    def test_what_cannot_start_says_why_in_one_line(self) -> None:
        """A server that cannot start prints one line to standard error, exits with status 1, and leaves no file."""
        server = self.server()
        blocked = self.home / "file"
        blocked.write_text("")
        for options, reason in [
            (["--port", "http"], "--port is a number"),
            (["--nonsense"], "nonsense"),
            (["--registration", "perhaps"], "--registration is open or closed"),
            (["--tls-cert", "a"], "--tls-cert and --tls-key go together"),
            (["--host", "127.0.0.1", "--port", str(server.port), "--data", "new"], "cannot listen"),
            (["--port", "0", "--data", str(server.data)], "in use"),
            (["--port", "0", "--data", str(blocked / "data")], "not a folder"),
            (["--port", "0", "--data", "new", "--tls-cert", "none", "--tls-key", "none"], "No such file"),
        ]:
            before = sorted(self.home.rglob("*"))
            ended = self.run_twistd("-n", "irchat", *options)
            self.assertEqual(ended.returncode, 1, options)
            self.assertIn(reason, ended.stderr)
            self.assertEqual(ended.stderr.count("\n"), 1, ended.stderr)
            self.assertEqual(sorted(self.home.rglob("*")), before)

    def run_twistd(self, *options: str) -> "subprocess.CompletedProcess[str]":
        """Run ``twistd`` until it ends or has daemonized."""
        return subprocess.run(
            twistd(*options),
            cwd=self.home,
            env=environment(self.home),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
