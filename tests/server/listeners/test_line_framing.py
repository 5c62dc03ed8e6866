"""The lines in a connection's bytes. The limit per turn is tested in tests/whole/test_fairness.py."""

import itertools
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from irchat.protocol.rules import CLIENT_LINE_BYTES
from tests.helpers.server import PASSWORD, JSONClient, ServerTestCase

_LONGEST = CLIENT_LINE_BYTES


class LineTests(ServerTestCase):
    """Lines of any length in any segments."""

    def setUp(self) -> None:
        """Connect a JSON client."""
        self.server = self.make_server()
        self.client = JSONClient(self.server)
        self.client.ask("ping")
        self.client.got()

    def _ping(self, ref: int, length: int) -> bytes:
        """Return a ping of that many bytes without its end."""
        line = b'{"type":"ping","ref":%d,"x":"' % ref
        return line + b"x" * (length - len(line) - 2) + b'"}'

    def _answers(self, *segments: bytes) -> list[Any]:
        """Return the refs of pongs and the codes of errors in reply to these segments."""
        self.client.send(*segments)
        return [line.get("code") or line["ref"] for line in self.client.got()]

    def test_longest(self) -> None:
        """65,536 bytes are a line, with or without a carriage return. One more is too long. Later lines are read."""
        for end in b"\n", b"\r\n":
            longest, too_long, next_line = self._ping(1, _LONGEST), self._ping(2, _LONGEST + 1), self._ping(3, 40)
            self.assertEqual(self._answers(longest + end), [1])
            self.assertEqual(self._answers(longest + end + next_line + end), [1, 3])
            self.assertEqual(self._answers(too_long + end), ["line-too-long"])
            self.assertEqual(self._answers(too_long + end + next_line + end), ["line-too-long", 3])
            self.assertEqual(self._answers(next_line + end + too_long + end + next_line + end), [3, "line-too-long", 3])

    def test_in_pieces(self) -> None:
        """The result is the same wherever the line is cut."""
        longest, too_long, next_line = self._ping(1, _LONGEST), self._ping(2, _LONGEST + 1), self._ping(3, 40)
        for cut in 1, 100, _LONGEST - 1, _LONGEST:
            self.assertEqual(self._answers(longest[:cut], longest[cut:], b"\r", b"\n"), [1])
            self.assertEqual(
                self._answers(too_long[:cut], too_long[cut:], b"\r", b"\n" + next_line, b"\n"), ["line-too-long", 3]
            )

    def test_held_twice(self) -> None:
        """What is held stays held until it is released, however often it is said."""
        for holds in True, True, False, False:
            self.client.connection.hold(holds)
            self.assertEqual((self.client.connection.paused, self.client.socket.is_read), (holds, not holds))

    def test_endless(self) -> None:
        """A line without an end is discarded as it arrives, answered once, and later lines are read."""
        self.assertEqual(self._answers(*[b"x" * 50_000] * 100), ["line-too-long"])
        self.assertEqual(len(self.client.connection._buffer), 0)
        self.assertEqual(self._answers(b"xxx\n" + self._ping(1, 40) + b"\n" + self._ping(2, 40)), [1])
        self.assertEqual(self._answers(b"\n"), [2])

    @given(
        st.lists(
            st.tuples(
                st.sampled_from([40, 1_000, _LONGEST, _LONGEST + 1, _LONGEST + 2, 150_000]),
                st.sampled_from([b"\n", b"\r\n"]),
            ),
            min_size=1,
            max_size=5,
        ),
        st.lists(st.floats(0, 1), max_size=6),
    )
    @example([(150_000, b"\n"), (40, b"\n"), (150_000, b"\n"), (40, b"\r\n")], [])
    def test_any_cuts(self, lines: list[tuple[int, bytes]], cuts: list[float]) -> None:
        """However lines of any length are cut into segments, each gets one answer, in order."""
        data = b"".join(self._ping(ref, length) + end for ref, (length, end) in enumerate(lines))
        places = [0, *sorted(int(cut * len(data)) for cut in cuts), len(data)]
        segments = [data[start:end] for start, end in itertools.pairwise(places)]
        expected = [ref if length <= _LONGEST else "line-too-long" for ref, (length, _) in enumerate(lines)]
        self.assertEqual(self._answers(*segments), expected)

    def test_bad_encoding(self) -> None:
        """Invalid UTF-8 is answered, and the connection stays."""
        self.assertEqual(self._answers(b"\xff\xfe\n" + self._ping(1, 40) + b"\n"), ["bad-encoding", 1])

    def test_overlong_while_not_read(self) -> None:
        """Lines after an overlong line keep their order, even if that pauses reading while TLS still delivers data."""
        self.client.ask("register", name="alice", password=PASSWORD)
        self.client.got()
        self.server.threads.read.holds = True
        self.client.ask("chats", ref=1)
        self.assertTrue(self.client.socket.is_read)
        self.client.send(b"x" * 150_000 + b"\n" + self._ping(2, 40) + b"\n")
        self.assertFalse(self.client.socket.is_read)
        self.client.connection.dataReceived(self._ping(3, 40) + b"\n")
        self.server.threads.read.release()
        self.server.turn()
        self.assertEqual([line.get("code") or line["ref"] for line in self.client.got()], [1, "line-too-long", 2, 3])
