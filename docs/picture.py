"""Draw ``docs/screen.svg``, the picture in README.rst, from a real run: ``python -m docs.picture``.

The server is real. Alice uses the full-screen client in a pseudo-terminal, the others the JSON protocol. The server's
wall clock is set for each message, so that a day and a morning pass in seconds.
"""

import datetime
import socket
import sys
import tempfile
from collections.abc import Iterator
from html import escape
from itertools import groupby
from pathlib import Path

import pyte
from pyte.screens import Char

from irchat.protocol.rules import DEFAULT_PORT
from tests.helpers.processes import JSONClient, ServerProcess, TerminalProcess, wait_for

_COLUMNS, _LINES = 100, 20
_GROUP = "*garden"

# Time, sender, chat and text of each message.
_YESTERDAY = (
    ("17:40", "Zoë", _GROUP, "Who was it that painted the shed blue? It is beautiful."),
    ("17:51", "carol", _GROUP, "That was 美咲, with what was left of the fence."),
    ("17:52", "美咲", _GROUP, "There is paint for a bench, too 🎨"),
    ("18:02", "bob", _GROUP, "The tomatoes are ripe. Who takes some?"),
    ("18:04", "Zoë", _GROUP, "#4 Two kilos for me, please!"),
    ("18:05", "alice", _GROUP, "And one for me. I come by on Sunday with the big basket."),
)
_TODAY = (
    ("08:31", "carol", _GROUP, "Good morning! The rain barrel is full again, so please water the beans from there "
                               "and not from the tap."),
    ("08:40", "美咲", _GROUP, "ありがとう! I water them at ten."),
    ("08:52", "bob", _GROUP, "There is a wasps' nest behind the shed, careful 🐝"),
    ("09:03", "dave", "*kitchen", "Soup for eight tonight, is that enough?"),
    ("09:05", "erin", "*kitchen", "Make it ten, the neighbours come too."),
    ("09:08", "dave", "GLOBAL", "The internet is back. Say so if yours is not."),
    ("09:10", "carol", "@alice", "Have you still got my ladder?"),
    ("09:12", "Zoë", _GROUP, "I'm at the gate, and it is locked. What was the code?"),
)  # fmt: skip
# Sender and fields of each change.
_CHANGES = (
    ("美咲", {"type": "mark", "seq": 7, "mark": "👍"}),
    ("bob", {"type": "mark", "seq": 7, "mark": "ok"}),
    ("Zoë", {"type": "mark", "seq": 7, "mark": "ok"}),
    ("bob", {"type": "amend", "seq": 9, "text": "Wasps' nest behind the blue shed, careful 🐝"}),
)
_TIMED = ("09:14", "bob", _GROUP, "4711, then the key sign", 40)
_ANSWERS = ("Zoë", _GROUP, "I'm in, thanks!")
TYPED = "See you all at ten. I bring"

_CLOCK = """
import os, sys, time
sys.path.insert(0, "")
def _time_ns(): return int(float(open(os.environ["PICTURE_CLOCK"]).read()) * 1e9)
time.time_ns = _time_ns
time.time = lambda: _time_ns() / 1e9
"""

# The colours of a dark terminal.
_CELL, _ROW, _FONT, _BAR, _MARGIN = 9, 20, 15, 34, 12
_DEFAULT, _GROUND, _FRAME = "#d4d7dd", "#101216", "#262b33"
_BASIC = {"red": "#d75f5f", "green": "#5faf5f", "brown": "#d7af5f", "blue": "#5f87d7", "cyan": "#5fafaf"}
# Drawn as lines, so that they join from cell to cell in any font.
_ACROSS, _DOWN, _THICK = _LINES_DRAWN = ("─", "│", "┃")


