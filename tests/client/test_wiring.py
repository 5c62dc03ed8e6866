"""The command ``irchat``, fully wired, with a fake reactor."""

import contextlib
import io
import os
import pty
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import twisted.internet
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.trial.unittest import SynchronousTestCase

from irchat.client import wiring
from irchat.client.__main__ import main
from irchat.client.connect.server_connection import UNENCRYPTED
from irchat.client.connect.tokens import Kept
from irchat.client.plain.console import Console
from irchat.net.port_note import PortFile
from irchat.system.clock import forward_seconds
from tests.helpers.client_fakes import GREETING, Network, Peer, over_tls

_WELCOME = (
    b'{"type":"welcome","ref":1,"name":"bob","new":false,"token":"new","version":1,"limits":{},"online":["bob"],'
    b'"online_count":1,"unread":[]}\n'
)


class _Reactor(MemoryReactorClock):
    """A reactor that runs the test's actions and then stops."""

    def __init__(self, act: Callable[[], None]) -> None:
        super().__init__()
        self._act = act
        self.running = False

    def run(self) -> None:
        self.running = True
        for call, arguments, named in self.whenRunningHooks:
            call(*arguments, **named)
        self._act()
        self.stop()

    def stop(self) -> None:
        if self.running:
            self.running = False
            for call, arguments, named in self.triggers["before"]["shutdown"]:
                call(*arguments, **named)


