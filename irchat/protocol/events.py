"""Messages from the server: replies and events, as frozen structs of names and numbers."""

from typing import Annotated

from msgspec import Meta, Struct, field

from irchat.protocol.rules import REF_LENGTH

Ref = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)] | Annotated[str, Meta(max_length=REF_LENGTH)]


class Event(Struct, frozen=True, omit_defaults=True, tag_field="type", tag=str.lower):
    """A reply or event. Times are RFC 3339 in UTC; a chat is named as its reader sees it."""


class Mark(Struct, frozen=True):
    """A mark on a message: how many users put it there, at most 10 of their names, and whether the reader did."""

    mark: str
    count: int
    names: list[str]
    mine: bool


class Message(Event, frozen=True):
    """A message in a chat. A stored one has ``seq``; a timed one has ``id``, ``expires_at`` and ``left_ms``.

    ``rev``: the number of its last change in its chat, if it was ever changed. ``edited``: the time of its last edit.
    ``to``: the names that it mentions.
    """

    chat: str
    sender: str = field(name="from")
    at: str
    text: str
    seq: int | None = None
    id: str | None = None
    expires_at: str | None = None
    left_ms: int | None = None
    rev: int | None = None
    edited: str | None = None
    marks: list[Mark] | None = None
    to: list[str] | None = None


class Notice(Message, frozen=True, tag="message"):
    """A stored message that a program should not answer. In JSON it is like any other message."""


class Signal(Event, frozen=True):
    """A signal of a user to the online users of a chat, such as that it types. Stored nowhere.

    ``tags``: names with values. Not in JSON: only protocols that want asides show it.
    """

    chat: str
    sender: str = field(name="from")
    at: str
    tags: dict[str, str]


class Personas(Event, frozen=True):
    """The users that went away (with a text) or came back (None), and the new real names. Not in JSON.

    Only protocols that want asides show it.
    """

    away: dict[str, str | None]
    realnames: dict[str, str]


class Sent(Event, frozen=True):
    """The reply to the sender. A timed message reached ``reached`` of the ``of`` other users at once."""

    chat: str
    at: str
    seq: int | None = None
    id: str | None = None
    expires_at: str | None = None
    left_ms: int | None = None
    reached: int | None = None
    of: int | None = None


class Amended(Event, frozen=True):
    """A change of a stored message: edit (``text``, ``edited``), deletion (``deleted``) or mark (``mark``, ``on``).

    A session that fell behind gets the present state: ``text`` and all ``marks``, and ``edited`` if it was ever edited.
    ``by`` is empty if the reader may not know who did it, or in a present state.
    """

    chat: str
    seq: int
    rev: int
    by: str
    at: str
    text: str | None = None
    edited: str | None = None
    deleted: bool = False
    mark: str | None = None
    on: bool | None = None
    marks: list[Mark] | None = None


class Erased(Event, frozen=True):
    """The timed message ``id`` has ended."""

    chat: str
    id: str


class UnreadChat(Struct, frozen=True):
    """A chat with ``unread`` messages, the last stored one numbered ``last_seq``.

    ``rev`` is that of its last change. ``mentions``: how many of the unread messages mention the reader. ``alert``:
    when the chat alerts the reader: ``all``, ``mentions`` or ``none``. An older server sends none of these three.
    """

    chat: str
    id: str
    unread: int
    last_seq: int
    rev: int = 0
    mentions: int = 0
    alert: str = ""


class Welcome(Event, frozen=True):
    """The session is signed in. If ``epoch`` differs from the last one, the client drops all that it has loaded."""

    name: str
    new: bool
    token: str
    version: int
    limits: dict[str, int]
    online: list[str]
    online_count: int
    unread: list[UnreadChat]
    epoch: str = ""
    features: list[str] = []


class History(Event, frozen=True, omit_defaults=False):
    """A page of a chat, oldest first. ``more``: there are more messages in the requested direction.

    ``rev`` is that of the last change of the chat. A page of changes (``after_rev``) is in the order of ``rev``: its
    ``rev`` is that up to which it has all changes, and ``deleted`` has the numbers of deleted messages.
    """

    chat: str
    messages: list[Message]
    more: bool
    rev: int = 0
    deleted: list[int] = []


