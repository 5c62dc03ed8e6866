"""The writes that the core asks a store to commit: plain values, each typed by the result of its commit.

A write is named after the fact that it records. A committed write with its result is an `Entry`.
"""

from typing import Generic, TypeVar

from msgspec import Struct

from irchat.interfaces.stored import ChatKey, Marker, PlacedMark, Stored, StoredBan, StoredChange

Result_co = TypeVar("Result_co", covariant=True)


class Write(Struct, Generic[Result_co], frozen=True, gc=False, tag=True):
    """A write whose commit returns a ``Result_co``."""


class Entry(Struct, frozen=True, gc=False):
    """A committed write and its result. Memory is updated only from entries, in the order of commits."""

    write: Write[object]
    result: object = None


class UserCreated(Write[int], frozen=True, gc=False):
    """A new account, with its marker in GLOBAL at the end. Returns its id.

    ``password`` is a hash, or None for no password. With a password, ``token`` counts as created by password.
    """

    name: str
    key: str
    password: str | None
    at: int
    token: bytes | None


class PasswordSet(Write[None], frozen=True, gc=False):
    """A new password hash. Ends all tokens of the user except ``keep``, and its sessions, with the text ``goodbye``.

    With ``ends_keys``, its public keys end too.
    """

    user: int
    password: str
    keep: bytes | None
    goodbye: str = ""
    ends_keys: bool = False


class HashReplaced(Write[None], frozen=True, gc=False):
    """A new hash of the same password. Changes nothing if ``old`` is no longer the hash."""

    user: int
    old: str
    new: str


class TokenAdded(Write[None], frozen=True, gc=False):
    """A new token, by its hash. ``by_password``: whether the user gave a password.

    ``label``: see `irchat.interfaces.stored.StoredToken`.
    """

    token: bytes
    user: int
    at: int
    by_password: bool = True
    label: str | None = None


class TokenUsed(Write[bool], frozen=True, gc=False):
    """A token was used at ``at``. Returns whether the token exists."""

    token: bytes
    at: int


class TokenRemoved(Write[None], frozen=True, gc=False):
    """The end of a token."""

    token: bytes


class KeyAdded(Write[bool], frozen=True, gc=False):
    """A new public key of a user. Returns False, and changes nothing, if the user has ``most`` others.

    A key that the user has gets the new comment.
    """

    user: int
    kind: str
    blob: bytes
    fingerprint: str
    comment: str
    at: int
    most: int


class KeyUsed(Write[bool], frozen=True, gc=False):
    """A public key signed its user in, at ``at``. Returns whether the key exists."""

    user: int
    fingerprint: str
    at: int


class KeyRemoved(Write[bool], frozen=True, gc=False):
    """The end of a public key, and of the sessions that it signed in, with the text ``goodbye``.

    ``sign_in``: the `irchat.interfaces.bus.sign_in_id` of those sessions. Returns whether the key existed.
    """

    user: int
    fingerprint: str
    sign_in: str
    goodbye: str


class SignInEnded(Write[None], frozen=True, gc=False):
    """The end of a token, and of the sessions that were signed in with it, with the text ``goodbye``.

    ``sign_in``: the `irchat.interfaces.bus.sign_in_id` of the token.
    """

    user: int
    token: bytes
    sign_in: str
    goodbye: str


class OtherSignInsEnded(Write[None], frozen=True, gc=False):
    """The end of all tokens of the user except ``keep``, and of its sessions, with the text ``goodbye``."""

    user: int
    keep: bytes | None
    goodbye: str


class MessageAdded(Write[Stored], frozen=True, gc=False):
    """A message. Moves the marker of its sender to it. Returns its place and its final time.

    Times rise within a chat, by a millisecond at least, so the final time may be later than ``at``. If the sender used
    ``nonce`` at ``nonces_since`` (ms) or later, nothing is stored and the place of the first message is returned.

    ``mentions``: the ids of the users called by name in the text. ``reply_to``: the seq of the message that the text
    answers: its sender is mentioned too, if that message still stands and its sender is neither ``sender`` nor in
    ``hidden``. ``notice``: a program should not answer it.
    """

    chat: ChatKey
    sender: int
    text: str
    at: int
    nonce: str | None
    nonces_since: int
    mentions: tuple[int, ...] = ()
    reply_to: int | None = None
    hidden: frozenset[int] = frozenset()
    notice: bool = False


