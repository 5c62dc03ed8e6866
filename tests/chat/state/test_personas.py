"""Personas: who is away, and how users present themselves, over sessions and nodes."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from irchat.chat.state.personas import Personas
from irchat.chat.state.presence import Presence
from irchat.interfaces.asides import Persona

_ALICE, _BOB = 1, 2


class PersonasTests(SynchronousTestCase):
    """`Personas` of one node."""

    def setUp(self) -> None:
        """Record the changes and the messages to the other nodes. Alice has one session."""
        self.presence = Presence(lambda user, is_online: None)
        self.ms = 0
        self.personas = Personas(self.presence, self.tick)
        self.changes: list[tuple[int, str | None, str]] = []
        self.told: list[tuple[int, str | None]] = []
        self.personas.on_change = lambda user, before, now: self.changes.append((user, now.away, now.realname))
        self.personas.others = self  # type: ignore[assignment]
        self.presence.enter(_ALICE, 10)

    def tick(self) -> int:
        """Return the next time."""
        self.ms += 1
        return self.ms

    def pose(self, user: int, persona: Persona | None) -> None:
        """Record a message to the other nodes."""
        self.told.append((user, None if persona is None else persona.away))

    def away(self, user: int = _ALICE) -> str | None:
        """Return the away text of a user."""
        return self.personas.of(user).away

    def test_away(self) -> None:
        """A user is away while all of its sessions are, with the text that was set last."""
        self.assertEqual(self.personas.of(_ALICE), Persona())
        self.personas.set(_ALICE, 10, away="lunch")
        self.assertEqual(self.away(), "lunch")
        self.presence.enter(_ALICE, 11)
        self.assertIsNone(self.away())
        self.personas.set(_ALICE, 11, away="shop")
        self.assertEqual(self.away(), "shop")
        self.personas.set(_ALICE, 10, away="home")
        self.assertEqual(self.away(), "home")
        self.personas.set(_ALICE, 11, away=None)
        self.assertIsNone(self.away())
        self.presence.leave(_ALICE, 11)
        self.assertEqual(self.away(), "home")
        away = ["lunch", None, "shop", "home", None, "home"]
        self.assertEqual(self.changes, [(_ALICE, text, "") for text in away])

    def test_nobody_there(self) -> None:
        """A session where nobody is counts only if no other one says anything."""
        self.personas.set(_ALICE, 10, away="lunch")
        self.presence.enter(_ALICE, 11)
        self.personas.set(_ALICE, 11, away="*")
        self.assertEqual(self.away(), "lunch")
        self.presence.leave(_ALICE, 10)
        self.assertEqual(self.away(), "*")

    def test_names(self) -> None:
        """The other fields are those of the session that set them last, as long as it stands."""
        self.personas.set(_ALICE, 10, realname="Alice", username="al", is_bot=True)
        self.presence.enter(_ALICE, 11)
        self.assertEqual(self.personas.of(_ALICE).realname, "Alice")
        self.personas.set(_ALICE, 11, realname="Alice B.")
        self.personas.set(_ALICE, 10, away="lunch")
        persona = self.personas.of(_ALICE)
        self.assertEqual((persona.realname, persona.username, persona.is_bot), ("Alice B.", "", False))
        self.presence.leave(_ALICE, 11)
        persona = self.personas.of(_ALICE)
        self.assertEqual((persona.realname, persona.username, persona.is_bot), ("Alice", "al", True))

    def test_end(self) -> None:
        """Offline a user has no persona. One that comes back is compared with what was shown last."""
        self.personas.set(_ALICE, 10, away="lunch")
        self.presence.leave(_ALICE, 10)
        self.assertEqual((self.away(), self.personas._sessions, dict(self.personas.here())), (None, {}, {}))
        self.assertEqual(self.changes, [(_ALICE, "lunch", "")])
        self.presence.enter(_ALICE, 12)
        self.assertEqual(self.changes, [(_ALICE, "lunch", ""), (_ALICE, None, "")])
        self.assertEqual(self.personas._shown, {})
        self.personas.set(_ALICE, 10, away="a session that has ended")
        self.assertEqual((self.away(), self.personas._sessions), (None, {}))

    def test_newest_text(self) -> None:
        """Setting another field does not make an away text newer, and an away text no name."""
        self.presence.enter(_ALICE, 11)
        self.personas.set(_ALICE, 10, away="lunch", realname="Alice")
        self.personas.set(_ALICE, 11, away="shop", realname="Alice B.")
        self.personas.set(_ALICE, 10, username="al")
        persona = self.personas.of(_ALICE)
        self.assertEqual((persona.away, persona.away_at, persona.username), ("shop", 2, "al"))
        self.personas.set(_ALICE, 11, away="home")
        persona = self.personas.of(_ALICE)
        self.assertEqual((persona.away, persona.username, persona.named_at), ("home", "al", 3))

    def test_first(self) -> None:
        """The persona with which the only session of a user begins comes with its presence, and is not a change."""
        self.personas.set(_ALICE, 10, is_first=True, realname="Alice")
        self.assertEqual((self.personas.of(_ALICE).realname, self.changes), ("Alice", []))
        self.assertEqual(self.told, [(_ALICE, None)])
        self.presence.enter(_ALICE, 11)
        self.personas.set(_ALICE, 11, is_first=True, realname="Alice B.")
        self.personas.set(_ALICE, 10, realname="Alice C.")
        self.assertEqual(self.changes, [(_ALICE, None, "Alice B."), (_ALICE, None, "Alice C.")])

    def test_unchanged(self) -> None:
        """What changes nothing is not reported. The persona before comes with a change."""
        changes: list[tuple[str | None, str | None]] = []
        self.personas.on_change = lambda user, before, now: changes.append((before.away, now.away))
        self.presence.enter(_ALICE, 11)
        self.personas.set(_ALICE, 10, away="lunch")
        self.personas.set(_ALICE, 11, away="shop")
        self.personas.note("b", _ALICE, None)
        self.personas.set(_ALICE, 10, away="home")
        self.assertEqual(changes, [(None, "shop"), ("shop", "home")])

    def test_told(self) -> None:
        """The other nodes hear of each change of the sum here, and of its end."""
        self.personas.set(_ALICE, 10, away="lunch")
        self.presence.enter(_ALICE, 11)
        self.presence.enter(_BOB, 20)
        self.presence.enter(_ALICE, 12)
        self.presence.leave(_ALICE, 12)
        self.presence.leave(_ALICE, 11)
        self.presence.leave(_ALICE, 10)
        self.assertEqual(self.told, [(_ALICE, "lunch"), (_ALICE, None), (_ALICE, "lunch"), (_ALICE, None)])

    def test_single_server(self) -> None:
        """On a single node nothing is announced, and nothing is kept for a session that has ended."""
        self.personas.others = None
        self.presence.enter(_ALICE, 11)
        for session in 10, 11:
            self.personas.set(_ALICE, session, away="lunch")
        self.presence.leave(_ALICE, 10)
        self.assertEqual((self.away(), list(self.personas._sessions[_ALICE])), ("lunch", [11]))
        self.assertEqual(self.told, [])

    def test_withdrawn(self) -> None:
        """What another node has withdrawn no longer counts, even if it was the newest."""
        self.presence.came("b", _ALICE, 1)
        self.personas.set(_ALICE, 10, realname="Alice")
        self.personas.note("b", _ALICE, Persona(realname="A.", named_at=99))
        self.assertEqual(self.personas.of(_ALICE).realname, "A.")
        self.personas.note("b", _ALICE, None)
        self.assertEqual(self.personas.of(_ALICE).realname, "Alice")

    def test_other_nodes(self) -> None:
        """A user is away while it is on all nodes where it is online. A node that is gone does not count."""
        self.personas.set(_ALICE, 10, away="lunch", realname="Alice")
        self.presence.came("b", _ALICE, 1)
        self.assertIsNone(self.away())
        self.personas.note("b", _ALICE, Persona(away="shop", away_at=99, realname="A.", named_at=99))
        self.assertEqual((self.away(), self.personas.of(_ALICE).realname), ("shop", "A."))
        self.personas.note("b", _ALICE, Persona(realname="old", away_at=0, named_at=0))
        self.assertEqual((self.away(), self.personas.of(_ALICE).realname), (None, "Alice"))
        self.personas.note("b", _ALICE, None)
        self.assertIsNone(self.away())
        self.presence.set_online("b", {})
        self.personas.note_all("b", {})
        self.assertEqual(self.away(), "lunch")
        self.presence.set_online("b", {_ALICE: 1, _BOB: 1})
        self.personas.note_all("b", {_ALICE: Persona("x", away_at=1), _BOB: Persona("bath", away_at=1)})
        self.assertEqual((self.away(), self.away(_BOB)), ("lunch", "bath"))
        self.personas.note_all("b", {})
        self.assertEqual((self.away(), self.away(_BOB)), (None, None))

    @given(
        st.lists(st.tuples(st.integers(0, 5), st.integers(1, 3), st.sampled_from([None, "a", "b", "*"])), max_size=30)
    )
    def test_any_order(self, steps: list[tuple[int, int, str | None]]) -> None:
        """For any sessions, what the changes say last is what is true of each online user."""
        self.setUp()
        shown: dict[int, str | None] = {}
        self.personas.on_change = lambda user, before, now: shown.update({user: now.away})
        said: dict[int, dict[int, tuple[int, str | None]]] = {_ALICE: {10: (0, None)}, _BOB: {}}
        for kind, number, text in steps:
            user, session = (_ALICE, 10 + number) if kind % 2 else (_BOB, 20 + number)
            sessions = said[user]
            if kind < 2 and session not in sessions:
                self.presence.enter(user, session)
                sessions[session] = (0, None)
            elif kind < 4:
                self.presence.leave(user, session)
                sessions.pop(session, None)
            elif session in sessions:
                self.personas.set(user, session, away=text)
                sessions[session] = (self.ms, text)
            for user, sessions in said.items():
                texts: list[Any] = sorted((text != "*", at, text or "") for at, text in sessions.values())
                is_away = sessions and all(text is not None for _, text in sessions.values())
                expected = texts[-1][2] if is_away else None
                self.assertEqual(self.away(user), expected)
                if sessions:
                    self.assertEqual(shown.get(user), expected)
