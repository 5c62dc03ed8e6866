"""Messages from the client: requests, as frozen structs."""

import re
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from irchat.protocol.events import Ref
from irchat.protocol.rules import NONCE_LENGTH, PAGE_DEFAULT, REASON_LENGTH, USERS_DEFAULT

Nonce = Annotated[str, Meta(min_length=1, max_length=NONCE_LENGTH)]
Count = Annotated[int, Meta(ge=1, le=2**63 - 1)]
Seq = Annotated[int, Meta(ge=0, le=2**63 - 1)]  # what a store can count


def _tag(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


class Request(Struct, frozen=True, omit_defaults=True, tag_field="type", tag=_tag):
    """A request of a session. The reply carries the same ``ref``."""

    ref: Ref | UnsetType = UNSET


class Register(Request, frozen=True, kw_only=True):
    """Create an account and sign in."""

    name: str
    password: str


class Login(Request, frozen=True, kw_only=True):
    """Sign in by name and password. A server without passwords needs none."""

    name: str
    password: str | None = None


class Resume(Request, frozen=True, kw_only=True):
    """Sign in by a token."""

    token: str


class Line(Request, frozen=True, kw_only=True):
    """A line as a person types it. Plain text goes to ``chat``, or to everyone if none is named.

    ``id``: the id of ``chat``, as in `Send`.
    """

    line: str
    chat: str | None = None
    nonce: Nonce | None = None
    id: str | None = None


class Send(Request, frozen=True, kw_only=True):
    """Send ``text`` to a chat. ``expires_in`` (seconds) makes the message a timed one.

    ``id``: the id of the chat, if known. The message is refused if the name has become that of another chat.
    """

    chat: str
    text: str
    expires_in: int | None = None
    nonce: Nonce | None = None
    id: str | None = None


class Amend(Request, frozen=True, kw_only=True):
    """Edit (``text``) or delete the stored message ``seq``, or take back the timed message ``id``."""

    chat: str
    seq: Seq | None = None
    id: str | None = None
    text: str | None = None
    delete: bool = False


class Mark(Request, frozen=True, kw_only=True):
    """Put a mark on a message, or take it off. Without ``on``, toggle it."""

    chat: str
    seq: Seq
    mark: str
    on: bool | None = None


class Alert(Request, frozen=True, kw_only=True):
    """Request when a chat alerts the user, or set it to ``all``, ``mentions`` or ``none``."""

    chat: str
    alert: Literal["all", "mentions", "none"] | None = None


class History(Request, frozen=True, kw_only=True):
    """Request a page of a chat: the newest messages, or one of these.

    ``before`` or ``after`` a ``seq``; the ``unread`` ones; half of ``limit`` before the message ``around`` and half
    from it on; from the time ``since`` (RFC 3339) on; or the messages changed after the change ``after_rev``.
    """

    chat: str
    before: Seq | None = None
    after: Seq | None = None
    unread: bool = False
    around: Seq | None = None
    since: str | None = None
    after_rev: Seq | None = None
    limit: Count = PAGE_DEFAULT
    mark_read: bool = False


class Search(Request, frozen=True, kw_only=True):
    """Search one chat, or all of them, for messages that contain all the words.

    With ``mark``, only for those with that mark; with ``mentions``, only for those that mention the user. ``words`` may
    then be empty.
    """

    words: str = ""
    chat: str | None = None
    mark: str | None = None
    mentions: bool = False
    limit: Count = PAGE_DEFAULT


class Read(Request, frozen=True, kw_only=True):
    """Move the read marker of a chat forward to ``seq``."""

    chat: str
    seq: Seq


class Chats(Request, frozen=True, kw_only=True):
    """List the chats of the user."""


class Users(Request, frozen=True, kw_only=True):
    """List the users whose names begin with ``prefix``."""

    prefix: str = ""
    limit: Count = USERS_DEFAULT


class CreateGroup(Request, frozen=True, kw_only=True):
    """Create a group of the user and ``members``."""

    name: str
    members: list[str]


class AddMember(Request, frozen=True, kw_only=True):
    """Add a user to a group."""

    group: str
    name: str


class RemoveMember(Request, frozen=True, kw_only=True):
    """Remove a user from a group, or leave it. ``reason`` is shown to its members, and stored nowhere."""

    group: str
    name: str
    reason: Annotated[str, Meta(max_length=REASON_LENGTH)] | None = None


class Members(Request, frozen=True, kw_only=True):
    """List the members of a group."""

    group: str


class Block(Request, frozen=True, kw_only=True):
    """Block a user or lift the block. Without ``blocked``, toggle it."""

    name: str
    blocked: bool | None = None


class Blocks(Request, frozen=True, kw_only=True):
    """List the blocked users."""


class Help(Request, frozen=True, kw_only=True):
    """Request the manual, or its part for one prefix."""

    prefix: str | None = None


class Password(Request, frozen=True, kw_only=True):
    """Change the password of the user."""

    old: str
    new: str


class Sessions(Request, frozen=True, kw_only=True):
    """List the sessions of the user that can be ended."""


class EndSessions(Request, frozen=True, kw_only=True):
    """End the session ``id``, or with ``others`` all sessions of the user except this one."""

    id: str | None = None
    others: bool = False


class Logout(Request, frozen=True, kw_only=True):
    """Sign out. ``forget`` revokes the token as well."""

    forget: bool = False


class Ping(Request, frozen=True, kw_only=True):
    """Request a ``pong``."""


class Pong(Request, frozen=True, kw_only=True):
    """The answer to the server's ``ping``. It has no reply."""


# Requests that no program can send: of administrators, `AmendLast` and `EndListed`, which can only be typed in a line,
# and of protocols other than JSON.


class Notice(Send, frozen=True, kw_only=True):
    """Send a message that a program should not answer."""


class Signal(Request, frozen=True, kw_only=True):
    """Pass ``tags`` on to the online users of a chat. They are stored nowhere. ``id``: see `Send`."""

    chat: str
    tags: dict[str, str]
    id: str | None = None


class AmendLast(Request, frozen=True, kw_only=True):
    """Edit (``text``) or take back the last message of the user in a chat, as `Amend` does."""

    chat: str
    text: str | None = None


class EndListed(Request, frozen=True, kw_only=True):
    """End a session by its ``number`` in the list that this session was shown last."""

    number: int


class Kick(Request, frozen=True, kw_only=True):
    """End the sessions of a user."""

    name: str


class Ban(Request, frozen=True, kw_only=True):
    """Ban a user for a time, such as ``2h30m`` or until ``2026-12-01T12:00``, or for good."""

    name: str
    end: str | None = None


class Unban(Request, frozen=True, kw_only=True):
    """Lift the ban of a user."""

    name: str


class Keys(Request, frozen=True, kw_only=True):
    """List the public keys that sign in the user over SSH."""


class AddKey(Request, frozen=True, kw_only=True):
    """Add a public key: a line of ``authorized_keys``, or the ``number`` of a key that this SSH connection offered."""

    key: str | None = None
    number: Count | None = None


class RemoveKey(Request, frozen=True, kw_only=True):
    """Remove a public key, by its ``number`` in the list or by its ``fingerprint``, and end its sessions."""

    number: Count | None = None
    fingerprint: str | None = None


class KeyOf(Request, frozen=True, kw_only=True):
    """Ask whether a public key (``blob`` in base64) signs in ``user``. Only for the process of the SSH door."""

    user: str
    kind: str
    blob: str


class Vouch(Request, frozen=True, kw_only=True):
    """Sign in ``user``, whose signature with the key of this fingerprint was verified. Only for the SSH door."""

    user: str
    fingerprint: str


ANY = (
    Register
    | Login
    | Resume
    | Line
    | Send
    | Amend
    | Mark
    | Alert
    | History
    | Search
    | Read
    | Chats
    | Users
    | CreateGroup
    | AddMember
    | RemoveMember
    | Members
    | Block
    | Blocks
    | Help
    | Password
    | Keys
    | AddKey
    | RemoveKey
    | Sessions
    | EndSessions
    | Logout
    | Ping
    | Pong
)

OF_SSH_DOOR = ANY | KeyOf | Vouch
"""The requests on the socket of the SSH door."""
