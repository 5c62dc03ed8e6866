"""What administrators do to users and addresses: end their sessions, ban them, remove them."""

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred

from irchat.chat import bans
from irchat.chat.commits import Change, CommitQueue
from irchat.chat.directory import Directory, User
from irchat.chat.timed import TimedMessages
from irchat.interfaces.store import (
    DeleteMessages,
    Publication,
    RemoveBan,
    RemoveUser,
    SetBan,
    Store,
    StoredBan,
    Write,
)
from irchat.protocol import events
from irchat.protocol.errors import Code, Refusal
from irchat.protocol.rules import shown

_REASON_LENGTH = 200
# Messages that one commit deletes; others come to their turn in between.
_DELETED_TOGETHER = 200


class Moderation:
    """Does it. The sessions of a user end by a published goodbye; those of a network when ``on_network_banned`` is
    called, which the holder of the connections sets."""

    def __init__(
        self,
        directory: Directory,
        queue: CommitQueue,
        timed: TimedMessages,
        store: Store,
        wall_ms: Callable[[], int],
        presence_changed: Callable[[User], None],
    ) -> None:
        self.directory = directory
        self.timed = timed
        self.wall_ms = wall_ms
        self.presence_changed = presence_changed
        self.on_network_banned: Callable[[], None] = lambda: None
        self._queue = queue
        self._store = store

    def kick(self, name: str, by: User | None) -> Deferred[int]:
        """End the sessions of the user called ``name``; fires with how many. ``by``: who asks, None: on the machine.

        Fails with Refusal ``no-such-user`` or ``yourself``.
        """
        return self._queue.submit(_Kick(self, name, by))

    def ban(self, whom: str, until: int | None, reason: str, by: User | None) -> Deferred[str]:
        """Ban the user, or (``by`` None) the address or network, called ``whom`` until a moment, None for good.

        ``@name`` is always a user. Fires with the name or the network. Fails with Refusal ``no-such-user`` or
        ``yourself``.
        """
        return self._queue.submit(_Ban(self, whom, until, reason, by))

    def unban(self, whom: str, by: User | None) -> Deferred[str]:
        """End a ban. Fires with the name or the network. Fails with Refusal ``no-such-user`` or ``bad-request``."""
        return self._queue.submit(_Unban(self, whom, by))

    async def remove(self, name: str, with_messages: bool, progress: Callable[[int], None]) -> str:
        """Remove an account, and with it all that it wrote where that is asked for; gives what it is called now.

        Who was removed before can be named (``bob#7``), to have the messages go after all. ``progress`` hears how many
        are gone. Raises Refusal ``no-such-user``.
        """
        user: User = await self._queue.submit(_RemoveUser(self, name, with_messages))
        if with_messages:
            await self._delete_messages(user, progress)
        return user.name

    def banned_networks(self) -> list[StoredBan]:
        """The bans of networks that stand."""
        return self.directory.network_bans.all(self.wall_ms())

    async def _delete_messages(self, user: User, progress: Callable[[int], None]) -> None:
        count = 0
        after = None
        while True:
            found = await self._store.messages_of(user.id, after, _DELETED_TOGETHER)
            if found.places:
                await self._queue.submit(_Delete(DeleteMessages(found.places)))
                count += len(found.places)
                progress(count)
            after = found.further
            if after is None:
                return


class _Moderate(Change):
    """What an administrator does."""

    alone = True

    def __init__(self, moderation: Moderation, by: User | None) -> None:
        self.moderation = moderation
        self.directory = moderation.directory
        self.by = by

    def whose(self) -> User | None:
        return self.by

    @property
    def author(self) -> str:
        return "the administrator" if self.by is None else self.by.name

    def subject(self, whom: str) -> tuple[User | None, str | None]:
        """The user, or the network, that is meant. An address is one before it is a name."""
        network = None if self.by is not None or whom.startswith("@") else bans.network_of(whom)
        if network is not None:
            return None, network
        return self.other(whom.removeprefix("@")), None

    def other(self, name: str) -> User:
        user = self.directory.user(name)
        if user is self.by:
            raise Refusal(Code.YOURSELF, "That is yourself. Name somebody else; @ lists the users.")
        return user


