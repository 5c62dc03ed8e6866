"""The values returned by a store. Times are in ms since the epoch."""

from typing import NamedTuple

from irchat.protocol.errors import Code

ChatKey = int | tuple[int, int]
"""The key of a chat: `GLOBAL`, the id of a group, or the ids of the two users of a private chat, lower first."""

GLOBAL: ChatKey = 1


class Stored(NamedTuple):
    """The place and time of a stored message. ``repeated``: it was stored earlier, with the same nonce.

    ``to``: the ids of the users that it mentions.
    """

    chat: ChatKey
    seq: int
    at: int
    repeated: bool
    to: tuple[int, ...] = ()


class StoredChange(NamedTuple):
    """The result of a change of a message. If ``refusal`` is set, nothing was changed.

    ``rev``: the number of the change in its chat. ``at``: its time. ``sent_at``: that of the message. ``on``: whether a
    mark is there now. ``is_new``: False if a mark was already as requested, which changes nothing and has no ``rev``.
    ``late``: members of a group that joined after the message, and must not learn of it.
    """

    seq: int = 0
    rev: int = 0
    sender: int = 0
    at: int = 0
    sent_at: int = 0
    on: bool = False
    is_new: bool = True
    late: frozenset[int] = frozenset()
    refusal: Code | None = None


class Marker(NamedTuple):
    """The result of moving a read marker.

    ``seq`` is the requested place, limited to the ``last_seq`` of the chat. ``moved`` is False if the marker was
    already there or further: it never moves back.
    """

    seq: int
    last_seq: int
    moved: bool


class StoredMark(NamedTuple):
    """A mark on a message: its number of users, the first of them, and whether the reader is one. None is hidden."""

    mark: str
    count: int  # type: ignore[assignment]  # instead of tuple.count
    users: tuple[int, ...]
    mine: bool


class PlacedMark(NamedTuple):
    """A mark of a user, and the place of its message. ``key``: equal for equal marks."""

    chat: ChatKey
    seq: int
    user: int
    mark: str
    key: str


class StoredMessage(NamedTuple):
    """A message as the store holds it.

    ``rev``: the number of its last change, or 0. ``edited_at``: the time of its last edit. ``to``: the ids of the users
    that it mentions. ``notice``: a program should not answer it.
    """

    chat: ChatKey
    seq: int
    sender: int
    at: int
    text: str
    rev: int = 0
    edited_at: int | None = None
    marks: tuple[StoredMark, ...] = ()
    to: tuple[int, ...] = ()
    notice: bool = False


class Page(NamedTuple):
    """Messages of a chat, oldest first, and the ``last_seq`` of the chat.

    ``more``: whether there are more in the requested direction. ``end``: the seq of the last message that is not hidden
    from the reader, or 0. ``rev``: the number of the last change of the chat.

    A page of changes (``after_rev``) is in the order of ``rev``: its ``rev`` is that up to which it has all changes.
    ``deleted`` has the numbers of deleted messages, and ``deleted_revs`` those of their deletions.
    """

    messages: list[StoredMessage]
    more: bool
    last_seq: int
    end: int = 0
    rev: int = 0
    deleted: tuple[int, ...] = ()
    deleted_revs: tuple[int, ...] = ()


class StoredChat(NamedTuple):
    """A chat as one of its users sees it.

    ``last_seq`` and ``last_at`` (None without messages) are those of the last message not hidden from the user, even if
    it was deleted later. ``read_seq`` is at most ``last_seq``. ``rev``: the number of the last change. ``mentions``:
    how many of the unread messages mention the user. ``alert``: the setting of the user, or None for the default.
    """

    chat: ChatKey
    last_seq: int
    last_at: int | None
    read_seq: int
    unread: int
    rev: int = 0
    mentions: int = 0
    alert: str | None = None


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
    """A token: its user, its last use, and whether it was created with a password.

    ``label``: the name that an administrator gave it, or None for the token of a person's sign-in. A token with a label
    does not expire.
    """

    user: int
    used_at: int
    by_password: bool
    label: str | None = None


class StoredSignIn(NamedTuple):
    """A token in the list of its user. ``created_at``: None for a token of an older version."""

    token: bytes
    created_at: int | None
    used_at: int
    label: str | None


class StoredKey(NamedTuple):
    """A public key that signs in a user. ``blob``: its binary form. ``used_at``: its last use, or None."""

    kind: str
    blob: bytes
    fingerprint: str
    comment: str
    added_at: int
    used_at: int | None


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
