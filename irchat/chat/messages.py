"""Saying something: stored messages and timed ones, to GLOBAL, to a group or to one user."""

from collections import deque
from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IReactorTime

from irchat.chat.commits import Change
from irchat.chat.directory import Chat, Directory, User
from irchat.chat.timed import TimedMessage, TimedMessages
from irchat.interfaces.limits import Limits
from irchat.interfaces.store import AddMessage, ChatKey, FindNonce, Publication, Publish, Stored, Write
from irchat.protocol.errors import Code, Refusal
from irchat.protocol.events import Erased, Message, Sent
from irchat.protocol.rules import NONCE_SECONDS, check_seconds, clean_text
from irchat.system.clock import rfc3339

# Chats whose times run before the clock that are remembered.
_AHEAD_MOST = 10_000


class Messages:
    """Takes messages, gives them to those who may have them, and erases the timed ones when they end."""

    def __init__(
        self,
        directory: Directory,
        clock: IReactorTime,
        publish: Publish,
        wall_ms: Callable[[], int],
        limits: Limits,
    ) -> None:
        self.limits = limits
        self.directory = directory
        self.timed = TimedMessages(clock, self.erase)
        self.wall_ms = wall_ms
        self._publish = publish
        self._nonce_window = _NonceWindow(clock, wall_ms)
        self._timed_nonces: dict[tuple[int, str], tuple[float, TimedSent]] = {}
        # The times of chats where they run before the clock.
        self._ahead: dict[ChatKey, int] = {}

    def to_send(
        self, sender: User, chat: str, text: str, *, expires_in: int | None, nonce: str | None, origin: object
    ) -> Change:
        """What says ``text`` in the chat that ``sender`` calls ``chat``; for ``expires_in`` seconds only, where given.

        The commit queue is to take it. It gives `Sent` when it is on the disk (a timed one: when it is published), or
        a Refusal for a chat that cannot be. Raises Refusal for a text or a time that cannot.
        """
        text = clean_text(text, self.limits.text_length)
        if expires_in is None:
            return _StoredSend(self, sender, chat, text, nonce, origin)
        return _TimedSend(self, sender, chat, text, nonce, origin, check_seconds(expires_in))

    def writable_chat(self, sender: User, name: str) -> Chat:
        """The chat called ``name``, where ``sender`` may write. Raises Refusal."""
        self.directory.refuse_removed(sender)
        chat = self.directory.chat(sender, name)
        if chat.pair is not None:
            peer = chat.peer(sender)
            if peer.removed:
                raise Refusal(
                    Code.NO_SUCH_USER, f"{peer.name} was removed. ls @{peer.name} shows what was said, and no more is."
                )
            self.directory.refuse_silenced(sender, peer)
        return chat

    def refuse_too_many_timed(self, sender: User) -> None:
        """Raises Refusal ``too-many`` where so many timed messages of ``sender`` are alive that no more may be."""
        most = self.limits.timed
        if most and self.timed.count_of(sender) >= most:
            raise Refusal(
                Code.TOO_MANY, f"{most:,} of your timed messages are alive, and more are not allowed. Wait a while."
            )

    def nonces_since(self) -> int:
        """From when on (ms of the wall clock) a nonce is remembered."""
        return self._nonce_window.begin()

    def timed_sent_before(self, sender: User, nonce: str | None) -> "TimedSent | None":
        """What a timed message with that nonce was answered with, in the last ten minutes."""
        if nonce is None:
            return None
        known = self._timed_nonces.get((sender.id, nonce))
        return known[1] if known is not None and known[0] > self.timed.now() else None

    def remember_timed(self, sender: User, nonce: str | None, sent: "TimedSent") -> None:
        """Remember a nonce in memory, where alone those of timed messages may be, and forget the old ones."""
        now = self.timed.now()
        while self._timed_nonces:
            oldest = next(iter(self._timed_nonces))
            if self._timed_nonces[oldest][0] > now:
                break
            del self._timed_nonces[oldest]
        if nonce is not None:
            self._timed_nonces[sender.id, nonce] = (now + NONCE_SECONDS, sent)

    def note_ahead(self, key: ChatKey, at: int) -> None:
        """The last message of a chat was given a time that the clock does not have yet."""
        if len(self._ahead) >= _AHEAD_MOST:
            self._ahead.clear()
        self._ahead[key] = at

    def next_timed_at(self, key: ChatKey, at: int) -> int:
        """The time of a timed message: it does not fall behind that of the stored one before it."""
        ahead = self._ahead.get(key, 0)
        if ahead and ahead <= at:
            del self._ahead[key]
        return max(at, ahead)

    def stored_before(self, sender: User, stored: Stored) -> Sent:
        """The answer to a message that was stored before, once more."""
        chat = self.directory.chat_by_key(stored.chat)
        assert chat is not None, "a nonce goes with its chat"
        return Sent(chat=chat.label(sender), at=rfc3339(stored.at), seq=stored.seq)

    def erase(self, ended: list[TimedMessage]) -> None:
        """Tell all who had them that these timed messages have ended."""
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
        self._publish(publications)


