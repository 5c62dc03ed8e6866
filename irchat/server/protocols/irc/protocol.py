"""The IRC protocol as a plug-in of a connection: lines in, requests of the session, lines out."""

from collections import deque
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from twisted.internet.interfaces import IDelayedCall

from irchat.interfaces.bus import Publication
from irchat.irc.irc_lines import Line, parse
from irchat.protocol import events
from irchat.server.protocols.irc.calls import Call, Part
from irchat.server.protocols.irc.command_handlers import HANDLERS
from irchat.server.protocols.irc.event_lines import EVENT_LINES
from irchat.server.protocols.irc.irc_shared import IRCShared
from irchat.server.protocols.irc.irc_state import IRCState

if TYPE_CHECKING:
    from irchat.server.sessions.session import Session

# Lines a second, and at once. A client that sends more is read more slowly.
_LINES_A_SECOND = 20.0
_LINES_AT_ONCE = 60.0


class IRCProtocol:
    """Speaks IRC with one client. The context of a request is a `Part` of the `Call` of its line.

    ``state`` is what only this session knows, ``shared`` what all IRC sessions share.
    """

    wants_token = False
    shows_timed = False

    def __init__(self, session: "Session", shared: IRCShared) -> None:
        self.session = session
        self.shared = shared
        self.state = IRCState()
        self.encode = None
        self._lines: deque[bytes] = deque()
        self._allowed = _LINES_AT_ONCE
        self._allowed_at = shared.clock.seconds()
        self._resting: IDelayedCall | None = None

    @property
    def keepalive(self) -> bytes:
        """See `irchat.server.protocols.base.ChatProtocol`, also for the following methods."""
        return self.joined([f"PING :{self.shared.server_name}"])

    def greeting(self, server_name: str) -> bytes:
        return b""

    def receive(self, line: bytes) -> None:
        self._lines.append(line)
        if len(self._lines) == 1:
            self._take_lines()

    def reply(self, context: object, event: events.Event) -> bytes:
        if isinstance(context, Part):
            return context.answered(event)
        return self.event(Publication(event, ()))

    def again(self, context: object, event: events.Event) -> bytes:
        return self.reply(context, event)

    def event(self, publication: Publication) -> bytes:
        lines_of = EVENT_LINES.get(type(publication.event))
        return b"" if lines_of is None else lines_of(self, publication.event, publication)

    def stored(self, run: Sequence[Publication]) -> bytes:
        return b"".join(map(self.event, run))

    def go_on(self) -> None:
        self._take_lines()

    def lost(self) -> None:
        self._lines.clear()
        if self._resting is not None:
            self._resting.cancel()
            self._resting = None

    # Lines out.

    def joined(self, lines: Iterable[str]) -> bytes:
        """Return the bytes of ``lines``."""
        return "".join(f"{line}\r\n" for line in lines).encode()

    def numeric(self, number: str, *params: str, text: str | None = None) -> str:
        """Return a numeric reply to this client. ``text``: the last parameter, which may contain spaces."""
        words = " ".join((number, self.state.nick, *params))
        return f":{self.shared.server_name} {words}" + ("" if text is None else f" :{text}")

    def labeled(self, label: str, lines: Sequence[str]) -> list[str]:
        """Return ``lines``, the whole answer to a labeled line, with its label."""
        raise NotImplementedError

    # Lines in.

    def _take_lines(self) -> None:
        """Handle waiting lines, as many as the rate allows and while there is room for replies."""
        while self._lines and not self.session.outbox.full() and self._may_take():
            self._take(self._lines.popleft())
        self.session.hold_back(bool(self._lines))

    def _may_take(self) -> bool:
        if self._resting is not None:
            return False
        now = self.shared.clock.seconds()
        self._allowed = min(_LINES_AT_ONCE, self._allowed + (now - self._allowed_at) * _LINES_A_SECOND)
        self._allowed_at = now
        if self._allowed >= 1:
            self._allowed -= 1
            return True
        self._resting = self.shared.clock.callLater((1.1 - self._allowed) / _LINES_A_SECOND, self._rested)
        return False

    def _rested(self) -> None:
        self._resting = None
        self._take_lines()

    def _take(self, data: bytes) -> None:
        self._handle(parse(data.decode()))

    def _handle(self, line: Line) -> None:
        call = Call(self, line)
        HANDLERS[line.command](call)
        call.close()
