"""A shared log whose calls the test answers, and the queue of a node that follows it."""

from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from irchat.chat.commits import CommitQueue
from irchat.chat.following import Following
from irchat.interfaces.bus import Publication
from irchat.interfaces.log import Committed, LogBatch
from irchat.interfaces.writes import Entry, Write
from irchat.protocol import events
from tests.helpers.commit_queues import HandStore, Step


def batch(position: int, *names: str) -> LogBatch:
    """Return a commit of another node, of fake entries."""
    return LogBatch(position, tuple(Entry(name) for name in names))  # type: ignore[arg-type]


class HandLog:
    """The calls of a log, which wait for their answers."""

    def __init__(self, happened: list[str]) -> None:
        self.on_news: Callable[[], None] = lambda: None
        self.on_reset: Callable[[], None] = lambda: None
        self.position = 0
        self.begins: list[Deferred[Sequence[LogBatch]]] = []
        self.reads: list[Deferred[Sequence[LogBatch]]] = []
        self.commits: list[Deferred[Committed]] = []
        self._happened = happened

    def begin(self) -> Deferred[Sequence[LogBatch]]:
        self._happened.append("begin")
        self.begins.append(Deferred())
        return self.begins[-1]

    def commit(self, writes: Sequence[Write[object]]) -> Deferred[Committed]:
        self._happened.append(f"commit {' '.join(map(str, writes))}")
        self.commits.append(Deferred())
        return self.commits[-1]

    def cancel(self) -> None:
        self._happened.append("cancel")

    def read(self) -> Deferred[Sequence[LogBatch]]:
        self._happened.append("read")
        self.reads.append(Deferred())
        return self.reads[-1]

    def note_applied(self, position: int) -> None:
        self.position = position
        self._happened.append(f"applied {position}")

    def caught_up(self) -> Deferred[None]:
        raise NotImplementedError


class HandNode:
    """A queue over a `HandLog`. ``happened``: everything in order. Publishing lasts no time."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.happened: list[str] = []
        self.log = HandLog(self.happened)
        self.following = Following(self.log, self, self.apply, self.load_again, clock)
        self.queue = CommitQueue(HandStore(), self, self.apply, None, self.following)  # type: ignore[arg-type]
        self.snapshot_position = 0
        self.failing = False

    def apply(self, entry: Entry, origin: int | None) -> list[Publication]:
        """Apply an entry, unless it is bad."""
        self.happened.append(f"apply {entry.write}")
        if entry.write == "bad":  # type: ignore[comparison-overlap]
            raise ValueError("bad entry")
        return [Publication(events.Bye(reason=str(entry.write)), None)]

    def publish(self, publications: Sequence[Publication]) -> None:
        """Publish, or fail."""
        reasons = [publication.event.reason for publication in publications]  # type: ignore[attr-defined]
        self.happened.append(f"publish {' '.join(reasons)}")
        if self.failing:
            raise ValueError("no bus")

    def load_again(self) -> None:
        """Load a snapshot."""
        self.happened.append("load")
        self.log.position = self.snapshot_position

    def submit(self, name: str, **how: Any) -> Deferred[str]:
        """Submit a change."""
        return self.queue.submit(Step(self.happened, name, **how))

    def take(self) -> list[str]:
        """Return what has happened since the last call."""
        happened = self.happened[:]
        self.happened.clear()
        return happened
