"""Signals: what a user says to those online in a chat without a message, such as that it types. Stored nowhere."""

from collections.abc import Callable, Mapping

from irchat.chat.messages import Messages
from irchat.chat.state.entities import DirectoryChat, User
from irchat.interfaces.asides import OtherAsides
from irchat.interfaces.bus import Publication
from irchat.interfaces.stored import ChatKey
from irchat.protocol import events
from irchat.protocol.errors import Code, Refusal
from irchat.protocol.rules import visible
from irchat.system.clock import rfc3339

# Maximum bytes of all names and values: of a client, and an id that its protocol gives to them.
_TAGS_BYTES = 4_094 + 64


class Signals:
    """Passes signals to the sessions that want asides. A user may signal where it may write.

    ``others``: the other nodes, or None.
    """

    def __init__(self, messages: Messages, wall_ms: Callable[[], int]) -> None:
        self.others: OtherAsides | None = None
        self._messages = messages
        self._wall_ms = wall_ms

    def send(
        self, sender: User, chat_name: str, tags: Mapping[str, str], origin: int | None, chat_id: str | None = None
    ) -> events.Ok:
        """Pass ``tags`` to all others that may see a message of ``sender`` there, now. See `Messages.to_send`.

        Tags with control characters are left out. Raises Refusal.
        """
        if sum(len(f"{name}{value}".encode("utf-8", "replace")) for name, value in tags.items()) > _TAGS_BYTES:
            raise Refusal(Code.BAD_REQUEST, f"The tags have more than {_TAGS_BYTES:,} bytes. Send fewer.")
        clean = {name: value for name, value in tags.items() if _is_clean(name) and _is_clean(value)}
        chat = self._messages.writable_chat(sender, chat_name, chat_id)
        if clean:
            self._publish(sender, chat, clean, origin)
            if self.others is not None:
                self.others.signal(sender.id, chat.key, clean)
        return events.Ok()

    def receive(self, sender: int, chat: ChatKey, tags: Mapping[str, str]) -> None:
        """Pass on a signal of another node. Membership and blocks are those that this node knows now."""
        users = self._messages.directory.users
        user = users.get(sender)
        if user is None or user.removed:
            return
        if isinstance(chat, tuple) and (sender not in chat or not users.keys() >= set(chat)):
            return
        place = self._messages.directory.chat_by_key(chat)
        if place is not None and place.has(user):
            self._publish(user, place, dict(tags), None)

    def _publish(self, sender: User, chat: DirectoryChat, tags: dict[str, str], origin: int | None) -> None:
        at = rfc3339(self._wall_ms())

        def event(reader: User) -> events.Signal:
            return events.Signal(chat=chat.label(reader), sender=sender.name, at=at, tags=tags)

        if chat.pair is None:
            publications = [Publication(event(sender), chat.audience, hidden=sender.hidden, origin=origin)]
        else:
            publications = [
                Publication(event(reader), (reader.id,), hidden=sender.hidden, origin=origin)
                for reader in chat.pair
                if reader.id in self._messages.presence.sessions
            ]
        self._messages.bus.publish_asides(publications)


def _is_clean(text: str) -> bool:
    return visible(text) == text and not {"\n", "\t"} & set(text)
