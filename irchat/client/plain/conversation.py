"""The plain client: run each typed line as a command or message, and print each event."""

from collections.abc import Awaitable, Callable
from contextlib import suppress

from twisted.internet.defer import CancelledError
from twisted.internet.interfaces import IReactorTime

from irchat.client.connect.request_channel import Reply, RequestChannel
from irchat.client.connect.server_connection import ServerConnection
from irchat.client.control.password import change_password
from irchat.client.control.read_markers import ShownMarkers
from irchat.client.exceptions import InputEnded
from irchat.client.plain.console import Console
from irchat.client.plain.own_messages import OwnMessages
from irchat.client.plain.screens import PlainScreen
from irchat.commands import REGISTRY, check_feature
from irchat.commands.full_screen import ForgetSignIn
from irchat.commands.people import ChangePassword
from irchat.protocol import events, requests, wire
from irchat.protocol.errors import Refusal
from irchat.protocol.rules import CLIENT_LINE_BYTES


class PlainChat:
    """One user's chat over one connection, from sign-in to logout.

    ``new_nonce`` returns a nonce, which lets the server recognise a repeated line.
    """

    def __init__(
        self, clock: IReactorTime, console: Console, screen: PlainScreen, new_nonce: Callable[[], str]
    ) -> None:
        self._clock = clock
        self._console = console
        self._screen = screen
        self._new_nonce = new_nonce
        self._own = OwnMessages()

    async def run(
        self,
        connection: ServerConnection,
        sign_in: Callable[[RequestChannel], Awaitable[events.Welcome]],
        forget: Callable[[], None] = lambda: None,
    ) -> None:
        """Sign in, and chat until the user leaves. ``forget`` deletes the saved sign-in. Raises ClientError."""
        self._forget = forget
        self._channel = RequestChannel(self._clock, connection, self._show, self._console.break_off)
        self._markers = ShownMarkers(self._clock, self._channel.request, timed_too=self._screen.shows_timed)
        self._console.pace(connection)
        self._screen.note(f"connected to {connection.server_name}")
        welcome = await sign_in(self._channel)
        self._features = welcome.features
        self._own.me = welcome.name
        self._screen.show(welcome)
        self._channel.request(requests.Chats()).addCallbacks(self._markers.shown, lambda _: None)
        try:
            await self._talk()
        except CancelledError:
            self._markers.report()
            raise

    def _show(self, event: events.ANY, typed: str = "") -> None:
        match event:
            case events.Amended(mark=str()) if not typed and not self._own.has(event.chat, event.seq):
                return
        self._screen.show(event, REGISTRY.answered(typed, event))
        self._own.shown(event)
        self._markers.shown(event)

    async def _talk(self) -> None:
        refused = ""
        while (line := await self._screen.read()) is not None:
            again, refused = line == refused and line != "", ""
            if self._screen.interactive and line.strip() == ChangePassword.usage:
                await self._change_password()
            elif self._screen.interactive and line.strip() == ForgetSignIn.usage:
                self._markers.report()
                await self._channel.request(requests.Logout(forget=True))
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
        await self._channel.request(requests.Logout())

    async def _say(self, line: str) -> Reply:
        """Send a line. Show the reply, and return it."""
        try:
            request, sent_to = self._read(line)
        except Refusal as refusal:
            self._screen.show(events.Error(refusal.code, refusal.text, refusal.usage))
            return None
        if len(wire.encode_request(request)) > CLIENT_LINE_BYTES:
            self._screen.complain("This line is too long and was not sent.")
            return None
        self._markers.report()  # so that `ls` does not count messages on the screen as unread
        reply = await self._channel.request(request)
        if isinstance(reply, events.Sent | events.Amended):
            self._screen.sent(line, reply)
        elif REGISTRY.is_secret(line):
            self._screen.forget(line)
        if reply is not None:
            self._show(reply, line)
        elif sent_to is not None:
            self._own.unconfirmed(sent_to)
        return reply

    def _read(self, line: str) -> tuple[requests.Request, str | None]:
        """Return the request for a line, and the chat if it sends a message. Raises Refusal.

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
        return for_server, request.chat if isinstance(request, requests.Send) else None

    async def _change_password(self) -> None:
        with suppress(InputEnded):
            await change_password(self._screen, self._channel.request, self._screen.note, self._screen.complain)
