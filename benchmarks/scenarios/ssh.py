"""Full screens over SSH: memory and CPU time of the process that draws them. Sieges of the door. Others' messages."""

import json
import subprocess
import time
from pathlib import Path

from benchmarks import database, measure
from benchmarks.bench import Bench, Curve, Row, against
from benchmarks.dialects import sign_in
from benchmarks.load import Connection, Load, Lost
from benchmarks.scenarios.fairness import Pair, talk, under_attack
from benchmarks.servers import HOST, IRChat
from benchmarks.sieges import SIEGES

_MANY = 100
_DRAWING = 12
_P95_MS, _MOST_MS = 50, 100
_MESSAGES_A_SECOND = 10
_SECONDS = 10
_SETTLE_SECONDS = 1.0
_IDLE_SECONDS = 5
_PATIENCE = 120.0
_FIRST_SCREEN = 10
_OPTIONS = (
    "-F", "none", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR",
    "-o", "PubkeyAuthentication=no", "-o", "IdentityAgent=none",
)  # fmt: skip


def ssh(bench: Bench) -> list[Row | Curve]:
    """Full screens over SSH: memory, CPU time, and the delay of others' messages while they draw, and in sieges."""
    rows: list[Row | Curve] = []
    for count in 1, _DRAWING, bench.scaled(_MANY):
        with bench.place() as (folder, load, servers):
            database.make(folder / "data", count + 20)
            server = IRChat(folder / "irchat", folder / "data")
            servers.append(server)
            screens = _Screens(bench, load, folder, server)
            try:
                rows += _measure(bench, load, server, screens, count)
            finally:
                screens.close()
    with bench.place() as (folder, load, servers):
        database.make(folder / "data", 20)
        server = IRChat(folder / "irchat", folder / "data")
        servers.append(server)
        pair = Pair(load, server, 2)
        for name in SIEGES:
            bench.say(name)
            delays = under_attack(load, server, [pair], "benchmarks.sieges", name, bench.scaled(_SECONDS, 3))
            talk(load, [], _SETTLE_SECONDS)
            rows += _delays(delays, f"others' lone message during a siege of {name}")
    return rows


def _delays(delays: list[float], label: str) -> list[Row | Curve]:
    p95, most = (measure.percentile(delays, share) * 1e3 for share in (0.95, 1.0))
    return [
        against("ssh", f"{label}, p95", "ms", p95, most=_P95_MS),
        against("ssh", f"{label}, longest", "ms", most, most=_MOST_MS),
    ]


def _measure(bench: Bench, load: Load, server: IRChat, screens: "_Screens", count: int) -> list[Row | Curve]:
    """Return the rows for some screens. The first one only starts the process."""
    pair, sender = Pair(load, server, 2), sign_in(load, server, [4])[0]
    screens.open(1)
    load.quiet(1.0)
    child = _child_of(server.process.pid)
    memory, cpu = measure.memory_bytes(child), measure.cpu_seconds(child)
    screens.open(count)
    load.quiet(1.0)
    label = f"{count} screen{'s' * (count > 1)}"
    megabytes = (measure.memory_bytes(child) - memory) / 2**20
    joined = (measure.cpu_seconds(child) - cpu) * 1e3 / count
    bench.say(f"{label}, idle")
    cpu = measure.cpu_seconds(child)
    talk(load, [], bench.scaled(_IDLE_SECONDS, 2))
    idle = (measure.cpu_seconds(child) - cpu) / bench.scaled(_IDLE_SECONDS, 2)
    seconds = bench.scaled(_SECONDS, 3)
    cpu = measure.cpu_seconds(child)
    pair.delays.clear()
    said = _draw(bench, load, sender, pair, seconds)
    drawn = measure.cpu_seconds(child) - cpu
    rows: list[Row | Curve] = [
        Row("ssh", f"{label}: memory of each", "MiB", {"IRChat": megabytes / count}),
        Row("ssh", f"{label}: CPU of joining", "ms", {"IRChat": joined}),
        Row("ssh", f"{label}: CPU while idle", "% of a core", {"IRChat": 100 * idle}),
        Row("ssh", f"{label}: CPU of a message on each", "ms", {"IRChat": drawn * 1e3 / said / (count + 1)}),
        Row(
            "ssh", f"{label}: CPU at {_MESSAGES_A_SECOND} messages/s", "% of a core", {"IRChat": 100 * drawn / seconds}
        ),
    ]
    if count == 1:
        rows.insert(0, Row("ssh", "the process, with one screen", "MiB", {"IRChat": memory / 2**20}))
    if count == _DRAWING:
        rows += _delays(pair.delays, f"others' lone message while {label} draw")
    return rows


def _draw(bench: Bench, load: Load, sender: Connection, pair: Pair, seconds: float) -> int:
    """Send messages to everyone for some seconds while a pair talks. Return their number."""
    bench.say("drawing")
    said = 0
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        said += 1
        request = {"type": "send", "chat": "GLOBAL", "text": f"message {said} and what else there is to say"}
        sender.send(json.dumps(request).encode() + b"\n")
        talk(load, [pair], 1 / _MESSAGES_A_SECOND)
    return said


class _Screens:
    """Users of ssh. The output of each is a file."""

    def __init__(self, bench: Bench, load: Load, folder: Path, server: IRChat) -> None:
        self._bench = bench
        self._load = load
        self._folder = folder
        self._server = server
        self._clients: list[subprocess.Popen[bytes]] = []

    def open(self, count: int) -> None:
        """Start some more clients, and wait until each has its screen."""
        for number in range(count):
            self._bench.say(f"joining, {number + 1} of {count}")
            self._open()

    def _open(self) -> None:
        number = len(self._clients)
        output = self._folder / f"screen{number}"
        name = database.user_name(_FIRST_SCREEN + number)
        command = ["ssh", *_OPTIONS, "-tt", "-p", str(self._server.port), f"{name}@{HOST}"]
        with output.open("wb") as file:
            client = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=file, stderr=file)
        self._clients.append(client)
        self._until(client, output, b"Your name: ")
        assert client.stdin is not None
        talk(self._load, [], 0.1)  # until the frame counts as shown
        client.stdin.write(b"\r")
        client.stdin.flush()
        self._until(client, output, b"GLOBAL>")

    def _until(self, client: "subprocess.Popen[bytes]", output: Path, wanted: bytes) -> None:
        deadline = time.monotonic() + _PATIENCE
        while wanted not in output.read_bytes():
            if client.poll() is not None or time.monotonic() > deadline:
                raise Lost(f"no screen over SSH: {output.read_bytes()[-300:]!r}")
            self._load.once(0.01)

    def close(self) -> None:
        """End the clients."""
        for client in self._clients:
            client.kill()
            client.wait()


def _child_of(pid: int) -> int:
    """Return the only child of a process."""
    (child,) = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(child)
