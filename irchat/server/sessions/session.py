"""One session: takes requests in order, lets sends run side by side, and answers in the order of the requests."""

from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from irchat.chat.accounts.accounts import SignedIn
from irchat.chat.changes import Change
from irchat.chat.read_state import TimedPage
from irchat.chat.state.entities import User
from irchat.commands import AS_MESSAGE, REGISTRY, Command
from irchat.commands.habits import refuse_habit
from irchat.commands.messages import ToEveryone
from irchat.interfaces.bus import Publication
from irchat.interfaces.stored import ChatKey, Page, StoredMessage
from irchat.net.socket_writer import Outgoing
from irchat.protocol import events, requests
from irchat.protocol.errors import Code, Refusal
from irchat.server.admission import Visit
from irchat.server.delivery.outbox import Outbox
from irchat.server.delivery.perishable import Perishable
from irchat.server.protocols.base import ChatProtocol
from irchat.server.sessions.allowance import LONG, Allowance
from irchat.server.sessions.costs import COSTS, WORK_OF_RECIPIENT, WORK_OF_REFUSED_LINE
from irchat.server.sessions.pending import Asked
from irchat.server.sessions.replies import perishable, said
from irchat.server.sessions.services import Services

_log = Logger()

# Requests that one session may have unanswered; past that it is not read from.
_UNANSWERED_MOST = 512

_MAY_BE_MEANT_AS_MESSAGE = frozenset({"@", "*", "+", "-", "~", "ls"})
_NOT_FOUND = frozenset({Code.NO_SUCH_USER, Code.NO_SUCH_GROUP, Code.NO_SUCH_CHAT})


def _gone(*_: object) -> None:
    """Stands for what was to be told to the connection."""


