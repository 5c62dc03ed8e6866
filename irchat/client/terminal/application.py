"""The full-screen application: its layout, and when it is drawn."""

import asyncio
from collections.abc import Callable

from prompt_toolkit.application import Application
from prompt_toolkit.application.run_in_terminal import in_terminal
from prompt_toolkit.clipboard import DynamicClipboard
from prompt_toolkit.filters import Condition
from prompt_toolkit.layout import ConditionalContainer, HSplit, Layout, VSplit, Window
from prompt_toolkit.search import stop_search
from prompt_toolkit.widgets import SearchToolbar
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.python.failure import Failure

from irchat.client.control.controller import Controller
from irchat.client.preferences import Preferences
from irchat.client.terminal.bare_view import BareView
from irchat.client.terminal.controls import Frame, InputControl, InputWindow, Rows
from irchat.client.terminal.device import Device, TerminalOutput
from irchat.client.terminal.frame_pacing import FramePacing
from irchat.client.terminal.input_line import InputLine
from irchat.client.terminal.inputs import Shown
from irchat.client.terminal.keys import bindings
from irchat.client.terminal.styles import STYLE
from irchat.client.view.chat_state import ChatState
from irchat.client.view.navigation import Place
from irchat.client.view.panels import Painter
from irchat.client.view.rows import Row
from irchat.text.cells import cells

# Seconds between two notifications.
_QUIET = 1.0
# Seconds after Escape in which another key counts as Alt and that key.
_ESCAPE = 0.05

# The sidebar is hidden up to this number of columns.
NARROW = 80
# Above this number of columns, a list of people is at the right.
_WIDE = 140
_SIDE_MIN, _SIDE_MAX = 22, 32
_STATUS_ROWS = 3
_NO_SHELL = "There is no shell to go back to: exit leaves."


