"""The requests of the administrator, and their execution, both in a running server and offline.

The structs are also the lines of the control socket (see `irchat.server.listeners.control_socket`).
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from msgspec import Struct, to_builtins

from irchat.chat.accounts.accounts import Accounts
from irchat.chat.service import ChatService
from irchat.chat.state import bans
from irchat.interfaces.nodes import NodeRow
from irchat.protocol.errors import Code, Refusal
from irchat.protocol.rules import shown
from irchat.system.times import check_end

Tell = Callable[[str], None]
"""Shows the progress of a request, as a short text."""

_PAGE_MOST = 1_000


class AdminRequest(Struct, frozen=True, tag_field="command", tag=True, kw_only=True):
    """A request of the administrator."""


class AddUser(AdminRequest, frozen=True, tag="add-user"):
    """Create an account, even if registration is closed."""

    name: str
    password: str


class ResetPassword(AdminRequest, frozen=True, tag="reset-password"):
    """Set the password of a user. End all tokens and sessions of the user."""

    name: str
    password: str


class AddToken(AdminRequest, frozen=True, tag="token"):
    """Create a token for a program of a user, which does not expire. Returns the token."""

    name: str
    label: str


class RemoveUser(AdminRequest, frozen=True, tag="remove-user"):
    """Remove an account, with ``messages`` also all its messages. Returns its new name."""

    name: str
    messages: bool


class ListUsers(AdminRequest, frozen=True, tag="users"):
    """List a page of accounts after the key ``after``, by name. Returns a list of `UserRow`."""

    after: str = ""


class ListBans(AdminRequest, frozen=True, tag="bans"):
    """List the banned users and networks. Returns a list of `BanRow`."""


class Kick(AdminRequest, frozen=True, tag="kick"):
    """End the sessions of a user. Returns their number."""

    name: str


class Ban(AdminRequest, frozen=True, tag="ban"):
    """Ban a user, address or network ``until`` a time (ms) or permanently (None). Returns the name or network."""

    whom: str
    until: int | None
    reason: str


class Unban(AdminRequest, frozen=True, tag="unban"):
    """End a ban. Returns the name or the network."""

    whom: str


class DeleteMessage(AdminRequest, frozen=True, tag="delete"):
    """Delete the message ``seq`` of a chat: ``GLOBAL``, ``*team``, or a private chat as ``@alice@bob``."""

    chat: str
    seq: int


class ListNodes(AdminRequest, frozen=True, tag="nodes"):
    """List the nodes that share the database. Returns a list of `NodeRow`."""


class Stats(AdminRequest, frozen=True, tag="stats"):
    """Count everything. Returns `StatsRow`."""


AnyAdminRequest = (
    AddUser
    | ResetPassword
    | AddToken
    | RemoveUser
    | ListUsers
    | ListBans
    | Kick
    | Ban
    | Unban
    | DeleteMessage
    | ListNodes
    | Stats
)


class UserRow(Struct, frozen=True):
    """An account. Times in ms since the epoch. ``banned_until``: False without a ban, None for a permanent one."""

    name: str
    key: str
    sessions: int
    created_at: int
    banned_until: int | bool | None


class BanRow(Struct, frozen=True):
    """A banned user (``whom``: ``@bob``) or network."""

    whom: str
    until: int | None
    reason: str


class StatsRow(Struct, frozen=True, omit_defaults=True):
    """The statistics. ``uptime`` is in seconds; ``connections`` includes those not signed in.

    In a cluster, these two are those of the node that was asked, and all others count for all ``nodes``.
    """

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
    nodes: list[NodeRow] = []


class Progress(Struct, frozen=True, tag=True):
    """The progress of a request."""

    text: str


class Answer(Struct, frozen=True, tag=True):
    """The outcome of a request. ``error`` is empty on success."""

    error: str = ""
    result: object = None


@dataclass(eq=False, repr=False)
class Administration:
    """Runs requests. ``uptime`` returns seconds since the start, ``connections`` the number of connections.

    ``nodes`` returns a `NodeRow` of each node. It is None on a single server.
    """

    chat: ChatService
    accounts: Accounts
    uptime: Callable[[], float] = lambda: 0.0
    connections: Callable[[], int] = lambda: 0
    nodes: Callable[[], Awaitable[list[NodeRow]]] | None = None

    async def run(self, request: AnyAdminRequest, tell: Tell) -> object:
        """Run ``request`` and return its result: lists, dicts, strings and numbers. Raises Refusal."""
        try:
            return to_builtins(await self._result(request, tell))
        except Refusal as refusal:
            if refusal.code is not Code.NO_SUCH_USER:
                raise
            raise Refusal(refusal.code, _no_such_user(request)) from None

    async def _result(self, request: AnyAdminRequest, tell: Tell) -> object:
        moderation = self.chat.moderation
        match request:
            case AddUser(name=name, password=password):
                await self.accounts.add(name, password)
                return None
            case ResetPassword(name=name, password=password):
                await self.accounts.reset_password(name, password)
                return None
            case AddToken(name=name, label=label):
                return await self.chat.sign_ins.add_labelled(name, label)
            case RemoveUser(name=name, messages=messages):
                return await moderation.remove(name, messages, lambda count: tell(f"{count:,} messages deleted"))
            case ListUsers(after=after):
                return await self._list_users(after)
            case ListBans():
                return self._list_bans()
            case Kick(name=name):
                return await moderation.kick(name, None)
            case Ban(whom=whom, until=until, reason=reason):
                return await moderation.ban(whom, check_end(until, self.chat.wall_ms()), reason, None)
            case Unban(whom=whom):
                return await moderation.unban(whom, None)
            case DeleteMessage(chat=chat, seq=seq):
                await self.chat.queue.submit(self.chat.amendments.to_delete_for_administrator(chat, seq))
                return None
            case ListNodes():
                return await self._list_nodes()
            case Stats():
                return await self._stats()

    async def _list_users(self, after: str) -> list[UserRow]:
        rows = []
        for account in await self.chat.store.accounts(after, _PAGE_MOST):
            user = self.chat.directory.users.get(account.id)
            if user is not None:
                sessions = self.chat.presence.count(user.id)
                until = user.ban.until if bans.stands(user.ban, self.chat.wall_ms()) else False
                rows.append(UserRow(user.name, account.key, sessions, account.created_at, until))
        return rows

    async def _list_nodes(self) -> list[NodeRow]:
        if self.nodes is None:
            raise Refusal(Code.BAD_REQUEST, "This server shares its data with no other node.")
        return await self.nodes()

    def _list_bans(self) -> list[BanRow]:
        now = self.chat.wall_ms()
        users = [
            BanRow(f"@{user.name}", user.ban.until, user.ban.reason)
            for user in self.chat.directory.banned.values()
            if bans.stands(user.ban, now)
        ]
        networks = self.chat.directory.network_bans.all(now)
        of_networks = [BanRow(ban.network or "", ban.until, ban.reason) for ban in networks]
        return sorted(users, key=lambda row: row.whom) + of_networks

    async def _stats(self) -> StatsRow:
        directory, presence = self.chat.directory, self.chat.presence
        figures = await self.chat.store.figures()
        return StatsRow(
            users=directory.count,
            online=len(presence.online),
            sessions=presence.count_all(),
            connections=self.connections(),
            groups=len(directory.groups),
            private_chats=figures.private_chats,
            messages=figures.messages,
            banned=len(self._list_bans()),
            tokens=figures.tokens,
            database_bytes=figures.database_bytes,
            uptime=self.uptime(),
            nodes=[] if self.nodes is None else await self.nodes(),
        )


def _no_such_user(request: AnyAdminRequest) -> str:
    """Return the text for an unknown user. The text of the chat names a command that is not available here."""
    name = shown(str(getattr(request, "name", getattr(request, "whom", ""))).removeprefix("@"))
    or_address = " or address" if isinstance(request, Ban | Unban) else ""
    return f"There is no user{or_address} {name!r}. irchat-admin users lists the users."