class Session:
    """A connection's requests and replies, and whose it is.

    ``on_welcome`` is called when it is signed in, ``on_full`` with whether it is to be read from no more for now,
    ``on_bye`` when the last line is said and the connection closes as soon as that is sent.
    """

    def __init__(
        self,
        services: Services,
        writer: Outgoing,
        visit: Visit,
        on_welcome: Callable[[], None],
        on_full: Callable[[bool], None],
        on_bye: Callable[[], None],
    ) -> None:
        self.id = next(services.session_ids)
        self.outbox = Outbox(writer, self, services.delivery.wake, services.delivery.watch)
        self.token: bytes | None = None
        self.protocol: ChatProtocol
        self.wants_token = False
        self.user_id = 0
        self._user: User | None = None
        self._services = services
        self._visit = visit
        self._allowance = Allowance(services.rate_limiters, visit.address, self._advance)
        self._on_welcome = on_welcome
        self._on_full = on_full
        self._on_bye = on_bye
        self._is_full = False
        self._protocol_holds = False
        self._waiting: deque[Asked] = deque()
        self._running: deque[Asked] = deque()
        self._advancing = False
        self._over = False
        self._seen: dict[ChatKey, int] = {}
        self._last_reason: str | None = None

    def speak(self, protocol: ChatProtocol) -> None:
        """Use ``protocol`` from now on."""
        self.protocol = protocol
        self.outbox.encode = protocol.encode
        self.wants_token = protocol.wants_token

    # What the protocol calls.

    def ask(self, request: requests.Request, context: Any) -> None:
        """Answer ``request`` when its turn comes; the protocol is handed ``context`` with the reply."""
        prefix = None
        try:
            if isinstance(request, requests.Line):
                command, request = self._read_line(request)
                prefix = command.prefix
            else:
                command = REGISTRY.for_request(request)
        except Refusal as refusal:
            self.refuse(refusal, context)
        else:
            cost = COSTS[type(request)]
            self._wait(Asked(self, context, not command.pipelined, command, request, prefix=prefix, cost=cost))

    def refuse(self, refusal: Refusal, context: Any) -> None:
        """Answer what is no request with ``refusal`` when its turn comes."""
        self._wait(Asked(self, context, refusal=refusal))

    def count_line(self, size: int) -> None:
        """A line of so many bytes came. A long one costs by its length, whatever it asks."""
        self._allowance.charge_bytes(size)

    def hold_back(self, holds: bool) -> None:
        """Whether the protocol holds lines back that it cannot take yet; nothing more is read while it does."""
        self._protocol_holds = holds
        self._tell_full()

    def end(self, reason: str) -> None:
        """Say ``bye`` and close the connection when what waits is sent."""
        if not self._over:
            self._say_bye(None, events.Bye(reason=reason))

    def end_when_answered(self, reason: str) -> None:
        """Do as `end` does as soon as all that was asked is answered. Call it when nothing more is asked, and the
        session is read from: then no request and no line waits for its turn."""
        self._last_reason = reason
        self._tell_full()

    def lost(self) -> None:
        """The connection is gone. What is let go of would keep the session in memory until a collection of garbage."""
        self._finish()
        self.outbox.lost()
        self._on_welcome = self._on_bye = self._on_full = _gone
        del self.protocol

    def is_full(self) -> bool:
        """Whether so much waits to be sent that nothing more is to be said."""
        return self.outbox.full()

    def put(self, data: bytes) -> None:
        """Say bytes that are no reply."""
        self.outbox.put(data)

    def put_perishable(self, line: Perishable) -> None:
        """Say what holds timed messages."""
        self.outbox.put_perishable(line)

    def in_turn(self, call: Callable[[], None]) -> None:
        """Have ``call`` made soon, when there is time for it."""
        self._services.delivery.in_turn(call)

    def mark_shown(self, chat: ChatKey, seq: int) -> None:
        """The user has seen the chat up to ``seq``; the marker is saved by and by."""
        if self._user is not None:
            marking = self._services.chat.reading.mark_shown(self._user, chat, seq, self.id)
            if marking is not None:
                # What cannot be saved shows as unread again.
                marking.addErrback(lambda failure: failure.trap(Refusal))

    def timed_shown(self, chat: ChatKey, order: int) -> None:
        """The user has seen a timed message."""
        self._services.chat.reading.timed_shown(self.user, chat, order)

    # What the commands call (`irchat.commands.Caller`).

    @property
    def user(self) -> User:
        """Who is signed in. Raises Refusal ``not-logged-in``."""
        if self._user is None:
            raise Refusal(Code.NOT_LOGGED_IN, "Sign in first: login, register or resume.")
        return self._user

    @property
    def is_signed_in(self) -> bool:
        """Whether somebody is signed in."""
        return self._user is not None

    @property
    def is_admin(self) -> bool:
        """Whether who is signed in may moderate."""
        return self._user is not None and self._user.key in self._services.admins

    @property
    def address(self) -> str:
        """The address that the session comes from, as it is counted."""
        return self._visit.address

    def registering(self) -> AbstractContextManager[None]:
        """An account is made inside. Raises Refusal ``too-many-tries``."""
        return self._visit.registering()

    def trying(self, name: str) -> AbstractContextManager[None]:
        """A sign-in is tried inside. Raises Refusal ``too-many-tries``."""
        return self._visit.trying(name)

    def join(self, signed_in: SignedIn) -> None:
        """The session is that user's from now on; what happens is kept until the welcome is sent."""
        if self._over:
            raise Refusal(Code.NOT_LOGGED_IN, "The connection is closed.")
        self._visit.enter(self._services.chat.presence.count(signed_in.user.id))
        self._user = signed_in.user
        self._allowance.enter(signed_in.user.id)
        self.user_id = signed_in.user.id
        self.token = signed_in.digest
        self.outbox.hold()
        self._services.delivery.add(self)
        self._services.chat.presence.enter(signed_in.user.id, self.id)

    def part(self) -> None:
        """The session is nobody's again."""
        if self._user is not None:
            user, self._user, self.token = self._user, None, None
            self._visit.leave()
            self._allowance.part()
            self._services.delivery.remove(self)
            self._services.presence.remove(self)
            self._services.chat.presence.leave(user.id, self.id)
            self.outbox.drop_held()

    def saw(self, ends: dict[ChatKey, int]) -> None:
        """The welcome tells of these chats up to these seqs."""
        self._seen = ends

    def published_to(self, count: int) -> None:
        """Charge for a publication of this session that goes to ``count`` sessions."""
        self._allowance.charge(count * WORK_OF_RECIPIENT)

    # What the outbox calls (`irchat.server.delivery.outbox.Reader`).

    def say(self, publication: Publication) -> bytes:
        """A publication in the session's protocol."""
        return self.protocol.event(publication.event, publication.position, publication.timed)

    def say_run(self, run: Sequence[Publication]) -> bytes:
        """Several publications of stored messages in the session's protocol."""
        return self.protocol.stored(run)

    def say_stored(self, message: StoredMessage) -> bytes:
        """A stored message in the session's protocol."""
        event = self._services.chat.reading.event(self.user, message)
        return b"" if event is None else self.protocol.event(event, (message.chat, message.seq), None)

    def say_timed_since(
        self, order: int, own: set[tuple[ChatKey, int]], page_bytes: int
    ) -> tuple[bytes, int | None, float]:
        """The timed messages that are alive, from that order on, and the order from which there are more."""
        missed, further, until = self._services.chat.reading.missed_timed(self.user, order, own, page_bytes)
        return b"".join(self.protocol.event(event, None, place) for place, event in missed), further, until

    def page_after(self, chat: ChatKey, seq: int, limit: int, page_bytes: int) -> Awaitable[Page]:
        """Stored messages of a chat after ``seq``."""
        return self._services.chat.reading.after(self.user, chat, seq, limit, page_bytes)

    def caught_up(self) -> None:
        """Nothing is missing any more."""
        self._services.presence.caught_up()

    def drained(self) -> None:
        """There is room for replies again."""
        self._advance()
        self.protocol.go_on()

    # Requests, one after another.

    def _read_line(self, line: requests.Line) -> tuple[type[Command], requests.Request]:
        refuse_habit(line.line)
        command, request = REGISTRY.read(line.line, self.is_admin)
        if isinstance(request, requests.Send) and (line.nonce is not None or line.chat is not None):
            chat = line.chat if line.chat is not None and command is ToEveryone else request.chat
            request = requests.Send(chat=chat, text=request.text, expires_in=request.expires_in, nonce=line.nonce)
        return command, request

    def _wait(self, asked: Asked) -> None:
        if self._over:
            return
        if not self._waiting and self._may_start(asked):
            self._start(asked)
        else:
            self._waiting.append(asked)
            self._advance()

    def _advance(self) -> None:
        if self._advancing:
            return
        self._advancing = True
        try:
            while self._waiting and not self._over and self._may_start(self._waiting[0]):
                self._start(self._waiting.popleft())
        finally:
            self._advancing = False
        self._tell_full()

    def _may_start(self, asked: Asked) -> bool:
        """A read waits for all before it, and all after it wait for the read; sends run side by side."""
        if self._running:
            if self._running[-1].exclusive or len(self._running) >= _UNANSWERED_MOST:
                return False
            if asked.exclusive and asked.command is not None:
                return False
        return not (self.outbox.full() or self._allowance.is_used_up())

    def _tell_full(self) -> None:
        is_full = bool(self._waiting) or self._protocol_holds
        if self._is_full != is_full and not self._over:
            self._is_full = is_full
            self._on_full(is_full)
        if self._last_reason is not None and not self._running:
            self.end(self._last_reason)

    def _start(self, asked: Asked) -> None:
        self._running.append(asked)
        self._allowance.charge(asked.cost.work)
        try:
            outcome = self._run(asked)
        except Exception:
            self.fail(Failure(), asked)
            return
        if isinstance(outcome, Change):
            self._services.chat.queue.take(outcome, asked)
        elif isinstance(outcome, events.Event):
            self.answer(outcome, asked)
        else:
            if not isinstance(outcome, Deferred):
                outcome = Deferred.fromCoroutine(outcome)
            asked.waits_for = outcome
            outcome.addCallbacks(asked.callback, asked.errback)
            outcome.addErrback(lambda failure: _log.failure("a reply could not be given", failure))

    def _run(self, asked: Asked) -> Any:
        command = asked.command
        if command is None:
            assert asked.refusal is not None
            raise asked.refusal
        if command.signed_in is False and self._user is not None:
            raise Refusal(Code.ALREADY_LOGGED_IN, "This session is signed in already.")
        if command.signed_in:
            self._allowance.admit(asked.cost, asked.request, self.user)
        return command.run(self._services, self, asked.request)

    # What a request that was started calls with its reply.

    def fail(self, failure: Failure, asked: Asked) -> None:
        """Answer with what went wrong."""
        if failure.check(CancelledError):  # by `_finish`
            return
        error = failure.value
        if not isinstance(error, Refusal):
            _log.failure("a request failed", failure)
            error = Refusal(Code.INTERNAL, "The server met an error of its own; nothing was changed.")
        self._allowance.charge(WORK_OF_REFUSED_LINE)
        text = error.text
        if asked.prefix in _MAY_BE_MEANT_AS_MESSAGE and error.code in _NOT_FOUND:
            text += AS_MESSAGE
        self.answer(events.Error(code=error.code.value, text=text, usage=error.usage, until=error.until), asked)

    def answer(self, reply: events.Event | TimedPage, asked: Asked) -> None:
        """Give the reply as soon as all requests before it have theirs."""
        asked.reply = reply
        running = self._running
        while running and (reply_of_first := running[0].reply) is not None:
            first = running.popleft()
            if isinstance(reply_of_first, events.Bye):
                self._say_bye(first.context, reply_of_first)
            elif isinstance(reply_of_first, TimedPage) or (
                isinstance(reply_of_first, events.Sent) and reply_of_first.id is not None
            ):
                now = self._services.chat.messages.timed.now
                line = perishable(self.protocol, first.context, reply_of_first, now)
                self._allowance.charge_bytes(len(line.data))
                self.outbox.put_perishable(line)
            else:
                data = said(self.protocol, first.context, reply_of_first)
                if len(data) > LONG:
                    self._allowance.charge_bytes(len(data))
                self.outbox.put(data)
                if isinstance(reply_of_first, events.Welcome):
                    self._welcomed()
        self._advance()

    def _welcomed(self) -> None:
        """The welcome is said: what happened since it was made follows."""
        self._services.presence.add(self)
        self.outbox.release(self._seen)
        self._seen = {}
        self._on_welcome()

    def _say_bye(self, context: Any, bye: events.Bye) -> None:
        self.outbox.put(self.protocol.reply(context, bye))
        self._finish()
        self.outbox.close()
        self._on_bye()

    def _finish(self) -> None:
        if not self._over:
            self._over = True
            self._waiting.clear()
            running = list(self._running)
            self._running.clear()
            self.protocol.lost()
            self.part()
            self._allowance.over()
            for asked in running:
                if asked.waits_for is not None:
                    asked.waits_for.cancel()  # nobody waits for it any more
