"""Kill a server repeatedly under the load of a benchmark, and check each time what it stored."""

import hashlib
import time
from collections.abc import Iterable
from pathlib import Path

from benchmarks import database
from tests.helpers.loads.loads import LOADS, PATIENCE
from tests.helpers.loads.many_clients import open_many_files
from tests.helpers.loads.restarts import DyingServer

# The server dies after this many messages for each in flight, and this many seconds later.
_MOST_TURNS = 20
_LONGEST_AFTER = 0.05
# Time limit for the server's last work, in seconds.
_LONGEST_AT_WORK = 0.04


class LoadedCrashLoop(DyingServer):
    """Thousands of users who talk as in one of `LOADS`, on a server that dies in each `cycle`."""

    def __init__(self, home: Path, load: str, seed: int) -> None:
        open_many_files()
        users, groups, make_rooms = LOADS[load]
        database.make(home / "data", users, groups)
        super().__init__(home, seed)
        self.shown = 0
        self.acknowledged = 0
        self._rooms = make_rooms()
        # A hash of all texts found in each room.
        self._digests = [hashlib.sha256() for _ in self._rooms]
        self._crowd.keeps_alive = True

    def cycle(self) -> None:
        """Sign everyone in, let them talk, kill, restart and check."""
        crowd, rooms = self._crowd, self._rooms
        crowd.sign_in_many(comer for room in rooms for comer in room.comers(crowd, self._server.port))
        in_flight = sum(room.in_flight for room in rooms)
        wanted = self.random.randint(in_flight, _MOST_TURNS * in_flight)
        for room in rooms:
            room.talk()
        crowd.until(lambda: sum(room.rounds for room in rooms) >= wanted, "messages to come", PATIENCE)
        crowd.run(self.random.uniform(0, _LONGEST_AFTER))
        # The clients are slower than the server, which mostly waits for them: the kill must come while it works.
        crowd.until(lambda: any(room.is_unanswered for room in rooms), "messages that are not acknowledged")
        crowd.turn()
        if not all(peer.is_open for peer in crowd.peers):
            raise AssertionError("a connection ended")
        if self.cycles % 2:
            self._kill_at_news()
        else:
            time.sleep(self.random.uniform(0, _LONGEST_AT_WORK))
            self._server.kill()
        for room in rooms:
            room.stop()
        crowd.drain()
        self._server = self._start()
        for room, digest, texts in zip(rooms, self._digests, self._left(), strict=True):
            room.check(texts)
            room.end += len(texts)
            _add(digest, texts)
            self.messages += len(texts)
            self.shown += len(room.shown)
            self.acknowledged += len(room.acknowledged)

    def look_again(self) -> None:
        """Read all rooms from the beginning."""
        for room in self._rooms:
            room.end = 0
        for room, known, texts in zip(self._rooms, self._digests, self._left(), strict=True):
            digest = hashlib.sha256()
            _add(digest, texts)
            if digest.digest() != known.digest():
                raise AssertionError(f"{room.chat} changed")

    def figures(self) -> str:
        """Return the figures."""
        return f"{super().figures()}, {self.acknowledged} acknowledged and {self.shown} shown of them before the kills"

    def _kill_at_news(self) -> None:
        """Kill the server at the moment when the first client learns of a message."""
        for room in self._rooms:
            room.stop()
        self._crowd.until(lambda: all(room.is_quiet for room in self._rooms), "all to have all", PATIENCE)
        for room in self._rooms:
            room.at_news = self._server.process.kill
            room.talk()
        self._crowd.until(lambda: self._server.process.poll() is not None, "news")
        self._server.kill()

    def _left(self) -> list[list[str]]:
        """Return the new messages of each room. Check that a writer and a reader see the same."""
        asking = [(room, *who) for room in self._rooms for who in room.witnesses(self._crowd, self._server.port)]
        self._crowd.sign_in_many((peer, request) for _, _, peer, request in asking)
        found = [self._page_through(peer, chat, room.end) for room, chat, peer, _ in asking]
        self._hang_up()
        if found[::2] != found[1::2]:
            raise AssertionError("who wrote and who read do not find the same")
        return found[::2]


def _add(digest: "hashlib._Hash", texts: Iterable[str]) -> None:
    for text in texts:
        digest.update(f"{text}\n".encode())


def crash(home: Path, load: str, cycles: int, seed: int) -> str:
    """Run ``cycles`` of a `LoadedCrashLoop`. Return its figures."""
    return LoadedCrashLoop(home, load, seed).run(cycles)
