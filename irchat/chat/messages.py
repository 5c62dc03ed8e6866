"""Messages: stored and timed ones, to GLOBAL, to a group or to one user."""

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from msgspec.structs import replace
from twisted.internet.interfaces import IReactorTime

from irchat.chat.changes import Change
from irchat.chat.mentions import NOBODY, called, mentioned
from irchat.chat.state.directory import Directory
from irchat.chat.state.entities import DirectoryChat, User
from irchat.chat.state.message_publications import MessagePublications
from irchat.chat.state.presence import LocalPresence
from irchat.chat.timed.timed_chat import left_ms
from irchat.chat.timed.timed_messages import TimedMessage, TimedMessages
from irchat.interfaces.bus import Bus, Publication
from irchat.interfaces.limits import Limits
from irchat.interfaces.stored import ChatKey, Stored
from irchat.interfaces.writes import MessageAdded, NonceSought, Write
from irchat.protocol.errors import Code, Refusal
from irchat.protocol.events import Erased, Sent
from irchat.protocol.rules import NONCE_SECONDS, check_seconds, clean_text
from irchat.system.clock import rfc3339

# Maximum number of remembered chats whose last time is ahead of the clock.
_AHEAD_MOST = 10_000


@dataclass(eq=False, repr=False)
class Messages:
    """Builds the changes that send messages. Publishes the end of timed messages."""

    directory: Directory
    clock: IReactorTime
    bus: Bus
    presence: LocalPresence
    publications: MessagePublications
    wall_ms: Callable[[], int]
    limits: Limits

    def __post_init__(self) -> None:
        self.timed = TimedMessages(self.clock, self.erase)
        # The time (ms of the wall clock) since which nonces are remembered.
        self.nonces_since = _NonceWindow(self.clock, self.wall_ms).begin
        self._timed_nonces: dict[tuple[int, str], tuple[float, TimedSent]] = {}
        # By chat: the time of its last message, if that is ahead of the clock.
        self._ahead: dict[ChatKey, int] = {}

    def to_send(
        self, sender: User, chat: str, text: str, *, expires_in: int | None, nonce: str | None, origin: int | None
    ) -> "Change[Stored | None, Sent | TimedSent]":
        """Return a change that sends ``text``, for the commit queue.

        ``chat`` is the name of the chat as ``sender`` writes it. ``expires_in`` (seconds) makes it a timed message. The
        reply comes after the message is on disk or, if it is timed, published. Raises Refusal for an invalid text or
        time. An unknown chat makes the change fail.
        """
        text = clean_text(text, self.limits.text_length)
        if expires_in is None:
            return _StoredSend(sender, origin, self, chat, text, nonce, len(text))
        seconds = check_seconds(expires_in)
        at, end = self.wall_ms(), self.timed.now() + seconds
        return _TimedSend(sender, origin, self, chat, text, nonce, len(text), seconds=seconds, at=at, end=end)

    def writable_chat(self, sender: User, name: str) -> DirectoryChat:
        """Return the chat called ``name`` if ``sender`` may write there. Raises Refusal."""
        self.directory.refuse_removed(sender)
        chat = self.directory.chat(sender, name)
        if chat.pair is not None:
            peer = chat.peer(sender)
            if peer.removed:
                raise Refusal(Code.NO_SUCH_USER, f"{peer.name} was removed. ls @{peer.name} still shows the messages.")
            self.directory.refuse_silenced(sender, peer)
        return chat

    def refuse_too_many_timed(self, sender: User) -> None:
        """Raise Refusal ``too-many`` if ``sender`` has reached the limit of live timed messages."""
        most = self.limits.timed
        if most and self.timed.count_of(sender) >= most:
            raise Refusal(Code.TOO_MANY, f"The limit of {most:,} live timed messages is reached. Wait until one ends.")

    def timed_sent_before(self, sender: User, nonce: str | None) -> "TimedSent | None":
        """Return the reply to the timed message with this nonce, if it was sent in the last ten minutes."""
        if nonce is None:
            return None
        known = self._timed_nonces.get((sender.id, nonce))
        return known[1] if known is not None and known[0] > self.timed.now() else None

    def remember_timed(self, sender: User, nonce: str | None, sent: "TimedSent") -> None:
        """Remember a nonce and forget old ones. They stay in memory: nothing about a timed message is stored."""
        now = self.timed.now()
        while self._timed_nonces:
            oldest = next(iter(self._timed_nonces))
            if self._timed_nonces[oldest][0] > now:
                break
            del self._timed_nonces[oldest]
        if nonce is not None:
            self._timed_nonces[sender.id, nonce] = (now + NONCE_SECONDS, sent)

    def note_stored(self, sender: User, stored: Stored) -> None:
        """Note a message that was sent on another node."""
        if stored.at > self.wall_ms():
            self.note_ahead(stored.chat, stored.at)
        if sender.id in self.timed.of_sender:
            self.timed.note_stored(sender, stored.chat, stored.seq)

    def note_ahead(self, key: ChatKey, at: int) -> None:
        """Note that the time of a chat's last message is ahead of the clock."""
        if len(self._ahead) >= _AHEAD_MOST:
            self._ahead.clear()
        self._ahead[key] = at

    def next_timed_at(self, key: ChatKey, at: int) -> int:
        """Return the time of the next timed message, which is not before that of the last stored message."""
        ahead = self._ahead.get(key, 0)
        if ahead and ahead <= at:
            del self._ahead[key]
        return max(at, ahead)

    def stored_before(self, sender: User, stored: Stored) -> Sent:
        """Return the reply to a repeated message, with the place of the first copy."""
        chat = self.directory.chat_by_key(stored.chat)
        assert chat is not None, "a nonce goes with its chat"
        return Sent(chat=chat.label(sender), at=rfc3339(stored.at), seq=stored.seq)

    def erase(self, ended: list[TimedMessage]) -> None:
        """Publish the end of timed messages."""
        self.bus.publish(self.erased(ended))

    def erased(self, ended: list[TimedMessage]) -> list[Publication]:
        """Return the publications of the end of timed messages, to all users that received them."""
        publications = []
        for timed in ended:
            had = timed.had_by()
            if timed.chat.pair is None:
                event = Erased(chat=timed.chat.label(timed.sender), id=timed.id)
                publications.append(Publication(event, had))
            else:
                publications.extend(
                    Publication(Erased(chat=timed.chat.label(user), id=timed.id), (user.id,))
                    for user in timed.chat.pair
                    if user.id in had
                )
        return publications


