"""The publications of timed messages: each one as it is sent, and its end."""

from collections.abc import Collection, Iterable

from irchat.chat.state.directory import Directory
from irchat.chat.state.entities import DirectoryChat, User
from irchat.chat.state.presence import Presence
from irchat.chat.timed.timed_chat import TimedMessage
from irchat.interfaces.bus import Publication, TimedPlace
from irchat.protocol.events import Erased


def others(directory: Directory, presence: Presence, chat: DirectoryChat, sender: User) -> tuple[int, frozenset[int]]:
    """Return the number of other users that may see a message of ``sender``, and the ids of those that it reaches here.

    It reaches the users that are online with a session that shows timed messages.
    """
    online = presence.sessions
    if chat.pair is not None:
        peer = chat.peer(sender)
        return 1, (frozenset((peer.id,)) & online.keys()) - sender.hidden - presence.blind
    if (group := chat.group) is None:
        count, reached = directory.count, frozenset(online)
        hidden = sum(not directory.users[user].removed for user in sender.hidden)
    else:
        count, reached = len(group.members), frozenset(user for user in group.members if user in online)
        hidden = sum(user in group.members for user in sender.hidden)
    return count - hidden - 1, reached - sender.hidden - presence.blind - {sender.id}


def sent(timed: TimedMessage, now: float, presence: Presence, origin: int | None) -> list[Publication]:
    """Return the publications of a new message, to all users that may see it but the session ``origin``."""
    sender, chat, place = timed.sender, timed.chat, TimedPlace(timed.chat.key, timed.order)
    if chat.pair is None:
        hidden = sender.hidden | timed.late if timed.late else sender.hidden
        return [Publication(timed.event(sender, now), chat.audience, hidden=hidden, origin=origin, place=place)]
    return [
        Publication(timed.event(user, now), (user.id,), origin=origin, place=place)
        for user in chat.pair
        if user.id in presence.sessions and user.id not in sender.hidden
    ]


def erased(ended: Iterable[TimedMessage], online: Collection[int] = ()) -> list[Publication]:
    """Return the publications of the end of messages, to all users that received them.

    In a cluster, a user may have received one on another node: the end also goes to those ``online`` that may see it.
    """
    publications = []
    known: dict[frozenset[int], frozenset[int]] = {}
    for timed in ended:
        had = timed.had_by()
        had = known.setdefault(had, had)  # publications that share the object of their audience are written together
        if online:
            had |= _may_see(timed, online)
        if timed.chat.pair is None:
            publications.append(Publication(Erased(chat=timed.chat.label(timed.sender), id=timed.id), had))
        else:
            publications.extend(
                Publication(Erased(chat=timed.chat.label(user), id=timed.id), (user.id,))
                for user in timed.chat.pair
                if user.id in had
            )
    return publications


def _may_see(timed: TimedMessage, online: Collection[int]) -> frozenset[int]:
    audience = timed.chat.audience
    users = online if audience is None else (user for user in audience if user in online)
    return frozenset(users) - timed.sender.hidden - timed.late
