"""The full screen of the client on an SSH channel. One process draws many of them."""

import asyncio
import contextvars
import random
import secrets
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from prompt_toolkit.application import create_app_session
from prompt_toolkit.data_structures import Size
from prompt_toolkit.input.typeahead import clear_typeahead
from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.python.failure import Failure

from irchat.client.connect.entry import Entry
from irchat.client.connect.server_connection import ServerConnection
from irchat.client.control.controller import Controller
from irchat.client.control.questions import Questions
from irchat.client.exceptions import ClientError
from irchat.client.preferences import Preferences
from irchat.client.terminal.application import ChatApplication
from irchat.client.terminal.device import RESTORE, Device, TerminalInput, TerminalOutput, erase_rows
from irchat.client.terminal.frame_pacing import FramePacing
from irchat.client.terminal.styles import colour_depth
from irchat.client.view.screen_state import ScreenState
from irchat.protocol import requests, wire
from irchat.protocol.rules import visible
from irchat.ssh.channel_session import Started
from irchat.system.alarm import Alarm

# Seconds without a key after which the session of a guest is ended, unless the guest has signed in.
GUEST_SECONDS = 600
_GUEST_IDLE = "Nothing was typed for 10 minutes. Connect again to sign in."
_FAILED = "The screen failed, and only this session has ended. Connect again."
# Characters of a paste.
_PASTE_MOST = 262_144
_PASTE_TOO_LONG = "That paste was too long, and nothing of it was sent. Connect again."
# Keys are read in parts of so many bytes, for so many seconds at once. Then other screens have their turn.
_PART_BYTES, _TURN_SECONDS = 16, 0.005

# The screen in whose context something runs.
CURRENT: contextvars.ContextVar["RemoteScreen | None"] = contextvars.ContextVar("CURRENT", default=None)


