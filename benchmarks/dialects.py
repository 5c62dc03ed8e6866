"""The protocols of the clients, for signing in and sending: IRChat's JSON protocol, and IRC."""

import re
from collections.abc import Callable, Sequence
from typing import Protocol

from benchmarks import database
from benchmarks.load import Connection, Load, Lost
from benchmarks.servers import Server

_NUMBER = re.compile(rb"m(\d+);")
_FILLER = "and so the talk of the town goes on for quite a while, as it does"


class Dialect(Protocol):
    """The lines of a client. ``chat`` is None for everyone, a number for a group, and a name for a user."""

    def hello(self, number: int) -> bytes:
        """Return the first lines of client ``number``."""

    def on_welcome(self, number: int, chats: Sequence[int | None]) -> bytes:
        """Return the lines with which a welcomed client joins these chats."""

    def welcomes(self, chats: Sequence[int | None]) -> tuple[bytes, bytes, int]:
        """A part of the welcoming line; a part of the lines that end the sign-in, and their number."""

    def message(self, chat: int | str | None, number: int) -> bytes:
        """Return a message that carries ``number``."""

    @property
    def answer(self) -> tuple[bytes, bytes]:
        """A part of a ping from the server, and the answer."""

    @property
    def sent(self) -> bytes | None:
        """A part of each line that acknowledges a message."""

    @property
    def bad(self) -> bytes:
        """A part of an error line."""


class JSON:
    """IRChat's JSON protocol."""

    answer = (b'{"type":"ping"}', b'{"type":"pong"}\n')
    sent = b'"type":"sent"'
    bad = b'"type":"error"'

    def hello(self, number: int) -> bytes:
        return f'{{"type":"resume","token":"{database.token(number)}"}}\n'.encode()

    def on_welcome(self, number: int, chats: Sequence[int | None]) -> bytes:
        return b""

    def welcomes(self, chats: Sequence[int | None]) -> tuple[bytes, bytes, int]:
        return b'"type":"welcome"', b'"type":"welcome"', 1

    def message(self, chat: int | str | None, number: int) -> bytes:
        name = "GLOBAL"
        if chat is not None:
            name = f"*{database.group_name(chat)}" if isinstance(chat, int) else f"@{chat}"
        return f'{{"type":"send","chat":"{name}","text":"m{number}; {_FILLER}"}}\n'.encode()


class IRC:
    """IRC."""

    answer = (b"PING :", b"PONG :irc.bench\r\n")
    sent = None
    bad = b"ERROR :"

    def hello(self, number: int) -> bytes:
        name = database.user_name(number)
        return f"NICK {name}\r\nUSER {name} 0 * :{name}\r\n".encode()

    def on_welcome(self, number: int, chats: Sequence[int | None]) -> bytes:
        return b"".join(f"JOIN {_channel(chat)}\r\n".encode() for chat in chats)

    def welcomes(self, chats: Sequence[int | None]) -> tuple[bytes, bytes, int]:
        return b" 001 ", b" 366 " if chats else b" 001 ", max(1, len(chats))

    def message(self, chat: int | str | None, number: int) -> bytes:
        target = chat if isinstance(chat, str) else _channel(chat)
        return f"PRIVMSG {target} :m{number}; {_FILLER}\r\n".encode()


class IRCOnIRChat(IRC):
    """IRC on an IRChat server: a session is in all of its chats from the sign-in on."""

    bad = b" FAIL "

    def on_welcome(self, number: int, chats: Sequence[int | None]) -> bytes:
        return b""

    def welcomes(self, chats: Sequence[int | None]) -> tuple[bytes, bytes, int]:
        return b" 001 ", b" 366 ", 1

    def message(self, chat: int | str | None, number: int) -> bytes:
        return super().message("#global" if chat is None else chat, number)


def _channel(chat: int | None) -> str:
    return "#all" if chat is None else f"#{database.group_name(chat)}"


DIALECTS: dict[str, Dialect] = {"json": JSON(), "irc": IRC(), "irchat-irc": IRCOnIRChat()}


def dialect_of(server: Server) -> Dialect:
    """Return the dialect of ``server``."""
    return DIALECTS[server.dialect]


def numbers(lines: bytes) -> list[bytes]:
    """Return the numbers of the messages in ``lines``."""
    return _NUMBER.findall(lines)


def answer_pings(connection: Connection, lines: bytes) -> None:
    """Answer the server's pings. Raise Lost on an error from the server."""
    dialect = dialect_of(connection.server)
    ping, pong = dialect.answer
    if ping in lines:
        connection.send(pong)
    if dialect.bad in lines:
        raise Lost(f"{connection.server.name} answered {lines!r}")


def sign_in(
    load: Load,
    server: Server,
    clients: Sequence[int],
    chats_of: Callable[[int], Sequence[int | None]] = lambda number: (None,),
) -> list[Connection]:
    """Return connections of these clients, signed in and in their chats."""
    dialect = dialect_of(server)
    left: dict[Connection, int] = {}
    ready = 0
    opened: list[Connection] = []
    waiting = list(reversed(clients))

    def on_lines(connection: Connection, lines: bytes) -> None:
        nonlocal ready
        answer_pings(connection, lines)
        if connection.ready:
            return
        welcome, last, count = dialect.welcomes(chats_of(connection.number))
        if connection not in left:
            if welcome not in lines:
                return
            left[connection] = count
            if say := dialect.on_welcome(connection.number, chats_of(connection.number)):
                connection.send(say)
        left[connection] -= lines.count(last)
        if left[connection] <= 0:
            connection.ready = True
            ready += 1
            begin()

    def begin() -> None:
        if waiting:
            number = waiting.pop()
            opened.append(load.open(server, number, dialect.hello(number), on_lines))

    for _ in range(min(server.at_once, len(clients))):
        begin()
    load.until(lambda: ready == len(clients), f"{len(clients)} sign-ins on {server.name}", patience=300)
    for connection in opened:
        connection.on_lines = answer_pings
    return opened
