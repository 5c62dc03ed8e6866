"""The vocabulary of the wire, from the server: replies and events, frozen structs of names and numbers."""

from typing import Annotated

from msgspec import Meta, Struct, field

from irchat.protocol.rules import REF_LENGTH

Ref = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)] | Annotated[str, Meta(max_length=REF_LENGTH)]


class Event(Struct, frozen=True, omit_defaults=True, tag_field="type", tag=str.lower):
    """What sessions are told. Times are RFC 3339 in UTC; chats are written as their reader sees them."""


class Message(Event, frozen=True):
    """What was said in a chat. A stored one has ``seq``; a timed one ``id``, ``expires_at`` and ``left_ms``."""

    chat: str
    sender: str = field(name="from")
    at: str
    text: str
    seq: int | None = None
    id: str | None = None
    expires_at: str | None = None
    left_ms: int | None = None


class Sent(Event, frozen=True):
    """The reply to the one who sent. ``reached`` of ``of`` others had a timed message at once."""

    chat: str
    at: str
    seq: int | None = None
    id: str | None = None
    expires_at: str | None = None
    left_ms: int | None = None
    reached: int | None = None
    of: int | None = None


class Erased(Event, frozen=True):
    """The timed message ``id`` has ended."""

    chat: str
    id: str


class UnreadChat(Struct, frozen=True):
    """A chat with ``unread`` messages, the last stored one numbered ``last_seq``."""

    chat: str
    id: str
    unread: int
    last_seq: int


class Welcome(Event, frozen=True):
    """The session is signed in. On another ``epoch`` than before what the client has loaded is of no use any more."""

    name: str
    new: bool
    token: str
    version: int
    limits: dict[str, int]
    online: list[str]
    online_count: int
    unread: list[UnreadChat]
    epoch: str = ""


class History(Event, frozen=True):
    """A page of a chat, oldest first; ``more`` in the direction that was asked."""

    chat: str
    messages: list[Message]
    more: bool


class Found(Event, frozen=True):
    """What a search found, newest first; ``more``: narrow the words or name a chat."""

    messages: list[Message]
    more: bool


class Chat(Struct, frozen=True):
    """One of the reader's chats; ``last_at`` is null where nothing was said yet."""

    chat: str
    id: str
    unread: int
    last_seq: int
    read_seq: int
    last_at: str | None


class Chats(Event, frozen=True):
    """The reader's chats, latest first."""

    chats: list[Chat]


class Users(Event, frozen=True):
    """Names of users; ``more``: the list was cut at the limit."""

    online: list[str]
    offline: list[str]
    more: bool


class Group(Event, frozen=True):
    """A group as it is now, its members in order of standing."""

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
    """``by`` removed ``name`` from the group; ``owner`` is who owns it now, empty where the group is no more."""

    group: str
    id: str
    name: str
    by: str
    owner: str


class Presence(Event, frozen=True):
    """Who came and who went since the last one."""

    online: list[str]
    offline: list[str]


class Blocks(Event, frozen=True):
    """Whom the reader blocks."""

    names: list[str]


class Read(Event, frozen=True):
    """The reader's marker in a chat moved, in another session."""

    chat: str
    seq: int


class Help(Event, frozen=True):
    """The manual, or a part of it."""

    text: str


class Ok(Event, frozen=True):
    """Done."""


class Ping(Event, frozen=True):
    """Are you there? Any line answers."""


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
    | Read
    | Help
    | Ok
    | Ping
    | Pong
    | Bye
    | Error
)
