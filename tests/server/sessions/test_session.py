"""A session: replies in the order of requests, reads after its own sends, and nothing published before it is safe.

Its sign-in and end are tested in test_session_sign_in.py, its errors in test_session_errors.py.
"""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from irchat.interfaces.writes import MessageAdded
from irchat.protocol import requests
from irchat.protocol.errors import unavailable
from irchat.protocol.rules import WAITING_BYTES
from irchat.server.protocols.json_lines import JSONProtocol
from tests.helpers.server import Server, ServerTestCase, refs, request, texts


def send(text: str, **fields: Any) -> bytes:
    """Return a request to send ``text`` to everyone."""
    return request("send", chat="GLOBAL", text=text, **fields)


def history(**fields: Any) -> bytes:
    """Return a request for the end of GLOBAL."""
    return request("history", chat="GLOBAL", limit=500, **fields)


class OrderTests(ServerTestCase):
    """Replies come in the order of the requests."""

    def setUp(self) -> None:
        """Create a session, and a store that commits and answers on request."""
        self.server = self.make_server()
        self.alice = self.server.json("alice")
        self.writes, self.reads = self.server.threads.write, self.server.threads.read
        self.writes.holds = self.reads.holds = True

    def test_reads_see_earlier_sends(self) -> None:
        """A read waits for the session's earlier sends and includes them. Later ones are committed after it."""
        self.alice.send(send("one", ref=1) + history(ref=2) + send("two", ref=3) + history(ref=4))
        self.assertEqual((len(self.reads.held), self.alice.got()), (0, []))
        self.writes.release(1)
        self.server.turn()
        self.assertEqual(self.alice.one("sent")["ref"], 1)
        self.assertEqual((len(self.reads.held), len(self.writes.held)), (1, 0))
        self.reads.release(1)
        self.server.turn()
        (first,) = self.alice.got()
        self.assertEqual((first["ref"], [message["text"] for message in first["messages"]]), (2, ["one"]))
        self.writes.release()
        self.reads.release()
        self.server.turn()
        sent, second = self.alice.got()
        self.assertEqual((sent["ref"], second["ref"]), (3, 4))
        self.assertEqual([message["text"] for message in second["messages"]], ["one", "two"])

    def test_asked_while_one_waits(self) -> None:
        """A send never overtakes a read that waits, though it could run beside the sends before it."""
        asks = (requests.Send(chat="GLOBAL", text="one"), requests.History(chat="GLOBAL"),
                requests.Send(chat="GLOBAL", text="two"))  # fmt: skip
        for ref, ask in enumerate(asks):
            self.alice.connection.session.ask(ask, ref)
        self.assertEqual(len(self.writes.held), 1)
        for _ in range(2):
            self.writes.release()
            self.reads.release()
            self.server.turn()
        replies = self.alice.got()
        self.assertEqual([reply["type"] for reply in replies], ["sent", "history", "sent"])
        self.assertEqual([message["text"] for message in replies[1]["messages"]], ["one"])

    def test_waits_when_too_fast(self) -> None:
        """In a protocol that waits, requests above the rate keep their order, and nothing more is read meanwhile."""
        self.patch(JSONProtocol, "waits", True)
        server = self.make_server(rate=1.0)
        alice = server.json("alice")
        for ref in range(7):
            alice.connection.session.ask(requests.Send(chat="GLOBAL", text="hi"), ref)
            self.assertEqual(alice.socket.is_read, ref < 3)
        for sent in [0, 1, 2], [3], [4], [5], [6], []:
            server.turn()
            self.assertEqual(refs(alice.got()), sent)
            server.advance(1.01)
        self.assertTrue(alice.socket.is_read)

    def test_ends_when_answered(self) -> None:
        """A session that is to end when everything is answered ends right after the last reply."""
        self.alice.send(send("one", ref=1))
        self.alice.connection.session.end_when_answered("all is answered")
        self.assertTrue(self.alice.is_open)
        self.writes.release()
        self.server.turn()
        self.assertEqual([line["type"] for line in self.alice.got()], ["sent", "bye"])
        self.assertFalse(self.alice.is_open)

    def test_answer_that_reads(self) -> None:
        """A timed answer reads the message that it answers. Later sends do not overtake it."""
        self.writes.holds = self.reads.holds = False
        bob = self.server.json("bob")
        self.alice.send(send("first"))
        self.reads.holds = True
        self.alice.send(send("#1 psst", expires_in=60) + send("after"))
        self.assertEqual(len(self.reads.held), 1)
        self.reads.release()
        self.server.turn()
        self.assertEqual(texts(bob.told("message")), ["first", "#1 psst", "after"])

    def test_left_while_reading(self) -> None:
        """The read of a client that has left is cancelled, so that it does not run for nobody."""
        self.alice.send(history())
        ((read, _, _),) = self.reads.held
        self.alice.leave()
        self.assertTrue(read.called)

    def test_sends_are_pipelined(self) -> None:
        """Sends do not wait for one another: all that arrive during a commit go into the next one."""
        self.alice.send(b"".join(send(f"{number}", ref=number) for number in range(50)))
        self.assertEqual(len(self.writes.held), 1)
        self.writes.release(1)
        ((_, _, (writes,)),) = self.writes.held
        texts_in_one = [write.text for write in writes if isinstance(write, MessageAdded)]
        self.assertEqual(texts_in_one, [str(number) for number in range(1, 50)])
        self.writes.release()
        self.server.turn()
        self.assertEqual(refs(self.alice.got()), list(range(50)))

    def test_one_commit_alone_of_each_session(self) -> None:
        """Hundreds of exclusive changes by one user do not make others wait for all of them."""
        self.writes.holds = self.reads.holds = False
        mallory, bob = self.server.json("mallory"), self.server.json("bob")
        self.writes.holds = True
        mallory.send(request("block", name="bob") * 20 + request("create_group", name="team", members=["bob"]) * 20)
        bob.send(send("hello"))
        self.writes.release(3)
        self.server.turn()
        self.assertEqual(len(bob.told("sent")), 1)

    def test_refusals_keep_their_place(self) -> None:
        """An immediate refusal is still sent after the replies to earlier sends."""
        self.alice.send(
            send("one", ref=1)
            + send("", ref=2)
            + b"nonsense\n"
            + request("line", line="*0* x", ref=3)
            + send("two", ref=4)
            + request("ping", ref=5)
        )
        self.assertEqual(self.alice.got(), [])
        self.writes.release()
        self.server.turn()
        got = self.alice.got()
        self.assertEqual([line.get("ref") for line in got], [1, 2, None, 3, 4, 5])
        self.assertEqual([line["type"] for line in got], ["sent", "error", "error", "error", "sent", "pong"])

    def test_failed_commit(self) -> None:
        """A send whose commit fails is refused in order, and shown to nobody. The next one is accepted."""
        self.writes.holds = self.reads.holds = False
        bob = self.server.json("bob")
        self.server.advance(2)
        self.alice.got()
        bob.got()
        self.writes.holds = True
        self.alice.send(send("one", ref=1), send("two", ref=2))
        self.writes.fail(unavailable())
        self.writes.release()
        self.server.turn()
        got = self.alice.got()
        self.assertEqual([(line["ref"], line["type"]) for line in got], [(1, "error"), (2, "sent")])
        self.assertEqual(got[0]["code"], "unavailable")
        self.assertEqual(texts(bob.got()), ["two"])

    def test_nothing_before_the_commit(self) -> None:
        """Neither ``sent`` nor ``message`` goes out before the commit, and both do after it."""
        self.writes.holds = self.reads.holds = False
        bob, alice_too, carol = self.server.json("bob"), self.server.json("alice"), self.server.text("carol")
        everyone = [self.alice, bob, alice_too, carol]
        self.server.advance(2)
        for client in everyone:
            client.read()
        self.writes.holds = True
        self.alice.send(send("safe", ref=1))
        self.server.advance(5)
        self.assertEqual([client.read() for client in everyone], [""] * 4)
        self.writes.release()
        self.server.turn()
        sent, message = self.alice.one("sent"), bob.one("message")
        self.assertEqual((sent["seq"], message["seq"], message["at"]), (1, 1, sent["at"]))
        self.assertEqual(alice_too.one("message"), message)
        self.assertIn("alice: safe", carol.shown())

    def test_other_sessions(self) -> None:
        """A private message reaches the sender's other sessions and the receiver's, each with its own chat name."""
        self.writes.holds = self.reads.holds = False
        bob, alice_too = self.server.json("bob"), self.server.json("alice")
        self.server.advance(2)
        for client in self.alice, bob, alice_too:
            client.got()
        self.alice.ask("send", chat="@bob", text="hi", ref="r")
        self.assertEqual(self.alice.one("sent")["chat"], "@bob")
        self.assertEqual((bob.one("message")["chat"], alice_too.one("message")["chat"]), ("@alice", "@bob"))

    def test_one_write_a_turn(self) -> None:
        """All events for a session in one turn are one write, and shared ones are one object."""
        self.writes.holds = self.reads.holds = False
        readers = [self.server.json(f"reader{number}") for number in range(3)]
        self.server.advance(2)
        for client in [self.alice, *readers]:
            client.got()
        self.writes.holds = True
        self.alice.send(b"".join(send(f"{number}") for number in range(20)))
        self.writes.release(1)
        self.writes.release()
        self.assertEqual([client.socket.writes for client in [self.alice, *readers]], [[]] * 4)
        self.server.turn()
        self.assertEqual([len(client.socket.writes) for client in [self.alice, *readers]], [1, 1, 1, 1])
        self.assertEqual([len(texts(reader.got())) for reader in readers], [20, 20, 20])

    def test_too_fast(self) -> None:
        """Above the rate a send is refused, in order, and accepted again after a while."""
        server = self.make_server(rate=1.0)
        alice = server.json("alice")
        alice.send(b"".join(send("x", ref=number) for number in range(5)))
        self.assertEqual([line.get("code") for line in alice.got()], [None, None, None, "too-fast", "too-fast"])
        server.advance(1)
        alice.send(send("x"))
        alice.one("sent")


