"""The table of keys."""

from twisted.trial.unittest import SynchronousTestCase

from irchat.client.view.key_table import KEYS, Category, KeyMap, KeyRow, keys


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
        self.assertEqual(len(KeyRow.NUMBERED.sequences), 9)
        self.assertEqual((KeyRow.NUMBERED.sequences[0], KeyRow.MACRO.sequences), (("escape", "1"), (("c-x", "("),)))

    def test_ordered(self) -> None:
        """Only rows whose keys move in two directions, or open a chat each, are ordered."""
        ordered = [key for key in KeyRow if key.is_ordered]
        self.assertEqual(ordered, [KeyRow.RECALL, KeyRow.PAGE, KeyRow.NEXT, KeyRow.NUMBERED])


class KeyMapTests(SynchronousTestCase):
    """`KeyMap`."""

    def test_unchanged(self) -> None:
        """Without changes, a row has the sequences and the text of the table."""
        self.assertEqual((KEYS.sequences(KeyRow.HELP), KEYS.shown(KeyRow.HELP)), ((("f1",),), "F1"))
        self.assertIs(KEYS.row_of(("escape", "0")), KeyRow.HOME)
        self.assertIsNone(KEYS.row_of(("f9",)))

    def test_changed(self) -> None:
        """A changed row has its new sequences only, and the others stay."""
        changed = KeyMap({KeyRow.HELP: (("f9",), ("c-g",))})
        self.assertEqual(changed.sequences(KeyRow.HELP), (("f9",), ("c-g",)))
        self.assertEqual((changed.shown(KeyRow.HELP), changed.shown(KeyRow.BARE)), ("f9, Ctrl-G", "F2"))
        self.assertEqual([changed.row_of((key,)) for key in ("f1", "f9", "f2")], [None, KeyRow.HELP, KeyRow.BARE])

    def test_displayed(self) -> None:
        """Sequences are displayed by the names of their keys. Alt is the key before another one."""
        for sequence, shown in (
            (("c-k",), "Ctrl-K"),
            (("s-tab",), "Shift-tab"),
            (("escape",), "escape"),
            (("escape", "c-a"), "Alt-Ctrl-A"),
            (("c-x", "("), "Ctrl-X ("),
            (("c-x", "escape"), "Ctrl-X escape"),
        ):
            self.assertEqual(KeyMap({KeyRow.HELP: (sequence,)}).shown(KeyRow.HELP), shown)
