"""The table of keys."""

from twisted.trial.unittest import SynchronousTestCase

from irchat.client.view.key_table import Category, KeyRow, keys


class KeyTableTests(SynchronousTestCase):
    """`KeyRow`."""

    def test_rows(self) -> None:
        """Every displayed row has its own name and help text. The others are bound and have neither."""
        shown = [key for category in Category if category.value for key in keys(category)]
        self.assertEqual(len({(key.shown, key.help) for key in shown}), len(shown))
        self.assertTrue(all(key.shown and key.help for key in shown))
        hidden = keys(Category.NONE)
        self.assertEqual({*shown, *hidden}, set(KeyRow))
        self.assertTrue(all(key.sequences and not key.shown and not key.help for key in hidden))

    def test_sequences(self) -> None:
        """A row has a sequence for each of its keys."""
        self.assertEqual(KeyRow.NEXT.sequences, (("c-n",), ("c-p",)))
        self.assertEqual(KeyRow.NUMBERED.sequences[8], ("escape", "9"))
