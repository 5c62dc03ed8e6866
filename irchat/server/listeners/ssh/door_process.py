"""The process that speaks SSH: started for the first client, started again after a crash, ended with the server."""

import os
import sys
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.endpoints import UNIXClientEndpoint
from twisted.internet.error import ConnectError
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.protocol import Factory, ProcessProtocol
from twisted.logger import Logger
from twisted.python.failure import Failure

import irchat
from irchat.net.socket_paths import short_path
from irchat.protocol.ssh_door import READY, RELAY_SOCKET, DoorConfig, encode
from irchat.server.listeners.ssh.relay import ProcessEnd, Unavailable

_MODULE = "irchat.ssh"
_LIBRARY = "asyncssh"
_AWAY = "The SSH door is not available now. Try again soon."
_NOT_INSTALLED = "SSH is not available on this server. Use irchat, or a browser."
# Seconds.
_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 30.0
_STEADY = 60.0
"""A process that has run for so long is started again after the shortest pause."""
_CONNECT_SECONDS = 10
_START_MOST = 60.0
_END_MOST = 3.0
# Limits of the lines that the process may write to the log.
_LINE_LENGTH = 1_000
_LINES_A_MINUTE = 60
# The other variables of the server are not passed on: they may hold secrets.
_PASSED_ON = ("HOME", "LANG", "LC_ALL", "LC_CTYPE", "PATH", "TMPDIR", "TZ")

_log = Logger()


def is_installed() -> bool:
    """Return whether the library for SSH is installed. It is not imported."""
    return find_spec(_LIBRARY) is not None


