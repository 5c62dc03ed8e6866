"""A session: it starts requests in order, runs sends concurrently, and replies in the order of requests."""

from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager
from typing import Never

from msgspec import structs
from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from irchat.chat.accounts.accounts import SignedIn
from irchat.chat.changes import Submittable
from irchat.chat.read_state import TimedPage
from irchat.chat.state.entities import User
from irchat.chat.timed.timed_replies import TimedSent
from irchat.commands import AS_MESSAGE, REGISTRY, Command, Outcome
from irchat.commands.base import SSHConnection
from irchat.interfaces.stored import ChatKey
from irchat.net.socket_writer import Outgoing
from irchat.protocol import events, requests
from irchat.protocol.errors import Code, Refusal, internal_error
from irchat.server.admission import Visit
from irchat.server.delivery.outbox import Outbox
from irchat.server.protocols.base import ChatProtocol
from irchat.server.sessions.allowance import LONG, Allowance, gone
from irchat.server.sessions.costs import COSTS, WORK_OF_RECIPIENT, WORK_OF_REFUSED_LINE
from irchat.server.sessions.event_encoding import EventEncoding
from irchat.server.sessions.pending import UNHEARD, Asked, Reply, TimedReply, failed, perishable
from irchat.server.sessions.services import Services

_log = Logger()

# Maximum number of unanswered requests of a session. When it is reached, reading stops.
_UNANSWERED_MOST = 512

_NOT_FOUND = frozenset({Code.NO_SUCH_USER, Code.NO_SUCH_GROUP, Code.NO_SUCH_CHAT})


