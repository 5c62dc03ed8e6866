"""The state that IRC sessions share to send messages: their encoding, and the markers of delivered ones."""

from collections.abc import Callable
from itertools import count
from typing import TYPE_CHECKING

from irchat.chat.state.entities import User
from irchat.protocol import events
from irchat.server.protocols.irc.talk.delivered_marks import DeliveredMarks
from irchat.server.protocols.irc.talk.message_encoding import MessageEncoding
from irchat.server.protocols.irc.talk.message_lines import Flavour, flavour_of

if TYPE_CHECKING:
    from irchat.server.protocols.irc.irc_shared import IRCShared
    from irchat.server.protocols.irc.protocol import IRCProtocol


class SignalLines:
    """The lines of the latest signal, shared by all sessions that show it alike: it may have hundreds of tags."""

    def __init__(self) -> None:
        self._signal: events.Signal | None = None
        self._lines: dict[tuple[Flavour, str], bytes] = {}

    def of(self, signal: events.Signal, flavour: Flavour, target: str, make: Callable[[], bytes]) -> bytes:
        """Return what ``make`` has returned for a session of this ``flavour`` that shows this ``target``."""
        if self._signal is not signal:
            self._signal, self._lines = signal, {}
        line = self._lines.get((flavour, target))
        if line is None:
            line = self._lines[flavour, target] = make()
        return line


class TalkShared:
    """The shared part of `irchat.server.protocols.irc.talk.talk_state.Talk`."""

    def __init__(self, shared: "IRCShared") -> None:
        services = shared.services
        self._personas = services.chat.personas
        self._claims_accounts = shared.passwords
        self.delivered = DeliveredMarks(shared.clock, shared.directory, services.delivery.in_turn)
        self._began_ms = shared.began_ms
        self._signals = count(1)
        self.signal_lines = SignalLines()
        self.encoding = MessageEncoding(shared.directory, self.delivered, services.chat.personas.of)

    def flavour(self, protocol: "IRCProtocol") -> Flavour:
        """Return the flavour of a session."""
        return flavour_of(protocol.caps, claims_accounts=self._claims_accounts)

    def is_bot(self, user: User) -> bool:
        """Return whether a user calls itself a bot."""
        return self._personas.of(user.id).is_bot

    def signal_id(self) -> str:
        """Return the msgid of a line that is no message: no other line has it."""
        return f"t-{self._began_ms}-{next(self._signals)}"
