"""The terminal as prompt_toolkit sees it, over a transport in the test's hands, and the loop's clock."""

import os
import pty
import termios

from prompt_toolkit.data_structures import Size
from prompt_toolkit.keys import Keys
from prompt_toolkit.output import ColorDepth
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from irchat.client.terminal.device import Device, TerminalInput, TerminalOutput


class InputTests(SynchronousTestCase):
    """Keys from bytes."""

    def setUp(self) -> None:
        """An input that somebody reads."""
        self.keys = TerminalInput(None)
        self.got: list[str] = []
        self.attached = self.keys.attach(lambda: self.got.extend(key.data for key in self.keys.read_keys()))
        self.attached.__enter__()

    def test_letters(self) -> None:
        """A letter that comes in two parts is one key."""
        self.keys.feed("é".encode()[:1])
        self.keys.feed("é".encode()[1:] + b"x")
        self.assertEqual(self.got, ["é", "x"])

    def test_paste(self) -> None:
        """A paste of a megabyte is one key, in whatever parts it comes."""
        data = b"\x1b[200~" + b"line\n" * 200_000 + b"\x1b[201~"
        for start in range(0, len(data), 65_536):
            self.keys.feed(data[start : start + 65_536])
        self.assertEqual([len(text) for text in self.got], [1_000_000])

    def test_escape(self) -> None:
        """An escape alone is a key when nothing follows."""
        self.keys.feed(b"\x1b")
        self.assertEqual(self.got, [])
        self.assertEqual([key.key for key in self.keys.flush_keys()], [Keys.Escape])

    def test_detached(self) -> None:
        """While detached nobody is told; then the one before is again."""
        with self.keys.detach():
            self.keys.feed(b"x")
        self.assertEqual(self.got, [])
        self.keys.feed(b"y")
        self.assertEqual(self.got, ["x", "y"])
        self.attached.__exit__(None, None, None)

    def test_no_descriptor(self) -> None:
        """It has no descriptor to wait for, and where there is no terminal there is nothing to set up."""
        self.assertEqual(self.keys.fileno(), -1)
        self.assertNotEqual(self.keys.typeahead_hash(), TerminalInput(None).typeahead_hash())
        with self.keys.raw_mode(), self.keys.cooked_mode():
            self.assertFalse(self.keys.closed)
        self.keys.close()
        self.assertTrue(self.keys.closed)

    def test_raw(self) -> None:
        """A terminal gives keys as they are pressed, and is then as it was."""
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
        """An output of three rows."""
        self.frames: list[bytes] = []
        size = Size(rows=3, columns=9)
        self.output = TerminalOutput(self.frames.append, lambda: size, "xterm", ColorDepth.DEPTH_8_BIT)

    def drawn(self) -> bytes:
        """The one frame."""
        self.output.flush()
        (frame,) = self.frames
        self.assertTrue(frame.startswith(b"\x1b[?2026h") and frame.endswith(b"\x1b[?2026l"))
        return frame[8:-8]

    def test_disputed_widths(self) -> None:
        """Emoji and graphemes of several code points take the cells that we count, whatever the terminal counts."""
        for text, size in ("👩\u200d💻", 2), ("🇩🇪", 2), ("e\u0301", 1), ("क्षि", 3), ("🙂", 2):
            self.output.write(text)
            self.assertEqual(self.drawn(), f"\x1b7{' ' * size}\x1b8{text}\x1b8\x1b[{size}C".encode())
            self.frames.clear()
        for text in "é", "日", "a":
            self.output.write(text)
        self.assertEqual(self.drawn(), "é日a".encode())

    def test_never_scrolls(self) -> None:
        """Moving down is never a line feed, which at the lowest row would scroll a row off."""
        self.output.write("\r\n\r\n")
        self.output.write("a\x1bb")
        self.assertEqual(self.drawn(), b"\r\x1b[2Ba?b")

    def test_erases_rows(self) -> None:
        """The screen is erased row by row, and never as a whole."""
        self.output.erase_down()
        self.assertEqual(self.drawn(), b"\x1b[0m\x1b[1;1H\x1b[2K\x1b[2;1H\x1b[2K\x1b[3;1H\x1b[2K\x1b[H")

    def test_leaves_nothing(self) -> None:
        """Leaving erases first, for the terminal may have one screen only, and gives the title back."""
        self.output.enter_alternate_screen()
        self.assertTrue(self.output.in_use)
        self.output.quit_alternate_screen()
        self.assertFalse(self.output.in_use)
        drawn = self.drawn()
        self.assertLess(drawn.rindex(b"\x1b[2K"), drawn.index(b"\x1b[?1049l"))
        self.assertTrue(drawn.startswith(b"\x1b[22;0t") and drawn.endswith(b"\x1b[23;0t"))

    def test_nothing_drawn(self) -> None:
        """Where nothing was drawn nothing is sent; there is no descriptor."""
        self.output.flush()
        self.assertEqual(self.frames, [])
        self.assertRaises(NotImplementedError, self.output.fileno)

    def test_notify(self) -> None:
        """A notification rings and holds nothing that a terminal obeys."""
        self.output.notify("bob; hi\x1b\x07")
        self.assertEqual(self.frames[0][8:-8], b"\x07\x1b]9;bob, hi\x1b\\\x1b]777;notify;IRChat;bob, hi\x1b\\")


class DeviceTests(SynchronousTestCase):
    """The transport's end."""

    def setUp(self) -> None:
        """A device that is open."""
        self.keys = TerminalInput(None)
        self.device = Device(self.keys)
        self.transport = StringTransport()
        self.device.makeConnection(self.transport)

    def test_drained(self) -> None:
        """It is idle until something is written and again when that has reached the terminal."""
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
        """It closes once, as nobody's producer any more, and writes no more."""
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
        """When the terminal goes by itself somebody is told, and who waited for it waits no more."""
        gone: list[bool] = []
        self.device.on_gone = lambda: gone.append(True)
        self.device.write(b"frame")
        drained = self.device.drained()
        self.device.connectionLost()
        self.successResultOf(drained)
        self.assertEqual(gone, [True])

    def test_failure(self) -> None:
        """What goes wrong when a key is handled is told, and does not close the terminal."""

        def fail() -> None:
            raise RuntimeError("broken")

        failures: list[Failure] = []
        self.device.on_failure = failures.append
        with self.keys.attach(fail):
            self.device.dataReceived(b"x")
        self.assertTrue(failures[0].check(RuntimeError))
