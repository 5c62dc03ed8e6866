"""The log of a real server says nothing of IRC clients."""

import socket
import ssl
import tempfile
from pathlib import Path

import pytest
from twisted.trial.unittest import SynchronousTestCase

from tests.helpers.processes import PATIENCE, ServerProcess
from tests.helpers.services import free_port

_ADDRESS = "127.0.0.9"
_PASSWORD = "a long secret"


class _Client:
    """An IRC client that connects from its own address, with TLS."""

    def __init__(self, port: int) -> None:
        plain = socket.create_connection(("127.0.0.1", port), PATIENCE, (_ADDRESS, 0))
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        self._socket = context.wrap_socket(plain)
        self._unread = b""

    def say(self, *lines: str) -> None:
        """Send lines."""
        self._socket.sendall("".join(f"{line}\r\n" for line in lines).encode())

    def expect(self, word: str) -> str:
        """Return the next line with this word in it."""
        while True:
            line, end, rest = self._unread.partition(b"\r\n")
            if not end:
                data = self._socket.recv(65_536)
                if not data:
                    raise AssertionError(f"closed before {word}")
                self._unread += data
                continue
            self._unread = rest
            if word in line.decode():
                return line.decode()

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()


@pytest.mark.slow
class LogTests(SynchronousTestCase):
    """The log and the lines of the start."""

    def test_nothing_of_clients(self) -> None:
        """No address, no password and no text of an IRC client is in the log, whatever goes wrong."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        irc_port = free_port()
        server = ServerProcess(Path(folder.name), "--irc-port", str(irc_port))
        self.addCleanup(server.stop)
        for port, name in (server.port, "alice"), (irc_port, "bob"):
            client = _Client(port)
            self.addCleanup(client.close)
            client.say("CAP LS 302", f"NICK {name}", "USER u 0 * :U", f"REGISTER * * :{_PASSWORD}", "CAP END")
            client.expect(" 001 ")
            client.say("JOIN #team", "PRIVMSG #team :some words", "PRIVMSG *irchat :ls team", "NONSENSE", "PING :done")
            client.expect(":done")
            client.say(f"PRIVMSG NickServ :PASSWORD x {_PASSWORD}", "PING :again")
            client.expect(":again")
        wrong = _Client(server.port)
        wrong.say(f"PASS :wrong-{_PASSWORD}", "NICK alice", "USER u 0 * :U")
        wrong.expect("ERROR")
        wrong.close()
        log = server.log.read_text()
        for secret in _ADDRESS, _PASSWORD, "some words", "NONSENSE", "alice":
            self.assertNotIn(secret, log)
        self.assertIn(f"/server add chat 127.0.0.1/{irc_port} -ssl", log)
