"""The commands of public keys. Sessions over SSH are tested in tests/server/listeners/ssh/test_session_socket.py."""

import base64
from types import SimpleNamespace

from irchat.commands import REGISTRY
from irchat.protocol import events, requests
from irchat.protocol.errors import Code
from irchat.protocol.public_keys import PublicKey
from tests.helpers.commands import CommandTestCase
from tests.helpers.ssh_doors import line_of, new_key


class KeysTests(CommandTestCase):
    """``!keys``, ``!keys add`` and ``!keys remove``, and the request ``key_of``."""

    names = ("alice",)

    def listed(self, line: str) -> events.Keys:
        """Type a line, and return the keys that it lists."""
        reply = self.run_line("alice", line)
        assert isinstance(reply, events.Keys)
        return reply

    def refused_line(self, line: str) -> str:
        """Type a line that is refused, and return the text."""
        return self.refused(Code.BAD_REQUEST, lambda: self.ask("alice", REGISTRY.read(line)[1])).text

    def offer(self, *keys: PublicKey) -> None:
        """Make the session of alice one over SSH, whose client has offered keys."""
        self.callers["alice"].ssh = SimpleNamespace(offered=keys)

    def test_pasted(self) -> None:
        """A pasted line is added from any client, listed, and removed by its number."""
        key = new_key("alice@laptop")
        (listed,) = self.listed(f"!keys add {line_of(key)}").keys
        self.assertEqual((listed.number, listed.fingerprint, listed.comment), (1, key.fingerprint, "alice@laptop"))
        self.assertEqual(self.listed("!keys").keys, [listed])
        for line in "!keys remove 2", "!keys remove 0":
            self.assertIn("no such key", self.refused_line(line))
        self.assertEqual(self.listed("!keys remove 1"), events.Keys([]))

    def test_offered(self) -> None:
        """An offered key is added by its number or fingerprint, or alone if it is the only one."""
        self.assertIn("offers none", self.refused_line("!keys add"))
        self.assertIn("offers none", self.refused_line("!keys add 1"))
        first, second = new_key(), new_key()
        self.offer(first, second)
        self.assertEqual([key.number for key in self.listed("!keys").offered], [1, 2])
        self.assertIn("offers 2", self.refused_line("!keys add"))
        self.assertIn("offers 2", self.refused_line("!keys add 3"))
        self.assertEqual(self.listed("!keys add 2").keys[0].fingerprint, second.fingerprint)
        self.assertEqual([key.number for key in self.listed("!keys").offered], [1])
        self.assertEqual(len(self.listed(f"!keys add {first.fingerprint}").keys), 2)
        self.offer(new_key())
        self.assertEqual(len(self.listed("!keys add").keys), 3)

    def test_private_key(self) -> None:
        """A private key is refused with a warning, and its line is kept nowhere."""
        line = "!keys add -----BEGIN OPENSSH PRIVATE KEY-----"
        self.assertIn("private key", self.refused_line(line))
        self.assertTrue(REGISTRY.is_secret(line))
        self.assertFalse(REGISTRY.is_secret(f"!keys add {line_of(new_key())}"))

    def test_key_of(self) -> None:
        """Only a session over SSH may ask whose a key is."""
        key = new_key()
        request = requests.KeyOf(user="alice", kind=key.kind, blob=base64.b64encode(key.blob).decode())
        self.refused(Code.BAD_REQUEST, lambda: self.ask("alice", request))
        self.offer()
        self.refused(Code.BAD_CREDENTIALS, lambda: self.ask("alice", request))
        self.listed(f"!keys add {line_of(key)}")
        self.assertEqual(self.done(self.ask("alice", request)), events.Ok())