class Session(EventEncoding):
    """The requests and replies of one connection, and its signed-in user.

    ``on_welcome`` is called after the sign-in, ``on_full`` with whether to pause reading, and ``on_bye`` when the last
    line is queued, after which the connection closes.
    """

    listed: tuple[str, ...] = ()
    """The ids of the sign-ins that `irchat.commands.accounts.sessions` listed last."""

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
        self.in_turn = services.delivery.in_turn
        """Runs a call soon, in turn with other sessions."""
        self.token: bytes | None = None
        self.wants_token = False
        self.ssh: SSHConnection | None = None
        self.user_id = 0
        self._user: User | None = None
        self._services = services
        self._visit = visit
        self.address = visit.address
        """The address of the client, in the form of `irchat.server.admission.counted_address`."""
        self._allowance = Allowance(services.rate_limiters, self.address, self._advance)
        self._on_welcome, self._on_full, self._on_bye = on_welcome, on_full, on_bye
        self._is_full = self._protocol_holds = self._advancing = self._over = False
        # Lists, although requests are taken from their front: they are short, and two empty deques take 1,520 bytes.
        self._waiting: list[Asked] = []
        self._running: list[Asked] = []
        self._seen: dict[ChatKey, int] = {}
        self._last_reason: str | None = None

    def speak(self, protocol: ChatProtocol) -> None:
        """Switch to ``protocol``."""
        self.protocol = protocol
        self.outbox.encode = protocol.encode
        self.wants_token = protocol.wants_token

    # Called by the protocol.

    def ask(self, request: requests.Request, context: object) -> None:
        """Answer ``request`` when its turn comes. ``context`` is returned to the protocol with the reply."""
        typed = False
        try:
            if isinstance(request, requests.Line):
                typed = True
                command, request = self._read_line(request)
            else:
                command = REGISTRY.for_request(request)
        except Refusal as refusal:
            self.refuse(refusal, context)
        else:
            cost = COSTS[type(request)]
            self._wait(Asked(self, context, not command.pipelined, command, request, typed=typed, cost=cost))

    def refuse(self, refusal: Refusal, context: object) -> None:
        """Answer an invalid line with ``refusal`` when its turn comes."""
        self._wait(Asked(self, context, refusal=refusal))

    def count_line(self, size: int) -> None:
        """Charge for a line of ``size`` bytes. Reading pauses until there is work left."""
        if self._allowance.charge_line(size):
            self._tell_full()

    def charge(self, work: float) -> None:
        """Charge for milliseconds of work that no request stands for."""
        self._allowance.charge(work)

    def hold_back(self, holds: bool) -> None:
        """Note whether the protocol holds back lines. Reading pauses while it does."""
        self._protocol_holds = holds
        self._tell_full()

    def end(self, reason: str) -> None:
        """Send ``bye``, and close the connection after all waiting bytes are sent."""
        if not self._over:
            self._say_bye(None, events.Bye(reason=reason))

    def end_when_answered(self, reason: str) -> None:
        """Call `end` as soon as every request is answered.

        Use this after the last request, while the connection is being read: then no request waits for its turn.
        """
        self._last_reason = reason
        self._tell_full()

    def lost(self) -> None:
        """Drop everything after the connection is lost. A reference back to the session would keep it in memory."""
        self._finish()
        self.outbox.lost()
        self._on_welcome = self._on_bye = self._on_full = gone
        del self.protocol

    def mark_shown(self, chat: ChatKey, seq: int) -> None:
        """Note that the user has seen the chat up to ``seq``. The marker is saved shortly afterwards."""
        if self._user is not None:
            self._services.chat.reading.mark_shown(self._user, chat, seq, self.id, UNHEARD)

    def timed_shown(self, chat: ChatKey, order: int) -> None:
        """Note that the user has seen a timed message."""
        self._services.chat.reading.timed_shown(self.user, chat, order)

    # Called by the commands (`irchat.commands.Caller`).

    @property
    def user(self) -> User:
        """The signed-in user. Raises Refusal ``not-logged-in``."""
        if self._user is None:
            raise Refusal(Code.NOT_LOGGED_IN, "Sign in first: login, register or resume.")
        return self._user

    @property
    def is_admin(self) -> bool:
        """Whether the user may moderate."""
        return self._user is not None and self._user.key in self._services.admins

    def registering(self) -> AbstractContextManager[None]:
        """Return a context for creating an account. Raises Refusal ``too-many-tries``."""
        return self._services.admission.registering(self.address)

    def trying(self, name: str) -> AbstractContextManager[None]:
        """Return a context for trying a sign-in. Raises Refusal ``too-many-tries``."""
        return self._services.admission.trying(self.address, name)

    def join(self, signed_in: SignedIn) -> None:
        """Sign in a user. Events are held until the welcome is sent."""
        if self._over:
            raise Refusal(Code.NOT_LOGGED_IN, "The connection is closed.")
        self._visit.enter(self._services.chat.presence.count(signed_in.user.id))
        self._user = signed_in.user
        self._allowance.enter(signed_in.user.id)
        self.user_id = signed_in.user.id
        self.token = signed_in.digest
        self.outbox.hold()
        self._services.delivery.add(self)
        self._services.chat.presence.enter(signed_in.user.id, self.id, self.token, shows_timed=self.shows_timed)
        self.protocol.joined()

    def part(self) -> None:
        """Undo `join`."""
        if self._user is not None:
            user, self._user, self.token = self._user, None, None
            self._visit.leave()
            self._allowance.part()
            self._services.delivery.remove(self)
            self._services.presence.remove(self)
            self._services.personas.remove(self)
            self._services.chat.presence.leave(user.id, self.id)
            self.outbox.drop_held()

    def saw(self, ends: dict[ChatKey, int]) -> None:
        """Note the last seq in each chat that the welcome covers."""
        self._seen = ends

    def published_to(self, count: int) -> None:
        """Charge for a publication of this session that goes to ``count`` sessions."""
        self._allowance.charge(count * WORK_OF_RECIPIENT)

    # Called by the outbox (`irchat.server.delivery.reader.Reader`).

    def caught_up(self) -> None:
        """Send the presence changes that were held back, after the session has caught up."""
        self._services.presence.send_soon()
        if self.wants_asides:
            self._services.personas.send_soon()
        self.protocol.caught_up()

    def drained(self) -> None:
        """Continue with requests: there is room for replies again."""
        self._advance()
        self.protocol.go_on()

    # Requests, started in order.

    def _read_line(self, line: requests.Line) -> tuple[type[Command], requests.Request]:
        command, request = REGISTRY.read(line.line, self.is_admin, line.chat)
        if line.nonce is not None and isinstance(request, requests.Send):
            request = structs.replace(request, nonce=line.nonce)
        if line.id is not None and isinstance(request, requests.Send) and command.to_open_chat:
            request = structs.replace(request, id=line.id)
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
                self._start(self._waiting.pop(0))
        finally:
            self._advancing = False
        self._tell_full()

    def _may_start(self, asked: Asked) -> bool:
        """Return whether a request may start: sends run concurrently, an exclusive request alone."""
        if self._running:
            if self._running[-1].exclusive or len(self._running) >= _UNANSWERED_MOST:
                return False
            if asked.exclusive and asked.command is not None:
                return False
        return not (self.outbox.full() or self._allowance.is_used_up())

    def _tell_full(self) -> None:
        if not self._over:
            is_full = bool(self._waiting) or self._protocol_holds or self._allowance.is_used_up()
            if self._is_full != is_full:
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
        if isinstance(outcome, Submittable):
            self._services.chat.queue.take(outcome, asked)
        elif isinstance(outcome, events.Event):
            self.answer(outcome, asked)
        else:
            if isinstance(outcome, Coroutine):
                # It reads before it makes a change: later requests must not overtake that change.
                asked.exclusive = True
                outcome = Deferred.fromCoroutine(outcome)
            assert isinstance(outcome, Deferred)
            asked.waits_for = outcome
            outcome.addCallbacks(asked.callback, asked.errback)
            outcome.addErrback(lambda failure: _log.failure("a reply could not be sent", failure))

    def _run(self, asked: Asked) -> Outcome:
        command = asked.command
        if command is None:
            assert asked.refusal is not None
            raise asked.refusal
        if command.signed_in is False and self._user is not None:
            raise Refusal(Code.ALREADY_LOGGED_IN, "This session is already signed in.")
        if command.signed_in:
            self._allowance.admit(asked.cost, asked.request, self.user)
        return command.run(self._services, self, asked.request)  # type: ignore[arg-type]  # of the command's class

    # Replies, in the order of the requests.

    def fail(self, failure: Failure, asked: Asked) -> None:
        """Answer with the error of a failed request."""
        if failure.check(CancelledError):  # by `_finish`
            return
        error = failure.value
        if not isinstance(error, Refusal):
            _log.failure("a request failed", failure)
            error = internal_error()
        self._allowance.charge(WORK_OF_REFUSED_LINE)
        if error.code is Code.TOO_FAST and self.protocol.waits:
            self._running.remove(asked)
            self._waiting.insert(0, asked)
            self._allowance.wait_for_messages(asked.cost, asked.request, self.user)
            self._tell_full()
            return
        self._services.refusals[error.code] += 1
        text = error.text
        if asked.typed and error.code in _NOT_FOUND and asked.command is not None and asked.command.may_be_text:
            text += AS_MESSAGE
        self.answer(events.Error(code=error.code.value, text=text, usage=error.usage, until=error.until), asked)

    def answer(self, reply: Reply, asked: Asked) -> None:
        """Send the reply as soon as all earlier requests are answered."""
        asked.reply = reply
        running = self._running
        while running and (next_reply := running[0].reply) is not None:
            say = _SAY.get(type(next_reply), Session._say)
            say(self, running.pop(0).context, next_reply)  # type: ignore[arg-type]  # chosen by its type
        if self._waiting or self._last_reason is not None:
            self._advance()

    def _say(self, context: object, reply: events.Event) -> None:
        try:
            data = self.protocol.reply(context, reply)
        except Exception:
            data = failed(self.protocol, context)
        if len(data) > LONG:
            self._allowance.charge_bytes(len(data))
        self.outbox.put(data)

    def _say_timed(self, context: object, reply: TimedReply) -> None:
        """Send a reply with remaining times of timed messages. It is encoded again if it has to wait."""
        if not self.shows_timed:
            self._say(context, reply.event(self._services.chat.messages.timed.now()))
            return
        line = perishable(self.protocol, context, reply, self._services.chat.messages.timed.now)
        self._allowance.charge_bytes(len(line.data))
        self.outbox.put_perishable(line)

    def _say_welcome(self, context: object, welcome: events.Welcome) -> None:
        """Send the welcome, then the events since it was created, unless the protocol calls `release` later."""
        self._say(context, welcome)
        self._services.presence.add(self)
        if self.wants_asides:
            self._services.personas.add(self)
        if not self.protocol.catches_up:
            self.release()
        self._on_welcome()

    def release(self) -> None:
        """Send the events that were held since the sign-in."""
        self.outbox.release(self._seen)
        self._seen = {}

    def _say_bye(self, context: object, bye: events.Bye) -> None:
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
                    asked.waits_for.cancel()  # nobody would get its reply


_SAY: dict[type[Reply], Callable[[Session, object, Never], None]] = {
    events.Bye: Session._say_bye,
    events.Welcome: Session._say_welcome,
    TimedPage: Session._say_timed,
    TimedSent: Session._say_timed,
}
"""The methods that send special replies, by type. All other replies: `Session._say`."""