class Scene:
    """The server and its users. ``home`` is the folder for all their files, ``options`` are more for the server."""

    def __init__(self, home: Path, *options: str) -> None:
        self._home = home
        self._clock = home / "clock"
        self._today = datetime.datetime.now(datetime.UTC).date()
        self.set_clock(self._today - datetime.timedelta(days=1), "17:00")
        (home / "site").mkdir()
        (home / "site" / "sitecustomize.py").write_text(_CLOCK)
        variables = {"PYTHONPATH": str(home / "site"), "PICTURE_CLOCK": str(self._clock)}
        port = _usual_port()
        self.server = ServerProcess(home, "--no-tls", "--no-passwords", *options, port=port, variables=variables)
        self._people: dict[str, JSONClient] = {}

    def set_clock(self, day: datetime.date, time: str) -> None:
        """Set the server's wall clock."""
        moment = datetime.datetime.combine(day, datetime.time.fromisoformat(time), datetime.UTC)
        self._clock.write_text(str(moment.timestamp()))

    def person(self, name: str) -> JSONClient:
        """Return the connection of a user; sign the user in first if necessary."""
        if name not in self._people:
            self._people[name] = JSONClient(self.server, tls=False)
            self._people[name].ask(type="login", name=name)
        return self._people[name]

    def leave(self, name: str) -> None:
        """Sign a user out."""
        self._people.pop(name).close()

    def say(self, time: str, name: str, chat: str, text: str, *, day: int = 0) -> None:
        """Send a message as a user, ``day`` days from today."""
        self.set_clock(self._today + datetime.timedelta(days=day), time)
        self.person(name).ask(type="send", chat=chat, text=text)

    def talk(self) -> None:
        """Let everyone talk. Alice has been away since yesterday."""
        for name in "bob", "carol", "dave", "erin", "Zoë", "美咲", "alice":
            self.person(name)
        self.person("bob").ask(type="create_group", name="garden", members=["alice", "carol", "Zoë", "美咲"])
        self.person("dave").ask(type="create_group", name="kitchen", members=["alice", "erin"])
        for time, name, chat, text in _YESTERDAY:
            self.say(time, name, chat, text, day=-1)
        self.leave("alice")
        for time, name, chat, text in _TODAY:
            self.say(time, name, chat, text)
        for name, fields in _CHANGES:
            self.person(name).ask(chat=_GROUP, **fields)
        self.leave("erin")

    def tell_code(self, seconds: int = _TIMED[-1]) -> str:
        """Send the timed message. Return its text."""
        time, name, chat, text, _ = _TIMED
        self.set_clock(self._today, time)
        self.person(name).ask(type="send", chat=chat, text=text, expires_in=seconds)
        return text

    def thank(self) -> str:
        """Send the answer to the timed message. Return its text."""
        self.say(_TIMED[0], *_ANSWERS)
        return _ANSWERS[-1]

    def screen(self) -> pyte.Screen:
        """Return Alice's screen at the end."""
        self.talk()
        alice = self._alice()
        alice.expect("gate")
        seconds = _TIMED[-1]
        alice.expect(self.tell_code())
        self.thank()
        alice.expect(_ANSWERS[-1])
        alice.press(TYPED.encode())
        alice.expect(TYPED)
        wait_for(lambda: f"({seconds - 6}s)" in alice.text(), "some seconds to pass", alice.text)
        return alice.screen

    def _alice(self) -> TerminalProcess:
        home = self._home / "alice"
        home.mkdir()
        address = f"alice@localhost:{self.server.port}"
        alice = TerminalProcess.full_screen(address, home, "--no-tls", columns=_COLUMNS, lines=_LINES, TZ="UTC")
        alice.expect("Unread")
        alice.expect(_GROUP)
        alice.press(b"\r")
        return alice


def _usual_port() -> int:
    """Return the default port, or 0 for a free one if that is taken."""
    with socket.socket() as trial:
        return 0 if trial.connect_ex(("127.0.0.1", DEFAULT_PORT)) == 0 else DEFAULT_PORT


