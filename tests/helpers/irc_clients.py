"""weechat and irssi in a pseudo-terminal, each with a folder of its own in which it logs every chat.

A test that needs one is skipped where it is not installed, unless IRCHAT_TEST_SERVICES is set: there that is an error.
"""

import re
import shutil
import tempfile
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.helpers.processes import JSONClient, ServerProcess, TerminalProcess, wait_for
from tests.helpers.services import program

PASSWORD = "correct-horse"
NETWORK = "chat"
_COLUMNS, _LINES = 160, 50
_FINGERPRINT = re.compile(r"Certificate: sha256:(\S+)")


class IRCTerminal(TerminalProcess):
    """Base of both clients: signs in, types, and shows what the user sees and what the disk keeps."""

    def __init__(self, command: list[str], home: Path, fingerprint: str, port: int) -> None:
        self.home = home
        self.fingerprint = fingerprint
        self.port = port
        super().__init__(command, home, _COLUMNS, _LINES, LC_ALL="C.UTF-8")

    def enter(self, *lines: str) -> None:
        """Type lines, each with Enter."""
        for line in lines:
            self.press(f"{line}\r".encode())

    def join(self, nick: str, password: str = "") -> None:
        """Connect with a nick, and with SASL if there is a password."""
        raise NotImplementedError

    def reconnect(self) -> None:
        """Connect once more."""
        raise NotImplementedError

    def show(self, chat: str) -> None:
        """Show the window of a chat."""
        raise NotImplementedError

    def close_window(self) -> None:
        """Close the window that is shown."""
        raise NotImplementedError

    def logged(self, chat: str = "") -> str:
        """Return the text of the log of a chat, or of all logs."""
        logs = [path for path in self.home.rglob("*log") if path.is_file() and chat in path.name]
        return "".join(path.read_text("utf-8", "replace") for path in logs)

    def expect(self, wanted: str) -> str:
        """Wait until the screen or a log contains ``wanted``. The screen of weechat is more than pyte can draw."""

        def look() -> str | None:
            return seen if wanted in (seen := self.text() + self.logged()) else None

        return wait_for(look, f"{wanted!r}", lambda: f"{self.text()}\n-- logs:\n{self.logged()}")

    def expect_logged(self, chat: str, wanted: str) -> str:
        """Wait until the log of a chat contains ``wanted``. Return the log."""

        def look() -> str | None:
            screen = self.text()  # a client whose terminal is full does not go on
            return log if screen and wanted in (log := self.logged(chat)) else None

        return wait_for(look, f"{wanted!r} in {chat}", lambda: f"{self.text()}\n-- logs:\n{self.logged()}")

    def everything(self) -> str:
        """Return the screen and all files in the folder of the client."""
        files = (path.read_bytes() for path in self.home.rglob("*") if path.is_file())
        return self.text() + b"".join(files).decode("utf-8", "replace")


class Weechat(IRCTerminal):
    """weechat, which logs every chat by default."""

    def __init__(self, home: Path, fingerprint: str, port: int) -> None:
        settings = (
            "/set logger.file.flush_delay 0",
            # What the tests type arrives as fast as a paste.
            "/set weechat.look.paste_max_lines -1",
            "/set irc.server_default.autoreconnect_delay 1",
            "/set irc.look.smart_filter off",
        )
        command = [program("weechat"), "-d", str(home), *(word for line in settings for word in ("-r", line))]
        super().__init__(command, home, fingerprint, port)

    def join(self, nick: str, password: str = "") -> None:
        self.enter(
            f"/server add {NETWORK} 127.0.0.1/{self.port} -ssl",
            f"/set irc.server.{NETWORK}.nicks {nick}",
            f"/set irc.server.{NETWORK}.ssl_fingerprint {self.fingerprint.replace(':', '').lower()}",
        )
        if password:
            self.enter(
                f"/set irc.server.{NETWORK}.sasl_username {nick}",
                f"/set irc.server.{NETWORK}.sasl_password {password}",
            )
        self.enter(f"/connect {NETWORK}")

    def reconnect(self) -> None:
        self.enter(f"/reconnect {NETWORK}")

    def show(self, chat: str) -> None:
        self.enter(f"/buffer irc.{NETWORK}.{chat}")

    def close_window(self) -> None:
        self.enter("/buffer close")


class Irssi(IRCTerminal):
    """irssi, with logging switched on and without its pause of two seconds between commands."""

    def __init__(self, home: Path, fingerprint: str, port: int) -> None:
        super().__init__([program("irssi"), f"--home={home / 'irssi'}"], home, fingerprint, port)
        self.enter("/set autolog on", "/set cmd_queue_speed 10msec", "/set server_reconnect_time 10sec")

    def join(self, nick: str, password: str = "") -> None:
        sasl = f"-sasl_username {nick} -sasl_password {password} -sasl_mechanism plain " if password else ""
        self.enter(
            f"/set nick {nick}",
            f"/network add {sasl}{NETWORK}",
            f"/connect -tls -tls_pinned_cert {self.fingerprint} -network {NETWORK} 127.0.0.1 {self.port}",
        )

    def reconnect(self) -> None:
        self.enter(f"/reconnect {NETWORK}")

    def show(self, chat: str) -> None:
        self.enter(f"/window goto {chat}")

    def close_window(self) -> None:
        self.enter("/window close")


class IRCClientCase(SynchronousTestCase):
    """Starts a server with TLS and passwords, and clients that end with the test."""

    terminal: type[IRCTerminal]

    def setUp(self) -> None:
        """Start the server."""
        self.home = Path(tempfile.mkdtemp(prefix="irchat-"))
        self.addCleanup(shutil.rmtree, self.home, ignore_errors=True)
        self.start_server()

    def start_server(self, port: int = 0) -> None:
        """Start a server that ends with the test."""
        server = self.server = ServerProcess(self.home, "--registrations", "0", "--rate", "0", port=port)
        self.addCleanup(lambda: server.process.poll() is None and server.kill())
        found = _FINGERPRINT.search(server.log.read_text())
        assert found is not None
        self.fingerprint = found[1]

    def client(self, name: str) -> IRCTerminal:
        """Start a client. It is not connected."""
        home = self.home / f"{name}-{self.terminal.__name__}"
        home.mkdir(exist_ok=True)
        client = self.terminal(home, self.fingerprint, self.server.port)  # type: ignore[call-arg, arg-type]
        self.addCleanup(client.close)
        return client

    def bot(self, name: str) -> JSONClient:
        """Sign up a JSON client."""
        client = JSONClient(self.server)
        self.addCleanup(client.close)
        self.assertEqual(client.ask(type="register", name=name, password=PASSWORD)["type"], "welcome")
        return client
