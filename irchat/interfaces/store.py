"""What a store, a session and a bus must do, and the values that pass between them and the core."""

from collections.abc import Callable, Collection, Sequence
from typing import Any, NamedTuple, Protocol

from msgspec import Struct
from twisted.internet.defer import Deferred

from irchat.protocol.events import Event

ChatKey = int | tuple[int, int]
"""A chat inside the server: `GLOBAL`, the id of a group, or the ids of the two users of a private chat, lower first."""

GLOBAL: ChatKey = 1


# What the core asks the store to write. Each names what its commit gives.


class CreateUser(NamedTuple):
    """A new account, its marker in GLOBAL at the end. Gives its id (int). ``password`` is a hash, None for none.

    A ``token`` counts as one for which a password was asked where there is a password.
    """

    name: str
    key: str
    password: str | None
    at: int
    token: bytes | None


class SetPassword(NamedTuple):
    """A new password hash; ends all tokens of the user but ``keep``. Gives None."""

    user: int
    password: str
    keep: bytes | None


class ReplaceHash(NamedTuple):
    """The same password has a new hash; nothing is changed where ``old`` is its hash no more. Gives None."""

    user: int
    old: str
    new: str


class AddToken(NamedTuple):
    """A new token, by its hash. ``by_password``: whether a password was asked for it. Gives None."""

    token: bytes
    user: int
    at: int
    by_password: bool = True


class TouchToken(NamedTuple):
    """A token was used at ``at``. Gives whether there is such a token (bool)."""

    token: bytes
    at: int


class RemoveToken(NamedTuple):
    """End a token. Gives None."""

    token: bytes


class AddMessage(NamedTuple):
    """A message to store; moves its sender's marker to it. Gives `Stored`, with the time that it has: ``at`` is the
    clock's, but within a chat times rise; where the clock was set back by more than a second they repeat.

    A ``nonce`` that the sender used at ``nonces_since`` (ms) or later stores nothing and gives the first message again.
    """

    chat: ChatKey
    sender: int
    text: str
    at: int
    nonce: str | None
    nonces_since: int


class FindNonce(NamedTuple):
    """Look for a nonce as `AddMessage` does, writing nothing. Gives `Stored` or None."""

    sender: int
    nonce: str
    nonces_since: int


class MoveMarker(NamedTuple):
    """Move a read marker forward to ``seq``, at most to the chat's end. Gives `Marker`."""

    user: int
    chat: ChatKey
    seq: int


class CreateGroup(NamedTuple):
    """A group; ``members`` in order of standing, the owner first. Gives its id (int), which is never used again."""

    name: str
    key: str
    members: tuple[int, ...]
    at: int


class AddMember(NamedTuple):
    """A member, who sees what comes after. Gives None."""

    group: int
    user: int


class RemoveMember(NamedTuple):
    """A member goes; ``owner`` owns the group now. Gives None."""

    group: int
    user: int
    owner: int


class RemoveGroup(NamedTuple):
    """The group goes with all its messages. Gives None."""

    group: int


class SetBlock(NamedTuple):
    """A block begins or, with ``blocked`` false, ends. Gives None."""

    blocker: int
    blocked_user: int
    blocked: bool


class RemoveUser(NamedTuple):
    """An account ends: its password, tokens, nonces, memberships and ban go. Gives None.

    What it wrote stays, under the ``name`` (and ``key``) that it has from now on. ``groups``: those that it was in,
    each with who owns it now, None for one whose last member it was: that goes with its messages.
    """

    user: int
    name: str
    key: str
    at: int
    groups: tuple[tuple[int, int | None], ...]


class DeleteMessages(NamedTuple):
    """Messages go, for good. A private chat that is left with none goes too. Gives None."""

    places: tuple[tuple[ChatKey, int], ...]


class SetBan(NamedTuple):
    """A ban begins, or changes, of the user or of the network; those that have ended by ``at`` go. Gives None."""

    ban: "StoredBan"
    at: int


class RemoveBan(NamedTuple):
    """The ban of the user or of the network ends. Gives None."""

    user: int | None
    network: str | None


Write = (
    CreateUser
    | SetPassword
    | ReplaceHash
    | AddToken
    | TouchToken
    | RemoveToken
    | AddMessage
    | FindNonce
    | MoveMarker
    | CreateGroup
    | AddMember
    | RemoveMember
    | RemoveGroup
    | SetBlock
    | RemoveUser
    | DeleteMessages
    | SetBan
    | RemoveBan
)


# What the store gives.


class Stored(NamedTuple):
    """Where a message is stored. ``repeated``: it was stored before, under the same nonce."""

    chat: ChatKey
    seq: int
    at: int
    repeated: bool


class Marker(NamedTuple):
    """Where a read marker was to go, at most to the chat's end; ``moved`` tells whether it did: it never goes back."""

    seq: int
    last_seq: int
    moved: bool


class StoredMessage(NamedTuple):
    """A message as the store holds it; ``at`` in ms since the epoch."""

    chat: ChatKey
    seq: int
    sender: int
    at: int
    text: str


class Page(NamedTuple):
    """Messages of a chat, oldest first; if there are ``more`` in the direction asked; the chat's ``last_seq``.

    ``end``: the number of the last message that is not hidden from the reader, 0 where there is none.
    """

    messages: list[StoredMessage]
    more: bool
    last_seq: int
    end: int = 0