def draw(screen: pyte.Screen) -> str:
    """Return an SVG of a terminal with ``screen``."""
    width, height = screen.columns * _CELL + 2 * _MARGIN, screen.lines * _ROW + _BAR + 2 * _MARGIN
    middle = f'x="{width / 2:g}" y="{_BAR / 2 + 5:g}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">',
        f'<g font-family="DejaVu Sans Mono,Menlo,Consolas,monospace" font-size="{_FONT}">',
        f'<rect width="{width}" height="{height}" rx="9" fill="{_FRAME}"/>',
        f'<path d="M0 {_BAR}H{width}V{height - 9}a9 9 0 0 1 -9 9H9a9 9 0 0 1 -9 -9z" fill="{_GROUND}"/>',
        *(f'<circle cx="{20 + 20 * n}" cy="{_BAR / 2:g}" r="6" fill="{colour}"/>'
          for n, colour in enumerate(("#e0655d", "#dfb14a", "#64b860"))),
        f'<text {middle} text-anchor="middle" fill="#9aa3af">{escape(screen.title)}</text>',
    ]  # fmt: skip
    for row in range(screen.lines):
        parts += _row(screen, row)
    parts.append(_rect(screen.cursor.x, screen.cursor.y, 1, _DEFAULT))
    return "\n".join([*parts, "</g>", "</svg>", ""])


def _row(screen: pyte.Screen, row: int) -> Iterator[str]:
    """Yield the runs of cells that look the same: a background, and letters each at a position of their own."""
    cells = [(column, screen.buffer[row][column]) for column in range(screen.columns)]
    for _, run in groupby(cells, key=lambda cell: (cell[1]._replace(data=""), cell[1].data in _LINES_DRAWN)):
        yield from _run(list(run), row)


def _run(cells: list[tuple[int, Char]], row: int) -> Iterator[str]:
    first, look = cells[0]
    ink, ground = _colour(look.fg, _DEFAULT), _colour(look.bg, _GROUND)
    if look.reverse:
        ink, ground = ground, ink
    if ground != _GROUND:
        yield _rect(first, row, len(cells), ground)
    top = _top(row)
    if look.underscore:
        yield f'<path d="M{_left(first)} {top + _ROW - 2}h{len(cells) * _CELL}" stroke="{ink}"/>'
    if look.data in _LINES_DRAWN:
        for column, cell in cells:
            yield _line(column, row, cell.data, ink)
        return
    text = "".join(cell.data for _, cell in cells).rstrip().replace(" ", "\xa0")  # SVG collapses common spaces
    if text:
        # The second cell of a wide character is empty.
        places = [str(_left(column)) for column, cell in cells for _ in cell.data]
        weight = ' font-weight="bold"' * look.bold + ' font-style="italic"' * look.italics
        yield f'<text x="{" ".join(places[: len(text)])}" y="{top + 15}" fill="{ink}"{weight}>{escape(text)}</text>'


def _line(column: int, row: int, data: str, ink: str) -> str:
    if data == _ACROSS:
        return f'<path d="M{_left(column)} {_top(row) + _ROW / 2:g}h{_CELL}" stroke="{ink}"/>'
    width = 3 if data == _THICK else 1
    return f'<path d="M{_left(column) + _CELL / 2:g} {_top(row)}v{_ROW}" stroke="{ink}" stroke-width="{width}"/>'


def _rect(column: int, row: int, columns: int, colour: str) -> str:
    return f'<rect x="{_left(column)}" y="{_top(row)}" width="{columns * _CELL}" height="{_ROW}" fill="{colour}"/>'


def _left(column: int) -> int:
    return _MARGIN + column * _CELL


def _top(row: int) -> int:
    return _BAR + _MARGIN + row * _ROW


def _colour(name: str, default: str) -> str:
    if name == "default":
        return default
    return _BASIC.get(name) or f"#{name}"


def main() -> int:
    """Draw the picture. Return the exit status."""
    with tempfile.TemporaryDirectory(prefix="irchat-") as folder:
        scene = Scene(Path(folder))
        try:
            screen = scene.screen()
        finally:
            scene.server.kill()
    place = Path(__file__).with_name("screen.svg")
    place.write_text(draw(screen), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
