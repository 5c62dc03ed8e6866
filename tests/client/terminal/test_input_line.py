"""The input line and the keys, in an application over a fake device."""

import asyncio
from pathlib import Path
from typing import Any

from prompt_toolkit.buffer import Buffer
from prompt_toolkit.data_structures import Size
from prompt_toolkit.key_binding.key_processor import _Flush
from prompt_toolkit.output import ColorDepth
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase

from irchat.client.connect.entry import SavedSignIn
from irchat.client.connect.server_connection import ServerConnection
from irchat.client.connect.tokens import Tokens
from irchat.client.control.controller import Controller
from irchat.client.preferences import Preferences
from irchat.client.terminal.application import ChatApplication
from irchat.client.terminal.device import Device, TerminalInput, TerminalOutput
from irchat.client.terminal.frame_pacing import FramePacing
from irchat.client.terminal.input_line import split_text
from irchat.client.view.screen_state import ScreenState
from irchat.commands.full_screen import SCREEN
from irchat.protocol import events
from tests.helpers.client_fakes import FakeServer, welcome

_TAB, _CTRL_C, _CTRL_K, _UP, _DOWN, _F1 = "\t", "\x03", "\x0b", "\x1b[A", "\x1b[B", "\x1bOP"


class ApplicationCase(SynchronousTestCase):
    """An application on a loop that the test runs. ``language`` has the available commands."""

    language = SCREEN
    settings = Preferences()

    def setUp(self) -> None:
        """Create a signed-in user, in a terminal of 100 by 20."""
        self.loop = asyncio.new_event_loop()
        self.addCleanup(self.loop.close)
        self.clock, self.server = Clock(), FakeServer()
        self.view = ScreenState("host:7667")
        self.controller = Controller(self.clock, self.view, lambda: "nonce", language=self.language)
        entry = SavedSignIn(
            Tokens(Path(self.mktemp()) / "t"), "host:7667", "alice", self.controller.questions, self.view.complain
        )
        Deferred.fromCoroutine(self.controller.run(self._connect, entry))
        self.keys = TerminalInput(None)
        self.device = Device(self.keys)
        self.transport = StringTransport()
        self.device.makeConnection(self.transport)
        self.size = Size(rows=20, columns=100)
        output = TerminalOutput(self.device.write, lambda: self.size, "xterm", ColorDepth.DEPTH_8_BIT)
        self.stopped: list[bool] = []
        self.app = ChatApplication(self.clock, self.controller, self.device, output, settings=self.settings,
                        stop_process=lambda: self.stopped.append(True), pacing=FramePacing())  # fmt: skip
        coroutine: Any = self.app.run_async(set_exception_handler=False, handle_sigint=False)
        self.task = self.loop.create_task(coroutine)
        self.addCleanup(self.end)
        self.turn()
        self.sign_in()

    async def _connect(self) -> ServerConnection:
        return self.server.connection

    @property
    def buffer(self) -> Buffer:
        """Return the typed text."""
        return self.app._line.buffer

    def sign_in(self) -> None:
        """Let the server accept the user."""
        self.server.answer(welcome())
        chats = [events.Chat(name, "id", 0, 0, 0, None) for name in ("GLOBAL", "@bob", "*team")]
        self.server.answer(events.Chats(chats), events.Users(["bob", "Bobby"], [], False), events.Blocks([]))
        self.server.answer(events.History("GLOBAL", [], False))
        self.turn()

    def end(self) -> None:
        """End the application."""
        if self.app.is_running and not self.app.is_done:
            self.app.exit()
        self.turn()
        self.loop.run_until_complete(self.task)

    def turn(self, *, drain: bool = True) -> None:
        """Run everything that is due in the loop and for frames, and let the terminal take all output."""
        for _ in range(4):
            self.clock.advance(1 / 30)
            self.loop.call_soon(self.loop.stop)
            self.loop.run_forever()
            if drain:
                self.device.resumeProducing()

    def press(self, keys: str) -> None:
        """Press keys."""
        self.device.dataReceived(keys.encode())
        for key in [*self.keys.flush_keys(), _Flush]:  # as when some time has passed without another key
            self.app.key_processor.feed(key)
        self.app.key_processor.process_keys()
        self.turn()

    def paste(self, text: str) -> None:
        """Paste a text."""
        self.press(f"\x1b[200~{text}\x1b[201~")

    def open(self, name: str, *messages: events.Message, more: bool = False) -> None:
        """Open a chat and answer with its end."""
        self.server.asked()
        self.controller.open(name)
        self.server.answer(events.History(name, list(messages), more))
        self.turn()

    def trouble(self) -> str:
        """Return the error in the status line."""
        return self.app._line.status


