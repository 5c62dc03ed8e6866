"""How long users have said nothing in their IRC sessions on this node, in memory only."""

from collections.abc import Callable

from msgspec import Struct


class SessionTimes(Struct, eq=False):
    """The times of one session of ``user``: of its sign-in (ms since the epoch), and of its last message (s)."""

    user: int
    signed_in_ms: int
    said_at: float


class IdleTimes:
    """The times of the sessions of all users. ``seconds`` and ``wall_ms`` are the clocks."""

    def __init__(self, seconds: Callable[[], float], wall_ms: Callable[[], int]) -> None:
        self._seconds = seconds
        self._wall_ms = wall_ms
        self._sessions: dict[int, list[SessionTimes]] = {}

    def begin(self, user: int) -> SessionTimes:
        """Note the sign-in of a session. Call `end` at its end."""
        times = SessionTimes(user, self._wall_ms(), self._seconds())
        self._sessions.setdefault(user, []).append(times)
        return times

    def said(self, times: SessionTimes) -> None:
        """Note that a session has sent a message."""
        times.said_at = self._seconds()

    def end(self, times: SessionTimes) -> None:
        """Forget a session."""
        sessions = self._sessions[times.user]
        sessions.remove(times)
        if not sessions:
            del self._sessions[times.user]

    def of(self, user: int) -> tuple[int, int] | None:
        """Return the seconds since a user said something, and the time of its first sign-in (s since the epoch).

        Return None for a user without IRC sessions here.
        """
        sessions = self._sessions.get(user)
        if not sessions:
            return None
        said_at = max(times.said_at for times in sessions)
        return int(self._seconds() - said_at), sessions[0].signed_in_ms // 1_000
