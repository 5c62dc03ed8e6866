"""The service with real ports, files and threads."""

import resource
import socket
import stat
import tempfile
from pathlib import Path
from socket import IPPROTO_TCP, SO_SNDBUF, SOL_SOCKET, TCP_NODELAY
from typing import Any

from twisted.internet import reactor, ssl
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, UNIXClientEndpoint, connectProtocol, wrapClientTLS
from twisted.internet.threads import deferToThread
from twisted.logger import LogLevel, capturedLogs, formatEvent
from twisted.trial.unittest import TestCase

from irchat import tap
from irchat.admin import reach
from irchat.chat.accounts.administration import AddUser
from irchat.net.port_note import Server, find_servers
from irchat.server.listeners import local_files
from irchat.server.listeners.certificates import CERTIFICATE_FILE, KEY_FILE, fingerprint, server_context
from irchat.server.listeners.control_socket import SOCKET_FILE
from irchat.server.listeners.listener import SEND_BUFFER
from irchat.system.files.data_folder import DataFolder
from irchat.tap import ChatServer
from tests.helpers.service import Client, Terminal, options_of, sighup_kept


class ServiceTests(TestCase):
    """`ChatServer`."""

    timeout = 60

    def setUp(self) -> None:
        """Make folders with short names, because the path of a UNIX socket is limited."""
        folder = tempfile.TemporaryDirectory(prefix="irchat-")
        self.addCleanup(folder.cleanup)
        self.data, self.runtime = Path(folder.name) / "data", Path(folder.name) / "run"
        self.terminal = Terminal()
        self.said = self.terminal.said
        self.enterContext(sighup_kept())

    def _start(self, *arguments: str, running: bool = True) -> ChatServer:
        options = options_of("--data", str(self.data), "--host", "127.0.0.1", "--port", "0", *arguments)
        service = ChatServer(options, self.terminal, self.runtime)
        if running:
            service.startService()
        return service

    async def _connect(self, service: ChatServer, *, tls: bool) -> Client:
        endpoint: Any = TCP4ClientEndpoint(reactor, "127.0.0.1", service.port)
        if tls:
            endpoint = wrapClientTLS(ssl.CertificateOptions(verify=False), endpoint)
        client = Client()
        await connectProtocol(endpoint, client)
        self.assertEqual(await client.lines.get(), b"IRChat/1 IRChat: your username?")
        return client

    def _fingerprint(self, folder: Path) -> str:
        return fingerprint(server_context(folder / CERTIFICATE_FILE, folder / KEY_FILE))

    def _modes(self) -> dict[str, int]:
        return {path.name: stat.S_IMODE(path.stat().st_mode) for path in self.data.iterdir()}

    async def test_tls(self) -> None:
        """Over TLS a client signs up and sends, gets ``bye`` at the stop, and finds its message after a restart."""
        service = self._start()
        client = await self._connect(service, tls=True)
        client.sendLine(b'{"type":"register","name":"alice","password":"correct horse"}')
        await client.next(b'{"type":"welcome"')
        client.sendLine(b'{"type":"send","chat":"GLOBAL","text":"kept"}')
        await client.next(b'{"type":"sent"')
        await service.stopService()
        await client.next(b'{"type":"bye"')
        await client.lost
        self.assertEqual(find_servers(self.runtime), [])
        DataFolder(self.data).check()
        service = self._start()
        client = await self._connect(service, tls=True)
        client.sendLine(b'{"type":"login","name":"alice","password":"correct horse"}')
        await client.next(b'{"type":"welcome"')
        client.sendLine(b'{"type":"history","chat":"GLOBAL"}')
        self.assertIn(b'"text":"kept"', await client.next(b'{"type":"history"'))
        await service.stopService()
        await client.lost

    async def test_slow_store(self) -> None:
        """A stop does not wait for a store that takes longer than three seconds. The log has one line."""
        service = self._start("--no-tls")
        self.patch(tap, "_SETTLE_SECONDS", 0.01)
        self.patch(service._chat, "settled", Deferred)
        with capturedLogs() as logged:
            await service.stopService()
        told = [formatEvent(event) for event in logged if event["log_level"] is not LogLevel.info]
        self.assertEqual(told, ["not all could be saved: the store takes longer than 0.01 s; look at it"])

    async def test_plain(self) -> None:
        """Without TLS a client is greeted, too, and no certificate is created."""
        service = self._start("--no-tls")
        client = await self._connect(service, tls=False)
        client.sendLine(b"exit")
        self.assertEqual(find_servers(self.runtime), [Server(service.port, False)])
        await service.stopService()
        await client.lost
        self.assertNotIn(KEY_FILE, self._modes())
        self.assertIn("WITHOUT TLS", self.said[0])

    async def test_reload(self) -> None:
        """A reload applies changes without ending sessions, rejects a wrong file, and logs what needs a restart."""
        path = self.data.with_name("irchat.toml")
        path.write_text('name = "Before"\nrate = 0\nregistration = "open"\n')
        service = self._start("--config", str(path))
        client, irc = Client(), Client()
        tls, endpoint = ssl.CertificateOptions(verify=False), TCP4ClientEndpoint(reactor, "127.0.0.1", service.port)
        for one in client, irc:
            await connectProtocol(wrapClientTLS(tls, endpoint), one)
            self.assertEqual(await one.lines.get(), b"IRChat/1 Before: your username?")
        client.sendLine(b'{"type":"register","name":"alice","password":"correct horse"}')
        await client.next(b'{"type":"welcome"')
        irc.sendLine(b"CAP LS 302")
        await irc.next(b":irchat CAP * LS :")
        told: list[str] = []
        self.patch(tap._log, "warn", lambda text, **values: told.append(text.format(**values)))
        self.patch(tap._log, "error", lambda text, **values: told.append(text.format(**values)))
        path.write_text(
            'name = "IRChat"\ntext-length=5\nregistration="closed"\nirc-motd="hi"\nadmin = ["alice"]\nno-tls = true\n'
        )
        service.reload()
        self.assertEqual(told, ["no-tls takes effect after a restart of the server"])
        await irc.next(b":irchat CAP * DEL :draft/account-registration")
        for line in b"NICK carol", b"USER carol 0 * :Carol", b"CAP END":
            irc.sendLine(line)
        await irc.next(b":irchat 372 carol :- hi")
        client.sendLine(b'{"type":"send","chat":"GLOBAL","text":"too long"}')
        self.assertIn(b"text-too-long", await client.next(b'{"type":"error"'))
        path.write_text("text-length = 0")
        service.reload()
        self.assertIn(f"the configuration stays as it was: {path}: text-length is a number", told[1])
        key = self.data / KEY_FILE
        key.rename(key.with_suffix(".away"))
        key.mkdir()
        path.write_text("")
        service.reload()
        self.assertIn(f"the configuration stays as it was: the key {key} cannot be read", told[2])
        key.rmdir()
        key.with_suffix(".away").rename(key)
        client.sendLine(b'{"type":"line","line":"!help !"}')
        self.assertIn(b"!kick", await client.next(b'{"type":"help"'))
        stranger = await self._connect(service, tls=True)
        stranger.sendLine(b'{"type":"register","name":"bob","password":"correct horse"}')
        self.assertIn(b"registration-closed", await stranger.next(b'{"type":"error"'))
        await service.stopService()
        for one in client, stranger, irc:
            await one.lost

    async def test_no_administrators_without_passwords(self) -> None:
        """A server started without passwords refuses administrators on a reload, whatever the file says."""
        path = self.data.with_name("irchat.toml")
        path.write_text("no-passwords = true\n")
        service = self._start("--no-tls", "--config", str(path))
        told: list[str] = []
        self.patch(tap._log, "error", lambda text, **values: told.append(text.format(**values)))
        for content in 'admin = ["alice"]', 'admin = ["alice"]\nno-passwords = true':
            path.write_text(content)
            service.reload()
            self.assertIn("no-passwords", told.pop())
        client = await self._connect(service, tls=False)
        client.sendLine(b'{"type":"login","name":"alice"}')
        await client.next(b'{"type":"welcome"')
        client.sendLine(b'{"type":"line","line":"!kick bob"}')
        self.assertIn(b"bad-request", await client.next(b'{"type":"error"'))
        await service.stopService()
        await client.lost

    async def test_bytes_in_the_kernel(self) -> None:
        """The kernel's send buffer is limited to the set size, which Linux doubles."""
        service = self._start("--no-tls")
        client = await self._connect(service, tls=False)
        (connection,) = service._connections
        held = connection.transport.getHandle().getsockopt(SOL_SOCKET, SO_SNDBUF)
        self.assertIn(held, (SEND_BUFFER, 2 * SEND_BUFFER))
        await service.stopService()
        await client.lost

    async def test_sends_without_delay(self) -> None:
        """TCP_NODELAY is set, so a message does not wait for the acknowledgement of the last one."""
        service = self._start("--no-tls")
        client = await self._connect(service, tls=False)
        (connection,) = service._connections
        self.assertTrue(connection.transport.getHandle().getsockopt(IPPROTO_TCP, TCP_NODELAY))
        await service.stopService()
        await client.lost

    async def test_no_core_dumps(self) -> None:
        """A crash of the server leaves no core dump."""
        service = self._start("--no-tls")
        self.assertEqual(resource.getrlimit(resource.RLIMIT_CORE), (0, 0))
        await service.stopService()

    async def test_files(self) -> None:
        """Files are private, local clients find the server while it runs, and its certificate stays the same."""
        service = self._start()
        modes = self._modes()
        self.assertEqual(stat.S_IMODE(self.data.stat().st_mode), 0o700)
        for name in KEY_FILE, SOCKET_FILE, "lock":
            self.assertEqual(modes[name], 0o600, name)
        (server,) = find_servers(self.runtime)
        self.assertEqual((server.port, server.tls), (service.port, True))
        self.assertRegex(server.fingerprint, "sha256:.+")
        await service.stopService()
        self.assertEqual(find_servers(self.runtime), [])
        self.assertNotIn(SOCKET_FILE, self._modes())
        await self._start().stopService()
        certificates = [line for said in self.said for line in said.splitlines() if line.startswith("Certificate: ")]
        self.assertEqual(certificates, [f"Certificate: {self._fingerprint(self.data)}"] * 2)

    async def test_given_certificate(self) -> None:
        """A given certificate is used, and none is created."""
        await self._start().stopService()
        elsewhere = self.data.rename(self.data.with_name("elsewhere"))
        service = self._start("--tls-cert", str(elsewhere / CERTIFICATE_FILE), "--tls-key", str(elsewhere / KEY_FILE))
        client = await self._connect(service, tls=True)
        self.assertIn(self._fingerprint(elsewhere), self.said[-1])
        self.assertNotIn(KEY_FILE, self._modes())
        await service.stopService()
        await client.lost

    async def test_administrator(self) -> None:
        """The administrator adds users through the control socket of the running server, as `irchat.admin` does."""
        service = self._start("--registration", "closed", "--no-tls")
        path = self.data / SOCKET_FILE
        control = Client()
        await connectProtocol(UNIXClientEndpoint(reactor, str(path)), control)
        control.sendLine(b'{"command":"add-user","name":"alice","password":"correct horse"}')
        self.assertEqual(await control.lines.get(), b'{"type":"Answer","error":"","result":null}')
        control.transport.loseConnection()
        await control.lost
        add_bob = AddUser(name="bob", password="correct horse")
        await deferToThread(reach.ask, self.data, add_bob, print)
        taken = deferToThread(reach.ask, self.data, add_bob, print)
        self.assertIn("is taken", str(await self.assertFailure(taken, reach.Failed)))
        for name in b"alice", b"bob":
            client = await self._connect(service, tls=False)
            client.sendLine(b'{"type":"login","name":"%b","password":"correct horse"}' % name)
            await client.next(b'{"type":"welcome"')
            client.sendLine(b'{"type":"logout"}')
            await client.lost
        await service.stopService()

    async def test_supervisor(self) -> None:
        """A supervisor is notified when the server listens and when it stops, and not after a failed start."""
        told: list[str] = []
        self.patch(tap, "notify", told.append)
        service = self._start("--no-tls")
        self.assertEqual(told, ["READY=1"])
        await service.stopService()
        self.assertEqual(told, ["READY=1", "STOPPING=1"])
        self.data.rename(self.data.with_name("away"))
        self.data.write_text("a file")
        service = self._start("--no-tls", running=False)
        self.assertRaises(SystemExit, service.startService)
        self.assertEqual(told, ["READY=1", "STOPPING=1"])

    async def test_unforeseen(self) -> None:
        """An unexpected error ends the start with one line, and leaves nothing open."""
        for part in "_open", "_listen", "_banner":
            service = self._start("--no-tls", running=False)
            self.patch(service, part, lambda: 1 // 0)
            self.assertIn("ZeroDivisionError", str(self.assertRaises(SystemExit, service.startService)))
            DataFolder(self.data).check()
        self.assertEqual(self.said, [])

    async def test_no_door(self) -> None:
        """Without its control socket or port file the server runs, and the log says so."""
        self.data.mkdir(mode=0o700, exist_ok=True)
        (self.data / "control.sock" / "folder").mkdir(parents=True)
        self.runtime.write_text("a file")
        errors: list[str] = []
        self.patch(local_files._log, "error", lambda _, text: errors.append(text))
        service = self._start("--no-tls")
        client = await self._connect(service, tls=False)
        service.reload()
        await service.stopService()
        await client.lost
        self.assertEqual([error.split(" ")[0] for error in errors], ["irchat-admin", "clients"])

    async def test_cannot_start(self) -> None:
        """A port or data folder in use, or a damaged database, ends the start with one line."""
        with socket.create_server(("127.0.0.1", 0)) as other:
            service = self._start("--no-tls", "--port", str(other.getsockname()[1]), running=False)
            self.assertIn("cannot listen", str(self.assertRaises(SystemExit, service.startService)))
        other_server = DataFolder(self.data)
        other_server.acquire()
        self.addCleanup(other_server.release)
        service = self._start("--no-tls", running=False)
        self.assertIn("is in use", str(self.assertRaises(SystemExit, service.startService)))
        self.data = self.data.with_name("damaged")
        self.data.mkdir()
        (self.data / "irchat.sqlite").write_bytes(b"no database " * 1_000)
        service = self._start("--no-tls", running=False)
        self.assertIn("restore a backup", str(self.assertRaises(SystemExit, service.startService)))
