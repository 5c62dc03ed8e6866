"""Blocks: two users do not see each other's messages. Either of them can set a block."""

from dataclasses import dataclass

from twisted.internet.defer import Deferred

from irchat.chat.changes import Change
from irchat.chat.commits import CommitQueue
from irchat.chat.state.directory import Directory
from irchat.chat.state.entities import User
from irchat.interfaces.bus import Publication
from irchat.interfaces.writes import BlockSet
from irchat.protocol import events
from irchat.protocol.errors import Code, Refusal


class Blocks:
    """Sets, removes and lists blocks."""

    def __init__(self, directory: Directory, queue: CommitQueue) -> None:
        self.directory = directory
        self._queue = queue

    def block(self, user: User, name: str, blocked: bool | None, origin: int | None) -> Deferred[events.Blocks]:
        """Set a block on the user called ``name``, or remove it. If ``blocked`` is None, toggle it.

        ``origin`` is the id of the requesting session. The result lists the users that ``user`` blocks.

        Fails with Refusal ``no-such-user`` or ``yourself``.
        """
        return self._queue.submit(_SetBlock(user, origin, self, name, blocked))

    def listed(self, user: User) -> events.Blocks:
        """Return the users that ``user`` blocks."""
        return events.Blocks(names=self.directory.listed(user.blocking))


@dataclass(eq=False, repr=False)
class _SetBlock(Change[None, events.Blocks]):
    by: User
    blocks: Blocks
    name: str
    blocked: bool | None
    alone = True

    def check(self) -> BlockSet | None:
        self.blocks.directory.refuse_removed(self.by)
        # A block on a removed user can still be removed: until then, the messages of that user stay hidden.
        other = self.blocks.directory.user_or_removed(self.name)
        if other is self.by:
            raise Refusal(Code.YOURSELF, "You cannot block yourself. Name somebody else; @ lists the users.")
        stands = other.id in self.by.blocking
        wanted = not stands if self.blocked is None else self.blocked
        return BlockSet(self.by.id, other.id, wanted) if wanted != stands else None

    def reply(self, result: None, publications: list[Publication]) -> events.Blocks:
        return self.blocks.listed(self.by)
