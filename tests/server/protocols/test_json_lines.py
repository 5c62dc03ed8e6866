"""The JSON protocol, line by line; what the session makes of it is in tests/server/sessions/test_session.py."""

import json

from msgspec import UNSET
from twisted.trial.unittest import SynchronousTestCase

from irchat.interfaces.stored import GLOBAL
from irchat.protocol import events, requests
from irchat.protocol.errors import Refusal
from irchat.server.protocols.json_lines import JSONProtocol
from tests.helpers.server import PASSWORD, JSONClient, ServerTestCase, request


class FakeSession:
    """Notes what the protocol asks of it."""

    def __init__(self) -> None:
        self.asked: list[tuple[requests.Request, object]] = []
        self.refused: list[tuple[str, object]] = []

    def ask(self, request: requests.Request, context: object) -> None:
        self.asked.append((request, context))

    def refuse(self, refusal: Refusal, context: object) -> None:
        self.refused.append((refusal.code.value, context))


class JSONProtocolTests(SynchronousTestCase):
    """`JSONProtocol`."""

    def setUp(self) -> None:
        """A protocol over a session that only notes."""
        self.session = FakeSession()
        self.protocol = JSONProtocol(self.session)

    def test_requests(self) -> None:
        """A request is asked with its ref, or with none."""
        self.protocol.receive(b'{"type":"chats","ref":"r"}')
        self.protocol.receive(b'{"type":"chats"}')
        self.assertEqual([context for _, context in self.session.asked], ["r", UNSET])

    def test_bad_lines(self) -> None:
        """A line that is no request is refused with its ref where one can be read."""
        self.protocol.receive(b'{"type":"nonsense","ref":7}')
        self.protocol.receive(b"nonsense")
        self.protocol.receive(b'{"type":"ping","a":"\xff"}')
        self.assertEqual(self.session.refused, [("bad-request", 7), ("bad-request", UNSET), ("bad-encoding", UNSET)])

    def test_pong(self) -> None:
        """``pong`` has no reply."""
        self.protocol.receive(b'{"type":"pong","ref":1}')
        self.assertEqual((self.session.asked, self.session.refused), ([], []))

    def test_replies(self) -> None:
        """A reply carries its request's ref, 0 and the empty one too, and none where there was none or no request."""
        for ref in 0, "", 12, "r":
            self.assertEqual(json.loads(self.protocol.reply(ref, events.Ok())), {"type": "ok", "ref": ref})
        for ref in UNSET, None:
            self.assertEqual(json.loads(self.protocol.reply(ref, events.Ok())), {"type": "ok"})

    def test_events(self) -> None:
        """An event is said alike wherever it stands, in the bytes that all sessions of the protocol share."""
        event = events.Erased("GLOBAL", "id")
        for position, timed in (None, None), ((GLOBAL, 1), None), (None, (GLOBAL, 1)):
            self.assertEqual(self.protocol.event(event, position, timed), JSONProtocol.encode(event))

    def test_nothing_to_keep(self) -> None:
        """It keeps nothing that would have to go on or to end."""
        self.assertIsNone(self.protocol.go_on())
        self.assertIsNone(self.protocol.lost())


class JSONClientTests(ServerTestCase):
    """The JSON protocol at a whole server."""

    def test_sign_in(self) -> None:
        """Register, login and resume give a welcome with a token; the old token stays good beside the new one."""
        server = self.make_server()
        first = server.json("alice")
        self.assertTrue(first.welcome["new"])
        second = server.json("alice")
        self.assertFalse(second.welcome["new"])
        for token in first.welcome["token"], second.welcome["token"]:
            client = JSONClient(server)
            client.ask("resume", token=token, ref=1)
            welcome = client.one("welcome")
            self.assertEqual((welcome["name"], welcome["token"], welcome["ref"]), ("alice", token, 1))

    def test_refused_sign_in(self) -> None:
        """Wrong credentials, tokens and new names are refused by their codes, and the session may try again."""
        server = self.make_server()
        server.json("alice").leave()
        client = JSONClient(server)
        for asked, code in (
            (request("login", name="alice", password="wrong password"), "bad-credentials"),
            (request("login", name="nobody", password=PASSWORD), "bad-credentials"),
            (request("login", name="alice"), "bad-request"),
            (request("register", name="alice", password=PASSWORD), "name-taken"),
            (request("register", name="a b", password=PASSWORD), "bad-name"),
            (request("register", name="bob", password="short"), "weak-password"),
            (request("resume", token="nonsense"), "bad-token"),
        ):
            client.send(asked)
            self.assertEqual(client.one("error")["code"], code)
        client.ask("login", name="alice", password=PASSWORD)
        client.one("welcome")

    def test_nothing_counts_as_read(self) -> None:
        """What a program got is unread until it says otherwise; ``read`` is told to the user's other sessions."""
        server = self.make_server()
        alice, alice_too, bob = server.json("alice"), server.json("alice"), server.json("bob")
        bob.ask("send", chat="GLOBAL", text="hi")
        server.advance(5)
        alice.got()
        alice_too.got()
        alice.ask("chats")
        self.assertEqual(alice.one("chats")["chats"][0]["unread"], 1)
        alice.ask("read", chat="GLOBAL", seq=1)
        alice.one("ok")
        self.assertEqual(alice_too.one("read"), {"type": "read", "chat": "GLOBAL", "seq": 1})
