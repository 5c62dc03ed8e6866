"""The base class of all commands: what a command declares, and what it is handed to run."""

import re
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeAlias

from twisted.internet.defer import Deferred

from irchat.commands.syntax import Syntax
from irchat.protocol import events, requests
from irchat.protocol.errors import Code, Refusal

if TYPE_CHECKING:
    from irchat.chat.accounts.accounts import Accounts, SignedIn
    from irchat.chat.changes import Change
    from irchat.chat.read_state import TimedPage
    from irchat.chat.service import ChatService
    from irchat.chat.state.entities import User
    from irchat.interfaces.stored import ChatKey

Outcome: TypeAlias = "events.Event | Change[Any, Any] | Deferred[Any] | Coroutine[Any, Any, events.Event | TimedPage]"
"""The outcome of a command: the reply, a change that makes it, or something that fires with it."""

Form: TypeAlias = "str | Callable[[str], str]"
"""The right form of a habit, or a function that makes it of the rest of the line."""

AS_MESSAGE = " To send the line to everyone, type \\ before it."
HELP = "!help"


class Caller(Protocol):
    """The session that runs a command, as the command sees it."""

    id: int
    token: bytes | None
    wants_token: bool

    @property
    def user(self) -> "User":
        """The user of the session. Raises Refusal ``not-logged-in``."""

    @property
    def is_admin(self) -> bool:
        """Whether the user is an administrator."""

    @property
    def address(self) -> str:
        """The address of the connection, as sessions are counted by it."""

    def registering(self) -> AbstractContextManager[None]:
        """Count the account that is made inside the context. Raises Refusal ``too-many-tries``."""

    def trying(self, name: str) -> AbstractContextManager[None]:
        """Count a failed sign-in inside the context, as ``name`` or by a token (""). Raises ``too-many-tries``."""

    def join(self, signed_in: "SignedIn") -> None:
        """Make the session the user's. Events are held back until the welcome is sent."""

    def part(self) -> None:
        """Undo `join`."""

    def saw(self, ends: "dict[ChatKey, int]") -> None:
        """Note the last seq of each chat that the welcome counts, so that held events continue after it."""


class Services(Protocol):
    """The services that commands call."""

    chat: "ChatService"
    accounts: "Accounts"


class Command:
    """A command. One that can be typed declares a ``prefix``, a ``syntax``, a ``usage`` and a ``meaning``."""

    prefix: ClassVar[str | None] = None
    syntax: ClassVar[Syntax]
    usage: ClassVar[str] = ""
    meaning: ClassVar[str] = ""
    request: ClassVar[type[requests.Request]]

    # Who may run it, and when.

    signed_in: ClassVar[bool | None] = True
    """True: only a session that is signed in; False: only one that is not; None: both."""
    for_admins: ClassVar[bool] = False
    """Whether it is there for administrators alone; others find no trace of it. It can only be typed."""
    pipelined: ClassVar[bool] = False
    """Whether the session's next request is taken while this one runs. A read waits for all requests before it. A
    change with a commit of its own holds up all users, so a session has at most one in the queue."""

    # How it is typed.

    whole_line: ClassVar[bool] = False
    """Whether the prefix is a word that else begins a text: ``exit`` leaves, ``exit strategy`` is a message."""
    secret: ClassVar["re.Pattern[str] | None"] = None
    """Matches the beginning of lines, right or wrong, that must not be kept where they were typed."""
    asks_password: ClassVar[bool] = False
    """Whether typing it begins a dialogue. Whoever reads the line holds it; on a line alone it is refused."""
    to_open_chat: ClassVar[bool] = False
    """Whether its message goes to the chat that is open where it is typed."""
    opens_chat: ClassVar[bool] = False
    """Whether a client opens the chat that the answer names."""
    may_be_text: ClassVar[bool] = True
    """Whether a line that names nobody may have been meant as a message to everyone."""

    # How it is typed in other chats. The words stand in one string, with blanks between.

    slash_words: ClassVar[Mapping[str, Form]] = {}
    """Words after a slash, such as ``msg``, and the right form, or a function from the rest of the line to it."""
    alone: ClassVar[Mapping[str, str]] = {}
    """Words alone on a line, in any case, and the right form."""

    @classmethod
    def read(cls, match: "re.Match[str]") -> requests.Request:
        """Return the request of a typed line. Raises Refusal."""
        raise NotImplementedError

    @classmethod
    def run(cls, services: Services, caller: Caller, request: Any) -> Outcome:
        """Do what the request asks. Raises Refusal, or the outcome fails with one."""
        raise NotImplementedError


def wrong_use(prefix: str, usage: str) -> Refusal:
    """Return the refusal of a line that begins with ``prefix`` and matches none of its commands."""
    return Refusal(Code.BAD_REQUEST, f"That is not how {prefix} is used.{AS_MESSAGE}", usage)
