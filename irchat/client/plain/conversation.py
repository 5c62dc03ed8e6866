"""The plain client: run each typed line as a command or message, and print each event."""

import math
from collections.abc import Awaitable, Callable
from contextlib import suppress

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime

from irchat.client.connect.request_channel import Reply, RequestChannel
from irchat.client.connect.server_connection import ServerConnection
from irchat.client.control.password import change_password
from irchat.client.control.read_markers import ShownMarkers
from irchat.client.exceptions import ClientError, InputEnded
from irchat.client.plain.console import Console
from irchat.client.plain.own_messages import OwnMessages
from irchat.client.plain.screens import PlainScreen
from irchat.client.plain.staying import ConnectionLost, Staying
from irchat.commands import REGISTRY, check_feature
from irchat.commands.full_screen import ForgetSignIn
from irchat.commands.people import ChangePassword
from irchat.protocol import events, requests, wire
from irchat.protocol.errors import Refusal
from irchat.protocol.rules import CLIENT_LINE_BYTES

_UNANSWERED = (
    "The connection was lost before the answer. See whether the server has done it, and if not, type it again."
)
_NO_TERMINAL = "!password needs a terminal. Nothing after it was sent: the next lines may be passwords."


class _Unanswered(ClientError):
    """The connection was lost before the answer to a request that is not repeated."""


class PlainChat:
    """One user's chat, from sign-in to logout. On a terminal, a lost connection comes back.

    ``new_nonce`` returns a nonce, which lets the server recognise a repeated line. ``jitter`` returns a random number
    from 0 to 1.
    """

    def __init__(
        self,
        clock: IReactorTime,
        console: Console,
        screen: PlainScreen,
        new_nonce: Callable[[], str],
        jitter: Callable[[], float],
    ) -> None:
        self._clock = clock
        self._screen = screen
        self._new_nonce = new_nonce
        self._own = OwnMessages()
        self._link = Staying(clock, console, screen, self._show, self._welcomed, jitter)
        self._markers = ShownMarkers(clock, self._link.ask, timed_too=screen.shows_timed)

    async def run(
        self,
        connect: Callable[[], Awaitable[ServerConnection]],
        sign_in: Callable[[RequestChannel], Awaitable[events.Welcome]],
        forget: Callable[[], None] = lambda: None,
    ) -> None:
        """Sign in, and chat until the user leaves. ``forget`` deletes the saved sign-in. Raises ClientError."""
        self._forget = forget
        try:
            await self._link.enter(connect, sign_in)
            await self._talk()
        except Exception as error:
            if isinstance(error, CancelledError):
                self._markers.report()
            self._link.leave()
            raise
        self._link.leave()

    def _welcomed(self, welcome: events.Welcome) -> None:
        self._features = welcome.features
        self._own.me = welcome.name
        self._screen.show(welcome)
        self._link.ask(requests.Chats()).addCallbacks(self._markers.shown, lambda _: None)

    def _show(self, event: events.ANY, typed: str = "") -> None:
        match event:
            case events.Amended(mark=str()) if not typed and not self._own.has(event.chat, event.seq):
                return
        self._screen.show(event, REGISTRY.answered(typed, event))
        self._own.shown(event)
        self._markers.shown(event)

    async def _talk(self) -> None:
        refused = ""
        while (line := await self._read_line()) is not None:
            again, refused = line == refused and line != "", ""
            if not self._screen.interactive and line.split()[:1] == [ChangePassword.usage]:
                raise ClientError(_NO_TERMINAL)
            if self._screen.interactive and line.strip() == ChangePassword.usage:
                await self._change_password()
            elif line.strip() == ForgetSignIn.usage:
                self._markers.report()
                await self._link.ask(requests.Logout(forget=True))
                self._forget()
                return
            elif again:
                await self._say(f"\\{line.strip()}")
            elif self._screen.interactive and (form := REGISTRY.right_form(line)) is not None:
                # Only a line typed after this message confirms the first one. The rest of a paste does not.
                refused = "" if self._screen.has_more() else line
                self._screen.complain(
                    f"Not sent. In IRChat, type: {form}\nType the same line again to send it to everyone as it is."
                )
            elif line.strip() and isinstance(await self._say(line), events.Bye):
                return
        self._markers.report()
        await self._link.ask(requests.Logout())

    async def _read_line(self) -> str | None:
        """Return the next typed line. While there is no connection, none is read."""
        while True:
            await self._link.until_up()
            with suppress(ConnectionLost):
                return await self._screen.read()

    async def _say(self, line: str) -> Reply:
        """Send a line. Show the reply, and return it."""
        try:
            request, send = self._read(line)
        except Refusal as refusal:
            self._screen.show(events.Error(refusal.code, refusal.text, refusal.usage))
            return None
        if len(wire.encode_request(request)) > CLIENT_LINE_BYTES:
            self._screen.complain("This line is too long and was not sent.")
            return None
        self._markers.report()  # so that `ls` does not count messages on the screen as unread
        try:
            reply = await self._answer(request, send)
        except _Unanswered as stop:
            self._screen.complain(stop.text)
            return None
        if isinstance(reply, events.Sent | events.Amended):
            self._screen.sent(line, reply)
        elif REGISTRY.is_secret(line):
            self._screen.forget(line)
        if reply is not None:
            self._show(reply, line)
        elif send is not None:
            self._own.unconfirmed(send.chat)
        return reply

    async def _answer(self, request: requests.Request, send: requests.Send | None) -> Reply:
        """Return the reply. If the connection is lost before, repeat a message, which the server knows by its nonce.

        Raises _Unanswered.
        """
        ends = math.inf if send is None or send.expires_in is None else self._clock.seconds() + send.expires_in
        while True:
            await self._link.until_up()
            if self._clock.seconds() >= ends:
                raise _Unanswered("A timed message may not have been sent: it ended before the connection was back.")
            try:
                return await self._link.ask(request)
            except ClientError:
                await self._link.until_up()
                if send is None:
                    raise _Unanswered(_UNANSWERED) from None

    def _read(self, line: str) -> tuple[requests.Request, requests.Send | None]:
        """Return the request for a line, and the message if it sends one. Raises Refusal.

        The server reads the line, unless the request depends on what is on this screen or on the time zone here.
        """
        for_server = requests.Line(line=line, nonce=self._new_nonce())
        try:
            typed = REGISTRY.find(line)
            request = typed.read()
        except Refusal:
            return for_server, None  # the server has the reason
        check_feature(typed.command, self._features)
        if typed.command.by_client:
            return (self._own.amend(request) if isinstance(request, requests.AmendLast) else request), None
        return for_server, request if isinstance(request, requests.Send) else None

    async def _change_password(self) -> None:
        try:
            await change_password(self._screen, self._ask_once, self._screen.note, self._screen.complain)
        except InputEnded:
            pass
        except _Unanswered as stop:
            self._screen.complain(stop.text)

    def _ask_once(self, request: requests.Request) -> Deferred[Reply]:
        return Deferred.fromCoroutine(self._answer(request, None))
