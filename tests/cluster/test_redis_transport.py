"""The transport over Redis, against a real server."""

import os
import signal
from collections.abc import Callable
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread
from twisted.logger import formatEvent, globalLogPublisher
from twisted.trial.unittest import TestCase

from irchat.chat.state.presence import Presence
from irchat.cluster.bus_messages import Timed
from irchat.cluster.node_bus import NodeBus
from irchat.cluster.redis_transport import RedisTransport
from irchat.cluster.sealing import Seal
from irchat.interfaces.limits import Limits
from irchat.interfaces.nodes import TimedCopy
from irchat.server.admission import Admission
from irchat.server.listeners.certificates import ensure_self_signed
from tests.helpers.services import RedisServer, free_port


async def _until(condition: Callable[[], object]) -> None:
    for _ in range(6_000):
        if condition():
            return
        await deferLater(reactor, 0.02)
    raise AssertionError("it did not happen within 120 seconds")


class RedisTests(TestCase):
    """The transport. Each test has a server of its own."""

    timeout = 120

    def setUp(self) -> Any:
        """Start a server."""
        self.server = RedisServer()
        self.addCleanup(self.server.remove)
        self.events: list[str] = []
        return deferToThread(self.server.start)

    def new_transport(self, url: str = "") -> RedisTransport:
        """Start a transport."""
        transport = RedisTransport(reactor, url or self.server.url, jitter=lambda: 0.0)
        transport.connected = lambda: self.events.append("connected")
        transport.lost = lambda: self.events.append("lost")
        self.addCleanup(transport.stop)
        transport.start()
        return transport

    async def test_messages(self) -> None:
        """All messages of one sender arrive in order, also large ones and those with line ends, at itself too."""
        first, second = self.new_transport(), self.new_transport()
        await _until(lambda: len(self.events) == 2)
        sent = [b"\r\n$1\r\n", bytes(range(256)) * 1_000, *(b"%d" % number for number in range(2_000))]
        here: list[bytes] = []
        there: list[bytes] = []
        first.received, second.received = here.append, there.append
        for data in sent:
            first.publish(data)
        await _until(lambda: len(there) >= len(sent) and len(here) >= len(sent))
        self.assertTrue(here == there == sent)

    async def test_restart(self) -> None:
        """A killed server is noticed, and the transport connects again when it is back."""
        transport = self.new_transport()
        await _until(lambda: self.events)
        self.server.stop(signal.SIGKILL)
        await _until(lambda: self.events == ["connected", "lost"])
        transport.publish(b"lost")
        await deferToThread(self.server.start)
        await _until(lambda: self.events == ["connected", "lost", "connected"])
        found: list[bytes] = []
        transport.received = found.append
        transport.publish(b"after")
        await _until(lambda: found)
        self.assertEqual(found, [b"after"])

    async def test_reset(self) -> None:
        """A reset makes new connections."""
        transport = self.new_transport()
        await _until(lambda: self.events)
        transport.reset()
        await _until(lambda: self.events == ["connected", "lost", "connected"])

    async def test_slow_reader(self) -> None:
        """A subscriber that exceeds its output limit is disconnected by the server, and connects again."""
        await self.command("CONFIG", "SET", "client-output-buffer-limit", "pubsub 1kb 1kb 1")
        transport = self.new_transport()
        await _until(lambda: self.events)
        transport.publish(bytes(2_000_000))
        await _until(lambda: self.events[:3] == ["connected", "lost", "connected"])

    async def test_password(self) -> None:
        """A password is used; a wrong one is logged once, without it."""
        await self.command("CONFIG", "SET", "requirepass", "a:b/c")
        self.new_transport(self.server.url.replace("//", "//:a%3Ab%2Fc@"))
        await _until(lambda: self.events == ["connected"])
        self.new_transport(self.server.url.replace("//", "//:wr0ng@"))
        logged = self.observe()
        await deferLater(reactor, 1.5)
        texts = [formatEvent(event) for event in logged]
        self.assertEqual(len([text for text in texts if "cannot be used" in text and "WRONGPASS" in text]), 1, texts)
        self.assertNotIn("wr0ng", "".join(texts))
        self.assertEqual(self.events, ["connected"])

    async def test_no_server(self) -> None:
        """Without a server, the log says why, once."""
        logged = self.observe()
        transport = RedisTransport(reactor, f"redis://127.0.0.1:{free_port()}", jitter=lambda: 0.0)
        self.addCleanup(transport.stop)
        transport.start()
        await deferLater(reactor, 1.0)
        texts = [str(formatEvent(event)) for event in logged]
        self.assertEqual(len([text for text in texts if "refused; look at the server" in text]), 1, texts)

    async def test_tls(self) -> None:
        """rediss:// checks the certificate of the server: one that is not trusted is refused, and logged."""
        folder = self.server.folder
        certificate, key = ensure_self_signed(folder, "localhost")
        port = free_port()
        server = RedisServer(
            *("--tls-port", str(port), "--tls-cert-file", str(certificate), "--tls-key-file", str(key)),
            *("--tls-ca-cert-file", str(certificate), "--tls-auth-clients", "no"),
        )
        self.addCleanup(server.remove)
        await deferToThread(server.start)
        logged = self.observe()
        untrusting = self.new_transport(f"rediss://localhost:{port}")
        await _until(lambda: any("certificate verify failed" in str(formatEvent(event)) for event in logged))
        await untrusting.stop()
        self.assertEqual(self.events, [])
        os.environ["SSL_CERT_FILE"] = str(certificate)
        self.addCleanup(os.environ.pop, "SSL_CERT_FILE")
        self.new_transport(f"rediss://localhost:{port}")
        await _until(lambda: self.events == ["connected"])

    def observe(self) -> list[Any]:
        """Return a list to which all that is logged is added."""
        logged: list[Any] = []
        globalLogPublisher.addObserver(logged.append)
        self.addCleanup(globalLogPublisher.removeObserver, logged.append)
        return logged

    def command(self, *words: str) -> Deferred[str]:
        """Run redis-cli."""
        return deferToThread(self.server.run, *words)