def environment(given: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the environment of the process, in which it finds this package."""
    ours = str(Path(irchat.__file__).resolve().parent.parent)
    paths = os.pathsep.join(filter(None, (ours, given.get("PYTHONPATH"))))
    return {name: given[name] for name in _PASSED_ON if name in given} | {"PYTHONPATH": paths}


class DoorProcess:
    """Starts the process with ``config`` when it is needed.

    ``prepare`` is called before each start, and raises an exception if the process would be of no use.
    """

    def __init__(
        self,
        reactor: Any,
        config: DoorConfig,
        prepare: Callable[[], None],
        has_library: Callable[[], bool] = is_installed,
    ) -> None:
        self._reactor = reactor
        self._config = config
        self._prepare = prepare
        self._has_library = has_library
        self._process: _Running | None = None
        self._waiting: list[Deferred[None]] = []
        self._pause = 0.0
        self._again: IDelayedCall | None = None
        self._is_stopped = self._is_missing = False

    def ready(self) -> Deferred[None]:
        """Return a Deferred that fires when the process listens. Fails with `Unavailable`."""
        if self._process is not None and self._process.is_ready:
            return succeed(None)
        waiting: Deferred[None] = Deferred()
        self._waiting.append(waiting)
        if self._process is None and self._again is None:
            self._start()
        return waiting

    async def reach(self, end: ProcessEnd) -> None:
        """Connect ``end`` with the process, which is started if necessary. Raises `Unavailable`."""
        await self.ready()
        with short_path(Path(self._config.folder) / RELAY_SOCKET) as path:
            try:
                await UNIXClientEndpoint(self._reactor, path, timeout=_CONNECT_SECONDS).connect(_OneEnd(end))
            except (OSError, ConnectError) as error:
                _log.error("the process of the SSH door cannot be reached: {why}", why=error)
                raise Unavailable(_AWAY) from None

    def connect(self, end: ProcessEnd) -> Deferred[None]:
        """Return a Deferred for `reach`."""
        return Deferred.fromCoroutine(self.reach(end))

    def stop(self) -> Deferred[None]:
        """End the process. The Deferred fires when it has ended."""
        self._is_stopped = True
        if self._again is not None:
            self._again.cancel()
            self._again = None
        self._answer(Unavailable(_AWAY))
        return succeed(None) if self._process is None else self._process.end()

    def _start(self) -> None:
        self._again = None
        if self._is_stopped or not self._is_usable():
            self._answer(Unavailable(_AWAY if self._is_stopped else _NOT_INSTALLED))
            return
        process = _Running(self)
        command = [sys.executable, "-P", "-m", _MODULE]
        try:
            self._prepare()
            self._reactor.spawnProcess(
                process, sys.executable, command, env=environment(), childFDs={0: "w", 1: "r", 2: "r"}
            )
        except Exception as error:  # no memory, no processes, no descriptors
            self._failed(f"cannot be started: {error}")
            return
        self._process = process
        process.begin(encode(self._config), self._reactor)

    def _is_usable(self) -> bool:
        if self._has_library():
            return True
        if not self._is_missing:
            self._is_missing = True
            _log.error(
                "SSH needs {library}, which is not installed: pip install {library}, or start the server with --no-ssh",
                library=_LIBRARY,
            )
        return False

    # Called by the running process.

    def note_ready(self) -> None:
        """Note that the process listens."""
        self._answer(None)

    def note_ended(self, why: str, seconds: float) -> None:
        """Note that the process has ended after ``seconds``. The next client starts it again."""
        self._process = None
        if not self._is_stopped:
            if seconds >= _STEADY:
                self._pause = 0.0
            self._failed(f"has ended ({why}), and with it all sessions over SSH")

    def _failed(self, what: str) -> None:
        self._pause = min(_LONGEST_PAUSE, 2 * self._pause or _FIRST_PAUSE)
        _log.error(
            "the process of the SSH door {what}; it can start again in {pause:g} s", what=what, pause=self._pause
        )
        self._answer(Unavailable(_AWAY))
        self._again = self._reactor.callLater(self._pause, self._pause_over)

    def _pause_over(self) -> None:
        self._again = None
        if self._waiting:
            self._start()

    def _answer(self, why: Unavailable | None) -> None:
        waiting, self._waiting = self._waiting, []
        for one in waiting:
            if why is None:
                one.callback(None)
            else:
                one.errback(why)


class _OneEnd(Factory):
    """Hands out one protocol, and logs nothing."""

    noisy = False

    def __init__(self, end: ProcessEnd) -> None:
        self._end = end

    def buildProtocol(self, addr: Any) -> ProcessEnd:
        return self._end


class _Running(ProcessProtocol):
    """A started process. It ends by itself when its input is closed, so it does not outlive a killed server."""

    transport: Any

    def __init__(self, owner: DoorProcess) -> None:
        self.is_ready = False
        self._owner = owner
        self._said = b""
        self._log_line = b""
        self._lines = 0
        self._lines_since = 0.0
        self._ended: Deferred[None] = Deferred()
        self._timers: list[IDelayedCall] = []

    def begin(self, config: bytes, reactor: Any) -> None:
        """Send the configuration, and limit the time of the start."""
        self._reactor = reactor
        self._began = self._lines_since = reactor.seconds()
        self.transport.write(config)
        self._timers.append(reactor.callLater(_START_MOST, self._is_late))

    def end(self) -> Deferred[None]:
        """End the process, by force if it does not end by itself."""
        self.transport.closeStdin()
        for seconds, signal in ((_END_MOST, "TERM"), (2 * _END_MOST, "KILL")):
            self._timers.append(self._reactor.callLater(seconds, self._signal, signal))
        return self._ended

    def outReceived(self, data: bytes) -> None:
        """Wait for the line that the process writes when it listens."""
        self._said = (self._said + data)[: len(READY)]
        if self._said == READY and not self.is_ready:
            self.is_ready = True
            self._cancel_timers()
            self._owner.note_ready()

    def errReceived(self, data: bytes) -> None:
        """Copy lines to the log of the server, a limited number."""
        *lines, self._log_line = (self._log_line + data).split(b"\n")
        self._log_line = self._log_line[:_LINE_LENGTH]
        for line in lines:
            self._write_log(line[:_LINE_LENGTH].decode("utf-8", "replace"))

    def processEnded(self, reason: Failure) -> None:
        """Report the end."""
        self._cancel_timers()
        if self._log_line:
            self._write_log(self._log_line.decode("utf-8", "replace"))
        self._owner.note_ended(_how(reason), self._reactor.seconds() - self._began)
        self._ended.callback(None)

    def _write_log(self, line: str) -> None:
        now = self._reactor.seconds()
        if now - self._lines_since >= 60:
            self._lines_since, self._lines = now, 0
        self._lines += 1
        if self._lines <= _LINES_A_MINUTE and line.strip():
            _log.info("SSH door: {line}", line=line)

    def _is_late(self) -> None:
        _log.error("the process of the SSH door was not ready in {seconds:g} s", seconds=_START_MOST)
        self._signal("KILL")

    def _signal(self, signal: str) -> None:
        self.transport.signalProcess(signal)

    def _cancel_timers(self) -> None:
        for timer in self._timers:
            if timer.active():
                timer.cancel()
        self._timers.clear()


def _how(reason: Failure) -> str:
    """Describe the end of a process."""
    value: Any = reason.value
    signal, status = getattr(value, "signal", None), getattr(value, "exitCode", None)
    return f"signal {signal}" if signal is not None else f"status {status}"
