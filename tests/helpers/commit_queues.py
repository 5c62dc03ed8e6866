"""A store whose commits are finished by hand, and changes that note what becomes of them: for tests of the queue."""

from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet.defer import Deferred

from irchat.chat.changes import Change
from irchat.interfaces.bus import Publication
from irchat.interfaces.writes import Write
from irchat.protocol import events


class HandStore:
    """A store whose commits are finished by hand."""

    def __init__(self) -> None:
        self.commits: list[list[Any]] = []
        self.running: list[Deferred[list[Any]]] = []

    def commit(self, writes: Sequence[Write[object]]) -> Deferred[list[Any]]:
        running: Deferred[list[Any]] = Deferred()
        self.commits.append(list(writes))
        self.running.append(running)
        return running

    def finish(self) -> None:
        """The commit that runs is on the disk."""
        (running,) = self.running
        self.running = []
        running.callback([f"{write} done" for write in self.commits[-1]])

    def fail(self, error: Exception) -> None:
        """The commit that runs fails."""
        (running,) = self.running
        self.running = []
        running.errback(error)


class Step(Change[Any, str]):
    """A change called ``name`` that writes its name, or nothing, and notes what becomes of it."""

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
        self.user = user
        self.characters = characters

    def whose(self) -> str | None:
        return self.user

    def check(self) -> Any:
        self.log.append(f"check {self.name}")
        self.in_check()
        return self.name if self.writes else None

    def reply(self, result: Any, publications: list[Publication]) -> str:
        self.log.append(f"reply {self.name}: {result}")
        self.in_reply()
        publications.append(Publication(events.Bye(reason=self.name), None))
        return self.name
