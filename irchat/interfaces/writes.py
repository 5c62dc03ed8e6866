"""What the core asks a store to commit: plain values, each typed by what its commit returns.

A write is named by the fact that it makes true. Committed, and together with its result, it is an `Entry`.
"""

from typing import Generic, TypeVar

from msgspec import Struct

from irchat.interfaces.stored import ChatKey, Marker, Stored, StoredBan

Result_co = TypeVar("Result_co", covariant=True)


class Write(Struct, Generic[Result_co], frozen=True, gc=False, tag=True):
    """A write whose commit returns a ``Result_co``."""


class Entry(Struct, frozen=True, gc=False):
    """A committed write and what its commit returned: memory follows entries alone, in the order of commits."""

    write: Write[object]
    result: object = None


class UserCreated(Write[int], frozen=True, gc=False):
    """A new account, its marker in GLOBAL at the end. Returns its id. ``password`` is a hash, or None for no password.

    A ``token`` counts as made by password if there is a password.
    """

    name: str
    key: str
    password: str | None
    at: int
    token: bytes | None


class PasswordSet(Write[None], frozen=True, gc=False):
    """A new password hash; ends all tokens of the user but ``keep``."""

    user: int
    password: str
    keep: bytes | None


class HashReplaced(Write[None], frozen=True, gc=False):
    """A new hash of the same password. Changes nothing if ``old`` is no longer the hash."""

    user: int
    old: str
    new: str


class TokenAdded(Write[None], frozen=True, gc=False):
    """A new token, by its hash. ``by_password``: whether a password was asked for."""

    token: bytes
    user: int
    at: int
    by_password: bool = True


class TokenUsed(Write[bool], frozen=True, gc=False):
    """A token was used at ``at``. Returns whether the token exists."""

    token: bytes
    at: int


class TokenRemoved(Write[None], frozen=True, gc=False):
    """The end of a token."""

    token: bytes


class MessageAdded(Write[Stored], frozen=True, gc=False):
    """A message; moves the marker of its sender to it. Returns its place, and the time that it has been given.

    Times rise within a chat, and follow ``at`` as far as that allows: if the clock was set back by more than a second,
    they repeat. If the sender used ``nonce`` at ``nonces_since`` (ms) or later, nothing is stored and the first message
    is returned again.
    """

    chat: ChatKey
    sender: int
    text: str
    at: int
    nonce: str | None
    nonces_since: int


class NonceSought(Write[Stored | None], frozen=True, gc=False):
    """A search for a nonce, as `MessageAdded` does it. Changes nothing. Returns the first message, or None."""

    sender: int
    nonce: str
    nonces_since: int


class MarkerMoved(Write[Marker], frozen=True, gc=False):
    """A read marker moves forward to ``seq``, or to the end of the chat if that comes first."""

    user: int
    chat: ChatKey
    seq: int


class GroupCreated(Write[int], frozen=True, gc=False):
    """A group; ``members`` in join order, the owner first. Returns its id, which is never used again."""

    name: str
    key: str
    members: tuple[int, ...]
    at: int


class MemberAdded(Write[None], frozen=True, gc=False):
    """A new member, added by the user ``by``. Earlier messages stay hidden from it."""

    group: int
    user: int
    by: int


class MemberRemoved(Write[None], frozen=True, gc=False):
    """The end of a membership, made by the user ``by``. ``owner`` owns the group from now on."""

    group: int
    user: int
    owner: int
    by: int


class GroupRemoved(Write[None], frozen=True, gc=False):
    """The last member left: the group ends, with all its messages."""

    group: int


class BlockSet(Write[None], frozen=True, gc=False):
    """A block begins or, with ``blocked`` false, ends."""

    blocker: int
    blocked_user: int
    blocked: bool


class UserRemoved(Write[None], frozen=True, gc=False):
    """The end of an account: its password, tokens, nonces, memberships and ban go.

    Its messages stay, under the ``name`` (and ``key``) that it has from now on. ``groups``: the groups that it was in,
    each with its owner from now on, None if it was the last member: that group ends, with all its messages.
    """

    user: int
    name: str
    key: str
    at: int
    groups: tuple[tuple[int, int | None], ...]


class MessagesDeleted(Write[None], frozen=True, gc=False):
    """Messages are deleted for good. A private chat that is left without messages goes too."""

    places: tuple[tuple[ChatKey, int], ...]


class BanSet(Write[None], frozen=True, gc=False):
    """A ban of a user or network begins, or changes. Bans that have ended by ``at`` go."""

    ban: StoredBan
    at: int


class BanRemoved(Write[None], frozen=True, gc=False):
    """The ban of a user or network ends."""

    user: int | None
    network: str | None
