"""Slow readers in a whole server: memory stays bounded, and the store fills the gap without doubles."""

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from irchat.protocol.rules import WAITING_BYTES
from tests.helpers.server import JSONClient, Server, ServerTestCase, is_rising, request, texts

# The largest page of the store on the wire: 64 KiB of texts, 200 message heads, and one more text.
_PAGE_BYTES = 65_536 + 200 * 400 + 8_000


def waiting_bytes(client: JSONClient) -> int:
    """Return the bytes that wait for a client in memory, without kept events."""
    return client.socket.waiting + sum(map(len, client.outbox._pending))


class _Scene:
    """Alice's slow session, her fast session, which only watches, and bob and carol, who talk."""

    def __init__(self) -> None:
        self.server = server = Server()
        self.bob, self.carol = server.json("bob"), server.json("carol")
        self.watching, self.slow = server.json("alice"), server.json("alice", room=0)
        self.others = [self.bob, self.carol]
        self.bob.ask("create_group", name="team", members=["alice", "carol"])
        self.blocked = self.left = False
        self.timed: dict[str, float] = {}
        self.lines: list[dict[str, Any]] = []
        self.seen: list[dict[str, Any]] = []
        self.collect()
        self.lines.clear()
        self.seen.clear()

    def collect(self) -> None:
        """Collect what all sessions got."""
        self.lines += self._whole_lines()
        self.seen += self.watching.got()
        for client in self.others:
            for line in client.got():
                if line["type"] == "error" and line["code"] not in (
                    "blocked",
                    "no-such-group",
                    "already-a-member",
                    "not-a-member",
                ):
                    raise AssertionError(line)

    def _whole_lines(self) -> list[dict[str, Any]]:
        """Return the complete lines of the slow reader, and keep the start of the next one."""
        data = b"".join(self.slow.socket.writes)
        whole, end, rest = data.rpartition(b"\n")
        self.slow.socket.writes[:] = [whole + end]
        lines = self.slow.got()
        self.slow.socket.writes[:] = [rest]
        return lines

    def talk(self, who: int, chat: str, count: int, size: int, *, at_once: bool) -> None:
        """Send messages, in one commit or in many."""
        write = self.server.threads.write
        write.holds = at_once
        for _ in range(count):
            self.others[who].ask("send", chat=chat, text="x" * size)
        write.holds = False
        if not write.answers_late:
            write.release()

    def send_timed(self, who: int, chat: str, seconds: int) -> None:
        self.others[who].ask("send", chat=chat, text="t" * 500, expires_in=seconds)

    def send_own(self, chat: str, seconds: int | None) -> None:
        """Send a message from the slow reader."""
        timed = {} if seconds is None else {"expires_in": seconds}
        self.slow.ask("send", chat=chat, text="mine", **timed)

    def drain(self, room: int) -> None:
        """Let the slow reader read that many bytes."""
        self.slow.socket.room = room
        self.server.advance(0, 0)

    def block(self, on: bool) -> None:
        self.blocked = True
        self.watching.ask("block", name="carol", blocked=on)

    def membership(self, member: bool) -> None:
        self.left = self.left or not member
        self.bob.ask("add_member" if member else "remove_member", group="team", name="alice")

    def pass_time(self, seconds: float) -> None:
        self.server.advance(seconds)

    def hold_reads(self, holds: bool) -> None:
        """Hold the replies of the store, or release them."""
        self.server.threads.read.holds = holds
        if not holds:
            self.server.threads.read.release()

    def tell_commits_late(self, late: bool) -> None:
        """Delay the notification of commits, or release it."""
        self.server.threads.write.answers_late = late
        if not late:
            self.server.threads.write.release()

    def finish(self) -> None:
        """Let the store answer and the slow reader read everything."""
        self.tell_commits_late(False)
        self.hold_reads(False)
        self.slow.socket.room = None
        self.server.advance(0, 0, 0, 1.5, 0, 0)
        self.collect()


_chats = st.sampled_from(["GLOBAL", "@alice", "*team"])
_steps = st.one_of(
    st.tuples(
        st.just(_Scene.talk),
        st.tuples(st.integers(0, 1), _chats, st.integers(1, 30), st.integers(1, 4_000)),
        st.booleans(),
    ),
    st.tuples(st.just(_Scene.send_timed), st.tuples(st.integers(0, 1), _chats, st.integers(1, 6))),
    st.tuples(
        st.just(_Scene.send_own), st.tuples(st.sampled_from(["GLOBAL", "@bob", "*team"]), st.none() | st.integers(1, 6))
    ),
    st.tuples(st.just(_Scene.drain), st.tuples(st.integers(0, 200_000))),
    st.tuples(st.just(_Scene.block), st.tuples(st.booleans())),
    st.tuples(st.just(_Scene.membership), st.tuples(st.booleans())),
    st.tuples(st.just(_Scene.pass_time), st.tuples(st.floats(0, 4))),
    st.tuples(st.just(_Scene.hold_reads), st.tuples(st.booleans())),
    st.tuples(st.just(_Scene.tell_commits_late), st.tuples(st.booleans())),
)
_flood = (_Scene.talk, (0, "GLOBAL", 30, 4_000), False)
_team_flood = (_Scene.talk, (0, "*team", 30, 4_000), True)


