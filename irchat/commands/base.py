"""What a command is: the small class that knows one request, how it is typed, what it needs, and how it is run."""

import re
from collections.abc import Coroutine
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeAlias

from twisted.internet.defer import Deferred

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
"""What running a command gives: the reply, a change that gives it when it is made, or what else will give it."""

AS_MESSAGE = " To send the line to everyone, type \\ before it."


class Caller(Protocol):
    """The session that runs a command, as the command sees it."""

    id: int
    token: bytes | None
    wants_token: bool

    @property
    def user(self) -> "User":
        """Who is signed in. Raises Refusal ``not-logged-in``."""

    @property
    def is_admin(self) -> bool:
        """Whether who is signed in may moderate."""

    @property
    def address(self) -> str:
        """The address that the session comes from, as it is counted."""

    def registering(self) -> AbstractContextManager[None]:
        """An account is made inside, and counted where it is. Raises Refusal ``too-many-tries``."""

    def trying(self, name: str) -> AbstractContextManager[None]:
        """A sign-in, as ``name`` or by a token (empty), is tried inside. Raises Refusal ``too-many-tries``."""

    def join(self, signed_in: "SignedIn") -> None:
        """The session is that user's from now on; what happens is kept for it until it is welcomed."""

    def part(self) -> None:
        """Undo `join`."""

    def saw(self, ends: "dict[ChatKey, int]") -> None:
        """The welcome tells of these chats up to these seqs, so that what was kept goes on after them."""


class Services(Protocol):
    """What commands are handed to do their work with."""

    chat: "ChatService"
    accounts: "Accounts"


class Command:
    """A command. Where it can be typed it has a ``prefix``, a ``usage`` and a ``pattern`` for the whole line."""

    prefix: ClassVar[str | None] = None
    usage: ClassVar[str] = ""
    meaning: ClassVar[str] = ""
    pattern: ClassVar["re.Pattern[str]"]
    request: ClassVar[type[requests.Request]]

    signed_in: ClassVar[bool | None] = True
    """True: only for who is signed in; False: only for who is not; None: for both."""
    pipelined: ClassVar[bool] = False
    """Whether the session's next request is taken while this one runs. What reads waits for all before it; and of what
    has a commit of its own, for which all users wait, a session has one in the queue and no more."""
    for_admins: ClassVar[bool] = False
    """Whether it is there for administrators alone; others find no trace of it. It can only be typed."""
    whole_line: ClassVar[bool] = False
    """Whether the prefix means the command only where it is the whole line."""

    @classmethod
    def read(cls, match: "re.Match[str]") -> requests.Request:
        """The request that a typed line makes. Raises Refusal."""
        raise NotImplementedError

    @classmethod
    def run(cls, services: Services, caller: Caller, request: Any) -> Outcome:
        """Do what the request asks. Raises Refusal, or what it gives fails with one."""
        raise NotImplementedError


class Registry:
    """The commands: by prefix for what is typed, by type for what is asked."""

    def __init__(self) -> None:
        self._by_prefix: dict[str, list[type[Command]]] = {}
        self._by_request: dict[type[requests.Request], type[Command]] = {}

    def add(self, *commands: type[Command]) -> None:
        """Register commands; those of one prefix are tried in this order. One that is typed must have its help."""
        for command in commands:
            self._by_request.setdefault(command.request, command)
            if command.prefix is not None:
                if not (command.usage and command.meaning):
                    raise ValueError(f"{command.__name__} has no help")
                self._by_prefix.setdefault(command.prefix, []).append(command)

    def for_request(self, request: requests.Request) -> type[Command]:
        """The command that runs ``request``."""
        return self._by_request[type(request)]

    def read(self, line: str, is_admin: bool = False) -> tuple[type[Command], requests.Request]:
        """The command and the request that the typed ``line`` makes. Raises Refusal with that prefix's usage."""
        line = line.strip()
        if not line:
            raise Refusal(Code.EMPTY_TEXT, "The line is empty. Type a message, or !help.")
        prefix = self._prefix(line)
        commands = self._of_prefix(prefix, is_admin)
        for command in commands:
            if match := command.pattern.fullmatch(line):
                return command, command.read(match)
        raise wrong_use(prefix, "\n".join(command.usage for command in commands))

    def manual(self, prefix: str | None, is_admin: bool = False) -> str:
        """The manual, or the part of one prefix. Raises Refusal ``bad-request`` for a prefix that is none."""
        if prefix is not None and prefix not in self._by_prefix:
            known = " ".join(known for known in self._by_prefix if known)
            raise Refusal(Code.BAD_REQUEST, f"No command begins so. There are: {known}", "!help [<prefix>]")
        wanted = self._by_prefix if prefix is None else [prefix]
        commands = [command for one in wanted for command in self._of_prefix(one, is_admin)]
        width = max(len(command.usage) for command in commands)
        return "\n".join(f"{command.usage:{width}}  {command.meaning}" for command in commands)

    def _of_prefix(self, prefix: str, is_admin: bool) -> list[type[Command]]:
        return [command for command in self._by_prefix[prefix] if is_admin or not command.for_admins]

    def _prefix(self, line: str) -> str:
        word = line.split(maxsplit=1)[0]
        if word in self._by_prefix and (word == line or not self._by_prefix[word][0].whole_line):
            return word
        return line[0] if line[0] in self._by_prefix and not line[0].isalnum() else ""


def wrong_use(prefix: str, usage: str) -> Refusal:
    """The refusal of a typed line that begins with ``prefix`` and goes on as no command does."""
    return Refusal(Code.BAD_REQUEST, f"That is not how {prefix} is used.{AS_MESSAGE}", usage)
