"""What the person who runs the server asks of it, and how that is done: alike in a running server and without one.

The structs are also the lines of the control socket, see `irchat.server.listeners.control_socket`.
"""

from collections.abc import Awaitable, Callable
from typing import Any, cast

from msgspec import Struct, to_builtins

from irchat.chat import bans
from irchat.chat.accounts import Accounts
from irchat.chat.service import ChatService
from irchat.interfaces.store import StoredBan
from irchat.protocol.errors import Code, Refusal
from irchat.protocol.rules import shown
from irchat.system.times import check_end

Tell = Callable[[str], None]
"""Tells how far a command is, in a few words."""

_PAGE_MOST = 1_000


class Command(Struct, frozen=True, tag_field="command", tag=True, kw_only=True):
    """What can be asked."""


class AddUser(Command, frozen=True, tag="add-user"):
    """Make an account, whether registration is open or not."""

    name: str
    password: str


class ResetPassword(Command, frozen=True, tag="reset-password"):
    """Give a user a new password, and end all tokens and sessions."""

    name: str
    password: str


class RemoveUser(Command, frozen=True, tag="remove-user"):
    """Remove an account, ``messages``: with all it wrote. Gives what it is called now."""

    name: str
    messages: bool


class ListUsers(Command, frozen=True, tag="users"):
    """A page of the accounts, by name, after the key ``after``. Gives a list of `UserRow`."""

    after: str = ""


class ListBans(Command, frozen=True, tag="bans"):
    """The banned users and networks. Gives a list of `BanRow`."""


class Kick(Command, frozen=True, tag="kick"):
    """End the sessions of a user. Gives how many there were."""

    name: str


class Ban(Command, frozen=True, tag="ban"):
    """Ban a user, an address or a network, ``until`` a time (ms), None for good. Gives the name or the network."""

    whom: str
    until: int | None
    reason: str


class Unban(Command, frozen=True, tag="unban"):
    """End a ban. Gives the name or the network."""

    whom: str


class Stats(Command, frozen=True, tag="stats"):
    """How much there is. Gives `StatsRow`."""


ANY = AddUser | ResetPassword | RemoveUser | ListUsers | ListBans | Kick | Ban | Unban | Stats


class UserRow(Struct, frozen=True):
    """An account. ``created_at`` and ``banned_until`` in ms since the epoch; no ban is False, one for good None."""

    name: str
    key: str
    sessions: int
    created_at: int
    banned_until: int | bool | None


class BanRow(Struct, frozen=True):
    """A banned user, ``whom`` as ``@bob``, or network."""

    whom: str
    until: int | None
    reason: str


class StatsRow(Struct, frozen=True):
    """How much there is; ``uptime`` in seconds and ``connections``, those that are not signed in too."""

    users: int
    online: int
    sessions: int
    connections: int
    groups: int
    private_chats: int
    messages: int
    banned: int
    tokens: int
    database_bytes: int
    uptime: float


class Progress(Struct, frozen=True, tag=True):
    """How far a command is."""

    text: str


class Answer(Struct, frozen=True, tag=True):
    """What came of a command: ``error`` is empty where it was done."""

    error: str = ""
    result: Any = None


class Administration:
    """Does what is asked. ``uptime``: seconds that the server runs; ``connections``: how many there are."""

    def __init__(
        self,
        chat: ChatService,
        accounts: Accounts,
        uptime: Callable[[], float] = lambda: 0.0,
        connections: Callable[[], int] = lambda: 0,
    ) -> None:
        self._chat = chat
        self._accounts = accounts
        self._uptime = uptime
        self._connections = connections

    async def run(self, command: ANY, tell: Tell) -> Any:
        """Do ``command`` and give its result, of lists, dicts, strings and numbers. Raises Refusal."""
        done = cast(Callable[[Administration, Any, Tell], Awaitable[Any]], _RUN[type(command)])
        try:
            return to_builtins(await done(self, command, tell))
        except Refusal as refusal:
            if refusal.code is not Code.NO_SUCH_USER:
                raise
            raise Refusal(refusal.code, _no_such_user(command)) from None

    async def _add_user(self, command: AddUser, tell: Tell) -> None:
        await self._accounts.add(command.name, command.password)

    async def _reset_password(self, command: ResetPassword, tell: Tell) -> None:
        await self._accounts.reset_password(command.name, command.password)

    async def _remove_user(self, command: RemoveUser, tell: Tell) -> str:
        return await self._chat.moderation.remove(
            command.name, command.messages, lambda count: tell(f"{count:,} messages deleted")
        )

    async def _list_users(self, command: ListUsers, tell: Tell) -> list[UserRow]:
        users = self._chat.directory.users
        now = self._chat.wall_ms()
        return [
            UserRow(
                users[account.id].name,
                account.key,
                users[account.id].sessions,
                account.created_at,
                _banned_until(users[account.id].ban, now),
            )
            for account in await self._chat.store.accounts(command.after, _PAGE_MOST)
            if account.id in users
        ]

    async def _list_bans(self, command: ListBans, tell: Tell) -> list[BanRow]:
        now = self._chat.wall_ms()
        users = [
            BanRow(f"@{user.name}", user.ban.until, user.ban.reason)
            for user in self._chat.directory.users.values()
            if user.ban is not None and bans.stands(user.ban, now)
        ]
        networks = [
            BanRow(ban.network, ban.until, ban.reason)
            for ban in self._chat.moderation.banned_networks()
            if ban.network is not None
        ]
        return sorted(users, key=lambda row: row.whom) + networks

    async def _kick(self, command: Kick, tell: Tell) -> int:
        return await self._chat.moderation.kick(command.name, None)

    async def _ban(self, command: Ban, tell: Tell) -> str:
        until = check_end(command.until, self._chat.wall_ms())
        return await self._chat.moderation.ban(command.whom, until, command.reason, None)

    async def _unban(self, command: Unban, tell: Tell) -> str:
        return await self._chat.moderation.unban(command.whom, None)

    async def _stats(self, command: Stats, tell: Tell) -> StatsRow:
        directory = self._chat.directory
        figures = await self._chat.store.figures()
        now = self._chat.wall_ms()
        return StatsRow(
            users=directory.count,
            online=len(directory.online),
            sessions=sum(user.sessions for user in directory.online.values()),
            connections=self._connections(),
            groups=len(directory.groups),
            private_chats=figures.private_chats,
            messages=figures.messages,
            banned=sum(bans.stands(user.ban, now) for user in directory.users.values())
            + len(self._chat.moderation.banned_networks()),
            tokens=figures.tokens,
            database_bytes=figures.database_bytes,
            uptime=self._uptime(),
        )


def _no_such_user(command: Command) -> str:
    """The chat points to its own list of users; an administrator has another."""
    name = shown(str(getattr(command, "name", getattr(command, "whom", ""))).removeprefix("@"))
    or_address = " or address" if isinstance(command, Ban | Unban) else ""
    return f"There is no user{or_address} {name!r}. irchat-admin users lists the users."


def _banned_until(ban: StoredBan | None, now: int) -> int | bool | None:
    return ban.until if ban is not None and bans.stands(ban, now) else False


_RUN: dict[type[Command], Callable[..., Awaitable[Any]]] = {
    AddUser: Administration._add_user,
    ResetPassword: Administration._reset_password,
    RemoveUser: Administration._remove_user,
    ListUsers: Administration._list_users,
    ListBans: Administration._list_bans,
    Kick: Administration._kick,
    Ban: Administration._ban,
    Unban: Administration._unban,
    Stats: Administration._stats,
}