class _NonceWindow:
    """The last ten minutes, by the wall clock that was furthest behind in them: the nonces that were stored in them
    have its times, and one that jumps forth is not to make them forgotten."""

    def __init__(self, clock: IReactorTime, wall_ms: Callable[[], int]) -> None:
        self._clock = clock
        self._wall_ms = wall_ms
        # When the wall clock was looked at, and how far it was before the forward clock then; both rise.
        self._leads: deque[tuple[float, int]] = deque()

    def begin(self) -> int:
        """When the ten minutes begin, in ms of the wall clock."""
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
    """What a timed message is answered with, but for what remains, which is told anew each time."""

    __slots__ = ("_at", "_chat", "_end", "_expires_at", "_id", "_of", "_reached")

    def __init__(self, timed: TimedMessage, reached: int, of: int) -> None:
        self._id = timed.id
        self._chat = timed.chat.label(timed.sender)
        self._at = timed.at
        self._expires_at = timed.expires_at
        self._end = timed.end
        self._reached = reached
        self._of = of

    def answer(self, now: float) -> Sent:
        """The reply at ``now``."""
        return Sent(
            chat=self._chat,
            at=rfc3339(self._at),
            id=self._id,
            expires_at=rfc3339(self._expires_at),
            left_ms=max(0, int((self._end - now) * 1000)),
            reached=self._reached,
            of=self._of,
        )


class _Send(Change):
    """What both kinds of message share."""

    __slots__ = ("characters", "chat", "chat_name", "messages", "nonce", "origin", "refusal", "sender", "text")

    def __init__(
        self, messages: Messages, sender: User, chat_name: str, text: str, nonce: str | None, origin: object
    ) -> None:
        self.messages = messages
        self.sender = sender
        self.chat_name = chat_name
        self.text = text
        self.characters = len(text)
        self.nonce = nonce
        self.origin = origin
        self.refusal: Refusal | None = None

    def whose(self) -> User:
        return self.sender

    def find_before(self, refusal: Refusal) -> Write:
        """What the sender may not send may be the repetition of what was sent when that was still allowed.

        The refusal is kept without its traceback, which would hold this change, until garbage is collected.
        """
        if self.nonce is None:
            raise refusal
        self.refusal = refusal.with_traceback(None)
        return FindNonce(self.sender.id, self.nonce, self.messages.nonces_since())

    def refuse_unless_before(self, result: Stored | None) -> None:
        """Raises the Refusal that `find_before` met, where nothing was found."""
        if self.refusal is not None and result is None:
            raise self.refusal


