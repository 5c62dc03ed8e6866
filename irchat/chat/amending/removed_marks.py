"""The marks of removed accounts, which are taken off a few at a time, each with its event."""

from collections.abc import Collection
from dataclasses import dataclass

from twisted.logger import Logger

from irchat.chat.changes import Change
from irchat.chat.commits import CommitQueue
from irchat.chat.messages import Messages
from irchat.interfaces.bus import Publication
from irchat.interfaces.store import Store
from irchat.interfaces.stored import PlacedMark, StoredChange
from irchat.interfaces.writes import MarksRemoved
from irchat.protocol.errors import Refusal

# Maximum number of marks taken off by one commit, and of sessions that get the events of one commit.
_TOGETHER = 200
_RECIPIENTS_TOGETHER = 10_000

_log = Logger()


class RemovedMarks:
    """Takes the marks of removed accounts off. Other changes are committed in between."""

    def __init__(self, messages: Messages, queue: CommitQueue, store: Store) -> None:
        self._messages = messages
        self._queue = queue
        self._store = store

    async def take_off(self, users: Collection[int]) -> None:
        """Take off all marks of the removed ``users``. If the store fails, the rest follows after the next start."""
        try:
            await self._take_off(users)
        except Refusal as error:
            _log.error("marks of removed accounts remain: {error}", error=error)

    async def _take_off(self, users: Collection[int]) -> None:
        presence = self._messages.presence
        before: list[PlacedMark] = []
        while True:
            limit = max(1, min(_TOGETHER, _RECIPIENTS_TOGETHER // (len(presence.sessions) + 1)))
            marks = await self._store.marks_of(users, limit)
            if not marks or marks == before:
                return
            before = marks
            await self._queue.submit(_TakeOff(None, None, self._messages, tuple(marks)))


@dataclass(eq=False, repr=False)
class _TakeOff(Change[tuple[StoredChange, ...], None]):
    """Take some marks off."""

    messages: Messages
    marks: tuple[PlacedMark, ...]

    def check(self) -> MarksRemoved:
        return MarksRemoved(self.marks, self.messages.wall_ms())

    def reply(self, result: tuple[StoredChange, ...], publications: list[Publication]) -> None:
        assert isinstance(self.write, MarksRemoved)
        publications += self.messages.publications.marks_removed(self.write, result)
