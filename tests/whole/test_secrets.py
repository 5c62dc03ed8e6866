"""Secrets stay out of logs, errors and process arguments, and files have safe modes."""

import io
import shutil
import stat
import tempfile
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from twisted.logger import globalLogPublisher, textFileLogObserver
from twisted.trial.unittest import SynchronousTestCase

from irchat.interfaces.writes import MessageAdded
from irchat.server.protocols.json_lines import JSONProtocol
from irchat.server.protocols.text import TextProtocol
from tests.helpers.irc_socket import IRCSocket
from tests.helpers.loads.many_clients import unlimited
from tests.helpers.processes import JSONClient, ServerProcess
from tests.helpers.server import ServerTestCase

PASSWORD = "correct horse battery"
NEW_PASSWORD = "another staple"
WRONG_PASSWORD = "wrong but secret"
IRC_PASSWORD = "nobodyknows"
TEXT = "words for nobody else"
TIMED_TEXT = "words that were never written"


@pytest.mark.slow
class RealServerTests(SynchronousTestCase):
    """A real server with sign-ins, failed ones, messages, and a change of password."""

    def setUp(self) -> None:
        """Make a folder with a short path and start a server."""
        self.home = Path(tempfile.mkdtemp(prefix="irchat-"))
        self.addCleanup(shutil.rmtree, self.home)
        self.server = ServerProcess(self.home, *unlimited())
        self.addCleanup(self.server.kill)

    def use(self) -> list[str]:
        """Use each feature that handles secrets. Return all secrets."""
        client = JSONClient(self.server)
        self.addCleanup(client.close)
        welcome = client.ask(type="register", name="alice", password=PASSWORD)
        client.ask(type="send", chat="GLOBAL", text=TEXT, nonce="once")
        client.ask(type="send", chat="GLOBAL", text=TIMED_TEXT, expires_in=60)
        client.ask(type="line", line=f"*nobody {TEXT}")
        client.ask(type="search", words=TEXT)
        client.ask(type="password", old=WRONG_PASSWORD, new=NEW_PASSWORD)
        client.ask(type="password", old=PASSWORD, new=NEW_PASSWORD)
        client.post({"type": "send", "text": TEXT, "password": PASSWORD})
        other = JSONClient(self.server)
        self.addCleanup(other.close)
        other.ask(type="login", name="alice", password=WRONG_PASSWORD)
        other.ask(type="resume", token=welcome["token"] + "x")
        second = other.ask(type="login", name="alice", password=NEW_PASSWORD)
        other.ask(type="logout")
        self.use_irc()
        return [
            PASSWORD,
            NEW_PASSWORD,
            WRONG_PASSWORD,
            IRC_PASSWORD,
            TEXT,
            TIMED_TEXT,
            welcome["token"],
            second["token"],
        ]

    def use_irc(self) -> None:
        """Use each command of IRC that handles secrets."""
        irc = IRCSocket(self.server, "carol")
        self.addCleanup(irc.close)
        for line in (
            f"AUTHENTICATE {WRONG_PASSWORD}",
            f"REGISTER carol {WRONG_PASSWORD}",
            f"PRIVMSG NickServ :IDENTIFY alice {WRONG_PASSWORD}",
            f"NS IDENTIFY alice {IRC_PASSWORD}",
            f"REGISTER * * {IRC_PASSWORD}",
            f"PRIVMSG NickServ :PASSWORD {WRONG_PASSWORD} {IRC_PASSWORD}",
            f"OPER alice {IRC_PASSWORD}",
            f"PRIVMSG #global :*30* {TIMED_TEXT}",
            f"PRIVMSG *irchat :*30* {TIMED_TEXT}",
            f"NOTICE alice :*30@alice {TIMED_TEXT}",
            f"PRIVMSG #global :{TEXT}",
            f"@label={WRONG_PASSWORD} {TEXT}",
        ):
            irc.send(line)
        irc.synced()
        other = IRCSocket(self.server, "carol", WRONG_PASSWORD)
        self.addCleanup(other.close)
        other.until(" 904 ")
        third = IRCSocket(self.server, "carol", IRC_PASSWORD)
        self.addCleanup(third.close)
        third.until(" 001 ")

    def test_log_and_arguments(self) -> None:
        """No password, token or text is in the log, or in the arguments or environment of the process."""
        secrets = self.use()
        process = Path(f"/proc/{self.server.process.pid}")
        seen = self.server.log.read_bytes()
        if process.exists():
            seen += (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        self.server.stop()
        seen += self.server.log.read_bytes()
        self.assertIn(b"IRChat listens", seen)
        for secret in secrets:
            self.assertNotIn(secret.encode(), seen, secret)

    def test_files(self) -> None:
        """Passwords, tokens and timed texts are in no file, and only the owner can read the data folder."""
        *passwords, text, timed_text, token, second = self.use()
        data = self.server.data
        self.assertEqual(stat.S_IMODE(data.stat().st_mode), 0o700)
        files = sorted(data.iterdir())
        self.assertTrue({"control.sock", "irchat.sqlite", "lock", "tls-key.pem"} <= {path.name for path in files})
        for path in files:
            if path.name != "tls-cert.pem":
                self.assertEqual(stat.S_IMODE(path.lstat().st_mode) & 0o077, 0, path)
        content = b"".join(path.read_bytes() for path in files if path.is_file())
        self.assertIn(text.encode(), content)
        for secret in (*passwords, timed_text, token, second):
            self.assertNotIn(secret.encode(), content, secret)


class CrashingPartTests(ServerTestCase):
    """Parts that fail while they hold a secret: the log and the error of the client do not hold it."""

    def setUp(self) -> None:
        """Collect the log as written to the log file."""
        self.log = io.StringIO()
        observer = textFileLogObserver(self.log)
        globalLogPublisher.addObserver(observer)
        self.addCleanup(globalLogPublisher.removeObserver, observer)
        self.server = self.make_server()
        self.alice = self.server.json("alice")
        self.bob = self.server.json("bob")

    def broken(self, *args: Any, **kwargs: Any) -> Any:
        """Fail with a secret in the exception, like most bugs."""
        return args[0].no_such_attribute + kwargs["no_such_key"]

    def check(self, *, failures: int = 1) -> None:
        """Check that the error was logged without a secret."""
        self.assertEqual(len(self.flushLoggedErrors(AttributeError)), failures)
        self.assertIn("AttributeError", self.log.getvalue())
        for secret in TEXT, PASSWORD, WRONG_PASSWORD:
            self.assertNotIn(secret, self.log.getvalue())

    def test_store(self) -> None:
        """If the store fails on a message, the reply is ``internal`` and nobody sees the message."""
        with patch.dict("irchat.store.sqlite.writing._DO", {MessageAdded: self.broken}):
            self.alice.ask("send", chat="GLOBAL", text=TEXT)
        self.check()
        (answer,) = self.alice.told("error")
        self.assertEqual(answer["code"], "internal")
        self.assertNotIn(TEXT, answer["text"])
        self.assertEqual(self.bob.told("message"), [])

    def test_protocol(self) -> None:
        """The JSON protocol fails on a reply."""
        self.patch(JSONProtocol, "reply", self.broken)
        self.alice.ask("send", chat="GLOBAL", text=TEXT)
        failures = len(self.flushLoggedErrors(AttributeError))
        self.assertGreater(failures, 0)
        self.assertNotIn(TEXT, self.log.getvalue())

    def test_text_protocol(self) -> None:
        """The text protocol fails while a password is typed."""
        self.patch(TextProtocol, "_password_refused", self.broken)
        person = self.server.text()
        person.type("alice", WRONG_PASSWORD)
        self.server.turn()
        self.assertGreater(len(self.flushLoggedErrors(AttributeError)), 0)
        self.assertNotIn(WRONG_PASSWORD, self.log.getvalue())

    def test_hashing(self) -> None:
        """The hasher fails on a password."""
        self.patch(type(self.server.accounts.hasher), "verify", self.broken)
        client = self.server.json()
        client.ask("login", name="alice", password=WRONG_PASSWORD)
        self.server.turn()
        self.check()
        self.assertNotIn(WRONG_PASSWORD, client.read())

    def test_bad_requests(self) -> None:
        """Replies to invalid requests with a password do not hold it."""
        for line in (
            b'{"type":"login","name":"alice","password":["%b"]}',
            b'{"type":"login","name":7,"password":"%b"}',
            b'{"type":"%b","password":"%b"}',
            b'{"type":"login","password":"%b"',
        ):
            client = self.server.json()
            client.read()
            secret = WRONG_PASSWORD.encode()
            client.send(line.replace(b'"%b","', b'"send","').replace(b"%b", secret) + b"\n")
            said = client.read()
            self.assertIn("bad-request", said)
            self.assertNotIn(WRONG_PASSWORD, said)

    def test_nothing_logged_at_any_level(self) -> None:
        """Without errors, no text is in the log at any level."""
        events: list[Any] = []
        globalLogPublisher.addObserver(events.append)
        self.addCleanup(globalLogPublisher.removeObserver, events.append)
        self.alice.ask("send", chat="GLOBAL", text=TEXT)
        self.alice.ask("line", line=f"@bob {TEXT}")
        self.alice.ask("search", words=TEXT)
        for event in events:
            self.assertNotIn(TEXT, repr(event))