class Found(Event, frozen=True):
    """The messages that a search found, newest first. ``more``: there may be others; narrow the words or the chat."""

    messages: list[Message]
    more: bool


class Chat(Struct, frozen=True):
    """One of the reader's chats. ``last_at`` is null while it has no message. The other fields: see `UnreadChat`."""

    chat: str
    id: str
    unread: int
    last_seq: int
    read_seq: int
    last_at: str | None
    rev: int = 0
    mentions: int = 0
    alert: str = ""


class Alert(Event, frozen=True):
    """When a chat alerts the reader: ``all``, ``mentions`` or ``none``."""

    chat: str
    alert: str


class Chats(Event, frozen=True):
    """The reader's chats, latest first."""

    chats: list[Chat]


class Users(Event, frozen=True):
    """Names of users. ``more``: the list was cut at the limit."""

    online: list[str]
    offline: list[str]
    more: bool


class Group(Event, frozen=True):
    """The current state of a group, with its members in the order in which they joined."""

    group: str
    id: str
    owner: str
    members: list[str]


class Added(Event, frozen=True):
    """``by`` added ``name`` to the group."""

    group: str
    id: str
    name: str
    by: str
    owner: str


class Removed(Event, frozen=True):
    """``by`` removed ``name`` from the group. ``owner`` is the new owner, or empty if the group was dissolved.

    ``reason``: as given by ``by``, on one line. It is stored nowhere.
    """

    group: str
    id: str
    name: str
    by: str
    owner: str
    reason: str | None = None


class Presence(Event, frozen=True):
    """The users that came online and went offline since the last such event."""

    online: list[str]
    offline: list[str]


class Blocks(Event, frozen=True):
    """The users that the reader blocks."""

    names: list[str]


class ListedSession(Struct, frozen=True, omit_defaults=True):
    """A sign-in of the reader, and the sessions that use its token.

    ``since``: when it was created, or null if an older version did. ``used``: its last use, to the day. ``label``: the
    name that an administrator gave to the token of a program. ``online``: a session uses it now. ``this``: the session
    of the reader does.
    """

    id: str
    since: str | None
    used: str
    label: str = ""
    online: bool = False
    this: bool = False


class Sessions(Event, frozen=True):
    """The sign-ins of the reader, oldest first. ``more``: there are others, which were not used for longer.

    ``unlisted``: the number of online sessions that use none of them, such as those of the text protocol.
    """

    sessions: list[ListedSession]
    more: bool = False
    unlisted: int = 0


class Read(Event, frozen=True):
    """Another session of the reader moved the read marker of a chat."""

    chat: str
    seq: int


class Key(Struct, frozen=True):
    """A public key that signs in the reader over SSH. ``used``: the time of its last sign-in, or null."""

    number: int
    kind: str
    fingerprint: str
    comment: str
    added: str
    used: str | None = None


class OfferedKey(Struct, frozen=True):
    """A public key that the SSH connection of the reader has offered, and that is not in the list."""

    number: int
    kind: str
    fingerprint: str


class Keys(Event, frozen=True):
    """The reader's public keys. ``offered``: those that can be added by number."""

    keys: list[Key]
    offered: list[OfferedKey] = []


class Help(Event, frozen=True):
    """The manual, or a part of it."""

    text: str


class Ok(Event, frozen=True):
    """The request was carried out."""


class Ping(Event, frozen=True):
    """The keepalive of the server. Any line answers it."""


class Pong(Event, frozen=True):
    """The reply to ``ping``."""


class Bye(Event, frozen=True):
    """The server closes the connection, for ``reason``."""

    reason: str


class Error(Event, frozen=True):
    """A request was refused: an `errors.Code`, and what to do next; ``until`` when a ban ends."""

    code: str
    text: str
    usage: str | None = None
    until: str | None = None


ANY = (
    Message
    | Sent
    | Amended
    | Alert
    | Erased
    | Welcome
    | History
    | Found
    | Chats
    | Users
    | Group
    | Added
    | Removed
    | Presence
    | Blocks
    | Sessions
    | Read
    | Keys
    | Help
    | Ok
    | Ping
    | Pong
    | Bye
    | Error
)
