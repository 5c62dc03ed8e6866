"""The frames, titles and notifications of the full screen."""

from prompt_toolkit.data_structures import Size
from twisted.python.failure import Failure

from irchat.client.preferences import Preferences
from irchat.client.view.rows import Row
from irchat.protocol import events
from tests.client.terminal.test_input_line import ApplicationCase
from tests.helpers.client_fakes import error, message


class FrameTests(ApplicationCase):
    """Frames."""

    def drawn(self) -> bytes:
        """Return the output since the last call."""
        drawn = self.transport.value()
        self.transport.clear()
        return drawn

    def test_paced(self) -> None:
        """While the terminal is blocked no frame is drawn. Afterwards one is, with all changes."""
        self.press("x")
        self.drawn()
        self.server.tell(message("one", seq=1))
        self.turn(drain=False)
        self.assertIn(b"one", self.drawn())
        for number in range(2, 9):
            self.server.tell(message(f"more{number}", seq=number))
            self.turn(drain=False)
        self.assertEqual(self.drawn(), b"")
        self.turn()
        drawn = self.drawn()
        self.assertEqual(drawn.count(b"\x1b[?2026h"), 1)
        self.assertIn(b"more8", drawn)

    def test_anew(self) -> None:
        """A redraw draws everything, but not before the application runs or after it has ended."""
        self.drawn()
        self.app.repaint()
        self.assertIn(b"No messages yet", self.drawn())
        self.end()
        self.drawn()
        self.app.repaint()
        self.assertEqual(self.drawn(), b"")

    def test_title_and_bell(self) -> None:
        """The title shows the number of unread messages. A notification rings unless disabled."""
        self.server.tell(message("hi", seq=1, chat="@bob"))
        self.turn()
        drawn = self.drawn()
        self.assertIn(b"\x1b]2;(1) IRChat host:7667\x07", drawn)
        self.assertIn(b"\x07\x1b]9;bob: hi", drawn)
        self.app.notify("soon")
        self.app.notify("sooner")
        self.assertEqual(self.drawn(), b"")
        self.clock.advance(1.0)
        self.assertIn(b"9;sooner", self.drawn())
        self.clock.advance(1.0)
        self.app._settings = Preferences(bell=False, notify=False)
        self.app.notify("x")
        self.assertEqual(self.drawn(), b"")

    def test_failed_frame(self) -> None:
        """A frame that fails is reported to the user of the device."""
        failures: list[Failure] = []
        self.device.on_failure = failures.append
        self.patch(self.app._painter, "header", lambda width: 1 / 0)
        self.app.repaint()
        self.assertEqual([failure.type for failure in failures], [ZeroDivisionError])
        self.patch(self.app._painter, "header", lambda width: Row(()))

    def test_resized(self) -> None:
        """A terminal without signals tells its new size, but not after the end."""
        self.drawn()
        self.size = Size(rows=20, columns=60)
        self.app.resized()
        self.assertIn(b"No messages yet", self.drawn())
        self.end()
        self.drawn()
        self.app.resized()
        self.assertEqual(self.drawn(), b"")

    def test_no_shell(self) -> None:
        """Without a shell, Ctrl-Z says so."""
        self.app._stop_process = None
        self.press("\x1a")
        self.assertIn("no shell", self.app._line.status)
        self.assertEqual(self.stopped, [])

    def test_narrow(self) -> None:
        """The sidebar appears if there is room."""
        self.drawn()
        self.assertIn("Online", self.redrawn(100))
        self.assertNotIn("Online", self.redrawn(80))

    def test_wide(self) -> None:
        """Above 140 columns, people are at the right and no longer below the chats."""
        self.open("*team", message("hi", chat="*team", seq=1))
        self.server.answer(events.Group("*team", "*1", "bob", ["bob", "alice"]))
        self.turn()
        self.drawn()
        narrow, wide = self.redrawn(140), self.redrawn(141)
        self.assertIn("2 members: bob (owner), alice", narrow)
        self.assertIn("Online", narrow)
        self.assertNotIn("Members 2", narrow)
        self.assertIn("Members 2", wide)
        self.assertNotIn("Online", wide)

    def test_too_small_to_send(self) -> None:
        """Enter sends nothing while the terminal has no room for the input."""
        for columns, rows in ((5, 1), (7, 20), (100, 1), (100, 2)):
            self.redrawn(columns, rows)
            self.press("\x15hi\r")
            self.assertEqual(self.buffer.text, "hi")
        self.assertEqual(self.controller.sending.unsent(), "")
        self.redrawn(100)
        self.press("\r")
        self.assertEqual(self.controller.sending.unsent(), "1 message to GLOBAL")

    def test_too_small_to_read(self) -> None:
        """Messages do not count as read while the terminal has no room for them."""
        for seq, (columns, rows) in enumerate([(100, 1), (100, 2), (100, 3)], 1):
            self.redrawn(columns, rows)
            self.server.tell(message("hi", seq=seq))
            self.turn()
            self.assertEqual(self.view.unread, seq)
        self.redrawn(100)
        self.assertEqual(self.view.unread, 0)

    def test_low(self) -> None:
        """On a low terminal the input leaves room for the rest."""
        self.press("word " * 10)
        self.assertIn("GLOBAL>", self.redrawn(12, 3))
        self.assertIn("GLOBAL>", self.redrawn(12, 5))

    def redrawn(self, columns: int, rows: int = 20) -> str:
        """Return a whole frame of that size."""
        self.size = Size(rows=rows, columns=columns)
        self.app._on_resize()
        self.turn()
        return self.drawn().decode()

    def test_error_reply(self) -> None:
        """A refusal of the server appears in its chat."""
        self.open("@bob")
        self.press("+team\r")
        self.server.answer(error("no-such-group", "No such group."))
        self.turn()
        self.assertIn(b"! No such group.", self.drawn())

    def test_links(self) -> None:
        """An address is a link to the whole address in each of its rows, also beside an emoji of several parts."""
        address = "https://a.example/" + "x" * 100
        self.open("@bob", message(f"see {address}", chat="@bob", seq=1),
                  message("\U0001f469\u200d\U0001f4bb https://b.example", chat="@bob", seq=2))  # fmt: skip
        drawn = self.drawn()
        self.assertGreaterEqual(drawn.count(f";{address}\x1b\\".encode()), 2)
        self.assertIn(b";https://b.example\x1b\\", drawn)
        self.assertGreaterEqual(drawn.count(b"\x1b]8;;\x1b\\"), 3)
        self.turn()
        self.press("x")
        self.open("*team", message("\U0001f469\u200d\U0001f4bb https but no link", chat="*team", seq=1))
        self.assertNotIn(b"]8;id", self.drawn()[-600:])
