"""The state of one IRC session for messages."""

from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall

from irchat.interfaces.stored import ChatKey
from irchat.irc.multiline import Collector
from irchat.protocol.errors import Code, Refusal
from irchat.server.protocols.irc.talk.delivered_marks import Follower
from irchat.server.protocols.irc.talk.message_lines import Extras, Flavour
from irchat.server.protocols.irc.talk.timed_hint import TimedHint

if TYPE_CHECKING:
    from irchat.server.protocols.irc.protocol import IRCProtocol

# Seconds until a client is notified again that a user is offline, and the number of users remembered for that.
_OFFLINE_SECONDS = 600.0
_OFFLINE_MOST = 1_000


class Talk:
    """The state of a session. Call `choose_encoding` at the sign-in and `over` at the end.

    ``collector`` has the multiline message that the client is sending, and ``collecting`` is its timeout.
    """

    def __init__(self, protocol: "IRCProtocol") -> None:
        self._protocol = protocol
        self.flavour = Flavour()
        self.collector = Collector(protocol.shared.clock.seconds)
        self.collecting: IDelayedCall | None = None
        self.timed_hint = TimedHint(protocol)
        self._follower: Follower | None = None
        self._is_away = False
        self._told_offline: dict[int, float] = {}
        self._room: Deferred[None] | None = None
        self._level: Deferred[None] | None = None
        self._expected: list[tuple[str, Extras]] = []
        self.read_at: dict[ChatKey, int] = {}
        """By chat, the time (ms) of the last read message that the client knows of."""

    def choose_encoding(self) -> None:
        """Follow a change of capabilities or hidden chats. A session with hidden chats encodes each event itself."""
        protocol = self._protocol
        talk = protocol.shared.talk
        self.flavour = talk.flavour(protocol)
        if not protocol.is_signed_in:
            return
        shared = None if protocol.state.hidden_chats else talk.encoding.of(self.flavour)
        protocol.encode = protocol.session.outbox.encode = shared
        follows = "draft/read-marker" not in protocol.caps
        if follows and self._follower is None:
            self._follower = talk.delivered.follow(protocol.session, protocol.state.hidden_chats)
            self._follower.is_away = self._is_away
        elif not follows and self._follower is not None:
            self._unfollow()

    def set_away(self, is_away: bool) -> None:
        """Note that the client of this session went away or came back: meanwhile nothing counts as read."""
        self._is_away = is_away
        if self._follower is not None:
            self._protocol.shared.talk.delivered.set_away(self._follower, is_away)

    def delivered(self, chat: ChatKey, seq: int) -> None:
        """Note a message that was encoded for this session alone."""
        if self._follower is not None:
            self._protocol.shared.talk.delivered.delivered(self._follower, chat, seq)

    def expect(self, text: str, extras: Extras) -> None:
        """Note the extras of a text that is sent now, for those online."""
        self._expected.append((text, extras))
        self._protocol.shared.talk.encoding.expect(self._protocol.user.id, text, extras)

    def unexpect(self, text: str, extras: Extras) -> None:
        """Forget it, once the text is sent or refused."""
        self._expected.remove((text, extras))
        self._protocol.shared.talk.encoding.answered(self._protocol.user.id, text, extras)

    def tells_offline(self, user_id: int) -> bool:
        """Return whether to say now that a user is offline: at most once in ten minutes."""
        now = self._protocol.shared.clock.seconds()
        if now - self._told_offline.get(user_id, -_OFFLINE_SECONDS) < _OFFLINE_SECONDS:
            return False
        if len(self._told_offline) >= _OFFLINE_MOST:
            self._told_offline.clear()
        self._told_offline[user_id] = now
        return True

    async def room(self) -> None:
        """Wait until the client has read so much that there is room for more."""
        if self._protocol.session.outbox.full():
            self._room = Deferred()
            await self._room

    def go_on(self) -> None:
        """Note that there is room again."""
        if self._room is not None:
            room, self._room = self._room, None
            room.callback(None)

    async def level(self) -> None:
        """Wait until the session is not behind."""
        if self._protocol.session.outbox.behind:
            self._level = Deferred()
            await self._level

    def caught_up(self) -> None:
        """Note that the session is no longer behind."""
        if self._level is not None:
            level, self._level = self._level, None
            level.callback(None)

    def over(self) -> None:
        """Save the markers and stop all timers, at the end of the session."""
        self.timed_hint.stop()
        if self.collecting is not None:
            self.collecting.cancel()
            self.collecting = None
        if self._follower is not None:
            self._unfollow()
        while self._expected:
            self.unexpect(*self._expected[0])
        waits, self._room, self._level = (self._room, self._level), None, None
        for waiting in filter(None, waits):
            waiting.errback(Refusal(Code.NOT_LOGGED_IN, "The session has ended."))

    def _unfollow(self) -> None:
        assert self._follower is not None
        self._protocol.shared.talk.delivered.leave(self._follower)
        self._follower = None
