"""Bindings for the rows of the table of keys."""

from twisted.trial.unittest import SynchronousTestCase

from irchat.client.terminal.key_bindings import KeyTable
from irchat.client.view.key_table import KeyRow


class KeyTableTests(SynchronousTestCase):
    """`KeyTable`."""

    def test_row_without_binding(self) -> None:
        """A row without a binding raises an error that names it, so the client does not start."""
        table = KeyTable()
        table.bind(KeyRow.SEND)(lambda event: None)
        error = self.assertRaises(ValueError, table.finish)
        self.assertIn("PAGE", str(error))
        self.assertNotIn("SEND", str(error))
