"""The state that the IRC sessions of a server share."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Unpack

from twisted.internet.interfaces import IReactorTime

from irchat.chat.state.directory import Directory
from irchat.chat.state.entities import User
from irchat.chat.state.personas import NOBODY_THERE
from irchat.interfaces.asides import PersonaChange
from irchat.irc.numerics import ServerLines
from irchat.irc.reply_lines import Person
from irchat.irc.targets import USER_LENGTH, prefix
from irchat.server.protocols.irc.people.idle_times import IdleTimes
from irchat.server.protocols.irc.people.monitored import Watchers
from irchat.server.protocols.irc.people.presence_lines import Bundles
from irchat.server.protocols.irc.talk.talk_shared import TalkShared
from irchat.server.sessions.services import Services

if TYPE_CHECKING:
    from irchat.server.protocols.irc.protocol import IRCProtocol

DEFAULT_SERVER_NAME = "irchat"


@dataclass(eq=False, repr=False)
class IRCShared:
    """The parts that all IRC sessions share.

    ``lines``: builds the lines of the server, and has its name, one word. ``network``: the name of the server as users
    know it, which can change. ``wall_ms``: the wall clock; ``began_ms``: its time at the start.
    """

    services: Services
    clock: IReactorTime
    lines: ServerLines
    network: str
    wall_ms: Callable[[], int]
    began_ms: int
    motd: str = ""
    """The message of the day, of several lines, which can change."""
    online_most: int = 0
    """The most users that were online at once, as far as LUSERS has seen."""

    def __post_init__(self) -> None:
        self.protocols: set[IRCProtocol] = set()
        self.talk = TalkShared(self)
        self.bundles = Bundles()
        self.watchers = Watchers()
        self.idle_times = IdleTimes(self.clock.seconds, self.wall_ms)
        self.services.presence.on_change = self.watchers.changed

    def open_registration(self, *, is_open: bool) -> None:
        """Tell all sessions whether everyone may create an account from now on."""
        for protocol in list(self.protocols):
            protocol.open_registration(is_open=is_open)

    @property
    def directory(self) -> Directory:
        """The committed users and groups."""
        return self.services.chat.directory

    @property
    def passwords(self) -> bool:
        """Whether users sign in with passwords. If not, no account is claimed in any line."""
        return self.services.accounts.passwords

    def person(self, user: User) -> Person:
        """Return a user as IRC shows it. An offline user is away."""
        chat = self.services.chat
        account = user.name if self.passwords else ""
        if user.id not in chat.presence.online:
            return Person(user.name, user.name[:USER_LENGTH], user.name, account, OFFLINE)
        persona = chat.personas.of(user.id)
        return Person(
            user.name,
            persona.username or user.name[:USER_LENGTH],
            persona.realname or user.name,
            account,
            _NOBODY if persona.away == NOBODY_THERE else persona.away,
            persona.is_bot,
        )

    def set_persona(self, protocol: "IRCProtocol", *, is_first: bool = False, **changes: Unpack[PersonaChange]) -> None:
        """Change the persona of the user of a session."""
        personas = self.services.chat.personas
        personas.set(protocol.user.id, protocol.session.id, is_first=is_first, **changes)

    def find_user(self, name: str) -> User | None:
        """Return the user called ``name``, or None."""
        return self.directory.find_user(name)

    def has_account(self, name: str) -> bool:
        """Return whether a name has an account."""
        return self.find_user(name) is not None

    def mask_of_name(self, name: str) -> str:
        """Return the source of the lines of the user called ``name``, also of a removed one."""
        user = self.find_user(name)
        return prefix(name, name[:USER_LENGTH]) if user is None else self.mask(user)

    def mask(self, user: User) -> str:
        """Return the source of the lines of a user: ``alice!user@irchat``."""
        username = self.services.chat.personas.of(user.id).username
        return prefix(user.name, username or user.name[:USER_LENGTH])


_NOBODY = "nobody is there"
OFFLINE = "offline: reads it later"
"""The away text of a user without sessions."""


def make_shared(
    services: Services, clock: IReactorTime, network: str, server_name: str = DEFAULT_SERVER_NAME
) -> IRCShared:
    """Return the shared state of a server named ``server_name`` and described as ``network``."""
    wall_ms = services.chat.wall_ms
    return IRCShared(services, clock, ServerLines(server_name), network, wall_ms, wall_ms())
