"""Moderation: end the sessions of users, ban users and addresses, remove accounts."""

from collections.abc import Callable
from dataclasses import dataclass

from twisted.internet.defer import Deferred

from irchat.chat.amending.removed_marks import RemovedMarks
from irchat.chat.changes import Change, Reply_co, Result, Unchecked
from irchat.chat.commits import CommitQueue
from irchat.chat.messages import Messages
from irchat.chat.state import bans
from irchat.chat.state.directory import Directory
from irchat.chat.state.entities import User
from irchat.chat.state.presence import Presence
from irchat.interfaces.bus import Publication
from irchat.interfaces.store import Store
from irchat.interfaces.stored import StoredBan
from irchat.interfaces.writes import BanRemoved, BanSet, MessagesDeleted, SessionsEnded, UserRemoved
from irchat.protocol.errors import Code, Refusal
from irchat.protocol.rules import shown

_REASON_LENGTH = 200
# Maximum number of messages deleted by one commit. Other commits run in between.
_DELETED_TOGETHER = 200


@dataclass(eq=False, repr=False)
class Moderation:
    """Runs the changes of administrators. ``by`` is a user, or None for the administrator on the machine.

    A published goodbye ends the sessions of a user.
    """

    directory: Directory
    queue: CommitQueue
    messages: Messages
    presence: Presence
    store: Store
    wall_ms: Callable[[], int]
    marks: RemovedMarks

    def kick(self, name: str, by: User | None) -> Deferred[int]:
        """End the sessions of the user called ``name``. The result is their number.

        Fails with Refusal ``no-such-user`` or ``yourself``.
        """
        return self.queue.submit(_Kick(by, None, self, name))

    def ban(self, whom: str, until: int | None, reason: str, by: User | None) -> Deferred[str]:
        """Ban a user, or an address or network if ``by`` is None, until a time (ms) or permanently (None).

        ``@name`` is always a user. The result is the name or the network. Fails with Refusal ``no-such-user`` or
        ``yourself``.
        """
        return self.queue.submit(_SetBan(by, None, self, whom, until, reason))

    def unban(self, whom: str, by: User | None) -> Deferred[str]:
        """End a ban. The result is the name or the network.

        Fails with Refusal ``no-such-user`` or ``bad-request``.
        """
        return self.queue.submit(_LiftBan(by, None, self, whom))

    async def remove(self, name: str, with_messages: bool, progress: Callable[[int], None]) -> str:
        """Remove an account with its marks, optionally with all its messages. Return its new name (``bob#7``).

        Pass the new name to delete the messages later. ``progress`` is called with the number of messages deleted so
        far. Raises Refusal ``no-such-user``.
        """
        user = await self.queue.submit(_RemoveAccount(None, None, self, name, with_messages))
        await self.marks.take_off([user.id])
        if with_messages:
            await self._delete_messages(user, progress)
        return user.name

    async def _delete_messages(self, user: User, progress: Callable[[int], None]) -> None:
        count = 0
        after = None
        while True:
            found = await self.store.messages_of(user.id, after, _DELETED_TOGETHER)
            if found.places:
                await self.queue.submit(Unchecked(None, None, MessagesDeleted(found.places)))
                count += len(found.places)
                progress(count)
            after = found.further
            if after is None:
                return


@dataclass(eq=False, repr=False)
class _ByAdministrator(Change[Result, Reply_co]):
    by: User | None
    moderation: Moderation
    name: str
    alone = True

    @property
    def directory(self) -> Directory:
        return self.moderation.directory

    def subject(self) -> tuple[User | None, str | None]:
        """Return the user or network called ``name``. A valid address is never a user name."""
        network = None if self.by is not None or self.name.startswith("@") else bans.network_of(self.name)
        return (self.other(), None) if network is None else (None, network)

    def other(self) -> User:
        user = self.directory.user(self.name.removeprefix("@"))
        if user is self.by:
            raise Refusal(Code.YOURSELF, "That is yourself. Name somebody else; @ lists the users.")
        return user


class _Kick(_ByAdministrator[None, int]):
    def check(self) -> SessionsEnded:
        self.user = self.other()
        author = "the administrator" if self.by is None else self.by.name
        return SessionsEnded(self.user.id, f"{author} ended your sessions")

    def reply(self, result: None, publications: list[Publication]) -> int:
        return self.moderation.presence.count(self.user.id)


@dataclass(eq=False, repr=False)
class _SetBan(_ByAdministrator[None, str]):
    until: int | None
    reason: str

    def check(self) -> BanSet:
        self.user, self.network = self.subject()
        reason = shown(self.reason.strip(), _REASON_LENGTH)
        ban = StoredBan(None if self.user is None else self.user.id, self.network, self.until, reason)
        return BanSet(ban, self.moderation.wall_ms())

    def reply(self, result: None, publications: list[Publication]) -> str:
        if self.user is not None:
            return self.user.name
        assert self.network is not None
        return self.network


class _LiftBan(_ByAdministrator[None, str]):
    def check(self) -> BanRemoved:
        user, network = self.subject()
        ban = self.directory.network_bans.get(network or "") if user is None else user.ban
        if ban is None or not bans.stands(ban, self.moderation.wall_ms()):
            raise Refusal(Code.BAD_REQUEST, f"{shown(self.name)} is not banned.")
        self.lifted = network or "" if user is None else user.name
        return BanRemoved(ban.user, ban.network)

    def reply(self, result: None, publications: list[Publication]) -> str:
        return self.lifted


@dataclass(eq=False, repr=False)
class _RemoveAccount(_ByAdministrator[None, User]):
    with_messages: bool

    def check(self) -> UserRemoved | None:
        find = self.directory.user_or_removed if self.with_messages else self.directory.user
        user = self.user = find(self.name)
        if user.removed:
            return None
        owners = ((group.id, group.owner_without(user)) for group in user.groups.values())
        groups = tuple((group, None if owner is None else owner.id) for group, owner in owners)
        # Valid names contain no #, so this name cannot be registered.
        return UserRemoved(
            user.id, f"{user.name}#{user.id}", f"{user.key}#{user.id}", self.moderation.wall_ms(), groups
        )

    def reply(self, result: None, publications: list[Publication]) -> User:
        if self.with_messages:
            self.moderation.messages.end_all_of(self.user)
        return self.user
