"""Who there is: users, groups and blocks, held in memory as they are committed."""

from bisect import bisect_left, insort
from collections.abc import Collection, Iterable, Iterator

from irchat.chat.bans import NetworkBans
from irchat.interfaces.store import GLOBAL, ChatKey, Members, Snapshot, StoredBan
from irchat.protocol.errors import Code, Refusal
from irchat.protocol.rules import GLOBAL_NAME, SERVICE_KEYS, fold_name, shown
from irchat.text.names import Lookalikes, check_new_name, same_name, skeleton


class User:
    """An account. ``hidden``: ids of the users with whom it is in mutual silence.

    One that was ``removed`` has a name that nobody can take. ``resets`` counts how often its password was set anew.
    """

    __slots__ = (
        "ban",
        "blocked_by",
        "blocking",
        "groups",
        "hidden",
        "id",
        "key",
        "name",
        "removed",
        "resets",
        "sessions",
    )

    def __init__(self, user_id: int, name: str, key: str, removed: bool = False) -> None:
        self.id = user_id
        self.name = name
        self.key = key
        self.removed = removed
        self.ban: StoredBan | None = None
        self.resets = 0
        self.sessions = 0
        self.groups: dict[int, Group] = {}
        self.blocking: set[int] = set()
        self.blocked_by: set[int] = set()
        self.hidden: frozenset[int] = frozenset()


class Group:
    """A group; ``members`` by id, in order of standing."""

    __slots__ = ("_member_ids", "id", "key", "members", "name", "owner")

    def __init__(self, group_id: int, name: str, key: str, owner: User, members: Iterable[User]) -> None:
        self.id = group_id
        self.name = name
        self.key = key
        self.owner = owner
        self.members = {member.id: member for member in members}
        self._member_ids: Members | None = None

    @property
    def member_ids(self) -> Members:
        """The ids of the members."""
        if self._member_ids is None:
            self._member_ids = Members(self.members)
        return self._member_ids

    def members_changed(self) -> None:
        """Call after ``members`` changed."""
        self._member_ids = None


class Chat:
    """A chat of the server, from no one's side: GLOBAL, a group, or a pair of users."""

    __slots__ = ("group", "key", "pair")

    def __init__(self, key: ChatKey, group: Group | None = None, pair: tuple[User, User] | None = None) -> None:
        self.key = key
        self.group = group
        self.pair = pair

    def label(self, reader: User) -> str:
        """The chat as ``reader`` writes it: ``GLOBAL``, ``*team`` or ``@bob``."""
        if self.pair is not None:
            return f"@{self.peer(reader).name}"
        return GLOBAL_NAME if self.group is None else f"*{self.group.name}"

    def wire_id(self, reader: User) -> str:
        """What tells the chat apart from any other that had or will have its name."""
        if self.pair is not None:
            return f"@{self.peer(reader).id}"
        return GLOBAL_NAME if self.group is None else f"*{self.group.id}"

    def peer(self, reader: User) -> User:
        """The other user of a private chat."""
        assert self.pair is not None
        return self.pair[1] if self.pair[0] is reader else self.pair[0]

    def has(self, user: User) -> bool:
        """Whether ``user``, who was in the chat, still is: one can leave a group alone."""
        return self.group is None or user.id in self.group.members

    @property
    def audience(self) -> Collection[int] | None:
        """The ids of all who are in it now, None for everyone."""
        if self.pair is not None:
            return (self.pair[0].id, self.pair[1].id)
        return None if self.group is None else self.group.member_ids


