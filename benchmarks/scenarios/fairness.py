"""The delay of other users' messages while one user or address uses everything that the limits allow."""

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from sqlite3 import Connection as Database

from argon2 import PasswordHasher

from benchmarks import database, measure
from benchmarks.attacks import ATTACKER, ATTACKS, BLOCKS, GROUPS, PASSWORD
from benchmarks.bench import Bench, Curve, Row
from benchmarks.load import Connection, Load, Lost
from benchmarks.servers import IRChat
from irchat.interfaces.stored import GLOBAL
from irchat.interfaces.writes import BlockSet, MessageAdded
from irchat.store.sqlite.writing import Writer
from irchat.system.clock import wall_ms

_P95_MS, _MOST_MS = 50, 100
_USERS = 1_100
_PAIRS = 3
_CROWD = 200
_SECONDS = 10
_WARM_SECONDS = 1.0
# Interval of each user of a pair, in seconds: slower than the allowed rate.
_PAUSE_SECONDS = 0.12
_LONG_MESSAGES = 500
_SETTLE_SECONDS = 4.0  # until the attacker's burst is full again


def fairness(bench: Bench) -> list[Row | Curve]:
    """The delay of a lone message while one user or one address uses everything that the limits allow."""
    rows: list[Row | Curve] = []
    for tls in False, True:
        with bench.place() as (folder, load, servers):
            _make(folder / "data")
            server = IRChat(folder / "irchat", folder / "data", limited=True, tls=tls)
            servers.append(server)
            pairs = _people(bench, load, server)
            for name in (name for name, attack in ATTACKS.items() if attack.tls == tls):
                bench.say(name)
                delays = under_attack(load, server, pairs, "benchmarks.attacks", name, bench.scaled(_SECONDS, 3))
                talk(load, pairs, _SETTLE_SECONDS)
                rows += _rows(name, delays)
    return rows


def _rows(name: str, delays: list[float]) -> list[Row | Curve]:
    p50, p95, most = (measure.percentile(delays, share) * 1e3 for share in (0.5, 0.95, 1.0))
    met = p95 <= _P95_MS and most <= _MOST_MS
    return [
        Row("fairness", f"{name}: lone message, p50", "ms", {"IRChat": p50}),
        Row("fairness", f"{name}: p95", "ms", {"IRChat": p95}, bar=f"≤ {_P95_MS}", met=p95 <= _P95_MS),
        Row("fairness", f"{name}: longest", "ms", {"IRChat": most}, bar=f"≤ {_MOST_MS}", met=met),
    ]


def _people(bench: Bench, load: Load, server: IRChat) -> list["Pair"]:
    """Sign in the pairs, and a crowd that reads GLOBAL, half of it in the text protocol."""
    bench.say("signing in")
    pairs = [Pair(load, server, 2 * number) for number in range(_PAIRS)]
    for number in range(_CROWD):
        sign_in = _sign_in_text if number % 2 else _sign_in
        sign_in(load, server, 20 + number, f"127.0.1.{1 + number // 45}")
    return pairs


def _make(folder: Path) -> None:
    """Create users with passwords that are cheap to verify. The attacker is in many groups and blocks many users."""
    groups = [[ATTACKER, *range(20, 1_018)], *([ATTACKER, 20 + number % 900] for number in range(GROUPS - 1))]
    database.make(folder, _USERS, groups)

    def fill(writer: Writer, connection: Database) -> None:
        hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
        connection.execute("UPDATE users SET password = ?", (hasher.hash(PASSWORD),))
        ids = [user for (user,) in connection.execute("SELECT id FROM users ORDER BY id")]
        text = "long words of a text that goes on and on " * 97
        at = wall_ms()
        groups_in_use = connection.execute("SELECT id FROM chats WHERE key IS NOT NULL LIMIT 3").fetchall()
        for chat in [GLOBAL, *(chat for (chat,) in groups_in_use)]:
            writer.commit([MessageAdded(chat, ids[20], text[:4_000], at, None, 0) for _ in range(_LONG_MESSAGES)])
        writer.commit([BlockSet(ids[ATTACKER], ids[50 + number], True) for number in range(BLOCKS)])

    database.fill(folder, fill)


