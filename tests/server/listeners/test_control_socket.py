"""The control socket, by which the administrator reaches a running server."""

import json
from typing import Any

from twisted.internet.testing import StringTransport

from irchat.chat.accounts.administration import Administration
from irchat.protocol.errors import unavailable
from irchat.server.listeners.control_socket import ControlFactory
from tests.helpers.server import PASSWORD, ServerTestCase


class ControlTests(ServerTestCase):
    """`Control`."""

    def setUp(self) -> None:
        """Connect to a server with closed registration."""
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
        """An account can be added while registration is closed, and can sign in at once."""
        self.assertEqual(self._adds("bob", PASSWORD), "")
        self.assertEqual(self.server.json("bob").welcome["name"], "bob")

    def test_several(self) -> None:
        """One connection may send several commands, also after a refusal."""
        self.assertEqual(self._adds("bob", PASSWORD), "")
        self.assertIn("is taken", self._adds("bob", PASSWORD))
        self.assertIn("cannot be a name", self._adds("a b", PASSWORD))
        self.assertIn("8 to 1,024 bytes", self._adds("carol", "short"))
        self.assertEqual(self._adds("carol", PASSWORD), "")

    def test_unknown(self) -> None:
        """An unknown command is reported as such."""
        wrong_type = b'{"command":"add-user","name":1}'
        for line in b"", b"nonsense", b"\xff", b'{"command":"later"}', wrong_type, b"[" * 10_000:
            self.assertIn("does not know that command", self._asks(line))

    def test_absurd(self) -> None:
        """Invalid numbers, names and lengths are answered, and change nothing."""
        for until in 0, -1, 2**63 - 1, 2**63, 10**30:
            asked = json.dumps({"command": "ban", "whom": "192.0.2.1", "until": until, "reason": ""}).encode()
            self.assertNotEqual(self._asks(asked), "")
        self.assertEqual(self.server.chat.directory.network_bans.all(self.server.wall_ms()), [])
        self.assertIn("does not know", self._asks(b'{"command":"kick","name":"x","more":' + b"[" * 30_000))
        self.assertIn("at most 65,536 bytes", self._asks(b'"%b"' % (b"x" * 70_000)))
        self.assertTrue(self.transport.disconnecting)

    def test_unknown_user(self) -> None:
        """An unknown user is reported, with the command that lists users."""
        for asked in (
            {"command": "kick", "name": "nobody"}, {"command": "ban", "whom": "@nobody", "until": None, "reason": ""},
            {"command": "unban", "whom": "nobody"}, {"command": "remove-user", "name": "nobody", "messages": False},
            {"command": "reset-password", "name": "nobody", "password": PASSWORD},
        ):  # fmt: skip
            error = self._asks(json.dumps(asked).encode())
            self.assertRegex(error, r"^There is no user( or address)? 'nobody'\. irchat-admin users lists the users\.$")

    def test_store_fails(self) -> None:
        """A disk failure is reported in the answer."""
        self.server.threads.write.holds = True
        self.control.dataReceived(_add_user("bob", PASSWORD) + b"\n")
        self.assertEqual(self.transport.value(), b"")
        self.server.threads.write.fail(unavailable())
        self.assertIn("cannot use its disk", self._answer())

    def test_error_of_our_own(self) -> None:
        """An internal error is logged, and the answer refers to the log."""
        self.server.hashing.holds = True
        self.control.dataReceived(_add_user("bob", PASSWORD) + b"\n")
        self.server.hashing.fail(ZeroDivisionError())
        self.assertIn("see the log of the server", self._answer())
        (failure,) = self.flushLoggedErrors(ZeroDivisionError)
        self.assertNotIn(PASSWORD, failure.getTraceback())


def _add_user(name: str, password: str) -> bytes:
    return json.dumps({"command": "add-user", "name": name, "password": password}).encode()


