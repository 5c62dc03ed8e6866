"""Personas: which users are away, and how they present themselves, in memory only."""

from collections.abc import Callable, Collection, Mapping
from typing import Unpack

from msgspec.structs import replace

from irchat.chat.state.presence import Presence
from irchat.interfaces.asides import OtherAsides, Persona, PersonaChange

NOBODY_THERE = "*"
"""The away text of a session that counts as nobody being there."""

_PLAIN = Persona()


class Personas:
    """The personas of the online users, which their sessions on all nodes set.

    A user is away when all its sessions are, with the last text of them. Sessions that never said anything are there.
    The other fields are those of the session that set them last. ``on_change`` is called with a user that is online,
    and with its persona before and now. ``others``: the other nodes, or None.
    """

    def __init__(self, presence: Presence, wall_ms: Callable[[], int]) -> None:
        self.on_change: Callable[[int, Persona, Persona], None] = lambda user, before, now: None
        self.others: OtherAsides | None = None
        self._presence = presence
        self._wall_ms = wall_ms
        # By user: what its sessions here have set, by session; and the sum of them that the other nodes know.
        self._sessions: dict[int, dict[int, Persona]] = {}
        self._here: dict[int, Persona] = {}
        # The personas on each other node, by user.
        self._elsewhere: dict[str, dict[int, Persona]] = {}
        # Those last passed to on_change. Of an offline user it stays, so that its return is compared with it.
        self._shown: dict[int, Persona] = {}
        presence.on_sessions = self._look

    def of(self, user: int) -> Persona:
        """Return the persona of a user. An offline one has none."""
        return self._shown.get(user, _PLAIN) if user in self._presence.online else _PLAIN

    def set(self, user: int, session: int, *, is_first: bool = False, **changes: Unpack[PersonaChange]) -> None:
        """Change fields of the persona of a session here, until its end. The times are set here.

        ``is_first``: the session begins with it. If it is the only one of its user, that comes with its presence, and
        `on_change` is not called.
        """
        if session not in self._presence.sessions.get(user, ()):
            return
        now = self._wall_ms()
        times = {"away_at": now} if "away" in changes else {}
        if changes.keys() - {"away"}:
            times["named_at"] = now
        sessions = self._sessions.setdefault(user, {})
        sessions[session] = replace(sessions.pop(session, _PLAIN), **changes, **times)  # the last one is at the end
        self._look(user, is_known=is_first and self._presence.count(user) == 1)

    # ThesePersonas, for the other nodes

    def note(self, node: str, user: int, persona: Persona | None) -> None:
        """See `irchat.interfaces.asides.ThesePersonas` for this and the following methods."""
        personas = self._elsewhere.setdefault(node, {})
        if persona is None:
            personas.pop(user, None)
        else:
            personas[user] = persona
        self._look(user)

    def note_all(self, node: str, personas: Mapping[int, Persona]) -> None:
        before = self._elsewhere.pop(node, {})
        if personas:
            self._elsewhere[node] = dict(personas)
        for user in {**before, **personas}:
            self._look(user)

    def here(self) -> Mapping[int, Persona]:
        return self._here

    def _look(self, user: int, *, is_known: bool = False) -> None:
        """Note that sessions of a user began or ended, or that they set something, which may be known already."""
        if user in self._sessions:
            self._look_here(user)
        elsewhere = [personas[user] for personas in self._elsewhere.values() if user in personas]
        if not (elsewhere or user in self._here or user in self._shown) or user not in self._presence.online:
            return
        of_nodes = elsewhere + ([self._here[user]] if user in self._here else [])
        now = _sum(of_nodes, is_there=len(of_nodes) < self._presence.count_nodes(user))
        before = self._shown.pop(user, _PLAIN)
        if now != _PLAIN:
            self._shown[user] = now
        if now != before and not is_known:
            self.on_change(user, before, now)

    def _look_here(self, user: int) -> None:
        """Sum up the sessions of a user here, and report a change to the other nodes."""
        standing = self._presence.sessions.get(user, ())
        sessions = {session: said for session, said in self._sessions[user].items() if session in standing}
        before = self._here.pop(user, None)
        if sessions:
            self._sessions[user] = sessions
            self._here[user] = _sum(sessions.values(), is_there=len(sessions) < len(standing))
        else:
            del self._sessions[user]
        now = self._here.get(user)
        if now != before and self.others is not None:
            self.others.pose(user, now)


def _sum(personas: Collection[Persona], *, is_there: bool) -> Persona:
    """Return the sum of personas, of which the later ones are newer. ``is_there``: somebody else is there."""
    newest_first = list(personas)[::-1]
    named = max(newest_first, key=lambda persona: persona.named_at, default=_PLAIN)
    if is_there or any(persona.away is None for persona in personas):
        return replace(named, away=None, away_at=0)
    away = max(newest_first, key=lambda persona: (persona.away != NOBODY_THERE, persona.away_at))
    return replace(named, away=away.away, away_at=away.away_at)