class AnyPipelineTests(SynchronousTestCase):
    """Any requests at once, with arbitrary delays of the store."""

    @settings(max_examples=50)
    @given(
        st.lists(
            st.sampled_from(["send", "timed", "history", "ping", "chats", "bad", "refused", "read", "none"]),
            max_size=25,
        ),
        st.lists(st.tuples(st.sampled_from(["write", "read"]), st.integers(1, 3)), max_size=40),
    )
    def test_replies_in_order(self, kinds: list[str], releases: list[tuple[str, int]]) -> None:
        """Each request gets one reply, in order, and each page holds exactly what was sent before it."""
        server = Server()
        self.addCleanup(server.close)
        alice = server.json("alice")
        threads = {"write": server.threads.write, "read": server.threads.read}
        for hand in threads.values():
            hand.holds = True
        lines = []
        for ref, kind in enumerate(kinds):
            lines.append({
                "send": send(f"{ref}", ref=ref),
                "timed": send(f"{ref}", ref=ref, expires_in=60, nonce=f"{ref}"),
                "history": history(ref=ref),
                "ping": request("ping", ref=ref),
                "chats": request("chats", ref=ref),
                "bad": request("send", text=1, ref=ref),
                "refused": request("send", chat="@nobody", text="x", ref=ref),
                "read": request("read", chat="GLOBAL", seq=ref, ref=ref),
                "none": request("pong", ref=ref),
            }[kind])  # fmt: skip
        alice.send(b"".join(lines))
        for name, count in releases:
            threads[name].release(count)
            server.turn()
        while any(hand.held for hand in threads.values()):
            for hand in threads.values():
                hand.release()
            server.turn()
        got = alice.got()
        self.assertEqual(refs(got), [ref for ref, kind in enumerate(kinds) if kind != "none"])
        for line in got:
            if line["type"] == "history":
                shown = [int(message["text"]) for message in line["messages"]]
                expected = [ref for wanted in ("send", "timed") for ref in range(line["ref"]) if kinds[ref] == wanted]
                self.assertEqual(shown, expected)


