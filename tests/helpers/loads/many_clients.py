"""Many clients in one process that do not wait for each other, for tests of a real server under load."""

import errno
import re
import resource
import selectors
import socket
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from irchat.tap import Options
from tests.helpers.processes import PATIENCE

AnyPeer = TypeVar("AnyPeer", bound="Peer")

# For tests with hundreds of clients from one address that send as fast as they can.
_UNLIMITED = frozenset({"rate", "per-address", "per-user", "pending", "tries", "registrations", "groups", "timed"})
_CHUNK = 262_144
_SIGNS_OF_LIFE_SECONDS = 20
_SIGNING_IN = 200


def unlimited() -> list[str]:
    """Return the options that lift every limit of the server."""
    known = {parameter[0] for parameter in Options.optParameters}
    return [word for name in sorted(_UNLIMITED & known) for word in (f"--{name}", "0")]


def open_many_files() -> None:
    """Raise the limit of open files for this process and its children."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


class Peer:
    """A JSON client over plain TCP. ``receive_bytes`` limits what the kernel buffers."""

    def __init__(self, crowd: "Crowd", port: int, *, receive_bytes: int = 0) -> None:
        self.socket = socket.socket()
        if receive_bytes:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        self.socket.setblocking(False)
        self.is_open = True
        self.is_reading = True
        self.waiting: dict[int, Callable[[dict[str, Any]], None]] = {}
        self._crowd = crowd
        self._ref = 0
        self._out = bytearray()
        self._rest = b""
        self._interest = 0
        code = self.socket.connect_ex(("127.0.0.1", port))
        if code not in (0, errno.EINPROGRESS):
            raise OSError(code, "cannot connect")
        self._watch()

    def post(self, then: "Callable[[dict[str, Any]], None] | None" = None, **request: Any) -> None:
        """Send a request. ``then`` is called with the reply."""
        if then is not None:
            self._ref += 1
            self.waiting[self._ref] = then
            request["ref"] = self._ref
        self.send(msgspec.json.encode(request) + b"\n")

    def send(self, data: bytes) -> None:
        """Send bytes."""
        if self.is_open:
            self._out += data
            self._watch()

    def send_no_more(self) -> None:
        """Discard unsent bytes."""
        self._out.clear()
        self._watch()

    def read_on(self, reads: bool) -> None:
        """Start or stop reading."""
        self.is_reading = reads
        self._watch()

    def on_event(self, event: dict[str, Any]) -> None:
        """Handle a line that is not a reply."""

    def on_data(self, data: bytes) -> None:
        """Handle received bytes."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self.on_line(line)

    def on_line(self, line: bytes) -> None:
        """Handle a line: a reply, an event, or something that is not JSON."""
        if line.startswith(b"{"):
            said = msgspec.json.decode(line)
            then = self.waiting.pop(said.pop("ref", 0), None)
            if then is None:
                self.on_event(said)
            else:
                then(said)

    def close(self) -> None:
        """Close the connection."""
        if self.is_open:
            self.is_open = False
            self._crowd.watch(self, 0)
            self.socket.close()

    def turn(self, mask: int) -> None:
        """Handle a socket that can be read or written."""
        try:
            if mask & selectors.EVENT_WRITE and self._out:
                del self._out[: self.socket.send(self._out)]
            if mask & selectors.EVENT_READ and self.is_open:
                data = self.socket.recv(_CHUNK)
                if data:
                    self.on_data(data)
                else:
                    self.close()
        except BlockingIOError:
            pass
        except OSError:
            self.close()
        self._watch()

    def _watch(self) -> None:
        if self.is_open:
            mask = (selectors.EVENT_READ if self.is_reading else 0) | (selectors.EVENT_WRITE if self._out else 0)
            if mask != self._interest:
                self._crowd.watch(self, mask, self._interest)
                self._interest = mask


class Crowd:
    """Runs many peers on one poller."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self.peers: list[Peer] = []
        self.keeps_alive = False
        self._signed_at = 0.0

    def join(self, peer: AnyPeer) -> AnyPeer:
        """Register ``peer``, to close it with the others."""
        self.peers.append(peer)
        return peer

    def sign_in(self, peer: AnyPeer, name: str) -> AnyPeer:
        """Sign ``peer`` in at a server without passwords, and wait for it."""
        self.sign_in_many([(peer, {"type": "login", "name": name})])
        return peer

    def sign_in_many(self, comers: Iterable[tuple[Peer, dict[str, Any]]]) -> None:
        """Sign in all ``comers``, each with a request, and wait for them.

        They may connect when they are created, so more are taken only when few are still waiting for a welcome.
        """
        came = welcomed = 0

        def welcome(reply: dict[str, Any]) -> None:
            nonlocal welcomed
            if reply["type"] != "welcome":
                raise AssertionError(reply)
            welcomed += 1

        for peer, request in comers:
            came += 1
            self.join(peer).post(welcome, **request)
            self.until(lambda: came - welcomed < _SIGNING_IN, "some to be welcomed")  # noqa: B023 -- called at once
        self.until(lambda: welcomed == came, "all to be welcomed")

    def watch(self, peer: Peer, mask: int, before: int = 1) -> None:
        """Watch the socket of ``peer`` for the events ``mask``."""
        if not mask:
            if peer.socket in self._selector.get_map():
                self._selector.unregister(peer.socket)
        elif not before or peer.socket not in self._selector.get_map():
            self._selector.register(peer.socket, mask, peer)
        else:
            self._selector.modify(peer.socket, mask, peer)

    def turn(self, seconds: float = 0.0) -> None:
        """Handle one round of events within ``seconds``. With ``keeps_alive``, all peers answer pings."""
        if self.keeps_alive and time.monotonic() > self._signed_at + _SIGNS_OF_LIFE_SECONDS:
            self._signed_at = time.monotonic()
            for peer in self.peers:
                peer.send(b'{"type":"pong"}\n')
        if not self._selector.get_map():
            time.sleep(seconds)
            return
        for key, mask in self._selector.select(seconds):
            key.data.turn(mask)

    def run(self, seconds: float) -> None:
        """Run the peers for some seconds."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.turn(left)

    def until(self, condition: Callable[[], Any], what: str, patience: float = PATIENCE) -> None:
        """Run the peers until ``condition`` holds."""
        end = time.monotonic() + patience
        while not condition():
            if time.monotonic() > end:
                raise AssertionError(f"waited in vain for {what}")
            self.turn(0.05)

    def drain(self) -> None:
        """Read the remaining output of a dead server."""
        for peer in self.peers:
            # Unsent bytes would end the connection before everything is read.
            peer.send_no_more()
            peer.read_on(True)
        self.until(lambda: not any(peer.is_open for peer in self.peers), "all connections to end")
        self.peers.clear()

    def close(self) -> None:
        """Close all peers."""
        for peer in self.peers:
            peer.close()
        self.peers.clear()
        self._selector.close()


def rss_kib(pid: int) -> int:
    """Return the memory of a process in KiB."""
    found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    assert found, "a process that lives has memory"
    return int(found[1])


def percentile(values: list[float], share: float) -> float:
    """Return the value below which ``share`` of ``values`` lie."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]