class _StoredSend(_Send):
    """A message to be stored."""

    __slots__ = ("at", "timed_before")

    def check(self) -> Write | None:
        messages, sender, nonce = self.messages, self.sender, self.nonce
        self.timed_before = None if nonce is None else messages.timed_sent_before(sender, nonce)
        if self.timed_before is not None:
            return None
        try:
            self.chat = messages.writable_chat(sender, self.chat_name)
        except Refusal as refusal:
            return self.find_before(refusal)
        self.at = messages.wall_ms()
        since = 0 if nonce is None else messages.nonces_since()
        return AddMessage(self.chat.key, sender.id, self.text, self.at, nonce, since)

    def apply(self, result: Any, publications: list[Publication]) -> Sent:
        if self.timed_before is not None:
            return self.timed_before.answer(self.messages.timed.now())
        self.refuse_unless_before(result)
        stored: Stored = result
        if stored.repeated:
            return self.messages.stored_before(self.sender, stored)
        if stored.at > self.at:
            self.messages.note_ahead(stored.chat, stored.at)
        sender, chat, at = self.sender, self.chat, rfc3339(stored.at)
        position = (chat.key, stored.seq)
        label = chat.label(sender)
        audience = chat.audience if chat.pair is None else (sender.id,)
        event = Message(chat=label, sender=sender.name, at=at, text=self.text, seq=stored.seq)
        publications.append(Publication(event, audience, hidden=sender.hidden, origin=self.origin, position=position))
        if chat.pair is not None and (peer := chat.peer(sender)).sessions:
            event = Message(chat=chat.label(peer), sender=sender.name, at=at, text=self.text, seq=stored.seq)
            publications.append(Publication(event, (peer.id,), hidden=sender.hidden, position=position))
        return Sent(chat=label, at=at, seq=stored.seq)


class _TimedSend(_Send):
    """A timed message. It passes the same queue, so that it keeps its place among the others, and stores nothing."""

    __slots__ = ("at", "end", "seconds")

    def __init__(
        self,
        messages: Messages,
        sender: User,
        chat_name: str,
        text: str,
        nonce: str | None,
        origin: object,
        seconds: int,
    ) -> None:
        super().__init__(messages, sender, chat_name, text, nonce, origin)
        self.seconds = seconds
        self.at = messages.wall_ms()
        self.end = messages.timed.now() + seconds

    def check(self) -> Write | None:
        if self.messages.timed_sent_before(self.sender, self.nonce) is not None:
            return None
        try:
            self.chat = self.messages.writable_chat(self.sender, self.chat_name)
            self.messages.refuse_too_many_timed(self.sender)
        except Refusal as refusal:
            return self.find_before(refusal)
        return FindNonce(self.sender.id, self.nonce, self.messages.nonces_since()) if self.nonce else None

    def apply(self, result: Any, publications: list[Publication]) -> Sent:
        messages, sender = self.messages, self.sender
        now = messages.timed.now()
        if (before := messages.timed_sent_before(sender, self.nonce)) is not None:
            return before.answer(now)
        self.refuse_unless_before(result)
        if result is not None:
            return messages.stored_before(sender, result)
        at = messages.next_timed_at(self.chat.key, self.at)
        timed = messages.timed.add(self.chat, sender, self.text, at, self.seconds, self.end)
        of, reached = self._others()
        if timed.end <= now:
            reached = set()
        messages.timed.give(timed, reached | {sender.id})
        sent = TimedSent(timed, len(reached), of)
        messages.remember_timed(sender, self.nonce, sent)
        if timed.end > now:
            self._tell(timed, now, publications)
        return sent.answer(now)

    def _others(self) -> tuple[int, set[int]]:
        """How many others of the chat may see the message, and the ids of those of them who are online."""
        directory, sender = self.messages.directory, self.sender
        if self.chat.pair is not None:
            peer = self.chat.peer(sender)
            return 1, {peer.id} if peer.sessions else set()
        group = self.chat.group
        count, online = (directory.count, directory.online) if group is None else (len(group.members), group.members)
        reached = {user.id for user in online.values() if user.sessions and user.id not in sender.hidden}
        if group is None:
            hidden = sum(not directory.users[user].removed for user in sender.hidden)
        else:
            hidden = sum(user in group.members for user in sender.hidden)
        return count - hidden - 1, reached - {sender.id}

    def _tell(self, timed: TimedMessage, now: float, publications: list[Publication]) -> None:
        sender, chat, place = self.sender, self.chat, (self.chat.key, timed.order)
        if chat.pair is None:
            publications.append(
                Publication(
                    timed.event(sender, now), chat.audience, hidden=sender.hidden, origin=self.origin, timed=place
                )
            )
            return
        for user in chat.pair:
            if user.sessions:
                publications.append(Publication(timed.event(user, now), (user.id,), origin=self.origin, timed=place))