def _sign_in(load: Load, server: IRChat, number: int, source: str) -> Connection:
    """Return a signed-in connection from the address ``source``."""

    def take(connection: Connection, lines: bytes) -> None:
        if b'"type":"error"' in lines:
            raise Lost(f"{server.name} answered {lines!r}")
        connection.ready = connection.ready or b'"type":"welcome"' in lines
        if b'{"type":"ping"}' in lines:
            connection.send(b'{"type":"pong"}\n')

    request = {"type": "login", "name": database.user_name(number), "password": PASSWORD}
    connection = load.open(server, number, json.dumps(request).encode() + b"\n", take, source)
    load.until(lambda: connection.ready, "a sign-in")
    return connection


def _sign_in_text(load: Load, server: IRChat, number: int, source: str) -> None:
    """Return a signed-in connection that speaks the text protocol."""

    def take(connection: Connection, lines: bytes) -> None:
        connection.ready = connection.ready or b"Welcome back" in lines

    hello = f"{database.user_name(number)}\n{PASSWORD}\n".encode()
    connection = load.open(server, number, hello, take, source)
    load.until(lambda: connection.ready, "a sign-in")


class Pair:
    """Two users who exchange one message at a time, at intervals."""

    def __init__(self, load: Load, server: IRChat, first: int) -> None:
        source = f"127.0.2.{1 + first}"
        self._users = [_sign_in(load, server, number, source) for number in (first, first + 1)]
        self._names = [database.user_name(number) for number in (first, first + 1)]
        for user in self._users:
            user.on_lines = self._take
        self._turn = 0
        self._marker = b""
        self._said = 0
        self._next_at = self._said_at = time.perf_counter()
        self.delays: list[float] = []

    @property
    def is_waiting(self) -> bool:
        """Whether a message is in flight."""
        return bool(self._marker)

    def look(self) -> None:
        """Send the next message when it is due."""
        now = time.perf_counter()
        if self._marker or now < self._next_at:
            return
        self._turn = 1 - self._turn
        self._said += 1
        text = f"lone message {self._said};"
        self._marker = text.encode()
        request = {"type": "send", "chat": f"@{self._names[1 - self._turn]}", "text": text}
        self._said_at = now
        self._next_at = now + _PAUSE_SECONDS / 2
        self._users[self._turn].send(json.dumps(request).encode() + b"\n")

    def _take(self, user: Connection, lines: bytes) -> None:
        if b'"type":"error"' in lines:
            raise Lost(f"an honest user was answered {lines!r}")
        if user is not self._users[self._turn] and self._marker and self._marker in lines:
            self.delays.append(time.perf_counter() - self._said_at)
            self._marker = b""
        if b'{"type":"ping"}' in lines:
            user.send(b'{"type":"pong"}\n')


def under_attack(
    load: Load, server: IRChat, pairs: Sequence[Pair], module: str, name: str, seconds: float
) -> list[float]:
    """Return the delays of lone messages during the attack ``name``, which ``python -m MODULE`` makes."""
    attacker = subprocess.Popen(
        [sys.executable, "-m", module, name, str(server.port)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert attacker.stdout is not None
    try:
        if attacker.stdout.readline() != b"ready\n":
            raise Lost(f"the attack {name!r} cannot begin")
        talk(load, pairs, _WARM_SECONDS)
        for pair in pairs:
            pair.delays.clear()
        talk(load, pairs, seconds)
        if attacker.poll() is not None:
            raise Lost(f"the attack {name!r} ended by itself")
    finally:
        attacker.kill()
        attacker.wait()
    return [delay for pair in pairs for delay in pair.delays]


def talk(load: Load, pairs: Sequence[Pair], seconds: float) -> None:
    """Let the pairs talk for some seconds, then wait until no message is in flight."""
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        for pair in pairs:
            pair.look()
        load.once(0.002)
    load.until(lambda: not any(pair.is_waiting for pair in pairs), "the last lone messages")
