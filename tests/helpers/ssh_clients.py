"""OpenSSH as the client of a real server."""

import shutil
import subprocess
import tempfile
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.helpers.processes import PATIENCE, JSONClient, ServerProcess, TerminalProcess, environment
from tests.helpers.services import program

PASSWORD = "correct horse"

# Nothing of the user who runs the tests: no configuration, agent or known hosts.
_OPTIONS = (
    "-F", "none", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR",
    "-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none",
)  # fmt: skip


def ssh_command(
    home: Path, port: int, user: str, *options: str, key: str | None = None, client: str = "ssh"
) -> list[str]:
    """Return a command line of ssh. ``key``: the name of a key in ``home``; without one, no key is offered."""
    by_key = ["-o", "PubkeyAuthentication=no"] if key is None else ["-i", str(home / key)]
    return [client, *options, *_OPTIONS, *by_key, "-p", str(port), f"{user}@127.0.0.1"]


def make_key(home: Path, name: str, *options: str) -> str:
    """Make a key in ``home``, unless it is there. Return the line of its public half."""
    path = home / name
    if not path.exists():
        command = ["ssh-keygen", "-q", "-N", "", "-C", name, "-f", str(path), *(options or ("-t", "ed25519"))]
        subprocess.run(command, check=True)
    return path.with_suffix(".pub").read_text().strip()


class SSHCase(SynchronousTestCase):
    """A real server, and ssh in a folder of its own. ``alice`` has a password and the key ``alice``."""

    server_options: tuple[str, ...] = ("--rate", "0")

    def setUp(self) -> None:
        """Start the server, and give alice a key."""
        self.ssh_program = program("ssh")
        self.home = Path(tempfile.mkdtemp(prefix="irchat-"))
        self.addCleanup(shutil.rmtree, self.home)
        self.server = ServerProcess(self.home, *self.server_options)
        self.addCleanup(lambda: self.server.process.poll() is None and self.server.stop())
        alice = self.json("alice")
        added = alice.ask(type="add_key", key=self.key("alice"))
        self.assertEqual(added["type"], "keys", added)
        self.alice = alice

    def json(self, name: str) -> JSONClient:
        """Return a user who is signed in with JSON. A new name gets the password."""
        client = JSONClient(self.server)
        self.addCleanup(client.close)
        welcome = client.ask(type="register", name=name, password=PASSWORD)
        if welcome["type"] == "error":
            welcome = client.ask(type="login", name=name, password=PASSWORD)
        self.assertEqual(welcome["type"], "welcome", welcome)
        return client

    def key(self, name: str, *options: str) -> str:
        """Make a key in the folder. Return the line of its public half."""
        return make_key(self.home, name, *options)

    def command(self, user: str, *options: str, key: str | None = None, client: str = "ssh") -> list[str]:
        """Return a command line of ssh, see `ssh_command`."""
        return ssh_command(self.home, self.server.port, user, *options, key=key, client=client)

    def run_ssh(
        self, user: str, *words: str, key: str | None = None, options: tuple[str, ...] = (), typed: str = ""
    ) -> "subprocess.CompletedProcess[str]":
        """Run ssh without a terminal."""
        return self.run_program(*self.command(user, *options, key=key), *words, typed=typed)

    def run_program(self, *arguments: str, typed: str = "") -> "subprocess.CompletedProcess[str]":
        """Run a program in the folder."""
        return subprocess.run(
            arguments,
            input=typed,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            cwd=self.home,
            env=environment(self.home),
            check=False,
        )

    def screen(
        self, user: str, *options: str, key: str | None = None, columns: int = 100, lines: int = 24, **variables: str
    ) -> TerminalProcess:
        """Start ssh in a terminal."""
        arguments = self.command(user, *options, key=key)
        terminal = TerminalProcess(arguments, self.home, columns, lines, **variables)
        self.addCleanup(terminal.close)
        return terminal
