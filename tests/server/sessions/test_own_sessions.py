"""The sessions of a user on a server: listed, and ended by their user from another one."""

from typing import Any

from twisted.internet.defer import ensureDeferred
from twisted.trial.unittest import SynchronousTestCase

from tests.helpers.nodes_in_memory import Cluster
from tests.helpers.server import PASSWORD, JSONClient, ServerTestCase


class OwnSessionsTests(ServerTestCase):
    """``!sessions`` with live connections."""

    def setUp(self) -> None:
        """Let alice be signed in three times as a program, and once as a person; and bob once."""
        self.server = self.make_server()
        self.first, self.second, self.third = (self.server.json("alice") for _ in range(3))
        self.person = self.server.text("alice")
        self.bob = self.server.json("bob")
        for client in self.first, self.second, self.third:
            client.got()

    def test_listed(self) -> None:
        """All are online, the asking one is marked, and the one without a token is counted."""
        self.second.ask("sessions")
        listed = self.second.one("sessions")
        self.assertEqual([one.get("online") for one in listed["sessions"]], [True] * 3)
        self.assertEqual(sum(one.get("this", False) for one in listed["sessions"]), 1)
        self.assertEqual((listed["unlisted"], "more" in listed), (1, False))
        self.first.leave()
        self.second.got()
        self.second.ask("sessions")
        self.assertEqual(sum(one.get("online", False) for one in self.second.one("sessions")["sessions"]), 2)

    def test_end_one(self) -> None:
        """A person ends a session by its number: it gets a goodbye, and its token is of no use. The others stay."""
        self.person.type("!sessions")
        shown = self.person.shown()
        self.assertIn("online, too: 1 session", shown)
        self.person.type("!sessions end 1")
        self.assertIn("-- done", self.person.shown())
        clients = self.first, self.second, self.third
        (ended,) = [client for client in clients if not client.is_open]
        self.assertEqual([line["reason"] for line in ended.told("bye")], ["you ended this session from another one"])
        again = self.server.json()
        again.ask("resume", token=ended.welcome["token"])
        self.assertEqual(again.one("error")["code"], "bad-token")
        (left, _) = [client for client in clients if client.is_open]
        again.ask("resume", token=left.welcome["token"])
        self.assertEqual(again.one("welcome")["name"], "alice")

    def test_end_this(self) -> None:
        """A session can end itself."""
        self.first.ask("sessions")
        (this,) = [one["id"] for one in self.first.one("sessions")["sessions"] if one.get("this")]
        self.first.ask("end_sessions", id=this)
        self.assertEqual([line["type"] for line in self.first.got()], ["bye"])
        self.assertFalse(self.first.is_open)

    def test_end_others(self) -> None:
        """All others of the user end, also those of persons, and nobody else's."""
        self.second.ask("end_sessions", others=True)
        self.assertEqual(self.second.told("ok")[0]["type"], "ok")
        open_now = [client.is_open for client in (self.first, self.second, self.third, self.person, self.bob)]
        self.assertEqual(open_now, [False, True, False, False, True])
        again = self.server.json()
        again.ask("resume", token=self.second.welcome["token"])
        self.assertEqual(again.one("welcome")["name"], "alice")

    def test_wrong(self) -> None:
        """A sign-in to be ended must be named, and be one's own."""
        self.bob.got()
        self.bob.ask("sessions")
        (of_bob,) = self.bob.one("sessions")["sessions"]
        for fields in {}, {"id": "x"}, {"id": of_bob["id"]}, {"id": "x", "others": True}, {"number": 1}:
            self.first.ask("end_sessions", **fields)
            self.assertEqual(self.first.one("error")["code"], "bad-request")
        self.assertTrue(self.bob.is_open)
        stranger = self.server.json()
        stranger.ask("sessions")
        self.assertEqual(stranger.one("error")["code"], "not-logged-in")
        stranger.ask("login", name="alice", password=PASSWORD)
        self.assertEqual(stranger.one("welcome")["name"], "alice")


class OfNodesTests(SynchronousTestCase):
    """``!sessions`` on two nodes of one chat."""

    def setUp(self) -> None:
        """Let alice be signed in on both, and once more on the second."""
        self.cluster = Cluster(2)
        self.addCleanup(self.cluster.close)
        first, second = self.cluster.nodes
        self.here, self.there, self.also_there = first.json(), second.json(), second.json()
        self.ask(self.here, "register", name="alice", password=PASSWORD)
        self.tokens = []
        for client in self.there, self.also_there:
            (welcome,) = [
                line for line in self.ask(client, "login", name="alice", password=PASSWORD) if "token" in line
            ]
            self.tokens.append(welcome["token"])

    def ask(self, client: JSONClient, kind: str, **fields: Any) -> list[dict[str, Any]]:
        """Return all lines that a client got until its request was answered."""
        client.ask(kind, **fields)
        self.cluster.settle()
        return client.got()

    def test_end_one(self) -> None:
        """A session on another node is ended by its id, and no other."""
        (listed,) = [line for line in self.ask(self.there, "sessions") if line["type"] == "sessions"]
        (this,) = [one["id"] for one in listed["sessions"] if one.get("this")]
        self.ask(self.here, "end_sessions", id=this)
        self.assertEqual([client.is_open for client in (self.here, self.there, self.also_there)], [True, False, True])
        again = self.cluster.nodes[1].json()
        self.assertEqual([line["code"] for line in self.ask(again, "resume", token=self.tokens[0])], ["bad-token"])

    def test_of_a_program(self) -> None:
        """A token that an administrator created on one node is valid on the other."""
        created = ensureDeferred(self.cluster.nodes[0].chat.sign_ins.add_labelled("alice", "backups"))
        self.cluster.settle()
        program = self.cluster.nodes[1].json()
        lines = self.ask(program, "resume", token=self.successResultOf(created))
        self.assertEqual([line["name"] for line in lines if line["type"] == "welcome"], ["alice"])

    def test_end_others(self) -> None:
        """All sessions on other nodes are ended."""
        self.ask(self.here, "end_sessions", others=True)
        self.assertEqual([client.is_open for client in (self.here, self.there, self.also_there)], [True, False, False])
        again = self.cluster.nodes[1].json()
        self.assertEqual([line["code"] for line in self.ask(again, "resume", token=self.tokens[1])], ["bad-token"])
