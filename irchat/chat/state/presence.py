"""Presence: the online users of all nodes, and the sessions of this one, in the memory of one process."""

from collections.abc import Callable, Mapping

from irchat.interfaces.bus import sign_in_id
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
        # The sign-ins that these use, and the tokens of the sessions here, by session.
        self._sign_ins_elsewhere: dict[str, dict[int, tuple[str, ...]]] = {}
        self._tokens: dict[int, bytes] = {}

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

    def sign_ins(self, user: int) -> tuple[str, ...]:
        """Return the ids of the sign-ins of the sessions of the user on all nodes, once for each session."""
        elsewhere = (sign_ins.get(user, ()) for sign_ins in self._sign_ins_elsewhere.values())
        return sum(elsewhere, self._sign_ins_here(user))

    def enter(self, user: int, session: int, token: bytes | None = None, *, shows_timed: bool = True) -> None:
        """Add a session on this node, with the hash of its token if it has one.

        ``shows_timed``: whether it shows timed messages.
        """
        if token is not None:
            self._tokens[session] = token
        self.sessions[user] = (*self.sessions.get(user, ()), session)
        if not shows_timed:
            self._blind_sessions.add(session)
        self._changed_here(user)

    def leave(self, user: int, session: int) -> None:
        """Remove a session on this node. Do nothing if it was forgotten."""
        self._tokens.pop(session, None)
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
        for session in self.sessions.pop(user, ()):
            self._tokens.pop(session, None)
            self._blind_sessions.discard(session)
        self.blind.discard(user)
        for sessions in self._elsewhere.values():
            sessions.pop(user, None)
        for sign_ins in self._sign_ins_elsewhere.values():
            sign_ins.pop(user, None)
        self._update(user)

    # ThisPresence, for the other nodes

    def set_online(
        self, node: str, sessions: Mapping[int, int], sign_ins: Mapping[int, tuple[str, ...]] | None = None
    ) -> None:
        """Replace the users that are online on another node, each with its number of sessions and its sign-ins."""
        self._sign_ins_elsewhere.pop(node, None)
        if sign_ins:
            self._sign_ins_elsewhere[node] = {user: ids for user, ids in sign_ins.items() if self._is_known(user)}
        before = self._elsewhere.pop(node, {})
        if sessions:
            self._elsewhere[node] = {user: count for user, count in sessions.items() if self._is_known(user)}
        for user in {**before, **sessions}:
            self._update(user)

    def came(self, node: str, user: int, sessions: int, sign_ins: tuple[str, ...] = ()) -> None:
        """Note that a user has this many sessions on another node, with these sign-ins."""
        if self._is_known(user):
            self._sign_ins_elsewhere.setdefault(node, {})[user] = sign_ins
            self._elsewhere.setdefault(node, {})[user] = sessions
            self._update(user)

    def went(self, node: str, user: int) -> None:
        """Note that a user is no longer online on another node."""
        self._elsewhere.get(node, {}).pop(user, None)
        self._sign_ins_elsewhere.get(node, {}).pop(user, None)
        self._update(user)

    def sign_ins_here(self) -> Mapping[int, tuple[str, ...]]:
        """Return the sign-ins of the users that are online on this node."""
        return {user: ids for user in self.sessions if (ids := self._sign_ins_here(user))}

    def online_here(self) -> Mapping[int, int]:
        """Return the users that are online on this node, each with its number of sessions."""
        return {user: len(sessions) for user, sessions in self.sessions.items()}

    def _sign_ins_here(self, user: int) -> tuple[str, ...]:
        sessions = self.sessions.get(user, ())
        return tuple(sign_in_id(self._tokens[session]) for session in sessions if session in self._tokens)

    def _changed_here(self, user: int) -> None:
        sessions = self.sessions.get(user)
        if self.others is not None:
            if sessions:
                self.others.came(user, len(sessions), self._sign_ins_here(user))
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
