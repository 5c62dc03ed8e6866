"""One run of the full screen, from the first frame until the terminal is as it was found."""

import asyncio
import contextlib
import os
import select
import signal
import sys
import termios
from collections.abc import Awaitable, Callable
from typing import Any

from prompt_toolkit.data_structures import Size
from prompt_toolkit.output import ColorDepth
from twisted.internet.defer import CancelledError, Deferred, DeferredList, TimeoutError, succeed
from twisted.internet.interfaces import IReactorCore, IReactorTime
from twisted.logger import LogEvent, globalLogBeginner
from twisted.python.failure import Failure

from irchat.client.connect.connection import Connection
from irchat.client.connect.entry import Entry
from irchat.client.control.controller import Controller
from irchat.client.errors import ClientError
from irchat.client.terminal.application import Chat
from irchat.client.terminal.device import Device, TerminalInput, TerminalOutput
from irchat.protocol.rules import visible

# Seconds. For a terminal that stands still, or a server that does not read, the end waits no longer.
_LEAVING = 2.0
# What undoes all that may have been set up, where the application could not do so itself.
_RESTORE = b"\x1b[0m\x1b[?7h\x1b[?25h\x1b[?2004l\x1b[?1049l"


class FullScreen:
    """The application on the terminal open at ``descriptor``. ``status`` is then the exit status, ``last_words`` what
    is to be said on standard error when the terminal is as it was."""

    def __init__(
        self, reactor: IReactorCore, clock: IReactorTime, controller: Controller, descriptor: int, *, bell: bool
    ) -> None:
        self.status = 0
        self.last_words = ""
        self._reactor = reactor
        self._clock = clock
        self._controller = controller
        self._descriptor = descriptor
        self._found = termios.tcgetattr(descriptor)
        self._keys = TerminalInput(descriptor)
        self.device = Device(self._keys)
        term = os.environ.get("TERM", "")
        self._output = TerminalOutput(self.device.write, self._size, term, colour_depth(os.environ))
        self._bell = bell
        self._talk: Deferred[None] = succeed(None)
        self._drawing: Deferred[None] = succeed(None)
        self._leaving = False

    def begin(self, connect: Callable[[], Awaitable[Connection]], entry: Entry) -> None:
        """Begin when the reactor runs; the device has its transport."""
        self._app = Chat(
            self._clock,
            self._controller,
            self.device,
            self._keys,
            self._output,
            bell=self._bell,
            stop_process=lambda: os.kill(0, signal.SIGTSTP),
        )
        self._controller.on_changed = self._app.draw_soon
        self._controller.incoming.notify = self._app.notify
        self._controller.left.addCallback(lambda _: self.stop())
        self.device.on_gone = self.stop
        self.device.on_failure = self.fail
        observer: Any = self._observe
        globalLogBeginner.beginLoggingTo([observer], discardBuffer=True, redirectStandardIO=True)
        self._reactor.addSystemEventTrigger("before", "shutdown", self._leave)
        self._clock.callLater(0, self._begin, connect, entry)  # when the loop runs, and not just before

    def restore(self) -> None:
        """Whatever happened: leave the terminal as it was found, and nothing on it of what was shown."""
        with contextlib.suppress(OSError, termios.error):
            termios.tcsetattr(self._descriptor, termios.TCSANOW, self._found)
        with contextlib.suppress(OSError):
            if self._output.in_use or not self.device.idle:
                self._write_all(b"\x1b[0m" + self._erasing() + _RESTORE)

    def _erasing(self) -> bytes:
        """What erases the rows one by one, so that no terminal keeps them in its scrollback."""
        return "".join(f"\x1b[{row};1H\x1b[2K" for row in range(1, self._size().rows + 1)).encode()

    def _write_all(self, data: bytes) -> None:
        """Write to the terminal, but wait no longer than `_LEAVING` for one that stands still. Raises OSError."""
        os.set_blocking(self._descriptor, False)
        while data and select.select([], [self._descriptor], [], _LEAVING)[1]:
            data = data[os.write(self._descriptor, data) :]

    def fail(self, failure: Failure) -> None:
        """Something went wrong that should not: end, and say what."""
        if not self.last_words:
            self.status, self.last_words = 1, failure.getTraceback()
        self.stop()

    def _begin(self, connect: Callable[[], Awaitable[Connection]], entry: Entry) -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(self._loop_failed)
        loop.add_signal_handler(signal.SIGCONT, self._continue)
        task = loop.create_task(self._app.run_async(set_exception_handler=False, handle_sigint=False))
        self._drawing = Deferred.fromFuture(task)
        self._drawing.addErrback(self.fail)
        self._talk = Deferred.fromCoroutine(self._controller.run(connect, entry))
        self._talk.addErrback(self._talk_failed).addBoth(lambda _: self.stop())

    def _talk_failed(self, failure: Failure) -> None:
        if isinstance(failure.value, ClientError):
            self.status, self.last_words = 1, "".join(f"! {line}\n" for line in failure.value.text.split("\n"))
        elif not (self._leaving and failure.check(CancelledError)):
            self.fail(failure)

    def _loop_failed(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception") or RuntimeError(context.get("message"))
        self.fail(Failure(error))

    def _observe(self, event: LogEvent) -> None:
        if failure := event.get("log_failure"):
            self.fail(failure)

    def _continue(self) -> None:
        """The process was stopped and goes on: what the shell did to the terminal is undone."""
        self._keys.raw_mode().__enter__()
        self._app.draw_anew()

    def stop(self) -> None:
        """Leave, in good order."""
        if not self._leaving:
            self._leaving = True
            self._reactor.stop()

    def _leave(self) -> Deferred[Any]:
        self._leaving = True
        self._talk.cancel()
        if self._app.is_running and not self._app.is_done:
            self._app.exit()
        ended = DeferredList([self._drawing], consumeErrors=True)
        ends: list[Deferred[Any]] = [ended.addCallback(lambda _: self.device.finish())]
        if (connection := self._controller.connection) is not None:
            ends.append(connection.close())
        left: Deferred[Any] = DeferredList(ends, consumeErrors=True)
        left.addTimeout(_LEAVING, self._clock)
        return left.addErrback(lambda failure: failure.trap(TimeoutError))

    def _size(self) -> Size:
        try:
            columns, rows = os.get_terminal_size(self._descriptor)
        except OSError:
            columns, rows = 0, 0
        return Size(rows=rows or 24, columns=columns or 80)


def colour_depth(environment: "os._Environ[str] | dict[str, str]") -> ColorDepth:
    """The colours that a terminal has, none where they are not wanted (NO_COLOR)."""
    term = environment.get("TERM", "")
    if environment.get("NO_COLOR") or term.startswith(("vt", "dumb")):
        return ColorDepth.DEPTH_1_BIT
    return ColorDepth.DEPTH_4_BIT if term in ("linux", "eterm-color") else ColorDepth.DEPTH_8_BIT


def say_last(words: str) -> None:
    """Write to the standard error that the process was started with. A server may have had a part in the words."""
    if words and sys.__stderr__ is not None:
        sys.__stderr__.write(visible(words))
        sys.__stderr__.flush()
