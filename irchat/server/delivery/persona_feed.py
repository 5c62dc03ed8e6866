"""Changes of personas for sessions, such as away and new real names, sent in the way of presence."""

from collections.abc import Sequence

from twisted.internet.interfaces import IReactorTime

from irchat.chat.service import ChatService
from irchat.interfaces.asides import Persona
from irchat.protocol.events import Personas
from irchat.server.delivery.change_feed import ChangeFeed
from irchat.server.delivery.delivery import Delivery


class PersonaFeed(ChangeFeed[tuple[str, bool], str | None]):
    """Sends the away texts and real names that change in ``chat``, by the name of the user.

    A key is a name, and whether its value is the away text. Otherwise it is the real name.
    """

    most = 100
    # A client that asks right afterwards should know already.
    at_once = 8

    def __init__(self, clock: IReactorTime, delivery: Delivery, chat: ChatService) -> None:
        super().__init__(clock, delivery)
        self._chat = chat
        chat.personas.on_change = self._changed

    def event(self, changes: Sequence[tuple[tuple[str, bool], str | None]]) -> Personas:
        """Return the event of some changes."""
        return Personas(
            away={name: value for (name, is_away_text), value in changes if is_away_text},
            realnames={name: value or "" for (name, is_away_text), value in changes if not is_away_text},
        )

    def _changed(self, user: int, before: Persona, now: Persona) -> None:
        name = self._chat.directory.users[user].name
        if before.away != now.away:
            self.note((name, True), now.away)
        if before.realname != now.realname:
            self.note((name, False), now.realname)
