"""The values returned by a store. Times are in ms since the epoch."""

from typing import NamedTuple

ChatKey = int | tuple[int, int]
"""The key of a chat: `GLOBAL`, the id of a group, or the ids of the two users of a private chat, lower first."""

GLOBAL: ChatKey = 1


class Stored(NamedTuple):
    """The place and time of a stored message. ``repeated``: it was stored earlier, with the same nonce."""

    chat: ChatKey
    seq: int
    at: int
    repeated: bool


class Marker(NamedTuple):
    """The result of moving a read marker.

    ``seq`` is the requested place, limited to the ``last_seq`` of the chat. ``moved`` is False if the marker was
    already there or further: it never moves back.
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
    """Messages of a chat, oldest first, and the ``last_seq`` of the chat.

    ``more``: whether there are more in the requested direction. ``end``: the seq of the last message that is not hidden
    from the reader, or 0.
    """

    messages: list[StoredMessage]
    more: bool
    last_seq: int
    end: int = 0


class StoredChat(NamedTuple):
    """A chat as one of its users sees it.

    ``last_seq`` and ``last_at`` (None without messages) are those of the last message not hidden from the user, even if
    it was deleted later. ``read_seq`` is at most ``last_seq``.
    """

    chat: ChatKey
    last_seq: int
    last_at: int | None
    read_seq: int
    unread: int


class StoredUser(NamedTuple):
    """An account. A ``removed`` account is kept because its messages refer to it."""

    id: int
    name: str
    key: str
    removed: bool = False


class StoredBan(NamedTuple):
    """A ban of a user, or of a network in the form of ``ipaddress``. ``until`` is None for a permanent ban."""

    user: int | None
    network: str | None
    until: int | None
    reason: str


class StoredToken(NamedTuple):
    """A token: its user, its last use, and whether it was created with a password."""

    user: int
    used_at: int
    by_password: bool


class StoredAccount(NamedTuple):
    """An account in the administrator's list."""

    id: int
    key: str
    created_at: int


class Figures(NamedTuple):
    """The size of the store. ``database_bytes`` includes the journal."""

    messages: int
    private_chats: int
    tokens: int
    database_bytes: int


class Places(NamedTuple):
    """Places of messages, by chat. ``further``: the ``after`` of the next call, or None at the end."""

    places: tuple[tuple[ChatKey, int], ...]
    further: tuple[int, int] | None


class StoredGroup(NamedTuple):
    """A group. ``members`` are in join order."""

    id: int
    name: str
    key: str
    owner: int
    members: list[int]


class Snapshot(NamedTuple):
    """All data that the core keeps in memory. ``blocks`` are pairs (blocker, blocked)."""

    users: list[StoredUser]
    groups: list[StoredGroup]
    blocks: list[tuple[int, int]]
    bans: tuple[StoredBan, ...] = ()
