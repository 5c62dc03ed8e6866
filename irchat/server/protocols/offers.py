"""The protocols that a listener offers, and the choice of one by the first line of a connection."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from twisted.internet.interfaces import IReactorTime

from irchat.server.delivery.shared_lines import SharedRenderer
from irchat.server.protocols.base import ChatProtocol
from irchat.server.protocols.irc.irc_shared import IRCShared
from irchat.server.protocols.irc.protocol import IRCProtocol
from irchat.server.protocols.json_lines import JSONOnly, JSONProtocol
from irchat.server.protocols.text import TextProtocol
from irchat.server.sessions.services import Services
from irchat.server.sessions.session import Session

MakeProtocol = Callable[[Session], ChatProtocol]

_BEGINNING_BYTES = 16


class Offers(NamedTuple):
    """The protocols of one listener.

    ``default`` greets, and is used unless the first line chooses another. ``by_beginning``: the others, each with the
    first bytes of its first line, in upper case; clients may use any. The first match is used. ``must_choose``: the
    default only greets, and ends the session of a client that chooses none.
    """

    default: MakeProtocol
    by_beginning: tuple[tuple[bytes, MakeProtocol], ...] = ()
    must_choose: bool = False

    def choose(self, first_line: bytes) -> MakeProtocol | None:
        """Return the factory of the protocol chosen by ``first_line``, or None for the default."""
        first = first_line[:_BEGINNING_BYTES].upper()
        return next((make for beginning, make in self.by_beginning if first.startswith(beginning)), None)

    def with_irc(self, irc: IRCShared) -> "Offers":
        """Return these protocols and IRC. No name of a user contains the space behind its first words."""
        words = (b"CAP ", b"NICK ", b"USER ", b"PASS ")
        of_irc = tuple((word, partial(IRCProtocol, shared=irc)) for word in words)
        return self._replace(by_beginning=self.by_beginning + of_irc)


def all_protocols(services: Services, clock: IReactorTime) -> Offers:
    """Return the protocols of the main port: text, and JSON if the first line starts with a brace."""
    chat = services.chat
    renderer = SharedRenderer(clock, chat.wall_ms)
    text = partial(TextProtocol, directory=chat.directory, accounts=services.accounts, renderer=renderer, clock=clock)
    return Offers(text, ((b"{", JSONProtocol),))


def irc_protocols(irc: IRCShared) -> Offers:
    """Return IRC alone, which greets nobody."""
    return Offers(partial(IRCProtocol, shared=irc))


def web_protocols() -> Offers:
    """Return the protocols of the web door: JSON, after the greeting of the other doors."""
    return Offers(JSONOnly, ((b"{", JSONProtocol),), must_choose=True)
