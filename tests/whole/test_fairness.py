"""Rate limits count per user, over all sessions. Work beyond them waits or is refused."""

from typing import Any

from argon2.exceptions import HashingError, VerificationError

from irchat.chat.accounts import accounts
from irchat.interfaces.limits import Limits
from irchat.protocol.requests import Ping, Search
from irchat.protocol.rules import CLIENT_LINE_BYTES
from irchat.server.sessions.costs import (
    ADDRESS_SHARE,
    BYTES_OF_MS,
    COSTS,
    WORK_A_SECOND,
    WORK_AT_ONCE,
    WORK_OF_LINE,
    WORK_OF_QUESTION,
)
from tests.helpers.seldom_lines import seldom_lines
from tests.helpers.server import PASSWORD, JSONClient, ServerTestCase, TextClient, refs, request

_BURST = 30


def _codes(client: JSONClient) -> list[Any]:
    """Return the error code of each reply, or None."""
    return [line.get("code") for line in client.got() if line["type"] not in ("message", "added", "blocks", "presence")]


class RateTests(ServerTestCase):
    """Messages and changes, which are refused beyond the rate."""

    def setUp(self) -> None:
        """Start a server with the default rate."""
        self.server = self.make_server(rate=10.0)

    def test_outlives_the_session(self) -> None:
        """A user who signs in again has no more allowance than before."""
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
        """All sessions of a user share one rate, and other users have their own."""
        sessions = [self.server.json("alice") for _ in range(3)]
        for session in sessions:
            session.send(request("send", chat="GLOBAL", text="x") * (_BURST // 2))
        codes = [code for session in sessions for code in _codes(session)]
        self.assertEqual((codes.count(None), codes.count("too-fast")), (_BURST, _BURST // 2))
        bob = self.server.json("bob")
        bob.ask("send", chat="GLOBAL", text="x")
        self.assertEqual(_codes(bob), [None])

    def test_changes_count(self) -> None:
        """Changes of groups, blocks and passwords count, and reads do not."""
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
        """Creating a group of a thousand members counts as 21 messages."""
        alice = self.server.json("alice")
        members = [f"nobody{number}" for number in range(999)]
        alice.send(*(request("create_group", name=f"team{number}", members=members) for number in range(2)))
        self.assertEqual(_codes(alice), ["no-such-user", "too-fast"])


class WorkTests(ServerTestCase):
    """Reads, which wait beyond the limit and are never refused."""

    def test_reads_wait(self) -> None:
        """Reads beyond a user's share are answered later and in order, and others do not wait."""
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
        """If one session has used up its user's share, a read of another session waits."""
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

    def test_lines_without_a_request(self) -> None:
        """Lines that have no reply, and lines without an end, wait like others. Then they are all read."""
        for lines in b"\n", b"\r\n", b'{"type":"pong"}\n', b"x" * CLIENT_LINE_BYTES:
            server = self.make_server(rate=10.0)
            alice, bob = server.json("alice"), server.json("bob")
            work = WORK_OF_LINE + len(lines) // CLIENT_LINE_BYTES * len(lines) / BYTES_OF_MS
            for _ in range(int(2 * WORK_AT_ONCE / work / 1_000) + 1):
                alice.send(lines * 1_000)
                server.advance(*[0.0] * 32)
            self.assertFalse(alice.socket.is_read, lines[:20])
            bob.ask("ping")
            bob.one("pong")
            for _ in range(int(WORK_AT_ONCE / WORK_A_SECOND * 10) + 30):
                server.advance(0.1)
                alice.send()
            self.assertTrue(alice.socket.is_read, lines[:20])

    def test_questions(self) -> None:
        """The questions of the text protocol, before and after the sign-in, wait like requests."""
        for typed in b"no name\n", b"somebody\nshort\n", b"!password\nold\nshort\n":
            server = self.make_server(limits=Limits(rate=10.0, per_address=50))
            client = server.text("alice") if typed.startswith(b"!") else TextClient(server)
            again = typed.splitlines(keepends=True)[-1]
            client.send(typed + again * int(2 * ADDRESS_SHARE * WORK_AT_ONCE / WORK_OF_QUESTION))
            server.advance(*[0.0] * 200)
            self.assertFalse(client.socket.is_read, typed)
            for _ in range(int(WORK_AT_ONCE / WORK_A_SECOND * 10) + 30):
                server.advance(0.1)
                client.send()
            self.assertTrue(client.socket.is_read, typed)

    def test_pages_at_sign_in(self) -> None:
        """A client that requests a page of each of 200 chats on sign-in gets them at once."""
        server = self.make_server(rate=10.0)
        alice = server.json("alice")
        alice.send(b"".join(request("history", chat="GLOBAL", ref=number) for number in range(200)))
        server.advance(*[0.0] * 10)
        self.assertEqual(refs(alice.got()), list(range(200)))

    def test_bad_lines_cost(self) -> None:
        """Invalid lines cost work, too, so a flood of them waits."""
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
        """A message to everyone costs work for each session that gets it. A private message does not."""
        server = self.make_server(rate=10_000.0)
        alice = server.json("alice")
        for _ in range(50):
            server.json("bob")
        for chat, all_at_once in ("GLOBAL", False), ("@bob", True):
            alice.send(request("send", chat=chat, text="x") * 1_100)
            server.advance(*[0.0] * 60)
            self.assertEqual(alice.socket.is_read, all_at_once, chat)
            server.advance(*[0.1] * 30)
            alice.got()

    def test_long_lines_cost(self) -> None:
        """A long line costs more work than a short one with the same request."""
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
        """Before the sign-in, work is counted per address, and other addresses do not wait."""
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
    """Requests of a closed connection: reads are dropped, changes are made."""

    def setUp(self) -> None:
        """Start a server."""
        self.server = self.make_server()
        self.alice = self.server.json("alice")

    def test_reads_are_dropped(self) -> None:
        """Reads of a closed session are cancelled."""
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
        """The password check of a closed connection is cancelled, and the attempt does not count."""
        self.server.hashing.holds = True
        client = JSONClient(self.server)
        client.ask("login", name="alice", password=PASSWORD)
        done = self.server.hashing.held.pop()[0]
        client.leave()
        self.assertTrue(done.called)
        self.assertEqual(self.server.accounts._hashing, 0)
        self.assertEqual(self.server.services.admission._under_way, {})

    def test_changes_are_made(self) -> None:
        """A group is still created after its owner has disconnected."""
        self.server.threads.write.holds = True
        self.alice.ask("create_group", name="team", members=[])
        self.alice.leave()
        self.server.threads.write.holds = False
        self.server.threads.write.release()
        self.server.turn()
        directory = self.server.chat.directory
        self.assertIsNotNone(directory.find_group(directory.user("alice"), "team"))

    def test_stop(self) -> None:
        """A server that stops cancels waiting sign-ins and sends ``bye``."""
        self.server.hashing.holds = True
        waiting = [JSONClient(self.server) for _ in range(20)]
        for number, client in enumerate(waiting):
            client.ask("login", name=f"somebody{number}", password=PASSWORD)
        self.server.connections.stop()
        self.server.turn()
        self.assertEqual([done.called for done, _, _ in self.server.hashing.held], [True] * 20)
        self.assertEqual([client.told("bye")[0]["reason"] for client in waiting], ["the server stops"] * 20)


class ResourceTests(ServerTestCase):
    """Failing resources: the request is unavailable, nothing is counted, and the next one works."""

    def setUp(self) -> None:
        """Start a server that makes clients wait after one failed attempt."""
        self.server = self.make_server(limits=Limits(tries=1, per_address=0))
        self.server.json("alice").leave()

    def test_hashing(self) -> None:
        """Without memory or threads for hashing, a right password is unavailable, not a failed attempt."""
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

    def test_hashing_in_the_log(self) -> None:
        """Strangers who try to sign in then do not fill the log."""
        lines = seldom_lines(self, accounts)
        self.server.hashing.holds = True
        for _ in range(10):
            JSONClient(self.server).ask("login", name="alice", password=PASSWORD)
            self.server.hashing.fail(HashingError("Threading failure"))
            self.server.turn()
        self.assertEqual(lines, ["a password cannot be hashed: Threading failure"])

    def test_hashing_of_the_library(self) -> None:
        """The library's error about memory is not taken for a wrong password."""
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
        """If a password cannot be hashed, no account is created or counted."""
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
        """A read or commit without memory is unavailable, and the next one works."""
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
