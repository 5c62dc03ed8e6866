"""The bare view, in an application over a fake device."""

from prompt_toolkit.data_structures import Size
from twisted.trial.unittest import SynchronousTestCase

from irchat.client.preferences import Preferences
from irchat.client.terminal.bare_view import rows_of
from tests.client.terminal.test_input_line import ApplicationCase
from tests.helpers.client_fakes import amended, message

_F2, _PAGE_UP = "\x1bOQ", "\x1b[5~"
_MOUSE_ON, _MOUSE_OFF = b"\x1b[?1000h", b"\x1b[?1000l"


class BareViewTests(ApplicationCase):
    """F2 and the next key."""

    settings = Preferences(bell=False, notify=False)

    def setUp(self) -> None:
        """Open a chat with a long message, a timed one, and one of two lines."""
        super().setUp()
        self.open("@bob", message("a" * 150, chat="@bob", seq=1), message("two\nlines", chat="@bob", seq=2),
                  message("psst", chat="@bob", id="t", left_ms=90_000))  # fmt: skip
        self.transport.clear()

    def drawn(self) -> bytes:
        """Return the output since the last call."""
        drawn = self.transport.value()
        self.transport.clear()
        return drawn

    def test_clean_text(self) -> None:
        """It shows the texts and nothing else: long lines whole, no timed ones. The mouse is the terminal's."""
        self.press(_F2)
        drawn = self.drawn()
        self.assertIn(b"\x1b[?7h", drawn)
        self.assertIn(b"\x1b[1;1Hbob: " + b"a" * 150 + b"\x1b[3;1Hbob: two\x1b[4;1Hlines", drawn)
        self.assertLess(drawn.rfind(_MOUSE_ON), drawn.index(_MOUSE_OFF))
        for absent in b"psst", b"GLOBAL", "│".encode(), b"F1: help":
            self.assertNotIn(absent, drawn)

    def test_any_key_returns(self) -> None:
        """The next key, whichever, returns and does nothing else."""
        for key in "x", "\r", "\x03", "\x1b":
            self.press("draft" + _F2)
            self.drawn()
            self.press(key)
            drawn = self.drawn()
            self.assertIn(b"F1: help", drawn)
            self.assertIn(_MOUSE_ON, drawn)
            self.assertEqual(self.buffer.text, "draft")
            self.press("\x03")

    def test_stands_still(self) -> None:
        """New messages are neither drawn nor read. A deletion is drawn at once."""
        self.clock.advance(1.0)
        self.press(_F2)
        self.drawn()
        self.server.asked()
        self.server.tell(message("new", chat="@bob", seq=3))
        self.turn()
        self.clock.advance(1.0)
        self.assertEqual((self.drawn(), self.server.asked()), (b"", []))
        self.server.tell(amended(chat="@bob", seq=2, rev=1, deleted=True))
        self.turn()
        drawn = self.drawn()
        self.assertIn(b"aaa", drawn)
        self.assertNotIn(b"lines", drawn)
        self.press("x")
        self.assertIn(b"new", self.drawn())
        self.assertEqual(self.view.unread, 0)

    def test_ends_with_the_pane(self) -> None:
        """In a pane that was moved up, it ends where the pane ends; and it never has more rows than the screen."""
        self.open("*team", *(message(f"m{n:02}", chat="*team", seq=n) for n in range(50, 100)))
        self.press(_PAGE_UP)
        self.drawn()
        self.press(_F2)
        drawn = self.drawn()
        self.assertNotIn(b"m99", drawn)
        self.assertEqual(drawn.count(b"bob: m"), 20)

    def test_resized(self) -> None:
        """A change of the terminal's size, and a return from the shell, end it."""
        for end in self.app._on_resize, self.app.repaint:
            self.press(_F2)
            self.drawn()
            end()
            self.turn()
            self.assertIn(b"F1: help", self.drawn())
            self.assertFalse(self.controller.hidden)

    def test_nowhere(self) -> None:
        """On the list of unread chats there is nothing to show."""
        self.press("\x1b0" + _F2)
        self.assertFalse(self.app._bare.is_on)


class MouseTests(ApplicationCase):
    """A terminal whose mouse is left alone."""

    settings = Preferences(mouse=False)

    def test_off(self) -> None:
        """With the setting off, the mouse is never taken."""
        self.size = Size(rows=20, columns=90)
        self.app._on_resize()
        self.turn()
        self.assertNotIn(_MOUSE_ON, self.transport.value())


class RowsTests(SynchronousTestCase):
    """`rows_of`."""

    def test_rows(self) -> None:
        """A wide character that does not fit begins the next row."""
        for line, columns, rows in (
            ("", 10, 1),
            ("a" * 10, 10, 1),
            ("a" * 11, 10, 2),
            ("a漢漢漢", 4, 2),
            ("漢" * 4, 3, 4),
        ):
            self.assertEqual(rows_of(line, columns), rows, line)
