"""What the user does: typed lines, opening chats, paging, leaving. Joins the view to the line to the server."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

import msgspec
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.python.failure import Failure

from irchat import events, requests
from irchat.alarm import Alarm
from irchat.client.alerts import alert
from irchat.client.connection import Connection
from irchat.client.entry import Entry
from irchat.client.history import Pages
from irchat.client.link import Link
from irchat.client.outbox import Outbox
from irchat.client.questions import Questions
from irchat.client.session import Reply
from irchat.client.stop import Stop
from irchat.client.typed import Local, advise, in_a_row, is_timed, understand
from irchat.client.view.state import Place, View
from irchat.errors import Refusal
from irchat.rules import GLOBAL_NAME, MARKER_SECONDS


class Taken(NamedTuple):
    """How a typed line was taken: whether at all, whether the input may remember it, and what is wrong with it."""

    accepted: bool
    remember: bool = False
    trouble: str = ""


def _ignore(*_: object) -> None:
    pass


def _no_jitter() -> float:
    return 0.5


class Desk:
    """Everything that the user can do, whatever the terminal.

    ``on_changed`` is called when there is something new to draw, ``notify`` with what to tell a user who may be looking
    elsewhere. ``hidden``: nothing is on the screen now. ``jitter`` returns a random number from 0 to 1, for the pauses
    of a line that is lost; without it they are always the same.
    """

    def __init__(
        self,
        clock: IReactorTime,
        view: View,
        new_nonce: Callable[[], str],
        jitter: Callable[[], float] = _no_jitter,
    ) -> None:
        self.on_changed: Callable[[], None] = _ignore
        self.notify: Callable[[str], None] = _ignore
        self.view = view
        self.questions = Questions(view, self.changed)
        self.hidden = False
        self.left: Deferred[None] = Deferred()
        self._clock = clock
        self._new_nonce = new_nonce
        self._jitter = jitter
        self._alarm = Alarm(clock, self._tick)
        self._outbox = Outbox(clock, self._ask, self._sent, self._is_wanted)
        self._pages = Pages(clock, view, self._ask, self.changed)
        self._seen: dict[str, int] = {}
        self._telling: IDelayedCall | None = None

    async def run(self, connect: Callable[[], Awaitable[Connection]], entry: Entry) -> None:
        """Connect, sign in and stay until the user leaves. Raises Stop."""
        self._entry = entry
        self._link = Link(
            self._clock,
            connect,
            entry.sign_in,
            self._event,
            self._welcome,
            self._link_state,
            self.questions,
            self._jitter,
        )
        await self._link.run()

    @property
    def connection(self) -> Connection | None:
        """The connection to the server, while there is one."""
        return self._link.connection

    def changed(self) -> None:
        """Something is to be drawn. What is then seen counts as read."""
        self.on_changed()
        if not self.hidden and (seen := self.view.seen()) is not None:
            self._seen[seen[0]] = seen[1]
            if self._telling is None:
                self._telling = self._clock.callLater(MARKER_SECONDS, self._tell_seen)

    # Typed lines.

    @property
    def target(self) -> str:
        """The chat that a plain text goes to."""
        return self.view.here.name or GLOBAL_NAME

    def submit(self, text: str) -> Taken:
        """Enter was pressed on ``text``."""
        view = self.view
        if self.questions.question:
            self.questions.answer(text)
            return Taken(True)
        if view.place is Place.SIGN_IN:
            return Taken(False)
        if view.filter is not None or not text.strip():
            self._choose()
            return Taken(True)
        try:
            request = understand(text, self.target)
        except Refusal as refusal:
            usage = f" Usage: {in_a_row(refusal.usage)}" if refusal.usage else ""
            return Taken(False, trouble=refusal.text + usage)
        self._do(request, text)
        self.changed()
        return Taken(True, not is_timed(request))

    def say(self, text: str) -> None:
        """Send a text to the open chat as it is, whatever it begins with."""
        self._send(requests.Send(chat=self.target, text=text))
        self.changed()

    def open(self, name: str) -> None:
        """Open a chat."""
        self._pages.fill(self.view.open_chat(name))
        self.changed()

    def _choose(self) -> None:
        view = self.view
        if view.place is Place.FOUND and view.filter is None:
            item = view.cursor.choose(view.found)
            if item is not None and item.seq is not None:
                self._background(self._pages.around(item.chat, item.seq))
        elif view.filter is not None or view.place is Place.HOME:
            chat = view.cursor.choose(view.listed())
            if chat is not None:
                self.open(chat.name)

    def _do(self, request: requests.Request | Local, text: str) -> None:
        match request:
            case Local.HELP:
                self.view.manual = 0
            case Local.PASSWORD:
                self._background(self._change_password())
            case Local.CHATS:
                self.view.begin_filter()
            case requests.Send():
                self._send(request)
            case requests.Logout():
                self.leave(forget=request.forget)
            case _:
                self._ask(request).addCallbacks(self._show, self._lost, callbackArgs=(request,))

    def _send(self, request: requests.Send) -> None:
        view = self.view
        request = msgspec.structs.replace(request, chat=view.spelled(request.chat), nonce=self._new_nonce())
        chat = view.chat(request.chat)
        ends = None if request.expires_in is None else self._clock.seconds() + request.expires_in
        chat.add_pending(request.text, view.me, str(request.nonce), ends)
        if view.place is not Place.CHAT or view.open is None:
            self.open(request.chat)
        elif chat is view.open:
            view.pane.to_end()
            self._pages.to_end(chat)
        else:
            view.note(f"to {request.chat}")
        self._plan()
        self._outbox.send(request)

    def _is_wanted(self, request: requests.Send) -> bool:
        """A timed message whose time has passed while there was no line is not sent any more."""
        return request.expires_in is None or self.view.chat(request.chat).is_pending(str(request.nonce))

    def _sent(self, request: requests.Send, reply: events.Event) -> None:
        name = reply.chat if isinstance(reply, events.Sent) else request.chat
        if name != request.chat:
            self.view.rename(request.chat, name)
        chat = self.view.chat(name)
        if isinstance(reply, events.Sent):
            self.view.sent(name, str(request.nonce), reply, self._clock.seconds())
            if reply.id is not None and reply.reached is not None:
                note = chat.add_note(f"{reply.reached} of {reply.of} have it now")
                timed = chat.timed(reply.id)
                note.ends = timed.ends if timed else self._clock.seconds() + (reply.left_ms or 0) / 1_000
        else:
            chat.take_pending(str(request.nonce))
            self.view.refused(chat, reply)
        self._plan()
        self.changed()

    def _show(self, reply: Reply, request: requests.Request) -> None:
        view = self.view
        match reply:
            case None:
                view.complain("The server answered what this client cannot read.")
            case events.History():
                self._pages.open_page(reply)
            case events.Found():
                view.show_found(reply, getattr(request, "words", ""))
            case events.Group() if isinstance(request, requests.CreateGroup):
                view.chat(reply.group).id = reply.id
                self.open(reply.group)
                view.say(reply)
            case events.Error():
                line = getattr(request, "line", "")
                view.say(msgspec.structs.replace(reply, text=advise(reply.text, line, self.target)))
            case events.Blocks():
                view.say(reply)
                self._event(reply)
            case _:
                view.say(reply)
                if isinstance(request, requests.RemoveMember):
                    self._refresh()
        self.changed()

    async def _change_password(self) -> None:
        ask = self.questions.ask
        old = await ask("Old password: ", secret=True)
        new = await ask("New password: ", secret=True)
        if new != await ask("New password again: ", secret=True):
            self.view.complain("The new passwords differ; the old one stays. Type !password to try again.")
        else:
            reply = await self._ask(requests.Password(old=old, new=new))
            if isinstance(reply, events.Ok):
                self.view.note("your password is changed")
            elif isinstance(reply, events.Error):
                self.view.complain(reply.text)
        self.changed()

    # Moving about.

    def page_up(self, moved: bool) -> None:
        """The pane was moved up; where it could not be, older messages are loaded."""
        chat = self.view.open
        if not moved and chat is not None and self.view.place is Place.CHAT:
            self._pages.older(chat)
        self.changed()

    def page_down(self) -> None:
        """The pane was moved down; at the end of an older part what is newer is loaded."""
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
        """From what was found to where the search began."""
        if self.view.open is not None:
            self.open(self.view.open.name)
        else:
            self.view.go_home()
            self.changed()

    def leave(self, *, forget: bool = False) -> None:
        """Leave, in order where there is a line."""
        self._tell_seen()
        self._link.leave()
        if forget:
            try:
                self._entry.forget()
            except Stop as stop:
                self.view.complain(stop.text)
        reply = self._ask(requests.Logout(forget=forget))
        reply.addBoth(lambda _: None if self.left.called else self.left.callback(None))

    # What happens.

    def _welcome(self, welcome: events.Welcome) -> None:
        view = self.view
        again = view.place is not Place.SIGN_IN
        view.welcome(welcome)
        if not again and welcome.new:
            view.own.add_note(f"Welcome to IRChat, {welcome.name}! Type a message and it goes to everyone.")
        self._refresh()
        self._ask(requests.Users()).addCallbacks(self._users, self._lost)
        self._ask(requests.Blocks()).addCallbacks(self._blocked, self._lost)
        if view.open is not None:
            self._pages.fill(view.open)
        self._outbox.resume()
        self.changed()

    def _refresh(self) -> None:
        self._ask(requests.Chats()).addCallbacks(self._chats, self._lost)

    def _chats(self, reply: Reply) -> None:
        if isinstance(reply, events.Chats):
            self.view.list_chats(reply)
            self.changed()

    def _users(self, reply: Reply) -> None:
        if isinstance(reply, events.Users):
            self.view.list_users(reply)

    def _blocked(self, reply: Reply) -> None:
        if isinstance(reply, events.Blocks):
            self.view.blocked = reply.names

    def _event(self, event: events.ANY) -> None:
        view = self.view
        view.apply(event, self._clock.seconds())
        match event:
            case events.Message():
                if text := alert(event, view.me):
                    self.notify(text)
                if event.id is not None:
                    self._plan()
            case events.Blocks():
                self._refresh()
                if view.open is not None:
                    self._pages.fill(view.open)
            case events.Added() if event.name == view.me and not view.chat(event.group).loaded:
                view.chat(event.group).last_seq = 0
            case events.Erased() if event.chat in view.chats and not view.chats[event.chat].loaded:
                self._refresh()
        self.changed()

    def _link_state(self, text: str) -> None:
        self.view.link = text
        self.changed()

    def _ask(self, request: requests.Request) -> Deferred[Reply]:
        return self._link.ask(request)

    def _lost(self, failure: Failure) -> None:
        failure.trap(Stop)
        self.view.complain("There is no line to the server now. Type it again when it is back.")
        self.changed()

    def _background(self, coroutine: Awaitable[None]) -> None:
        Deferred.fromCoroutine(coroutine).addErrback(self._lost)  # type: ignore[arg-type]

    def _tell_seen(self) -> None:
        self._telling = None
        seen, self._seen = self._seen, {}
        for name, seq in seen.items():
            self._ask(requests.Read(chat=name, seq=seq)).addErrback(lambda failure: failure.trap(Stop) and None)

    # Time.

    def _tick(self) -> None:
        self._plan()
        self.changed()

    def _plan(self) -> None:
        """Forget what has ended; wake at the next end, and each second before it, while the seconds count down."""
        now = self._clock.seconds()
        next_end = self.view.expire(now)
        if next_end is None:
            self._alarm.cancel()
        else:
            self._alarm.set(min(next_end, now + ((next_end - now) % 1 or 1)))
