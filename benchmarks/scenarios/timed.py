"""Millions of waiting timed messages in one chat: memory, delay of erasure, and delay of readers."""

import re
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

from benchmarks import database, measure
from benchmarks.asking import TimedClient, sign_in_seconds
from benchmarks.bench import Bench, Curve, Row, against, turns_of
from benchmarks.dialects import answer_pings, sign_in
from benchmarks.load import Connection, Load
from benchmarks.servers import IRChat

ENDS_A_SECOND = 1_000
GROWTH = (1_000, 10_000, 100_000)
_SENDER, _RECEIVER = range(2)
_IN_FLIGHT = 500
_SENT_A_SECOND = 6_000  # an estimate, so that the first message ends after the last was sent
_WATCH_SECONDS = 20
_ASKED_EACH_SECONDS = 0.25

_TIMED = re.compile(rb'"id":"([^"]+)","expires_at":"([^"]+)"')
_ERASED = re.compile(rb'"type":"erased","chat":"[^"]*","id":"([^"]+)"')


class _Found(NamedTuple):
    """KiB per message, delay at p99 in ms, the longest replies in ms by request, and the report of the turns."""

    each: float
    late: float
    answers: dict[str, float]
    turns: dict[str, Any]
    sent_a_second: float


def timed(bench: Bench) -> list[Row | Curve]:
    """1,000,000 timed messages wait in one chat while 1,000 end per second, and the growth with their number."""
    lines: dict[str, list[tuple[float, float]]] = {}
    pace: float = _SENT_A_SECOND
    for size in sorted({*(size for size in GROWTH if size < bench.timed), bench.timed}):
        found = _wait(bench, size, pace)
        pace = 0.7 * found.sent_a_second
        for name, value in (
            ("KiB of each", found.each),
            ("late, p99, ms", found.late),
            ("longest turn, ms", found.turns["longest"] * 1e3),
            *((f"{what}, ms", value) for what, value in found.answers.items()),
        ):
            lines.setdefault(name, []).append((size, value))
    return [
        against("timed", f"{bench.timed:,} waiting, each", "KiB", found.each, most=1),
        against("timed", f"erased late, {ENDS_A_SECOND:,} a second, p99", "ms", found.late, most=100),
        *(
            Row("timed", f"{what} in the chat of all these, longest", "ms", {"IRChat": value})
            for what, value in found.answers.items()
        ),
        *turns_of("timed", [found.turns]),
        Curve("timed", "Timed messages by how many wait", "timed messages waiting", "KiB, ms", lines),
    ]


def _wait(bench: Bench, count: int, pace: float) -> _Found:
    """Measure with that many messages waiting, at about ``pace`` sends per second."""
    with bench.place() as (folder, load, servers):
        database.make(folder / "data", 2)
        server = IRChat(folder / "irchat", folder / "data", turns=True)
        servers.append(server)
        sender, receiver = sorted(sign_in(load, server, (_SENDER, _RECEIVER)), key=lambda client: client.number)
        client = TimedClient(load, server, _RECEIVER)
        load.quiet(1.0)
        taken = _Receiver()
        receiver.on_lines = taken.take
        before, begun = server.memory(), time.monotonic()
        sending = _Sending(sender, count, time.time() + count / pace + 5)
        server.turns()
        while not sending.finished:
            load.once(0.1)
            bench.say(f"{sending.acknowledged:,} of {count:,} are waiting")
        sent_a_second = count / (time.monotonic() - begun)
        load.quiet(0.02, longest=1.0)
        each = (server.memory() - before) / (count - taken.erased) / 1024
        bench.say("watching them end")
        seconds = min(_WATCH_SECONDS, bench.scaled(_WATCH_SECONDS), count // ENDS_A_SECOND + 1)
        load.until(lambda: taken.erased > 0, "the first end", patience=300)
        taken.late.clear()
        answers = _ask(load, server, client, time.monotonic() + seconds)
        turns = server.turns()
        assert taken.late, "nothing ended"
        assert not taken.doubled, "a message was erased twice"
    return _Found(each, measure.percentile(taken.late, 0.99) * 1e3, answers, turns, sent_a_second)


def _ask(load: Load, server: IRChat, client: TimedClient, until: float) -> dict[str, float]:
    """Return the longest replies in ms to occasional requests."""
    chat = f"@{database.user_name(_SENDER)}"
    questions: dict[str, Callable[[], float]] = {
        "page of history": lambda: client.ask(type="history", chat=chat, limit=50)[0],
        "ls": lambda: client.ask(type="chats")[0],
        "sign-in": lambda: sign_in_seconds(load, server, _RECEIVER),
    }
    times: dict[str, list[float]] = {what: [] for what in questions}
    while time.monotonic() < until:
        for what, question in questions.items():
            times[what].append(question() * 1e3)
            due = time.monotonic() + _ASKED_EACH_SECONDS
            while (left := due - time.monotonic()) > 0:
                load.once(left)
    return {what: max(of_one) for what, of_one in times.items()}


class _Sending:
    """Sends timed messages from one session to one user, so that they end at a steady rate."""

    def __init__(self, sender: Connection, count: int, ends_from: float) -> None:
        self.acknowledged = 0
        self._count = count
        self._ends_from = ends_from
        self._sent = 0
        sender.on_lines = self._take
        self._send(sender, _IN_FLIGHT)

    @property
    def finished(self) -> bool:
        return self.acknowledged == self._count

    def _take(self, sender: Connection, lines: bytes) -> None:
        answer_pings(sender, lines)
        answered = lines.count(b'"type":"sent"')
        self.acknowledged += answered
        self._send(sender, answered)

    def _send(self, sender: Connection, count: int) -> None:
        lines = []
        now = time.time()
        peer = database.user_name(_RECEIVER)
        for number in range(self._sent, min(self._count, self._sent + count)):
            life = max(1, round(self._ends_from + number / ENDS_A_SECOND - now))
            lines.append(
                f'{{"type":"send","chat":"@{peer}","text":"m{number}; this is gone from all screens after its time'
                f' and was never on a disk","expires_in":{life}}}\n'
            )
        self._sent += len(lines)
        if lines:
            sender.send("".join(lines).encode())


class _Receiver:
    """Receives the messages, and records how late after ``expires_at`` each is erased."""

    def __init__(self) -> None:
        self.late: list[float] = []
        self.erased = 0
        self.doubled = False
        self._ends: dict[bytes, bytes] = {}

    def take(self, connection: Connection, lines: bytes) -> None:
        answer_pings(connection, lines)
        if b'"expires_at"' in lines:
            self._ends.update(_TIMED.findall(lines))
        if b'"erased"' in lines:
            now = time.time()
            for timed_id in _ERASED.findall(lines):
                end = self._ends.pop(timed_id, None)
                if end is None:
                    self.doubled = True
                else:
                    self.late.append(now - datetime.fromisoformat(end.decode()).timestamp())
                    self.erased += 1
