"""Messages for IRC sessions: encoded once for each flavour, as bytes shared by its sessions."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from irchat.chat.state.directory import Directory
from irchat.chat.state.entities import User
from irchat.chat.state.message_ids import message_id
from irchat.interfaces.asides import Persona
from irchat.interfaces.bus import Publication, StoredPlace
from irchat.interfaces.stored import ChatKey
from irchat.irc.targets import USER_LENGTH, prefix, target_of
from irchat.protocol import events
from irchat.protocol.rules import answered_seq
from irchat.server.delivery.run import Encode
from irchat.server.protocols.irc.talk.message_lines import (
    NO_EXTRAS,
    Extras,
    Flavour,
    ShownMessage,
    is_short,
    message_lines,
    short_line,
)

if TYPE_CHECKING:
    from irchat.server.protocols.irc.talk.delivered_marks import DeliveredMarks

_COMMANDS: dict[type[events.Event], str] = {events.Message: "PRIVMSG", events.Notice: "NOTICE"}


class MessageEncoding:
    """Encodes messages. ``persona`` returns how the user with an id presents itself.

    Each encoding notes in ``delivered`` the messages that it encodes for all sessions of an audience.
    """

    def __init__(
        self,
        directory: Directory,
        delivered: "DeliveredMarks",
        persona: Callable[[int], Persona],
    ) -> None:
        self._directory = directory
        self._delivered = delivered
        self._persona = persona
        self._encoders: dict[Flavour, Encode] = {}
        # By sender: what its clients gave with the texts that are being sent, in their order.
        self._extras: dict[int, list[tuple[str, Extras]]] = {}

    def of(self, flavour: Flavour) -> Encode:
        """Return the shared encoding of a flavour: always the same function, by which delivery shares its bytes."""
        encoder = self._encoders.get(flavour)
        if encoder is None:
            encoder = self._encoders[flavour] = partial(self._encode, flavour)
        return encoder

    def _encode(self, flavour: Flavour, publication: Publication) -> bytes | None:
        """Encode a stored message. All other publications differ between sessions."""
        place = publication.place
        command = _COMMANDS.get(type(publication.event))
        if not isinstance(place, StoredPlace) or command is None:
            return None
        event = publication.event
        assert isinstance(event, events.Message)
        sender = self.sender(event)
        self._delivered.note(place.chat, place.seq, sender.id)
        extras = self._extras_of(sender, event.text) if self._extras else NO_EXTRAS
        return self.lines(flavour, event, (place.chat, place.seq), sender, extras)

    def one(self, flavour: Flavour, publication: Publication) -> bytes:
        """Encode a stored message for one session."""
        event, place = publication.event, publication.place
        assert isinstance(event, events.Message)
        assert isinstance(place, StoredPlace)
        sender = self.sender(event)
        extras = self._extras_of(sender, event.text) if self._extras else NO_EXTRAS
        return self.lines(flavour, event, (place.chat, place.seq), sender, extras)

    def lines(
        self,
        flavour: Flavour,
        event: events.Message,
        position: tuple[ChatKey, int],
        sender: User,
        extras: Extras = NO_EXTRAS,
        before: str = "",
    ) -> bytes:
        """Return the lines of a message. ``before``: words put before its text."""
        key, seq = position
        # In a private chat, both users get the name of the recipient.
        target = target_of(event.chat) if not isinstance(key, tuple) else self.peer(key, sender).name
        text, command, persona = event.text, _COMMANDS[type(event)], self._persona(sender.id)
        source = prefix(sender.name, persona.username or sender.name[:USER_LENGTH])
        if is_short(text) and extras is NO_EXTRAS and not before:
            msgid = message_id(key, seq) if flavour.tags else ""
            return short_line(flavour, command, source, sender.name, target, event.at, text, msgid, persona.is_bot)
        answered = answered_seq(text)
        if before:
            text = f"/me {before}{text[4:]}" if text.startswith("/me ") and "\n" not in text else before + text
        return message_lines(
            flavour,
            ShownMessage(
                command,
                source,
                sender.name,
                target,
                event.at,
                text,
                message_id(key, seq),
                persona.is_bot,
                extras,
                "" if answered is None else message_id(key, answered),
            ),
        )

    def sender(self, event: events.Message) -> User:
        """Return the sender of a message, also a removed one."""
        return self._directory.user_or_removed(event.sender)

    def peer(self, key: tuple[int, int], user: User) -> User:
        """Return the other user of a private chat."""
        return self._directory.users[key[1] if key[0] == user.id else key[0]]

    # The tags and lines that clients send with their texts.

    def expect(self, user_id: int, text: str, extras: Extras) -> None:
        """Note the extras of a text that a user sends now. Call `answered` when it is sent or refused."""
        self._extras.setdefault(user_id, []).append((text, extras))

    def answered(self, user_id: int, text: str, extras: Extras) -> None:
        """Forget the extras of a text."""
        waiting = self._extras[user_id]
        waiting.remove((text, extras))
        if not waiting:
            del self._extras[user_id]

    def _extras_of(self, sender: User, text: str) -> Extras:
        waiting = self._extras.get(sender.id, ())
        return next((extras for expected, extras in waiting if expected == text), NO_EXTRAS)
