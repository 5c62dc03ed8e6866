"""Bindings for the rows of the table in `irchat.client.view.key_table`."""

from collections.abc import Callable, Iterable
from typing import Protocol

from prompt_toolkit.filters import FilterOrBool
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.keys import Keys

from irchat.client.view.key_table import KEYS, KeyMap, KeyRow


class PagePane(Protocol):
    """Move the pane up (-1) or down (1) by some rows, or by a page."""

    def __call__(self, direction: int, rows: int | None = None) -> None:
        """Move the pane."""


Handler = Callable[[KeyPressEvent], object]
Binding = tuple[KeyRow, FilterOrBool, Handler]
"""A row of the table, the condition under which its keys are bound, and the handler of its keys."""


class KeyTable:
    """Bind the sequences of the rows, and check that none is left out."""

    def __init__(self, key_map: KeyMap = KEYS) -> None:
        self._map = key_map
        self._numbers: dict[tuple[Keys | str, ...], int] = {}
        self._bindings = KeyBindings()
        self._unbound = {key for key in KeyRow if key.sequences}

    def bind_all(self, table: Iterable[Binding]) -> None:
        """Bind all sequences of some rows. A later row takes precedence over an earlier one."""
        for key, when, handler in table:
            self._unbound.discard(key)
            for number, sequence in enumerate(self._map.sequences(key)):
                self._bindings.add(*sequence, filter=when)(_without_result(handler))
                self._numbers[self._bindings.bindings[-1].keys] = number

    def which(self, event: KeyPressEvent) -> int:
        """Return the place of the pressed sequence in its row, from 0."""
        return self._numbers[tuple(press.key for press in event.key_sequence)]

    def step(self, event: KeyPressEvent) -> int:
        """Return -1 for the first sequence of its row, 1 for the second: up and down, or back and on."""
        return 2 * self.which(event) - 1

    def finish(self) -> KeyBindings:
        """Return the bindings. Raises ValueError if a row has none."""
        if self._unbound:
            raise ValueError(f"not bound: {', '.join(sorted(key.name for key in self._unbound))}")
        return self._bindings


def _without_result(handler: Handler) -> Callable[[KeyPressEvent], None]:
    def handle(event: KeyPressEvent) -> None:
        handler(event)

    return handle
