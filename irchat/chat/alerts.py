"""When a chat alerts a user: always, for messages that mention the user, or never."""

from irchat.chat.changes import Change
from irchat.chat.state.directory import Directory
from irchat.chat.state.entities import DirectoryChat, User
from irchat.interfaces.bus import Publication
from irchat.interfaces.presence import PresenceTable
from irchat.interfaces.writes import AlertSet
from irchat.protocol import events


def alert_of(chat: DirectoryChat, stored: str | None) -> str:
    """Return when a chat alerts a user that has ``stored`` this. The default: always in a private chat."""
    return stored or ("mentions" if chat.pair is None else "all")


class SetAlert(Change[None, events.Alert]):
    """Set when a chat alerts a user."""

    def __init__(
        self, directory: Directory, presence: PresenceTable, user: User, chat: str, alert: str, origin: int | None
    ) -> None:
        self.directory = directory
        self.presence = presence
        self.user = user
        self.chat_name = chat
        self.alert = alert
        self.origin = origin

    def whose(self) -> User:
        return self.user

    def check(self) -> AlertSet:
        self.directory.refuse_removed(self.user)
        self.chat = self.directory.chat(self.user, self.chat_name)
        return AlertSet(self.chat.key, self.user.id, self.alert)

    def reply(self, result: None, publications: list[Publication]) -> events.Alert:
        event = events.Alert(chat=self.chat.label(self.user), alert=self.alert)
        if self.presence.count(self.user.id) > 1:
            publications.append(Publication(event, (self.user.id,), origin=self.origin))
        return event