class NonceSought(Write[Stored | None], frozen=True, gc=False):
    """A lookup of a nonce, as in `MessageAdded`. Changes nothing. Returns the place of its message, or None."""

    sender: int
    nonce: str
    nonces_since: int


class MessageEdited(Write[StoredChange], frozen=True, gc=False):
    """A new text of the message ``seq`` of a chat by its sender, at ``at``. None as ``seq``: its last one there.

    Refused with ``no-such-message`` (also if it is before ``seq_from``), ``not-yours``, or ``too-late`` if it was sent
    before ``sent_since``. ``hidden``: the users that are hidden from ``user``.
    """

    chat: ChatKey
    seq: int | None
    user: int
    text: str
    at: int
    sent_since: int
    hidden: frozenset[int] = frozenset()
    seq_from: int = 0


class MessageDeleted(Write[StoredChange], frozen=True, gc=False):
    """The deletion of the message ``seq`` of a chat. None as ``seq``: the last one of ``user`` there.

    ``user``: the sender, or anyone with ``of_anyone``; None for the administrator of the machine. Refused as
    `MessageEdited` is.
    """

    chat: ChatKey
    seq: int | None
    user: int | None
    at: int
    of_anyone: bool = False
    seq_from: int = 0
    hidden: frozenset[int] = frozenset()


class MarkSet(Write[StoredChange], frozen=True, gc=False):
    """A mark of a user on the message ``seq`` of a chat. ``on``: put it there or take it off; None: toggle it.

    Marks with one ``key`` are the same. Refused with ``no-such-message``, or with ``too-many`` for more than
    `irchat.protocol.marks.MESSAGE_MARKS` different ones on a message or `irchat.protocol.marks.USER_MARKS` of one user.
    """

    chat: ChatKey
    seq: int
    user: int
    mark: str
    key: str
    on: bool | None
    at: int
    hidden: frozenset[int] = frozenset()


class MarksRemoved(Write[tuple[StoredChange, ...]], frozen=True, gc=False):
    """The end of some marks of removed accounts. Each is a change like that of `MarkSet`, but needs no membership."""

    marks: tuple[PlacedMark, ...]
    at: int


class AlertSet(Write[None], frozen=True, gc=False):
    """When a chat alerts a user: ``all``, ``mentions`` or ``none``."""

    chat: ChatKey
    user: int
    alert: str


class MarkerMoved(Write[Marker], frozen=True, gc=False):
    """A move of a read marker forward to ``seq``, but at most to the end of the chat.

    ``shown``: the seq to send to the other sessions of the user instead, if ``seq`` is after hidden messages.
    """

    user: int
    chat: ChatKey
    seq: int
    shown: int | None = None


class GroupCreated(Write[int], frozen=True, gc=False):
    """A new group. ``members`` are in join order, the owner first. Returns its id, which is never reused."""

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
    """The removal of a member by the user ``by``. ``owner`` is the owner after the removal."""

    group: int
    user: int
    owner: int
    by: int


class GroupRemoved(Write[None], frozen=True, gc=False):
    """The end of a group, with all its messages, after its last member left."""

    group: int


class BlockSet(Write[None], frozen=True, gc=False):
    """A new block or, with ``blocked`` false, the end of one."""

    blocker: int
    blocked_user: int
    blocked: bool


class UserRemoved(Write[None], frozen=True, gc=False):
    """The removal of an account, with its password, tokens, keys, nonces, memberships and ban.

    Its messages stay, under its new ``name`` (and ``key``), and its marks until `MarksRemoved`. ``groups``: the groups
    that it was in, each with its next owner. None as owner means that it was the last member: the group ends, with all
    its messages.
    """

    user: int
    name: str
    key: str
    at: int
    groups: tuple[tuple[int, int | None], ...]


class MessagesDeleted(Write[None], frozen=True, gc=False):
    """The permanent deletion of messages. A private chat without remaining messages is deleted too."""

    places: tuple[tuple[ChatKey, int], ...]


class BanSet(Write[None], frozen=True, gc=False):
    """A new or changed ban of a user or network. Bans that have ended by ``at`` are deleted."""

    ban: StoredBan
    at: int


class SessionsEnded(Write[None], frozen=True, gc=False):
    """The end of all sessions of a user, with the text ``goodbye``. Nothing is stored."""

    user: int
    goodbye: str


class BanRemoved(Write[None], frozen=True, gc=False):
    """The end of the ban of a user or network."""

    user: int | None
    network: str | None
