"""The terminal as prompt_toolkit sees it, over a fake transport and with the loop's clock."""

import os
import pty
import termios

from prompt_toolkit.data_structures import Size
from prompt_toolkit.keys import Keys
from prompt_toolkit.output import ColorDepth
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from irchat.client.terminal.device import AtEdge, Device, TerminalInput, TerminalOutput
from irchat.text.linked import Linked


class InputTests(SynchronousTestCase):
    """Keys from bytes."""

    def setUp(self) -> None:
        """Create an input with a reader."""
        self.keys = TerminalInput(None)
        self.got: list[str] = []
        self.attached = self.keys.attach(lambda: self.got.extend(key.data for key in self.keys.read_keys()))
        self.attached.__enter__()

    def test_letters(self) -> None:
        """A letter that arrives in two parts is one key."""
        self.keys.feed("é".encode()[:1])
        self.keys.feed("é".encode()[1:] + b"x")
        self.assertEqual(self.got, ["é", "x"])

    def test_paste(self) -> None:
        """A paste of a megabyte is one key, in whatever parts it arrives."""
        data = b"\x1b[200~" + b"line\n" * 200_000 + b"\x1b[201~"
        for start in range(0, len(data), 65_536):
            self.keys.feed(data[start : start + 65_536])
        self.assertEqual([len(text) for text in self.got], [1_000_000])

    def test_paste_without_end(self) -> None:
        """Ctrl-C ends a paste whose end was lost on the way. Inside a paste it is text."""
        self.keys.feed(b"\x1b[200~one\x03 t")
        self.keys.feed(b"wo\r")
        self.assertEqual(self.got, [])
        self.keys.feed(b"\x03")
        self.assertEqual(self.got, ["one\x03 two\r"])
        self.keys.feed(b"\x03")
        self.assertEqual(self.got[1:], ["\x03"])

    def test_unfinished(self) -> None:
        """A paste that has not ended can be measured. An escape sequence without an end becomes single keys."""
        self.assertEqual(self.keys.pasted, 0)
        self.keys.feed(b"\x1b[200~" + b"x" * 1_000)
        self.assertEqual(self.keys.pasted, 1_000)
        self.keys.feed(b"\x1b[201~")
        self.assertEqual((self.keys.pasted, self.got.pop()), (0, "x" * 1_000))
        self.keys.feed(b"\x1b[")
        for _ in range(20):
            self.keys.feed(b"1" * 64)
        self.assertGreater(len(self.got), 1_000)

    def test_escape(self) -> None:
        """An Escape alone is a key if nothing follows."""
        self.keys.feed(b"\x1b")
        self.assertEqual(self.got, [])
        self.assertEqual([key.key for key in self.keys.flush_keys()], [Keys.Escape])

    def test_detached(self) -> None:
        """While detached no callback is called. Afterwards the previous one is restored."""
        with self.keys.detach():
            self.keys.feed(b"x")
        self.assertEqual(self.got, [])
        self.keys.feed(b"y")
        self.assertEqual(self.got, ["x", "y"])
        self.attached.__exit__(None, None, None)

    def test_no_descriptor(self) -> None:
        """The input has no descriptor, and without a terminal there are no modes to set."""
        self.assertEqual(self.keys.fileno(), -1)
        self.assertNotEqual(self.keys.typeahead_hash(), TerminalInput(None).typeahead_hash())
        with self.keys.raw_mode(), self.keys.cooked_mode():
            self.assertFalse(self.keys.closed)

    def test_raw(self) -> None:
        """A terminal in raw mode delivers keys as they are pressed, and is then restored."""
        controller, terminal = pty.openpty()
        self.addCleanup(os.close, controller)
        self.addCleanup(os.close, terminal)
        before = termios.tcgetattr(terminal)
        keys = TerminalInput(terminal)
        with keys.raw_mode():
            self.assertFalse(termios.tcgetattr(terminal)[3] & termios.ECHO)
            with keys.cooked_mode():
                self.assertTrue(termios.tcgetattr(terminal)[3] & termios.ECHO)
        self.assertEqual(termios.tcgetattr(terminal), before)


