"""The key bindings, one for each row of the table in `irchat.client.view.key_table`."""

from collections.abc import Callable

from prompt_toolkit.filters import Condition, is_searching
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent

from irchat.client.control.controller import Controller
from irchat.client.control.questions import Question
from irchat.client.terminal.input_line import InputLine
from irchat.client.terminal.key_bindings import Binding, KeyTable, PagePane
from irchat.client.terminal.message_keys import MessageKeys
from irchat.client.view.key_table import KEYS, KeyMap, KeyRow
from irchat.client.view.navigation import Place

# The SGR reports of the wheel, up and down.
_WHEEL = {"\x1b[<64": -1, "\x1b[<65": 1}
_WHEEL_ROWS = 3


def bindings(
    controller: Controller,
    line: InputLine,
    page: PagePane,
    suspend: Callable[[], object],
    copy: Callable[[str], None],
    bare: Callable[[], None],
    key_map: KeyMap = KEYS,
) -> KeyBindings:
    """Return the key bindings; all other keys are prompt_toolkit's emacs keys. ``page`` moves the pane by a page.

    ``copy`` puts a text into the clipboard of the terminal. ``bare`` shows the bare view.

    Raises ValueError for a row of the table without a binding.
    """
    table = KeyTable(key_map)
    MessageKeys(table, controller, line, page, copy)
    table.bind_all(
        [
            *_editing(controller, line),
            *_moving(table, controller, line, page),
            *_listing(table, controller, line),
            (KeyRow.BARE, True, lambda _: bare()),
            (KeyRow.SUSPEND, True, lambda _: suspend()),
        ]
    )
    return table.finish()


def _editing(controller: Controller, line: InputLine) -> list[Binding]:
    is_question = _is_question(line)
    # ``is_searching`` is global and comes last: a filter keeps references to those on its right.
    is_typing = ~Condition(lambda: controller.view.is_choosing) & ~is_searching
    return [
        (KeyRow.FLOW, ~is_searching, _do_nothing),
        (KeyRow.SEND, is_typing, lambda _: line.enter()),
        (KeyRow.NEW_LINE, is_typing & ~is_question, lambda event: event.current_buffer.insert_text("\n")),
        (KeyRow.COMPLETE, is_typing, lambda _: line.complete()),
        (KeyRow.PASTE, is_typing, lambda event: line.paste(event.data)),
        (KeyRow.CLEAR, is_typing, lambda _: line.clear_or_leave()),
        (KeyRow.LEAVE, is_typing & Condition(lambda: line.is_empty), lambda _: line.cancel_or_leave()),
        (KeyRow.BACK, is_question, lambda _: line.cancel()),
        (KeyRow.MACRO, True, _do_nothing),
        (KeyRow.ALT_IN_QUESTION, is_question, _do_nothing),
    ]


def _moving(table: KeyTable, controller: Controller, line: InputLine, page: PagePane) -> list[Binding]:
    view = controller.view
    is_in = _is_in(controller, line)
    is_choosing = Condition(lambda: view.is_choosing)
    is_manual = Condition(lambda: view.manual is not None)
    is_away = Condition(lambda: not view.pane.follows or (view.open is not None and view.open.newer))
    has_no_text_after = Condition(lambda: line.buffer.document.is_cursor_at_the_end)

    def open_chat(name: str | None) -> None:
        if name is not None:
            controller.open(name)

    def turn_wheel(event: KeyPressEvent) -> None:
        if (direction := _WHEEL.get(event.data.partition(";")[0])) and not view.is_choosing:
            page(direction, _WHEEL_ROWS)

    return [
        (KeyRow.PAGE, (is_in & ~is_choosing) | is_manual, lambda event: page(table.step(event))),
        (KeyRow.WHEEL, True, turn_wheel),
        (KeyRow.END, is_in & is_away & ~is_choosing, lambda _: controller.to_end()),
        (KeyRow.NEXT, is_in, lambda event: open_chat(view.next_chat(-table.step(event)))),
        (KeyRow.HOME, is_in, lambda _: controller.home()),
        (KeyRow.NUMBERED, is_in, lambda event: open_chat(view.numbered(table.which(event) + 1))),
        # With text to kill, Ctrl-K is emacs' own.
        (KeyRow.GO_TO, is_in & has_no_text_after, lambda _: line.turn_filter()),
    ]


def _listing(table: KeyTable, controller: Controller, line: InputLine) -> list[Binding]:
    view = controller.view
    is_manual = Condition(lambda: view.manual is not None)
    is_filter = Condition(lambda: view.filter is not None)
    is_list = Condition(lambda: line.is_empty and view.place in (Place.HOME, Place.FOUND))
    is_found = Condition(lambda: view.place is Place.FOUND)
    is_over, is_typing = is_manual | is_filter, _is_in(controller, line) & ~is_searching

    def turn_manual() -> None:
        view.manual = 0 if view.manual is None else None
        controller.changed()

    return [
        (
            KeyRow.RECALL,
            is_typing & (is_filter | is_list),
            lambda event: view.cursor.move(table.step(event), view.choices()),
        ),
        (KeyRow.RECALL, is_manual, lambda event: view.scroll_manual(table.step(event))),
        (KeyRow.HELP, ~_is_question(line), lambda _: turn_manual()),
        (KeyRow.BACK, is_typing & is_over, lambda _: line.clear_or_leave()),
        (KeyRow.BACK, is_typing & ~is_over & is_found, lambda _: controller.back()),
    ]


def _is_question(line: InputLine) -> Condition:
    return Condition(lambda: isinstance(line.target, Question))


def _is_in(controller: Controller, line: InputLine) -> Condition:
    """Return whether the user is signed in and no question is asked."""
    view = controller.view
    return Condition(lambda: view.place is not Place.SIGN_IN and not isinstance(line.target, Question))


def _do_nothing(event: KeyPressEvent) -> None:
    pass
