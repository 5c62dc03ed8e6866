"""The interface of protocols, proved by a third protocol on a real server over TCP."""

import tempfile
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.trial.unittest import TestCase

from irchat import tap
from irchat.interfaces.bus import Publication
from irchat.protocol import events, requests
from irchat.protocol.errors import Code, Refusal
from irchat.server.protocols.base import SharedEncoding
from irchat.server.protocols.offers import Offers, all_protocols
from irchat.tap import ChatServer
from tests.helpers.service import Client, Terminal, options_of, sighup_kept


def _encode(publication: Publication) -> bytes:
    match publication.event:
        case events.Message(sender=sender, text=text):
            return f"MESSAGE\t{sender}\t{text}\n".encode()
        case events.Error(text=text):
            return f"ERROR\t{text}\n".encode()
    return f"{type(publication.event).__name__.upper()}\n".encode()


class TabProtocol(SharedEncoding):
    """Words between tabs: ``LOGIN name password`` and ``SAY text``."""

    encode = staticmethod(_encode)
    keepalive = b"PING\n"

    def greeting(self, server_name: str) -> bytes:
        return f"TAB\t{server_name}\n".encode()

    def receive(self, line: bytes) -> None:
        match line.decode("utf-8", "replace").split("\t"):
            case ["LOGIN", name, password]:
                self.session.ask(requests.Login(name=name, password=password), None)
            case ["SAY", text]:
                self.session.ask(requests.Send(chat="GLOBAL", text=text), None)
            case _:
                self.session.refuse(Refusal(Code.BAD_REQUEST, "There are LOGIN and SAY."), None)

    def reply(self, context: object, event: events.Event) -> bytes:
        return _encode(Publication(event, ()))


class ThirdProtocolTests(TestCase):
    """A protocol is a class and an entry in the listener's table."""

    timeout = 60

    def setUp(self) -> None:
        """Create a folder for a server's data."""
        folder = tempfile.TemporaryDirectory(prefix="irchat-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.enterContext(sighup_kept())

    def _start(self, *arguments: str) -> ChatServer:
        options = options_of("--data", str(self.folder), "--host", "127.0.0.1", "--port", "0", "--no-tls", *arguments)
        service = ChatServer(options, Terminal(), self.folder / "run")
        service.startService()
        self.addCleanup(service.stopService)
        return service

    async def _connect(self, service: ChatServer, greeting: bytes, *lines: bytes) -> Client:
        endpoint: Any = TCP4ClientEndpoint(reactor, "127.0.0.1", service.port)
        client = Client()
        await connectProtocol(endpoint, client)
        self.assertEqual(await client.lines.get(), greeting)
        for line in lines:
            client.sendLine(line)
        return client

    async def test_beside_the_others(self) -> None:
        """A first line selects it. Its user signs in, exchanges messages with a JSON session, and gets refusals."""

        def offers(services: Any, clock: Any) -> Offers:
            all_others = all_protocols(services, clock)
            return Offers(all_others.default, ((b"LOGIN\t", TabProtocol), *all_others.by_beginning))

        self.patch(tap, "all_protocols", offers)
        service = self._start("--no-passwords")
        greeting = b"IRChat/1 IRChat: your username?"
        json = await self._connect(service, greeting, b'{"type":"login","name":"alice"}')
        await json.next(b'{"type":"welcome"')
        tab = await self._connect(service, greeting, b"LOGIN\talice\t", b"SAY\thello")
        await tab.next(b"WELCOME")
        await tab.next(b"SENT")
        self.assertIn(b'"text":"hello"', await json.next(b'{"type":"message"'))
        json.sendLine(b'{"type":"send","chat":"GLOBAL","text":"hi"}')
        self.assertEqual(await tab.next(b"MESSAGE"), b"MESSAGE\talice\thi")
        tab.sendLine(b"SHOUT\tHELLO")
        self.assertEqual(await tab.next(b"ERROR"), b"ERROR\tThere are LOGIN and SAY.")
        tab.sendLine(b"SAY\t")
        self.assertIn(b"empty", await tab.next(b"ERROR"))
        for client in tab, json:
            client.transport.loseConnection()
            await client.lost

    async def test_alone(self) -> None:
        """As the only protocol of a listener it greets, and no first line selects another."""
        self.patch(tap, "all_protocols", lambda services, clock: Offers(TabProtocol))
        service = self._start()
        client = await self._connect(service, b"TAB\tIRChat", b'{"type":"login","name":"bob"}')
        self.assertEqual(await client.next(b""), b"ERROR\tThere are LOGIN and SAY.")
        client.transport.loseConnection()
        await client.lost