class Directory:
    """Finds users, groups and chats by their names. ``users`` holds removed ones too, for they are senders still."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.users: dict[int, User] = {}
        self.groups: dict[int, Group] = {}
        self.online: dict[int, User] = {}
        self.network_bans = NetworkBans()
        self._users_by_key: dict[str, User] = {}
        self._removed_by_key: dict[str, User] = {}
        self._keys: list[str] = []
        self._groups_by_key: dict[str, Group] = {}
        self._drawn_users = Lookalikes()
        self._drawn_groups = Lookalikes()
        self._everyone = Chat(GLOBAL)
        for user in snapshot.users:
            self.add_user(User(*user))
        for group_id, name, key, owner, members in snapshot.groups:
            self.add_group(Group(group_id, name, key, self.users[owner], [self.users[member] for member in members]))
        for blocker, blocked in snapshot.blocks:
            self.set_block(self.users[blocker], self.users[blocked], True)
        for ban in snapshot.bans:
            self.set_ban(ban)

    @property
    def count(self) -> int:
        """How many accounts there are."""
        return len(self._keys)

    def add_user(self, user: User) -> None:
        """A new account, or a removed one."""
        self.users[user.id] = user
        if user.removed:
            self._removed_by_key[user.key] = user
        else:
            self._users_by_key[user.key] = user
            self._drawn_users.add(user.key)
            insort(self._keys, user.key)

    def remove_user(self, user: User, name: str, key: str) -> None:
        """The account is no more: what it wrote goes by ``name`` from now on. It is in no group any more."""
        del self._users_by_key[user.key]
        self._drawn_users.remove(user.key)
        del self._keys[bisect_left(self._keys, user.key)]
        self.online.pop(user.id, None)
        user.name, user.key, user.removed, user.ban = name, key, True, None
        self._removed_by_key[key] = user

    def set_ban(self, ban: StoredBan) -> None:
        """A ban begins or changes."""
        if ban.user is not None:
            self.users[ban.user].ban = ban
        else:
            self.network_bans.add(ban)

    def users_by_name(self, prefix: str) -> Iterator[User]:
        """The users whose name begins with ``prefix``, in the order of their names."""
        for index in range(bisect_left(self._keys, prefix), len(self._keys)):
            if not self._keys[index].startswith(prefix):
                return
            yield self._users_by_key[self._keys[index]]

    def find_user(self, name: str) -> User | None:
        """The user called ``name``, None where there is none. Raises Refusal ``bad-name``."""
        return self._users_by_key.get(fold_name(name))

    def user(self, name: str) -> User:
        """The user called ``name``. Raises Refusal ``no-such-user``."""
        try:
            user = self.find_user(name)
        except Refusal:
            user = None
        if user is None:
            raise Refusal(Code.NO_SUCH_USER, f"There is no user {shown(name)!r}. @ lists the users.")
        return user

    def user_or_removed(self, name: str) -> User:
        """The user called ``name``, also where that is one who was removed: ``bob#7``. Raises Refusal."""
        given, mark, number = name.rpartition("#")
        if mark:
            try:
                return self._removed_by_key[f"{fold_name(given)}#{number}"]
            except (Refusal, KeyError):
                pass
        return self.user(name)

    def add_group(self, group: Group) -> None:
        """A new group."""
        self.groups[group.id] = self._groups_by_key[group.key] = group
        self._drawn_groups.add(group.key)
        for member in group.members.values():
            member.groups[group.id] = group

    def add_member(self, group: Group, user: User) -> None:
        """A new member of a group."""
        group.members[user.id] = user
        user.groups[group.id] = group
        group.members_changed()

    def remove_member(self, group: Group, user: User) -> None:
        """A member goes; the longest standing one owns the group after the owner, and after the last it is no more."""
        del group.members[user.id]
        del user.groups[group.id]
        group.members_changed()
        if not group.members:
            del self.groups[group.id]
            del self._groups_by_key[group.key]
            self._drawn_groups.remove(group.key)
        elif group.owner is user:
            group.owner = next(iter(group.members.values()))

    def new_user_key(self, name: str) -> str:
        """Return the key of the name of a new user.

        Raises Refusal ``name-taken`` or ``bad-name``; the latter also for a name that draws like one that is taken.
        """
        if self.find_user(name) is not None:
            raise Refusal(Code.NAME_TAKEN, f"The name {shown(name)!r} is taken. Choose another one, or sign in.")
        key = check_new_name(name)
        if key in SERVICE_KEYS:
            raise Refusal(Code.BAD_NAME, f"The name {shown(name)!r} is not for users. Choose another one.")
        drawn = skeleton(key)
        if drawn in self._users_by_key or drawn in self._drawn_users:
            raise Refusal(Code.BAD_NAME, f"The name {shown(name)!r} looks like one that is taken. Choose another one.")
        return key

    def new_group_key(self, name: str) -> str:
        """Return the key of the name of a new group.

        Raises Refusal ``bad-name`` or ``group-exists``; the latter also for a name that draws like one that is taken.
        """
        key = check_new_name(name)
        drawn = skeleton(key)
        if key in self._groups_by_key or drawn in self._groups_by_key or drawn in self._drawn_groups:
            raise Refusal(
                Code.GROUP_EXISTS,
                f"There is a group {shown(name)!r} already, or one whose name looks like it. Choose another name.",
            )
        return key

    def find_group(self, member: User, name: str) -> Group | None:
        """The group called ``name``, as far as ``member`` is in it."""
        try:
            group = self._groups_by_key.get(fold_name(name))
        except Refusal:
            return None
        return group if group is not None and member.id in group.members else None

    def group(self, member: User, name: str) -> Group:
        """The group called ``name`` or ``*name`` that ``member`` is in. Raises Refusal ``no-such-group``."""
        group = self.find_group(member, name.removeprefix("*"))
        if group is None:
            raise Refusal(
                Code.NO_SUCH_GROUP,
                f"You are in no group {shown(name.removeprefix('*'))!r}. ls lists your chats.",
            )
        return group

    def chat(self, reader: User, name: str) -> Chat:
        """The chat that ``reader`` means by ``name``: ``GLOBAL``, ``*team``, ``@bob``, or a bare name.

        A bare name is a group and, where there is none, a user. Raises Refusal ``no-such-user``, ``no-such-group``,
        ``no-such-chat`` or ``yourself``.
        """
        if name.startswith("@"):
            return self.private_chat(reader, self.user_or_removed(name[1:].strip()))
        if name.startswith("*"):
            return self.group_chat(self.group(reader, name))
        if len(name) == len(GLOBAL_NAME) and same_name(name, GLOBAL_NAME):
            return self._everyone
        if group := self.find_group(reader, name):
            return self.group_chat(group)
        try:
            user = self.user_or_removed(name)
        except Refusal:
            raise Refusal(
                Code.NO_SUCH_CHAT, f"You have no chat {shown(name)!r}. ls lists your chats, @ the users."
            ) from None
        return self.private_chat(reader, user)

    def private_chat(self, reader: User, other: User) -> Chat:
        """The private chat of two. Raises Refusal ``yourself``."""
        if reader is other:
            raise Refusal(Code.YOURSELF, "That is yourself. Name somebody else; @ lists the users.")
        pair = (reader, other) if reader.id < other.id else (other, reader)
        return Chat((pair[0].id, pair[1].id), pair=pair)

    def group_chat(self, group: Group) -> Chat:
        """The chat of a group."""
        return Chat(group.id, group=group)

    def chat_by_key(self, key: ChatKey) -> Chat | None:
        """The chat with that key, None for a group that is no more."""
        if isinstance(key, tuple):
            return Chat(key, pair=(self.users[key[0]], self.users[key[1]]))
        if key == GLOBAL:
            return self._everyone
        group = self.groups.get(key)
        return None if group is None else Chat(key, group=group)

    def set_block(self, blocker: User, blocked: User, on: bool) -> None:
        """A block begins or ends."""
        if on:
            blocker.blocking.add(blocked.id)
            blocked.blocked_by.add(blocker.id)
        else:
            blocker.blocking.discard(blocked.id)
            blocked.blocked_by.discard(blocker.id)
        for user in blocker, blocked:
            user.hidden = frozenset(user.blocking | user.blocked_by)

    def refuse_silenced(self, user: User, other: User) -> None:
        """Raises Refusal ``blocked`` where a block stands between the two, whoever made it."""
        if other.id in user.hidden:
            mend = f" ~{other.name} lifts it." if other.id in user.blocking else ""
            raise Refusal(Code.BLOCKED, f"There is a block between you and {other.name}.{mend}")

    def refuse_removed(self, user: User) -> None:
        """Raises Refusal where the account of ``user`` was removed while what it asked for waited."""
        if user.removed:
            raise Refusal(Code.NOT_LOGGED_IN, "Your account was removed.")
