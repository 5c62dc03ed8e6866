"""What the IRC sessions of a server share."""

from collections.abc import Callable

from msgspec import Struct
from twisted.internet.interfaces import IReactorTime

from irchat.server.sessions.services import Services

DEFAULT_SERVER_NAME = "irchat"
HOST = "irchat"
"""The host in the mask of every user: addresses are shown to nobody."""


class IRCShared(Struct, eq=False):
    """What all IRC sessions share.

    ``server_name``: one word, the source of the server's lines. ``network``: the name of the server as users know it.
    ``began_ms``: the wall clock at the start.
    """

    services: Services
    clock: IReactorTime
    wall_ms: Callable[[], int]
    server_name: str = DEFAULT_SERVER_NAME
    network: str = "IRChat"
    began_ms: int = 0
