"""Attacks on a server by stalled readers and by many connections, and their effect on other users."""

import contextlib
import json
import os
import re
import select
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.helpers.loads.many_clients import Crowd, Peer, open_many_files, percentile, rss_kib, unlimited
from tests.helpers.processes import PATIENCE, ServerProcess

_SEQ = re.compile(rb'"type":"message","chat":"GLOBAL".*?"seq":(\d+)')
KIB = 1_024
# Memory that Twisted, a connection and its share of the chat may take, in KiB.
_IDLE_KIB = 64
_WAITING_KIB = 256
# 16 KB each: the kernel alone buffers about four megabytes for a reader that does not read.
_LONGEST_TEXT = "\U0001f600" * 4_000


class Reader(Peer):
    """Count the messages of GLOBAL. Each must arrive once and in order."""

    def __init__(self, crowd: Crowd, port: int, **how: Any) -> None:
        super().__init__(crowd, port, **how)
        self.last_seq = 0
        self.counts = False
        self._left = b""

    def on_data(self, data: bytes) -> None:
        """Parse only the seqs, because there are many lines."""
        if not self.counts:
            super().on_data(data)
            return
        lines, _, self._left = (self._left + data).rpartition(b"\n")
        for seq in map(int, _SEQ.findall(lines)):
            if seq != self.last_seq + 1:
                raise AssertionError(f"{seq} came after {self.last_seq}")
            self.last_seq = seq


class Honest(Peer):
    """One of two users who talk constantly, and the delays of the messages between them."""

    def __init__(self, crowd: Crowd, port: int) -> None:
        super().__init__(crowd, port)
        self.heard: list[tuple[float, float]] = []
        self._sent_at = 0.0

    def say(self) -> None:
        """Send the next message to the other user."""
        self._sent_at = time.monotonic()
        self.post(self._sent, type="send", chat="@friend", text="how are you?")

    def listen(self, other: "Honest") -> None:
        """Record received messages, and let the other user answer a moment later."""

        def heard(event: dict[str, Any]) -> None:
            if event["type"] == "message" and event["chat"] == "@honest":
                now = time.monotonic()
                self.heard.append((now, now - other._sent_at))
                other.say()

        self.on_event = heard  # type: ignore[method-assign]

    def _sent(self, sent: dict[str, Any]) -> None:
        if sent["type"] != "sent":
            raise AssertionError(sent)


def honest(port: int) -> None:
    """Let two users talk until standard input ends. Print the time and the delay of each message."""
    crowd = Crowd()
    speaker = crowd.sign_in(Honest(crowd, port), "honest")
    listener = crowd.sign_in(Honest(crowd, port), "friend")
    listener.listen(speaker)
    speaker.say()
    print("ready", flush=True)  # noqa: T201
    while not select.select([sys.stdin], [], [], 0)[0]:
        crowd.run(0.05)
        if not (speaker.is_open and listener.is_open):
            raise AssertionError("an honest connection ended")
    print(json.dumps(listener.heard))  # noqa: T201


class Others:
    """`honest` users in a process of their own."""

    def __init__(self, server: ServerProcess) -> None:
        root = Path(__file__).parents[3]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.helpers.loads.abuse", str(server.port)],
            cwd=root, env={**os.environ, "PYTHONPATH": str(root)}, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        assert self._process.stdout is not None
        if self._process.stdout.readline() != b"ready\n":
            raise AssertionError("honest people cannot talk")
        time.sleep(0.5)
        self._attacked_at = time.monotonic()

    def end(self) -> str:
        """Stop. Return the delays before the attack, which begins when everyone has signed in, and during it."""
        said, _ = self._process.communicate(b"\n", PATIENCE)
        if self._process.returncode:
            raise AssertionError("honest people could not go on")
        heard = json.loads(said)
        before = [delay for at, delay in heard if at < self._attacked_at]
        since = [delay for at, delay in heard if at >= self._attacked_at]
        return f"delay of others: {_delays(before)} before, {_delays(since)} meanwhile"

    def kill(self) -> None:
        """Stop the users."""
        self._process.kill()
        self._process.communicate()


@contextlib.contextmanager
def under_attack(home: Path, *options: str) -> Iterator[tuple[ServerProcess, Crowd, Callable[[Others], Others]]]:
    """Provide a server without limits and a crowd. Check at the end that its log has no traceback."""
    open_many_files()
    server = ServerProcess(home, "--no-passwords", *unlimited(), *options)
    crowd = Crowd()
    running: list[Others] = []

    def started(others: Others) -> Others:
        running.append(others)
        return others

    try:
        yield server, crowd, started
        if server.process.poll() is not None:
            raise AssertionError("the server ended")
    finally:
        for others in running:
            others.kill()
        crowd.close()
        server.kill()
    log = server.log.read_text()
    if "Traceback" in log or "Unhandled" in log:
        raise AssertionError(log[:10_000])


