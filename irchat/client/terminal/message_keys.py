"""The keys on a chosen message. They type the command about it, or copy something of it."""

from collections.abc import Callable

from prompt_toolkit.filters import Condition
from prompt_toolkit.key_binding import KeyPressEvent

from irchat.client.control.controller import Controller
from irchat.client.terminal.input_line import InputLine
from irchat.client.terminal.key_bindings import KeyTable, PagePane
from irchat.client.view.chat_state import ChatState
from irchat.client.view.items import Item
from irchat.client.view.key_table import KeyRow
from irchat.client.view.navigation import Place
from irchat.commands.amendments import Delete, Edit, InText, PutMark, ShowMessage
from irchat.commands.base import OLDER_SERVER


class MessageKeys:
    """Bind the keys of choosing a message. ``copy`` puts a text into the clipboard of the terminal."""

    def __init__(
        self, table: KeyTable, controller: Controller, line: InputLine, page: PagePane, copy: Callable[[str], None]
    ) -> None:
        self._table = table
        self._controller = controller
        self._view = controller.view
        self._line = line
        self._page = page
        self._copy = copy
        choice = self._view.choice
        is_on = Condition(lambda: self._view.is_choosing and choice.links is None)
        is_links = Condition(lambda: self._view.is_choosing and choice.links is not None)
        table.bind_all(
            [
                (KeyRow.CHOOSE, ~is_on & ~is_links, lambda _: self._begin()),
                *((key, is_on, lambda _: self._end()) for key in (KeyRow.CHOOSE, KeyRow.BACK, KeyRow.CLEAR)),
                (KeyRow.RECALL, is_on, self._move),
                (KeyRow.PAGE, is_on, self._move_page),
                *(
                    (key, is_on, lambda _: self._type(ShowMessage, " ", keep=True))
                    for key in (KeyRow.SEND, KeyRow.ANSWER)
                ),
                (KeyRow.EDIT, is_on, lambda _: self._edit()),
                (KeyRow.DELETE, is_on, lambda _: self._type(Delete)),
                (KeyRow.MARK, is_on, lambda _: self._type(PutMark)),
                (KeyRow.COPY, is_on, lambda _: self._copy_text()),
                (KeyRow.COPY_LINK, is_on, lambda _: self._copy_link()),
                (KeyRow.LINKS, is_on, lambda _: self._list_links()),
                (KeyRow.RECALL, is_links, self._move_link),
                (KeyRow.SEND, is_links, lambda _: self._take_link()),
                *((key, is_links, lambda _: self._close_links()) for key in (KeyRow.BACK, KeyRow.CLEAR, KeyRow.CHOOSE)),
                # Other keys would be typed out of sight.
                (KeyRow.OTHER_ON_MESSAGE, is_on | is_links, lambda _: None),
            ]
        )

    @property
    def _chat(self) -> ChatState:
        return self._view.here

    def _item(self) -> Item | None:
        return self._view.choice.item(self._chat.items)

    def _begin(self) -> None:
        view = self._view
        if view.place is not Place.CHAT or view.filter is not None or view.manual is not None:
            return
        if not isinstance(self._line.target, ChatState) or not view.choice.begin(self._chat.items, view.pane):
            self._line.trouble = "There is no message to choose."
        self._controller.changed()

    def _end(self) -> None:
        self._view.choice.end(self._view.pane)
        self._controller.changed()

    def _move(self, event: KeyPressEvent) -> None:
        step = self._table.step(event)
        if not self._view.choice.move(self._chat.items, step):
            (self._controller.page_up(False) if step < 0 else self._controller.page_down())

    def _move_page(self, event: KeyPressEvent) -> None:
        view, before = self._view, self._view.pane.lowest
        step = self._table.step(event)
        self._page(step)
        view.choice.choose_lowest(self._chat.items, view.pane)
        if step < 0 and view.pane.lowest == before:
            view.choice.move(self._chat.items, -len(self._chat.items))

    def _type(self, command: type[InText], after: str = "", *, keep: bool = False) -> None:
        """Type the beginning of a command about the message, and ``after``. ``keep`` puts it before the typed text."""
        item = self._item()
        if item is None or item.seq is None:
            return
        if command.feature not in self._view.features:
            self._line.trouble = OLDER_SERVER
        elif self._line.begin_with(command.begin(item.seq) + after, keep=keep):
            self._view.choice.forget()  # the view stays at the message
        self._controller.changed()

    def _edit(self) -> None:
        item = self._item()
        if item is not None and not item.own:
            self._line.trouble = "You can edit only your own messages."
        elif item is not None:
            self._type(Edit, item.text)

    def _copy_text(self) -> None:
        if (item := self._item()) is not None:
            self._copied(item.text, "the text")

    def _copy_link(self) -> None:
        if (item := self._item()) is not None:
            name = self._chat.name
            reference = f"{name} #{item.seq}" if self._chat.is_private else f"{name}#{item.seq}"
            self._copied(reference, reference)

    def _copied(self, text: str, what: str) -> None:
        self._copy(text)
        self._line.trouble = f"Copied {what}, if the terminal allows it (OSC 52)."

    def _list_links(self) -> None:
        if not self._view.choice.list_links(self._chat.items):
            self._line.trouble = "There is no link in this message."

    def _close_links(self) -> None:
        self._view.choice.links = None

    def _move_link(self, event: KeyPressEvent) -> None:
        choice = self._view.choice
        choice.cursor.move(self._table.step(event), choice.links or [])

    def _take_link(self) -> None:
        """Copy the chosen address, or open the chosen message."""
        choice = self._view.choice
        link = choice.cursor.choose(choice.links or [])
        self._close_links()
        if link is not None and link.chat:
            choice.forget()
            self._controller.show_message(link.chat, link.seq)
        elif link is not None:
            self._copied(link.text, link.text)
