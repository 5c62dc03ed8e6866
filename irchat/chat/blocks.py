"""Blocks: two users do not see each other's messages. Either of them can set a block."""

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
        return self._queue.submit(_SetBlock(self, user, name, blocked, origin))

    def listed(self, user: User) -> events.Blocks:
        """Return the users that ``user`` blocks."""
        return events.Blocks(names=self.directory.listed(user.blocking))


class _SetBlock(Change[None, events.Blocks]):
    alone = True

    def __init__(self, blocks: Blocks, user: User, name: str, blocked: bool | None, origin: int | None) -> None:
        self.blocks = blocks
        self.user = user
        self.name = name
        self.blocked = blocked
        self.origin = origin

    def whose(self) -> User:
        return self.user

    def check(self) -> BlockSet | None:
        self.blocks.directory.refuse_removed(self.user)
        # A block on a removed user can still be removed: until then, the messages of that user stay hidden.
        other = self.blocks.directory.user_or_removed(self.name)
        if other is self.user:
            raise Refusal(Code.YOURSELF, "You cannot block yourself. Name somebody else; @ lists the users.")
        stands = other.id in self.user.blocking
        wanted = not stands if self.blocked is None else self.blocked
        return BlockSet(self.user.id, other.id, wanted) if wanted != stands else None

    def reply(self, result: None, publications: list[Publication]) -> events.Blocks:
        return self.blocks.listed(self.user)
