"""What the IRC sessions of a server share."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec import Struct
from twisted.internet.interfaces import IReactorTime

from irchat.chat.state.directory import Directory
from irchat.chat.state.entities import User
from irchat.irc.numerics import ServerLines
from irchat.irc.reply_lines import Person
from irchat.irc.targets import USER_LENGTH, prefix
from irchat.protocol.errors import Refusal
from irchat.server.sessions.services import Services

if TYPE_CHECKING:
    from irchat.server.protocols.irc.protocol import IRCProtocol

DEFAULT_SERVER_NAME = "irchat"


class IRCShared(Struct, eq=False):
    """What all IRC sessions share.

    ``lines``: builds the lines of the server, and has its name, one word. ``network``: the name of the server as users
    know it, which can change. ``wall_ms``: the wall clock; ``began_ms``: its time at the start.
    """

    services: Services
    clock: IReactorTime
    lines: ServerLines
    network: str
    wall_ms: Callable[[], int]
    began_ms: int
    online_most: int = 0
    """The most users that were online at once, as far as LUSERS has seen."""

    @property
    def directory(self) -> Directory:
        """The committed users and groups."""
        return self.services.chat.directory

    @property
    def passwords(self) -> bool:
        """Whether users sign in with passwords. If not, no account is claimed in any line."""
        return self.services.accounts.passwords

    def person(self, user: User) -> Person:
        """Return a user as IRC shows it. Who is offline is away."""
        away = None if user.id in self.services.chat.presence.online else OFFLINE
        return Person(user.name, user.name[:USER_LENGTH], user.name, user.name if self.passwords else "", away)

    def set_persona(self, protocol: "IRCProtocol", **changes: object) -> None:
        """Change what the user of a session says of itself: ``away``, ``realname``, ``username``, ``is_bot``."""

    def idle_of(self, user: User) -> tuple[int, int] | None:
        """Return the seconds for which a user is idle, and the time of its sign-in, or None if they are not known."""
        return None

    def find_user(self, name: str) -> User | None:
        """Return the user called ``name``, or None."""
        try:
            return self.directory.find_user(name)
        except Refusal:
            return None

    def has_account(self, name: str) -> bool:
        """Return whether a name has an account."""
        return self.find_user(name) is not None

    def mask_of_name(self, name: str) -> str:
        """Return the source of the lines of the user called ``name``, who may have been removed since."""
        user = self.find_user(name)
        return prefix(name, name[:USER_LENGTH]) if user is None else self.mask(user)

    def mask(self, user: User) -> str:
        """Return the source of the lines of a user: ``alice!user@irchat``."""
        return prefix(user.name, self.person(user).user)


OFFLINE = "offline: reads it later"
"""The away text of a user without sessions."""


def make_shared(
    services: Services, clock: IReactorTime, network: str, server_name: str = DEFAULT_SERVER_NAME
) -> IRCShared:
    """Return what the sessions of a server share, which is named ``server_name`` and described as ``network``."""
    wall_ms = services.chat.wall_ms
    return IRCShared(services, clock, ServerLines(server_name), network, wall_ms, wall_ms())
