"""The terminal device for prompt_toolkit: parse input bytes into keys, and write the bytes of each frame."""

import base64
import codecs
import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from io import StringIO
from typing import Any

from prompt_toolkit.data_structures import Size
from prompt_toolkit.input import Input
from prompt_toolkit.input.vt100 import cooked_mode, raw_mode
from prompt_toolkit.input.vt100_parser import Vt100Parser
from prompt_toolkit.key_binding import KeyPress
from prompt_toolkit.output import ColorDepth
from prompt_toolkit.output.vt100 import Vt100_Output
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IPullProducer
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from irchat.protocol.rules import visible
from irchat.text.cells import cells
from irchat.text.linked import Linked

# A terminal with mode 2026 shows everything between these at once, so that no half-drawn frame is visible.
_FRAME_BEGINS, _FRAME_ENDS = "\x1b[?2026h", "\x1b[?2026l"
# Undoes everything that an application may have set up and did not undo itself.
RESTORE = b"\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1006l\x1b[?1000l\x1b[?2004l\x1b[?1049l"
# Terminals that would show the address of a link as text.
_NO_LINKS = ("linux", "screen", "dumb")
_NEW_LINES = re.compile(r"(?:\r\n)+")
_PASTE_ENDS = "\x1b[201~"
# Characters after which an unfinished escape sequence counts as single keys. The parser would keep any number.
_SEQUENCE_MOST = 256


# Terminals that put a mark on the letter to the left of the last column, unless they would wrap the row there.
_MULTIPLEXERS = ("tmux", "screen")
_WRAP_ON, _WRAP_OFF = "\x1b[?7h", "\x1b[?7l"


class AtEdge(str):
    """A grapheme of several code points that ends in the last column, and not in the last row, which could scroll."""


def _ignore(*_: object) -> None:
    pass


class TerminalInput(Input):
    """Parse keys from bytes. ``descriptor`` is the terminal's, or None if there are no modes to set."""

    closed = False  # the client ends when the terminal is gone

    def __init__(self, descriptor: int | None) -> None:
        self._descriptor = descriptor
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._keys: list[KeyPress] = []
        self._parser = Vt100Parser(self._keys.append)
        self._ready: Callable[[], None] = _ignore
        self.intercept: Callable[[], None] | None = None
        self._unparsed = 0

    @property
    def _is_pasting(self) -> bool:
        return self._parser._in_bracketed_paste

    @property
    def pasted(self) -> int:
        """The number of characters of a paste that has not ended."""
        return len(getattr(self._parser, "_paste_buffer", ""))  # the parser has it after the first paste

    def feed(self, data: bytes) -> None:
        """Receive bytes from the terminal. ``intercept`` is called in place of a key."""
        if self.intercept is not None:
            self.intercept()
            return
        before = len(self._keys)
        # Ctrl-C in a read of its own was pressed, so the mark at the end of the paste was lost.
        self._parser.feed(_PASTE_ENDS if data == b"\x03" and self._is_pasting else self._decode(data))
        self._unparsed = 0 if len(self._keys) > before or self.pasted else self._unparsed + len(data)
        if self._unparsed > _SEQUENCE_MOST:
            self._parser.flush()
            self._unparsed = 0
        self._ready()

    def read_keys(self) -> list[KeyPress]:
        """Return the keys since the last call."""
        keys = list(self._keys)
        self._keys.clear()
        return keys

    def flush_keys(self) -> list[KeyPress]:
        """Return the keys since the last call, including an Escape that could begin a longer sequence."""
        self._parser.flush()
        return self.read_keys()

    def fileno(self) -> int:
        """Return -1: there is no descriptor to wait for."""
        return -1

    def typeahead_hash(self) -> str:
        """Return the identifier under which prompt_toolkit keeps keys from one application to the next."""
        return f"irchat-{id(self)}"

    def raw_mode(self) -> AbstractContextManager[None]:
        """Set raw mode, in which each key is read as it is pressed."""
        return nullcontext() if self._descriptor is None else raw_mode(self._descriptor)

    def cooked_mode(self) -> AbstractContextManager[None]:
        """Set cooked mode, in which lines are read, as a shell needs."""
        return nullcontext() if self._descriptor is None else cooked_mode(self._descriptor)

    def detach(self) -> AbstractContextManager[None]:
        """Keep the keys for a while, without calling the callback."""
        return self.attach(_ignore)

    @contextmanager
    def attach(self, input_ready_callback: Callable[[], None]) -> Iterator[None]:
        """Call ``input_ready_callback`` when there are keys to read."""
        before, self._ready = self._ready, input_ready_callback
        try:
            yield
        finally:
            self._ready = before


