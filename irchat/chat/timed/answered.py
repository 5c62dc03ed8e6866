"""Timed messages that answer a stored one, whose sender is read from the store before they are sent."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeAlias

from irchat.chat.changes import Change
from irchat.chat.commits import CommitQueue
from irchat.chat.messages import Messages
from irchat.chat.state.entities import User
from irchat.chat.timed.timed_replies import TimedSent
from irchat.interfaces.store import PageQuery, Store
from irchat.interfaces.stored import Stored
from irchat.protocol.events import Sent
from irchat.protocol.rules import answered_seq

_Send: TypeAlias = Change[Stored | None, Sent | TimedSent]


class TimedAnswers:
    """Sends timed messages. Nothing about them is stored, not even the number of the answered message."""

    def __init__(self, messages: Messages, queue: CommitQueue, store: Store) -> None:
        self._messages = messages
        self._queue = queue
        self._store = store

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
    ) -> _Send | Awaitable[Sent | TimedSent]:
        """Return the change of `Messages.to_send` or, for an answer, a coroutine that reads first. Raises Refusal."""
        send = partial(
            self._messages.to_send,
            sender,
            chat,
            text,
            expires_in=expires_in,
            nonce=nonce,
            origin=origin,
            chat_id=chat_id,
        )
        seq = answered_seq(text)
        return send() if seq is None else self._answer(sender, chat, seq, send)

    async def _answer(self, sender: User, chat: str, seq: int, send: Callable[..., _Send]) -> Sent | TimedSent:
        return await self._queue.submit(send(answered=await self._sender_of(sender, chat, seq)))

    async def _sender_of(self, reader: User, chat_name: str, seq: int) -> int | None:
        """Return the id of the sender of a message, or None if the reader cannot see it."""
        chat = self._messages.directory.find_chat(reader, chat_name)
        if chat is None:  # the change refuses it as well, or finds its nonce
            return None
        page = await self._store.page(PageQuery(reader.id, chat.key, 1, after=seq - 1, hidden=reader.hidden))
        return next((message.sender for message in page.messages if message.seq == seq), None)
