"""Bindings for the rows of the table of keys."""

from twisted.trial.unittest import SynchronousTestCase

from irchat.client.preferences import Preferences
from irchat.client.terminal.key_bindings import KeyTable
from irchat.client.view.key_table import KeyMap, KeyRow
from irchat.client.view.navigation import Place
from tests.client.terminal.test_input_line import ApplicationCase


class KeyTableTests(SynchronousTestCase):
    """`KeyTable`."""

    def test_row_without_binding(self) -> None:
        """A row without a binding raises an error that names it, so the client does not start."""
        table = KeyTable()
        table.bind_all([(KeyRow.SEND, True, lambda event: None)])
        error = self.assertRaises(ValueError, table.finish)
        self.assertIn("PAGE", str(error))
        self.assertNotIn("SEND", str(error))


class SetKeysTests(ApplicationCase):
    """Keys that the user has set."""

    settings = Preferences(
        bell=False,
        keys=KeyMap(
            {KeyRow.NEXT: (("c-down",), ("c-up",)), KeyRow.HOME: (("c-x", "h"), ("f2",)), KeyRow.LINKS: (("u",),)}
        ),
    )

    def test_used(self) -> None:
        """The set keys are bound by their order, the former ones no longer, and F1 shows them."""
        self.press("\x1b[1;5B")
        self.assertEqual(self.view.here.name, "*team")
        self.press("\x1b[1;5A")
        self.assertEqual(self.view.here.name, "GLOBAL")
        self.press("\x0e")
        self.assertEqual(self.view.here.name, "GLOBAL")
        self.press("\x18h")
        self.assertIs(self.view.place, Place.HOME)
        self.press("\x1bOP")
        text = "\n".join("".join(piece for _, piece in row.pieces) for row in self.app._painter.pane(100, 90, 0.0))
        self.assertRegex(text, r"c-down, c-up|Ctrl-Down|Ctrl-D")

    def test_notified_without_bell(self) -> None:
        """Without the bell, the notification is still sent."""
        self.transport.clear()
        self.app.notify("hi")
        self.assertIn(b"]9;hi", self.transport.value())
        self.assertNotIn(b"\a", self.transport.value())
