"""What one user may do is counted for the user, whatever sessions it comes by: what exceeds waits or is refused."""

from typing import Any

from argon2.exceptions import HashingError, VerificationError

from irchat.interfaces.limits import Limits
from irchat.protocol.requests import Ping, Search
from irchat.protocol.rules import CLIENT_LINE_BYTES
from irchat.server.sessions.costs import BYTES_OF_MS, COSTS, WORK_A_SECOND, WORK_AT_ONCE
from tests.helpers.server import PASSWORD, JSONClient, ServerTestCase, refs, request

_BURST = 30


def _codes(client: JSONClient) -> list[Any]:
    """The error code of each reply, None where there is none."""
    return [line.get("code") for line in client.got() if line["type"] not in ("message", "added", "blocks", "presence")]


class RateTests(ServerTestCase):
    """Messages and changes: refused past the rate."""

    def setUp(self) -> None:
        """Start a server with the default rate."""
        self.server = self.make_server(rate=10.0)

    def test_outlives_the_session(self) -> None:
        """Whoever comes back has not more left than before."""
        alice = self.server.json("alice")
        alice.send(request("send", chat="GLOBAL", text="x") * _BURST)
        self.assertEqual(set(_codes(alice)), {None})
        alice.leave()
        again = JSONClient(self.server)
        again.ask("resume", token=alice.welcome["token"])
        again.got()
        again.ask("send", chat="GLOBAL", text="x")
        self.assertEqual(_codes(again), ["too-fast"])
        self.server.advance(0.1)
        again.ask("send", chat="GLOBAL", text="x")
        self.assertEqual(_codes(again), [None])

    def test_sessions_share_it(self) -> None:
        """The sessions of a user have one rate; another user has its own."""
        sessions = [self.server.json("alice") for _ in range(3)]
        for session in sessions:
            session.send(request("send", chat="GLOBAL", text="x") * (_BURST // 2))
        codes = [code for session in sessions for code in _codes(session)]
        self.assertEqual((codes.count(None), codes.count("too-fast")), (_BURST, _BURST // 2))
        bob = self.server.json("bob")
        bob.ask("send", chat="GLOBAL", text="x")
        self.assertEqual(_codes(bob), [None])

    def test_changes_count(self) -> None:
        """Groups, members, blocks and passwords count, a big group for more; what only reads does not."""
        alice = self.server.json("alice")
        self.server.json("bob")
        for fields in (
            {"kind": "block", "name": "bob"},
            {"kind": "password", "old": "wrong password", "new": "another password"},
            {"kind": "create_group", "name": "team", "members": ["alice"]},
            {"kind": "remove_member", "group": "team", "name": "alice"},
            {"kind": "add_member", "group": "team", "name": "alice"},
            {"kind": "line", "line": "~bob"},
        ):
            self.server.advance(10)
            alice.got()
            kind = fields.pop("kind")
            alice.send(request(kind, **fields) * (_BURST + 1))
            self.assertIn("too-fast", _codes(alice), kind)
        for fields in {"kind": "chats"}, {"kind": "members", "group": "team"}, {"kind": "blocks"}:
            self.assertNotIn("too-fast", self._asked(alice, **fields))

    def _asked(self, client: JSONClient, kind: str, **fields: Any) -> list[Any]:
        client.send(request(kind, **fields) * (_BURST + 1))
        return _codes(client)

    def test_big_group(self) -> None:
        """A group of a thousand counts for 21 messages."""
        alice = self.server.json("alice")
        members = [f"nobody{number}" for number in range(999)]
        alice.send(*(request("create_group", name=f"team{number}", members=members) for number in range(2)))
        self.assertEqual(_codes(alice), ["no-such-user", "too-fast"])


class WorkTests(ServerTestCase):
    """Reads: they wait for their turn, and none is refused."""

    def test_reads_wait(self) -> None:
        """A user that asks for more than its share has all of it, later, in order; others go on."""
        server = self.make_server(rate=10.0)
        alice, bob = server.json("alice"), server.json("bob")
        cost = COSTS[Search].work
        count = int(2 * WORK_AT_ONCE / cost)
        for number in range(count):
            alice.send(request("search", words="hello", ref=number))
        answered = refs(alice.got())
        self.assertLess(len(answered), count)
        self.assertFalse(alice.socket.is_read)
        bob.ask("search", words="hello")
        bob.one("found")
        for _ in range(int(WORK_AT_ONCE / WORK_A_SECOND * 10) + 10):
            server.advance(0.1)
            alice.send()
            answered += refs(alice.got())
        self.assertEqual(answered, list(range(count)))
        self.assertTrue(alice.socket.is_read)

    def test_sessions_share_it(self) -> None:
        """Where one session has used up the work of the user, no read of another session is started until later."""
        server = self.make_server(rate=10.0)
        alice, other = server.json("alice"), server.json("alice")
        other.got()
        for _ in range(int(2 * WORK_AT_ONCE / COSTS[Search].work)):
            alice.send(request("search", words="hello"))
        other.ask("search", words="hello", ref=1)
        self.assertEqual(other.got(), [])
        self.assertFalse(other.socket.is_read)
        for _ in range(int(WORK_AT_ONCE / WORK_A_SECOND * 10) + 10):
            server.advance(0.1)
            alice.send()
        self.assertEqual(refs(other.got()), [1])
        self.assertTrue(other.socket.is_read)

    def test_pages_at_sign_in(self) -> None:
        """A program that asks for a page of each of two hundred chats at once has them at once."""
        server = self.make_server(rate=10.0)
        alice = server.json("alice")
        alice.send(b"".join(request("history", chat="GLOBAL", ref=number) for number in range(200)))
        server.advance(*[0.0] * 10)
        self.assertEqual(refs(alice.got()), list(range(200)))

    def test_bad_lines_cost(self) -> None:
        """What is no request costs as well, so nobody keeps the server busy with it."""
        server = self.make_server(rate=10.0)
        alice = server.json("alice")
        for _ in range(200):
            alice.send(b"{nonsense}\n" * 31)
        self.assertFalse(alice.socket.is_read)
        answered = len(alice.got())
        self.assertLess(answered, 200 * 31)
        server.advance(1.0)
        self.assertGreater(len(alice.got()), 0)

    def test_told_to_many(self) -> None:
        """What is said costs by the number of sessions that are told; a private message does not cost that."""
        server = self.make_server(rate=10_000.0)
        alice = server.json("alice")
        for _ in range(50):
            server.json("bob")
        for chat, all_at_once in ("GLOBAL", False), ("@bob", True):
            alice.send(request("send", chat=chat, text="x") * 1_200)
            server.advance(*[0.0] * 60)
            self.assertEqual(alice.socket.is_read, all_at_once, chat)
            server.advance(*[0.1] * 30)
            alice.got()

    def test_long_lines_cost(self) -> None:
        """A long line costs by its length, whatever it asks: as many short ones of the same request are all read."""
        server = self.make_server(rate=10.0)
        short = request("ping")
        long = short[:-1].ljust(CLIENT_LINE_BYTES - 2) + b"\n"
        count = int(WORK_AT_ONCE / (COSTS[Ping].work + len(long) / BYTES_OF_MS)) + 3
        self.assertGreater(WORK_AT_ONCE, count * COSTS[Ping].work * 1.1)
        for name, line, is_read in (("alice", long, False), ("bob", short, True)):
            client = server.json(name)
            for _ in range(count):
                client.send(line)
            server.advance(0)
            self.assertEqual(client.socket.is_read, is_read, name)

    def test_address(self) -> None:
        """Before the sign-in it is counted for the address; those of another one go on."""
        server = self.make_server(limits=Limits(tries=0))
        clients = [JSONClient(server, host=host) for host in ["192.0.2.1"] * 40 + ["192.0.2.2"]]
        for client in clients[:-1]:
            for _ in range(20):
                client.send(request("resume", token="none"))
        self.assertTrue(any(not client.socket.is_read for client in clients[:-1]))
        clients[-1].ask("resume", token="none")
        self.assertEqual(_codes(clients[-1]), ["bad-token"])

    def test_no_rate(self) -> None:
        """Without a rate nothing waits."""
        server = self.make_server(rate=0)
        alice = server.json("alice")
        for _ in range(200):
            alice.send(request("search", words="hello"))
        self.assertEqual(len(alice.got()), 200)


class GoneTests(ServerTestCase):
    """What a client asked that is gone: reads are dropped, changes are made."""

    def setUp(self) -> None:
        """Start a server."""
        self.server = self.make_server()
        self.alice = self.server.json("alice")

    def test_reads_are_dropped(self) -> None:
        """Nobody runs the search of a session that is closed."""
        self.server.threads.read.holds = True
        for kind, fields in ("search", {"words": "x"}), ("history", {"chat": "GLOBAL"}), ("chats", {}):
            client = self.alice if kind == "search" else self._again()
            client.ask(kind, **fields)
            done = self.server.threads.read.held.pop()[0]
            client.leave()
            self.assertTrue(done.called, kind)

    def _again(self) -> JSONClient:
        self.server.threads.read.holds = False
        client = self.server.json("alice")
        self.server.threads.read.holds = True
        return client

    def test_sign_in_is_dropped(self) -> None:
        """Nobody verifies the password of a connection that is closed, and the try does not count."""
        self.server.hashing.holds = True
        client = JSONClient(self.server)
        client.ask("login", name="alice", password=PASSWORD)
        done = self.server.hashing.held.pop()[0]
        client.leave()
        self.assertTrue(done.called)
        self.assertEqual(self.server.accounts._hashing, 0)
        self.assertEqual(self.server.services.admission._under_way, {})

    def test_changes_are_made(self) -> None:
        """A group that waits for the disk is made though its owner went."""
        self.server.threads.write.holds = True
        self.alice.ask("create_group", name="team", members=[])
        self.alice.leave()
        self.server.threads.write.holds = False
        self.server.threads.write.release()
        self.server.turn()
        directory = self.server.chat.directory
        self.assertIsNotNone(directory.find_group(directory.user("alice"), "team"))

    def test_stop(self) -> None:
        """A server that stops drops the sign-ins that wait, and says goodbye."""
        self.server.hashing.holds = True
        waiting = [JSONClient(self.server) for _ in range(20)]
        for number, client in enumerate(waiting):
            client.ask("login", name=f"somebody{number}", password=PASSWORD)
        self.server.connections.stop()
        self.server.turn()
        self.assertEqual([done.called for done, _, _ in self.server.hashing.held], [True] * 20)
        self.assertEqual([client.told("bye")[0]["reason"] for client in waiting], ["the server stops"] * 20)


class ResourceTests(ServerTestCase):
    """A resource that fails: unavailable, nothing counted, and the next request works."""

    def setUp(self) -> None:
        """Start a server that pauses after one failed try."""
        self.server = self.make_server(limits=Limits(tries=1, per_address=0))
        self.server.json("alice").leave()

    def test_hashing(self) -> None:
        """Without memory or threads for a hash a right password is not wrong, and does not count as a failed try."""
        for error in VerificationError("Memory allocation error"), HashingError("Threading failure"), MemoryError():
            self.server.hashing.holds = True
            client = JSONClient(self.server)
            client.ask("login", name="alice", password=PASSWORD)
            self.server.hashing.fail(error)
            self.server.turn()
            self.assertEqual(client.one("error")["code"], "unavailable")
            self.server.hashing.holds = False
            client.ask("login", name="alice", password=PASSWORD)
            client.one("welcome")
            client.leave()

    def test_hashing_of_the_library(self) -> None:
        """What the library says of memory is told from a wrong password."""
        client = JSONClient(self.server)

        def verify(hashed: str, password: bytes) -> bool:
            raise VerificationError("Memory allocation error")

        hasher = self.server.accounts.hasher
        self.server.accounts.hasher = type("Hasher", (), {"verify": staticmethod(verify)})()
        client.ask("login", name="alice", password=PASSWORD)
        self.assertEqual(client.one("error")["code"], "unavailable")
        self.server.accounts.hasher = hasher
        client.ask("login", name="alice", password=PASSWORD)
        client.one("welcome")

    def test_registration(self) -> None:
        """No account is made where the password cannot be hashed, and none is counted."""
        self.server.hashing.holds = True
        client = JSONClient(self.server)
        client.ask("register", name="bob", password=PASSWORD)
        self.server.hashing.fail(HashingError("Memory allocation error"))
        self.server.turn()
        self.assertEqual(client.one("error")["code"], "unavailable")
        self.server.hashing.holds = False
        client.ask("register", name="bob", password=PASSWORD)
        client.one("welcome")

    def test_reader_without_memory(self) -> None:
        """A read that finds no memory is unavailable, and the next one works; so is a commit."""
        alice = self.server.json("alice")
        for threads, kind, fields in (
            (self.server.threads.read, "history", {"chat": "GLOBAL"}),
            (self.server.threads.read, "search", {"words": "x"}),
            (self.server.threads.write, "send", {"chat": "GLOBAL", "text": "x"}),
        ):
            threads.holds = True
            alice.ask(kind, **fields)
            threads.fail(MemoryError())
            threads.holds = False
            self.server.turn()
            self.assertEqual(alice.one("error")["code"], "unavailable", kind)
            alice.ask(kind, **fields)
            self.assertNotIn("error", [line["type"] for line in alice.got()])
