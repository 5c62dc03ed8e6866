"""The key bindings and their table."""

from prompt_toolkit.key_binding import KeyBindings
from prompt_toolkit.key_binding.defaults import load_key_bindings
from prompt_toolkit.keys import Keys
from twisted.trial.unittest import SynchronousTestCase

from irchat.client.terminal import keys
from irchat.client.view.key_table import KeyRow
from irchat.client.view.navigation import Place
from irchat.protocol import events, requests
from tests.client.terminal.test_input_line import ApplicationCase
from tests.helpers.client_fakes import message

_TAB, _CTRL_C, _CTRL_K, _UP, _DOWN, _F1 = "\t", "\x03", "\x0b", "\x1b[A", "\x1b[B", "\x1bOP"
_BUILT_IN = {KeyRow.SEARCH: Keys.ControlR, KeyRow.REDRAW: Keys.ControlL}


def _sequences(key: KeyRow) -> set[tuple[str, ...]]:
    bound = KeyBindings()
    for sequence in key.sequences:
        bound.add(*sequence)(lambda event: None)
    return {binding.keys for binding in bound.bindings}


class KeysTests(ApplicationCase):
    """`bindings` and the table."""

    def bindings(self) -> KeyBindings:
        """Create all bindings."""
        return keys.bindings(
            self.controller,
            self.app._line,
            lambda direction, rows=None: None,
            lambda: None,
            lambda text: None,
            lambda: None,
        )

    def test_each_binding_has_its_row(self) -> None:
        """The bound sequences are those of the rows, and no two rows share one."""
        rows = [sequence for key in KeyRow for sequence in _sequences(key)]
        self.assertEqual(len(rows), len(set(rows)))
        self.assertEqual({binding.keys for binding in self.bindings().bindings}, set(rows))


class BuiltInTests(SynchronousTestCase):
    """Rows bound by prompt_toolkit."""

    def test_bound(self) -> None:
        """Every row without a sequence is a key that prompt_toolkit binds itself."""
        self.assertEqual({key for key in KeyRow if not key.sequences}, set(_BUILT_IN))
        bound = {binding.keys for binding in load_key_bindings().bindings}
        for key in _BUILT_IN.values():
            self.assertIn((key,), bound)