class NodeTests(TestCase):
    """Two nodes over a real server."""

    timeout = 120

    async def test_no_trace(self) -> None:
        """Presence and a timed message cross; the server sees nothing of the text, and stores nothing, by MONITOR."""
        server = RedisServer()
        self.addCleanup(server.remove)
        await deferToThread(server.start)
        monitored = server.folder / "monitor.log"
        monitor = server.monitor(monitored)
        self.addCleanup(monitor.wait)
        self.addCleanup(monitor.kill)
        buses, found = [], []
        for name in "a", "b":
            presence = Presence(lambda user, online: None)
            bus = NodeBus(
                name,
                1,
                RedisTransport(reactor, server.url, jitter=lambda: 0.0),
                Seal(bytes(range(32)), b"irchat"),
                reactor,  # type: ignore[arg-type]
                lambda: 0,
                lambda position: Deferred(),
                presence,
                Admission(Limits(), reactor.seconds),  # type: ignore[attr-defined]
                lambda: None,
            )
            presence.others = bus
            bus.handle(Timed, lambda node, body: found.append(body.copy.text))
            bus.start()
            self.addCleanup(bus.stop)
            buses.append((bus, presence))
        await _until(lambda: all(bus.is_connected and bus.heard() for bus, _ in buses))
        (first, here), (_, there) = buses
        here.enter(7, 1)
        await _until(lambda: there.online)
        # Only the relay of timed messages sends those before a state again. There is none here.
        while not found:
            first.publish(Timed(TimedCopy("x", 1, 7, "nobody may read this", 1, 2, 60_000)))
            await deferLater(reactor, 0.5)
        self.assertEqual((set(found), list(there.online)), ({"nobody may read this"}, [7]))
        await deferToThread(server.run, "SAVE")
        self.assertEqual((await deferToThread(server.run, "DBSIZE")).strip(), "0")
        await _until(lambda: b"PUBLISH" in monitored.read_bytes())
        files = [file for file in server.folder.rglob("*") if file.is_file()]
        self.assertIn("dump.rdb", [file.name for file in files])
        for file in files:
            self.assertNotIn(b"nobody may", file.read_bytes())
            self.assertNotIn(b"Timed", file.read_bytes())
