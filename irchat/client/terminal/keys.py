"""The key bindings, one for each row of the table in `irchat.client.view.key_table`."""

from collections.abc import Callable, Iterable

from prompt_toolkit.filters import Condition, FilterOrBool, is_searching
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.keys import Keys

from irchat.client.control.controller import Controller
from irchat.client.control.questions import Question
from irchat.client.terminal.input_line import InputLine
from irchat.client.view.key_table import KeyRow
from irchat.client.view.navigation import Place

PagePane = Callable[[int], None]
Binding = tuple[KeyRow, FilterOrBool, Callable[[KeyPressEvent], object]]
"""A row of the table, the condition under which its keys are bound, and the handler of its keys."""

_BACKWARDS = {Keys.PageUp, Keys.ControlP, Keys.Up}


def bindings(controller: Controller, line: InputLine, page: PagePane, suspend: Callable[[], object]) -> KeyBindings:
    """Return the key bindings; all other keys are prompt_toolkit's emacs keys. ``page`` moves the pane by a page.

    Raises ValueError for a row of the table without a binding.
    """
    return bind([*_editing(line), *_moving(controller, line, page), (KeyRow.SUSPEND, True, lambda _: suspend())])


def bind(table: Iterable[Binding]) -> KeyBindings:
    """Bind all sequences of the rows. Raises ValueError if a row with sequences is left out."""
    bound = KeyBindings()
    left_out = {key.name for key in KeyRow if key.sequences}
    for key, when, handler in table:
        left_out.discard(key.name)
        for sequence in key.sequences:
            bound.add(*sequence, filter=when)(_without_result(handler))
    if left_out:
        raise ValueError(f"not bound: {', '.join(sorted(left_out))}")
    return bound


def _without_result(handler: Callable[[KeyPressEvent], object]) -> Callable[[KeyPressEvent], None]:
    def handle(event: KeyPressEvent) -> None:
        handler(event)

    return handle


def _editing(line: InputLine) -> list[Binding]:
    is_question = _is_question(line)
    return [
        (KeyRow.SEND, ~is_searching, lambda _: line.enter()),
        (KeyRow.NEW_LINE, ~is_searching & ~is_question, lambda event: event.current_buffer.insert_text("\n")),
        (KeyRow.COMPLETE, ~is_searching, lambda _: line.complete()),
        (KeyRow.PASTE, ~is_searching, lambda event: line.paste(event.data)),
        (KeyRow.CLEAR, ~is_searching, lambda _: line.clear_or_leave()),
        (KeyRow.LEAVE, ~is_searching & Condition(lambda: line.is_empty), lambda _: line.cancel_or_leave()),
        (KeyRow.BACK, is_question, lambda _: line.cancel()),
        (KeyRow.MACRO, True, _do_nothing),
        (KeyRow.ALT_IN_QUESTION, is_question, _do_nothing),
    ]


def _moving(controller: Controller, line: InputLine, page: PagePane) -> list[Binding]:
    view = controller.view
    is_question = _is_question(line)
    is_in = ~is_question & Condition(lambda: view.place is not Place.SIGN_IN)
    is_manual = Condition(lambda: view.manual is not None)
    is_filter = Condition(lambda: view.filter is not None)
    is_list = Condition(lambda: line.is_empty and view.place in (Place.HOME, Place.FOUND))
    is_found = Condition(lambda: view.place is Place.FOUND)
    is_away = Condition(lambda: not view.pane.follows or (view.open is not None and view.open.newer))
    has_no_text_after = Condition(lambda: line.buffer.document.is_cursor_at_the_end)
    is_over, is_typing = is_manual | is_filter, is_in & ~is_searching

    def open_chat(name: str | None) -> None:
        if name is not None:
            controller.open(name)

    def turn_manual() -> None:
        view.manual = 0 if view.manual is None else None
        controller.changed()

    return [
        (KeyRow.PAGE, is_in | is_manual, lambda event: page(_step(event))),
        (KeyRow.END, is_in & is_away, lambda _: controller.to_end()),
        (KeyRow.NEXT, is_in, lambda event: open_chat(view.next_chat(_step(event)))),
        (KeyRow.HOME, is_in, lambda _: controller.home()),
        (KeyRow.NUMBERED, is_in, lambda event: open_chat(view.numbered(int(_key(event))))),
        # With text to kill, Ctrl-K is emacs' own.
        (KeyRow.GO_TO, is_in & has_no_text_after, lambda _: line.turn_filter()),
        (
            KeyRow.RECALL,
            is_typing & (is_filter | is_list),
            lambda event: view.cursor.move(_step(event), view.choices()),
        ),
        (KeyRow.RECALL, is_manual, lambda event: view.scroll_manual(_step(event))),
        (KeyRow.HELP, ~is_question, lambda _: turn_manual()),
        (KeyRow.BACK, is_typing & is_over, lambda _: line.clear_or_leave()),
        (KeyRow.BACK, is_typing & ~is_over & is_found, lambda _: controller.back()),
    ]


def _is_question(line: InputLine) -> Condition:
    return Condition(lambda: isinstance(line.target, Question))


def _do_nothing(event: KeyPressEvent) -> None:
    pass


def _key(event: KeyPressEvent) -> "Keys | str":
    """Return the last key of the pressed sequence."""
    return event.key_sequence[-1].key


def _step(event: KeyPressEvent) -> int:
    return -1 if _key(event) in _BACKWARDS else 1