class KeyTests(ApplicationCase):
    """Navigation keys."""

    def test_lists(self) -> None:
        """The arrow keys choose in a list, and browse the history elsewhere."""
        self.press("\x1b0")
        for name in "@bob", "*team":
            self.server.tell(message("hi", seq=1, chat=name))
        self.turn()
        self.press(_DOWN)
        self.assertEqual(self.view.cursor.key, "*team")
        self.press(_UP + "\r")
        self.assertEqual(self.view.here.name, "@bob")

    def test_next_and_home(self) -> None:
        """Ctrl-N and Ctrl-P move between chats, Alt-0 returns to the unread ones."""
        self.press("\x0e")
        self.assertEqual(self.view.here.name, "*team")
        self.press("\x10")
        self.assertEqual(self.view.here.name, "GLOBAL")
        self.press("\x1b9")
        self.assertEqual(self.view.here.name, "GLOBAL")
        self.press("\x1b0")
        self.assertIs(self.view.place, Place.HOME)

    def test_flow_control(self) -> None:
        """Ctrl-S and Ctrl-Q do nothing: the next Enter sends the line. In a search, Ctrl-S searches on."""
        self.press("\x13\x11hello\r")
        self.assertFalse(self.app.layout.is_searching)
        said = [asked.text for asked in self.server.asked() if isinstance(asked, requests.Send)]
        self.assertEqual((said, self.buffer.text), (["hello"], ""))
        self.press("\x12\x13")
        self.assertTrue(self.app.layout.is_searching)

    def test_manual(self) -> None:
        """F1 opens and closes the manual. Escape, Ctrl-C and Enter close it too."""
        for key in _F1, "\x1b", _CTRL_C, "\r":
            self.press(_F1)
            self.assertEqual(self.view.manual, 0)
            self.press(key)
            self.assertIsNone(self.view.manual)

    def test_back_from_what_was_found(self) -> None:
        """Escape returns from search results."""
        self.open("@bob")
        self.press("?old\r")
        self.server.answer(events.Found([], False))
        self.turn()
        self.assertIs(self.view.place, Place.FOUND)
        self.press("\x1b")
        self.assertEqual(self.view.here.name, "@bob")

    def test_manual_moves(self) -> None:
        """The arrows and the paging keys move the manual while it is open."""
        self.press(_F1 + _DOWN + _DOWN + _UP)
        self.assertEqual(self.view.manual, 1)
        self.press("\x1b[6~")
        self.assertGreater(self.view.manual, 10)
        self.press("\x1b[5~")
        self.assertEqual(self.view.manual, 1)

    def test_pages(self) -> None:
        """PgUp moves up and loads older messages. PgDn and End return."""
        self.press("\x1b[5~")
        self.open("@bob", *(message(f"m{n}", chat="@bob", seq=n) for n in range(50, 100)), more=True)
        for _ in range(5):
            self.press("\x1b[5~")
        self.assertEqual(self.server.asked(), [requests.History(chat="@bob", before=50, limit=100)])
        self.press("\x1b[6~")
        self.assertFalse(self.view.pane.follows)
        self.press("\x1b[F")
        self.assertTrue(self.view.pane.follows)

    def test_wheel(self) -> None:
        """The wheel moves the pane and the manual by three rows. Other mouse events, and choosing, move nothing."""
        self.open("@bob", *(message(f"m{n}", chat="@bob", seq=n) for n in range(50, 100)))
        self.press("\x1b[<64;10;10M")
        self.assertEqual(self.view.pane.lowest, ((96, 0, 0), 1))
        self.press("\x1b[<0;10;10M\x1b[<65;10;10M")
        self.assertTrue(self.view.pane.follows)
        self.press("\x1b[Z\x1b[<64;10;10M")
        self.assertTrue(self.view.pane.follows)
        self.press("\x1b" + _F1 + "\x1b[<65;10;10M")
        self.assertEqual((self.view.manual, self.buffer.text), (3, ""))

    def test_lines(self) -> None:
        """Alt-Enter starts another line, Ctrl-C clears, Ctrl-K kills if there is text."""
        self.press("one\x1b\rtwo")
        self.assertEqual(self.buffer.text, "one\ntwo")
        self.press(_CTRL_C)
        self.assertEqual(self.buffer.text, "")
        self.press("abc\x02" + _CTRL_K)
        self.assertEqual((self.buffer.text, self.view.filter), ("ab", None))

    def test_leaving(self) -> None:
        """Ctrl-D on an empty line leaves, Ctrl-C when it is pressed twice, with no other key in between."""
        self.press("\x04")
        self.assertEqual(self.server.asked(), [requests.Logout()])
        for typed in _CTRL_C, "x" + _CTRL_C, _CTRL_C:
            self.press(typed)
            self.assertEqual(self.server.asked(), [])
        self.assertIn("Press Ctrl-C again", self.trouble())
        self.press(_CTRL_C)
        self.assertEqual(self.server.asked(), [requests.Logout()])

    def test_leaving_unsent(self) -> None:
        """If something is unsent, Ctrl-C shows that, and then leaves."""
        self.press("draft")
        self.press("\x0e")
        self.server.asked()
        self.press(_CTRL_C)
        self.assertIn("Not sent yet", self.trouble())
        self.press(_CTRL_C)
        self.assertIn(requests.Logout(), self.server.asked())

    def test_suspend(self) -> None:
        """Ctrl-Z clears the screen, waits until the terminal has received that, and then stops the process."""
        self.press("\x1a")
        self.turn()
        self.assertEqual(self.stopped, [True])
        self.assertFalse(self.controller.hidden)
