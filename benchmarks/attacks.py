"""``python -m benchmarks.attacks NAME PORT``: many connections of one user or address, until standard input ends.

The connections of one user come from several addresses of the loopback interface, as the limit of sessions from one
address is lower than that of a user.
"""

import contextlib
import errno
import itertools
import json
import os
import select
import socket
import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from benchmarks import database
from benchmarks.servers import HOST

ATTACKER, VICTIM = 10, 11
"""The numbers of the user that attacks, and of one that it writes to."""
GROUPS, BLOCKS, BIG_GROUP = 900, 1_000, 0
PASSWORD = "correct horse battery"  # noqa: S105 -- of users that a benchmark makes

_SESSIONS_OF_USER, _SESSIONS_OF_ADDRESS = 100, 50
_NICENESS = 15  # the server is to have the machine, as if this came from others
_READ_BYTES = 262_144
_TRIES = 60

Request = dict[str, Any]


class Attack(NamedTuple):
    """One attack. ``line``: the ``number``-th line of a connection. ``in_flight``: as many lines wait for a reply.

    ``lines``: after so many the connection is closed and another one comes. ``signs_in``: by the token of the attacker;
    else the first line is ``line``'s too, and all comes from one address. ``reads``: what comes is read.
    """

    line: Callable[[int, int], bytes]
    in_flight: int = 4
    lines: int | None = None
    signs_in: bool = True
    reads: bool = True


def _asks(**request: Any) -> Callable[[int, int], bytes]:
    line = json.dumps(request).encode() + b"\n"
    return lambda session, number: line


def _turns(*requests: Request) -> Callable[[int, int], bytes]:
    lines = [json.dumps(request).encode() + b"\n" for request in requests]
    return lambda session, number: lines[number % len(lines)]


def _makes(make: Callable[[int, int], Request]) -> Callable[[int, int], bytes]:
    return lambda session, number: json.dumps(make(session, number)).encode() + b"\n"


_unique = itertools.count(os.getpid() * 1_000_000)
_user = database.user_name
_LONG = "long words of a text that goes on and on " * 97
_HAN = "".join(chr(0x4E00 + number) for number in range(4_000))
_BIG = f"*{database.group_name(BIG_GROUP)}"

ATTACKS: dict[str, Attack] = {
    # Every request in turn.
    "nothing": Attack(_asks(type="ping"), in_flight=0),
    "send": Attack(_asks(type="send", chat="GLOBAL", text="hi")),
    "send, long": Attack(_asks(type="send", chat="GLOBAL", text=_LONG[:4_000])),
    "send, Han": Attack(_asks(type="send", chat="GLOBAL", text=_HAN)),
    "send, private": Attack(_asks(type="send", chat=f"@{_user(VICTIM)}", text="hi")),
    "send, timed": Attack(_asks(type="send", chat="GLOBAL", text="x", expires_in=1)),
    "line": Attack(_asks(type="line", line="hello")),
    "history": Attack(_asks(type="history", chat="GLOBAL")),
    "history, 500 long": Attack(_asks(type="history", chat="GLOBAL", limit=500)),
    "history, marked": Attack(_asks(type="history", chat=_BIG, limit=500, mark_read=True)),
    "history, never read": Attack(_asks(type="history", chat="GLOBAL", limit=500), reads=False),
    "search": Attack(_asks(type="search", words="long")),
    "search, Han": Attack(_asks(type="search", words=_HAN[:200])),
    "read": Attack(_makes(lambda session, number: {"type": "read", "chat": "GLOBAL", "seq": number})),
    "chats": Attack(_asks(type="chats")),
    "users": Attack(_asks(type="users")),
    "members": Attack(_asks(type="members", group=_BIG)),
    "blocks": Attack(_asks(type="blocks")),
    "help": Attack(_asks(type="help")),
    "ping": Attack(_asks(type="ping"), in_flight=64),
    "password": Attack(_asks(type="password", old="wrong password", new="another password")),
    "create_group, 999": Attack(_makes(lambda session, number: {
        "type": "create_group", "name": f"n{next(_unique)}", "members": [_user(n) for n in range(20, 1_019)],
    })),
    "create_group": Attack(_makes(lambda session, number: {
        "type": "create_group", "name": f"n{next(_unique)}", "members": [_user(VICTIM)],
    })),
    "add_member, remove_member": Attack(_turns(
        {"type": "add_member", "group": _BIG, "name": _user(1_050)},
        {"type": "remove_member", "group": _BIG, "name": _user(1_050)},
    )),
    "block": Attack(_makes(lambda session, number: {"type": "block", "name": _user(20 + session)})),
    # What is no request.
    "bad lines": Attack(lambda session, number: b'{"ref":1,' + b"[" * 60_000 + b"\n"),
    "unknown requests": Attack(_asks(type="nonsense", ref=1)),
    "everything": Attack(_turns(
        {"type": "send", "chat": "GLOBAL", "text": _LONG[:4_000]}, {"type": "history", "chat": "GLOBAL", "limit": 500},
        {"type": "search", "words": "long"}, {"type": "chats"}, {"type": "users"}, {"type": "block", "name": _user(30)},
        {"type": "members", "group": _BIG}, {"type": "read", "chat": "GLOBAL", "seq": 1},
    )),
    # Coming and going.
    "resume, 30 sends, close": Attack(_asks(type="send", chat="GLOBAL", text="hi"), in_flight=30, lines=30),
    "resume, logout": Attack(_asks(type="logout"), in_flight=1, lines=1),
    "login, wrong": Attack(
        _makes(lambda session, number: {"type": "login", "name": _user(session), "password": "a wrong password"}),
        in_flight=1, signs_in=False,
    ),
    "register": Attack(
        _makes(lambda session, number: {"type": "register", "name": f"r{next(_unique)}", "password": PASSWORD}),
        in_flight=1, lines=1, signs_in=False,
    ),
    "connect, close": Attack(_asks(type="ping"), in_flight=1, lines=1, signs_in=False),
}  # fmt: skip


