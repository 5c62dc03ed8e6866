"""One run of the full-screen client, from the first frame until the terminal is restored."""

import asyncio
import contextlib
import gc
import os
import random
import secrets
import select
import signal
import sys
import termios
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

from prompt_toolkit.data_structures import Size
from twisted.internet.defer import CancelledError, Deferred, DeferredList, succeed
from twisted.internet.interfaces import IReactorCore, IReactorTime
from twisted.internet.stdio import StandardIO
from twisted.logger import LogEvent, globalLogBeginner
from twisted.python.failure import Failure

from irchat.client import wiring
from irchat.client.connect.entry import SavedSignIn
from irchat.client.connect.server_connection import ServerConnection
from irchat.client.connect.trust import Trust
from irchat.client.control.controller import Controller
from irchat.client.exceptions import ClientError
from irchat.client.options import ClientOptions
from irchat.client.preferences import Preferences
from irchat.client.shutdown import LEAVING_SECONDS, Shutdown, leave_on_signals
from irchat.client.terminal.application import ChatApplication
from irchat.client.terminal.device import RESTORE, Device, TerminalInput, TerminalOutput, erase_rows
from irchat.client.terminal.frame_pacing import FramePacing
from irchat.client.terminal.styles import colour_depth
from irchat.client.view.screen_state import ScreenState
from irchat.protocol.rules import visible

_STDIN, _STDOUT = 0, 1


def run_full_screen(reactor: Any, options: ClientOptions, settings: Preferences, problems: Sequence[str] = ()) -> int:
    """Run the client in ``reactor``. Return its exit status: 0 if the user left, 1 after an error.

    ``problems`` with the settings are shown after the sign-in.
    """
    try:
        address, dialer = wiring.make_dialer(reactor, options)
    except ClientError as error:
        wiring.write_error(f"! {error.text}")
        return 1
    label = dialer.target.label
    view = ScreenState(label)
    controller = Controller(reactor, view, partial(secrets.token_urlsafe, 12), random.random)
    terminal = wiring.open_again(_STDIN)
    screen = FullScreenRun(reactor, reactor, controller, terminal, settings)
    StandardIO(screen.device, terminal, wiring.open_again(_STDOUT), reactor)  # type: ignore[call-arg]
    tokens = wiring.tokens()
    # A problem is shown after the sign-in, because the sign-in screen is about to be cleared.
    complain_later = partial(reactor.callLater, 0, controller.questions.complain)
    entry = SavedSignIn(tokens, label, address.user, controller.questions, complain_later)
    trust = Trust(dialer, wiring.known_hosts(), tokens, controller.questions, options.fingerprint, entry.warn)
    for problem in problems:
        entry.warn(problem)
    leave_on_signals(reactor, screen.stop)
    try:
        screen.begin(wiring.remembering(trust.connect, options), entry)
        gc.freeze()  # these objects live until the exit: scanning them repeatedly would delay keys
        reactor.run()
    finally:
        screen.restore()
        _say_last(screen.last_words)
    return screen.status


class FullScreenRun:
    """The application on the terminal open at ``descriptor``.

    After the run, ``status`` is the exit status, and ``last_words`` is the text for standard error once the terminal is
    restored.
    """

    def __init__(
        self, reactor: IReactorCore, clock: IReactorTime, controller: Controller, descriptor: int, settings: Preferences
    ) -> None:
        self.status = 0
        self.last_words = ""
        self._clock = clock
        self._controller = controller
        self._descriptor = descriptor
        self._found = termios.tcgetattr(descriptor)
        self.device = Device(TerminalInput(descriptor))
        term = os.environ.get("TERM", "")
        self._output = TerminalOutput(self.device.write, self._size, term, colour_depth(os.environ, settings.colours))
        self._settings = settings
        self._talk: Deferred[None] = succeed(None)
        self._drawing: Deferred[None] = succeed(None)
        self._shutdown = Shutdown(reactor, clock, self._close)
        self.stop = self._shutdown.begin

    def begin(self, connect: Callable[[], Awaitable[ServerConnection]], entry: SavedSignIn) -> None:
        """Begin as soon as the reactor runs. The device must have its transport."""
        self._app = ChatApplication(
            self._clock,
            self._controller,
            self.device,
            self._output,
            settings=self._settings,
            stop_process=lambda: os.kill(0, signal.SIGTSTP),
            pacing=FramePacing(),
        )
        self._controller.left.addCallback(lambda _: self.stop())
        self.device.on_gone = self.stop
        self.device.on_failure = self.fail
        observer: Any = self._observe
        globalLogBeginner.beginLoggingTo([observer], discardBuffer=True, redirectStandardIO=True)
        self._clock.callLater(0, self._begin, connect, entry)  # asyncio needs the loop to be running

    def restore(self) -> None:
        """Restore the terminal, and leave nothing on it that was shown."""
        with contextlib.suppress(OSError, termios.error):
            termios.tcsetattr(self._descriptor, termios.TCSANOW, self._found)
        with contextlib.suppress(OSError):
            if self._output.in_use or not self.device.idle:
                self._write_all(erase_rows(self._size().rows).encode() + RESTORE)

    def _write_all(self, data: bytes) -> None:
        """Write to the terminal. Give up after `LEAVING_SECONDS` without progress. Raises OSError."""
        os.set_blocking(self._descriptor, False)
        while data and select.select([], [self._descriptor], [], LEAVING_SECONDS)[1]:
            data = data[os.write(self._descriptor, data) :]

    def fail(self, failure: Failure) -> None:
        """End because of a fault in the client. Only the first failure is reported."""
        if not self.last_words:
            self.status, self.last_words = 1, failure.getTraceback()
        self.stop()

    def _begin(self, connect: Callable[[], Awaitable[ServerConnection]], entry: SavedSignIn) -> None:
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
        elif not (self._shutdown.has_begun and failure.check(CancelledError)):
            self.fail(failure)

    def _loop_failed(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception") or RuntimeError(context.get("message"))
        self.fail(Failure(error))

    def _observe(self, event: LogEvent) -> None:
        if failure := event.get("log_failure"):
            self.fail(failure)

    def _continue(self) -> None:
        """Take the terminal back from the shell after the process was suspended."""
        self.device.keys.raw_mode().__enter__()
        self._app.repaint()

    def _close(self) -> list[Deferred[Any]]:
        self._talk.cancel()
        if self._app.is_running and not self._app.is_done:
            self._app.exit()
        drawn = DeferredList([self._drawing], consumeErrors=True)
        closing: list[Deferred[Any]] = [drawn.addCallback(lambda _: self.device.finish())]
        if (connection := self._controller.connection) is not None:
            closing.append(connection.close())
        return closing

    def _size(self) -> Size:
        try:
            columns, rows = os.get_terminal_size(self._descriptor)
        except OSError:
            columns, rows = 0, 0
        return Size(rows=rows or 24, columns=columns or 80)


def _say_last(words: str) -> None:
    """Write to the original standard error. The text may come from the server, so it is made safe to show."""
    if words and sys.__stderr__ is not None:
        sys.__stderr__.write(visible(words))
        sys.__stderr__.flush()
