"""Full screens on channels, on a loop that the test runs."""

import asyncio
import gc
import weakref
from collections.abc import Callable
from typing import Any

import pyte
from prompt_toolkit.application import get_app_or_none
from prompt_toolkit.input import typeahead
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from irchat.client.connect.server_connection import ServerConnection
from irchat.client.control.questions import Questions
from irchat.client.exceptions import ClientError
from irchat.client.terminal.frame_pacing import FramePacing
from irchat.protocol import events, requests
from irchat.ssh import remote_screen
from irchat.ssh.channel_session import Started, Terminal, usable_size
from irchat.ssh.channel_transport import ChannelTransport
from irchat.ssh.identity import Identity
from irchat.ssh.quiet_loop import QuietLoop
from irchat.ssh.remote_entry import RemoteEntry
from irchat.ssh.remote_screen import RemoteScreen, fail_current
from tests.helpers.client_fakes import message, welcome
from tests.helpers.ssh_peers import FakeDoor, default_answer
from tests.ssh.test_channel_transport import FakeChannel

_KEY = Identity("alice", fingerprint="SHA256:x")


class _User:
    """A user at a terminal over SSH."""

    def __init__(self, case: "ScreenCase", identity: Identity) -> None:
        self.channel = FakeChannel()
        self.terminal = Terminal("xterm", usable_size(80, 24))
        self.is_writable = True
        transport = ChannelTransport(case.door.clock, self.channel, lambda: self.is_writable)  # type: ignore[arg-type]
        self.transport = transport
        self._display = pyte.Screen(80, 24)
        self._stream = pyte.ByteStream(self._display)
        self._seen = 0

        def entry(questions: Questions, on_over: Callable[[ClientError], None]) -> RemoteEntry:
            return RemoteEntry(identity, questions, lambda: True, lambda: None, on_over)

        async def connect() -> ServerConnection:
            return await case.door.connect(7)

        started = Started(transport, {"TERM": "xterm"}, self.terminal, None)
        self.screen = RemoteScreen(case.door.clock, started, "Test", case.pacing, connect, entry, case.reported.append)

    def shown(self) -> str:
        """Return the screen."""
        data, self._seen = self.channel.output[self._seen :], len(self.channel.output)
        self._stream.feed(data.replace(b"\x1b[?2026h", b"").replace(b"\x1b[?2026l", b""))
        return "\n".join(line.rstrip() for line in self._display.display)


