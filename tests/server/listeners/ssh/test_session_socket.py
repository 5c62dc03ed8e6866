"""The sessions of the process: their first line, their visits, and the requests that only they may make."""

import base64
import json

from twisted.internet.defer import ensureDeferred

from irchat.interfaces.limits import Limits
from irchat.protocol.rules import CLIENT_LINE_BYTES, LOGIN_SECONDS
from irchat.protocol.ssh_door import DoorHello, OfferedKey, encode
from irchat.server.listeners.ssh.session_socket import readable
from tests.helpers.server import GREETING, PASSWORD, ServerTestCase
from tests.helpers.ssh_doors import Door, DoorSession, line_of, new_key


class SessionSocketTests(ServerTestCase):
    """`SessionSocket` and the sessions that it makes."""

    def setUp(self) -> None:
        """Start a server with a door and a relayed client."""
        self.server = self.make_server(limits=Limits(per_address=4))
        self.door = Door(self.server)
        self.client = self.door.relayed()
        self.admission = self.server.services.admission

    def test_greeting_and_json(self) -> None:
        """After the first line come the greeting and the JSON protocol, with the address of the client."""
        session = self.door.session(1)
        self.assertEqual(session.read(), GREETING)
        session.ask("register", name="alice", password=PASSWORD)
        self.assertEqual(session.one("welcome")["name"], "alice")
        self.assertEqual(session.connection.session.address, "192.0.2.7")
        session.send(b"hello\n")
        self.assertEqual(session.one("error")["code"], "bad-request")

    def test_bad_first_lines(self) -> None:
        """A line that names no relay closes the connection, and so do an endless line and silence."""
        hello = encode(DoorHello("ssh", 1))
        for data in (
            hello.replace(b"1", b"2"),
            hello.replace(b"ssh", b"irc"),
            b"GET / HTTP/1.1\r\n",
            b"\n",
            b"x" * (CLIENT_LINE_BYTES + 1),
            encode(DoorHello("ssh", 1, [OfferedKey("a", "b")] * 21)),
        ):
            session = DoorSession.__new__(DoorSession)
            session._connect(self.server, self.door.door.sessions.buildProtocol(None))
            session.send(data)
            self.assertFalse(session.is_open, data[:40])
        silent = DoorSession.__new__(DoorSession)
        silent._connect(self.server, self.door.door.sessions.buildProtocol(None))
        self.server.advance(LOGIN_SECONDS)
        self.assertFalse(silent.is_open)

    def test_visit(self) -> None:
        """The visit of the client passes to its first session, and back: nothing is counted twice."""
        self.assertEqual(self.admission.pending, 1)
        session = self.door.session(1)
        self.assertEqual(self.admission.pending, 1)
        session.ask("register", name="alice", password=PASSWORD)
        self.assertEqual((self.admission.pending, dict(self.admission.sessions_here())), (0, {"192.0.2.7": 1}))
        second = self.door.session(1)
        second.ask("login", name="alice", password=PASSWORD)
        self.assertEqual((self.admission.pending, dict(self.admission.sessions_here())), (0, {"192.0.2.7": 2}))
        session.leave()
        self.assertEqual((self.admission.pending, dict(self.admission.sessions_here())), (1, {"192.0.2.7": 1}))
        relay = self.door.door.sessions.find(1)
        assert relay is not None
        self.assertEqual(len(relay.sessions), 1)
        second.leave()
        self.assertEqual(len(relay.sessions), 0)
        self.assertEqual((self.admission.pending, dict(self.admission.sessions_here())), (1, {}))
        self.client.leave()
        self.assertEqual(self.admission.pending, 0)
        self.assertEqual(self.server.factory.room.taken, 0)

    def test_goes_on(self) -> None:
        """The time for the first line does not end a session that has sent it."""
        session = self.door.session(1)
        session.ask("register", name="alice", password=PASSWORD)
        for _ in range(4):
            self.server.advance(LOGIN_SECONDS / 2)
            session.ask("ping")
        self.assertTrue(session.is_open)

    def test_client_leaves_first(self) -> None:
        """A session that outlives its client is counted to its end."""
        session = self.door.session(1)
        session.ask("register", name="alice", password=PASSWORD)
        self.client.leave()
        self.assertEqual(dict(self.admission.sessions_here()), {"192.0.2.7": 1})
        session.leave()
        self.assertEqual((self.admission.pending, dict(self.admission.sessions_here())), (0, {}))
        self.assertEqual(self.server.factory.room.taken, 0)

    def test_limits(self) -> None:
        """More sessions than one address may have are refused with the reason, and the others go on."""
        sessions = [self.door.session(1) for _ in range(4)]
        for session in sessions:
            session.read()
        fifth = self.door.session(1)
        said = fifth.read()
        self.assertTrue(said.startswith(GREETING))
        self.assertIn('"type":"bye"', said)
        self.assertIn("Too many connections from your address", said)
        self.assertFalse(fifth.is_open)
        self.assertTrue(sessions[0].is_open)

    def test_ban(self) -> None:
        """A ban of the network ends the sessions with the reason."""
        session = self.door.session(1)
        session.ask("register", name="alice", password=PASSWORD)
        session.got()
        self.successResultOf(ensureDeferred(self.server.chat.moderation.ban("192.0.2.0/24", None, "spam", None)))
        self.server.turn()
        self.assertIn("spam", session.one("bye")["reason"])
        self.assertFalse(session.is_open)

    def test_vouch(self) -> None:
        """A registered key signs in, with a token that resumes until the client leaves."""
        alice, key = self.server.json("alice"), new_key()
        session = self.door.session(1)
        fields = {"type": "key_of", "kind": key.kind, "blob": base64.b64encode(key.blob).decode()}

        def key_of(user: str) -> None:
            session.send(json.dumps(fields | {"user": user}).encode() + b"\n")

        session.read()
        key_of("alice")
        self.assertEqual(session.one("error")["code"], "bad-credentials")
        session.ask("vouch", user="alice", fingerprint=key.fingerprint)
        self.assertEqual(session.one("error")["code"], "bad-credentials")
        alice.ask("add_key", key=line_of(key))
        alice.got()
        key_of("Alice")
        session.one("ok")
        key_of("bob")
        self.assertEqual(session.one("error")["code"], "bad-credentials")
        session.ask("vouch", user="ALICE", fingerprint=key.fingerprint)
        token = session.one("welcome")["token"]
        again = self.door.session(1)
        again.read()
        again.ask("resume", token=token)
        again.one("welcome")
        self.client.leave()
        late = self.server.json()
        late.read()
        late.ask("resume", token=token)
        self.assertEqual(late.one("error")["code"], "bad-token")

    def test_elsewhere(self) -> None:
        """The requests of the process are no requests on any other connection."""
        alice, key = self.server.json("alice"), new_key()
        alice.ask("add_key", key=line_of(key))
        alice.got()
        other = self.server.json()
        other.read()
        for client in alice, other:
            for kind, fields in (
                ("vouch", {"user": "alice", "fingerprint": key.fingerprint}),
                ("key_of", {"user": "alice", "kind": key.kind, "blob": "AAAA"}),
            ):
                client.send(json.dumps({"type": kind, **fields}).encode() + b"\n")
                self.assertEqual(client.one("error")["code"], "bad-request")

    def test_removed_key(self) -> None:
        """Removing a key ends the sessions that it signed in, and their token, and no others."""
        key, other_key = new_key("one"), new_key("two")
        alice = self.server.json("alice")
        for one in key, other_key:
            alice.ask("add_key", key=line_of(one))
        sessions = []
        for one in key, other_key:
            session = self.door.session(1)
            session.read()
            session.ask("vouch", user="alice", fingerprint=one.fingerprint)
            sessions.append((session, session.told("welcome")[0]["token"]))
        alice.got()
        alice.ask("remove_key", fingerprint=key.fingerprint)
        self.assertEqual([one["comment"] for one in alice.told("keys")[0]["keys"]], ["two"])
        (ended, token), (stays, other_token) = sessions
        self.assertEqual(ended.told("bye")[0]["reason"], "the key that signed you in was removed")
        self.assertFalse(ended.is_open)
        self.assertTrue(stays.is_open)
        again = self.door.session(1)
        again.read()
        again.ask("resume", token=token)
        self.assertEqual(again.one("error")["code"], "bad-credentials")
        again.ask("resume", token=other_token)
        self.assertEqual(len(again.told("welcome")), 1)

    def test_keys_of_other_kinds(self) -> None:
        """A key that cannot be added is left out, and those after it are not."""
        good = new_key()
        offered = [OfferedKey("ssh-dss", "AAAA"), OfferedKey(good.kind, base64.b64encode(good.blob).decode())]
        self.assertEqual([key.fingerprint for key in readable(offered)], [good.fingerprint])

    def test_offered_keys(self) -> None:
        """The keys that the client has offered can be added by number, if they are of a kind that is accepted."""
        keys = [new_key(), new_key()]
        session = self.door.session(1, *keys)
        session.read()
        session.ask("register", name="alice", password=PASSWORD)
        session.got()
        session.ask("line", line="!keys")
        self.assertEqual([one["fingerprint"] for one in session.one("keys")["offered"]], [k.fingerprint for k in keys])
        session.ask("line", line="!keys add")
        self.assertIn("offers 2", session.one("error")["text"])
        session.ask("line", line="!keys add 2")
        listed = session.one("keys")
        self.assertEqual([one["fingerprint"] for one in listed["keys"]], [keys[1].fingerprint])
        self.assertEqual([one["number"] for one in listed["offered"]], [1])
        session.ask("line", line=f"!keys add {keys[0].fingerprint}")
        self.assertEqual(len(session.one("keys")["keys"]), 2)
        session.ask("line", line="!keys add 3")
        self.assertEqual(session.one("error")["code"], "bad-request")