class RemoteScreen:
    """The full screen for one user. Its failure ends this session alone.

    ``connect`` returns a new connection to the server. ``report`` is called with a failure. ``name``: that of the
    server.
    """

    def __init__(
        self,
        clock: IReactorTime,
        started: Started,
        name: str,
        pacing: FramePacing,
        connect: Callable[[], Awaitable[ServerConnection]],
        new_entry: Callable[[Questions, Callable[[ClientError], None]], Entry],
        report: Callable[[Failure], None],
    ) -> None:
        assert started.terminal is not None
        self._clock = clock
        self._transport = started.transport
        self._terminal = started.terminal
        self._connect = connect
        self._report = report
        self._controller = Controller(clock, ScreenState(name), partial(secrets.token_urlsafe, 12), random.random)
        self._entry = new_entry(self._controller.questions, self.end)
        self._device = Device(TerminalInput(None))
        depth = colour_depth(started.environment)
        self._output = TerminalOutput(self._device.write, self._size, self._terminal.term, depth)
        self._pacing = pacing
        self._last_words = ""
        self._is_over = False
        self._unread = b""
        self._idle = Alarm(clock, self._leave_idle)
        self._resizing: IDelayedCall | None = None
        self._talk: Deferred[None] = succeed(None)
        self._drawing: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Draw the screen and sign in."""
        self._device.makeConnection(self._transport)  # type: ignore[no-untyped-call]
        self._device.on_gone = self.stop
        self._device.on_failure = self.fail
        with create_app_session(self._device.keys, self._output):
            self._context = contextvars.copy_context()
        self._context.run(self._begin)

    def feed(self, data: bytes) -> None:
        """Take keys."""
        if self._is_over:
            return
        self._await_guest()
        self._unread += data
        if len(self._unread) == len(data):
            self._read_parts()
        if self._unread:
            self._transport.pauseProducing()

    def end_of_input(self) -> None:
        """Leave after the last key."""
        self.stop()

    def resized(self) -> None:
        """Draw at another size soon: a client can send many."""
        if self._resizing is None and not self._is_over:
            self._resizing = self._clock.callLater(self._pacing.begin_wait(self._app.frame_took), self._resize)

    def _resize(self) -> None:
        self._resizing = None
        self._pacing.end_wait()
        if self._device.idle:
            self._context.copy().run(self._app.resized)
        else:
            self.resized()

    def channel_lost(self) -> None:
        """End without a message, which nobody would see."""
        self._device.connectionLost()
        self.stop()

    def end(self, why: ClientError) -> None:
        """End with an error."""
        if not self._is_over:
            self._transport.status = 1
            self._last_words = "".join(f"! {line}\r\n" for line in visible(why.text).split("\n"))
            self.stop()

    def fail(self, failure: Failure) -> None:
        """End after a failure of the program, which is reported once."""
        if not self._is_over:
            self._report(failure)
            self.end(ClientError(_FAILED))

    def stop(self) -> None:
        """Leave the screen, and close the channel and the connection."""
        if self._is_over:
            return
        self._is_over = True
        self._idle.cancel()
        self._unread = b""
        self._talk.cancel()
        self._close_connection()
        drawing = self._drawing
        if drawing is None:
            self._finish()
        elif not self._app.is_running:
            drawing.cancel()
        elif not self._app.is_done:
            self._app.exit()

    def _begin(self) -> None:
        CURRENT.set(self)
        controller = self._controller
        self._app = ChatApplication(
            self._clock,
            controller,
            self._device,
            self._output,
            settings=Preferences(),
            stop_process=None,
            pacing=self._pacing,
        )
        controller.left.addCallback(lambda _: self.stop())
        run = self._app.run_async(set_exception_handler=False, handle_sigint=False)
        self._drawing = asyncio.get_running_loop().create_task(run)
        self._drawing.add_done_callback(self._drawn)
        self._talk = Deferred.fromCoroutine(controller.run(self._connect, self._entry))
        self._talk.addErrback(self._talk_failed).addBoth(lambda _: self.stop())
        self._await_guest()

    def _read_parts(self) -> None:
        began = self._clock.seconds()
        took = 0.0
        while self._unread:
            part, self._unread = self._unread[:_PART_BYTES], self._unread[_PART_BYTES:]
            self._context.copy().run(self._device.dataReceived, part)
            if self._device.keys.pasted > _PASTE_MOST:
                self.end(ClientError(_PASTE_TOO_LONG))
            if (took := self._clock.seconds() - began) >= _TURN_SECONDS:
                break
        if self._unread:
            self._clock.callLater(self._pacing.begin_pause(took + self._app.frame_took), self._read_on)

    def _read_on(self) -> None:
        self._pacing.end_wait()
        self._read_parts()
        if not self._unread and not self._is_over:
            self._transport.resumeProducing()

    def _await_guest(self) -> None:
        """Begin to wait for a key of a guest."""
        if not self._is_signed_in:
            self._idle.set(self._clock.seconds() + GUEST_SECONDS)
        else:
            self._idle.cancel()

    @property
    def _is_signed_in(self) -> bool:
        return bool(self._controller.view.me)

    def _leave_idle(self) -> None:
        if not self._is_signed_in:
            self.end(ClientError(_GUEST_IDLE))

    def _talk_failed(self, failure: Failure) -> None:
        if isinstance(failure.value, ClientError):
            self.end(failure.value)
        elif not (self._is_over and failure.check(CancelledError)):
            self.fail(failure)

    def _drawn(self, task: "asyncio.Task[None]") -> None:
        """Finish after the last frame."""
        if not task.cancelled() and (error := task.exception()) is not None:
            self.fail(Failure(error))
        self._is_over = True
        self._finish()

    def _finish(self) -> None:
        clear_typeahead(self._device.keys)
        if self._output.in_use:
            self._transport.write(erase_rows(self._size().rows).encode() + RESTORE)
        self._transport.write(self._last_words.encode())
        self._device.finish()

    def _close_connection(self) -> None:
        connection = self._controller.connection
        if connection is not None:
            if self._entry.is_temporary and not self._controller.left.called:
                connection.send(wire.encode_request(requests.Logout(forget=True)))
            connection.close()

    def _size(self) -> Size:
        return self._terminal.size


def fail_current(context: dict[str, Any], report: Callable[[Failure], None]) -> None:
    """Handle an exception that asyncio reports: end the screen in whose context it was raised, if there is one."""
    error = context.get("exception")
    failure = Failure(error if isinstance(error, Exception) else RuntimeError(context.get("message")))
    screen = CURRENT.get()
    if screen is not None:
        screen.fail(failure)
    else:
        report(failure)