class _NonceWindow:
    """The start of the last ten minutes on the wall clock, which dates the stored nonces.

    If the wall clock jumps forward, the window grows, so no nonce is forgotten early.
    """

    def __init__(self, clock: IReactorTime, wall_ms: Callable[[], int]) -> None:
        self._clock = clock
        self._wall_ms = wall_ms
        # Times of the forward clock, with the lead of the wall clock at each. Both rise.
        self._leads: deque[tuple[float, int]] = deque()

    def begin(self) -> int:
        """Return the start of the window, in ms of the wall clock."""
        now = self._clock.seconds()
        now_ms = int(now * 1000)
        lead = self._wall_ms() - now_ms
        while self._leads and self._leads[-1][1] >= lead:
            self._leads.pop()
        self._leads.append((now, lead))
        while self._leads[0][0] < now - NONCE_SECONDS:
            self._leads.popleft()
        return now_ms + self._leads[0][1] - NONCE_SECONDS * 1000


class TimedSent:
    """The reply to the sender of a timed message. The remaining time changes while it waits, and in each repetition.

    It contains no text, so it may wait without limit.
    """

    __slots__ = ("_end", "_sent")

    def __init__(self, timed: TimedMessage, reached: int, of: int) -> None:
        chat, at, expires_at = timed.chat.label(timed.sender), rfc3339(timed.at), rfc3339(timed.expires_at)
        self._sent = Sent(chat=chat, at=at, id=timed.id, expires_at=expires_at, reached=reached, of=of)
        self._end = timed.end

    def until(self) -> float:
        """Return infinity: it never expires."""
        return math.inf

    def event(self, left_at: float) -> Sent:
        """Return the reply with the remaining time at a time of the forward clock."""
        return replace(self._sent, left_ms=left_ms(self._end, left_at))


@dataclass(eq=False, repr=False, slots=True)
class _MessageChange(Change[Stored | None, Sent | TimedSent]):
    """Base of the changes that send stored and timed messages."""

    by: User
    messages: Messages
    chat_name: str
    text: str
    nonce: str | None
    characters: int
    chat: DirectoryChat = field(init=False)
    refusal: Refusal | None = field(init=False, default=None)

    def find_before(self, refusal: Refusal) -> NonceSought:
        """Look for an earlier message with this nonce, which may have been sent while it was still allowed.

        The traceback of the refusal is dropped: it would form a reference cycle with this change.
        """
        if self.nonce is None:
            raise refusal
        self.refusal = refusal.with_traceback(None)
        return NonceSought(self.by.id, self.nonce, self.messages.nonces_since())


