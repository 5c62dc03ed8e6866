"""The base class of all commands, and the interfaces of their arguments."""

import re
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, ClassVar, Never, Protocol, TypeAlias

from irchat.commands.syntax import Syntax
from irchat.protocol import events, requests
from irchat.protocol.errors import Code, Refusal

if TYPE_CHECKING:
    from irchat.chat.accounts.accounts import Accounts, SignedIn
    from irchat.chat.changes import Submittable
    from irchat.chat.read_state import TimedPage
    from irchat.chat.service import ChatService
    from irchat.chat.state.entities import User
    from irchat.chat.timed.timed_replies import TimedSent
    from irchat.interfaces.stored import ChatKey
    from irchat.protocol.public_keys import PublicKey

Reply: TypeAlias = "events.Event | TimedPage | TimedSent"
"""The reply to a request. Those with remaining times change while they wait."""

Outcome: TypeAlias = "events.Event | Submittable[Reply] | Awaitable[Reply]"
"""The outcome of a command: the reply, a change that produces it, or a Deferred or coroutine for it."""

Form: TypeAlias = "str | Callable[[str], str]"
"""The right form of a habit, or a function that builds it from the rest of the line."""

AS_MESSAGE = " To send the line to everyone, type \\ before it."
OLDER_SERVER = "This server is older and cannot do that."
HELP = "!help"


class SSHConnection(Protocol):
    """The connection of an SSH client, of which a session is one. ``offered``: the keys that the client has offered."""

    offered: "Sequence[PublicKey]"

    def answered(self) -> None:
        """Note that the user has answered a question of the sign-in."""

    def keep(self, token: str) -> None:
        """Note a token that ends with the connection."""


class Caller(Protocol):
    """The interface of a session to the command that it runs. ``ssh``: its SSH connection, if it has one."""

    id: int
    token: bytes | None
    wants_token: bool
    ssh: SSHConnection | None
    listed: tuple[str, ...]
    """The ids of the sessions of the user, in the order in which they were last listed here."""

    @property
    def user(self) -> "User":
        """The user of the session. Raises Refusal ``not-logged-in``."""

    @property
    def is_admin(self) -> bool:
        """Whether the user is an administrator."""

    @property
    def address(self) -> str:
        """The counted address of the connection."""

    def registering(self) -> AbstractContextManager[None]:
        """Count the account created inside the context. Raises Refusal ``too-many-tries``."""

    def trying(self, name: str) -> AbstractContextManager[None]:
        """Count a failed sign-in inside the context, as ``name`` or with a token (""). Raises ``too-many-tries``."""

    def join(self, signed_in: "SignedIn") -> None:
        """Sign ``user`` in to the session. Events are held back until the welcome is sent."""

    def part(self) -> None:
        """Undo `join`."""

    def saw(self, ends: "dict[ChatKey, int]") -> None:
        """Note the last seq of each chat that the welcome covers. Held events continue after it."""


class Services(Protocol):
    """The services used by commands."""

    chat: "ChatService"
    accounts: "Accounts"


class Command:
    """A command. A command that can be typed declares a ``prefix``, ``syntax``, ``usage`` and ``meaning``."""

    prefix: ClassVar[str | None] = None
    syntax: ClassVar[Syntax]
    usage: ClassVar[str] = ""
    meaning: ClassVar[str] = ""
    request: ClassVar[type[requests.Request]]

    # Permissions and order.

    signed_in: ClassVar[bool | None] = True
    """True: only for a signed-in session. False: only before sign-in. None: both."""
    for_admins: ClassVar[bool] = False
    """Whether it is only for administrators. It is hidden from others, and can only be typed."""
    pipelined: ClassVar[bool] = False
    """Whether the next request of the session starts while this one runs. A read waits for all earlier requests.
    A change that is committed alone delays all users, so a session has at most one in the queue."""

    # Typing.

    whole_line: ClassVar[bool] = False
    """Whether the prefix is a command only as a whole line: ``exit`` leaves, ``exit strategy`` is a message."""
    secret: ClassVar["re.Pattern[str] | None"] = None
    """Matches the start of lines, valid or not, that must not be kept where they were typed."""
    asks_password: ClassVar[bool] = False
    """Whether typing it starts a dialogue. The reader of the line runs the dialogue; otherwise it is refused."""
    to_open_chat: ClassVar[bool] = False
    """Whether its message is sent to the chat that is open where it is typed."""
    in_text: ClassVar[bool] = False
    """Whether it is a command in any chat: a message whose text is such a line is the command in that chat."""
    reads_text: ClassVar[bool] = False
    """Whether the message that it sends may be a command `in_text`."""
    by_client: ClassVar[bool] = False
    """Whether a client makes the request itself: it depends on what is shown there, or on the reader's time zone."""
    feature: ClassVar[str] = ""
    """The feature that the server must have (`irchat.protocol.rules.FEATURES`), empty if every server can run it."""
    opens_chat: ClassVar[bool] = False
    """Whether a client opens the chat named in the answer."""
    may_be_text: ClassVar[bool] = True
    """Whether a line without a valid name may have been meant as a message to everyone."""
    untyped: ClassVar[Mapping[str, int | str]] = {}
    """The fields of the request that are always the same. Its other fields are named groups of the syntax."""

    # Habits: how it is typed in other chats. Each key is a string of words, separated by blanks.

    slash_words: ClassVar[Mapping[str, Form]] = {}
    """Words after a slash, such as ``msg``, with the right form or a function that builds it from the rest."""
    alone: ClassVar[Mapping[str, str]] = {}
    """Words alone on a line, in any case, with the right form."""

    @classmethod
    def read(cls, match: "re.Match[str]") -> requests.Request:
        """Return the request in a typed line. Raises Refusal."""
        return cls.request(**match.groupdict(), **cls.untyped)

    @classmethod
    def run(cls, services: Services, caller: Caller, request: Never) -> Outcome:
        """Run the request, which is of the class ``request``. Raises Refusal, or the outcome fails with one."""
        raise NotImplementedError


def need_door(caller: Caller) -> SSHConnection:
    """Return the SSH connection of a session. Raises Refusal ``bad-request`` if it has none."""
    if caller.ssh is None:
        raise Refusal(Code.BAD_REQUEST, "This is no request: only the process of the SSH door may make it.")
    return caller.ssh


def wrong_use(prefix: str, usage: str) -> Refusal:
    """Return the refusal of a line that starts with ``prefix`` but matches none of its commands."""
    return Refusal(Code.BAD_REQUEST, f"That is not how {prefix} is used.{AS_MESSAGE}", usage)


def check_feature(command: type[Command], features: Collection[str]) -> None:
    """Raise Refusal if ``command`` needs a feature that is not among ``features``, those of an older server."""
    if command.feature and command.feature not in features:
        raise Refusal(Code.BAD_REQUEST, OLDER_SERVER + AS_MESSAGE, command.usage)