@pytest.mark.slow
class AnyTrafficTests(SynchronousTestCase):
    """A slow reader among users who talk, block, and change groups."""

    @settings(max_examples=80)
    @given(st.lists(_steps, max_size=14))
    @example(
        [
            _flood,
            _flood,
            _flood,
            (_Scene.send_own, ("GLOBAL", None)),
            (_Scene.drain, (100_000,)),
            _flood,
            (_Scene.drain, (150_000,)),
            (_Scene.send_own, ("GLOBAL", None)),
            _flood,
        ]
    )
    @example(
        [
            _team_flood,
            _flood,
            _team_flood,
            (_Scene.hold_reads, (True,)),
            (_Scene.drain, (400_000,)),
            (_Scene.membership, (False,)),
            (_Scene.membership, (True,)),
            (_Scene.talk, (0, "*team", 2, 10), True),
        ]
    )
    @example(
        [
            _flood,
            (_Scene.send_timed, (0, "GLOBAL", 5)),
            (_Scene.send_own, ("GLOBAL", 4)),
            _flood,
            _flood,
            (_Scene.drain, (200_000,)),
            (_Scene.pass_time, (2.0,)),
        ]
    )
    @example(
        [
            _flood,
            _flood,
            _flood,
            (_Scene.tell_commits_late, (True,)),
            (_Scene.talk, (0, "GLOBAL", 1, 9), False),
            (_Scene.drain, (400_000,)),
            (_Scene.drain, (400_000,)),
            (_Scene.tell_commits_late, (False,)),
        ]
    )
    @example(
        [
            (_Scene.block, (True,)),
            _flood,
            _flood,
            _flood,
            (_Scene.talk, (1, "GLOBAL", 20, 4_000), False),
            (_Scene.block, (False,)),
            (_Scene.drain, (200_000,)),
            (_Scene.talk, (1, "GLOBAL", 20, 4_000), False),
        ]
    )
    def test_all_in_order_and_once(self, steps: list[tuple]) -> None:
        """After any steps the slow reader has all messages of others, once and in order, and memory stays bounded.

        It loses its connection only if a part of a timed message is on its way when this ends.
        """
        scene = _Scene()
        try:
            for step, arguments, *rest in steps:
                if step is _Scene.talk:
                    scene.talk(*arguments, at_once=rest[0])
                else:
                    step(scene, *arguments)
                self.assertLessEqual(waiting_bytes(scene.slow), WAITING_BYTES + _PAGE_BYTES)
                if scene.slow.outbox._missed is not None:
                    self.assertLessEqual(scene.slow.outbox._missed._kept_bytes, WAITING_BYTES)
                scene.collect()
            scene.finish()
            self._check(scene)
        finally:
            scene.server.close()

    def _check(self, scene: _Scene) -> None:
        is_cut = scene.slow.outbox.closed
        self.assertFalse(scene.slow.outbox.behind and not is_cut)
        own = {(line["chat"], line.get("seq") or line["id"]) for line in scene.lines if line["type"] == "sent"}
        got, seen = self._messages(scene.lines), self._messages(scene.seen)
        self.assertTrue(not is_cut or any("id" in line for line in seen.values()))
        for chat in "GLOBAL", "@bob", "@carol", "*team":
            seqs = [seq for where, seq in got if where == chat and isinstance(seq, int)]
            self.assertTrue(is_rising(seqs), f"{chat}: {seqs}")
        self.assertEqual(len(got), len(set(got)))
        self.assertFalse(own & set(got))
        expected = {place: line for place, line in seen.items() if place not in own}
        for place in expected.keys() ^ got.keys():
            line = (seen | got)[place]
            excused = (
                (scene.blocked and line["from"] == "carol")
                or (scene.left and line["chat"] == "*team")
                or ("id" in line and place in expected)  # it ended while the reader was behind
                or (is_cut and place in expected)
            )
            self.assertTrue(excused, line)
        if not is_cut:
            self._check_timed(scene, got, expected)

    def _check_timed(self, scene: _Scene, got: dict, expected: dict) -> None:
        erased = {line["id"] for line in scene.lines if line["type"] == "erased"}
        now = scene.server.wall_ms()
        for place, line in expected.items():
            if "id" in line and line["id"] not in erased and not (scene.blocked or scene.left):
                self.assertIn(place, got, now)

    def _messages(self, lines: list[dict[str, Any]]) -> dict[tuple[str, Any], dict[str, Any]]:
        messages = [line for line in lines if line["type"] == "message"]
        by_place = {(line["chat"], line.get("seq") or line["id"]): line for line in messages}
        self.assertEqual(len(by_place), len(messages), "a message came twice")
        return by_place


