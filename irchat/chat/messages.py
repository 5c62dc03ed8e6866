"""Messages: stored and timed ones, to GLOBAL, to a group or to one user."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

from msgspec.structs import replace
from twisted.internet.interfaces import IReactorTime

from irchat.chat.changes import Change
from irchat.chat.mentions import NOBODY, mentioned, mentioned_by_timed
from irchat.chat.state.directory import Directory
from irchat.chat.state.entities import DirectoryChat, User
from irchat.chat.state.message_publications import MessageKind, MessagePublications
from irchat.chat.state.presence import Presence
from irchat.chat.timed.copies import TimedCopies
from irchat.chat.timed.publishing import erased, others, sent
from irchat.chat.timed.timed_messages import TimedMessage, TimedMessages
from irchat.chat.timed.timed_replies import TimedNonces, TimedSent, WhenSettled
from irchat.interfaces.bus import Bus, Publication
from irchat.interfaces.limits import Limits
from irchat.interfaces.nodes import OtherNodes
from irchat.interfaces.stored import ChatKey, Stored
from irchat.interfaces.writes import MessageAdded, NonceSought, Write
from irchat.protocol.errors import Code, Refusal
from irchat.protocol.events import Message, Notice, Sent
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
    presence: Presence
    publications: MessagePublications
    wall_ms: Callable[[], int]
    limits: Limits

    def __post_init__(self) -> None:
        self.timed = TimedMessages(self.clock, self.erase)
        # The time (ms of the wall clock) since which nonces are remembered.
        self.nonces_since = _NonceWindow(self.clock, self.wall_ms).begin
        self.timed_nonces = TimedNonces(self.timed.now)
        self.copies: TimedCopies | None = None
        """The timed messages as other nodes see them, if there are any."""
        # By chat: the time of its last message, if that is ahead of the clock.
        self._ahead: dict[ChatKey, int] = {}

    def share(self, nodes: OtherNodes) -> TimedCopies:
        """Share timed messages with the other nodes."""
        self.copies = TimedCopies(
            self.directory, self.timed, self.timed_nonces, self.presence, self.bus, self.clock, nodes
        )
        return self.copies

    def to_send(
        self,
        sender: User,
        chat: str,
        text: str,
        *,
        expires_in: int | None,
        nonce: str | None,
        origin: int | None,
        chat_id: str | None = None,
        answered: int | None = None,
        is_notice: bool = False,
    ) -> "Change[Stored | None, Sent | TimedSent]":
        """Return a change that sends ``text``, for the commit queue.

        ``chat`` is the name of the chat as ``sender`` writes it, and ``chat_id`` its id on the wire, if known.
        ``expires_in`` (seconds) makes it a timed message, and ``answered`` is the id of the sender of the message that
        it answers (see `TimedAnswers`). ``is_notice``: a program should not answer it. The reply comes
        after the message is on disk or, if it is timed, published.
        Raises Refusal for an invalid text or time. An unknown chat makes the change fail.
        """
        text = clean_text(text, self.limits.text_length)
        if expires_in is None:
            kind = _NoticeSend if is_notice else _StoredSend
            return kind(sender, origin, self, chat, text, nonce, len(text), chat_id)
        seconds = check_seconds(expires_in)
        at, end = self.wall_ms(), self.timed.now() + seconds
        return _TimedSend(
            *(sender, origin, self, chat, text, nonce, len(text), chat_id),
            seconds=seconds,
            at=at,
            end=end,
            answered=answered,
        )

    def writable_chat(self, sender: User, name: str, chat_id: str | None = None) -> DirectoryChat:
        """Return the chat called ``name`` if ``sender`` may write there. Raises Refusal, also if its id is another."""
        self.directory.refuse_removed(sender)
        chat = self.directory.chat(sender, name)
        if chat_id is not None and chat.wire_id(sender) != chat_id:
            raise _another(chat.label(sender), chat)
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
        if self.copies is not None:
            self.copies.note_ended(ended)
        self.bus.publish(self._erased(ended))

    def take_back(self, timed: TimedMessage) -> list[Publication]:
        """End a timed message now, on all nodes. Return the publications, none if it has ended already."""
        end = timed.end
        if not self.timed.take_back(timed):
            return []
        if self.copies is not None:
            self.copies.tell_ended([timed], end)
        return self._erased([timed])

    def end_all_of(self, sender: User) -> None:
        """End all timed messages of a removed ``sender``, on all nodes."""
        if self.copies is not None:
            self.copies.end_all_of(sender)
        self.timed.end_of(sender)

    def _erased(self, ended: list[TimedMessage]) -> list[Publication]:
        return erased(ended) if self.copies is None else erased(ended, self.presence.sessions)


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


def _another(label: str, chat: DirectoryChat) -> Refusal:
    """Return the refusal of a message for the former chat of a name."""
    code = Code.NO_SUCH_USER if chat.pair is not None else Code.NO_SUCH_GROUP
    what = "account" if chat.pair is not None else "group"
    return Refusal(
        code, f"{label} is another {what} now than the one that you wrote to. Nothing was sent. ls lists your chats."
    )


@dataclass(eq=False, repr=False, slots=True)
class _MessageChange(Change[Stored | None, Sent | TimedSent]):
    """Base of the changes that send stored and timed messages."""

    by: User
    messages: Messages
    chat_name: str
    text: str
    nonce: str | None
    characters: int
    chat_id: str | None = None
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
    event: ClassVar[MessageKind] = Message

    def check(self) -> Write[Stored | None] | None:
        messages, sender, nonce = self.messages, self.by, self.nonce
        self.timed_before = None if nonce is None else messages.timed_nonces.find(sender.id, nonce)
        if self.timed_before is not None:
            return None
        try:
            self.chat = messages.writable_chat(sender, self.chat_name, self.chat_id)
        except Refusal as refusal:
            return self.find_before(refusal)
        self.at = messages.wall_ms()
        since = 0 if nonce is None else messages.nonces_since()
        chat, text = self.chat, self.text
        if "@" in text or text[0] == "#":
            found = mentioned(messages.directory, sender, chat, text)
            if found != NOBODY:
                return MessageAdded(chat.key, sender.id, text, self.at, nonce, since, *found, sender.hidden)
        return MessageAdded(chat.key, sender.id, text, self.at, nonce, since)

    def reply(self, result: Stored | None, publications: list[Publication]) -> Sent | TimedSent:
        if self.timed_before is not None:
            return self.timed_before
        if result is None:
            assert self.refusal is not None
            raise self.refusal
        messages, sender = self.messages, self.by
        if result.repeated:
            return messages.stored_before(sender, result)
        if result.at > self.at:
            messages.note_ahead(result.chat, result.at)
        if sender.id in messages.timed.of_sender:
            messages.timed.note_stored(sender, result.chat, result.seq)
        added = messages.publications.added
        said = added(self.chat, sender, self.text, result, self.origin, publications, self.event)
        return Sent(chat=said.chat, at=said.at, seq=result.seq)


class _NoticeSend(_StoredSend):
    """Send a notice."""

    __slots__ = ()
    event = Notice

    def check(self) -> Write[Stored | None] | None:
        write = super().check()
        return replace(write, notice=True) if isinstance(write, MessageAdded) else write


@dataclass(eq=False, repr=False, slots=True, kw_only=True)
class _TimedSend(_MessageChange):
    """Send a timed message. It stores nothing, but uses the same queue to keep its place among other messages."""

    seconds: int
    at: int
    end: float
    answered: int | None

    def check(self) -> Write[Stored | None] | None:
        messages = self.messages
        self.refusal = None
        if messages.copies is not None and not isinstance(self.handler, WhenSettled):
            self.handler = WhenSettled(self.handler)
        if messages.timed_nonces.find(self.by.id, self.nonce) is not None:
            return None
        try:
            self.chat = messages.writable_chat(self.by, self.chat_name, self.chat_id)
            messages.refuse_too_many_timed(self.by)
        except Refusal as refusal:
            return self.find_before(refusal)
        return NonceSought(self.by.id, self.nonce, messages.nonces_since()) if self.nonce else None

    def reply(self, result: Stored | None, publications: list[Publication]) -> Sent | TimedSent:
        messages, sender = self.messages, self.by
        now = messages.timed.now()
        if (before := messages.timed_nonces.find(sender.id, self.nonce)) is not None:
            return before
        if result is not None:
            return messages.stored_before(sender, result)
        if self.refusal is not None:
            raise self.refusal
        if messages.copies is not None:
            messages.copies.refuse_unconnected()
        at = messages.next_timed_at(self.chat.key, self.at)
        mentions = mentioned_by_timed(messages.directory, sender, self.chat, self.text, self.answered)
        timed = messages.timed.add(self.chat, sender, self.text, at, self.seconds, self.end, mentions)
        of, reached = others(messages.directory, messages.presence, self.chat, sender)
        if timed.end <= now:
            reached = frozenset()
        messages.timed.give(timed, reached | {sender.id})
        copies = messages.copies if timed.end > now else None
        answer = TimedSent(timed, len(reached), of, is_open=copies is not None)
        messages.timed_nonces.remember(sender, self.nonce, answer)
        if timed.end > now:
            publications += sent(timed, now, messages.presence, self.origin)
        if copies is not None:
            copies.send(timed, self.nonce, reached, answer)
        return answer