class _Session:
    """One connection of an attack."""

    def __init__(self, attack: Attack, number: int, port: int, token: str, poller: select.epoll) -> None:
        self._attack = attack
        self._number = number
        self._port = port
        self._token = token
        self._poller = poller
        self.was_in = not attack.signs_in
        self._open()

    def turn(self) -> None:
        """Something came, or can be sent."""
        try:
            if self._attack.reads or not self._is_in:
                self._take(self.socket.recv(_READ_BYTES))
            self._fill()
        except BlockingIOError:
            self._fill()
        except OSError:
            self._come_back()

    def _open(self) -> None:
        self.socket = socket.socket()
        self.socket.setblocking(False)
        last = 2 + self._number // _SESSIONS_OF_ADDRESS if self._attack.signs_in else 2
        self.socket.bind((f"127.0.0.{last}", 0))
        self._is_in = not self._attack.signs_in
        self._asked = self._answered = 0
        self._out = b""
        if self.socket.connect_ex((HOST, self._port)) not in (0, errno.EINPROGRESS):
            raise OSError("the server cannot be connected")
        if self._attack.signs_in:
            self._out = json.dumps({"type": "resume", "token": self._token, "ref": "in"}).encode() + b"\n"
        self._poller.register(self.socket.fileno(), select.EPOLLIN | select.EPOLLOUT)

    def _take(self, data: bytes) -> None:
        if not data:
            raise ConnectionResetError
        if not self._is_in:
            self._is_in = b'"ref":"in"' in data or b'"type":"welcome"' in data
            self.was_in = self.was_in or self._is_in
            return
        self._answered += data.count(b"\n")
        if self._attack.lines is not None and self._answered >= self._attack.lines:
            self._come_back()

    def _fill(self) -> None:
        attack = self._attack
        while self._is_in and not self._out and self._asked < self._answered + attack.in_flight:
            if attack.lines is not None and self._asked >= attack.lines:
                break
            self._out = attack.line(self._number, self._asked)
            self._asked += 1
            self._send()
        self._send()
        waits_to_send = bool(self._out)
        self._poller.modify(self.socket.fileno(), select.EPOLLIN | (select.EPOLLOUT if waits_to_send else 0))

    def _send(self) -> None:
        if self._out:
            with contextlib.suppress(BlockingIOError):
                self._out = self._out[self.socket.send(self._out) :]

    def _come_back(self) -> None:
        sessions.pop(self.socket.fileno(), None)
        self.socket.close()
        self._open()
        sessions[self.socket.fileno()] = self


sessions: dict[int, _Session] = {}


def _token(port: int) -> str:
    """A token of the attacker, when the sessions of the last attack are over."""
    request = {"type": "login", "name": _user(ATTACKER), "password": PASSWORD, "ref": "token"}
    for _ in range(_TRIES):
        with socket.create_connection((HOST, port), source_address=("127.0.3.1", 0)) as signing_in:
            lines = signing_in.makefile("rwb")
            lines.write(json.dumps(request).encode() + b"\n")
            lines.flush()
            reply = next(json.loads(line) for line in lines if line.startswith(b'{"ref":"token"'))
            if "token" in reply:
                token: str = reply["token"]
                return token
        time.sleep(1)
    raise SystemExit(f"the attacker cannot sign in: {reply}")


def main() -> None:
    """Attack."""
    attack, port = ATTACKS[sys.argv[1]], int(sys.argv[2])
    os.nice(_NICENESS)
    token = _token(port) if attack.signs_in else ""
    poller = select.epoll()
    poller.register(0, select.EPOLLIN | select.EPOLLHUP)
    for number in range(_SESSIONS_OF_USER if attack.signs_in else _SESSIONS_OF_ADDRESS):
        session = _Session(attack, number, port, token, poller)
        sessions[session.socket.fileno()] = session
    is_ready = False
    while True:
        if not is_ready and all(session.was_in for session in sessions.values()):
            is_ready = True
            print("ready", flush=True)  # noqa: T201
        for fd, _ in poller.poll(1.0, 256):
            if fd == 0:
                os._exit(0)
            if fd in sessions:
                sessions[fd].turn()


if __name__ == "__main__":
    main()