def stall(home: Path, readers: int, *, messages: int, seconds: float = 0.0) -> str:
    """Let ``readers`` stop reading while messages arrive, then continue. Return figures."""
    with under_attack(home, "--no-tls") as (server, crowd, started):
        pid = server.process.pid
        crowd.keeps_alive = True
        stalled = [
            crowd.sign_in(Reader(crowd, server.port, receive_bytes=16_384), f"reader{number}")
            for number in range(readers)
        ]
        quick = crowd.sign_in(Reader(crowd, server.port), "quick")
        everyone = [*stalled, quick]
        others = started(Others(server))
        crowd.run(1)
        before_kib = rss_kib(pid)
        for reader in everyone:
            reader.counts = True
        for reader in stalled:
            reader.read_on(False)
        sent: list[int] = []
        sender = crowd.sign_in(Peer(crowd, server.port), "sender")

        def send(reply: dict[str, Any]) -> None:
            sent.append(reply["seq"])

        begin = time.monotonic()
        memory: list[int] = []
        for number in range(messages):
            # At a steady rate; without a duration as fast as possible, a few at a time.
            crowd.run(begin + seconds * number / messages - time.monotonic())
            crowd.until(lambda: len(sender.waiting) < 8, "messages to be taken")
            sender.post(send, type="send", chat="GLOBAL", text=_LONGEST_TEXT)
            memory.append(rss_kib(pid))
        delays = others.end()
        crowd.until(lambda: not sender.waiting, "the last messages")
        last = max(sent)
        crowd.until(lambda: quick.last_seq == last, "the quick reader to have all")
        behind = [reader for reader in stalled if reader.last_seq < last]
        for reader in stalled:
            reader.read_on(True)
        begin = time.monotonic()
        stalled_kib = memory[:]
        while any(reader.last_seq < last for reader in stalled):
            crowd.run(0.1)
            memory.append(rss_kib(pid))
            if not all(reader.is_open for reader in stalled):
                raise AssertionError("a reader was disconnected")
        caught_up = time.monotonic() - begin
        most = max(memory) - before_kib
        check_bounded(most, readers)
        if len(behind) < readers:
            raise AssertionError(f"only {len(behind)} of {readers} fell behind")
    return (
        f"{readers} readers stalled over {last} messages of 16 KB ({last * 16 // 1_000} MB each); all have each once, "
        f"{caught_up:.1f} s after they read on\n"
        f"memory of the server in MiB: before {before_kib // KIB}, a third in "
        f"{stalled_kib[len(stalled_kib) // 3] // KIB}, when they read on {stalled_kib[-1] // KIB}, "
        f"most {max(memory) // KIB}\n"
        f"{delays}"
    )


def check_bounded(grown_kib: int, stalled: int) -> None:
    """Raise AssertionError if the memory for stalled readers has grown beyond its bound, with some margin."""
    if grown_kib > _WAITING_KIB * stalled + 32 * KIB:
        raise AssertionError(f"the memory grew by {grown_kib} KiB for {stalled} readers")


def _delays(delays: list[float]) -> str:
    return f"p50 {percentile(delays, 0.5) * 1000:.1f} ms, p99 {percentile(delays, 0.99) * 1000:.1f} ms ({len(delays)})"


# Hostile lines.


def still_well(crowd: Crowd, server: ServerProcess) -> None:
    """Check that a new user can sign in and talk."""
    speaker = crowd.sign_in(Honest(crowd, server.port), "honest")
    listener = crowd.sign_in(Honest(crowd, server.port), "friend")
    listener.listen(speaker)
    speaker.say()
    crowd.until(lambda: len(listener.heard) > 3, "honest people to talk")


# Attacks on connections.


