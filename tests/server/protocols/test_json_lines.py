"""The JSON protocol, line by line. The session is tested in tests/server/sessions/test_session.py."""

import json

from msgspec import UNSET
from twisted.trial.unittest import SynchronousTestCase

from irchat.interfaces.bus import Publication, StoredPlace, TimedPlace
from irchat.interfaces.stored import GLOBAL
from irchat.protocol import events, requests, wire
from irchat.protocol.errors import Refusal
from irchat.server.protocols.json_lines import JSONProtocol
from tests.helpers.server import PASSWORD, JSONClient, ServerTestCase, request


class FakeSession:
    """Records the calls of the protocol."""

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
        """Create a protocol over a recording session."""
        self.session = FakeSession()
        self.protocol = JSONProtocol(self.session)

    def test_requests(self) -> None:
        """A request is passed on with its ref, or with none."""
        self.protocol.receive(b'{"type":"chats","ref":"r"}')
        self.protocol.receive(b'{"type":"chats"}')
        self.assertEqual([context for _, context in self.session.asked], ["r", UNSET])

    def test_bad_lines(self) -> None:
        """An invalid request is refused with its ref if that can be read."""
        self.protocol.receive(b'{"type":"nonsense","ref":7}')
        self.protocol.receive(b"nonsense")
        self.protocol.receive(b'{"type":"ping","a":"\xff"}')
        self.assertEqual(self.session.refused, [("bad-request", 7), ("bad-request", UNSET), ("bad-encoding", UNSET)])

    def test_pong(self) -> None:
        """``pong`` has no reply."""
        self.protocol.receive(b'{"type":"pong","ref":1}')
        self.assertEqual((self.session.asked, self.session.refused), ([], []))

    def test_replies(self) -> None:
        """A reply carries its request's ref, even 0 or empty, and none without a ref or request."""
        for ref in 0, "", 12, "r":
            self.assertEqual(json.loads(self.protocol.reply(ref, events.Ok())), {"type": "ok", "ref": ref})
        for ref in UNSET, None:
            self.assertEqual(json.loads(self.protocol.reply(ref, events.Ok())), {"type": "ok"})

    def test_events(self) -> None:
        """An event is encoded alike everywhere, in bytes shared by all sessions of the protocol."""
        event = events.Erased("GLOBAL", "id")
        for place in None, StoredPlace(GLOBAL, 1), TimedPlace(GLOBAL, 1):
            publication = Publication(event, None, place=place)
            self.assertEqual(self.protocol.event(publication), wire.encode(event))
            self.assertEqual(JSONProtocol.encode(publication), wire.encode(event))

    def test_nothing_to_keep(self) -> None:
        """It holds no state to resume or end."""
        self.assertIsNone(self.protocol.go_on())
        self.assertIsNone(self.protocol.lost())


class JSONClientTests(ServerTestCase):
    """The JSON protocol on a whole server."""

    def test_sign_in(self) -> None:
        """Register, login and resume return a welcome with a token. The old token stays valid beside the new one."""
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
        """Wrong credentials, tokens and new names are refused with their codes, and the session may try again."""
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
        """Received messages are unread until the program says otherwise. ``read`` reaches the user's other sessions."""
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
