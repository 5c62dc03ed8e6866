"""The bot: its connection, which comes back by itself, and its requests, which are repeated until they are answered."""

import asyncio
import contextlib
import json
import logging
import math
import os
import random
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from irchat.bot.inbox import Change, Inbox, Message
from irchat.bot.verifying import BotError, Connection, Server

# Seconds without a line from the server until it is asked, and again until it counts as gone.
_SILENCE = 45.0
_SIGN_IN = 60.0
_LEAVING = 2.0
# The server recognises a repeated message for ten minutes.
_RECOGNISED = 540.0
# Seconds in which a request is repeated that the server cannot carry out, because its disk is full or fails.
_PATIENCE = 60.0
_LONGEST_PAUSE, _BANNED_PAUSE = 60.0, 300.0
# A connection that was signed in for so long was steady: the pause after it is short again.
_STEADY = 60.0
# Refusals of a token that can never work again.
_FINAL = ("bad-token", "bad-request", "bad-credentials")

_log = logging.getLogger("irchat.bot")


class Refused(Exception):
    """The server refused a request. ``code`` is one of the error codes in docs/protocol.rst, and never changes."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class Unconfirmed(Exception):
    """The connection was lost for so long that it is unknown whether a message was sent. It was not repeated."""


class Bot:
    """A bot, signed in as the account of its ``token``. Use it with ``async with``.

    ``host`` is the address of the server, with ``:port`` unless that is 7667. ``fingerprint`` is the SHA-256
    fingerprint that the server prints at its start. It is needed unless the certificate of the server is valid for the
    host, or the client ``irchat`` of the same user has accepted it.

    ``state`` is a file in which the bot keeps what it was handed. With it, a bot that starts again is handed what was
    said meanwhile, and nothing twice: the number of a message is on the disk before the message is handed over. Without
    it, each start begins with the present.

    ``timed``: hand over timed messages too, while they live, also those that were sent while the bot was away and that
    still live when it comes back. ``tls``: False for a server that runs with ``--no-tls``. Anybody on the network can
    then read the token.

    Entering waits for the first sign-in, and tries again while the server cannot be reached. It raises BotError if the
    server is not the right one, the token is not valid, or ``state`` cannot be written. All methods raise it too if
    that turns out later.
    """

    def __init__(
        self,
        host: str,
        token: str,
        fingerprint: str | None = None,
        *,
        state: str | os.PathLike[str] | None = None,
        timed: bool = False,
        tls: bool = True,
    ) -> None:
        self._server = Server(host, fingerprint, tls=tls)
        self._token = token
        self._state = None if state is None else Path(state)
        self._inbox = Inbox(timed=timed)
        self._writer: asyncio.StreamWriter | None = None
        self._steady_at = math.inf
        self._replies: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._last_ref = 0
        self._changed = asyncio.Condition()
        self._changes = 0
        self._failure: Exception | None = None
        self._running: asyncio.Task[None] | None = None

    @property
    def name(self) -> str:
        """The name of the bot's account. It is known after the sign-in."""
        return self._inbox.name

    async def __aenter__(self) -> Self:
        """Sign in."""
        self._read_state()
        self._running = asyncio.create_task(self._run())
        try:
            await self._connected()
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Sign out."""
        writer = self._writer
        if writer is not None:
            _post(writer, {"type": "logout"})
        await self._stop()
        if writer is not None:
            with contextlib.suppress(OSError):  # or TimeoutError, which is one
                await asyncio.wait_for(writer.wait_closed(), _LEAVING)

    async def said(self) -> AsyncIterator[Message]:
        """Yield each message of others, from now on or from the end of the file ``state`` on.

        It does not end, and a bot has one such loop at a time. Call the other methods from inside it, or from other
        tasks.
        """
        async for heard in self._heard():
            if isinstance(heard, Message):
                yield heard

    async def said_and_changed(self) -> AsyncIterator[Message | Change]:
        """Yield the same messages, and the edits, deletions and marks of messages that came before."""
        self._inbox.changes = True
        async for heard in self._heard():
            yield heard

    async def say(self, chat: str, text: str, seconds: int | None = None) -> int | None:
        """Send ``text`` to a chat: ``GLOBAL``, ``*team`` or ``@bob``. It is never read as a command.

        With ``seconds``, it is a timed message: after that time it is erased everywhere. Return the number of the
        message in its chat, None for a timed one. Raises Refused, or Unconfirmed.
        """
        request: dict[str, Any] = {"type": "send", "chat": chat, "text": text, "nonce": secrets.token_urlsafe(12)}
        if seconds is not None:
            request["expires_in"] = seconds
        sent = await self._ask(request, _RECOGNISED if seconds is None else min(seconds, _RECOGNISED))
        return None if sent.get("seq") is None else int(sent["seq"])

    async def reply(self, message: Message, text: str) -> int | None:
        """Answer a message in its chat, as `say` does. A timed message gets a timed answer, with the same time."""
        if message.seq is None:
            return await self.say(message.chat, text, max(1, math.ceil(message.seconds or 0)))
        return await self.say(message.chat, f"#{message.seq} {text}")

    async def mark(self, message: Message, mark: str, on: bool = True) -> None:
        """Put a mark, such as ``ok`` or an emoji, on a message, or take it off. Raises Refused.

        A timed message cannot be marked. Raises ValueError.
        """
        if message.seq is None:
            raise ValueError("a timed message cannot be marked")
        await self._ask({"type": "mark", "chat": message.chat, "seq": message.seq, "mark": mark, "on": on})

    # Messages

    async def _heard(self) -> AsyncIterator[Message | Change]:
        while True:
            seen = self._changes
            heard = self._inbox.take(asyncio.get_running_loop().time())
            if heard is not None:
                await self._save()
                yield heard
            elif self._failure is not None:
                raise self._failure
            elif (request := self._inbox.request()) is not None:
                await self._read(request)
            else:
                async with self._changed:
                    while self._changes == seen:
                        await self._changed.wait()

    async def _read(self, request: dict[str, Any]) -> None:
        """Make a request of the inbox."""
        try:
            reply = await self._ask(request)
        except Refused as refused:
            _log.info("%s cannot be read: %s", request.get("chat", "the list of chats"), refused)
            reply = {}
        self._inbox.answer(request, reply, asyncio.get_running_loop().time())

    # Requests

    async def _ask(self, request: dict[str, Any], recognised: float = math.inf) -> dict[str, Any]:
        """Return the reply to a request. Repeat it after a lost connection, and while the server is busy.

        ``recognised``: the seconds after the first attempt in which it may be repeated.
        """
        now = asyncio.get_running_loop().time
        began: float | None = None
        while True:
            await self._connected()
            if began is not None and now() > began + recognised:
                raise Unconfirmed("the connection was lost before the server confirmed the message")
            began = now() if began is None else began
            try:
                reply: dict[str, Any] = await self._ask_once(request)
            except ConnectionError:
                continue
            match reply:
                case {"type": "error", "code": "too-fast"}:
                    await asyncio.sleep(_jitter(1.0))
                case {"type": "error", "code": "unavailable"} if now() < began + _PATIENCE:
                    await asyncio.sleep(_jitter(2.0))
                case {"type": "error"}:
                    raise Refused(str(reply.get("code")), str(reply.get("text")))
                case _:
                    return reply

    async def _ask_once(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return the reply to a request. Raises ConnectionError if the connection is lost before."""
        if self._writer is None:
            raise ConnectionError
        self._last_ref += 1
        reply: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._replies[self._last_ref] = reply
        _post(self._writer, {**request, "ref": self._last_ref})
        return await reply

    async def _connected(self) -> None:
        """Wait until the bot is signed in. Raises BotError if it never will be."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._failure is not None or self._writer is not None)
        if self._failure is not None:
            raise self._failure

    # The connection

    async def _run(self) -> None:
        """Connect, and connect again after each loss."""
        pause = 1.0
        try:
            while True:
                banned = False
                try:
                    connection = await self._server.connect()
                    try:
                        banned = await self._talk(connection)
                    finally:
                        connection.writer.close()
                        was_steady = asyncio.get_running_loop().time() >= self._steady_at
                        pause = 1.0 if was_steady else pause
                        await self._lost()
                except (OSError, ValueError, LookupError, TypeError) as error:  # or an answer that is not understood
                    _log.warning("no connection to %s: %s", self._server.label, error or type(error).__name__)
                await asyncio.sleep(_jitter(_BANNED_PAUSE if banned else pause))
                pause = min(2 * pause, _LONGEST_PAUSE)
        except asyncio.CancelledError:
            raise
        except Exception as error:
            self._failure = error
            await self._lost()

    async def _lost(self) -> None:
        """Fail the requests that wait for replies."""
        self._writer = None
        self._steady_at = math.inf
        self._inbox.disconnected()
        waiting, self._replies = self._replies, {}
        for reply in waiting.values():
            if not reply.done():
                reply.set_exception(ConnectionError())
        await self._tell()

    async def _talk(self, connection: Connection) -> bool:
        """Sign in, and take lines until the connection is lost. Return whether the bot is banned. Raises BotError."""
        async with asyncio.timeout(_SIGN_IN):
            welcome = await self._first(connection, {"type": "resume", "token": self._token})
            if welcome["type"] != "welcome":
                if welcome.get("code") in _FINAL:
                    raise BotError(f"{welcome.get('text')} Ask the administrator for another token.")
                _log.warning("%s refuses the sign-in: %s", self._server.label, welcome.get("text"))
                return welcome.get("code") == "banned"
            if self.name not in ("", welcome["name"]):
                raise BotError(f"The state is that of {self.name}, and the token is for {welcome['name']}.")
            self._inbox.name = welcome["name"]
            chats = await self._first(connection, {"type": "chats"})
        self._inbox.signed_in(welcome["name"], welcome.get("epoch", ""), chats["chats"])
        await self._save()
        self._writer = connection.writer
        self._steady_at = asyncio.get_running_loop().time() + _STEADY
        await self._tell()
        asked = False
        while True:
            try:
                line = await asyncio.wait_for(connection.reader.readline(), _SILENCE)
            except TimeoutError:
                if asked:
                    raise ConnectionError("the server has gone away") from None
                asked = True
                _post(connection.writer, {"type": "ping"})
                continue
            asked = False
            if not line:
                return False
            await self._take(line, connection)

    async def _first(self, connection: Connection, request: dict[str, Any]) -> dict[str, Any]:
        """Return the reply to a request before the bot is connected. Events before it belong to the inbox."""
        _post(connection.writer, {**request, "ref": 0})
        while line := await connection.reader.readline():
            if (reply := await self._take(line, connection)) is not None:
                return reply
        raise ConnectionError("the server closed the connection")

    async def _take(self, line: bytes, connection: Connection) -> dict[str, Any] | None:
        """Take a line of the server. Return it if it is the reply to `_first`."""
        if not line.startswith(b"{"):
            return None
        received = json.loads(line)
        ref = received.get("ref")
        if ref == 0:
            return dict(received)
        if ref is not None:
            if (reply := self._replies.pop(ref, None)) is not None and not reply.done():
                reply.set_result(received)
        elif received["type"] == "ping":
            _post(connection.writer, {"type": "pong"})
        elif received["type"] == "bye":
            _log.warning("%s ends the session: %s", self._server.label, received.get("reason"))
        else:
            self._inbox.event(received, asyncio.get_running_loop().time())
            await self._tell()
        return None

    async def _tell(self) -> None:
        """Wake everything that waits for an event, or for the connection."""
        self._changes += 1
        async with self._changed:
            self._changed.notify_all()

    async def _stop(self) -> None:
        if self._running is not None:
            self._running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._running
        if self._failure is None:
            self._failure = BotError("The bot has signed out.")
        await self._lost()

    # The state

    def _read_state(self) -> None:
        """Read the state. Raises BotError if the file is not a state, so that it is not overwritten."""
        if self._state is None or not self._state.exists():
            return
        try:
            self._inbox.go_on(json.loads(self._state.read_bytes()))
        except ValueError as error:
            raise BotError(f"{self._state} is not the state of a bot: {error}. Name another file.") from None

    async def _save(self) -> None:
        """Write the state, if it is kept. Raises BotError."""
        if self._state is not None:
            try:
                await asyncio.to_thread(_write_state, self._state, self._inbox.state())
            except OSError as error:
                raise BotError(
                    f"The state {self._state} cannot be written: {error.strerror}. Nothing more is handed over, so that"
                    " nothing is handed over twice."
                ) from error


def _write_state(path: Path, state: dict[str, Any]) -> None:
    """Replace the file, for its owner alone. A crash leaves the old or the new one. Raises OSError."""
    part = path.with_name(f"{path.name}.part")
    with open(os.open(part, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "w", encoding="utf-8") as file:
        json.dump(state, file)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def _post(writer: asyncio.StreamWriter, request: dict[str, Any]) -> None:
    writer.write(json.dumps(request).encode() + b"\n")


def _jitter(seconds: float) -> float:
    """Return about so many seconds, so that many bots do not come back at one time."""
    return seconds * random.uniform(0.5, 1.5)  # noqa: S311