class ScreenCase(SynchronousTestCase):
    """Users over SSH, a server, and a loop."""

    def setUp(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.addCleanup(self.loop.close)
        self.door = FakeDoor(self.answer)
        self.pacing = FramePacing()
        self.reported: list[Failure] = []

    def answer(self, request: Any) -> events.Event | None:
        """Answer a request of the client."""
        match request:
            case requests.Chats():
                return events.Chats([events.Chat("GLOBAL", "id", 0, 0, 0, None)])
            case requests.Users():
                return events.Users(["alice"], [], False)
            case requests.Blocks():
                return events.Blocks([])
            case requests.History():
                return events.History("GLOBAL", [], False)
        return default_answer(request)

    def turn(self, times: int = 8) -> None:
        """Run everything that is due."""
        for _ in range(times):
            self.loop.run_until_complete(asyncio.sleep(0))
            self.door.clock.advance(0.05)

    def join(self, identity: Identity = _KEY) -> _User:
        """Return a user whose screen is drawn."""
        user = _User(self, identity)

        async def begin() -> None:
            user.screen.begin()

        self.loop.run_until_complete(begin())
        self.turn()
        self.addCleanup(self.end, user)
        return user

    def press(self, user: _User, keys: bytes) -> None:
        """Press keys."""

        async def feed() -> None:
            user.screen.feed(keys)

        self.loop.run_until_complete(feed())
        self.turn()

    def end(self, user: _User) -> None:
        """End a screen."""

        async def stop() -> None:
            user.screen.stop()

        self.loop.run_until_complete(stop())
        self.turn()


class RemoteScreenTests(ScreenCase):
    """Screens."""

    def test_nothing_is_left(self) -> None:
        """Of a screen that was left, nothing stays in memory, though the process goes on."""
        self.loop.close()
        self.loop = QuietLoop()
        self.addCleanup(self.loop.close)
        stays, leaves = self.join(), _User(self, _KEY)

        async def begin() -> None:
            leaves.screen.begin()

        self.loop.run_until_complete(begin())
        self.turn()
        self.press(leaves, b"hi\r\x1b[A\x1b")
        there = weakref.ref(stays.screen), weakref.ref(leaves.screen)
        self.end(leaves)
        leaves.screen = stays.screen
        del self.door.connections[1], self.door.transports[1]
        self.turn()
        gc.collect()
        self.assertEqual([one() is None for one in there], [False, True])

    def test_chat(self) -> None:
        """A user signs in, reads, types, and leaves: the token and the screen are gone, the status is 0."""
        user = self.join()
        self.assertIn("alice@Test", user.shown())
        self.door.tell(message("hello there", seq=1))
        self.turn()
        self.assertIn("hello there", user.shown())
        self.press(user, b"hi\r")
        self.assertEqual(self.door.asked[-1].text, "hi")
        self.press(user, b"\x04")
        self.assertEqual(self.door.asked[-1], requests.Logout(ref=self.door.asked[-1].ref, forget=True))
        self.assertEqual(user.channel.status, 0)
        self.assertTrue(self.door.transports[0].disconnecting)
        self.assertEqual("".join(user.shown().split()), "")
        self.assertEqual(self.reported, [])

    def test_several(self) -> None:
        """Screens of one process are apart: keys, sizes, and the end of one."""
        first, second = self.join(), self.join()
        self.press(first, b"one")
        self.press(second, b"two")
        first.terminal.size = usable_size(60, 20)
        for _ in range(9):
            first.screen.resized()
        self.turn()
        self.assertIn("GLOBAL> one", first.shown())
        self.assertIn("GLOBAL> two", second.shown())
        first.screen.channel_lost()
        self.turn()
        self.assertEqual(self.door.asked[-1].forget, True)
        self.press(second, b"!")
        self.assertIn("GLOBAL> two!", second.shown())
        self.assertIsNone(get_app_or_none())

    def test_failure(self) -> None:
        """A screen that fails ends alone, with a line, and is reported once."""
        first, second = self.join(), self.join()
        self.patch(first.screen._app._painter, "header", lambda width: 1 / 0)
        self.press(first, b"x")
        self.assertEqual([failure.type for failure in self.reported], [ZeroDivisionError])
        self.assertEqual(first.channel.status, 1)
        self.assertIn(b"! The screen failed", first.channel.output)
        self.assertTrue(first.channel.output.rstrip().endswith(b"Connect again."))
        self.press(second, b"x")
        self.assertIn("GLOBAL> x", second.shown())

    def test_failure_in_the_loop(self) -> None:
        """An error that asyncio reports ends the screen in whose context it happened, and no other."""
        user = self.join()
        user.screen._context.run(fail_current, {"exception": ValueError("x")}, self.reported.append)
        self.turn()
        self.assertEqual(user.channel.status, 1)
        fail_current({"message": "bad"}, self.reported.append)
        self.assertEqual([failure.type for failure in self.reported], [ValueError, RuntimeError])

    def test_stalled(self) -> None:
        """While the client does not read, one frame is on its way, and no more."""
        user = self.join()
        user.is_writable = False
        self.door.tell(message("one", seq=1))
        self.turn()
        written = len(user.channel.output)
        for number in range(2, 50):
            self.door.tell(message(f"message {number}", seq=number))
            self.turn(1)
        self.assertEqual(len(user.channel.output), written)
        user.is_writable = True
        user.transport.drained()
        self.turn()
        self.assertIn("message 49", user.shown())

    def test_long_input(self) -> None:
        """Much input at once is read in parts, and the channel is paused meanwhile."""
        user = self.join()
        self.patch(remote_screen, "_TURN_SECONDS", 0.0)

        async def feed() -> None:
            user.screen.feed(b"\x1b[200~" + b"x" * 3_000)
            user.screen.feed(b"y" * 500 + b"\x1b[201~")

        self.loop.run_until_complete(feed())
        self.assertFalse(user.channel.is_reading)
        self.turn(300)
        self.assertTrue(user.channel.is_reading)
        self.press(user, b"\r")
        self.assertEqual(self.door.asked[-1].text, "x" * 3_000 + "y" * 500)

    def test_size_of_stalled(self) -> None:
        """A client that does not read and changes its size often gets no frame for it before it reads."""
        user = self.join()
        user.is_writable = False
        self.door.tell(message("one", seq=1))
        self.turn()
        written = len(user.channel.output)
        for columns in range(20, 60):
            user.terminal.size = usable_size(columns, 20)
            user.screen.resized()
            self.turn(1)
        self.assertEqual(len(user.channel.output), written)
        user.is_writable = True
        user.transport.drained()
        self.turn()
        self.assertGreater(len(user.channel.output), written)

    def test_endless_paste(self) -> None:
        """A paste without an end closes the session. It would fill the memory of all."""
        user = self.join()
        self.press(user, b"\x1b[200~")
        for _ in range(5):
            self.press(user, b"x" * 65_536)
            self.turn()
        self.assertEqual(user.channel.status, 1)
        self.assertIn(b"! That paste was too long", user.channel.output)

    def test_idle_guest(self) -> None:
        """A guest who types nothing for ten minutes is sent away. A key starts the time again."""
        user = self.join(Identity("carol"))
        self.assertIn("Your name: carol", user.shown())
        self.door.clock.advance(599)
        self.press(user, b"x")
        self.door.clock.pump([1] * 599)
        self.turn()
        self.assertIsNone(user.channel.status)
        self.door.clock.pump([1] * 5)
        self.turn()
        self.assertEqual(user.channel.status, 1)
        self.assertIn(b"! Nothing was typed for 10 minutes.", user.channel.output)

    def test_refused(self) -> None:
        """A key that was removed while the user signed in ends the session with a line."""
        self.door.answer = lambda request: events.Error("bad-credentials", "")
        user = self.join()
        self.assertEqual(user.channel.status, 1)
        self.assertIn(b"no longer valid", user.channel.output)
        self.press(user, b"x")

    def test_no_server(self) -> None:
        """Without the server, the session ends with a line."""
        self.door.is_down = True
        user = self.join()
        self.assertEqual(user.channel.status, 1)
        self.assertIn(b"! The server does not answer.", user.channel.output)

    def test_left_at_once(self) -> None:
        """A session that ends before the first frame leaves nothing."""
        user = _User(self, _KEY)

        async def begin() -> None:
            user.screen.begin()
            user.screen.channel_lost()

        self.loop.run_until_complete(begin())
        self.turn()
        self.assertFalse(user.screen._app.is_running)
        self.assertTrue(self.door.transports[0].disconnecting)

    def test_end_of_input(self) -> None:
        """The end of the input leaves. What was typed and not read is for nobody."""
        user = self.join()
        user.screen._app.key_processor.feed_multiple([])
        typeahead.store_typeahead(user.screen._device.keys, [object()])  # type: ignore[list-item]
        user.screen.end_of_input()
        self.turn()
        self.assertEqual(user.channel.status, 0)
        self.assertEqual(typeahead.get_typeahead(user.screen._device.keys), [])

    def test_welcome_name(self) -> None:
        """The user of a key is the one that the server names."""
        self.door.answer = lambda request: (
            welcome("Alice") if isinstance(request, requests.Vouch) else self.answer(request)
        )
        self.assertIn("Alice@Test", self.join().shown())
