"""The user's actions: typed lines, opening chats, paging, leaving. Joins the screen state to the server."""

from collections.abc import Awaitable, Callable
from enum import Enum
from typing import NamedTuple

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from irchat.client.connect.entry import Entry
from irchat.client.connect.server_connection import ServerConnection
from irchat.client.control.details import Details
from irchat.client.control.incoming import Incoming
from irchat.client.control.pages import Pages
from irchat.client.control.password import change_password
from irchat.client.control.questions import Question, Questions
from irchat.client.control.read_markers import ReadMarkers
from irchat.client.control.reconnecting import Link
from irchat.client.control.referring import amend_last, known_chat
from irchat.client.control.replies import Replies
from irchat.client.control.sending import Sending
from irchat.client.control.typed import NoTarget, Understood, in_a_row, sendable, understand
from irchat.client.exceptions import ClientError
from irchat.client.view.chat_state import ChatState
from irchat.client.view.items import Item
from irchat.client.view.navigation import Place
from irchat.client.view.screen_state import ScreenState
from irchat.commands import Registry
from irchat.commands.full_screen import SCREEN
from irchat.protocol import events, requests
from irchat.protocol.errors import Refusal
from irchat.protocol.rules import clean_text

_MANUAL = requests.Help()
NOT_CONNECTED = "Not connected. Press Enter again when the connection is back."


class Spot(Enum):
    """The targets of typed text that are neither a chat nor a question."""

    NOWHERE = "before the sign-in"
    FILTER = "the name of a chat to go to"


Target = ChatState | Question | Spot
"""The target of a typed line. The home screen is a chat without a name; nothing can be sent to it."""


class Taken(NamedTuple):
    """The outcome of a typed line.

    ``accepted``: it was carried out. ``remember``: the input history may keep it. ``trouble``: the text to show if it
    was not accepted. ``homeless``: there is no chat for it yet. ``again``: the same line typed again is sent as text.
    """

    accepted: bool
    remember: bool = False
    trouble: str = ""
    homeless: bool = False
    again: bool = False