class FullTests(ServerTestCase):
    """A client that requests without reading the replies."""

    def setUp(self) -> None:
        """Create a session whose socket takes nothing."""
        self.server = self.make_server()
        self.alice = self.server.json("alice")
        for number in range(60):
            self.alice.send(send(f"{number} ".ljust(4_000, "x")))
        self.alice.got()
        self.alice.socket.room = 0

    def test_not_read_from(self) -> None:
        """It is not read from, so that waiting data is limited. It continues where it stopped when it reads again."""
        self.alice.send(*(history(ref=ref) for ref in range(20)))
        self.assertFalse(self.alice.socket.is_read)
        self.assertEqual(len(self.alice._unsent), 17)
        self.alice.socket.room = None
        while self.alice._unsent or not self.alice.socket.is_read:
            self.server.advance(0, 0)
            self.alice.send()
        self.server.advance(0, 0)
        self.assertEqual(refs(self.alice.got()), list(range(20)))

    def test_lines_in_hand(self) -> None:
        """Lines of one segment wait too, and none is lost or answered out of order."""
        self.alice.send(b"".join(history(ref=ref) for ref in range(20)))
        self.assertFalse(self.alice.socket.is_read)
        self.assertLess(self.alice.socket.waiting + sum(map(len, self.alice.outbox._pending)), 3 * WAITING_BYTES)
        self.alice.socket.room = None
        self.server.advance(*[0] * 20)
        self.assertEqual(refs(self.alice.got()), list(range(20)))
        self.assertTrue(self.alice.socket.is_read)

    def test_unanswered(self) -> None:
        """A session has at most 512 pending requests. Above that it is not read from until the store has answered."""
        self.alice.socket.room = None
        self.server.threads.write.holds = True
        self.alice.send(*(send("x", ref=ref) for ref in range(600)))
        self.assertFalse(self.alice.socket.is_read)
        self.assertEqual(len(self.alice._unsent), 600 - 513)
        self.server.threads.write.holds = False
        self.server.threads.write.release()
        self.server.turn()
        self.assertTrue(self.alice.socket.is_read)
        self.alice.send()
        self.assertEqual(refs(self.alice.got()), list(range(600)))
