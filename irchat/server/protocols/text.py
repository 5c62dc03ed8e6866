"""The text protocol, for people with nc, telnet or openssl s_client. Each line is a command of the language."""

import re
from collections import deque
from collections.abc import Callable, Iterable, Sequence

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from irchat.chat.accounts.accounts import Accounts
from irchat.chat.state.directory import Directory
from irchat.commands import HELP, REGISTRY
from irchat.commands.people import ChangePassword, Logout
from irchat.interfaces.bus import ChangePlace, Publication, StoredPlace, TimedPlace
from irchat.interfaces.stored import ChatKey
from irchat.protocol import events, requests
from irchat.protocol.errors import Code, Refusal
from irchat.protocol.rules import LOGIN_SECONDS, LOGIN_TRIES, MARKER_SECONDS, PASSWORD_MIN_BYTES, check_password
from irchat.protocol.wire import bad_encoding
from irchat.rendering.lines import TextLine
from irchat.rendering.transcript import Transcript
from irchat.server.delivery.reprints import Reprints
from irchat.server.delivery.shared_lines import SharedRenderer, joined
from irchat.server.protocols.base import greeting
from irchat.server.sessions.costs import WORK_OF_QUESTION
from irchat.server.sessions.session import Session

_ANSWER = object()
_HTTP_REQUEST = re.compile(r"[A-Z]+ \S+ HTTP/\d")

_CLOSED = "There is no such user, and registration is closed. Ask the administrator."
_CHANGE_PASSWORD = ChangePassword.usage
_NAME_IS_ASKED = (
    f"You are asked for your username; a new name creates an account. {Logout.usage} leaves. "
    f"After signing in, {HELP} shows what you can type."
)


