"""Blocks: the mutual silence of two users, made by one of them."""

from typing import Any

from twisted.internet.defer import Deferred

from irchat.chat.commits import Change, CommitQueue
from irchat.chat.directory import Directory, User
from irchat.interfaces.store import Publication, SetBlock, Write
from irchat.protocol import events
from irchat.protocol.errors import Code, Refusal


class Blocks:
    """Makes, lifts and lists blocks."""

    def __init__(self, directory: Directory, queue: CommitQueue) -> None:
        self.directory = directory
        self._queue = queue

    def block(self, user: User, name: str, blocked: bool | None, origin: object) -> Deferred[events.Blocks]:
        """Block the user called ``name``, lift the block, or (None) the other way round than it is.

        Fails with Refusal ``no-such-user`` or ``yourself``.
        """
        return self._queue.submit(_Block(self, user, name, blocked, origin))

    def listed(self, user: User) -> events.Blocks:
        """Whom ``user`` blocks."""
        names = [self.directory.users[blocked].name for blocked in user.blocking]
        return events.Blocks(names=sorted(names, key=str.casefold))


class _Block(Change):
    alone = True

    def __init__(self, blocks: Blocks, user: User, name: str, blocked: bool | None, origin: object) -> None:
        self.blocks = blocks
        self.user = user
        self.name = name
        self.blocked = blocked
        self.origin = origin

    def whose(self) -> User:
        return self.user

    def check(self) -> Write | None:
        self.blocks.directory.refuse_removed(self.user)
        # What a removed user wrote stays hidden, until the block is lifted.
        self.other = self.blocks.directory.user_or_removed(self.name)
        if self.other is self.user:
            raise Refusal(Code.YOURSELF, "You cannot block yourself. Name somebody else; @ lists the users.")
        stands = self.other.id in self.user.blocking
        self.wanted = not stands if self.blocked is None else self.blocked
        return SetBlock(self.user.id, self.other.id, self.wanted) if self.wanted != stands else None

    def apply(self, result: Any, publications: list[Publication]) -> events.Blocks:
        self.blocks.directory.set_block(self.user, self.other, self.wanted)
        listed = self.blocks.listed(self.user)
        if self.user.sessions > 1:
            publications.append(Publication(listed, (self.user.id,), origin=self.origin))
        return listed
