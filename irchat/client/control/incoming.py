"""Handle events that answer no action of the user: the welcome, messages, the end of timed messages."""

from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.python.failure import Failure

from irchat.client.connect.request_channel import Ask, Reply
from irchat.client.control.notifications import alert
from irchat.client.control.pages import Pages
from irchat.client.control.sending import Sending
from irchat.client.exceptions import ClientError
from irchat.client.view.navigation import Place
from irchat.client.view.screen_state import ScreenState
from irchat.protocol import events, requests
from irchat.protocol.rules import MARKER_SECONDS
from irchat.system.alarm import Alarm


class Incoming:
    """Apply events to the screen state.

    ``notify`` is called with a notification for a user who may be looking elsewhere, ``changed`` when there is
    something new to draw.
    """

    def __init__(
        self,
        clock: IReactorTime,
        view: ScreenState,
        pages: Pages,
        sending: Sending,
        ask: Ask,
        changed: Callable[[], None],
    ) -> None:
        self.notify: Callable[[str], None] = lambda text: None
        self._clock = clock
        self._view = view
        self._pages = pages
        self._sending = sending
        self._ask = ask
        self.changed = changed
        self._alarm = Alarm(clock, self._tick)
        sending.on_outcome = self._tick  # a timed message that was sent has an end now
        self._counting: IDelayedCall | None = None

    def welcome(self, welcome: events.Welcome) -> None:
        """Begin a session, initially or after reconnecting."""
        view = self._view
        again = view.place is not Place.SIGN_IN
        view.welcome(welcome)
        if not again and welcome.new:
            view.note(f"Welcome to IRChat, {welcome.name}! Type a message and it goes to everyone.")
        self.refresh().addCallback(lambda _: self._sending.go_on())
        for request in requests.Users(), requests.Blocks():
            self._ask(request).addCallbacks(self._listed, self._unheard)
        if view.open is not None and not view.open.stale:
            self._pages.fill(view.open)
        self.changed()

    def refresh(self) -> Deferred[None]:
        """Request the list of chats and their numbers of unread messages."""
        return self._ask(requests.Chats()).addCallbacks(self._listed, self._unheard)

    def _listed(self, reply: Reply) -> None:
        match reply:
            case events.Chats():
                self._view.list_chats(reply)
                self._fill_open()
                self.changed()
            case events.Users():
                self._view.list_users(reply)
            case events.Blocks():
                self._view.blocked = reply.names

    def _fill_open(self) -> None:
        """Load the open chat if needed: it may have been lost and regained."""
        if self._view.open is not None and self._view.place is Place.CHAT:
            self._pages.fill(self._view.open)

    def event(self, event: events.ANY) -> None:
        """Handle an event."""
        view = self._view
        if isinstance(event, events.Amended):
            self.amended(event)
            return
        view.apply(event, self._clock.seconds())
        match event:
            case events.Message():
                if view.open is not None and view.open.stale and event.chat == view.open.name:
                    self._fill_open()
                by_server = "mentions" in view.features
                if text := alert(event, view.me, view.chat(event.chat).alert, by_server=by_server):
                    self.notify(text)
                if event.id is not None:
                    self.plan()
            case events.Blocks():
                self.refresh()
                if view.open is not None:
                    self._pages.fill(view.open)
            case events.Added() if event.name == view.me:
                if not view.chat(event.group).loaded:
                    view.chat(event.group).last_seq = 0
                self._fill_open()
            case events.Read() if not view.chat(event.chat).read_to(event.seq):
                self._count_again()
            case events.Erased() if event.chat in view.chats and not view.chats[event.chat].loaded:
                self.refresh()
        self.changed()

    def amended(self, amended: events.Amended) -> None:
        """Apply a change: an event, or the reply to the user's own."""
        if not self._view.amend(amended):
            self._count_again()
        self.changed()

    def _count_again(self) -> None:
        """Request the numbers of unread messages in a second, once for all events until then."""
        if self._counting is None or not self._counting.active():
            self._counting = self._clock.callLater(MARKER_SECONDS, self.refresh)

    def _unheard(self, failure: Failure) -> None:
        failure.trap(ClientError)  # asked again after the next sign-in

    def _tick(self) -> None:
        self.plan()
        self.changed()

    def plan(self) -> None:
        """Remove expired timed messages. Wake at the next end, and each second before it for the countdown."""
        now = self._clock.seconds()
        next_end = self._view.expire(now)
        self._sending.sweep()
        if next_end is None:
            self._alarm.cancel()
        else:
            self._alarm.set(min(next_end, now + ((next_end - now) % 1 or 1)))