class TextProtocol:
    """Asks for name and password, then accepts commands and shows events. Ended timed messages leave no trace.

    The context of a request is the typed line, or `_ANSWER` during the sign-in.
    """

    encode = None
    keepalive = None
    wants_token = False
    shows_timed = True
    wants_asides = False
    waits = catches_up = False
    sign_in_seconds = LOGIN_SECONDS

    def __init__(
        self, session: Session, directory: Directory, accounts: Accounts, renderer: SharedRenderer, clock: IReactorTime
    ) -> None:
        self._session = session
        self._directory = directory
        self._accounts = accounts
        self._renderer = renderer
        self._clock = clock
        self._take: Callable[[str], None] = self._take_name
        self._typed: deque[str] = deque()
        self._is_waiting = False
        self._then: Callable[[events.Event], bytes] = self._show
        self._name = ""
        self._passwords: list[str] = []
        self._tries = 0
        self._transcript = Transcript()
        self._reprints = Reprints(clock, self._transcript, session.outbox, session.in_turn)
        self._marks: dict[ChatKey, int] = {}
        self._saving: IDelayedCall | None = None

    def greeting(self, server_name: str) -> bytes:
        """See `irchat.server.protocols.base.ChatProtocol`, also for the following methods."""
        return greeting(server_name)

    def receive(self, line: bytes) -> None:
        try:
            self._typed.append(line.decode())
        except UnicodeDecodeError:
            self._session.refuse(bad_encoding(), None)
            return
        self._take_lines()

    # Called by the session (`irchat.server.protocols.base.ChatProtocol`).

    def joined(self) -> None:
        """Do nothing: the welcome follows."""

    def reply(self, context: object, event: events.Event) -> bytes:
        """Return the lines that show a reply, or the next question of the sign-in."""
        if context is _ANSWER:
            return self._answered(event)
        typed = context if isinstance(context, str) else ""
        if isinstance(event, events.Sent | events.Amended):
            self._transcript.sent(typed, event)
        if isinstance(event, events.Sent) and event.id is not None:
            self._reprints.shown(event.id, event.left_ms)
        if isinstance(event, events.Amended) and event.deleted:
            self._reprints.drop(event.chat, event.seq)
        if isinstance(event, events.Error) and REGISTRY.is_secret(typed):
            self._transcript.forget(typed)
        return self._show(event, typed)

    def again(self, context: object, event: events.Event) -> bytes:
        """Return the current lines of a reply that `reply` has already noted."""
        typed = context if isinstance(context, str) else ""
        return joined(self._renderer.lines(event, REGISTRY.answered(typed, event)))

    def event(self, publication: Publication) -> bytes:
        """Return the lines that show an event. A shown message counts as read. Marks show on one's own messages."""
        event, place = publication.event, publication.place
        if isinstance(place, StoredPlace):
            self._mark(place.chat, place.seq)
        elif isinstance(place, TimedPlace):
            self._session.timed_shown(place.chat, place.order)
        elif isinstance(event, events.Erased):
            self._reprints.erase(event.id)
            return b""
        elif isinstance(event, events.Amended):
            if event.deleted:
                self._reprints.drop(event.chat, event.seq)
            is_own = isinstance(place, ChangePlace) and place.sender == self._session.user_id
            if event.mark is not None and not is_own:
                return b""
        self._note_timed(event)
        lines, said = self._renderer.shown(event)
        self._transcript.show(lines)
        return said

    def stored(self, run: Sequence[Publication]) -> bytes:
        """Return the lines that show several stored messages, each like `event`."""
        shown = self._renderer.shown_run(run)
        for chat, seq in shown.marks.items():
            self._mark(chat, seq)
        self._transcript.show(shown.lines)
        return shown.said

    def missed(self, change: Publication) -> None:
        """Do nothing: its present state is shown."""

    def caught_up(self) -> None:
        """Do nothing: all that was missed is shown."""

    def go_on(self) -> None:
        """Continue with reprints and lines: there is room for replies again."""
        self._reprints.go_on()
        self._take_lines()

    def lost(self) -> None:
        """Save the markers. Drop the callbacks that refer to this object: they would keep it in memory."""
        self._typed.clear()
        self._reprints.over()
        if self._saving is not None:
            self._saving.cancel()
            self._save_marks()
        del self._reprints, self._take, self._then

    # Lines are handled one at a time, while the output has room. During the sign-in, each one waits for the answer to
    # the previous one.

    def _take_lines(self) -> None:
        while self._typed and not self._is_waiting and not self._session.outbox.full():
            self._take(self._typed.popleft())
        self._session.hold_back(bool(self._typed))

    def _ask_and_wait(self, request: requests.Request, then: Callable[[events.Event], bytes]) -> None:
        self._is_waiting = True
        self._then = then
        self._session.ask(request, _ANSWER)

    def _answered(self, event: events.Event) -> bytes:
        self._is_waiting = False
        if isinstance(event, events.Welcome):
            self._name, self._take = event.name, self._take_command
            said = self._show(event)
        elif isinstance(event, events.Error) and event.code == Code.BANNED:
            self._is_waiting = True  # accept no further lines
            self._clock.callLater(0, self._session.end, "come back when the ban has ended")
            said = self._show(event)
        else:
            said = self._then(event)
        # After the reply is written, so that the answer to the next line follows it.
        self._clock.callLater(0, self._take_lines)
        return said

    def _ask_person(self, question: str, take: Callable[[str], None]) -> bytes:
        self._take = take
        return f"{question}\n".encode()

    def _say(self, data: bytes) -> None:
        """Ask a question that is no reply to a request."""
        self._session.charge(WORK_OF_QUESTION)
        self._session.outbox.put(data)

    # Signing in.

    def _take_name(self, line: str) -> None:
        name = line.strip()
        if not name:
            return
        if _HTTP_REQUEST.match(name):
            self._session.end("this is not a web server: the option --web-port opens one for browsers")
            return
        if name == Logout.usage:
            self._is_waiting = True  # accept no further lines
            self._session.ask(requests.Logout(), name)
            return
        refused: Refusal | None = None
        known = self._directory.find_user(name) is not None
        try:
            if not known and self._accounts.registration_open:
                self._directory.new_user_key(name)
            elif not known and self._accounts.passwords:
                # Do not repeat the name: it may be a password that was typed before the question appeared.
                refused = Refusal(Code.BAD_REQUEST, _CLOSED)
        except Refusal as refusal:
            refused = refusal
        if not known and (REGISTRY.right_form(name) or name) in (HELP, Logout.usage):
            refused = Refusal(Code.BAD_NAME, _NAME_IS_ASKED)
        if refused is not None:
            self._say(self._refused(refused) + self._ask_person("Your username?", self._take_name))
            return
        self._name = name
        if not self._accounts.passwords:
            self._ask_and_wait(requests.Login(name=name), self._name_refused)
        elif known:
            self._say(self._ask_person(f"Password for {name}?", self._take_password))
        else:
            self._say(f"{name} is a new name here, welcome.\n".encode() + self._choose_password(self._create))

    def _name_refused(self, event: events.Event) -> bytes:
        return self._show(event) + self._ask_person("Your username?", self._take_name)

    def _take_password(self, line: str) -> None:
        self._ask_and_wait(requests.Login(name=self._name, password=line), self._password_refused)

    def _password_refused(self, event: events.Event) -> bytes:
        if isinstance(event, events.Error) and event.code != Code.BAD_CREDENTIALS:
            return self._show(event) + self._ask_person(f"Password for {self._name}?", self._take_password)
        said = self._complain("That password is wrong.")
        self._tries += 1
        if self._tries == LOGIN_TRIES:
            self._is_waiting = True  # accept no further lines
            self._clock.callLater(0, self._session.end, f"{LOGIN_TRIES} wrong passwords")
            return said
        return said + self._ask_person(f"Password for {self._name}, once more?", self._take_password)

    def _choose_password(self, use: Callable[[str], None]) -> bytes:
        def take_again(line: str) -> None:
            if line == self._passwords.pop():
                use(line)
            else:
                self._say(self._complain("The passwords differ.") + self._choose_password(use))

        def take(line: str) -> None:
            try:
                self._passwords = [check_password(line, self._name)]
            except Refusal as refusal:
                self._say(self._refused(refusal) + self._choose_password(use))
            else:
                self._say(self._ask_person("The same password again?", take_again))

        return self._ask_person(f"Choose a password ({PASSWORD_MIN_BYTES} characters or more)?", take)

    def _create(self, password: str) -> None:
        self._ask_and_wait(requests.Register(name=self._name, password=password), self._name_refused)

    # Signed in.

    def _take_command(self, line: str) -> None:
        typed = line.strip()
        if not typed:
            return
        self._transcript.typed(typed)
        if typed == _CHANGE_PASSWORD and self._accounts.passwords:
            self._say(self._ask_person("Your old password?", self._take_old_password))
        else:
            self._session.ask(requests.Line(line=typed), typed)

    def _take_old_password(self, old: str) -> None:
        def change(new: str) -> None:
            self._ask_and_wait(requests.Password(old=old, new=new), self._password_changed)

        self._say(self._choose_password(change))

    def _password_changed(self, event: events.Event) -> bytes:
        self._take = self._take_command
        if isinstance(event, events.Ok):
            return self._show_lines([self._renderer.note("your password is changed")])
        return self._show(event)

    # Showing, marking, erasing.

    def _refused(self, refusal: Refusal) -> bytes:
        return self._show(events.Error(code=refusal.code.value, text=refusal.text, usage=refusal.usage))

    def _complain(self, text: str) -> bytes:
        return self._show(events.Error(code=Code.BAD_REQUEST.value, text=text))

    def _show(self, event: events.Event, typed: str = "") -> bytes:
        self._note_timed(event)
        asked = None if not typed or isinstance(event, events.Sent) else REGISTRY.answered(typed, event)
        return self._show_lines(self._renderer.lines(event, asked))

    def _note_timed(self, event: events.Event) -> None:
        """Note the timed messages in ``event``, which is now on the screen."""
        shown = [event] if isinstance(event, events.Message) else getattr(event, "messages", ())
        for message in shown:
            if message.id is not None:
                self._reprints.shown(message.id, message.left_ms)

    def _show_lines(self, lines: Iterable[TextLine]) -> bytes:
        lines = list(lines)
        self._transcript.show(lines)
        return joined(lines)

    def _mark(self, chat: ChatKey, seq: int) -> None:
        self._marks[chat] = max(seq, self._marks.get(chat, 0))
        if self._saving is None:
            self._saving = self._clock.callLater(MARKER_SECONDS, self._save_marks)

    def _save_marks(self) -> None:
        self._saving = None
        marks, self._marks = self._marks, {}
        for chat, seq in marks.items():
            self._session.mark_shown(chat, seq)
