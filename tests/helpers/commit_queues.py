"""Fakes for tests of the commit queue: a store whose commits the test finishes, and changes that are recorded."""

from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet.defer import Deferred

from irchat.chat.changes import Change
from irchat.interfaces.bus import Publication
from irchat.interfaces.writes import Write
from irchat.protocol import events


class HandStore:
    """A store whose commits the test finishes."""

    def __init__(self) -> None:
        self.commits: list[list[Any]] = []
        self.running: list[Deferred[list[Any]]] = []

    def commit(self, writes: Sequence[Write[object]]) -> Deferred[list[Any]]:
        running: Deferred[list[Any]] = Deferred()
        self.commits.append(list(writes))
        self.running.append(running)
        return running

    def finish(self) -> None:
        """Finish the running commit."""
        (running,) = self.running
        self.running = []
        running.callback([f"{write} done" for write in self.commits[-1]])

    def fail(self, error: Exception) -> None:
        """Fail the running commit."""
        (running,) = self.running
        self.running = []
        running.errback(error)


class Step(Change[Any, str]):
    """A change that writes its ``name``, or nothing, and records its outcome."""

    def __init__(
        self,
        log: list[str],
        name: str,
        *,
        alone: bool = False,
        writes: bool = True,
        in_check: Callable[[], None] = lambda: None,
        in_reply: Callable[[], None] = lambda: None,
        user: str | None = None,
        characters: int = 0,
    ) -> None:
        self.log = log
        self.name = name
        self.alone = alone
        self.writes = writes
        self.in_check = in_check
        self.in_reply = in_reply
        self.by = user
        self.origin = None
        self.characters = characters

    def check(self) -> Any:
        self.log.append(f"check {self.name}")
        self.in_check()
        return self.name if self.writes else None

    def reply(self, result: Any, publications: list[Publication]) -> str:
        self.log.append(f"reply {self.name}: {result}")
        self.in_reply()
        publications.append(Publication(events.Bye(reason=self.name), None))
        return self.name
