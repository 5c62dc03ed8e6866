"""When a chat alerts a user: always, for messages that mention the user, or never."""

from dataclasses import dataclass, field

from irchat.chat.changes import Change
from irchat.chat.state.directory import Directory
from irchat.chat.state.entities import DirectoryChat, User
from irchat.chat.state.publications import Publications
from irchat.interfaces.bus import Publication
from irchat.interfaces.writes import AlertSet
from irchat.protocol import events


def alert_of(chat: DirectoryChat, stored: str | None) -> str:
    """Return when a chat alerts a user that has ``stored`` this. The default: always in a private chat."""
    return stored or ("mentions" if chat.pair is None else "all")


@dataclass(eq=False, repr=False)
class SetAlert(Change[None, events.Alert]):
    """Set when a chat alerts a user."""

    by: User
    directory: Directory
    publications: Publications
    chat_name: str
    alert: str
    chat: DirectoryChat = field(init=False)

    def check(self) -> AlertSet:
        self.directory.refuse_removed(self.by)
        self.chat = self.directory.chat(self.by, self.chat_name)
        return AlertSet(self.chat.key, self.by.id, self.alert)

    def reply(self, result: None, publications: list[Publication]) -> events.Alert:
        assert isinstance(self.write, AlertSet)
        publications += self.publications.alert(self.write, self.origin)
        return events.Alert(chat=self.chat.label(self.by), alert=self.alert)
