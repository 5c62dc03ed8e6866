"""The protocol of sessions over SSH, line by line. The sessions are tested in tests/server/listeners/ssh."""

from types import SimpleNamespace
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from irchat.protocol import requests
from irchat.protocol.ssh_door import GUEST_SECONDS
from irchat.server.protocols.door_json import SSHDoorProtocol
from tests.server.protocols.test_json_lines import FakeSession


class SSHDoorProtocolTests(SynchronousTestCase):
    """`SSHDoorProtocol`."""

    def setUp(self) -> None:
        """Create a protocol over a recording session."""
        self.session: Any = FakeSession()
        self.answers = 0
        self.ssh: Any = SimpleNamespace(answered=self._answered)
        self.protocol = SSHDoorProtocol(self.session, self.ssh)

    def _answered(self) -> None:
        self.answers += 1

    def test_requests(self) -> None:
        """It reads the requests of the JSON protocol and those of the process."""
        self.protocol.receive(b'{"type":"vouch","user":"alice","fingerprint":"SHA256:x","ref":1}')
        self.protocol.receive(b'{"type":"key_of","user":"alice","kind":"ssh-rsa","blob":null}')
        self.protocol.receive(b'{"type":"chats"}')
        kinds = [type(request) for request, _ in self.session.asked]
        self.assertEqual(kinds, [requests.Vouch, requests.Chats])
        self.assertEqual(self.session.refused[0][0], "bad-request")
        self.assertIs(self.session.ssh, self.ssh)

    def test_greeting(self) -> None:
        """It greets like the other doors, and gives users time for their sign-in."""
        self.assertEqual(self.protocol.greeting("Test"), b"IRChat/1 Test: your username?\n")
        self.assertEqual(self.protocol.sign_in_seconds, GUEST_SECONDS)

    def test_answers(self) -> None:
        """Passwords that were typed are answers. What a client asks by itself is none."""
        for line, answers in (
            (b'{"type":"login","name":"alice"}', 0),
            (b'{"type":"register","name":"alice","password":""}', 0),
            (b'{"type":"resume","token":"x"}', 0),
            (b'{"type":"pong"}', 0),
            (b'{"type":"login","name":"alice","password":"x"}', 1),
            (b'{"type":"register","name":"alice","password":"y"}', 2),
        ):
            self.protocol.receive(line)
            self.assertEqual(self.answers, answers, line)