class ChatState(NamedTuple):
    """A chat as one of its users finds it. ``last_at`` in ms since the epoch, None where nothing was said.

    ``last_seq`` and ``last_at`` are those of the last message that is not hidden from the user; that it was deleted
    does not move them. ``read_seq`` is at most ``last_seq``.
    """

    chat: ChatKey
    last_seq: int
    last_at: int | None
    read_seq: int
    unread: int


class StoredUser(NamedTuple):
    """An account; one that was ``removed`` is kept for the sake of what it wrote."""

    id: int
    name: str
    key: str
    removed: bool = False


class StoredBan(NamedTuple):
    """A ban of a user, or of a network as ``ipaddress`` writes it, ``until`` a time (ms), None for good."""

    user: int | None
    network: str | None
    until: int | None
    reason: str


class StoredToken(NamedTuple):
    """A token: its user, when it was last used (ms since the epoch), and whether a password was asked for it."""

    user: int
    used_at: int
    by_password: bool


class StoredAccount(NamedTuple):
    """An account as the administrator is shown it; ``created_at`` in ms since the epoch."""

    id: int
    key: str
    created_at: int


class Figures(NamedTuple):
    """How much the store holds; ``database_bytes`` with what is in its journal."""

    messages: int
    private_chats: int
    tokens: int
    database_bytes: int


class Places(NamedTuple):
    """Where messages stand, chat by chat; ``further`` tells the store where to go on, None where there are no more."""

    places: tuple[tuple[ChatKey, int], ...]
    further: tuple[int, int] | None


class StoredGroup(NamedTuple):
    """A group; ``members`` in order of standing."""

    id: int
    name: str
    key: str
    owner: int
    members: list[int]


class Snapshot(NamedTuple):
    """All that the core keeps in memory: who there is, the groups, the blocks as (blocker, blocked), and the bans."""

    users: list[StoredUser]
    groups: list[StoredGroup]
    blocks: list[tuple[int, int]]
    bans: tuple[StoredBan, ...] = ()


class PageQuery(NamedTuple):
    """Which page of a chat: after ``after`` upwards, or before ``before`` downwards, or the end.

    ``unread`` starts after the reader's marker. ``hidden`` are senders that the reader does not see. The page holds at
    most ``limit`` messages and ends before their texts and ``overhead`` bytes for each come to over ``page_bytes``. It
    does not end between messages of one time: it holds fewer or, where all on it have that time, more than ``limit``.
    """

    user: int
    chat: ChatKey
    limit: int
    before: int | None = None
    after: int | None = None
    unread: bool = False
    hidden: Collection[int] = ()
    overhead: int = 0
    page_bytes: int = 1 << 62


class Store(Protocol):
    """Keeps what must survive. Every method may fail with the Refusal ``unavailable``, and then has changed nothing.

    ``epoch``: a string that changes when what is stored was replaced by an older state of it.
    """

    epoch: str

    def snapshot(self) -> Snapshot:
        """What the core keeps in memory; read once, before the server listens."""

    def commit(self, writes: Sequence[Write]) -> Deferred[list[Any]]:
        """Write all or nothing, in order, and have it on the disk; gives what each write gives."""

    def page(self, query: PageQuery) -> Deferred[Page]:
        """A page of a chat that the user is in; an empty one where the chat does not exist yet."""

    def chats(self, user: int, hidden: Collection[int]) -> Deferred[list[ChatState]]:
        """The user's chats, latest first, those without messages last; of private ones those with something to see."""

    def search(
        self,
        user: int,
        words: Sequence[str],
        chat: ChatKey | None,
        hidden: Collection[int],
        limit: int,
        overhead: int = 0,
        page_bytes: int = 1 << 62,
    ) -> Deferred[tuple[list[StoredMessage], bool]]:
        """The messages that hold all ``words`` and that the user may see, newest first; and if there are more.

        They end as a page does: see `PageQuery`. Where it would take too long to find all, those that were found until
        then are given, and that there are more.
        """

    def password(self, user: int) -> Deferred[str | None]:
        """The user's password hash, None where the account has none."""

    def token(self, token: bytes) -> Deferred[StoredToken | None]:
        """The token with that hash, None for an unknown one."""

    def accounts(self, after: str, limit: int) -> Deferred[list[StoredAccount]]:
        """The accounts, removed ones left out, whose keys come after ``after``, in the order of their keys."""

    def messages_of(self, user: int, after: tuple[int, int] | None, limit: int) -> Deferred[Places]:
        """Some of the messages that ``user`` wrote, ``limit`` at most and as many as are deleted in a short time.

        ``after``: where to go on, as the last answer has it. No more than some of all messages are looked at: there may
        be none among them, and more further on.
        """

    def figures(self) -> Deferred[Figures]:
        """How much there is."""

    def close(self) -> None:
        """Wait for what runs and close."""


# What the core publishes.


class Members(frozenset[int]):
    """The ids of a group's members: one and the same set until they change. What is found out for it may be kept."""


class Publication(Struct, frozen=True, gc=False):
    """An event for those who may have it at this moment.

    ``audience``: ids of users, None for everyone. ``hidden``: users of the audience who do not get it. ``origin``: a
    session that does not get it, for it made the event. ``position``: of a stored message, its chat and seq, where a
    reader that fell behind finds it again. ``timed``: of a timed message, its chat and its place in the order of all.

    The collector does not look at it: nothing that it refers to may keep it.
    """

    event: Event
    audience: Collection[int] | None
    hidden: Collection[int] = ()
    origin: object | None = None
    position: tuple[ChatKey, int] | None = None
    timed: tuple[ChatKey, int] | None = None


Publish = Callable[[Sequence[Publication]], None]
"""The bus: takes publications in order and brings them to every session of their audience."""