class InputLineTests(ApplicationCase):
    """Typing."""

    def test_connection_is_back(self) -> None:
        """The text about a command that found no connection changes when the connection is back."""
        self.server.lose(ConnectionDone())
        self.press("#7-\r")
        self.assertIn("Not connected", self.trouble())
        self.view.link = ""
        self.assertEqual(self.trouble(), "The connection is back. Press Enter again.")

    def test_tab(self) -> None:
        """Tab inserts the only word or the common prefix, then each word in turn. Another key ends that."""
        self.press("@al" + _TAB)
        self.assertIn("nothing to complete", self.trouble())
        self.press("\x15*te" + _TAB)
        self.assertEqual(self.buffer.text, "*team ")
        self.press("\x15@b" + _TAB)
        self.assertEqual(self.buffer.text, "@bob")
        self.assertEqual(self.trouble(), "Tab: bob  Bobby")
        self.press(_TAB)
        self.press(_TAB)
        self.assertEqual((self.buffer.text, self.trouble()), ("@Bobby", "Tab: bob  [Bobby]"))
        self.press(_TAB)
        self.assertEqual(self.buffer.text, "@bob")
        self.press("x" + _TAB)
        self.assertEqual(self.buffer.text, "@bobx")

    def test_tab_is_seen_first(self) -> None:
        """A name that Tab has inserted is on the screen before Enter sends a line to it."""
        self.server.asked()
        self.press("@b" + _TAB + " secret\r")
        self.assertEqual((self.buffer.text, self.server.asked()), ("@bob secret", []))
        self.press("\r")
        self.assertEqual([(sent.chat, sent.text) for sent in self.server.asked()], [("@bob", "secret")])

    def test_many_choices(self) -> None:
        """Of many words some are shown, including the chosen one."""
        self.view.list_users(events.Users([f"user{n:02}" for n in range(20)], [], False))
        self.press("@use" + _TAB)
        self.assertTrue(self.trouble().endswith("user07 …"))
        for _ in range(12):
            self.press(_TAB)
        self.assertIn("[user11]", self.trouble())

    def test_wrong_use(self) -> None:
        """An invalid line stays, with its error, until the next key."""
        self.press("~a b\r")
        self.assertEqual(self.buffer.text, "~a b")
        self.assertIn("not how ~ is used", self.trouble())
        self.press("x")
        self.assertEqual(self.trouble(), "")

    def test_long_paste(self) -> None:
        """A paste too long for a message waits for Enter, and Ctrl-C drops it. Elsewhere it is refused."""
        self.open("@bob")
        self.press("hi ")
        self.paste("x" * 9_000)
        self.assertEqual(self.buffer.text, "")
        self.press("y")
        self.assertIn("3 messages", self.trouble())
        self.press(_CTRL_C + "\x15\r")
        self.assertEqual(self.server.asked(), [])
        self.paste("x" * 5_000)
        self.press("\r")
        self.assertEqual([len(request.text) for request in self.server.asked()], [4_000])
        self.press("\x15" + _CTRL_K)
        self.paste("x" * 5_000)
        self.assertIn("too long here", self.trouble())

    def test_long_paste_without_a_chat(self) -> None:
        """A long paste on the list of unread messages moves to the chat that is opened after Enter."""
        self.press("\x1b0")
        self.paste("x" * 5_000)
        self.press("\r")
        self.assertIn("Choose a chat", self.trouble())
        self.press("\x1b3")
        self.assertIn("2 messages", self.trouble())
        self.server.asked()
        self.press("\r")
        self.assertEqual([(sent.chat, len(sent.text)) for sent in self.server.asked()], [("@bob", 4_000)])
        self.press("\x1b0")
        self.assertTrue(self.app._line.is_empty)

    def test_typed_too_much(self) -> None:
        """Typed text is limited, so that each key stays cheap."""
        self.paste("x" * 3_999)
        self.press("y" * 200)
        self.assertEqual(len(self.buffer.text), 4_100)
        self.assertIn("at most 4,000", self.trouble())

    def test_timed_lines_are_not_remembered(self) -> None:
        """A timed line enters neither the history nor the kill ring. Other lines do."""
        self.open("@bob")
        self.press("plain\r")
        self.press("psst secret\x17secret\x01*60 \r")
        self.assertEqual(self.app.clipboard.get_data().text, "")
        self.assertEqual(list(self.buffer.history.get_strings()), ["plain"])

    def test_drafts(self) -> None:
        """Typed text stays with its chat, even while the list of chats is filtered."""
        self.open("@bob")
        self.press("for bob")
        self.press("\x1b2")
        self.assertEqual((self.view.here.name, self.buffer.text), ("*team", ""))
        self.press("\x1b3")
        self.assertEqual((self.view.here.name, self.buffer.text), ("@bob", "for bob"))
        self.press(_CTRL_K + "glo")
        self.assertEqual(self.view.filter, "glo")
        self.press(_CTRL_K)
        self.assertEqual((self.view.filter, self.buffer.text), (None, "for bob"))
        self.press(_CTRL_K + "x\x1b")
        self.assertEqual((self.view.filter, self.buffer.text), (None, "for bob"))
        self.press(_CTRL_K + _CTRL_C)
        self.assertEqual((self.view.filter, self.buffer.text), (None, "for bob"))
        self.press(_CTRL_K + "tea\r")
        self.assertEqual((self.view.here.name, self.buffer.text), ("*team", ""))

    def test_questions(self) -> None:
        """A question is the prompt, and its suggestion the initial text. Tab does nothing there."""
        self.controller.questions.suggest("alice")
        asked = Deferred.fromCoroutine(self.controller.questions.ask("Your name: "))
        self.turn()
        self.assertEqual((self.app._line.question, self.buffer.text), ("Your name: ", "alice"))
        self.press(_TAB + "x\r")
        self.assertEqual(self.successResultOf(asked), "alicex")
        self.controller.questions.dismiss()
        self.turn()
        self.assertEqual(self.app._line.question, "GLOBAL> ")

    def test_target(self) -> None:
        """The prompt shows the destination of plain text."""
        self.assertEqual(self.app._line.question, "GLOBAL> ")
        self.open("@bob")
        self.assertEqual(self.app._line.question, "@bob> ")
        self.press(_CTRL_K)
        self.assertEqual(self.app._line.question, "Go to: ")

    def test_split(self) -> None:
        """A long text is split at line ends, at spaces, or anywhere if necessary, and nothing is lost."""
        self.assertEqual(split_text("short"), ["short"])
        self.assertEqual([len(part) for part in split_text("x" * 9_000)], [4_000, 4_000, 1_000])
        self.assertEqual(split_text("a" * 3_000 + "\n" + "b" * 3_000), ["a" * 3_000, "b" * 3_000])
        self.assertEqual([len(part) for part in split_text("word " * 1_000)], [3_999, 1_001])
