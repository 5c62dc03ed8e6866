"""Read markers of sessions without draft/read-marker: delivered messages count as read.

A message to many sessions is encoded once, so no session notices it. The shared encoding notes its place here, and
the markers are moved together: a second after a message, then at most every ten seconds.
"""

from collections.abc import Callable, Container

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from irchat.chat.state.directory import Directory
from irchat.interfaces.stored import GLOBAL, ChatKey
from irchat.protocol.rules import MARKER_SECONDS
from irchat.server.sessions.session import Session

# Seconds between two rounds: each session writes a marker for each of its chats in every round.
_ROUND_SECONDS = 10.0


_Note = tuple[int, int, int]
"""The last message of a sender in a chat: its seq, its number among all notes, and the id of the sender."""


class Follower:
    """A session whose markers follow the delivered messages. ``hidden_chats``: those that it does not show."""

    def __init__(self, session: Session, hidden_chats: Container[ChatKey], since: int) -> None:
        self.user_id = session.user_id
        self.hidden_chats = hidden_chats
        self.since = since
        self.is_away = False
        self._session = session
        self._pending: dict[ChatKey, int] = {}

    @property
    def waits(self) -> bool:
        """Whether a marker waits for the next round."""
        return bool(self._pending) and not self.is_away

    def delivered(self, chat: ChatKey, seq: int) -> None:
        """Note that the session has got a message."""
        if chat not in self.hidden_chats:
            self._pending[chat] = max(seq, self._pending.get(chat, 0))

    def save(self) -> None:
        """Move the markers, unless the user is away or does not have everything yet."""
        if self._pending and not (self.is_away or self._session.outbox.behind):
            pending, self._pending = self._pending, {}
            for chat, seq in pending.items():
                self._session.mark_shown(chat, seq)


class DeliveredMarks:
    """The followers of a server. ``in_turn`` runs a call soon, in turn with others."""

    def __init__(
        self, clock: IReactorTime, directory: Directory, in_turn: Callable[[Callable[[], None]], None]
    ) -> None:
        self._clock = clock
        self._directory = directory
        self._in_turn = in_turn
        self._of_user: dict[int, dict[Follower, None]] = {}
        # The notes since the last round, by chat and sender, and those of them that are private chats, by follower.
        self._notes: dict[ChatKey, dict[int, _Note]] = {}
        self._private: dict[int, set[ChatKey]] = {}
        self._number = 0
        self._last_round = -_ROUND_SECONDS
        self._scheduled: IDelayedCall | None = None
        self._late: dict[Follower, None] = {}

    def follow(self, session: Session, hidden_chats: Container[ChatKey]) -> Follower:
        """Return a new follower, which has no message yet."""
        follower = Follower(session, hidden_chats, self._number)
        self._of_user.setdefault(follower.user_id, {})[follower] = None
        return follower

    def leave(self, follower: Follower) -> None:
        """Save and drop a follower."""
        self._settle(follower)
        follower.save()
        self._late.pop(follower, None)
        of_user = self._of_user[follower.user_id]
        del of_user[follower]
        if not of_user:
            del self._of_user[follower.user_id]

    def set_away(self, follower: Follower, is_away: bool) -> None:
        """Note that a user is away, or is back, which makes the messages since then count as read."""
        if follower.is_away != is_away:
            self._settle(follower)
            follower.save()
            follower.is_away = is_away
            self._save(follower)

    def note(self, chat: ChatKey, seq: int, sender: int) -> None:
        """Note a message that is delivered to all its audience."""
        if self._of_user:
            self._number += 1
            by_sender = self._notes.get(chat)
            if by_sender is None:
                by_sender = self._notes[chat] = {}
                if isinstance(chat, tuple):
                    for user in chat:
                        self._private.setdefault(user, set()).add(chat)
            by_sender[sender] = (seq, self._number, sender)
            if self._scheduled is None:
                self._schedule()

    def delivered(self, follower: Follower, chat: ChatKey, seq: int) -> None:
        """Note a message that is delivered to one session."""
        follower.delivered(chat, seq)
        self._late[follower] = None
        self._schedule()

    def _schedule(self) -> None:
        if self._scheduled is None:
            rest = self._last_round + _ROUND_SECONDS - self._clock.seconds()
            self._scheduled = self._clock.callLater(max(MARKER_SECONDS, rest), self._round)

    def _round(self) -> None:
        """Move the markers of all sessions that got something."""
        self._scheduled = None
        self._last_round = self._clock.seconds()
        touched, self._late = self._late, {}
        notes, self._notes = self._notes, {}
        self._private.clear()
        for chat, by_sender in notes.items():
            newest_first = sorted(by_sender.values(), reverse=True)
            for follower in self._followers(chat):
                self._note_for(follower, chat, newest_first)
                touched[follower] = None
        for follower in touched:
            self._in_turn(lambda follower=follower: self._save(follower))  # type: ignore[misc]

    def _save(self, follower: Follower) -> None:
        follower.save()
        if follower.waits and follower in self._of_user.get(follower.user_id, ()):
            self._late[follower] = None
            self._schedule()

    def _settle(self, follower: Follower) -> None:
        """Note for one session the messages delivered since the last round."""
        user = self._directory.users[follower.user_id]
        for chat in (GLOBAL, *user.groups, *self._private.get(user.id, ())):
            if chat in self._notes:
                self._note_for(follower, chat, sorted(self._notes[chat].values(), reverse=True))
        follower.since = self._number

    def _note_for(self, follower: Follower, chat: ChatKey, newest_first: list[_Note]) -> None:
        """Note the newest message that the session got. Its own moved the marker when it was sent."""
        user = self._directory.users[follower.user_id]
        for seq, number, sender in newest_first:
            if number > follower.since and sender not in user.hidden and sender != user.id:
                follower.delivered(chat, seq)
                return

    def _followers(self, chat: ChatKey) -> list[Follower]:
        if chat == GLOBAL:
            return [follower for of_user in self._of_user.values() for follower in of_user]
        users = chat if isinstance(chat, tuple) else self._members(chat)
        return [follower for user in users for follower in self._of_user.get(user, ())]

    def _members(self, chat: int) -> frozenset[int]:
        group = self._directory.groups.get(chat)
        return frozenset() if group is None else group.member_ids