class Controller:
    """All actions of the user, independent of the terminal.

    ``on_changed`` is called when there is something new to draw. ``hidden``: nothing is on the screen now. ``jitter``
    returns a random number from 0 to 1 that varies the pauses before reconnecting; without it they do not vary.

    A key changes the screen and the target of typed text at once. Changes caused by events and replies wait for
    `settle`, which is called before a frame is drawn while nothing is being typed.
    """

    def __init__(
        self,
        clock: IReactorTime,
        view: ScreenState,
        new_nonce: Callable[[], str],
        jitter: Callable[[], float] = lambda: 0.5,
        language: Registry = SCREEN,
    ) -> None:
        self.on_changed: Callable[[], None] = lambda: None
        self.language = language
        self.view = view
        self.questions = Questions(view, self.changed)
        self.hidden = False
        self.left: Deferred[None] = Deferred()
        self._link = Link(clock, self._welcome, self._link_state, self.questions, jitter)
        self._pages = Pages(clock, view, self._link.ask, self.changed)
        self._details = Details(view, self._link.ask, self.changed)
        self._markers = ReadMarkers(clock, self._link.ask)
        self.sending = Sending(clock, view, self._link, new_nonce)
        self.incoming = Incoming(clock, view, self._pages, self.sending, self._link.ask, self.changed)
        self._link.on_event = self.incoming.event
        self._replies = Replies(view, self.incoming, self._pages, self._hold, self._open, language)
        self._held: list[tuple[str, Callable[[], object]]] = []
        self._warned = ""
        self._entry: Entry | None = None

    async def run(self, connect: Callable[[], Awaitable[ServerConnection]], entry: Entry) -> None:
        """Connect, sign in and stay until the user leaves. Raises ClientError."""
        self._entry = entry
        await self._link.run(connect, entry.sign_in)

    @property
    def connection(self) -> ServerConnection | None:
        """The connection to the server, while there is one."""
        return self._link.connection

    def changed(self) -> None:
        """Request a redraw. Messages that are then on the screen count as read."""
        self.on_changed()
        self._see()

    def drawn(self) -> None:
        """Handle that a frame was drawn: its messages count as read, and what it lacked is requested."""
        self._pages.fetch_wanted()
        self._details.fetch()
        if self._see():
            self.on_changed()

    def _see(self) -> bool:
        seen = None if self.hidden else self.view.seen()
        if seen is not None:
            self._markers.read(*seen)
        return seen is not None

    @property
    def target(self) -> Target:
        """The target of text typed from now on."""
        if self.questions.current is not None:
            return self.questions.current
        if self.view.filter is not None:
            return Spot.FILTER
        return Spot.NOWHERE if self.view.place is Place.SIGN_IN else self.view.here

    def settle(self) -> None:
        """Apply the changes that waited. Call this before drawing a frame, while nothing is being typed."""
        self.questions.settle()
        self.view.leave_missing_chat()
        held, self._held = self._held, []
        for _, change in held:
            change()

    def waits(self) -> str:
        """Return the status text about changes that wait until nothing is being typed."""
        if self.questions.waiting is not None:
            return "The server asks a question. To answer it, first send this line or clear it (Ctrl-C)."
        return f"{self._held[-1][0]} Shown when this line is sent or cleared (Ctrl-C)." if self._held else ""

    def _hold(self, what: str, change: Callable[[], object]) -> None:
        self._held.append((what, change))
        self.changed()

    # Typed lines.

    def submit(self, line: str, here: ChatState, *, as_text: bool = False, own: Item | None = None) -> Taken:
        """Carry out ``line``, typed in the chat ``here``. ``as_text``: send it as text in any case.

        ``own`` is the user's last message on the screen, which ``#-`` means.
        """
        name = None if here is self.view.own or here.gone else here.name
        try:
            if as_text:
                understood = Understood(requests.Send(chat=sendable(name), text=clean_text(line.strip())))
            elif (form := self.language.right_form(line)) is not None:
                what = f"Press Enter again to send it to {name} as it is." if name else ""
                return Taken(False, trouble=f"In IRChat, type: {form}   {what}".rstrip(), again=name is not None)
            else:
                understood = understand(line, name, self.language, self.view.features)
                if isinstance(understood.request, requests.AmendLast):
                    amend = amend_last(understood.request, here, own)
                    understood = understood._replace(request=amend)
                    if amend.seq is not None:
                        here.keep_typed(amend.seq, line)
        except NoTarget as refusal:
            gone = f"{here.gone.rstrip('.')}. " if here.gone else ""
            return Taken(False, trouble=gone + refusal.text, homeless=True)
        except Refusal as refusal:
            usage = f" Usage: {in_a_row(refusal.usage)}" if refusal.usage else ""
            return Taken(False, trouble=refusal.text + usage)
        request = understood.request
        if isinstance(request, requests.Logout):
            trouble = self.leave(forget=request.forget, typed_in=here)
            return Taken(not trouble, trouble=trouble)
        if not isinstance(request, requests.Send) and request != _MANUAL and not self._link.is_up:
            return Taken(False, trouble=NOT_CONNECTED)
        self._warned = ""
        is_secret = self.language.is_secret(line)
        self._do(understood, line, here, understood.command.usage if is_secret else line)
        self.changed()
        return Taken(True, not is_secret)

    def choose(self) -> None:
        """Open the entry that was drawn as chosen."""
        view = self.view
        chosen = view.cursor.choose(view.choices())
        if isinstance(chosen, Item):
            if chosen.seq is not None:
                self._held.clear()
                self._background(self._pages.around(chosen.chat, chosen.seq), f"opening {chosen.chat}")
        elif chosen is not None:
            self.open(chosen)

    def show_message(self, name: str, seq: int) -> None:
        """Open a chat of the user at a message."""
        if (chat := known_chat(self.view, name)) is None:
            self.view.complain(f"You are not in {name}.")
        else:
            self._held.clear()
            self._background(self._pages.around(chat, seq, is_typed=True), f"opening {name}")
        self.changed()

    def open(self, wanted: str | ChatState) -> None:
        """Open a chat, given itself or its name."""
        self._held.clear()
        self._open(wanted)

    def home(self) -> None:
        """Show the list of unread chats."""
        self._held.clear()
        self.view.go_home()
        self.changed()

    def _open(self, wanted: str | ChatState) -> None:
        self._pages.fill(self.view.open_chat(wanted))
        self.changed()

    def _do(self, understood: Understood, line: str, here: ChatState, shown: str) -> None:
        """Carry out the request of a line. ``shown`` is the line as it may appear on the screen."""
        match understood.request:
            case requests.Help(prefix=None):
                self.view.manual = 0
            case None:
                self._background(self._change_password(), shown)
            case requests.Send():
                self._send(understood.request, line, here)
            case requests.History(around=int() as seq, chat=name) if chat := known_chat(self.view, name):
                self._held.clear()
                self._background(self._pages.around(chat, seq, is_typed=True), shown)
            case requests.History(since=str(), chat=name) as request if chat := known_chat(self.view, name):
                self._held.clear()
                self._background(self._pages.since(chat, request), shown)
            case request:
                if not isinstance(request, requests.Amend | requests.Mark):
                    self.view.pane.to_end()
                reply = self._link.ask(request)
                reply.addCallbacks(self._replies.show, self._lost, callbackArgs=(understood,), errbackArgs=(shown,))

    async def _change_password(self) -> None:
        try:
            await change_password(self.questions, self._link.ask, self.view.note, self.view.complain)
        finally:
            self.questions.dismiss()

    def _send(self, request: requests.Send, line: str, here: ChatState) -> None:
        view = self.view
        chat = self.sending.send(request, line, here)
        if here is view.own:
            self.open(chat)
        elif chat is view.here:
            view.pane.to_end()
            self._pages.to_end(chat)
        self.incoming.plan()

    # Moving about.

    def page_up(self, moved: bool) -> None:
        """Load older messages if the pane cannot move up any further."""
        chat = self.view.open
        if not moved and chat is not None and self.view.place is Place.CHAT:
            self._pages.older(chat)
        self.changed()

    def page_down(self) -> None:
        """Load newer messages if the pane reached the end of the loaded part and the chat continues."""
        chat = self.view.open
        if chat is not None and self.view.pane.follows and chat.newer:
            if chat.items:
                self.view.pane.show(chat.items[-1].key)
            self._pages.newer(chat)
        self.changed()

    def to_end(self) -> None:
        """Show the end of the open chat."""
        self.view.pane.to_end()
        if self.view.open is not None:
            self._pages.to_end(self.view.open)
        self.changed()

    def back(self) -> None:
        """Return from the search results to the chat in which the search began."""
        chat = self.view.open
        if chat is not None:
            self.open(chat if chat.gone else chat.name)
        else:
            self.home()

    def leave(self, *, forget: bool = False, typed_in: ChatState | None = None) -> str:
        """Leave, with a logout if there is a connection. Return the reason not to, empty on success.

        If something is unsent, the first call only returns a warning, and the second one leaves. ``typed_in`` is the
        chat in which the command to leave was typed; that line is not an unsent draft.
        """
        if (unsent := self._unsent(typed_in)) and unsent != self._warned:
            self._warned = unsent
            return f"Not sent yet: {unsent}. Repeat to leave without sending."
        self._markers.report()
        self._link.leave()
        entry = self._entry
        if forget and entry is not None:
            try:
                entry.forget()
            except ClientError as stop:
                self.view.complain(stop.text)
        is_over = forget or (entry is not None and entry.is_temporary)
        reply = self._link.ask(requests.Logout(forget=is_over))
        reply.addBoth(lambda _: None if self.left.called else self.left.callback(None))
        return ""

    @property
    def has_unsent(self) -> bool:
        """Whether something is unsent, so that `leave` warns first."""
        return bool(self._unsent(None))

    def forget_warning(self) -> None:
        """Make the next `leave` warn again about unsent text."""
        self._warned = ""

    def _unsent(self, typed_in: ChatState | None) -> str:
        chats = [*self.view.chats.in_order(), self.view.own]
        drafts = [chat.name or "the first screen" for chat in chats if chat.has_draft and chat is not typed_in]
        typed = f"what is typed in {', '.join(drafts)}" if drafts else ""
        return "; ".join(part for part in (self.sending.unsent(), typed) if part)

    # The connection.

    def _welcome(self, welcome: events.Welcome) -> None:
        epoch = self.view.epoch
        self.incoming.welcome(welcome)
        if self.view.epoch != epoch:
            self._markers.forget()

    def _link_state(self, text: str) -> None:
        self.view.link = text
        self.changed()

    def _lost(self, failure: Failure, what: str) -> None:
        failure.trap(ClientError)
        self.view.complain(f"The connection was lost before the server answered: {what}")
        self.changed()

    def _background(self, coroutine: Awaitable[None], what: str) -> None:
        Deferred.fromCoroutine(coroutine).addErrback(self._lost, what)  # type: ignore[arg-type]
