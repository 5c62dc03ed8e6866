"""Presence: the online users of all nodes, and the sessions of this one, in the memory of one process."""

from collections.abc import Callable, Mapping

from irchat.interfaces.nodes import OtherPresence


class Presence:
    """The online users. A user is online from its first session on any node to the end of its last.

    ``sessions``: the ids of the sessions of each user on this node. ``online``: the users that are online on any node,
    in the order in which they came online. ``on_change`` is called with a user and whether it is online. ``is_known``
    returns whether a user exists and was not removed. ``others``: the other nodes, or None without a bus.
    ``on_sessions`` is called with a user after its sessions on any node have changed. ``blind``: the users on this node
    that no timed message can reach, because none of their sessions shows them.
    """

    def __init__(
        self, on_change: Callable[[int, bool], None], is_known: Callable[[int], bool] = lambda user: True
    ) -> None:
        self.sessions: dict[int, tuple[int, ...]] = {}
        self.online: dict[int, None] = {}
        self.others: OtherPresence | None = None
        self.on_sessions: Callable[[int], None] = lambda user: None
        self.blind: set[int] = set()
        self._blind_sessions: set[int] = set()
        self._on_change = on_change
        self._is_known = is_known
        # The numbers of sessions on each other node, by user.
        self._elsewhere: dict[str, dict[int, int]] = {}

    def count(self, user: int) -> int:
        """Return the number of sessions of the user on all nodes."""
        here = len(self.sessions.get(user, ()))
        return here + sum(sessions.get(user, 0) for sessions in self._elsewhere.values()) if self._elsewhere else here

    def count_nodes(self, user: int) -> int:
        """Return the number of nodes on which the user is online."""
        return (user in self.sessions) + sum(user in sessions for sessions in self._elsewhere.values())

    def count_all(self) -> int:
        """Return the number of sessions of all users on all nodes."""
        return sum(map(len, self.sessions.values())) + sum(sum(node.values()) for node in self._elsewhere.values())

    def enter(self, user: int, session: int, *, shows_timed: bool = True) -> None:
        """Add a session on this node. ``shows_timed``: whether it shows timed messages."""
        self.sessions[user] = (*self.sessions.get(user, ()), session)
        if not shows_timed:
            self._blind_sessions.add(session)
        self._changed_here(user)

    def leave(self, user: int, session: int) -> None:
        """Remove a session on this node. Do nothing if it was forgotten."""
        sessions = self.sessions.get(user, ())
        self._blind_sessions.discard(session)
        if session in sessions:
            if left := tuple(other for other in sessions if other != session):
                self.sessions[user] = left
            else:
                del self.sessions[user]
            self._changed_here(user)

    def forget(self, user: int) -> None:
        """Remove all sessions of a removed user. Each node does so for itself."""
        self._blind_sessions.difference_update(self.sessions.pop(user, ()))
        self.blind.discard(user)
        for sessions in self._elsewhere.values():
            sessions.pop(user, None)
        self._update(user)

    # ThisPresence, for the other nodes

    def set_online(self, node: str, sessions: Mapping[int, int]) -> None:
        """Replace the users that are online on another node, each with its number of sessions there."""
        before = self._elsewhere.pop(node, {})
        if sessions:
            self._elsewhere[node] = {user: count for user, count in sessions.items() if self._is_known(user)}
        for user in {**before, **sessions}:
            self._update(user)

    def came(self, node: str, user: int, sessions: int) -> None:
        """Note that a user has this many sessions on another node."""
        if self._is_known(user):
            self._elsewhere.setdefault(node, {})[user] = sessions
            self._update(user)

    def went(self, node: str, user: int) -> None:
        """Note that a user is no longer online on another node."""
        self._elsewhere.get(node, {}).pop(user, None)
        self._update(user)

    def online_here(self) -> Mapping[int, int]:
        """Return the users that are online on this node, each with its number of sessions."""
        return {user: len(sessions) for user, sessions in self.sessions.items()}

    def _changed_here(self, user: int) -> None:
        sessions = self.sessions.get(user)
        if self.others is not None:
            if sessions:
                self.others.came(user, len(sessions))
            else:
                self.others.went(user)
        if sessions and self._blind_sessions.issuperset(sessions):
            self.blind.add(user)
        else:
            self.blind.discard(user)
        self._update(user)

    def _update(self, user: int) -> None:
        """Note whether the user is online on any node now."""
        is_online = user in self.sessions or any(user in sessions for sessions in self._elsewhere.values())
        if is_online != (user in self.online):
            if is_online:
                self.online[user] = None
            else:
                del self.online[user]
            self._on_change(user, is_online)
        self.on_sessions(user)
