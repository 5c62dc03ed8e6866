"""Request the members of the open group and the pinned messages of the open chat."""

from collections.abc import Callable

from twisted.python.failure import Failure

from irchat.client.connect.request_channel import Ask, Reply
from irchat.client.exceptions import ClientError
from irchat.client.view.chat_details import PIN, Pins, Roster
from irchat.client.view.navigation import Place
from irchat.client.view.screen_state import ScreenState
from irchat.protocol import events, requests

# Pins of a chat that are counted.
_PINS_MAX = 100


class Details:
    """Request what the header shows of the open chat. ``changed`` is called when there is something new to draw."""

    def __init__(self, view: ScreenState, ask: Ask, changed: Callable[[], None]) -> None:
        self._view = view
        self._ask = ask
        self._changed = changed

    def fetch(self) -> None:
        """Request the details once, after the messages of the open chat are loaded. Call this after a frame."""
        chat, view = self._view.open, self._view
        if chat is None or view.place is not Place.CHAT or chat.gone:
            return
        if not chat.loaded or chat.loading or chat.stale:
            return
        if chat.is_group and not chat.roster.is_asked:
            chat.roster.is_asked = True
            reply = self._ask(requests.Members(group=chat.name))
            reply.addCallbacks(self._members, self._lost, callbackArgs=(chat.roster,), errbackArgs=(chat.roster,))
        # Without changes there are no marks.
        if chat.last_rev and "marks" in view.features and not chat.pins.is_asked:
            chat.pins.is_asked = True
            reply = self._ask(requests.Search(chat=chat.name, mark=PIN, limit=_PINS_MAX))
            reply.addCallbacks(self._pins, self._lost, callbackArgs=(chat.pins,), errbackArgs=(chat.pins,))

    def _members(self, reply: Reply, roster: Roster) -> None:
        if isinstance(reply, events.Group):  # a refusal is not repeated
            roster.load(reply)
            self._changed()

    def _pins(self, reply: Reply, pins: Pins) -> None:
        if isinstance(reply, events.Found):
            pins.load(reply, self._view.me)
            self._changed()

    def _lost(self, failure: Failure, details: Roster | Pins) -> None:
        failure.trap(ClientError)  # asked again after the next sign-in