@pytest.mark.slow
class SlowReaderTests(ServerTestCase):
    """The cost and the messages of a slow reader, case by case."""

    def setUp(self) -> None:
        """Sign in a reader whose socket takes nothing, and a sender."""
        self.server = self.make_server()
        self.reader, self.sender = self.server.json("reader"), self.server.json("sender")
        self.server.advance(2)
        self.reader.got()
        self.reader.socket.room = 0

    def _flood(self, count: int, size: int = 4_000, **fields: Any) -> None:
        for number in range(count):
            self.sender.ask("send", chat="GLOBAL", text=f"{number} ".ljust(size, "x"), **fields)

    def _drain(self) -> list[dict[str, Any]]:
        self.reader.socket.room = None
        self.server.advance(0, 0, 0, 0)
        return self.reader.got()

    def test_memory(self) -> None:
        """Of two thousand messages of 4 KB, at most 256 KiB wait in memory, and all arrive in the end."""
        self._flood(2_000)
        self.assertLessEqual(waiting_bytes(self.reader), WAITING_BYTES)
        self.assertGreater(waiting_bytes(self.reader), WAITING_BYTES - 5_000)
        got = self._drain()
        self.assertEqual([line["seq"] for line in got], list(range(1, 2_001)))
        self.assertEqual(waiting_bytes(self.reader), 0)

    def test_others_do_not_wait(self) -> None:
        """While one reader takes nothing, others get everything at once."""
        other = self.server.json("other")
        self._flood(200)
        self.assertEqual(len(texts(other.got())), 200)

    def test_timed_tells_what_is_left_when_sent(self) -> None:
        """A timed message that waited for its reader shows the time left when it is sent."""
        self._flood(70)
        self.sender.ask("send", chat="GLOBAL", text="soon gone", expires_in=30)
        self.server.advance(12.5)
        last = [line for line in self._drain() if line["type"] == "message"][-1]
        self.assertEqual((last["text"], last["left_ms"]), ("soon gone", 17_500))

    def test_timed_that_ended_meanwhile(self) -> None:
        """The text of a timed message that ended before the reader caught up is never sent, and is in no buffer."""
        self._flood(1)
        self.sender.ask("send", chat="GLOBAL", text="never shown", expires_in=3)
        self.server.advance(1, 1, 1.1)
        self.assertNotIn(b"never shown", b"".join(self.reader.outbox._pending) + self.reader.socket.dataBuffer)
        self.assertEqual([line["type"] for line in self._drain()], ["message", "erased"])

    def test_many_timed(self) -> None:
        """A thousand timed messages are caught up in pieces, each once."""
        self._flood(70)
        self._flood(1_000, expires_in=60)
        self.reader.socket.room = 300_000
        self.server.advance(0, 0)
        most = 0
        while self.reader.outbox.behind:
            most = max(most, waiting_bytes(self.reader))
            self.reader.socket.room = 50_000
            self.server.turn()
        self.assertLessEqual(most, WAITING_BYTES)
        ids = [line["id"] for line in self.reader.got() + self._drain() if "id" in line]
        self.assertEqual((len(ids), len(set(ids))), (1_000, 1_000))

    def test_many_ends_at_once(self) -> None:
        """A fast reader gets the ends of ten thousand timed messages at one moment, and stays connected."""
        quick = self.server.json("quick")
        self.sender.send(*[request("send", chat="GLOBAL", text="x", expires_in=5) for _ in range(10_000)])
        while self.sender._unsent:  # the server has not read everything yet
            self.sender.send()
        self.assertEqual(len(quick.told("message")), 10_000)
        self.server.advance(5)
        self.assertTrue(quick.is_open)
        self.assertEqual(len(quick.told("erased")), 10_000)

    def test_kept_events_are_bounded(self) -> None:
        """A reader with over 256 KiB of events that are not in the store is disconnected."""
        self._flood(70)
        self.sender.ask("create_group", name="team", members=["reader"])
        for _ in range(WAITING_BYTES // 150):
            self.sender.ask("remove_member", group="team", name="reader")
            self.sender.ask("add_member", group="team", name="reader")
            if not self.reader.is_open:
                break
        self.assertFalse(self.reader.is_open)
        self.assertTrue(self.reader.socket.aborted)

    def test_ends_while_asking(self) -> None:
        """A connection that closes during a read of the store leaves nothing behind, and no error in the log."""
        self._flood(70)
        self.server.threads.read.holds = True
        self.reader.socket.room = None
        self.server.advance(0, 0)
        self.assertEqual(len(self.server.threads.read.held), 1)
        self.reader.leave()
        self.server.threads.read.release()
        self.assertNotIn(self.reader.connection, self.server.connections)

    def test_store_fails(self) -> None:
        """If the store cannot be read, the connection is closed, so that the client reconnects."""
        self._flood(70)
        self.server.threads.read.holds = True
        self.reader.socket.room = None
        self.server.advance(0, 0)
        self.server.threads.read.fail(ZeroDivisionError())
        self.server.turn()
        self.assertFalse(self.reader.is_open)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_text_protocol(self) -> None:
        """A text client that fell behind gets everything in order, too."""
        person = self.server.text("person")
        person.socket.room = 0
        self._flood(150)
        person.socket.room = None
        self.server.advance(0, 0, 0)
        shown = person.shown().splitlines()
        self.assertEqual([line.split()[4] for line in shown], [str(number) for number in range(150)])
