"""The contract of presence: which users are online, and by which sessions."""

from collections.abc import Collection, Mapping
from typing import Protocol


class PresenceTable(Protocol):
    """Users and sessions by their ids. A user is online from its first session to the end of its last."""

    @property
    def sessions(self) -> Mapping[int, Collection[int]]:
        """The sessions of each online user, in the order in which the users came online."""

    def count(self, user: int) -> int:
        """Return how many sessions the user has."""

    def enter(self, user: int, session: int) -> None:
        """Add a session."""

    def leave(self, user: int, session: int) -> None:
        """Remove a session; do nothing if it was forgotten."""

    def forget(self, user: int) -> None:
        """Remove all sessions of a user whose account ends."""
