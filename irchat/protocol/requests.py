"""The vocabulary of the wire, from the client: what a session asks, as frozen structs."""

import re
from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from irchat.protocol.events import Ref
from irchat.protocol.rules import NONCE_LENGTH, PAGE_DEFAULT, USERS_DEFAULT

Nonce = Annotated[str, Meta(min_length=1, max_length=NONCE_LENGTH)]
Count = Annotated[int, Meta(ge=1, le=2**63 - 1)]
Seq = Annotated[int, Meta(ge=0, le=2**63 - 1)]  # what a store can count


def _tag(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


class Request(Struct, frozen=True, omit_defaults=True, tag_field="type", tag=_tag):
    """What a session asks. Its reply carries the same ``ref``."""

    ref: Ref | UnsetType = UNSET


class Register(Request, frozen=True, kw_only=True):
    """Make an account and sign in."""

    name: str
    password: str


class Login(Request, frozen=True, kw_only=True):
    """Sign in. The password is not needed where the server runs without passwords."""

    name: str
    password: str | None = None


class Resume(Request, frozen=True, kw_only=True):
    """Sign in by a token."""

    token: str


class Line(Request, frozen=True, kw_only=True):
    """A line as a person types it. Plain text goes to ``chat``, to everyone without it."""

    line: str
    chat: str | None = None
    nonce: Nonce | None = None


class Send(Request, frozen=True, kw_only=True):
    """Say ``text`` in a chat; timed where ``expires_in`` (seconds) is given."""

    chat: str
    text: str
    expires_in: int | None = None
    nonce: Nonce | None = None


class History(Request, frozen=True, kw_only=True):
    """A page of a chat: before or after a seq, only what is unread, or its end."""

    chat: str
    before: Seq | None = None
    after: Seq | None = None
    unread: bool = False
    limit: Count = PAGE_DEFAULT
    mark_read: bool = False


class Search(Request, frozen=True, kw_only=True):
    """Messages that hold all the words, in one chat or in all."""

    words: str
    chat: str | None = None
    limit: Count = PAGE_DEFAULT


class Read(Request, frozen=True, kw_only=True):
    """Move the read marker of a chat forward to ``seq``."""

    chat: str
    seq: Seq


class Chats(Request, frozen=True, kw_only=True):
    """List one's chats."""


class Users(Request, frozen=True, kw_only=True):
    """List the users whose name begins with ``prefix``."""

    prefix: str = ""
    limit: Count = USERS_DEFAULT


class CreateGroup(Request, frozen=True, kw_only=True):
    """Create a group of oneself and ``members``."""

    name: str
    members: list[str]


class AddMember(Request, frozen=True, kw_only=True):
    """Add a user to a group."""

    group: str
    name: str


class RemoveMember(Request, frozen=True, kw_only=True):
    """Remove a user, or oneself, from a group."""

    group: str
    name: str


class Members(Request, frozen=True, kw_only=True):
    """List the members of a group."""

    group: str


class Block(Request, frozen=True, kw_only=True):
    """Block a user or lift the block; without ``blocked`` the other way round than it is."""

    name: str
    blocked: bool | None = None


class Blocks(Request, frozen=True, kw_only=True):
    """List whom one blocks."""


class Help(Request, frozen=True, kw_only=True):
    """The manual, or the part of one prefix."""

    prefix: str | None = None


class Password(Request, frozen=True, kw_only=True):
    """Change one's password."""

    old: str
    new: str


class Logout(Request, frozen=True, kw_only=True):
    """Leave; ``forget`` ends the token as well."""

    forget: bool = False


class Ping(Request, frozen=True, kw_only=True):
    """Ask for a ``pong``."""


class Pong(Request, frozen=True, kw_only=True):
    """Answer the server's ``ping``; has no reply."""


# What administrators type. These cannot be sent as requests of their own, only in a line.


class Kick(Request, frozen=True, kw_only=True):
    """End the sessions of a user."""

    name: str


class Ban(Request, frozen=True, kw_only=True):
    """Ban a user for a time, as ``2h30m`` or ``2026-12-01T12:00``, or for good."""

    name: str
    end: str | None = None


class Unban(Request, frozen=True, kw_only=True):
    """Lift the ban of a user."""

    name: str


ANY = (
    Register
    | Login
    | Resume
    | Line
    | Send
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
    | Logout
    | Ping
    | Pong
)