class CommandsTests(ServerTestCase):
    """The administrator's commands over the control socket."""

    def setUp(self) -> None:
        """Connect to it."""
        self.server = self.make_server()
        factory = ControlFactory(
            Administration(self.server.chat, self.server.accounts, lambda: 12.5, lambda: len(self.server.clients))
        )
        self.transport = StringTransport()
        self.control = factory.buildProtocol(None)
        self.control.makeConnection(self.transport)

    def ask(self, command: str, **fields: Any) -> list[dict[str, Any]]:
        """Return the answer to a command."""
        self.transport.clear()
        self.control.dataReceived(json.dumps({"command": command, **fields}).encode() + b"\n")
        self.server.turn()
        return [json.loads(line) for line in self.transport.value().splitlines()]

    def result(self, command: str, **fields: Any) -> Any:
        """Return the result of a command."""
        *_, answer = self.ask(command, **fields)
        self.assertEqual((answer["type"], answer["error"]), ("Answer", ""))
        return answer["result"]

    def error(self, command: str, **fields: Any) -> str:
        """Return the error text of a command."""
        (answer,) = self.ask(command, **fields)
        self.assertTrue(answer["error"])
        error: str = answer["error"]
        return error

    def test_users(self) -> None:
        """Accounts are listed with their sessions and bans."""
        self.result("add-user", name="Carol", password=PASSWORD)
        self.server.json("alice")
        self.server.json("bob")
        self.result("ban", whom="carol", until=self.server.wall_ms() + 5_000, reason="")
        self.result("ban", whom="bob", until=None, reason="")
        rows = self.result("users")
        self.assertEqual(
            [(row["name"], row["sessions"], row["banned_until"]) for row in rows],
            [("alice", 1, False), ("bob", 0, None), ("Carol", 0, self.server.wall_ms() + 5_000)],
        )
        self.assertEqual(rows[0]["created_at"], self.server.wall_ms())
        self.assertEqual([row["name"] for row in self.result("users", after="bob")], ["Carol"])
        self.server.advance(5)
        self.assertIs(self.result("users", after="bob")[0]["banned_until"], False)

    def test_commands(self) -> None:
        """Each command succeeds, or is refused with the reason."""
        client = self.server.json("bob")
        self.assertEqual(self.result("kick", name="bob"), 1)
        self.assertEqual(self.result("kick", name="bob"), 0)
        self.assertFalse(client.is_open)
        self.assertEqual(self.result("ban", whom="192.0.2.9/24", until=None, reason="spam"), "192.0.2.0/24")
        self.assertEqual(self.result("bans"), [{"whom": "192.0.2.0/24", "until": None, "reason": "spam"}])
        self.assertEqual(self.result("unban", whom="192.0.2.0/24"), "192.0.2.0/24")
        self.assertIn("not banned", self.error("unban", whom="192.0.2.0/24"))
        self.assertIn("taken", self.error("add-user", name="bob", password=PASSWORD))
        self.assertIn("no user", self.error("reset-password", name="nobody", password=PASSWORD))
        self.assertIsNone(self.result("reset-password", name="bob", password="another password"))
        self.assertIn("no user", self.error("kick", name="nobody"))

    def test_remove_user(self) -> None:
        """The progress of a removal is reported line by line before its answer."""
        client = self.server.json("bob")
        for _ in range(3):
            client.ask("send", chat="GLOBAL", text="hi")
        lines = self.ask("remove-user", name="bob", messages=True)
        self.assertEqual(
            lines,
            [{"type": "Progress", "text": "3 messages deleted"}, {"type": "Answer", "error": "", "result": "bob#1"}],
        )
        self.assertIn("no user", self.error("remove-user", name="bob", messages=False))

    def test_stats(self) -> None:
        """The statistics are returned."""
        self.server.json("alice").ask("send", chat="@bob", text="refused")
        bob = self.server.json("bob")
        bob.ask("send", chat="@alice", text="hi")
        bob.ask("create_group", name="team", members=[])
        self.result("ban", whom="192.0.2.1", until=None, reason="")
        stats = self.result("stats")
        self.assertTrue(stats.pop("database_bytes") > 0)
        self.assertEqual(stats, {
            "users": 2, "online": 2, "sessions": 2, "connections": 2, "groups": 1, "private_chats": 1, "messages": 1,
            "banned": 1, "tokens": 2, "uptime": 12.5,
        })  # fmt: skip

    def test_unknown(self) -> None:
        """An invalid line is answered, and an internal error is reported and logged."""
        for line in (b"nonsense\n", b"\xff\n", b'{"command":"fly"}\n', b'{"command":"kick"}\n'):
            self.transport.clear()
            self.control.dataReceived(line)
            self.assertIn(b"does not know", self.transport.value())
        self.patch(self.server.store, "figures", lambda: 1 // 0)
        self.assertIn("log", self.error("stats"))
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
