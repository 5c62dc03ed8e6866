"""The IRC protocol as a plug-in of a connection: lines in, requests of the session, lines out."""

from collections.abc import Sequence

from twisted.logger import Logger

from irchat.chat.state.entities import User
from irchat.interfaces.bus import Publication
from irchat.interfaces.stored import ChatKey
from irchat.irc.command_table import Phase
from irchat.irc.irc_lines import REST_BYTES, REST_BYTES_BEFORE, BadIRCLine, Line, build, parse
from irchat.irc.labels import Batches
from irchat.irc.numerics import Numeric
from irchat.irc.registration.capabilities import Capabilities, offered
from irchat.irc.registration.registering import Registration
from irchat.irc.registration.steps import Options
from irchat.protocol import events
from irchat.protocol.errors import internal_error
from irchat.server.delivery.run import Encode
from irchat.server.protocols.irc.calls import Answer, Call
from irchat.server.protocols.irc.chats.missed_members import MissedMembers
from irchat.server.protocols.irc.command_handlers import HANDLERS
from irchat.server.protocols.irc.entering.sign_in_steps import take_steps
from irchat.server.protocols.irc.event_lines import EVENT_LINES
from irchat.server.protocols.irc.irc_shared import IRCShared
from irchat.server.protocols.irc.irc_state import IRCState, Unseen
from irchat.server.protocols.irc.line_rate import LineRate
from irchat.server.protocols.irc.missed_marks import MissedMarks
from irchat.server.protocols.irc.people.monitored import stop_watching
from irchat.server.protocols.irc.refusals import bad_line, farewell, refused
from irchat.server.protocols.irc.talk.saying import say_plainly
from irchat.server.protocols.irc.talk.talk_state import Talk
from irchat.server.sessions.session import Session

_log = Logger()

# Seconds from the start of a connection to USER, and to the sign-in.
_USER_SECONDS = 60
_SIGN_IN_SECONDS = 300
# Bytes of a line with many tags that are parsed in a millisecond.
_TAG_BYTES_OF_MS = 4_000


