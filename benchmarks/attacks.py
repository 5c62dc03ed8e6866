"""Attack a server with many connections of one user or address: ``python -m benchmarks.attacks NAME PORT``.

It stops when standard input ends. The connections of one user come from several loopback addresses, because the limit
of sessions per address is lower than the limit per user.
"""

import itertools
import json
import os
import select
import socket
import sys
import time
from collections.abc import Callable
from typing import Any

from websockets.frames import Frame, Opcode

from benchmarks import database
from benchmarks.attackers import SESSIONS_OF_ADDRESS, Attack, RecordSession, Session, client_hello, sessions
from benchmarks.servers import HOST
from tests.helpers.tls_peer import TLSPeer

ATTACKER, VICTIM = 10, 11
"""The numbers of the attacking user, and of a user that it writes to."""
FIRST_OF_ADDRESS = 500
"""The number of the first user of the attacking address."""
GROUPS, BLOCKS, BIG_GROUP = 900, 1_000, 0
PASSWORD = "correct horse battery"  # noqa: S105 -- of users that exist only in a benchmark

_SESSIONS_OF_USER = 100
_NICENESS = 15  # leave the CPU to the server, as if the attack came from other machines
_TRIES = 60

Request = dict[str, Any]


def _asks(**request: Any) -> Callable[[int, int], bytes]:
    line = json.dumps(request).encode() + b"\n"
    return lambda session, number: line


def _turns(*requests: Request) -> Callable[[int, int], bytes]:
    lines = [json.dumps(request).encode() + b"\n" for request in requests]
    return lambda session, number: lines[number % len(lines)]


def _makes(make: Callable[[int, int], Request]) -> Callable[[int, int], bytes]:
    return lambda session, number: json.dumps(make(session, number)).encode() + b"\n"


def _records(records: Callable[[TLSPeer, int], bytes], *, is_web: bool = False) -> Attack:
    return Attack(
        lambda session, number: b"", in_flight=0, signs_in=False, tls=True, records=records, is_web=is_web,
    )  # fmt: skip


_unique = itertools.count(os.getpid() * 1_000_000)
_user = database.user_name
_LONG = "long words of a text that goes on and on " * 97
_HAN = "".join(chr(0x4E00 + number) for number in range(4_000))
_HELLO = client_hello()
_AT_ONCE = 100
_HTTP_GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
_UPGRADE = (
    b"GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
_PING = Frame(Opcode.PING, b"ping").serialize(mask=True)
_BIG = f"*{database.group_name(BIG_GROUP)}"

ATTACKS: dict[str, Attack] = {
    # Each kind of request.
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
    # Invalid requests.
    "bad lines": Attack(lambda session, number: b'{"ref":1,' + b"[" * 60_000 + b"\n"),
    "unknown requests": Attack(_asks(type="nonsense", ref=1)),
    "everything": Attack(_turns(
        {"type": "send", "chat": "GLOBAL", "text": _LONG[:4_000]}, {"type": "history", "chat": "GLOBAL", "limit": 500},
        {"type": "search", "words": "long"}, {"type": "chats"}, {"type": "users"}, {"type": "block", "name": _user(30)},
        {"type": "members", "group": _BIG}, {"type": "read", "chat": "GLOBAL", "seq": 1},
    )),
    # Connecting and leaving.
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
    # Fifty users of one address.
    "users: send": Attack(_asks(type="send", chat="GLOBAL", text="hi"), users=True),
    "users: block": Attack(_makes(lambda session, number: {"type": "block", "name": _user(300 + session)}), users=True),
    "users: history": Attack(_asks(type="history", chat="GLOBAL", limit=500), users=True),
    "users: everything": Attack(_turns(
        {"type": "send", "chat": "GLOBAL", "text": _LONG[:4_000]}, {"type": "history", "chat": "GLOBAL", "limit": 500},
        {"type": "block", "name": _user(300)}, {"type": "search", "words": "long"}, {"type": "users"},
        {"type": "send", "chat": "GLOBAL", "text": "x", "expires_in": 1},
    ), users=True),
    # TLS.
    "TLS: nothing": Attack(lambda session, number: b"", in_flight=0, signs_in=False, tls=True),
    "TLS: handshakes": Attack(lambda session, number: _HELLO, in_flight=1, lines=1, signs_in=False, tls=True),
    "TLS: new keys": _records(lambda peer, number: b"".join(peer.key_update() for _ in range(_AT_ONCE))),
    "TLS: records of one byte": _records(lambda peer, number: b"".join(peer.data(b"x") for _ in range(_AT_ONCE))),
    "web: requests": _records(lambda peer, number: peer.data(_HTTP_GET * _AT_ONCE), is_web=True),
    "web: pings": _records(lambda peer, number: peer.data(_PING * _AT_ONCE if number else _UPGRADE), is_web=True),
}  # fmt: skip


def _token(port: int) -> str:
    """Return a token of the attacker once the sessions of the last attack are over."""
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
    """Run one attack."""
    attack, port = ATTACKS[sys.argv[1]], int(sys.argv[2])
    os.nice(_NICENESS)
    token = _token(port) if attack.signs_in and not attack.users else ""
    poller = select.epoll()
    poller.register(0, select.EPOLLIN | select.EPOLLHUP)
    kind = Session if attack.records is None else RecordSession
    for number in range(SESSIONS_OF_ADDRESS if attack.is_of_address else _SESSIONS_OF_USER):
        session = kind(attack, number, port, token or database.token(FIRST_OF_ADDRESS + number), poller)
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
