"""Readers that stop under the load of a benchmark, and continue while the load goes on."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from benchmarks import database
from tests.helpers.loads.abuse import check_bounded, under_attack
from tests.helpers.loads.loads import LOADS, PATIENCE, Room
from tests.helpers.loads.many_clients import Crowd, rss_kib
from tests.helpers.processes import ServerProcess

# Bytes that each slow reader leaves unread: more than the server and the kernels can hold for it.
_LEFT_BYTES = 1_500_000
# Messages in each room with slow readers before the memory is measured.
_WARM = 20


class _Stall(NamedTuple):
    """Slow readers in some rooms, where texts are long.

    The messages in flight are at most 64 KB, which the kernel buffers for fast readers. So what grows in the server is
    there for the slow ones.
    """

    rooms: int
    slow: int
    filler: str

    @property
    def messages(self) -> int:
        """Return the number of messages that a reader must leave unread."""
        return _LEFT_BYTES // len(self.filler.encode())


STALLS = {"busy": _Stall(1, 50, "x" * 1_000), "group": _Stall(10, 5, "\U0001f600" * 3_900)}


class _Attack:
    """The rooms of a load on a server, and the memory of the server."""

    def __init__(self, server: ServerProcess, crowd: Crowd, rooms: list[Room], stall: _Stall) -> None:
        self.rooms = rooms
        self.slow_rooms = rooms[: stall.rooms]
        self.messages = 0
        self.stalls = 0
        self.slowest = 0.0
        self.most_kib = 0
        self._stall = stall
        self._server = server
        self._crowd = crowd
        for room in rooms:
            crowd.sign_in_many(room.comers(crowd, server.port, stall.slow if room in self.slow_rooms else 0))
        self.slow = [reader for room in self.slow_rooms for reader in room.readers[: stall.slow]]
        for reader in self.slow:
            reader.is_awaited = False
        # Presence reaches everyone within two seconds. After that, memory grows only with waiting messages.
        crowd.run(2)
        self._begin()
        self._talk_until(_WARM)
        self._end()
        self.before_kib = self.most_kib = rss_kib(server.process.pid)

    def stall(self) -> None:
        """Let the slow readers stop until each has left enough unread, then continue. Everyone goes on talking."""
        self._begin()
        for reader in self.slow:
            reader.read_on(False)
        for room in self.slow_rooms:
            room.filler = self._stall.filler
        self._talk_until(self._stall.messages)
        for reader in self.slow:
            reader.read_on(True)
        begin = time.monotonic()
        self._talk_until(self._stall.messages * 5 // 4)
        self._end()
        self.slowest = max(self.slowest, time.monotonic() - begin)
        self.stalls += 1

    def _begin(self) -> None:
        for room in self.rooms:
            room.begin()

    def _talk_until(self, messages: int) -> None:
        """Let everyone talk until the fast readers have enough messages in each room with slow ones."""
        for room in self.rooms:
            room.talk()
        self._until(lambda: all(room.rounds >= messages for room in self.slow_rooms), "messages to come")

    def _until(self, done: Callable[[], bool], what: str) -> None:
        """Run everyone, and watch the memory."""

        def look() -> bool:
            self.most_kib = max(self.most_kib, rss_kib(self._server.process.pid))
            if not all(peer.is_open for peer in self._crowd.peers):
                raise AssertionError("a connection ended")
            return done()

        self._crowd.until(look, what, PATIENCE)

    def _end(self) -> None:
        """Wait until everyone has everything, and check that it came once."""
        for room in self.rooms:
            room.stop()
        self._until(lambda: all(room.is_quiet for room in self.rooms), "all to have all")
        for room in self.rooms:
            room.check_all_had()
            room.end += room.posted
            self.messages += room.posted


def stall(home: Path, load: str, seconds: float = 0.0) -> str:
    """Let the slow readers of a load stall repeatedly, at least once. Return figures."""
    users, groups, make_rooms = LOADS[load]
    database.make(home / "data", users, groups)
    with under_attack(home, "--no-tls") as (server, crowd, _):
        crowd.keeps_alive = True
        attack = _Attack(server, crowd, make_rooms(), STALLS[load])
        end = time.monotonic() + seconds
        while not attack.stalls or time.monotonic() < end:
            attack.stall()
            check_bounded(attack.most_kib - attack.before_kib, len(attack.slow))
    return (
        f"{len(attack.slow)} of {users} stalled {attack.stalls} times, each for {_LEFT_BYTES / 1_000_000} MB; "
        f"all have each of {attack.messages} messages once, {attack.slowest:.1f} s after they read on at the latest\n"
        f"memory of the server in MiB: before {attack.before_kib // 1_024}, most {attack.most_kib // 1_024}"
    )
