"""Bindings for the rows of the table in `irchat.client.view.key_table`."""

from collections.abc import Callable

from prompt_toolkit.filters import Filter
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.keys import Keys

from irchat.client.view.key_table import KeyRow

PagePane = Callable[[int], None]
_Handler = Callable[[KeyPressEvent], None]


class KeyTable:
    """Bind the sequences of the rows, and check that none is left out."""

    def __init__(self) -> None:
        self._bindings = KeyBindings()
        self._unbound = {key for key in KeyRow if key.sequences}

    def bind(self, key: KeyRow, when: "Filter | bool" = True) -> Callable[[_Handler], _Handler]:
        """Return a decorator that binds all sequences of a row."""
        self._unbound.discard(key)

        def decorate(handler: _Handler) -> _Handler:
            for sequence in key.sequences:
                self._bindings.add(*sequence, filter=when)(handler)
            return handler

        return decorate

    def finish(self) -> KeyBindings:
        """Return the bindings. Raises ValueError if a row has none."""
        if self._unbound:
            raise ValueError(f"not bound: {', '.join(sorted(key.name for key in self._unbound))}")
        return self._bindings


def pressed(event: KeyPressEvent) -> "Keys | str":
    """Return the last key of the pressed sequence."""
    return event.key_sequence[-1].key
