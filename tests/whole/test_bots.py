"""Scripts and bots with a real server: ``irchat say``, tokens of an administrator, and the example of a bot."""

import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.processes import PATIENCE, JSONClient, ServerProcess, environment, wait_for
from tests.helpers.relay import Relay
from tests.whole.test_end_to_end import EndToEnd

_ROOT = Path(__file__).parents[2]
_WRONG = "AB" * 32


class Scripts(EndToEnd):
    """Runs the commands of scripts."""

    def command(self, module: str, *arguments: str, piped: str = "") -> tuple[int, str, str]:
        """Run a command. Return its status, its output and its errors."""
        done = subprocess.run(
            [sys.executable, "-m", module, *arguments], cwd=self.home, env=environment(self.home), input=piped,
            capture_output=True, text=True, timeout=PATIENCE, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout, done.stderr

    def token(self, server: ServerProcess, name: str) -> Path:
        """Create an account and a token, and return the file with the token."""
        admin = "irchat.admin", "--data", str(server.data)
        self.assertEqual(self.command(*admin, "add-user", name, piped="correct horse\n")[0], 0)
        status, token, _ = self.command(*admin, "token", name, "disk check")
        self.assertEqual(status, 0)
        path = self.home / f"{name}.token"
        path.touch(0o600)
        path.write_text(token)
        return path

    def texts(self, client: JSONClient, chat: str) -> list[str]:
        """Return the texts of a chat."""
        return [message["text"] for message in client.ask(type="history", chat=chat)["messages"]]


@pytest.mark.slow
class SayTests(Scripts):
    """``irchat say``."""

    def test_say(self) -> None:
        """Lines and piped texts arrive. Statuses tell what was refused and that there is no server."""
        server = self.server()
        token = self.token(server, "ops")
        bob = self.bot(server, "bob")
        say = "irchat.client", "say", "--token-file", str(token), f"127.0.0.1:{server.port}"
        self.assertEqual(self.command(*say, "@bob disk full"), (0, "", ""))
        self.assertEqual(self.command(*say, "@bob", piped="Filesystem\n/ 99%\n"), (0, "", ""))
        status, out, _ = self.command(*say, "!sessions")
        self.assertEqual((status, "disk check" in out), (0, True))
        status, out, err = self.command(*say, "--fingerprint", _WRONG, "@bob hi")
        self.assertEqual((status, out, "IS NOT THE EXPECTED ONE" in err), (1, "", True), err)
        token.chmod(0o644)
        status, out, err = self.command(*say, "@bob hi")
        self.assertEqual((status, out, f"chmod 600 {token}" in err), (1, "", True), err)
        token.chmod(0o600)
        self.assertEqual(self.texts(bob, "@ops"), ["disk full", "Filesystem\n/ 99%"])
        server.stop()
        status, _, err = self.command(*say, "@bob hi")
        self.assertEqual((status, "Nothing is listening" in err), (2, True), err)

    def test_lost_answer(self) -> None:
        """If the server is killed after it stored a message and before the answer, the message is there once."""
        server = self.server("--no-tls")
        token = self.token(server, "ops")
        relay = Relay(server.port)
        self.addCleanup(relay.close)
        dropped = threading.Event()

        def drop(data: bytes) -> bool:
            if b'"type":"sent"' not in data or dropped.is_set():
                return True
            server.kill()
            dropped.set()
            return False

        relay.on_answer = drop
        say = subprocess.Popen(
            [sys.executable, "-m", "irchat.client", "say", "--no-tls", "--token-file", str(token),
             f"127.0.0.1:{relay.port}", "\\disk full"],
            cwd=self.home, env=environment(self.home), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        self.addCleanup(lambda: say.poll() is None and say.kill())
        self.assertTrue(dropped.wait(PATIENCE))
        self.assertIsNone(say.poll())
        again = self.server("--no-tls", port=server.port)
        self.assertEqual(say.communicate(timeout=PATIENCE), (b"", b""))
        self.assertEqual(say.returncode, 0)
        reader = JSONClient(again, tls=False)
        self.addCleanup(reader.close)
        reader.ask(type="register", name="bob", password="correct horse")
        self.assertEqual(self.texts(reader, "GLOBAL"), ["disk full"])


class BotTests(Scripts):
    """The example in docs/bot.py."""

    def start(self, server: ServerProcess, token: Path) -> "subprocess.Popen[bytes]":
        """Start the example."""
        arguments = [str(_ROOT / "docs" / "bot.py"), f"127.0.0.1:{server.port}", str(token)]
        options = ["--fingerprint", self.fingerprint(server)]
        with (self.home / "bot.log").open("ab") as log:
            bot = subprocess.Popen(
                [sys.executable, *arguments, *options], cwd=self.home,
                env={**environment(self.home), "PYTHONPATH": str(_ROOT)}, stdout=log, stderr=log,
            )  # fmt: skip
        self.addCleanup(bot.wait, PATIENCE)
        self.addCleanup(bot.kill)
        return bot

    def fingerprint(self, server: ServerProcess) -> str:
        """Return the fingerprint that the server printed."""
        log = server.log.read_text()
        return "sha256:" + log.split("sha256:")[1].split()[0]

    def answers(self, client: JSONClient, count: int) -> list[str]:
        """Return the texts of the bot in GLOBAL when there are so many."""

        def look() -> list[str] | None:
            page = client.ask(type="history", chat="GLOBAL")["messages"]
            texts = [message["text"] for message in page if message["from"] == "duty"]
            return texts if len(texts) >= count else None

        return wait_for(look, f"{count} answers", (self.home / "bot.log").read_text)

    def say(self, client: JSONClient, text: str) -> Any:
        """Say something to everyone."""
        return client.ask(type="send", chat="GLOBAL", text=text)

    def test_example(self) -> None:
        """It answers, also what was said while it or the server was gone, and never twice."""
        server = self.server()
        token = self.token(server, "duty")
        bob = self.bot(server, "bob")
        self.say(bob, "!duty (before the bot was ever there)")
        bot = self.start(server, token)
        wait_for(lambda: "signed in as duty" in (self.home / "bot.log").read_text(), "the bot to sign in")
        self.say(bob, "!duty bob")
        self.say(bob, "!duty")
        self.assertEqual(self.answers(bob, 2), ["bob is on duty from now on", "#3 @bob is on duty"])
        marks = bob.ask(type="history", chat="GLOBAL", around=2)["messages"][1]["marks"]
        self.assertEqual([(mark["mark"], mark["names"]) for mark in marks], [("ok", ["duty"])])

        server.kill()
        server = self.server(port=server.port)
        bob = JSONClient(server)
        self.addCleanup(bob.close)
        bob.ask(type="login", name="bob", password="correct horse")
        self.say(bob, "!duty")
        self.assertEqual(self.answers(bob, 3)[2:], ["#6 @bob is on duty"])

        bot.kill()
        bot.wait(PATIENCE)
        self.say(bob, "!duty")
        self.say(bob, "!duty carol")
        self.start(server, token)
        wanted = ["#8 nobody is on duty; !duty <user>", "carol is on duty from now on"]
        self.assertEqual(self.answers(bob, 5)[3:], wanted)
