"""The values that a store returns. Times are in ms since the epoch."""

from typing import NamedTuple

ChatKey = int | tuple[int, int]
"""A chat inside the server: `GLOBAL`, the id of a group, or the ids of the two users of a private chat, lower first."""

GLOBAL: ChatKey = 1


class Stored(NamedTuple):
    """The place and time of a stored message. ``repeated``: it was stored before, under the same nonce."""

    chat: ChatKey
    seq: int
    at: int
    repeated: bool


class Marker(NamedTuple):
    """The result of moving a read marker.

    ``seq`` is the place asked for, limited to the chat's ``last_seq``. ``moved`` is False where the marker was there
    already: it never goes back.
    """

    seq: int
    last_seq: int
    moved: bool


class StoredMessage(NamedTuple):
    """A message as the store holds it."""

    chat: ChatKey
    seq: int
    sender: int
    at: int
    text: str


class Page(NamedTuple):
    """Messages of a chat, oldest first; whether there are ``more`` in the direction asked; the chat's ``last_seq``.

    ``end``: the number of the last message that is not hidden from the reader, 0 if there is none.
    """

    messages: list[StoredMessage]
    more: bool
    last_seq: int
    end: int = 0


class ChatState(NamedTuple):
    """A chat from the view of one of its users.

    ``last_seq`` and ``last_at`` (None without messages) belong to the last message that is not hidden from the user;
    deleting that message does not move them. ``read_seq`` is at most ``last_seq``.
    """

    chat: ChatKey
    last_seq: int
    last_at: int | None
    read_seq: int
    unread: int


class StoredUser(NamedTuple):
    """An account. A ``removed`` one stays because its messages refer to it."""

    id: int
    name: str
    key: str
    removed: bool = False


class StoredBan(NamedTuple):
    """A ban of a user, or of a network as ``ipaddress`` writes it. ``until`` is None for a ban without an end."""

    user: int | None
    network: str | None
    until: int | None
    reason: str


class StoredToken(NamedTuple):
    """A token: its user, its last use, and whether a password was asked for when it was made."""

    user: int
    used_at: int
    by_password: bool


class StoredAccount(NamedTuple):
    """An account in the administrator's list."""

    id: int
    key: str
    created_at: int


class Figures(NamedTuple):
    """How much the store holds. ``database_bytes`` includes the journal."""

    messages: int
    private_chats: int
    tokens: int
    database_bytes: int


class Places(NamedTuple):
    """Places of messages, chat by chat. ``further`` is where the next call continues, None at the end."""

    places: tuple[tuple[ChatKey, int], ...]
    further: tuple[int, int] | None


class StoredGroup(NamedTuple):
    """A group; ``members`` in join order."""

    id: int
    name: str
    key: str
    owner: int
    members: list[int]


class Snapshot(NamedTuple):
    """All that the core keeps in memory. ``blocks`` are pairs (blocker, blocked)."""

    users: list[StoredUser]
    groups: list[StoredGroup]
    blocks: list[tuple[int, int]]
    bans: tuple[StoredBan, ...] = ()