class TerminalOutput(Vt100_Output):
    """Draw with ``write``, so that the terminal keeps no copy of any row.

    For this, nothing scrolls, and rows are erased one by one.
    """

    def __init__(
        self, write: Callable[[bytes], None], get_size: Callable[[], Size], term: str, colours: ColorDepth
    ) -> None:
        super().__init__(StringIO(), get_size, term, colours, enable_cpr=False)
        self.in_use = False
        self._send = write
        self._has_links = not term.startswith(_NO_LINKS)
        self._is_multiplexer = term.startswith(_MULTIPLEXERS)
        self._target = ""

    def write(self, data: str) -> None:
        """Draw text. Line feeds become cursor movements: they would scroll a terminal that has just shrunk."""
        self._link(data.target if isinstance(data, Linked) else "")
        if data.startswith("\r\n") and _NEW_LINES.fullmatch(data):
            self.write_raw(f"\r\x1b[{len(data) // 2}B")
        elif data > "\uffff" or (len(data) > 1 and not data.isascii()):
            # Terminals disagree on the width of emoji, rare scripts and graphemes of several code points. So clear the
            # cells first, and then set the cursor by our own count.
            size, shown = cells(data), visible(data)
            if self._is_multiplexer and isinstance(data, AtEdge):
                shown = f"{_WRAP_ON}{shown}{_WRAP_OFF}"  # the cursor moves before anything else is drawn
            self.write_raw(f"\x1b7{' ' * size}\x1b8\x1b7{shown}\x1b8\x1b[{size}C")
        else:
            super().write(data)

    def _link(self, target: str) -> None:
        """Begin or end a link (OSC 8) before the next text, if the terminal knows links."""
        if target != self._target and self._has_links:
            self._target = target
            # The same id joins the parts of a link in several rows.
            id_ = f"id={zlib.crc32(target.encode()):x}" if target else ""
            self.write_raw(f"\x1b]8;{id_};{target}\x1b\\")

    def flush(self) -> None:
        """Send everything drawn so far as one frame."""
        self._link("")
        if self._buffer:
            data = "".join(self._buffer)
            self._buffer = []
            self._send(f"{_FRAME_BEGINS}{data}{_FRAME_ENDS}".encode("utf-8", "replace"))

    def enter_alternate_screen(self) -> None:
        """Save the window title and switch to the alternate screen, if the terminal has one."""
        self.in_use = True
        self.write_raw("\x1b[22;0t")
        super().enter_alternate_screen()

    def quit_alternate_screen(self) -> None:
        """Erase the screen, which may be the only one, and switch back from the alternate screen."""
        self.in_use = False
        self.erase_screen()
        super().quit_alternate_screen()
        self.write_raw("\x1b[23;0t")

    def erase_down(self) -> None:
        """Erase all rows, because every frame begins at the first one."""
        self.erase_screen()

    def erase_screen(self) -> None:
        """Erase all rows."""
        self.write_raw(f"{erase_rows(self.get_size().rows)}\x1b[H")

    def enable_mouse_support(self) -> None:
        """Have the terminal report the wheel and clicks (SGR), but no movements."""
        self.write_raw("\x1b[?1000h\x1b[?1006h")

    def disable_mouse_support(self) -> None:
        """Leave the mouse to the terminal."""
        self.write_raw("\x1b[?1006l\x1b[?1000l")

    def copy(self, text: str) -> None:
        """Put a text into the clipboard of a terminal that allows it (OSC 52)."""
        self.write_raw(f"\x1b]52;c;{base64.b64encode(text.encode()).decode()}\x1b\\")
        self.flush()

    def notify(self, text: str, *, bell: bool = True, show: bool = True) -> None:
        """Ring the ``bell``, and ``show`` a notification on terminals that can (OSC 9 and 777)."""
        safe = "".join(character for character in text if character.isprintable()).replace(";", ",")
        shown = f"\x1b]9;{safe}\x1b\\\x1b]777;notify;IRChat;{safe}\x1b\\" if show else ""
        self.write_raw(("\a" if bell else "") + shown)
        self.flush()


def erase_rows(count: int) -> str:
    """Return the bytes that erase ``count`` rows one by one.

    Erasing the display at once would push it into the scrollback of tmux and GNU screen.
    """
    return "\x1b[0m" + "".join(f"\x1b[{row};1H\x1b[2K" for row in range(1, count + 1))


@implementer(IPullProducer)
class Device(Protocol):
    """The protocol on the terminal's transport. It passes bytes to ``keys`` and reports when a frame is written.

    ``on_drained`` is called when everything has been written, ``on_gone`` when the terminal is gone, and ``on_failure``
    with an exception raised by a key.
    """

    transport: Any

    def __init__(self, keys: TerminalInput) -> None:
        self.on_drained: Callable[[], None] = _ignore
        self.on_gone: Callable[[], None] = _ignore
        self.on_failure: Callable[[Failure], None] = _ignore
        self.idle = True
        self.keys = keys
        self._waiting: list[Deferred[None]] = []
        self._closed: Deferred[None] = Deferred()
        self._over = False

    def write(self, data: bytes) -> None:
        """Write to the terminal."""
        if not self._over:
            self.idle = False
            self.transport.write(data)

    def drained(self) -> Deferred[None]:
        """Return a Deferred that fires when everything has been written to the terminal."""
        if self.idle or self._over:
            return succeed(None)
        self._waiting.append(Deferred())
        return self._waiting[-1]

    def finish(self) -> Deferred[None]:
        """Close after everything is written. Return a Deferred that fires when it is closed."""
        if not self._over:
            self._over = True
            self.transport.unregisterProducer()
            self.transport.loseConnection()
        return self._closed

    # Called by Twisted.

    def connectionMade(self) -> None:
        """Become a pull producer: a request for more data means that everything was written."""
        self.transport.registerProducer(self, False)

    def dataReceived(self, data: bytes) -> None:
        """Receive the bytes of keys."""
        try:
            self.keys.feed(data)
        except Exception:
            self.on_failure(Failure())

    def resumeProducing(self) -> None:
        """Handle the end of a write."""
        self.idle = True
        waiting, self._waiting = self._waiting, []
        for drained in waiting:
            drained.callback(None)
        self.on_drained()

    def stopProducing(self) -> None:
        """Do nothing: `connectionLost` follows."""

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Handle the closing of the terminal, by us or because it is gone."""
        gone = not self._over
        self._over = True
        self.resumeProducing()
        self._closed.callback(None)
        if gone:
            self.on_gone()
