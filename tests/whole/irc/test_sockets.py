"""IRC on the sockets of a real server: what a slow reader, and several sessions of one user, are shown."""

import re
import shutil
import tempfile
from pathlib import Path

import pytest
from twisted.trial.unittest import SynchronousTestCase

from tests.helpers.irc_socket import IRCSocket
from tests.helpers.processes import JSONClient, ServerProcess

_MESSAGES = 400
_FILLING = "x" * 450
_CAPS = ("message-tags", "server-time", "batch", "echo-message")


@pytest.mark.slow
class SocketTests(SynchronousTestCase):
    """A server without passwords and TLS."""

    def setUp(self) -> None:
        """Start the server."""
        self.home = Path(tempfile.mkdtemp(prefix="irchat-"))
        self.addCleanup(shutil.rmtree, self.home)
        self.server = ServerProcess(self.home, "--no-tls", "--no-passwords", "--rate", "0")
        self.addCleanup(self.server.kill)

    def irc(self, nick: str, *caps: str) -> IRCSocket:
        """Return a session that has seen its burst."""
        client = IRCSocket(self.server, nick, caps=caps, tls=False)
        self.addCleanup(client.close)
        client.until(" 366 ")
        client.synced()  # the server answers after the burst
        return client

    def bot(self, name: str) -> JSONClient:
        """Sign in a JSON client."""
        client = JSONClient(self.server, tls=False)
        self.addCleanup(client.close)
        self.assertEqual(client.ask(type="login", name=name)["type"], "welcome")
        return client

    def test_slow_reader(self) -> None:
        """A session that stops reading gets each message once, in order, with its time, after it continues."""
        bob = self.bot("bob")
        slow = self.irc("alice", *_CAPS)
        quick = self.irc("carol")
        for number in range(_MESSAGES):
            for part in "ab":
                text = f"{part}{number} {' '.join([_FILLING] * 8)}"
                bob.post({"type": "send", "chat": "GLOBAL", "text": text, "ref": 1})
        bob.ask(type="send", chat="GLOBAL", text="the end")
        expected = [f"{part}{number}" for number in range(_MESSAGES) for part in "ab"]
        for reader in quick, slow:
            lines = reader.until("the end")
            heads = re.findall(r"PRIVMSG #global :([ab]\d+) ", "\n".join(lines))
            self.assertEqual(heads, expected, reader.nick)
        messages = [line for line in lines if "PRIVMSG" in line]
        self.assertTrue(all("time=" in line.split(" ")[0] for line in messages))
        ids = [found[1] for line in messages if (found := re.search(r"msgid=([^; ]+)", line))]
        self.assertEqual(len(ids), len(set(ids)))
        self.assertEqual(len(ids), len(expected) + 1)

    def test_two_sessions(self) -> None:
        """Both sessions of a user see what one of them says and reads; a session without echo does not hear itself."""
        bob = self.irc("bob", *_CAPS)
        one, two = self.irc("alice", *_CAPS), self.irc("alice")
        bob.synced()
        for speaker, other in (one, two), (two, one):
            speaker.send(f"PRIVMSG bob :from {speaker is one}", "JOIN #room", "PRIVMSG #room :hello")
            heard = [line for line in speaker.synced() if "PRIVMSG" in line]
            self.assertEqual(len(heard), 2 if speaker is one else 0)
            seen = "\n".join(other.synced())
            self.assertIn(f":alice!u@irchat PRIVMSG bob :from {speaker is one}", re.sub("alice![^@]*", "alice!u", seen))
            self.assertIn("PRIVMSG #room :hello", seen)
        texts = [line for line in bob.synced() if "PRIVMSG" in line]
        self.assertEqual(len(texts), 2)
        one.close()
        self.assertNotIn("PART", "\n".join(bob.synced()))
