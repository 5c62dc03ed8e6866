"""The control socket and the port note are recreated when they are gone."""

import shutil
import socket
import tempfile
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Protocol, ServerFactory
from twisted.internet.task import Clock
from twisted.logger import Logger
from twisted.python import log
from twisted.trial.unittest import TestCase

from irchat.net.port_note import PortFile, find_servers
from irchat.server.listeners import local_files
from irchat.server.listeners.descriptors import SpareDescriptor
from irchat.server.listeners.local_files import SECONDS_BETWEEN_LOOKS, LocalFiles


class _Reactor(Clock):
    """A fake clock, and the real reactor for sockets, which close in its next turn."""

    def callLater(self, seconds: float, call: Any, *arguments: Any) -> Any:
        return (super() if seconds else reactor).callLater(seconds, call, *arguments)

    def __getattr__(self, name: str) -> Any:
        return getattr(reactor, name)


class _Closing(Protocol):
    def connectionMade(self) -> None:
        self.transport.loseConnection()


class DoorTests(TestCase):
    """`LocalFiles`."""

    timeout = 60

    def setUp(self) -> None:
        """Open them, in folders with short names."""
        self.folder = Path(tempfile.mkdtemp(prefix="irchat-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.socket, self.notes = self.folder / "control.sock", self.folder / "run"
        self.clock = _Reactor()
        self.errors: list[str] = []
        self.patch(local_files._log, "error", lambda _, text: self.errors.append(text))
        note = lambda: PortFile(self.notes, port=7, tls=False)  # noqa: E731
        self.door = LocalFiles(self.clock, self.socket, ServerFactory.forProtocol(_Closing), Logger(), note)
        self.door.look()
        self.addCleanup(self.door.close)

    def _is_reached(self) -> bool:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self.socket))
        return [server.port for server in find_servers(self.notes)] == [7]

    def test_no_peer_in_the_log(self) -> None:
        """A socket that is opened because of a client's bytes does not log the address of the client."""
        events: list[Any] = []
        log.addObserver(events.append)
        self.addCleanup(log.removeObserver, events.append)
        folder = Path(tempfile.mkdtemp(prefix="irchat-"))
        self.addCleanup(shutil.rmtree, folder)
        port = log.callWithContext(
            {"system": "Peer,1,127.0.0.9"},
            local_files.open_socket,
            reactor,
            folder / "s",
            ServerFactory(),
            Logger(),
            local_files.folder_id(folder),
        )
        self.addCleanup(port.stopListening)
        self.assertIsInstance(port.socket, SpareDescriptor)
        self.assertTrue(events)
        self.assertNotIn("127.0.0.9", str(events))

    async def test_removed(self) -> None:
        """Files removed by a cleaner are recreated within a minute, or on request."""
        self.assertTrue(self._is_reached())
        for again in lambda: self.clock.advance(SECONDS_BETWEEN_LOOKS), self.door.look:
            self.socket.unlink()
            shutil.rmtree(self.notes)
            again()
            self.assertTrue(self._is_reached())
        await _turns()
        self.assertTrue(self._is_reached(), "the old socket took the file of the new one with it")
        await self.door.close()
        self.assertEqual(list(self.folder.rglob("*")), [self.notes])
        self.assertEqual((self.clock.getDelayedCalls(), self.errors), ([], []))

    async def test_replaced(self) -> None:
        """A file in place of the socket is replaced."""
        self.socket.unlink()
        self.socket.write_text("not a socket")
        self.clock.advance(SECONDS_BETWEEN_LOOKS)
        self.assertTrue(self._is_reached())

    async def test_moved_folder(self) -> None:
        """If the folder was moved, the socket of a server that uses its old path stays. It is the same at the end."""
        moved = self.folder.rename(self.folder.with_name(f"{self.folder.name}-moved"))
        self.addCleanup(shutil.rmtree, moved)
        self.folder.mkdir()
        other = LocalFiles(
            self.clock, self.socket, ServerFactory.forProtocol(_Closing), Logger(),
            lambda: PortFile(self.folder / "run", port=8, tls=False),
        )  # fmt: skip
        other.look()
        self.addCleanup(other.close)
        before = self.socket.stat().st_ino
        self.clock.advance(SECONDS_BETWEEN_LOOKS)
        self.assertEqual(self.socket.stat().st_ino, before)
        self.assertIn("irchat-admin cannot reach this server", self.errors[0])
        self.assertIn("was moved", self.errors[0])
        await self.door.close()
        self.assertEqual(self.socket.stat().st_ino, before)

    async def test_gone_at_the_end(self) -> None:
        """Missing files do not keep the server from stopping."""
        self.socket.unlink()
        shutil.rmtree(self.notes)
        await self.door.close()

    async def test_stays(self) -> None:
        """While both files exist, nothing is recreated."""
        before = self.socket.stat().st_ino
        self.clock.advance(SECONDS_BETWEEN_LOOKS)
        self.assertEqual(self.socket.stat().st_ino, before)

    async def test_cannot_be_made(self) -> None:
        """The reason why a file cannot be created is logged once, and the attempt repeats each minute."""
        shutil.rmtree(self.notes)
        self.notes.write_text("in the way")
        self.socket.unlink()
        self.socket.mkdir()
        for _ in range(3):
            self.clock.advance(SECONDS_BETWEEN_LOOKS)
        self.assertEqual([error.split(" ")[0] for error in self.errors], ["irchat-admin", "clients"])
        self.notes.unlink()
        self.socket.rmdir()
        self.clock.advance(SECONDS_BETWEEN_LOOKS)
        self.assertTrue(self._is_reached())


def _turns() -> Deferred[None]:
    """Return a Deferred that fires after the reactor has closed the sockets."""
    done: Deferred[None] = Deferred()
    reactor.callLater(0, reactor.callLater, 0, done.callback, None)
    return done
