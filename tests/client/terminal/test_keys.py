"""The bindings of the keys and their table."""

from prompt_toolkit.key_binding import KeyBindings
from prompt_toolkit.key_binding.defaults import load_key_bindings
from prompt_toolkit.keys import Keys
from twisted.trial.unittest import SynchronousTestCase

from irchat.client.terminal import keys
from irchat.client.view.key_table import Key
from tests.client.terminal.test_input_line import ApplicationCase as _ApplicationCase

_BUILT_IN = {Key.SEARCH: Keys.ControlR, Key.REDRAW: Keys.ControlL}


def _sequences(key: Key) -> set[tuple[str, ...]]:
    bound = KeyBindings()
    for sequence in key.sequences:
        bound.add(*sequence)(lambda event: None)
    return {binding.keys for binding in bound.bindings}


class KeysTests(_ApplicationCase):
    """`bindings` and the table."""

    def bindings(self) -> KeyBindings:
        """Bind all keys."""
        return keys.bindings(self.controller, self.app._line, lambda direction: None, lambda: None)

    def test_each_binding_has_its_row(self) -> None:
        """The sequences that are bound are those of the rows, and no two rows have the same."""
        rows = [sequence for key in Key for sequence in _sequences(key)]
        self.assertEqual(len(rows), len(set(rows)))
        self.assertEqual({binding.keys for binding in self.bindings().bindings}, set(rows))

    def test_row_without_binding(self) -> None:
        """A row that is not bound raises an error that names it, so the client does not start."""
        table = keys.KeyTable()
        table.bind(Key.SEND)(lambda event: None)
        error = self.assertRaises(ValueError, table.finish)
        self.assertIn("PAGE", str(error))
        self.assertNotIn("SEND", str(error))


class BuiltInTests(SynchronousTestCase):
    """Rows that prompt_toolkit binds."""

    def test_bound(self) -> None:
        """Every row without a sequence is a key that prompt_toolkit binds itself."""
        self.assertEqual({key for key in Key if not key.sequences}, set(_BUILT_IN))
        bound = {binding.keys for binding in load_key_bindings().bindings}
        for key in _BUILT_IN.values():
            self.assertIn((key,), bound)
