"""The targets of MONITOR by name, and the lines to sessions when one comes online or goes offline."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from irchat.irc.reply_lines import Person, monitor_lines
from irchat.irc.targets import target_key

if TYPE_CHECKING:
    from irchat.server.protocols.irc.protocol import IRCProtocol


def watched_changes(protocol: "IRCProtocol", online: Iterable[Person], offline: Iterable[str]) -> bytes:
    """Return the lines for the watched users who came or went since the client was last notified."""
    state = protocol.state
    if not state.watched:
        return b""

    def is_new(name: str, is_online: bool) -> bool:
        key = target_key(name)
        if key not in state.watched or state.told_online.get(key) is is_online:
            return False
        state.told_online[key] = is_online
        return True

    came = [person for person in online if is_new(person.nick, True)]
    went = [name for name in offline if is_new(name, False)]
    return monitor_lines(protocol.lines, protocol.nick, came, went)


def stop_watching(protocol: "IRCProtocol") -> None:
    """Watch nobody any longer."""
    for key in protocol.state.watched:
        protocol.shared.watchers.remove(key, protocol)
    protocol.state.watched.clear()


class Watchers:
    """The sessions that watch each name. They are notified at once, those that are behind with the next bundle."""

    def __init__(self) -> None:
        self._sessions: dict[str, set[IRCProtocol]] = {}

    def add(self, key: str, protocol: "IRCProtocol") -> None:
        """Add a session that watches a name."""
        self._sessions.setdefault(key, set()).add(protocol)

    def remove(self, key: str, protocol: "IRCProtocol") -> None:
        """Remove a session that watches a name."""
        sessions = self._sessions[key]
        sessions.discard(protocol)
        if not sessions:
            del self._sessions[key]

    def changed(self, name: str, is_online: bool) -> None:
        """Tell the sessions that watch the user called ``name`` that it came online or went offline."""
        for protocol in self._sessions.get(target_key(name), ()) if self._sessions else ():
            user = protocol.shared.find_user(name)
            outbox = protocol.session.outbox
            if user is not None and not (outbox.behind or outbox.full()):
                person = protocol.shared.person(user)
                outbox.put(watched_changes(protocol, [person] * is_online, [name] * (not is_online)))
