"""Measure the full-screen client's start, memory, and response to keys under load: ``python -m benchmarks.terminal``.

It runs a real server and a real client in a pseudo-terminal. A key is on the screen when the client has written its
letter. The exit status is 1 if a bar is missed.
"""

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from tests.helpers.processes import JSONClient, ServerProcess, TerminalProcess

# The bars, in milliseconds and megabytes.
START_MS, KEY_MS, MEMORY_MB = 500, 50, 80
_RATE, _MESSAGES = 1_000, 5_000
_KEY_EVERY = 0.05
_STARTS = 10
_SIZES = ((100, 24), (200, 60))


def main() -> int:
    """Measure and print. Return the exit status."""
    summary = (__doc__ or "").split("\n", 1)[0]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.terminal", description=summary)
    parser.add_argument("--messages", type=int, default=_MESSAGES, help="messages, at 1,000 a second")
    options = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="irchat-"))
    server = ServerProcess(home, "--no-tls", "--no-passwords", "--rate", "0")
    try:
        misses = [_start(server, home)]
        misses += [_keys(server, home, columns, lines, options.messages) for columns, lines in _SIZES]
    finally:
        server.kill()
        shutil.rmtree(home)
    return int(any(misses))


def _client(server: ServerProcess, home: Path, name: str, columns: int, lines: int) -> TerminalProcess:
    folder = home / (name.strip("@") or "nobody")
    folder.mkdir(exist_ok=True)
    address = f"{name}127.0.0.1:{server.port}"
    return TerminalProcess.full_screen(address, folder, "--no-tls", columns=columns, lines=lines)


def _start(server: ServerProcess, home: Path) -> bool:
    taken: list[float] = []
    for _ in range(_STARTS):
        began = time.perf_counter()
        client = _client(server, home, "", 80, 24)
        _until(client, lambda output: b"Your name" in output)
        taken.append((time.perf_counter() - began) * 1_000)
        client.close()
    return _say("start to the first prompt, median", statistics.median(taken), "ms", START_MS)


def _keys(server: ServerProcess, home: Path, columns: int, lines: int, messages: int) -> bool:
    client = _client(server, home, f"user{columns}@", columns, lines)
    sender = JSONClient(server, tls=False)
    sender.ask(type="login", name=f"sender{columns}")
    client.expect("F1: help")
    client.press(b"\x1b1")
    client.expect("GLOBAL  everyone")
    sender.post({"type": "send", "chat": "GLOBAL", "text": "begin"})
    client.expect("begin")
    taken = _under_load(client, sender, messages)
    client.resize(columns, lines - 1)  # redraw everything, because the output since then was not read
    client.expect(f"message {messages - 1} ")
    memory = _memory_mb(client.process.pid)
    sender.close()
    client.close()
    size = f"{columns}x{lines}"
    p50, p95 = statistics.median(taken), statistics.quantiles(taken, n=20)[-1]
    _say(f"key on screen at {_RATE:,} messages/s, {size}, p50 of {len(taken)}", p50, "ms", None)
    slow = _say(f"key on screen at {_RATE:,} messages/s, {size}, p95", p95, "ms", KEY_MS)
    return _say(f"memory after {messages:,} messages, {size}", memory, "MB", MEMORY_MB) or slow


def _under_load(client: TerminalProcess, sender: JSONClient, messages: int) -> list[float]:
    """Return the milliseconds from each key to its letter, while messages arrive at a steady rate."""
    if os.fork() == 0:  # a separate process, so that the sender does not wait for the measurement
        _send(sender, messages)
        os._exit(0)
    taken: list[float] = []
    began = time.perf_counter()
    while time.perf_counter() - began < messages / _RATE:
        # Each position gets a new letter in the next line, because an unchanged letter is not drawn.
        letter = chr(0x0430 + (len(taken) + len(taken) // 32 * 11) % 32).encode()
        before = len(client.output)
        pressed = time.perf_counter()
        client.press(letter)
        _until(client, lambda output, letter=letter, before=before: letter in output[before:])  # type: ignore[misc]
        taken.append((time.perf_counter() - pressed) * 1_000)
        if len(taken) % 32 == 0:
            client.press(b"\x15")
        time.sleep(max(0.0, _KEY_EVERY - (time.perf_counter() - pressed)))
    os.wait()
    return taken


def _send(sender: JSONClient, messages: int) -> None:
    # The server stops reading from a client that does not read its replies.
    threading.Thread(target=lambda: all(sender.next() for _ in range(messages)), daemon=True).start()
    began = time.perf_counter()
    for number in range(messages):
        time.sleep(max(0.0, began + number / _RATE - time.perf_counter()))
        sender.post({"type": "send", "chat": "GLOBAL", "text": f"message {number} of a talk that goes on and on"})


def _until(client: TerminalProcess, came: Callable[[bytes], bool]) -> None:
    deadline = time.perf_counter() + 30
    while not came(client.output):
        client.read_raw(0.01)
        if time.perf_counter() > deadline:
            raise SystemExit("waited in vain: " + json.dumps(client.output[-500:].decode("utf-8", "replace")))


def _memory_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().split("\n")
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1_024


def _say(what: str, value: float, unit: str, bar: float | None) -> bool:
    """Print a figure. Return whether it misses the bar."""
    missed = bar is not None and value > bar
    verdict = "" if bar is None else f"  bar {bar} {unit}: {'MISSED' if missed else 'met'}"
    print(f"{what:<62} {value:7.1f} {unit}{verdict}", flush=True)  # noqa: T201
    return missed


if __name__ == "__main__":
    sys.exit(main())
