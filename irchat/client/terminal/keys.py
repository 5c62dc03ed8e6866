"""What the keys do."""

from collections.abc import Callable
from functools import partial

from prompt_toolkit.filters import Condition, is_searching
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.keys import Keys

from irchat.client.control.controller import Controller
from irchat.client.control.questions import Question
from irchat.client.terminal.input_line import InputLine
from irchat.client.view.chat_state import ChatState
from irchat.client.view.navigation import Place

PagePane = Callable[[int], None]


def bindings(controller: Controller, line: InputLine, page: PagePane, suspend: Callable[[], None]) -> KeyBindings:
    """The keys of the chat; all others are prompt_toolkit's emacs keys. ``page`` moves the pane by a page."""
    keys = KeyBindings()
    _editing(keys, controller, line)
    _moving(keys, controller, line, page)
    keys.add("c-z")(lambda event: suspend())
    return keys


def _editing(keys: KeyBindings, controller: Controller, line: InputLine) -> None:
    is_question = Condition(lambda: isinstance(line.target, Question))

    @keys.add("enter", filter=~is_searching)
    @keys.add("c-o", filter=~is_searching)  # prompt_toolkit's own would remember a password
    @keys.add("escape", "#", filter=~is_searching)
    def _(event: KeyPressEvent) -> None:
        line.enter()

    @keys.add("escape", "enter", filter=~is_searching & ~is_question)
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text("\n")

    @keys.add("tab", filter=~is_searching)
    def _(event: KeyPressEvent) -> None:
        if isinstance(line.target, ChatState):
            line.complete()

    @keys.add(Keys.BracketedPaste, filter=~is_searching)
    def _(event: KeyPressEvent) -> None:
        line.paste(event.data)

    @keys.add("c-c", filter=~is_searching)
    def _(event: KeyPressEvent) -> None:
        if not line.clear():
            line.leave()

    @keys.add("c-d", filter=~is_searching & Condition(lambda: line.is_empty))
    def _(event: KeyPressEvent) -> None:
        if not line.cancel():
            line.leave()

    @keys.add("c-x", "(")
    def _(event: KeyPressEvent) -> None:
        """A macro would keep what is typed, and type it where it does not belong."""


def _moving(keys: KeyBindings, controller: Controller, line: InputLine, page: PagePane) -> None:
    view = controller.view
    is_in = Condition(lambda: view.place is not Place.SIGN_IN and not isinstance(line.target, Question))
    is_list = Condition(lambda: view.filter is not None or (line.is_empty and view.place in (Place.HOME, Place.FOUND)))
    is_manual = Condition(lambda: view.manual is not None)
    is_over = Condition(lambda: view.manual is not None or view.filter is not None)
    is_away = Condition(lambda: not view.pane.follows or (view.open is not None and view.open.newer))

    @keys.add("up", filter=is_in & is_list & ~is_searching)
    @keys.add("down", filter=is_in & is_list & ~is_searching)
    def _(event: KeyPressEvent) -> None:
        view.cursor.move(-1 if event.key_sequence[0].key == Keys.Up else 1, view.choices())

    @keys.add("up", filter=is_manual)
    @keys.add("down", filter=is_manual)
    def _(event: KeyPressEvent) -> None:
        view.scroll_manual(-1 if event.key_sequence[0].key == Keys.Up else 1)

    @keys.add("pageup", filter=is_in | is_manual)
    def _(event: KeyPressEvent) -> None:
        page(-1)

    @keys.add("pagedown", filter=is_in | is_manual)
    def _(event: KeyPressEvent) -> None:
        page(1)

    @keys.add("end", filter=is_in & is_away)
    def _(event: KeyPressEvent) -> None:
        controller.to_end()

    @keys.add("c-n", filter=is_in)
    def _(event: KeyPressEvent) -> None:
        _open(controller, view.next_chat(1))

    @keys.add("c-p", filter=is_in)
    def _(event: KeyPressEvent) -> None:
        _open(controller, view.next_chat(-1))

    @keys.add("escape", "0", filter=is_in)
    def _(event: KeyPressEvent) -> None:
        controller.home()

    for number in range(1, 10):
        keys.add("escape", str(number), filter=is_in)(partial(_open_numbered, controller, number))

    # Ctrl-K is emacs' own where there is something to kill.
    @keys.add("c-k", filter=is_in & Condition(lambda: line.buffer.document.is_cursor_at_the_end))
    def _(event: KeyPressEvent) -> None:
        if view.filter is None:
            line.begin_filter()
        else:
            line.cancel()
        controller.changed()

    @keys.add("f1", filter=~Condition(lambda: isinstance(line.target, Question)))
    def _(event: KeyPressEvent) -> None:
        view.manual = None if view.manual is not None else 0
        controller.changed()

    @keys.add("escape", filter=is_over & is_in & ~is_searching)
    def _(event: KeyPressEvent) -> None:
        line.clear()

    @keys.add("escape", filter=Condition(lambda: isinstance(line.target, Question)))
    def _(event: KeyPressEvent) -> None:
        line.cancel()

    @keys.add("escape", Keys.Any, filter=Condition(lambda: isinstance(line.target, Question)))
    def _(event: KeyPressEvent) -> None:
        """Alt with a key leaves no question: the rest of the answer would go to a chat."""

    @keys.add("escape", filter=~is_over & is_in & ~is_searching & Condition(lambda: view.place is Place.FOUND))
    def _(event: KeyPressEvent) -> None:
        controller.back()


def _open(controller: Controller, name: str | None) -> None:
    if name is not None:
        controller.open(name)


def _open_numbered(controller: Controller, number: int, event: KeyPressEvent) -> None:
    _open(controller, controller.view.numbered(number))
