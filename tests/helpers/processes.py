"""Real processes for end-to-end tests: the server, a client in a pseudo-terminal, and a JSON client on a socket."""

import fcntl
import json
import os
import pty
import re
import select
import signal
import socket
import ssl
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import pyte

Found = TypeVar("Found")

# Time limit for an expected event. Only a failing test waits this long.
PATIENCE = 60.0

_LISTENS = re.compile(r"port (\d+), with", re.IGNORECASE)
_COLUMNS, _LINES = 100, 40


def environment(home: Path) -> dict[str, str]:
    """Return an environment in which nothing outside ``home`` is read or written."""
    runtime = home / "run"
    runtime.mkdir(mode=0o700, parents=True, exist_ok=True)
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in ("PATH", "LANG", "LC_ALL", "PYTHONPATH", "VIRTUAL_ENV") or name.startswith("COV")
    }
    return {
        **kept,
        "HOME": str(home),
        "XDG_RUNTIME_DIR": str(runtime),
        "TERM": "xterm-256color",
        "PYTHONUNBUFFERED": "1",
    }


def twistd(*options: str) -> list[str]:
    """Return the command line of ``twistd``."""
    return [str(Path(sys.executable).with_name("twistd")), *options]


class ServerProcess:
    """``twistd -n irchat`` on a free port of the loopback interface, with more ``variables`` in its environment."""

    def __init__(self, home: Path, *options: str, port: int = 0, variables: Mapping[str, str] | None = None) -> None:
        self.data = home / "data"
        self.log = home / f"server-{len(list(home.glob('server-*.log')))}.log"
        place = ["--data", str(self.data), "--host", "127.0.0.1", "--port", str(port)]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                twistd("-n", "--pidfile=", "irchat", *place, *options),
                cwd=home,
                env={**environment(home), **(variables or {})},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self.port = int(wait_for(self._port, "the server to listen"))

    def kill(self) -> None:
        """``kill -9``."""
        self.process.kill()
        self.process.wait(PATIENCE)

    def stop(self) -> int:
        """Send SIGTERM. Return the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)

    def _port(self) -> str | None:
        log = self.log.read_text()
        if self.process.poll() is not None:
            raise AssertionError(f"the server ended: {log}")
        found = _LISTENS.search(log)
        return found[1] if found else None


class Listening(Protocol):
    """A server on a port of the loopback interface."""

    @property
    def port(self) -> int:
        """The number of the port."""


@dataclass(frozen=True)
class Place:
    """The port of a server that is known by nothing else."""

    port: int


class JSONClient:
    """Speaks the JSON protocol on a socket."""

    def __init__(self, server: Listening, *, tls: bool = True) -> None:
        self._socket = socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE)
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            self._socket = context.wrap_socket(self._socket)
        self._lines = self._socket.makefile("rwb")
        self.greeting = self._lines.readline().decode()
        self.events: list[dict[str, Any]] = []

    def post(self, *requests: dict[str, Any]) -> None:
        """Send requests without waiting for replies."""
        self._lines.write(b"".join(json.dumps(request).encode() + b"\n" for request in requests))
        self._lines.flush()

    def next(self) -> dict[str, Any] | None:
        """Return the next line, None at the end of the connection."""
        try:
            line = self._lines.readline()
        except (ConnectionError, ssl.SSLError):
            return None
        return json.loads(line) if line else None

    def ask(self, **request: Any) -> dict[str, Any]:
        """Return the reply to a request. Events that come before it are kept in ``events``."""
        self.post({**request, "ref": "asked"})
        while (line := self.next()) is not None:
            if line.get("ref") == "asked":
                return line
            self.events.append(line)
        raise AssertionError("the connection ended before the reply")

    def event(self, kind: str) -> dict[str, Any]:
        """Return the next event of that type."""
        while True:
            for index, event in enumerate(self.events):
                if event["type"] == kind:
                    return self.events.pop(index)
            line = self.next()
            if line is None:
                raise AssertionError(f"the connection ended before a {kind}")
            self.events.append(line)

    def close(self) -> None:
        """Close the connection."""
        self._lines.close()
        self._socket.close()


class TerminalProcess:
    """A process in a pseudo-terminal, with its screen."""

    def __init__(
        self, arguments: Sequence[str], home: Path, columns: int = _COLUMNS, lines: int = _LINES, **variables: str
    ) -> None:
        self.screen = pyte.HistoryScreen(columns, lines, history=1_000)
        self._stream = pyte.ByteStream(self.screen)
        self._text: str | None = None
        self.output = b""
        controller, terminal = pty.openpty()
        self._controller = controller
        self._set_size(columns, lines)
        self.process = subprocess.Popen(
            arguments,
            cwd=home,
            env={**environment(home), **variables},
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 -- no threads run here
        )
        os.close(terminal)

    @classmethod
    def client(cls, address: str, home: Path, *options: str) -> "TerminalProcess":
        """``python -m irchat.client --plain`` in a terminal."""
        return cls([sys.executable, "-m", "irchat.client", "--plain", *options, address], home)

    @classmethod
    def full_screen(
        cls, address: str, home: Path, *options: str, columns: int = 80, lines: int = 24, **variables: str
    ) -> "TerminalProcess":
        """``python -m irchat.client`` in a terminal of that size."""
        return cls([sys.executable, "-m", "irchat.client", *options, address], home, columns, lines, **variables)

    def resize(self, columns: int, lines: int) -> None:
        """Resize the terminal."""
        self._read()
        self.screen.resize(lines, columns)
        self._text = None
        self._set_size(columns, lines)

    def modes(self) -> list[Any]:
        """Return the modes of the terminal: cooked or raw, echo or none."""
        return termios.tcgetattr(self._controller)

    def type(self, line: str) -> None:
        """Type a line and Enter."""
        os.write(self._controller, f"{line}\n".encode())

    def press(self, keys: bytes) -> None:
        """Press keys."""
        os.write(self._controller, keys)

    def text(self) -> str:
        """Return the text of the screen and its scrollback."""
        self._read()
        if self._text is None:
            columns = range(self.screen.columns)
            above = ("".join(row[column].data for column in columns) for row in self.screen.history.top)
            self._text = "\n".join(line.rstrip() for line in [*above, *self.screen.display])
        return self._text

    def expect(self, wanted: str) -> str:
        """Wait until the screen shows ``wanted``. Return the text of the screen."""
        return wait_for(lambda: text if wanted in (text := self.text()) else None, f"{wanted!r}", self.text)

    def expect_confirmed(self, wanted: str) -> str:
        """Wait until the screen shows ``wanted``, and no message without confirmation: these are italic."""
        self.expect(wanted)
        return wait_for(
            lambda: None if self._shows_italics() else self.text(), f"{wanted!r} to be confirmed", self.text
        )

    def expect_gone(self, unwanted: str) -> str:
        """Wait until the screen does not show ``unwanted``."""
        return wait_for(
            lambda: text if unwanted not in (text := self.text()) else None, f"{unwanted!r} to go", self.text
        )

    def read_raw(self, seconds: float) -> None:
        """Read for some seconds into ``output`` without updating the screen, which is slow."""
        if select.select([self._controller], [], [], seconds)[0]:
            self.output += os.read(self._controller, 65_536)

    def wait(self) -> int:
        """Wait for the end. Return the exit status."""
        wait_for(lambda: self._read() or self.process.poll() is not None, "the process to end", self.text)
        self._read()
        return self.process.wait(PATIENCE)

    def close(self) -> None:
        """End the process by any means."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(PATIENCE)
        os.close(self._controller)

    def _shows_italics(self) -> bool:
        self._read()
        return any(character.italics for row in self.screen.buffer.values() for character in row.values())

    def _set_size(self, columns: int, lines: int) -> None:
        fcntl.ioctl(self._controller, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def _read(self) -> None:
        while select.select([self._controller], [], [], 0)[0]:
            try:
                data = os.read(self._controller, 65_536)
            except OSError:
                return
            if not data:
                return
            self.output += data
            self._stream.feed(data)
            self._text = None


def wait_for(look: Callable[[], Found | None], what: str, explain: Callable[[], str] = str) -> Found:
    """Return the first true result of ``look``."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if found := look():
            return found
        select.select([], [], [], 0.02)
    raise AssertionError(f"waited in vain for {what}:\n{explain()}")
