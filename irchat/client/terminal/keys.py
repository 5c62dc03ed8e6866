"""The key bindings, one for each row of the table in `irchat.client.view.key_table`."""

from collections.abc import Callable

from prompt_toolkit.filters import Condition, is_searching
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent

from irchat.client.control.controller import Controller
from irchat.client.control.questions import Question
from irchat.client.terminal.input_line import InputLine
from irchat.client.terminal.key_bindings import KeyTable, PagePane
from irchat.client.terminal.message_keys import MessageKeys
from irchat.client.view.chat_state import ChatState
from irchat.client.view.key_table import KEYS, KeyMap, KeyRow
from irchat.client.view.navigation import Place

# The SGR reports of the wheel, up and down.
_WHEEL = {"\x1b[<64": -1, "\x1b[<65": 1}
_WHEEL_ROWS = 3


def bindings(
    controller: Controller,
    line: InputLine,
    page: PagePane,
    suspend: Callable[[], None],
    copy: Callable[[str], None],
    bare: Callable[[], None],
    key_map: KeyMap = KEYS,
) -> KeyBindings:
    """Return the key bindings; all other keys are prompt_toolkit's emacs keys. ``page`` moves the pane by a page.

    ``copy`` puts a text into the clipboard of the terminal. ``bare`` shows the bare view.

    Raises ValueError for a row of the table without a binding.
    """
    table = KeyTable(key_map)
    _editing(table, controller, line)
    _moving(table, controller, line, page)
    _listing(table, controller, line)
    MessageKeys(table, controller, line, page, copy)
    table.bind(KeyRow.BARE)(lambda event: bare())
    table.bind(KeyRow.SUSPEND)(lambda event: suspend())
    return table.finish()


def _editing(table: KeyTable, controller: Controller, line: InputLine) -> None:
    is_question = Condition(lambda: isinstance(line.target, Question))

    is_choosing = Condition(lambda: controller.view.is_choosing)

    @table.bind(KeyRow.SEND, ~is_searching & ~is_choosing)
    def _(event: KeyPressEvent) -> None:
        line.enter()

    @table.bind(KeyRow.NEW_LINE, ~is_searching & ~is_question & ~is_choosing)
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text("\n")

    @table.bind(KeyRow.COMPLETE, ~is_searching & ~is_choosing)
    def _(event: KeyPressEvent) -> None:
        if isinstance(line.target, ChatState):
            line.complete()

    @table.bind(KeyRow.PASTE, ~is_searching & ~is_choosing)
    def _(event: KeyPressEvent) -> None:
        line.paste(event.data)

    @table.bind(KeyRow.CLEAR, ~is_searching & ~is_choosing)
    def _(event: KeyPressEvent) -> None:
        if not line.clear():
            line.interrupt()

    @table.bind(KeyRow.LEAVE, ~is_searching & ~is_choosing & Condition(lambda: line.is_empty))
    def _(event: KeyPressEvent) -> None:
        if not line.cancel():
            line.leave()

    @table.bind(KeyRow.MACRO)
    @table.bind(KeyRow.ALT_IN_QUESTION, is_question)
    def _(event: KeyPressEvent) -> None:
        """Do nothing."""


def _moving(table: KeyTable, controller: Controller, line: InputLine, page: PagePane) -> None:
    view = controller.view
    is_in = _is_in(controller, line)
    is_manual = Condition(lambda: view.manual is not None)
    is_choosing = Condition(lambda: view.is_choosing)
    is_away = Condition(lambda: not view.pane.follows or (view.open is not None and view.open.newer))

    @table.bind(KeyRow.PAGE, (is_in & ~is_choosing) | is_manual)
    def _(event: KeyPressEvent) -> None:
        page(table.step(event))

    @table.bind(KeyRow.WHEEL)
    def _(event: KeyPressEvent) -> None:
        if (direction := _WHEEL.get(event.data.partition(";")[0])) and not view.is_choosing:
            page(direction, _WHEEL_ROWS)

    @table.bind(KeyRow.END, is_in & is_away & ~is_choosing)
    def _(event: KeyPressEvent) -> None:
        controller.to_end()

    @table.bind(KeyRow.NEXT, is_in)
    def _(event: KeyPressEvent) -> None:
        _open(controller, view.next_chat(-table.step(event)))

    @table.bind(KeyRow.HOME, is_in)
    def _(event: KeyPressEvent) -> None:
        controller.home()

    @table.bind(KeyRow.NUMBERED, is_in)
    def _(event: KeyPressEvent) -> None:
        _open(controller, view.numbered(table.which(event) + 1))

    # With text to kill, Ctrl-K is emacs' own.
    @table.bind(KeyRow.GO_TO, is_in & Condition(lambda: line.buffer.document.is_cursor_at_the_end))
    def _(event: KeyPressEvent) -> None:
        if view.filter is None:
            line.begin_filter()
        else:
            line.cancel()
        controller.changed()


def _listing(table: KeyTable, controller: Controller, line: InputLine) -> None:
    view = controller.view
    is_question = Condition(lambda: isinstance(line.target, Question))
    is_in = _is_in(controller, line)
    is_list = Condition(lambda: view.filter is not None or (line.is_empty and view.place in (Place.HOME, Place.FOUND)))
    is_manual = Condition(lambda: view.manual is not None)
    is_over = Condition(lambda: view.manual is not None or view.filter is not None)

    @table.bind(KeyRow.RECALL, is_in & is_list & ~is_searching)
    def _(event: KeyPressEvent) -> None:
        view.cursor.move(table.step(event), view.choices())

    @table.bind(KeyRow.RECALL, is_manual)
    def _(event: KeyPressEvent) -> None:
        view.scroll_manual(table.step(event))

    @table.bind(KeyRow.HELP, ~is_question)
    def _(event: KeyPressEvent) -> None:
        view.manual = None if view.manual is not None else 0
        controller.changed()

    @table.bind(KeyRow.BACK, is_over & is_in & ~is_searching)
    def _(event: KeyPressEvent) -> None:
        line.clear()

    @table.bind(KeyRow.BACK, is_question)
    def _(event: KeyPressEvent) -> None:
        line.cancel()

    @table.bind(KeyRow.BACK, ~is_over & is_in & ~is_searching & Condition(lambda: view.place is Place.FOUND))
    def _(event: KeyPressEvent) -> None:
        controller.back()


def _is_in(controller: Controller, line: InputLine) -> Condition:
    """Return whether the user is signed in and no question is asked."""
    view = controller.view
    return Condition(lambda: view.place is not Place.SIGN_IN and not isinstance(line.target, Question))


def _open(controller: Controller, name: str | None) -> None:
    if name is not None:
        controller.open(name)
