"""The ends of the process and of the server, and sieges of the port, with real processes and sockets."""

import os
import signal
import socket
import struct
import subprocess
import time
from pathlib import Path

import pytest

from tests.helpers.processes import PATIENCE, wait_for
from tests.helpers.ssh_clients import SSHCase

pytestmark = pytest.mark.slow

_SILENT = 2_000


class EndTests(SSHCase):
    """Ends."""

    def children(self) -> list[int]:
        """Return the processes that the server has started."""
        pid = self.server.process.pid
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def lines(self) -> "subprocess.Popen[bytes]":
        """Return an ssh that is signed in by key, and waits for lines."""
        client = subprocess.Popen(
            self.command("alice", "-T", key="alice"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=self.home,
        )
        self.addCleanup(lambda: client.poll() is None and client.kill())
        assert client.stdin is not None and client.stdout is not None
        client.stdin.write(b"~\n")
        client.stdin.flush()
        self.assertIn(b"you block nobody", client.stdout.readline())
        return client

    def test_process_is_killed(self) -> None:
        """If the process is killed, its sessions end, all others go on, and the next client gets a new process."""
        self.assertEqual(self.children(), [])
        client = self.lines()
        (process,) = self.children()
        ours = os.getpriority(os.PRIO_PROCESS, self.server.process.pid)
        self.assertEqual(os.getpriority(os.PRIO_PROCESS, process), min(19, ours + 5))
        os.kill(process, signal.SIGKILL)
        self.assertNotEqual(client.wait(PATIENCE), 0)
        self.assertEqual(self.alice.ask(type="ping")["type"], "pong")
        self.assertEqual(self.run_ssh("alice", "ls", key="alice").returncode, 0)
        self.assertNotEqual(self.children(), [process])
        self.assertIn("has ended (signal 9)", self.server.log.read_text())

    def test_server_is_killed(self) -> None:
        """The process ends with its server, also if that is killed. One that is stopped leaves the screens first."""
        client = self.lines()
        (process,) = self.children()
        self.server.kill()
        self.assertNotEqual(client.wait(PATIENCE), 0)
        wait_for(lambda: not Path(f"/proc/{process}").exists() or _is_zombie(process), "the process to end")
        self.server = type(self.server)(self.home)
        self.assertEqual(self.run_ssh("alice", "ls", key="alice").returncode, 0)
        screen = self.screen("alice", key="alice")
        screen.expect("alice@")
        self.server.stop()
        self.assertEqual(screen.wait(), 1)
        self.assertIn("! The server has stopped.", screen.expect_gone("alice@"))
        self.assertIn(b"\x1b[?1049l", screen.output)
        self.assertEqual([path.name for path in self.server.data.iterdir() if path.is_socket()], [])


class SiegeTests(SSHCase):
    """Sieges."""

    server_options = ("--rate", "0", "--per-address", "0", "--pending", "0")

    def connect(self, data: bytes = b"") -> socket.socket:
        """Return a connection that has sent ``data``."""
        client = socket.create_connection(("127.0.0.1", self.server.port), timeout=PATIENCE)
        self.addCleanup(client.close)
        client.sendall(data)
        return client

    def is_answered(self) -> bool:
        """Return whether the server answers others, and new users of SSH."""
        return self.alice.ask(type="ping")["type"] == "pong"

    def test_silence(self) -> None:
        """Thousands of silent connections get the version of the server, start no process, and hold up nobody."""
        silent = [self.connect() for _ in range(_SILENT)]
        self.assertTrue(self.is_answered())
        for client in silent[:: _SILENT // 20]:
            self.assertEqual(client.recv(100), b"SSH-2.0-IRChat\r\n")
        self.assertTrue(self.is_answered())
        self.assertFalse((self.server.data / "ssh.sock").exists())
        self.assertEqual(self.run_ssh("alice", "ls", key="alice").returncode, 0)

    def test_bad_beginnings(self) -> None:
        """Half and endless versions reach no process. What follows a version and is no packet ends its client alone."""
        for _ in range(200):
            self.connect(b"SSH-2.0-half")
        for data in b"SSH-2.0-" + b"x" * 5_000, b"SSH-1.5-old\r\n", b"SSH-" + b"\0" * 5_000:
            said = b""
            client = self.connect(data)
            try:
                while more := client.recv(1_000):
                    said += more
            except ConnectionResetError:
                pass
            self.assertFalse(said and not said.startswith(b"SSH-2.0-IRChat\r\n"), said)
        self.assertFalse((self.server.data / "ssh.sock").exists())
        huge = struct.pack("!IB", 2**32 - 1, 4) + b"x" * 1_000
        clients = [self.connect(b"SSH-2.0-Test\r\n" + data) for data in (huge, b"x" * 100_000, b"") for _ in range(20)]
        self.assertEqual(self.run_ssh("alice", "ls", key="alice").returncode, 0)
        self.assertTrue(self.is_answered())
        for client in clients[:40]:
            _drain(client)
        self.assertNotIn("Traceback", self.server.log.read_text("utf-8", "replace"))


def _drain(client: socket.socket) -> None:
    """Read until the server has closed the connection."""
    end = time.monotonic() + PATIENCE
    try:
        while client.recv(65_536) and time.monotonic() < end:
            pass
    except ConnectionResetError:
        pass


def _is_zombie(process: int) -> bool:
    try:
        return "\nState:\tZ" in Path(f"/proc/{process}/status").read_text()
    except FileNotFoundError:
        return True