def slowloris(home: Path, connections: int, seconds: float) -> str:
    """Open connections that send single bytes at intervals, with and without TLS. Return figures."""
    figures = []
    for tls in False, True:
        with under_attack(home, *([] if tls else ["--no-tls"])) as (server, crowd, _):
            before = rss_kib(server.process.pid)
            # The first bytes of a TLS record that never continues, or the start of a line.
            begin = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" if tls else b"{"
            sockets = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(connections)]
            try:
                end = time.monotonic() + seconds
                for byte in begin + b" " * 100:
                    for each in sockets:
                        with contextlib.suppress(OSError):
                            each.send(bytes([byte]))
                    time.sleep(seconds / 20)
                    if time.monotonic() > end:
                        break
                grown = rss_kib(server.process.pid) - before
                if grown > _IDLE_KIB * connections + 32 * KIB:
                    raise AssertionError(f"{connections} slow connections take {grown} KiB")
                _talks(server, crowd, tls=tls)
            finally:
                for each in sockets:
                    each.close()
            figures.append(f"{grown / connections:.1f} KiB each {'in half a handshake' if tls else 'in half a line'}")
    return f"{connections} connections that hardly send: " + ", ".join(figures)


def byte_by_byte(home: Path, lines: int) -> str:
    """Send lines of 64 KiB byte by byte. Return figures."""
    with under_attack(home, "--no-tls") as (server, crowd, started):
        slow = crowd.sign_in(Peer(crowd, server.port), "slow")
        slow.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        others = started(Others(server))
        used = _cpu(server)
        refused = []
        slow.on_event = lambda event: refused.append(event.get("code"))  # type: ignore[method-assign]
        for _ in range(lines):
            for byte in b"x" * 65_536 + b"\n":
                slow.send(bytes((byte,)))
                crowd.turn(0)
        crowd.until(lambda: refused.count("bad-request") == lines, "all lines to be answered")
        delays = others.end()
        used = _cpu(server) - used
        still_well(crowd, server)
    return f"{lines} x 64 KiB byte by byte: {used:.1f} s of CPU; {delays}"


def storm(home: Path, connects: int) -> str:
    """Connect and close as fast as this machine allows. Return figures."""
    with under_attack(home, "--no-tls") as (server, crowd, started):
        others = started(Others(server))
        before = rss_kib(server.process.pid)
        begin = time.monotonic()
        for number in range(connects):
            with contextlib.suppress(OSError), socket.socket() as each:
                each.settimeout(5)
                # Close with a reset, so that no local port stays in TIME_WAIT.
                each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
                each.connect(("127.0.0.1", server.port))
            if not number % 20:
                crowd.turn(0)
        seconds = time.monotonic() - begin
        delays = others.end()
        still_well(crowd, server)
        grown = rss_kib(server.process.pid) - before
        if grown > 64 * KIB:
            raise AssertionError(f"a storm of connects leaves {grown} KiB behind")
    return f"{connects} connects at {connects / seconds:.0f}/s; {delays}, {grown} KiB more"


def never_read(home: Path, connections: int, seconds: float) -> str:
    """Let clients request much and read nothing. Return figures."""
    with under_attack(home, "--no-tls") as (server, crowd, started):
        peers = [
            crowd.sign_in(Peer(crowd, server.port, receive_bytes=4_096), f"deaf{number}")
            for number in range(connections)
        ]
        for _ in range(100):
            peers[0].post(type="send", chat="GLOBAL", text="y" * 4_000)
        crowd.run(0.5)
        before = rss_kib(server.process.pid)
        for peer in peers:
            peer.read_on(False)
        others = started(Others(server))
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for peer in peers:
                if len(peer._out) < 1_000_000:
                    peer.send(b'{"type":"history","chat":"GLOBAL","limit":500}\n' * 100)
                    peer.send(b'{"type":"ping"}\n' * 5_000)
            crowd.run(0.05)
        delays = others.end()
        grown = rss_kib(server.process.pid) - before
        if grown > connections * 4 * _WAITING_KIB + 64 * KIB:
            raise AssertionError(f"{connections} clients that do not read take {grown} KiB")
        still_well(crowd, server)
    return f"{connections} clients that never read: {grown / connections:.0f} KiB each; {delays}"


def _talks(server: ServerProcess, crowd: Crowd, *, tls: bool) -> None:
    """Check that a user can still sign in and talk."""
    if not tls:
        still_well(crowd, server)
        return
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with (
        socket.create_connection(("127.0.0.1", server.port), timeout=10) as plain,
        context.wrap_socket(plain) as secure,
    ):
        secure.sendall(b'{"type":"login","name":"alice"}\n{"type":"send","chat":"GLOBAL","text":"hi"}\n')
        said = b""
        while b'"sent"' not in said:
            data = secure.recv(65_536)
            if not data:
                raise AssertionError(said)
            said += data


def _cpu(server: ServerProcess) -> float:
    """Return the CPU time of the server in seconds."""
    fields = Path(f"/proc/{server.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    honest(int(sys.argv[1]))