class IRCProtocol:
    """Speaks IRC with one client. The context of a request is an `Answer`, such as a part of the `Call` of its line.

    ``state`` belongs to this session, ``shared`` to all IRC sessions.
    """

    wants_token = shows_timed = False
    waits = catches_up = wants_asides = True
    encode: Encode | None = None

    def __init__(self, session: Session, shared: IRCShared) -> None:
        self.session = session
        self.shared = shared
        self.lines = shared.lines
        self.state = IRCState()
        self.missed_members = MissedMembers()
        self.missed_marks = MissedMarks()
        self.talk = Talk(self)
        self.batches = Batches(shared.lines)
        accounts, limits = shared.services.accounts, shared.services.chat.limits
        caps = Capabilities(offered(registration_open=accounts.registration_open), shared.lines)
        options = Options(accounts.passwords, accounts.registration_open)
        self.registration = Registration(options, shared.lines, caps, shared.has_account)
        self.last_words: bytes | None = None
        """The last lines of the session, if they are not ERROR and the reason of its end."""
        self._unhandled: list[bytes] = []  # short: an empty deque takes 760 bytes
        self._is_entering = self._is_taking = self._is_introduced = False
        self._rate = LineRate(shared.clock, limits, self.take_lines)
        shared.protocols.add(self)

    @property
    def caps(self) -> Capabilities:
        """The capabilities: ``"batch" in caps``."""
        return self.registration.capabilities

    @property
    def nick(self) -> str:
        """The name by which the server addresses the client: that of its account after the sign-in."""
        return self.registration.shown_nick

    @property
    def is_signed_in(self) -> bool:
        """Whether the registration has ended with a sign-in."""
        return self.registration.phase is Phase.SIGNED_IN

    @property
    def user(self) -> User:
        """The signed-in user. Raises Refusal ``not-logged-in``."""
        return self.session.user

    # Called by the connection and the session (`irchat.server.protocols.base.ChatProtocol`).

    @property
    def keepalive(self) -> bytes:
        """See `irchat.server.protocols.base.ChatProtocol`, also for the following methods."""
        return build("PING", text=self.lines.name)

    @property
    def sign_in_seconds(self) -> int:
        return _SIGN_IN_SECONDS if self.registration.user else _USER_SECONDS

    def greeting(self, server_name: str) -> bytes:
        return b""

    def receive(self, line: bytes) -> None:
        if self._unhandled or self._is_taking or not self._may_take() or not self._rate.takes_one():
            self._unhandled.append(line)
            self.take_lines()
            return
        self._is_taking = True
        try:
            self._take(line)
        finally:
            self._is_taking = False
        if self._unhandled:
            self.take_lines()

    def joined(self) -> None:
        if self.registration.user:
            self.introduce(is_first=True)

    def reply(self, context: object, event: events.Event) -> bytes:
        if isinstance(context, Answer):
            return context.answered(event)
        if isinstance(event, events.Error):
            return refused(self, "*", event)
        return self.event(Publication(event, ()))

    def again(self, context: object, event: events.Event) -> bytes:
        return self.reply(context, event)

    def event(self, publication: Publication) -> bytes:
        event = publication.event
        if isinstance(event, events.Bye):
            return farewell(self, event)
        show = EVENT_LINES.get(type(event))
        return b"" if show is None else show(self, event, publication)  # type: ignore[arg-type]  # chosen by its type

    def stored(self, run: Sequence[Publication]) -> bytes:
        return b"".join(map(self.event, run))

    def go_on(self) -> None:
        self.talk.go_on()
        self.take_lines()

    def missed(self, change: Publication) -> None:
        self.missed_marks.note(self, change)

    def caught_up(self) -> None:
        self.session.outbox.put(self.missed_members.lines(self) + self.missed_marks.lines(self))
        self.talk.caught_up()

    def lost(self) -> None:
        self.shared.protocols.discard(self)
        self.talk.over()
        stop_watching(self)
        if self.state.times is not None:
            self.shared.idle_times.end(self.state.times)
            self.state.times = None
        self._unhandled.clear()
        self._rate.stop()

    def open_registration(self, *, is_open: bool) -> None:
        """Note whether everyone may create an account from now on, and tell the client."""
        self.session.outbox.put(self.registration.open_to(everyone=is_open))

    # Lines.

    def hold_lines(self, holds: bool) -> None:
        """Leave the lines of the client unread, such as while the lines of the sign-in are made."""
        self._is_entering = holds
        if not holds:
            self.take_lines()

    def take_lines(self) -> None:
        """Handle waiting lines, as many as the rate allows, while there is room for replies."""
        if self._is_taking:
            return
        self._is_taking = True
        waiting = self._unhandled
        try:
            while waiting and self._may_take() and self._rate.takes_one():
                self._take(waiting.pop(0))
        finally:
            self._is_taking = False
        self.session.hold_back(bool(waiting))

    def _may_take(self) -> bool:
        return not (self._is_entering or self.registration.is_asking or self.session.outbox.full())

    def _take(self, data: bytes) -> None:
        if self.is_signed_in and say_plainly(self, data):
            return
        if len(data) > REST_BYTES:
            self.session.charge(len(data) / _TAG_BYTES_OF_MS)
        try:
            line = parse(data, REST_BYTES if self.is_signed_in else REST_BYTES_BEFORE)
        except BadIRCLine as bad:
            call = Call(self, Line({"label": bad.label} if bad.label else {}, "", bad.command, []))
            call.say(bad_line(self, bad))
            call.close()
            return
        if line is not None and self.registration.passes(line):
            self.handle(line)
        elif line is not None:
            is_signed_in = self.is_signed_in
            take_steps(self, self.registration.receive(line), in_turn=is_signed_in)
            if line.command == "CAP":
                self.talk.choose_encoding()

    def handle(self, line: Line) -> None:
        """Handle a line that is allowed now and has enough parameters (`irchat.irc.command_table`)."""
        call = Call(self, line)
        try:
            HANDLERS[line.command](call)
        except Exception:
            _log.failure("a line could not be handled")
            call.say(self.lines.numeric(Numeric.ERR_UNKNOWNERROR, self.nick, line.command, text=internal_error().text))
        call.close()

    def introduce(self, *, is_first: bool) -> None:
        """Set the persona of the user, once per session. ``is_first``: nobody has seen the session yet."""
        if not self._is_introduced:
            self._is_introduced = True
            said = self.registration
            self.shared.set_persona(
                self, is_first=is_first, username=said.user, realname=said.realname, away=self.state.away
            )

    def set_away(self, text: str | None) -> None:
        """Mark this session as away, or as back (None)."""
        if self.is_signed_in:
            self.shared.set_persona(self, away=text)
        else:
            self.state.away = text
        self.talk.set_away(text is not None)

    # Chats that the session has left with PART.

    def hide_chat(self, chat: ChatKey) -> None:
        """Show no further messages of a chat."""
        self.state.hidden_chats[chat] = Unseen()
        self.talk.choose_encoding()

    def forget_chat(self, chat: ChatKey) -> None:
        """Drop the state of a chat that the user has left."""
        self.show_chat(chat)
        if isinstance(chat, int):
            self.state.owners.pop(chat, None)

    def show_chat(self, chat: ChatKey) -> None:
        """Undo `hide_chat`."""
        self.state.hidden_chats.pop(chat, None)
        self.talk.choose_encoding()