class WiringTests(SynchronousTestCase):
    """The parts fit together, on pipes and on a terminal."""

    def setUp(self) -> None:
        """Create a server and a private environment."""
        home = Path(self.mktemp()).absolute()
        home.mkdir(mode=0o700)
        self.runtime = home / "irchat"
        self.patch(
            os,
            "environ",
            {"XDG_RUNTIME_DIR": str(home), "XDG_CONFIG_HOME": str(home), "XDG_STATE_HOME": str(home), "TERM": "xterm"},
        )
        self.peer = Peer(GREETING)
        self.network = Network(lambda: self.peer)
        self.patch(wiring, "HostnameEndpoint", self._endpoint)
        self.patch(wiring, "StandardIO", self._stdio)
        self.patch(wiring, "leave_on_signals", lambda *how: None)
        self.called: list[tuple[str, int]] = []
        self.descriptors: list[int] = []

    def _endpoint(self, reactor: object, host: str, port: int, timeout: float) -> Network:
        self.called.append((host, port))
        return self.network

    def _stdio(self, console: Console, stdin: int = -1, stdout: int = -1, reactor: object = None) -> None:
        self.assertIsNotNone(reactor)
        self.console = console
        self.screen = StringTransport()
        self.descriptors = [stdin, stdout]
        console.makeConnection(self.screen)

    def _on_pipes(self) -> None:
        """Make standard input and output the ends of a pipe."""
        for name, descriptor in zip(("_STDIN", "_STDOUT"), os.pipe(), strict=True):
            self.addCleanup(os.close, descriptor)
            os.set_blocking(descriptor, False)
            self.patch(wiring, name, descriptor)

    def _on_terminal(self) -> int:
        """Make standard input, output and error a terminal."""
        master, terminal = pty.openpty()
        self.addCleanup(os.close, master)
        self.addCleanup(os.close, terminal)
        for name in "_STDIN", "_STDOUT", "_STDERR":
            self.patch(wiring, name, terminal)
        return terminal

    def _main(self, *arguments: str, act: Callable[[], None] = lambda: None) -> tuple[object, str]:
        """Run the client. Return its status and its standard error."""
        self.reactor = _Reactor(act)
        installed = mock.patch.object(twisted.internet, "reactor", self.reactor, create=True)
        installed.start()
        self.addCleanup(installed.stop)
        errors = io.StringIO()
        with contextlib.redirect_stderr(errors):
            status = self.assertRaises(SystemExit, main, ["--plain", *arguments]).code
        for descriptor in self.descriptors:
            if descriptor >= 0:
                os.close(descriptor)
        return status, errors.getvalue()

    def test_bad_address(self) -> None:
        """An invalid address ends the client before anything else."""
        self._on_pipes()
        status, errors = self._main("host:x")
        self.assertEqual((status, self.called), (1, []))
        self.assertIn("! 'x' is not a port", errors)

    def test_interrupted_early(self) -> None:
        """Ctrl-C before anything runs leaves silently."""
        self._on_pipes()

        def interrupt(*arguments: object) -> int:
            raise KeyboardInterrupt

        self.patch(wiring, "run_plain", interrupt)
        self.assertEqual(self._main("host"), (0, ""))

    def test_forward_clock(self) -> None:
        """The reactor uses the forward clock."""
        self._on_pipes()
        self._main("--no-tls", "host")
        self.assertIs(self.reactor.seconds, forward_seconds)

    def test_pipe(self) -> None:
        """Through pipes the name in the address signs in, and the descriptors are left blocking."""
        self._on_pipes()
        status, errors = self._main("--no-tls", "bob@host:99", act=self.network.flush)
        self.assertEqual((status, errors, self.called), (0, "", [("host", 99)]))
        self.assertEqual(self.peer.heard, b'{"type":"login","ref":1,"name":"bob"}\n')
        self.assertEqual(self.screen.value(), b"")
        self.assertTrue(os.get_blocking(wiring._STDIN) and os.get_blocking(wiring._STDOUT))

    def test_output_ends(self) -> None:
        """An output file that cannot be written is an error. A pipe without a reader and a closed terminal are not."""
        file = os.open(self.runtime.parent / "log", os.O_RDWR | os.O_CREAT)
        self.addCleanup(os.close, file)
        terminal = self._on_terminal()
        self._on_pipes()

        def end() -> None:
            self.console.writeConnectionLost()

        for descriptor, expected in (file, 1), (wiring._STDOUT, 0), (terminal, 0):
            self.patch(wiring, "_STDOUT", descriptor)
            status, errors = self._main("--no-tls", "host", act=end)
            self.assertEqual((status, "disk is full" in errors), (expected, bool(expected)))

    def test_json(self) -> None:
        """``--json`` passes lines through, even on a terminal."""
        self._on_terminal()

        def act() -> None:
            self.network.flush()
            self.console.dataReceived(b'{"type":"ping"}\n')
            self.network.flush()

        self.assertEqual(self._main("--no-tls", "--json", "host", act=act), (0, ""))
        self.assertEqual(self.peer.heard, b'{"type":"ping"}\n')

    def test_json_asks_nothing(self) -> None:
        """``--json`` on a terminal does not ask about an unknown server."""
        self._on_terminal()
        self.network.answer = lambda: over_tls(Peer(GREETING), "host")
        status, errors = self._main("--json", "host", act=self.network.flush)
        self.assertEqual((status, self.screen.value()), (1, b""))
        self.assertIn("--fingerprint sha256:", errors)

    def test_terminal(self) -> None:
        """On a terminal, questions and colours work over reopened descriptors."""
        terminal = self._on_terminal()
        status, errors = self._main("--no-tls", "host", act=self.network.flush)
        self.assertEqual((status, errors), (0, ""))
        self.assertIn(b"Your name: ", self.screen.value())
        self.assertIn(b"\x1b[2m", self.screen.value())
        self.assertEqual(len({terminal, *self.descriptors}), 3)

    def test_output_elsewhere(self) -> None:
        """With redirected output, questions go to the terminal and not to the output."""
        terminal = self._on_terminal()
        read, write = os.pipe()
        self.addCleanup(os.close, read)
        self.addCleanup(os.close, write)
        self.patch(wiring, "_STDOUT", write)
        written: list[bytes] = []
        self.patch(wiring.Echo, "write", lambda echo, text: written.append(text.encode()))
        status, errors = self._main("--no-tls", "host", act=self.network.flush)
        self.assertEqual((status, errors), (0, ""))
        self.assertIn(b"Your name: ", b"".join(written))
        self.assertEqual(self.screen.value(), b"")
        self.assertEqual(len({terminal, write, *self.descriptors}), 4)
        self.assertTrue(os.get_blocking(write))

    def test_no_colour(self) -> None:
        """Without a capable terminal or on request there are no colours."""
        self._on_terminal()
        for name, value in ("NO_COLOR", "1"), ("TERM", "dumb"):
            self.peer = Peer(GREETING)
            self.patch(os, "environ", {**os.environ, name: value})
            self._main("--no-tls", "host", act=self.network.flush)
            self.assertIn(b"not encrypted", self.screen.value())
            self.assertNotIn(b"\x1b", self.screen.value())
            self.patch(os, "environ", {**os.environ, "NO_COLOR": ""})

    def test_terminal_without_name(self) -> None:
        """A terminal without a name is used as it is."""

        def no_name(descriptor: int) -> str:
            raise OSError(19, "No such device")

        terminal = self._on_terminal()
        self.patch(os, "ttyname", no_name)
        self._main("--no-tls", "host", act=self.network.flush)
        self.assertIn(b"Your name: ", self.screen.value())
        self.assertNotIn(terminal, self.descriptors)

    def test_server_here(self) -> None:
        """A server on this machine is found by its port file, with its use of TLS."""
        self._on_pipes()
        self.addCleanup(PortFile(self.runtime, port=4321, tls=False).remove)
        self._main("bob@localhost", act=self.network.flush)
        self.assertEqual(self.called, [("localhost", 4321)])
        self.assertIn(b'"login"', self.peer.heard)

    def test_saved_sign_in(self) -> None:
        """On a terminal the saved sign-in is used and replaced. In a pipe it is not touched."""
        saved = wiring.tokens()
        saved.keep("host:7667", "bob", "old", UNENCRYPTED)
        self._on_pipes()
        self._main("--no-tls", "bob@host", act=self.network.flush)
        self.assertEqual(self.peer.heard, b'{"type":"login","ref":1,"name":"bob"}\n')
        self._on_terminal()
        self.peer = Peer(GREETING)

        def sign_in() -> None:
            self.network.flush()
            self.peer.transport.write(_WELCOME)
            self.network.flush()

        self._main("--no-tls", "host", act=sign_in)
        self.assertIn(b'{"type":"resume","ref":1,"token":"old"}', self.peer.heard)
        self.assertEqual(saved.find("host:7667", "bob"), Kept("new", UNENCRYPTED))

    def test_last_server(self) -> None:
        """Without an address the last server is joined in the same way, but never without TLS if it used TLS before."""
        self._on_pipes()
        self._main("--no-tls", "bob@host:99", act=self.network.flush)
        self.peer = Peer(GREETING)
        status, _ = self._main(act=self.network.flush)
        self.assertEqual((status, self.called), (0, [("host", 99)] * 2))
        self.assertIn(b'"login"', self.peer.heard)
        self.runtime.mkdir(exist_ok=True)
        (self.runtime / "known_hosts").write_text("host:99 sha256:" + ":".join(["AB"] * 32) + "\n")
        self.peer = Peer(GREETING)
        status, errors = self._main(act=self.network.flush)
        self.assertEqual((status, self.peer.heard), (1, b""))
        self.assertIn("USED TLS BEFORE", errors)

    def test_known_hosts(self) -> None:
        """Trusted servers are looked up in the user's own file."""
        self.runtime.mkdir()
        (self.runtime / "known_hosts").write_text("host:7667 sha256:" + ":".join(["AB"] * 32) + "\n")
        self._on_pipes()
        peer = self.peer
        self.peer = over_tls(peer, "host")
        status, errors = self._main("host", act=self.network.flush)
        self.assertEqual((status, peer.heard), (1, b""))
        self.assertIn("NOT THE EXPECTED ONE", errors)