class ChatApplication(Application[None]):
    """Draw the controller's screen state on ``output``, and pass keys to the controller, of which this is the screen.

    A frame is drawn only after the device has written the previous one. A failure while drawing ends the device's user
    through ``device.on_failure``. ``stop_process`` suspends the process (Ctrl-Z); without it there is no shell to go
    back to. ``pacing`` is shared by all screens of a process. ``frame_took`` is the seconds that the last frame took.
    """

    def __init__(
        self,
        clock: IReactorTime,
        controller: Controller,
        device: Device,
        output: TerminalOutput,
        *,
        settings: Preferences,
        stop_process: Callable[[], None] | None,
        pacing: FramePacing,
    ) -> None:
        self._clock = clock
        self._controller = controller
        self._view = controller.view
        self._device, self._terminal = device, output
        self._settings = settings
        self._next_notification: IDelayedCall | None = None
        self._delayed_text = ""
        self._stop_process, self._pacing = stop_process, pacing
        self._painter = Painter(self._view, language=controller.language, key_map=settings.keys)
        self._line = InputLine(controller, lambda: self.layout.is_searching, lambda: stop_search(self._input_control))
        self._sent: Shown | None = None
        self._pane_width, self._pane_height = 80, 20
        self._soon: IDelayedCall | None = None
        self._wants_frame = False
        self._bare = BareView(controller.view, output, self._end_bare)
        self._frame_began = self.frame_took = 0.0
        self._title = ""
        super().__init__(
            layout=self._layout(),
            style=STYLE,
            key_bindings=bindings(
                controller, self._line, self._page, self._suspend, output.copy, self._begin_bare, settings.keys
            ),
            clipboard=DynamicClipboard(lambda: self._line.clipboard),
            full_screen=True,
            mouse_support=settings.mouse,
            erase_when_done=True,
            terminal_size_polling_interval=None,
            max_render_postpone_time=None,
            input=device.keys,
            output=output,
            before_render=lambda _: self._before_frame(),
            after_render=lambda _: self._after_frame(),
        )
        self.ttimeoutlen = self.timeoutlen = _ESCAPE
        self.key_processor.before_key_press += lambda _: self._line.key_pressed()
        self.key_processor.after_key_press += lambda _: self._line.follow()
        device.on_drained = self._on_drained
        controller.on_changed, controller.incoming.notify = self.draw_soon, self.notify

    def draw_soon(self) -> None:
        """Draw soon, together with other changes until then. A key is drawn immediately."""
        if self._soon is None:
            self._soon = self._clock.callLater(self._pacing.begin_wait(self.frame_took), self._draw)

    def notify(self, text: str) -> None:
        """Notify a user who may be looking elsewhere, at most once a second. Of several, show the last."""
        if not self._settings.bell and not self._settings.notify:
            return
        if self._next_notification is None:
            self._terminal.notify(text, bell=self._settings.bell, show=self._settings.notify)
            self._next_notification = self._clock.callLater(_QUIET, self._notify_again)
        else:
            self._delayed_text = text

    def _notify_again(self) -> None:
        self._next_notification = None
        text, self._delayed_text = self._delayed_text, ""
        if text and self.is_running:
            self.notify(text)

    def invalidate(self) -> None:
        """Draw as soon as the terminal has received the previous frame."""
        if self._bare.is_on:
            self._bare.refresh()
        elif self._device.idle:
            super().invalidate()
        else:
            self._wants_frame = True

    def repaint(self) -> None:
        """Redraw everything: another program may have drawn on the terminal."""
        self._bare.end()
        if self.is_running and not self._running_in_terminal:
            self.renderer.reset()
            self._redraw()

    def _on_drained(self) -> None:
        self._line.drew(self._sent)
        if self._wants_frame:
            self._wants_frame = False
            super().invalidate()

    def resized(self) -> None:
        """Redraw everything at the new size of a terminal over SSH, for which no SIGWINCH comes."""
        if self.is_running:
            self._on_resize()

    def _draw(self) -> None:
        self._soon = None
        self._pacing.end_wait()
        self.invalidate()

    def _before_frame(self) -> None:
        self._frame_began = self._clock.seconds()
        if not self._line.is_busy:
            self._controller.settle()
        self._view.waits = self._controller.waits()
        self._line.follow()
        self._shown = self._line.shown()  # the frame is about to show this
        self._pane_height = 0  # until the pane is drawn: a terminal can be too small for it

    def _after_frame(self) -> None:
        self.frame_took = self._clock.seconds() - self._frame_began
        # A terminal can be too small for the input as well.
        is_drawn = self._input in self.layout.visible_windows
        self._sent = self._line.painted(self._shown) if is_drawn else None
        self._controller.hidden = self._pane_height == 0
        if self._device.idle:  # nothing was written
            self._line.drew(self._sent)
        self._controller.drawn()
        count = f"({self._view.unread:,}) " if self._view.unread else ""
        title = f"{count}IRChat {self._view.server}"
        if title != self._title:
            self._title = title
            self._terminal.set_title(title)
            self._terminal.flush()

    def _redraw(self, render_as_done: bool = False) -> None:
        try:
            if render_as_done or not self._bare.is_on:
                super()._redraw(render_as_done)
        except Exception:
            self._device.on_failure(Failure())

    def _on_resize(self) -> None:
        self._bare.end()
        super()._on_resize()

    def _begin_bare(self) -> None:
        self.renderer.reset(leave_alternate_screen=False)  # the mouse and pastes are the terminal's again
        if self._bare.begin():
            self._controller.hidden = True
            self._device.keys.intercept = self._bare.end

    def _end_bare(self) -> None:
        self._device.keys.intercept = None
        self.renderer.reset(leave_alternate_screen=False)
        self._controller.changed()
        self.invalidate()

    def _page(self, direction: int, rows: int | None = None) -> None:
        """Move the pane up (-1) or down (1) by some rows, or by a page."""
        view = self._view
        if view.manual is not None:
            view.scroll_manual(direction * (rows or self._pane_height - 2))
        elif view.place is Place.CHAT:
            paint = self._painter.paint(self._pane_width, self._clock.seconds())
            if direction < 0:
                self._controller.page_up(view.pane.up(view.here.items, paint, rows))
            else:
                view.pane.down(view.here.items, paint, rows)
                self._controller.page_down()

    def _suspend(self) -> None:
        if self._stop_process is None:
            self._line.trouble = _NO_SHELL
            self._controller.changed()
        else:
            self.create_background_task(self._stop_and_continue(self._stop_process))

    async def _stop_and_continue(self, stop_process: Callable[[], None]) -> None:
        self._controller.hidden = True
        async with in_terminal():
            await self._device.drained().asFuture(asyncio.get_running_loop())
            stop_process()
        self._controller.changed()

    # Layout. Widths are exact if possible: prompt_toolkit distributes the rest cell by cell in each frame.

    def _layout(self) -> Layout:
        search = SearchToolbar()
        self._input_control = InputControl(
            self._line,
            search_buffer_control=lambda: search.control if isinstance(self._line.target, ChatState) else None,
        )
        self._input = InputWindow(self._input_control, width=self._input_width)
        edge = Window(char="│", width=1, style="class:edge")
        side = VSplit([Rows(self._sidebar, width=self._side_width), edge])
        people = VSplit([edge, Rows(self._painter.people, width=self._side_width)])
        header = Rows(lambda width, _: [self._painter.header(width)], height=1)
        main = HSplit([header, Rows(self._pane)], width=self._main_width)
        above = VSplit(
            [
                ConditionalContainer(side, Condition(self._has_side)),
                main,
                ConditionalContainer(people, Condition(self._has_people)),
            ]
        )
        below = VSplit([Rows(self._prompt, width=lambda: cells(self._line.question), height=1), self._input])
        body = Frame([above, Rows(self._status, height=self._status_height), search, below])
        return Layout(body, focused_element=self._input)

    def _has_side(self) -> bool:
        return self.output.get_size().columns > NARROW and self._view.place is not Place.SIGN_IN

    def _has_people(self) -> bool:
        return self.output.get_size().columns > _WIDE and self._has_side()

    def _side_width(self) -> int:
        return max(_SIDE_MIN, min(_SIDE_MAX, self.output.get_size().columns // 5))

    def _main_width(self) -> int:
        sides = self._has_side() + self._has_people()
        return self.output.get_size().columns - sides * (self._side_width() + 1)

    def _sidebar(self, width: int, height: int) -> list[Row]:
        return self._painter.sidebar(width, height, with_online=not self._has_people())

    def _prompt(self, width: int, height: int) -> list[Row]:
        return [Row((("class:prompt", self._line.question),))]

    def _input_width(self) -> int:
        return max(1, self.output.get_size().columns - cells(self._line.question))

    def _pane(self, width: int, height: int) -> list[Row]:
        self._pane_width, self._pane_height = width, height
        return self._painter.pane(width, height, self._clock.seconds())

    def _status_height(self) -> int:
        size = self.output.get_size()
        return len(self._status(size.columns, max(1, min(_STATUS_ROWS, size.rows // 6))))

    def _status(self, width: int, height: int) -> list[Row]:
        return self._painter.status(width, height, self._line.command, self._line.status)
