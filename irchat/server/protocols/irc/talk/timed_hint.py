"""The hint that a timed message waits. No text of one reaches an IRC client, because clients log on disk."""

from typing import TYPE_CHECKING

from twisted.internet.interfaces import IDelayedCall

from irchat.irc.numerics import service_prefix
from irchat.irc.targets import SERVICE

if TYPE_CHECKING:
    from irchat.server.protocols.irc.protocol import IRCProtocol

# It names neither sender, chat nor time: the client may write the hint to its disk.
TEXT = "A timed message waits; read it with an IRChat client."
_PAUSE_SECONDS = 60.0


class TimedHint:
    """Gives the hint to one session: at most once a minute, and only while a message that it would get is alive."""

    def __init__(self, protocol: "IRCProtocol") -> None:
        self._protocol = protocol
        self._last = -_PAUSE_SECONDS
        # The order of the first message since the last hint, among all timed messages.
        self._since: int | None = None
        self._scheduled: IDelayedCall | None = None

    def waits(self, order: int) -> bytes:
        """Note a timed message that the session would get. Return the hint if it may be given now."""
        clock = self._protocol.shared.clock
        rest = self._last + _PAUSE_SECONDS - clock.seconds()
        if rest <= 0:
            return self.line()
        if self._since is None:
            self._since = order
            self._scheduled = clock.callLater(rest, self._due)
        return b""

    def line(self) -> bytes:
        """Return the hint, and begin a pause."""
        self._last = self._protocol.shared.clock.seconds()
        return self._protocol.lines.notices(service_prefix(SERVICE), self._protocol.nick, [TEXT])

    def stop(self) -> None:
        """Stop the timer."""
        if self._scheduled is not None:
            self._scheduled.cancel()
            self._scheduled = None

    def _due(self) -> None:
        """Give the hint if the session would still get one of the messages since the last hint."""
        self._scheduled = None
        since, self._since = self._since, None
        assert since is not None
        protocol = self._protocol
        live = protocol.shared.services.chat.messages.timed.missed(protocol.user, since)
        if any(one.sender is not protocol.user and one.chat.key not in protocol.state.hidden_chats for one in live):
            protocol.session.outbox.put(self.line())
