"""The registration of an IRC client as a state machine: lines in; lines and requests out.

It knows no socket and no core. `Registration.receive` takes the lines of a session. It returns steps in order: bytes to
send, a request whose answer comes back by `Registration.answered`, or a change of the phase. While a request
is pending, lines wait inside, and `Registration.is_asking` is true: the reader should pause.
"""

from collections.abc import Callable

from msgspec.structs import replace

from irchat.irc.command_table import Phase, check
from irchat.irc.irc_lines import Line, build
from irchat.irc.numerics import Numeric, ServerLines, service_prefix
from irchat.irc.registration import nickserv
from irchat.irc.registration.capabilities import Capabilities, offered
from irchat.irc.registration.sasl import Credentials, PlainExchange, SaslFailure
from irchat.irc.registration.steps import Ask, Close, EnterWaitingRoom, Options, PassOn, Say, SignedIn, Step
from irchat.irc.targets import NICKSERV, SERVICE, clean_realname, clean_user, prefix, same_target, service_of
from irchat.protocol import events, requests
from irchat.protocol.errors import Code, Refusal
from irchat.protocol.rules import fold_name

_REGISTER_CODES = {
    Code.NAME_TAKEN: "ACCOUNT_EXISTS",
    Code.BAD_NAME: "BAD_ACCOUNT_NAME",
    Code.WEAK_PASSWORD: "WEAK_PASSWORD",
    Code.REGISTRATION_CLOSED: "DISALLOWED",
}
_WRONG = frozenset({Code.BAD_CREDENTIALS, Code.TOO_MANY_TRIES})
# The commands of the registration that are answered here after the sign-in too.
_OWN = frozenset({"CAP", "USER", "PASS", "AUTHENTICATE", "REGISTER", "VERIFY"})


_Then = Callable[[events.Welcome | events.Error], list[Step]]


