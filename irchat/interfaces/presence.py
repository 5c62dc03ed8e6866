"""The contract of presence: the online users and their sessions."""

from collections.abc import Collection, Mapping
from typing import Protocol


class PresenceTable(Protocol):
    """The sessions of online users, by id. A user is online from its first session to the end of its last."""

    @property
    def sessions(self) -> Mapping[int, Collection[int]]:
        """The sessions of each online user, in the order in which the users came online."""

    def count(self, user: int) -> int:
        """Return the number of sessions of the user."""

    def enter(self, user: int, session: int) -> None:
        """Add a session."""

    def leave(self, user: int, session: int) -> None:
        """Remove a session. Do nothing if it was forgotten."""

    def forget(self, user: int) -> None:
        """Remove all sessions of a removed user."""
