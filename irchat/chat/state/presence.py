"""Presence: the online users and their sessions, in the memory of one process."""

from collections.abc import Callable


class LocalPresence:
    """The sessions of online users, by id. A user is online from its first session to the end of its last.

    ``sessions``: those of each online user, in the order in which the users came online. ``on_change`` is called with a
    user and whether it is online.
    """

    def __init__(self, on_change: Callable[[int, bool], None]) -> None:
        self.sessions: dict[int, tuple[int, ...]] = {}
        self._on_change = on_change

    def count(self, user: int) -> int:
        """Return the number of sessions of the user."""
        return len(self.sessions.get(user, ()))

    def enter(self, user: int, session: int) -> None:
        """Add a session."""
        sessions = self.sessions.get(user, ())
        self.sessions[user] = (*sessions, session)
        if not sessions:
            self._on_change(user, True)

    def leave(self, user: int, session: int) -> None:
        """Remove a session. Do nothing if it was forgotten."""
        left = tuple(other for other in self.sessions.get(user, ()) if other != session)
        if left:
            self.sessions[user] = left
        else:
            self.forget(user)

    def forget(self, user: int) -> None:
        """Remove all sessions of a removed user."""
        if self.sessions.pop(user, None) is not None:
            self._on_change(user, False)