class Registration:
    """The registration of one session, and what it keeps afterwards: nick, user, realname, capabilities, phase.

    ``name_is_taken`` returns whether a valid name has an account.
    """

    def __init__(
        self, options: Options, lines: ServerLines, capabilities: Capabilities, name_is_taken: Callable[[str], bool]
    ) -> None:
        self.phase = Phase.BEFORE
        self.nick = "*"
        self.user = ""
        self.realname = ""
        self.capabilities = capabilities
        self._options = options
        self._lines = lines
        self._name_is_taken = name_is_taken
        self._exchange = PlainExchange()
        self._password: str | None = None
        self._welcome: events.Welcome | None = None
        self._sent_nick = self._is_over = False
        self._then: _Then | None = None
        self._label: str | None = None
        self._queue: list[Line] = []  # mostly empty: an empty deque takes 760 bytes

    @property
    def is_asking(self) -> bool:
        """Whether a request is pending. Lines that come meanwhile wait inside."""
        return self._then is not None

    @property
    def shown_nick(self) -> str:
        """The first parameter of numerics: the nick, or ``*`` before the end of the registration."""
        return "*" if self.phase is Phase.BEFORE else self.nick

    @property
    def prefix(self) -> str:
        """The source of the lines of this user."""
        return prefix(self.nick, self.user or "*")

    def open_to(self, *, everyone: bool) -> bytes:
        """Note whether everyone may create an account from now on. Return the lines that tell the client."""
        self._options = self._options._replace(registration_open=everyone)
        return self.capabilities.offer(self.shown_nick, offered(registration_open=everyone))

    def passes(self, line: Line) -> bool:
        """Return whether `receive` would only pass a line on, as most after the sign-in. This takes less time."""
        if self.phase is not Phase.SIGNED_IN or self._queue or self._is_over or line.command in _OWN:
            return False
        return check(line, self.phase, self.nick, self._lines).runs

    def receive(self, line: Line) -> list[Step]:
        """Handle a line, in any phase."""
        if self._is_over:
            return []
        self._queue.append(line)
        return self._take_lines()

    def answered(self, event: events.Event) -> list[Step]:
        """Handle the answer to the pending request: `events.Welcome` or `events.Error`. Lines that waited follow."""
        then, self._then = self._then, None
        if then is None or not isinstance(event, events.Welcome | events.Error):
            return []
        steps = self._labelled(self._label, [*then(event), *self._complete()])
        return [*steps, *self._take_lines()]

    def _take_lines(self) -> list[Step]:
        steps: list[Step] = []
        while self._queue and not self.is_asking and not self._is_over:
            line = self._queue.pop(0)
            taken = self._take(line)
            if self.is_asking:
                self._label = line.label
                steps += taken
            else:
                steps += self._labelled(line.label, taken)
        return steps

    def _labelled(self, label: str | None, steps: list[Step]) -> list[Step]:
        """Put a label on the first bytes of ``steps``. A line that the server answers has its label itself."""
        if label is None or "labeled-response" not in self.capabilities:
            return steps
        if not steps:
            return [Say(b"", label)]
        return [Say(steps[0].data, label), *steps[1:]] if isinstance(steps[0], Say) else steps

    def _take(self, line: Line) -> list[Step]:
        verdict = check(line, self.phase, self.shown_nick, self._lines)
        if not verdict.runs:
            return [Say(verdict.refusal)] if verdict.refusal else []
        if self.phase is Phase.SIGNED_IN and line.command not in _OWN:
            return [PassOn(line)]
        handle = _HANDLERS.get(line.command)
        if handle is None:
            return self._pass_on(line)
        return [*handle(self, line), *self._complete()]

    def _pass_on(self, line: Line) -> list[Step]:
        if line.command == "AWAY" and self.phase is Phase.BEFORE and "draft/pre-away" not in self.capabilities:
            return self._numeric(Numeric.ERR_NOTREGISTERED)
        return [PassOn(line)]

    def _numeric(self, numeric: Numeric, *params: str, text: str | None = None) -> list[Step]:
        return [Say(self._lines.numeric(numeric, self.shown_nick, *params, text=text))]

    def _fail(self, command: str, code: str, text: str, account: str = "") -> list[Step]:
        return [Say(self._lines.fail(command, code, account or self.nick, text=text))]

    def _notice(self, *texts: str, service: str = NICKSERV) -> bytes:
        return self._lines.notices(service_prefix(service), self.shown_nick, texts)

    # The end of the registration.

    def _complete(self) -> list[Step]:
        """Return the steps at the end of the registration, or of the stay in the waiting room, once it is reached."""
        if self.is_asking or self._is_over or self.phase is Phase.SIGNED_IN:
            return []
        if self.phase is Phase.WAITING:
            return [] if self._welcome is None else self._enter(self._welcome)
        has_nick = self.nick != "*" or (self._sent_nick and self._welcome is not None)
        if not has_nick or not self.user or self.capabilities.is_open:
            return []
        steps: list[Step] = []
        if not self._exchange.expects_mechanism:
            self._exchange = PlainExchange()
            steps = self._numeric(Numeric.ERR_SASLABORTED)
        return [*steps, *self._sign_in_or_wait()]

    def _sign_in_or_wait(self) -> list[Step]:
        if self._welcome is not None:
            return self._enter(self._welcome)
        if not self._options.passwords:
            return self._ask(requests.Login(name=self.nick), self._name_answered)
        if self._password is not None:
            name, password = self._account_of(self._password)
            return self._ask(requests.Login(name=name, password=password), self._pass_answered)
        self.phase = Phase.WAITING
        return [EnterWaitingRoom(self._notice(self._hint()))]

    def _account_of(self, password: str) -> tuple[str, str]:
        """Return the name and the password of PASS. Names have no colon, but passwords may have."""
        name, colon, rest = password.partition(":")
        return (name, rest) if colon and self._is_taken(name) else (self.nick, password)

    def _is_taken(self, name: str) -> bool:
        try:
            fold_name(name)
        except Refusal:
            return False
        return self._name_is_taken(name)

    def _enter(self, welcome: events.Welcome) -> list[Step]:
        was_waiting = self.phase is Phase.WAITING
        steps: list[Step] = []
        if was_waiting and self.nick != welcome.name:
            steps.append(Say(build("NICK", welcome.name, source=self.prefix)))
        self.phase, self.nick = Phase.SIGNED_IN, welcome.name
        self._welcome = replace(welcome, online=[], unread=[])  # they are long, and would stay until the end
        return [*steps, SignedIn(welcome, was_waiting)]

    def _hint(self) -> str:
        """Return the notice of the waiting room."""
        if self._is_taken(self.nick):
            return (
                f"{self.nick} has an account. If it is yours: /msg NickServ IDENTIFY <password>. "
                "For another one: /msg NickServ IDENTIFY <name> <password>"
            )
        if self._options.registration_open:
            return (
                f"The name {self.nick} is free. To make it yours: /msg NickServ REGISTER <password>. "
                "If you have an account: /msg NickServ IDENTIFY <name> <password>"
            )
        return (
            f"{self.nick} has no account, and registration is closed: ask the administrator for one. "
            "If you have an account: /msg NickServ IDENTIFY <name> <password>"
        )

    # Requests and their answers.

    def _ask(self, request: requests.Register | requests.Login, then: _Then) -> list[Step]:
        self._then = then
        return [Ask(request)]

    def _logged_in(self, welcome: events.Welcome) -> bytes:
        self._welcome = welcome
        text = f"You are now logged in as {welcome.name}"
        return self._lines.numeric(Numeric.RPL_LOGGEDIN, self.shown_nick, self.prefix, welcome.name, text=text)

    def _close(self, data: bytes, text: str) -> list[Step]:
        self._is_over = True
        self._queue.clear()
        return [Close(data + self._lines.error(text), text)]

    def _banned(self, before: bytes, error: events.Error) -> list[Step]:
        return self._close(
            before + self._lines.numeric(Numeric.ERR_YOUREBANNEDCREEP, self.shown_nick, text=error.text),
            "You are banned",
        )

    def _name_answered(self, event: events.Welcome | events.Error) -> list[Step]:
        if isinstance(event, events.Welcome):
            self._welcome = event
            return []
        if event.code == Code.BANNED:
            return self._banned(b"", event)
        if event.code == Code.BAD_NAME:
            name, self.nick = self.nick, "*"
            return self._numeric(Numeric.ERR_ERRONEUSNICKNAME, name, text=event.text)
        return self._close(b"", event.text)

    def _pass_answered(self, event: events.Welcome | events.Error) -> list[Step]:
        if isinstance(event, events.Welcome):
            self._welcome = event
            return []
        if event.code == Code.BANNED:
            return self._banned(b"", event)
        said = b""
        if event.code in _WRONG:
            said = self._lines.numeric(Numeric.ERR_PASSWDMISMATCH, self.shown_nick, text=event.text)
        return self._close(said, event.text)

    def _sasl_answered(self, event: events.Welcome | events.Error) -> list[Step]:
        if isinstance(event, events.Welcome):
            success = self._lines.numeric(Numeric.RPL_SASLSUCCESS, self.shown_nick)
            return [Say(self._logged_in(event) + success)]
        failure = self._lines.numeric(Numeric.ERR_SASLFAIL, self.shown_nick, text=event.text)
        return self._banned(failure, event) if event.code == Code.BANNED else [Say(failure)]

    def _register_answered(self, event: events.Welcome | events.Error) -> list[Step]:
        if isinstance(event, events.Welcome):
            success = self._lines.line("REGISTER", "SUCCESS", event.name, text="The account is created")
            return [Say(success + self._logged_in(event))]
        code = _REGISTER_CODES.get(Code(event.code), "TEMPORARILY_UNAVAILABLE")
        return self._fail("REGISTER", code, event.text)

    def _nickserv_answered(self, event: events.Welcome | events.Error) -> list[Step]:
        if isinstance(event, events.Welcome):
            return [Say(self._notice(f"You are signed in as {event.name}.") + self._logged_in(event))]
        said = self._notice(event.text)
        return self._banned(said, event) if event.code == Code.BANNED else [Say(said)]

    # Commands.

    def _cap(self, line: Line) -> list[Step]:
        said = self.capabilities.handle(self.shown_nick, line.params, registered=self.phase is not Phase.BEFORE)
        return [Say(said)] if said else []

    def _nick(self, line: Line) -> list[Step]:
        nick = line.params[0]
        if not nick:
            return self._numeric(Numeric.ERR_NONICKNAMEGIVEN)
        self._sent_nick = True
        try:
            fold_name(nick)
        except Refusal as refusal:
            if self._welcome is not None:  # the account is the nick
                return []
            return self._numeric(Numeric.ERR_ERRONEUSNICKNAME, nick, text=refusal.text)
        if self.phase is Phase.BEFORE or self.nick == nick:
            self.nick = nick
            return []
        said = build("NICK", nick, source=self.prefix)
        is_new = not same_target(self.nick, nick)
        self.nick = nick
        return [Say(said + (self._notice(self._hint()) if is_new else b""))]

    def _user(self, line: Line) -> list[Step]:
        if self.phase is not Phase.BEFORE:
            return self._numeric(Numeric.ERR_ALREADYREGISTERED)
        user, realname = line.params[0], line.params[3]
        if not user or not realname.strip():
            return self._numeric(Numeric.ERR_NEEDMOREPARAMS, "USER")
        self.user, self.realname = clean_user(user), clean_realname(realname)
        return []

    def _pass(self, line: Line) -> list[Step]:
        if self.phase is not Phase.BEFORE:
            return self._numeric(Numeric.ERR_ALREADYREGISTERED)
        self._password = " ".join(line.params)  # some clients put no colon before a password with spaces
        return []

    def _authenticate(self, line: Line) -> list[Step]:
        if self._welcome is not None:
            return self._numeric(Numeric.ERR_SASLALREADY)
        outcome = self._exchange.take(line.params[0])
        if outcome is None:
            return [Say(build("AUTHENTICATE", "+"))] if self._exchange.is_empty else []
        if isinstance(outcome, SaslFailure):
            return [Say(b"".join(map(self._sasl_numeric, outcome.numerics)))]
        return self._sasl_login(outcome)

    def _sasl_numeric(self, numeric: Numeric) -> bytes:
        mechanisms = ("PLAIN",) if numeric is Numeric.RPL_SASLMECHS else ()
        return self._lines.numeric(numeric, self.shown_nick, *mechanisms)

    def _sasl_login(self, sent: Credentials) -> list[Step]:
        if self._options.passwords:
            return self._ask(requests.Login(name=sent.name, password=sent.password), self._sasl_answered)
        return self._numeric(Numeric.RPL_SASLSUCCESS)  # the nick is the account, and no password is looked at

    def _register(self, line: Line) -> list[Step]:
        account, _, *words = line.params
        password = " ".join(words)
        if self._welcome is not None:
            return self._fail("REGISTER", "ALREADY_AUTHENTICATED", "You have an account and are signed in.")
        if not self._options.passwords:
            return self._fail("REGISTER", "DISALLOWED", "This server has no passwords: your nick is your account.")
        if not self._options.registration_open:
            return self._fail("REGISTER", "DISALLOWED", "Registration is closed. Ask the administrator.")
        if self.nick == "*":
            return self._fail("REGISTER", "NEED_NICK", "Send NICK first: it becomes the name of your account.")
        if account != "*" and not same_target(account, self.nick):
            text = f"Only {self.nick} can be registered here."
            return self._fail("REGISTER", "ACCOUNT_NAME_MUST_BE_NICK", text, account)
        return self._ask(requests.Register(name=self.nick, password=password), self._register_answered)

    def _verify(self, line: Line) -> list[Step]:
        return self._fail("VERIFY", "INVALID_CODE", "Accounts need no verification here.")

    def _nickserv(self, line: Line) -> list[Step]:
        return self._privmsg(nickserv.as_message(line))

    def _privmsg(self, line: Line) -> list[Step]:
        target, text = line.params[:2]
        service = service_of(target)
        if service is None:
            return self._numeric(Numeric.ERR_NEEDREGGEDNICK, target)
        if service == SERVICE:
            return [Say(self._notice("Sign in first.", self._hint(), service=SERVICE))]
        said = nickserv.read(text, self.nick, self._is_taken)
        if isinstance(said, nickserv.Misused):
            return [Say(self._notice(*said.answer))]
        if isinstance(said, requests.Password):
            return [Say(self._notice("Sign in first.", self._hint()))]
        return self._ask(said, self._nickserv_answered)


_HANDLERS: dict[str, Callable[[Registration, Line], list[Step]]] = {
    "AUTHENTICATE": Registration._authenticate,
    "CAP": Registration._cap,
    "NICK": Registration._nick,
    "NICKSERV": Registration._nickserv,
    "NS": Registration._nickserv,
    "PASS": Registration._pass,
    "PRIVMSG": Registration._privmsg,
    "REGISTER": Registration._register,
    "USER": Registration._user,
    "VERIFY": Registration._verify,
}