def _goodbye(user: User, reason: str) -> Publication:
    return Publication(events.Bye(reason=reason), (user.id,))


class _Kick(_Moderate):
    def __init__(self, moderation: Moderation, name: str, by: User | None) -> None:
        super().__init__(moderation, by)
        self.name = name

    def check(self) -> None:
        self.user = self.other(self.name.removeprefix("@"))

    def apply(self, result: Any, publications: list[Publication]) -> int:
        publications.append(_goodbye(self.user, f"{self.author} ended your sessions"))
        return self.user.sessions


class _Ban(_Moderate):
    def __init__(self, moderation: Moderation, whom: str, until: int | None, reason: str, by: User | None) -> None:
        super().__init__(moderation, by)
        self.whom = whom
        self.until = until
        self.reason = shown(reason.strip(), _REASON_LENGTH)

    def check(self) -> Write:
        self.user, network = self.subject(self.whom)
        self.ban = StoredBan(None if self.user is None else self.user.id, network, self.until, self.reason)
        return SetBan(self.ban, self.moderation.wall_ms())

    def apply(self, result: Any, publications: list[Publication]) -> str:
        self.directory.set_ban(self.ban)
        if self.user is not None:
            publications.append(_goodbye(self.user, bans.told(self.ban)))
            return self.user.name
        self.moderation.on_network_banned()
        assert self.ban.network is not None
        return self.ban.network


class _Unban(_Moderate):
    def __init__(self, moderation: Moderation, whom: str, by: User | None) -> None:
        super().__init__(moderation, by)
        self.whom = whom

    def check(self) -> Write:
        self.user, self.network = self.subject(self.whom)
        ban = self.directory.network_bans.get(self.network or "") if self.user is None else self.user.ban
        if ban is None or not bans.stands(ban, self.moderation.wall_ms()):
            raise Refusal(Code.BAD_REQUEST, f"{shown(self.whom)} is not banned.")
        return RemoveBan(ban.user, ban.network)

    def apply(self, result: Any, publications: list[Publication]) -> str:
        if self.user is not None:
            self.user.ban = None
            return self.user.name
        assert self.network is not None
        self.directory.network_bans.remove(self.network)
        return self.network


class _RemoveUser(_Moderate):
    def __init__(self, moderation: Moderation, name: str, with_messages: bool) -> None:
        super().__init__(moderation, None)
        self.name = name
        self.with_messages = with_messages

    def check(self) -> Write | None:
        if self.with_messages:
            user = self.user = self.directory.user_or_removed(self.name)
        else:
            user = self.user = self.directory.user(self.name)
        if user.removed:
            return None
        # No name has a # in it, so nobody can take these.
        self.new_name, self.new_key = f"{user.name}#{user.id}", f"{user.key}#{user.id}"
        groups = []
        for group in user.groups.values():
            others = [member.id for member in group.members.values() if member is not user]
            owner = group.owner.id if group.owner is not user else next(iter(others), None)
            groups.append((group.id, owner))
        return RemoveUser(user.id, self.new_name, self.new_key, self.moderation.wall_ms(), tuple(groups))

    def apply(self, result: Any, publications: list[Publication]) -> User:
        user = self.user
        if not user.removed:
            self._remove(publications)
        if self.with_messages:
            self.moderation.timed.end_of(user)
        return user

    def _remove(self, publications: list[Publication]) -> None:
        user, timed = self.user, self.moderation.timed
        for group in list(user.groups.values()):
            self.directory.remove_member(group, user)
            event = events.Removed(
                group=f"*{group.name}",
                id=f"*{group.id}",
                name=user.name,
                by=user.name,
                owner=group.owner.name if group.members else "",
            )
            publications.append(Publication(event, tuple(group.members)))
            if not group.members:
                timed.end_chat(group.id)
        if user.sessions:
            # Presence is told a little later, and by the name that the others know.
            self.moderation.presence_changed(User(user.id, user.name, user.key))
        self.directory.remove_user(user, self.new_name, self.new_key)
        publications.append(_goodbye(user, "your account was removed"))


class _Delete(Change):
    """Messages go."""

    def __init__(self, write: DeleteMessages) -> None:
        self._write = write

    def check(self) -> Write:
        return self._write

    def apply(self, result: Any, publications: list[Publication]) -> None:
        return None
