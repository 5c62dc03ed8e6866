"""Moderation: end the sessions of users, ban users and addresses, remove accounts."""

from collections.abc import Callable
from typing import Generic

from twisted.internet.defer import Deferred

from irchat.chat.changes import Change, Reply_co, Result
from irchat.chat.commits import CommitQueue
from irchat.chat.state import bans
from irchat.chat.state.directory import Directory
from irchat.chat.state.entities import User
from irchat.chat.timed.timed_messages import TimedMessages
from irchat.interfaces.bus import Publication
from irchat.interfaces.presence import PresenceTable
from irchat.interfaces.store import Store
from irchat.interfaces.stored import ChatKey, StoredBan
from irchat.interfaces.writes import BanRemoved, BanSet, MessagesDeleted, UserRemoved
from irchat.protocol import events
from irchat.protocol.errors import Code, Refusal
from irchat.protocol.rules import shown

_REASON_LENGTH = 200
# Maximum number of messages deleted by one commit. Other commits run in between.
_DELETED_TOGETHER = 200


class Moderation:
    """Runs the changes of administrators. ``by`` is a user, or None for the administrator on the machine.

    A published goodbye ends the sessions of a user. ``on_network_banned`` ends those of a network: it is set by the
    connection registry.
    """

    def __init__(
        self,
        directory: Directory,
        queue: CommitQueue,
        timed: TimedMessages,
        presence: PresenceTable,
        store: Store,
        wall_ms: Callable[[], int],
    ) -> None:
        self.directory = directory
        self.timed = timed
        self.presence = presence
        self.wall_ms = wall_ms
        self.on_network_banned: Callable[[], None] = lambda: None
        self._queue = queue
        self._store = store

    def kick(self, name: str, by: User | None) -> Deferred[int]:
        """End the sessions of the user called ``name``. The result is their number.

        Fails with Refusal ``no-such-user`` or ``yourself``.
        """
        return self._queue.submit(_Kick(self, name, by))

    def ban(self, whom: str, until: int | None, reason: str, by: User | None) -> Deferred[str]:
        """Ban a user, or an address or network if ``by`` is None, until a time (ms) or permanently (None).

        ``@name`` is always a user. The result is the name or the network. Fails with Refusal ``no-such-user`` or
        ``yourself``.
        """
        return self._queue.submit(_SetBan(self, whom, until, reason, by))

    def unban(self, whom: str, by: User | None) -> Deferred[str]:
        """End a ban. The result is the name or the network.

        Fails with Refusal ``no-such-user`` or ``bad-request``.
        """
        return self._queue.submit(_LiftBan(self, whom, by))

    async def remove(self, name: str, with_messages: bool, progress: Callable[[int], None]) -> str:
        """Remove an account, optionally with all its messages. Return its new name (``bob#7``).

        Pass the new name to delete the messages later. ``progress`` is called with the number of messages deleted so
        far. Raises Refusal ``no-such-user``.
        """
        user = await self._queue.submit(_RemoveAccount(self, name, with_messages))
        if with_messages:
            await self._delete_messages(user, progress)
        return user.name

    def banned_networks(self) -> list[StoredBan]:
        """Return the bans of networks that are in force."""
        return self.directory.network_bans.all(self.wall_ms())

    async def _delete_messages(self, user: User, progress: Callable[[int], None]) -> None:
        count = 0
        after = None
        while True:
            found = await self._store.messages_of(user.id, after, _DELETED_TOGETHER)
            if found.places:
                await self._queue.submit(_Delete(found.places))
                count += len(found.places)
                progress(count)
            after = found.further
            if after is None:
                return


class _ByAdministrator(Change[Result, Reply_co], Generic[Result, Reply_co]):
    alone = True

    def __init__(self, moderation: Moderation, by: User | None) -> None:
        self.moderation = moderation
        self.directory = moderation.directory
        self.by = by

    def whose(self) -> User | None:
        return self.by

    def subject(self, whom: str) -> tuple[User | None, str | None]:
        """Return the user or network called ``whom``. A valid address is never a user name."""
        network = None if self.by is not None or whom.startswith("@") else bans.network_of(whom)
        if network is not None:
            return None, network
        return self.other(whom.removeprefix("@")), None

    def other(self, name: str) -> User:
        user = self.directory.user(name)
        if user is self.by:
            raise Refusal(Code.YOURSELF, "That is yourself. Name somebody else; @ lists the users.")
        return user


class _Kick(_ByAdministrator[None, int]):
    def __init__(self, moderation: Moderation, name: str, by: User | None) -> None:
        super().__init__(moderation, by)
        self.name = name

    def check(self) -> None:
        self.user = self.other(self.name.removeprefix("@"))

    def reply(self, result: None, publications: list[Publication]) -> int:
        author = "the administrator" if self.by is None else self.by.name
        publications.append(Publication(events.Bye(reason=f"{author} ended your sessions"), (self.user.id,)))
        return self.moderation.presence.count(self.user.id)


class _SetBan(_ByAdministrator[None, str]):
    def __init__(self, moderation: Moderation, whom: str, until: int | None, reason: str, by: User | None) -> None:
        super().__init__(moderation, by)
        self.whom = whom
        self.until = until
        self.reason = shown(reason.strip(), _REASON_LENGTH)

    def check(self) -> BanSet:
        self.user, self.network = self.subject(self.whom)
        ban = StoredBan(None if self.user is None else self.user.id, self.network, self.until, self.reason)
        return BanSet(ban, self.moderation.wall_ms())

    def reply(self, result: None, publications: list[Publication]) -> str:
        if self.user is not None:
            return self.user.name
        self.moderation.on_network_banned()
        assert self.network is not None
        return self.network


class _LiftBan(_ByAdministrator[None, str]):
    def __init__(self, moderation: Moderation, whom: str, by: User | None) -> None:
        super().__init__(moderation, by)
        self.whom = whom

    def check(self) -> BanRemoved:
        user, network = self.subject(self.whom)
        ban = self.directory.network_bans.get(network or "") if user is None else user.ban
        if ban is None or not bans.stands(ban, self.moderation.wall_ms()):
            raise Refusal(Code.BAD_REQUEST, f"{shown(self.whom)} is not banned.")
        self.lifted = network or "" if user is None else user.name
        return BanRemoved(ban.user, ban.network)

    def reply(self, result: None, publications: list[Publication]) -> str:
        return self.lifted


class _RemoveAccount(_ByAdministrator[None, User]):
    def __init__(self, moderation: Moderation, name: str, with_messages: bool) -> None:
        super().__init__(moderation, None)
        self.name = name
        self.with_messages = with_messages

    def check(self) -> UserRemoved | None:
        if self.with_messages:
            user = self.user = self.directory.user_or_removed(self.name)
        else:
            user = self.user = self.directory.user(self.name)
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
            self.moderation.timed.end_of(self.user)
        return self.user


class _Delete(Change[None, None]):
    def __init__(self, places: tuple[tuple[ChatKey, int], ...]) -> None:
        self._places = places

    def check(self) -> MessagesDeleted:
        return MessagesDeleted(self._places)

    def reply(self, result: None, publications: list[Publication]) -> None:
        return None