class OutputTests(SynchronousTestCase):
    """Drawing."""

    def setUp(self) -> None:
        """Create an output of three rows."""
        self.frames: list[bytes] = []
        size = Size(rows=3, columns=9)
        self.output = TerminalOutput(self.frames.append, lambda: size, "xterm", ColorDepth.DEPTH_8_BIT)

    def drawn(self) -> bytes:
        """Return the only frame."""
        self.output.flush()
        (frame,) = self.frames
        self.assertTrue(frame.startswith(b"\x1b[?2026h") and frame.endswith(b"\x1b[?2026l"))
        return frame[8:-8]

    def test_disputed_widths(self) -> None:
        """Emoji and graphemes of several code points take the cells that we count, whatever the terminal counts."""
        for text, size in ("👩\u200d💻", 2), ("🇩🇪", 2), ("e\u0301", 1), ("क्षि", 3), ("🙂", 2):
            self.output.write(text)
            self.assertEqual(self.drawn(), f"\x1b7{' ' * size}\x1b8\x1b7{text}\x1b8\x1b[{size}C".encode())
            self.frames.clear()
        for text in "é", "日", "a":
            self.output.write(text)
        self.assertEqual(self.drawn(), "é日a".encode())

    def test_edge(self) -> None:
        """In tmux and GNU screen, a row wraps while a grapheme is drawn at its end, else the marks go elsewhere."""
        for term, wraps in ("tmux-256color", True), ("screen", True), ("xterm", False):
            output = TerminalOutput(self.frames.append, lambda: Size(3, 9), term, ColorDepth.DEPTH_8_BIT)
            output.write(AtEdge("e\u0301"))
            output.write("o\u0301")
            output.flush()
            self.assertEqual(b"\x1b[?7he\xcc\x81\x1b[?7l\x1b8" in self.frames[-1], wraps)
            self.assertEqual(self.frames.pop().count(b"\x1b[?7h"), int(wraps))

    def test_links(self) -> None:
        """A link is opened once for its letters and closed before other text, or at the end of a frame."""
        for letter in "ab":
            self.output.write(Linked(letter, "https://x"))
        self.output.write("c")
        self.output.write(Linked("d", "https://y"))
        begins = rb"\x1b]8;id=[0-9a-f]+;https://"
        ends = rb"\x1b]8;;\x1b\\"
        self.assertRegex(self.drawn(), begins + rb"x\x1b\\ab" + ends + b"c" + begins + rb"y\x1b\\d" + ends + b"$")

    def test_terminals_without_links(self) -> None:
        """A terminal that would show the address as text gets none."""
        for term in "linux", "screen", "screen-256color", "dumb":
            size = Size(rows=3, columns=9)
            output = TerminalOutput(self.frames.append, lambda size=size: size, term, ColorDepth.DEPTH_8_BIT)
            output.write(Linked("a", "https://x"))
            output.flush()
        self.assertEqual({frame[8:-8] for frame in self.frames}, {b"a"})

    def test_never_scrolls(self) -> None:
        """Moving down is never a line feed, which would scroll in the lowest row."""
        self.output.write("\r\n\r\n")
        self.output.write("a\x1bb")
        self.assertEqual(self.drawn(), b"\r\x1b[2Ba?b")

    def test_erases_rows(self) -> None:
        """The screen is erased row by row, never as a whole."""
        self.output.erase_down()
        self.assertEqual(self.drawn(), b"\x1b[0m\x1b[1;1H\x1b[2K\x1b[2;1H\x1b[2K\x1b[3;1H\x1b[2K\x1b[H")

    def test_leaves_nothing(self) -> None:
        """Leaving erases first, because the terminal may have only one screen, and restores the title."""
        self.output.enter_alternate_screen()
        self.assertTrue(self.output.in_use)
        self.output.quit_alternate_screen()
        self.assertFalse(self.output.in_use)
        drawn = self.drawn()
        self.assertLess(drawn.rindex(b"\x1b[2K"), drawn.index(b"\x1b[?1049l"))
        self.assertTrue(drawn.startswith(b"\x1b[22;0t") and drawn.endswith(b"\x1b[23;0t"))

    def test_nothing_drawn(self) -> None:
        """Without drawing nothing is sent. There is no descriptor."""
        self.output.flush()
        self.assertEqual(self.frames, [])
        self.assertRaises(OSError, self.output.fileno)

    def test_notify(self) -> None:
        """A notification rings and contains nothing that a terminal obeys."""
        self.output.notify("bob; hi\x1b\x07")
        self.assertEqual(self.frames[0][8:-8], b"\x07\x1b]9;bob, hi\x1b\\\x1b]777;notify;IRChat;bob, hi\x1b\\")


class DeviceTests(SynchronousTestCase):
    """The transport's side."""

    def setUp(self) -> None:
        """Create an open device."""
        self.keys = TerminalInput(None)
        self.device = Device(self.keys)
        self.transport = StringTransport()
        self.device.makeConnection(self.transport)

    def test_drained(self) -> None:
        """The device is idle until something is written, and again when the terminal has received it."""
        self.assertIsNone(self.successResultOf(self.device.drained()))
        self.device.write(b"frame")
        drained = self.device.drained()
        called: list[bool] = []
        self.device.on_drained = lambda: called.append(self.device.idle)
        self.assertNoResult(drained)
        self.device.resumeProducing()
        self.successResultOf(drained)
        self.assertEqual(called, [True])

    def test_finish(self) -> None:
        """The device closes once, unregisters its producer, and writes nothing afterwards."""
        closed = self.device.finish()
        self.assertTrue(self.transport.disconnecting)
        self.assertIsNone(self.transport.producer)
        self.device.write(b"late")
        self.device.stopProducing()
        self.device.connectionLost()
        self.successResultOf(closed)
        self.successResultOf(self.device.finish())
        self.assertEqual(self.transport.value(), b"")

    def test_gone(self) -> None:
        """The loss of the terminal is reported, and ends all waiting for it."""
        gone: list[bool] = []
        self.device.on_gone = lambda: gone.append(True)
        self.device.write(b"frame")
        drained = self.device.drained()
        self.device.connectionLost()
        self.successResultOf(drained)
        self.assertEqual(gone, [True])

    def test_failure(self) -> None:
        """An error while handling a key is reported, and does not close the terminal."""

        def fail() -> None:
            raise RuntimeError("broken")

        failures: list[Failure] = []
        self.device.on_failure = failures.append
        with self.keys.attach(fail):
            self.device.dataReceived(b"x")
        self.assertTrue(failures[0].check(RuntimeError))
