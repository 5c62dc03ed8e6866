"""``kill -9`` between PRIVMSG and its echo: what a client was shown is stored, under the same id."""

import os
import random
import re
import shutil
import tempfile
from pathlib import Path

import pytest
from twisted.trial.unittest import SynchronousTestCase

from tests.helpers.irc_socket import IRCSocket
from tests.helpers.processes import ServerProcess

_ROUNDS = 4
_MESSAGES = 200
_CAPS = ("message-tags", "echo-message", "batch", "draft/chathistory", "draft/read-marker")
_MESSAGE = re.compile(r"msgid=(g-\d+)\S* :alice!\S+ PRIVMSG #global :(.*)")


def messages(lines: list[str]) -> dict[str, str]:
    """Return the texts of the messages among these lines, by their ids."""
    return dict(found.groups() for line in lines if (found := _MESSAGE.search(line)))


@pytest.mark.slow
class IRCKillTests(SynchronousTestCase):
    """A server without passwords and TLS that is killed while a client sends."""

    def setUp(self) -> None:
        """Make a folder for the server's data."""
        self.home = Path(tempfile.mkdtemp(prefix="irchat-"))
        self.addCleanup(shutil.rmtree, self.home)

    def test_killed(self) -> None:
        """Everything echoed to the sender, or shown to a reader, is in the history after the restart, once."""
        seed = int.from_bytes(os.urandom(4))
        chance = random.Random(seed)
        shown: dict[str, str] = {}
        for number in range(_ROUNDS):
            server = self._server()
            alice, bob = self._client(server, "alice"), self._client(server, "bob")
            alice.send(*(f"PRIVMSG #global :{number}.{one}" for one in range(_MESSAGES)))
            alice.until(f":{number}.{chance.randrange(_MESSAGES)}")
            server.kill()
            for client in alice, bob:
                shown |= messages(client.heard + self._rest(client))
            stored = self._stored()
            self.assertTrue(shown)
            self.assertEqual({msgid: stored.get(msgid) for msgid in shown}, shown, f"seed {seed}")
            self.assertEqual(len(set(stored.values())), len(stored))
            places = [tuple(map(int, text.split("."))) for text in stored.values()]
            self.assertEqual(places, sorted(places))

    def _server(self) -> ServerProcess:
        server = ServerProcess(self.home, "--no-tls", "--no-passwords", "--rate", "0")
        self.addCleanup(server.kill)
        return server

    def _client(self, server: ServerProcess, nick: str) -> "_Listening":
        client = _Listening(server, nick)
        self.addCleanup(client.close)
        client.until(" 366 ")
        return client

    def _rest(self, client: "_Listening") -> list[str]:
        lines = []
        while line := client.next():
            lines.append(line)
        return lines

    def _stored(self) -> dict[str, str]:
        """Start the server again, and return its messages by their ids, in order."""
        server = self._server()
        carol = self._client(server, "carol")
        stored: dict[str, str] = {}
        reference = "timestamp=2000-01-01T00:00:00.000Z"
        while True:
            carol.send(f"CHATHISTORY AFTER #global {reference} 100")
            page = messages(carol.until(" BATCH -"))
            if not page:
                break
            stored |= page
            reference = f"msgid={list(page)[-1]}"
        server.stop()
        return stored


class _Listening(IRCSocket):
    """A client that keeps the lines that it read."""

    def __init__(self, server: ServerProcess, nick: str) -> None:
        self.heard: list[str] = []
        super().__init__(server, nick, caps=_CAPS, tls=False)

    def until(self, wanted: str) -> list[str]:
        lines = super().until(wanted)
        self.heard += lines
        return lines
