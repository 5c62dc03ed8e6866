"""The hint that a timed message waits. No text of one reaches an IRC client, because clients log on disk."""

from typing import TYPE_CHECKING

from twisted.internet.interfaces import IDelayedCall

from irchat.irc.numerics import service_prefix
from irchat.irc.targets import SERVICE

if TYPE_CHECKING:
    from irchat.server.protocols.irc.protocol import IRCProtocol

# It names neither sender, chat nor time: what the client writes on disk must not tell them.
TEXT = "A timed message waits; read it with an IRChat client."
_PAUSE_SECONDS = 60.0
# Live messages noted during a pause. More only prolong the time until which the hint may come.
_NOTED_MOST = 100


class TimedHint:
    """Gives the hint to one session: at most once a minute, and only while a message that it would get is alive."""

    def __init__(self, protocol: "IRCProtocol") -> None:
        self._protocol = protocol
        self._last = -_PAUSE_SECONDS
        self._ends: dict[str, float] = {}
        self._scheduled: IDelayedCall | None = None

    def waits(self, timed_id: str, seconds_left: float) -> bytes:
        """Note a timed message that the session would get. Return the hint if it may be given now."""
        now = self._protocol.shared.clock.seconds()
        if now - self._last >= _PAUSE_SECONDS:
            return self.line()
        if len(self._ends) < _NOTED_MOST:
            self._ends[timed_id] = now + seconds_left
        if self._scheduled is None:
            self._scheduled = self._protocol.shared.clock.callLater(self._last + _PAUSE_SECONDS - now, self._due)
        return b""

    def line(self) -> bytes:
        """Return the hint, and begin a pause."""
        self._last = self._protocol.shared.clock.seconds()
        return self._protocol.lines.notices(service_prefix(SERVICE), self._protocol.nick, [TEXT])

    def ended(self, timed_id: str) -> None:
        """Note the end of a timed message."""
        self._ends.pop(timed_id, None)

    def stop(self) -> None:
        """Stop the timer."""
        self._ends.clear()
        if self._scheduled is not None:
            self._scheduled.cancel()
            self._scheduled = None

    def _due(self) -> None:
        self._scheduled = None
        now = self._protocol.shared.clock.seconds()
        is_alive = any(end > now for end in self._ends.values())
        self._ends.clear()
        if is_alive:
            self._protocol.session.outbox.put(self.line())
