"""The publications of messages and of their changes, on every node that has sessions of their readers."""

from msgspec import Struct

from irchat.chat.mentions import names
from irchat.chat.state.directory import Directory
from irchat.chat.state.entities import DirectoryChat, User
from irchat.chat.state.presence import Presence
from irchat.interfaces.bus import ChangePlace, Publication, StoredPlace
from irchat.interfaces.stored import Stored, StoredChange
from irchat.interfaces.writes import MarkSet, MarksRemoved, MessageDeleted, MessageEdited
from irchat.protocol.events import Amended, Message, Notice
from irchat.system.clock import rfc3339

AmendWrite = MessageEdited | MessageDeleted | MarkSet
MessageKind = type[Message] | type[Notice]


class MessagePublications(Struct, frozen=True, eq=False):
    """Creates the publications of stored messages. Only users with sessions on this node count as present."""

    directory: Directory
    presence: Presence

    def added(
        self,
        chat: DirectoryChat,
        sender: User,
        text: str,
        stored: Stored,
        origin: int | None,
        publications: list[Publication],
        kind: MessageKind = Message,
    ) -> Message:
        """Append the publications of a new message. Return it as its sender sees it."""
        if stored.to:
            return self._added_with_mentions(chat, sender, text, stored, origin, publications, kind)
        at, seq, place = rfc3339(stored.at), stored.seq, StoredPlace(chat.key, stored.seq)
        event = kind(chat=chat.label(sender), sender=sender.name, at=at, text=text, seq=seq)
        audience = chat.audience if chat.pair is None else (sender.id,)
        publications.append(Publication(event, audience, hidden=sender.hidden, origin=origin, place=place))
        if chat.pair is not None and (peer := chat.peer(sender)).id in self.presence.sessions:
            to_peer = kind(chat=chat.label(peer), sender=sender.name, at=at, text=text, seq=seq)
            publications.append(Publication(to_peer, (peer.id,), hidden=sender.hidden, place=place))
        return event

    def _added_with_mentions(
        self,
        chat: DirectoryChat,
        sender: User,
        text: str,
        stored: Stored,
        origin: int | None,
        publications: list[Publication],
        kind: MessageKind,
    ) -> Message:
        """Append a message that mentions users. A reader from whom one of them is hidden does not see that name."""
        users, online, at = self.directory.users, self.presence.sessions, rfc3339(stored.at)

        def event(reader: User) -> Message:
            to = names(self.directory, stored.to, reader.hidden)
            return kind(chat=chat.label(reader), sender=sender.name, at=at, text=text, seq=stored.seq, to=to)

        place = StoredPlace(chat.key, stored.seq)
        if chat.pair is None:
            blocked = frozenset[int]().union(*(users[user].hidden for user in stored.to)) - sender.hidden
            others = {reader: event(users[reader]) for reader in blocked if reader in online}
            publications.append(
                Publication(
                    event(sender),
                    chat.audience,
                    hidden=sender.hidden | others.keys(),
                    origin=origin,
                    place=place,
                    instead=others or None,
                )
            )
            return event(sender)
        for reader in chat.pair:
            if reader.id in online:
                from_here = origin if reader is sender else None
                publications.append(Publication(event(reader), (reader.id,), sender.hidden, from_here, place=place))
        return event(sender)

    def amended(
        self,
        chat: DirectoryChat,
        write: AmendWrite,
        result: StoredChange,
        origin: int | None,
        reply: Amended | None = None,
    ) -> list[Publication]:
        """Return the publications of a committed change, to all users that may see it.

        ``reply`` is the event as its author sees it, if there is one. In a group all readers see the same.
        """
        by = None if write.user is None else self.directory.users[write.user]
        place = ChangePlace(chat.key, result.rev, result.sender)
        if chat.pair is not None:
            publications = []
            for reader in chat.pair:
                is_hidden = by is not None and by.id in reader.hidden
                if reader.id in self.presence.sessions and not (is_hidden and isinstance(write, MarkSet)):
                    name = "" if by is None or is_hidden else by.known_as
                    event = amended(write, result, chat.label(reader), name)
                    publications.append(Publication(event, (reader.id,), origin=origin, place=place))
            return publications
        hidden, nameless = self._unseen(write, result, by)
        sender = self.directory.users[result.sender]
        label = chat.label(sender)
        event = reply or amended(write, result, label, "" if by is None else by.known_as)
        instead = dict.fromkeys(nameless, amended(write, result, label, "")) if nameless else None
        return [Publication(event, chat.audience, hidden, origin, place, instead)]

    def amended_anywhere(self, write: AmendWrite, result: StoredChange, origin: int | None) -> list[Publication]:
        """Return the publications of a change, none if it was refused or changed nothing, or if its chat has ended."""
        chat = self.directory.chat_by_key(write.chat)
        is_new = result.refusal is None and result.is_new
        return self.amended(chat, write, result, origin) if chat is not None and is_new else []

    def marks_removed(self, write: MarksRemoved, results: tuple[StoredChange, ...]) -> list[Publication]:
        """Return the publications of the end of some marks."""
        publications = []
        for mark, result in zip(write.marks, results, strict=True):
            taken_off = MarkSet(mark.chat, mark.seq, mark.user, mark.mark, mark.key, False, write.at)
            publications += self.amended_anywhere(taken_off, result, None)
        return publications

    def _unseen(
        self, write: AmendWrite, result: StoredChange, by: User | None
    ) -> tuple[frozenset[int], frozenset[int]]:
        """Return the users that do not receive a change in a group, and those that see it without its author.

        Every reader of a message is notified of its deletion, even if the author of the deletion is hidden from it.
        """
        of_author = frozenset[int]() if by is None else by.hidden
        if isinstance(write, MessageDeleted):
            return of_author | result.late, of_author - result.late
        return self.directory.users[result.sender].hidden | of_author | result.late, frozenset()


def amended(write: AmendWrite, result: StoredChange, label: str, by: str) -> Amended:
    """Return the event of a change, for a reader that calls the chat ``label`` and its author ``by``."""
    at = rfc3339(result.at)
    match write:
        case MessageEdited(text=text):
            return Amended(chat=label, seq=result.seq, rev=result.rev, by=by, at=at, text=text, edited=at)
        case MarkSet(mark=mark):
            return Amended(chat=label, seq=result.seq, rev=result.rev, by=by, at=at, mark=mark, on=result.on)
        case MessageDeleted():
            return Amended(chat=label, seq=result.seq, rev=result.rev, by=by, at=at, deleted=True)
