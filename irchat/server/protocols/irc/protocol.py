"""The IRC protocol as a plug-in of a connection: lines in, requests of the session, lines out."""

from collections import deque
from collections.abc import Sequence
from functools import partial

from twisted.internet.interfaces import IDelayedCall

from irchat.chat.state.entities import User
from irchat.interfaces.bus import Publication
from irchat.interfaces.stored import ChatKey
from irchat.irc.command_table import check
from irchat.irc.irc_lines import REST_BYTES, REST_BYTES_BEFORE, BadIRCLine, Line, parse
from irchat.irc.labels import Batches
from irchat.irc.registration.capabilities import Capabilities, offered
from irchat.irc.registration.registering import Options, Phase, Registration
from irchat.protocol import events, requests
from irchat.protocol.errors import Code, Refusal
from irchat.server.delivery.delivery import Encode
from irchat.server.protocols.irc.calls import Call, Part
from irchat.server.protocols.irc.command_handlers import HANDLERS, UNCOUNTED
from irchat.server.protocols.irc.entering.steps import take_steps
from irchat.server.protocols.irc.event_lines import EVENT_LINES
from irchat.server.protocols.irc.farewells import farewell
from irchat.server.protocols.irc.irc_shared import IRCShared
from irchat.server.protocols.irc.irc_state import IRCState
from irchat.server.protocols.irc.line_rate import LineRate
from irchat.server.protocols.irc.refusals import bad_line, refused
from irchat.server.sessions.session import Session

# Seconds from the start of a connection to USER, and to the sign-in.
_USER_SECONDS = 60
_SIGN_IN_SECONDS = 300


class IRCProtocol:
    """Speaks IRC with one client. The context of a request is a `Part` of the `Call` of its line.

    ``state`` is what only this session knows, ``shared`` what all IRC sessions share.
    """

    wants_token = False
    waits = catches_up = True
    encode: Encode | None = None

    def __init__(self, session: Session, shared: IRCShared) -> None:
        self.session = session
        self.shared = shared
        self.lines = shared.lines
        self.state = IRCState()
        self.batches = Batches(shared.lines)
        accounts = shared.services.accounts
        caps = Capabilities(offered(registration_open=accounts.registration_open), shared.lines)
        options = Options(accounts.passwords, accounts.registration_open)
        self.registration = Registration(options, shared.lines, caps, shared.has_account)
        self.last_words: bytes | None = None
        """The last lines of the session, if they are not `ERROR` and the reason of its end."""
        self._unhandled: deque[bytes] = deque()
        self._is_entering = False
        self._rate = LineRate(shared.clock, self._take_lines)

    @property
    def caps(self) -> Capabilities:
        """The capabilities: ``"batch" in caps``."""
        return self.registration.capabilities

    @property
    def nick(self) -> str:
        """The name by which the server addresses the client: its account after the sign-in."""
        return self.registration.nick

    @property
    def user(self) -> User:
        """The signed-in user. Raises Refusal ``not-logged-in``."""
        return self.session.user

    # Called by the connection and the session (`irchat.server.protocols.base.ChatProtocol`).

    @property
    def keepalive(self) -> bytes:
        """See `irchat.server.protocols.base.ChatProtocol`, also for the following methods."""
        return self.lines.ping()

    @property
    def sign_in_seconds(self) -> int:
        return _SIGN_IN_SECONDS if self.registration.user else _USER_SECONDS

    def greeting(self, server_name: str) -> bytes:
        return b""

    def receive(self, line: bytes) -> None:
        self._unhandled.append(line)
        if len(self._unhandled) == 1:
            self._take_lines()

    def reply(self, context: object, event: events.Event) -> bytes:
        if isinstance(context, Part):
            return context.answered(event)
        if isinstance(event, events.Error):
            return refused(self, "*", event)
        return self.event(event, None, None)

    def again(self, context: object, event: events.Event) -> bytes:
        return self.reply(context, event)

    def event(
        self,
        event: events.Event,
        position: tuple[ChatKey, int] | None,
        timed: tuple[ChatKey, int] | None,
        of: int | None = None,
    ) -> bytes:
        if isinstance(event, events.Bye):
            return farewell(self, event)
        show = EVENT_LINES.get(type(event))
        return b"" if show is None else show(self, event, position, timed, of)

    def stored(self, run: Sequence[Publication]) -> bytes:
        return b"".join(self.event(one.event, one.position, one.timed, one.of) for one in run)

    def go_on(self) -> None:
        self._take_lines()

    def lost(self) -> None:
        self._unhandled.clear()
        self._rate.stop()

    # Lines.

    def hold_lines(self, holds: bool) -> None:
        """Leave the lines of the client unread, such as while the sign-in goes on."""
        self._is_entering = holds
        if not holds:
            self._take_lines()

    def _take_lines(self) -> None:
        """Handle lines, as many as the rate allows, while there is room for replies."""
        waiting = self._unhandled
        while waiting and not (self._is_entering or self.session.outbox.full()):
            data = waiting[0]
            if not (data.startswith(UNCOUNTED) or self._rate.takes_one()):
                break
            self._take(data)
            if waiting:  # not cleared by the end of the session
                waiting.popleft()
        self.session.hold_back(bool(waiting))

    def _take(self, data: bytes) -> None:
        is_signed_in = self.registration.phase is Phase.SIGNED_IN
        try:
            line = parse(data, REST_BYTES if is_signed_in else REST_BYTES_BEFORE)
        except BadIRCLine as bad:
            self.session.refuse(Refusal(bad.code, ""), Part(Call(self, Line({}, "", bad.command, [])), partial(bad_line, self, bad)))
            return
        if line is None:
            return
        if is_signed_in:
            self.handle(line)
        else:
            take_steps(self, self.registration.receive(line))