class _StoredSend(_MessageChange):
    """Send a stored message."""

    __slots__ = ("at", "timed_before")

    def check(self) -> Write[Stored | None] | None:
        messages, sender, nonce = self.messages, self.by, self.nonce
        self.timed_before = None if nonce is None else messages.timed_sent_before(sender, nonce)
        if self.timed_before is not None:
            return None
        try:
            self.chat = messages.writable_chat(sender, self.chat_name)
        except Refusal as refusal:
            return self.find_before(refusal)
        self.at = messages.wall_ms()
        since = 0 if nonce is None else messages.nonces_since()
        if "@" in self.text or self.text[0] == "#":
            found = mentioned(messages.directory, sender, self.chat, self.text)
            if found != NOBODY:
                return MessageAdded(self.chat.key, sender.id, self.text, self.at, nonce, since, *found, sender.hidden)
        return MessageAdded(self.chat.key, sender.id, self.text, self.at, nonce, since)

    def reply(self, result: Stored | None, publications: list[Publication]) -> Sent | TimedSent:
        if self.timed_before is not None:
            return self.timed_before
        if result is None:
            assert self.refusal is not None
            raise self.refusal
        if result.repeated:
            return self.messages.stored_before(self.by, result)
        if result.at > self.at:
            self.messages.note_ahead(result.chat, result.at)
        if self.by.id in self.messages.timed.of_sender:
            self.messages.timed.note_stored(self.by, result.chat, result.seq)
        said = self.messages.publications.added(self.chat, self.by, self.text, result, self.origin, publications)
        return Sent(chat=said.chat, at=said.at, seq=result.seq)


@dataclass(eq=False, repr=False, slots=True, kw_only=True)
class _TimedSend(_MessageChange):
    """Send a timed message. It stores nothing, but uses the same queue to keep its place among other messages."""

    seconds: int
    at: int
    end: float

    def check(self) -> Write[Stored | None] | None:
        self.refusal = None
        if self.messages.timed_sent_before(self.by, self.nonce) is not None:
            return None
        try:
            self.chat = self.messages.writable_chat(self.by, self.chat_name)
            self.messages.refuse_too_many_timed(self.by)
        except Refusal as refusal:
            return self.find_before(refusal)
        return NonceSought(self.by.id, self.nonce, self.messages.nonces_since()) if self.nonce else None

    def reply(self, result: Stored | None, publications: list[Publication]) -> Sent | TimedSent:
        messages, sender = self.messages, self.by
        now = messages.timed.now()
        if (before := messages.timed_sent_before(sender, self.nonce)) is not None:
            return before
        if result is not None:
            return messages.stored_before(sender, result)
        if self.refusal is not None:
            raise self.refusal
        at = messages.next_timed_at(self.chat.key, self.at)
        to = called(messages.directory, sender, self.chat, self.text) if "@" in self.text else ()
        mentions = tuple(messages.directory.users[user] for user in to)
        timed = messages.timed.add(self.chat, sender, self.text, at, self.seconds, self.end, mentions)
        of, reached = self._others()
        if timed.end <= now:
            reached = set()
        messages.timed.give(timed, reached | {sender.id})
        sent = TimedSent(timed, len(reached), of)
        messages.remember_timed(sender, self.nonce, sent)
        if timed.end > now:
            self._publish(timed, now, publications)
        return sent

    def _others(self) -> tuple[int, set[int]]:
        """Return the number of other users that may see the message, and the ids of those online."""
        directory, online, sender = self.messages.directory, self.messages.presence.sessions, self.by
        if self.chat.pair is not None:
            peer = self.chat.peer(sender)
            return 1, {peer.id} & online.keys()
        if (group := self.chat.group) is None:
            count, reached = directory.count, set(online)
            hidden = sum(not directory.users[user].removed for user in sender.hidden)
        else:
            count, reached = len(group.members), {user for user in group.members if user in online}
            hidden = sum(user in group.members for user in sender.hidden)
        return count - hidden - 1, reached - sender.hidden - {sender.id}

    def _publish(self, timed: TimedMessage, now: float, publications: list[Publication]) -> None:
        sender, origin, place = self.by, self.origin, (self.chat.key, timed.order)
        if self.chat.pair is None:
            audience, event = self.chat.audience, timed.event(sender, now)
            publications.append(Publication(event, audience, hidden=sender.hidden, origin=origin, timed=place))
            return
        for user in self.chat.pair:
            if user.id in self.messages.presence.sessions:
                publications.append(Publication(timed.event(user, now), (user.id,), origin=origin, timed=place))
