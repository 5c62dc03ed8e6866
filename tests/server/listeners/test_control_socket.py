"""The administrator's door to a running server."""

import json

from twisted.internet.testing import StringTransport

from irchat.chat.accounts.administration import Administration
from irchat.protocol.errors import unavailable
from irchat.server.listeners.control_socket import ControlFactory
from tests.helpers.server import PASSWORD, ServerTestCase


class ControlTests(ServerTestCase):
    """`Control`."""

    def setUp(self) -> None:
        """A connection to a server whose registration is closed."""
        self.server = self.make_server(registration_open=False)
        administration = Administration(self.server.chat, self.server.accounts, lambda: 0.0, lambda: 0)
        self.control = ControlFactory(administration).buildProtocol(None)
        self.transport = StringTransport()
        self.control.makeConnection(self.transport)

    def _asks(self, line: bytes) -> str:
        self.control.dataReceived(line + b"\n")
        return self._answer()

    def _answer(self) -> str:
        answer = self.transport.value()
        self.transport.clear()
        self.assertEqual((answer.count(b"\n"), answer[-1:]), (1, b"\n"))
        error: str = json.loads(answer)["error"]
        return error

    def _adds(self, name: str, password: str) -> str:
        return self._asks(_add_user(name, password))

    def test_add_user(self) -> None:
        """An account is made although registration is closed, and can sign in at once."""
        self.assertEqual(self._adds("bob", PASSWORD), "")
        self.assertEqual(self.server.json("bob").welcome["name"], "bob")

    def test_several(self) -> None:
        """One connection may ask again and again, also after a refusal."""
        self.assertEqual(self._adds("bob", PASSWORD), "")
        self.assertIn("is taken", self._adds("bob", PASSWORD))
        self.assertIn("cannot be a name", self._adds("a b", PASSWORD))
        self.assertIn("8 to 1,024 bytes", self._adds("carol", "short"))
        self.assertEqual(self._adds("carol", PASSWORD), "")

    def test_unknown(self) -> None:
        """What is no command that this server knows is said to be none."""
        wrong_type = b'{"command":"add-user","name":1}'
        for line in b"", b"nonsense", b"\xff", b'{"command":"later"}', wrong_type, b"[" * 10_000:
            self.assertIn("does not know that command", self._asks(line))

    def test_absurd(self) -> None:
        """Numbers, names and lengths that cannot be are answered, and change nothing."""
        for until in 0, -1, 2**63 - 1, 2**63, 10**30:
            asked = json.dumps({"command": "ban", "whom": "192.0.2.1", "until": until, "reason": ""}).encode()
            self.assertNotEqual(self._asks(asked), "")
        self.assertEqual(self.server.chat.moderation.banned_networks(), [])
        self.assertIn("does not know", self._asks(b'{"command":"kick","name":"x","more":' + b"[" * 30_000))
        self.assertIn("at most 65,536 bytes", self._asks(b'"%b"' % (b"x" * 70_000)))
        self.assertTrue(self.transport.disconnecting)

    def test_unknown_user(self) -> None:
        """A user that there is not is named, with how to see those that there are."""
        for asked in (
            {"command": "kick", "name": "nobody"}, {"command": "ban", "whom": "@nobody", "until": None, "reason": ""},
            {"command": "unban", "whom": "nobody"}, {"command": "remove-user", "name": "nobody", "messages": False},
            {"command": "reset-password", "name": "nobody", "password": PASSWORD},
        ):  # fmt: skip
            error = self._asks(json.dumps(asked).encode())
            self.assertRegex(error, r"^There is no user( or address)? 'nobody'\. irchat-admin users lists the users\.$")

    def test_store_fails(self) -> None:
        """Where the disk cannot be used the answer says so."""
        self.server.threads.write.holds = True
        self.control.dataReceived(_add_user("bob", PASSWORD) + b"\n")
        self.assertEqual(self.transport.value(), b"")
        self.server.threads.write.fail(unavailable())
        self.assertIn("cannot use its disk", self._answer())

    def test_error_of_our_own(self) -> None:
        """An error of our own is logged, and the answer points to the log."""
        self.server.hashing.holds = True
        self.control.dataReceived(_add_user("bob", PASSWORD) + b"\n")
        self.server.hashing.fail(ZeroDivisionError())
        self.assertIn("its log says more", self._answer())
        (failure,) = self.flushLoggedErrors(ZeroDivisionError)
        self.assertNotIn(PASSWORD, failure.getTraceback())


def _add_user(name: str, password: str) -> bytes:
    return json.dumps({"command": "add-user", "name": name, "password": password}).encode()
