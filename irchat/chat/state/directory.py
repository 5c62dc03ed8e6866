"""The directory: committed users, groups, blocks and bans, in memory."""

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator

from irchat.chat.state.bans import NetworkBans, stands
from irchat.chat.state.entities import DirectoryChat, DirectoryGroup, User
from irchat.interfaces import writes
from irchat.interfaces.stored import GLOBAL, ChatKey, Snapshot, StoredBan, StoredGroup
from irchat.interfaces.writes import Entry
from irchat.protocol.errors import Code, Refusal
from irchat.protocol.rules import GLOBAL_NAME, SERVICE_KEYS, fold_name, shown
from irchat.text.names import Lookalikes, check_new_name, same_name, skeleton


class Directory:
    """Looks up users, groups and chats by name. ``users`` includes removed users, which still have messages."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.resets = 0
        self.users: dict[int, User] = {}
        self.groups: dict[int, DirectoryGroup] = {}
        self._everyone = DirectoryChat(GLOBAL)
        self._fill(snapshot)

    def load(self, snapshot: Snapshot) -> None:
        """Replace everything by a snapshot. Users and groups stay the same objects. Sign-ins that have begun fail."""
        self.resets += 1
        for user in self.users.values():
            user.forget()
        for group in self.groups.values():
            group.members.clear()
            group.members_changed()
        self._fill(snapshot)

    def _fill(self, snapshot: Snapshot) -> None:
        known_users, known_groups = self.users, self.groups
        self.users, self.groups = {}, {}
        self.banned: dict[int, User] = {}
        self.network_bans = NetworkBans()
        self._users_by_key: dict[str, User] = {}
        self._removed_by_key: dict[str, User] = {}
        self._keys: list[str] = []
        self._groups_by_key: dict[str, DirectoryGroup] = {}
        self._drawn_users = Lookalikes()
        self._drawn_groups = Lookalikes()
        for stored in snapshot.users:
            user = known_users.get(stored.id) or User(*stored)
            user.name, user.key, user.removed = stored.name, stored.key, stored.removed
            self._add_user(user)
        for group in snapshot.groups:
            self._add_group(group, known_groups.get(group.id))
        for blocker, blocked in snapshot.blocks:
            self._set_block(self.users[blocker], self.users[blocked], True)
        for ban in snapshot.bans:
            self._set_ban(ban)

    @property
    def count(self) -> int:
        """The number of accounts."""
        return len(self._keys)

    def apply(self, entry: Entry) -> None:
        """Apply a committed write. The directory changes in no other way.

        Writes of data that it does not hold, such as messages, change nothing.
        """
        match entry:
            case Entry(writes.UserCreated() as write, int(user_id)):
                self._add_user(User(user_id, write.name, write.key))
            case Entry(writes.PasswordSet(user=user)):
                self.users[user].resets += 1
                self.resets += 1
            case Entry(writes.SignInEnded() | writes.OtherSignInsEnded()):
                self.resets += 1
            case Entry(writes.GroupCreated() as write, int(group_id)):
                self._add_group(StoredGroup(group_id, write.name, write.key, write.members[0], list(write.members)))
            case Entry(writes.MemberAdded(group=group, user=user)):
                self._add_member(self.groups[group], self.users[user])
            case Entry(writes.MemberRemoved(group=group, user=user, owner=owner)):
                self._remove_member(self.groups[group], self.users[user], self.users[owner])
            case Entry(writes.GroupRemoved(group=group)):
                self._remove_group(self.groups[group])
            case Entry(writes.UserRemoved() as write):
                self._remove_user(write)
            case Entry(writes.BlockSet() as write):
                self._set_block(self.users[write.blocker], self.users[write.blocked_user], write.blocked)
            case Entry(writes.BanSet(ban=ban, at=at)):
                self._drop_ended_bans(at)
                self._set_ban(ban)
            case Entry(writes.BanRemoved(user=user, network=network)):
                self._remove_ban(user, network)

    def _add_user(self, user: User) -> None:
        self.users[user.id] = user
        if user.removed:
            self._removed_by_key[user.key] = user
        else:
            self._users_by_key[user.key] = user
            self._drawn_users.add(user.key)
            insort(self._keys, user.key)

    def _remove_user(self, write: writes.UserRemoved) -> None:
        user = self.users[write.user]
        for group, owner in write.groups:
            if owner is None:
                self._remove_group(self.groups[group])
            else:
                self._remove_member(self.groups[group], user, self.users[owner])
        del self._users_by_key[user.key]
        self._drawn_users.remove(user.key)
        del self._keys[bisect_left(self._keys, user.key)]
        self._remove_ban(user.id, None)
        user.name, user.key, user.removed = write.name, write.key, True
        self._removed_by_key[user.key] = user

    def _add_group(self, stored: StoredGroup, group: DirectoryGroup | None = None) -> None:
        members = [self.users[member] for member in stored.members]
        if group is None:
            group = DirectoryGroup(stored.id, stored.name, stored.key, self.users[stored.owner], members)
        else:
            group.owner = self.users[stored.owner]
            group.members.update((member.id, member) for member in members)
        self.groups[group.id] = self._groups_by_key[group.key] = group
        self._drawn_groups.add(group.key)
        for member in members:
            member.groups[group.id] = group

    def _add_member(self, group: DirectoryGroup, user: User) -> None:
        group.members[user.id] = user
        user.groups[group.id] = group
        group.members_changed()

    def _remove_member(self, group: DirectoryGroup, user: User, owner: User) -> None:
        del group.members[user.id]
        del user.groups[group.id]
        group.owner = owner
        group.members_changed()

    def _remove_group(self, group: DirectoryGroup) -> None:
        for member in group.members.values():
            del member.groups[group.id]
        group.members.clear()
        group.members_changed()
        del self.groups[group.id]
        del self._groups_by_key[group.key]
        self._drawn_groups.remove(group.key)

    def _set_block(self, blocker: User, blocked: User, on: bool) -> None:
        if on:
            blocker.blocking.add(blocked.id)
            blocked.blocked_by.add(blocker.id)
        else:
            blocker.blocking.discard(blocked.id)
            blocked.blocked_by.discard(blocker.id)
        for user in blocker, blocked:
            user.hidden = frozenset(user.blocking | user.blocked_by)

    def _set_ban(self, ban: StoredBan) -> None:
        if ban.user is not None:
            self.users[ban.user].ban = ban
            self.banned[ban.user] = self.users[ban.user]
        else:
            self.network_bans.add(ban)

    def _remove_ban(self, user: int | None, network: str | None) -> None:
        if user in self.banned:
            self.banned.pop(user).ban = None
        if network is not None:
            self.network_bans.remove(network)

    def _drop_ended_bans(self, now_ms: int) -> None:
        for user in [user.id for user in self.banned.values() if not stands(user.ban, now_ms)]:
            self._remove_ban(user, None)
        self.network_bans.drop_ended(now_ms)

    def users_by_name(self, prefix: str) -> Iterator[User]:
        """Return the users whose names start with ``prefix``, sorted by name."""
        for index in range(bisect_left(self._keys, prefix), len(self._keys)):
            if not self._keys[index].startswith(prefix):
                return
            yield self._users_by_key[self._keys[index]]

    def find_user(self, name: str) -> User | None:
        """Return the user called ``name``, or None, also if it cannot be a name."""
        try:
            return self._users_by_key.get(fold_name(name))
        except Refusal:
            return None

    def user(self, name: str) -> User:
        """Return the user called ``name``. Raises Refusal ``no-such-user``."""
        user = self.find_user(name)
        if user is None:
            raise Refusal(Code.NO_SUCH_USER, f"There is no user {shown(name)!r}. @ lists the users.")
        return user

    def user_or_removed(self, name: str) -> User:
        """Return the user called ``name``, possibly a removed one (``bob#7``). Raises Refusal ``no-such-user``."""
        given, mark, number = name.rpartition("#")
        if mark:
            try:
                return self._removed_by_key[f"{fold_name(given)}#{number}"]
            except (Refusal, KeyError):
                pass
        return self.user(name)

    def new_user_key(self, name: str) -> str:
        """Return the key for the name of a new user.

        Raises Refusal ``name-taken``, or ``bad-name`` for an invalid name or one that looks like a name in use.
        """
        if self.find_user(name) is not None:
            raise Refusal(Code.NAME_TAKEN, f"The name {shown(name)!r} is taken. Choose another one, or sign in.")
        key = check_new_name(name)
        if key in SERVICE_KEYS:
            raise Refusal(Code.BAD_NAME, f"The name {shown(name)!r} is reserved. Choose another one.")
        drawn = skeleton(key)
        if drawn in self._users_by_key or drawn in self._drawn_users:
            raise Refusal(Code.BAD_NAME, f"The name {shown(name)!r} looks like a name in use. Choose another one.")
        return key

    def new_group_key(self, name: str) -> str:
        """Return the key for the name of a new group.

        Raises Refusal ``bad-name``, or ``group-exists`` for a name in use or one that looks like it.
        """
        key = check_new_name(name)
        drawn = skeleton(key)
        if drawn in self._groups_by_key or drawn in self._drawn_groups:
            raise Refusal(
                Code.GROUP_EXISTS,
                f"There is already a group {shown(name)!r}, or one with a similar name. Choose another name.",
            )
        return key

    def find_group(self, member: User, name: str) -> DirectoryGroup | None:
        """Return the group called ``name`` if ``member`` is in it, or None."""
        try:
            group = self._groups_by_key.get(fold_name(name))
        except Refusal:
            return None
        return group if group is not None and member.id in group.members else None

    def group(self, member: User, name: str) -> DirectoryGroup:
        """Return the group of ``member`` called ``name`` or ``*name``. Raises Refusal ``no-such-group``."""
        group = self.find_group(member, name.removeprefix("*"))
        if group is None:
            raise Refusal(
                Code.NO_SUCH_GROUP,
                f"You are in no group {shown(name.removeprefix('*'))!r}. ls lists your chats.",
            )
        return group

    def chat(self, reader: User, name: str) -> DirectoryChat:
        """Return the chat called ``name`` by ``reader``: ``GLOBAL``, ``*team``, ``@bob``, or a bare name.

        A bare name is a group if there is one, otherwise a user. Raises Refusal ``no-such-user``, ``no-such-group``,
        ``no-such-chat`` or ``yourself``.
        """
        if name == GLOBAL_NAME:
            return self._everyone
        if name.startswith("@"):
            return self.private_chat(reader, self.user_or_removed(name[1:].strip()))
        if name.startswith("*"):
            group = self.group(reader, name)
            return DirectoryChat(group.id, group)
        if len(name) == len(GLOBAL_NAME) and same_name(name, GLOBAL_NAME):
            return self._everyone
        if found := self.find_group(reader, name):
            return DirectoryChat(found.id, found)
        try:
            user = self.user_or_removed(name)
        except Refusal:
            raise Refusal(
                Code.NO_SUCH_CHAT, f"You have no chat {shown(name)!r}. ls lists your chats, @ the users."
            ) from None
        return self.private_chat(reader, user)

    def find_chat(self, reader: User, name: str) -> DirectoryChat | None:
        """Return the chat called ``name`` by ``reader`` as `chat` does, or None."""
        try:
            return self.chat(reader, name)
        except Refusal:
            return None

    def chat_of_anyone(self, name: str) -> DirectoryChat:
        """Return the chat that the administrator of the machine calls ``GLOBAL``, ``*team`` or ``@alice@bob``.

        Raises Refusal ``no-such-chat``.
        """
        try:
            if same_name(name, GLOBAL_NAME):
                return self._everyone
            if name.startswith("*"):
                group = self._groups_by_key[fold_name(name[1:])]
                return DirectoryChat(group.id, group)
            _, first, second = name.split("@")
            return self.private_chat(self.user_or_removed(first), self.user_or_removed(second))
        except (Refusal, KeyError, ValueError):
            raise Refusal(
                Code.NO_SUCH_CHAT,
                f"There is no chat {shown(name)!r}. Name GLOBAL, *<group_name>, or the two users of a private chat:"
                " @<user>@<user>.",
            ) from None

    def private_chat(self, reader: User, other: User) -> DirectoryChat:
        """Return the private chat of two users. Raises Refusal ``yourself``."""
        if reader is other:
            raise Refusal(Code.YOURSELF, "That is yourself. Name somebody else; @ lists the users.")
        pair = (reader, other) if reader.id < other.id else (other, reader)
        return DirectoryChat((pair[0].id, pair[1].id), pair=pair)

    def chat_by_key(self, key: ChatKey) -> DirectoryChat | None:
        """Return the chat with this key, or None for a group that has ended."""
        if isinstance(key, tuple):
            return DirectoryChat(key, pair=(self.users[key[0]], self.users[key[1]]))
        if key == GLOBAL:
            return self._everyone
        group = self.groups.get(key)
        return None if group is None else DirectoryChat(key, group=group)

    def listed(self, users: Iterable[int]) -> list[str]:
        """Return the names of ``users``, sorted."""
        return sorted((self.users[user].name for user in users), key=str.casefold)

    def refuse_silenced(self, user: User, other: User) -> None:
        """Raise Refusal ``blocked`` if either user blocks the other."""
        if other.id in user.hidden:
            mend = f" ~{other.name} lifts it." if other.id in user.blocking else ""
            raise Refusal(Code.BLOCKED, f"There is a block between you and {other.name}.{mend}")

    def refuse_removed(self, user: User) -> None:
        """Raise Refusal if ``user`` was removed while its request waited."""
        if user.removed:
            raise Refusal(Code.NOT_LOGGED_IN, "Your account was removed.")
