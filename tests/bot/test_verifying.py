"""The identity of the server, before anything is sent."""

import asyncio
import os
import shutil
import ssl
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from irchat.bot import Bot, BotError
from irchat.bot.verifying import Connection, Server, read_fingerprint
from irchat.client.connect.address import Target, parse_address
from irchat.client.connect.known_hosts import KnownHosts
from irchat.client.connect.server_connection import VERIFIED
from irchat.client.connect.tokens import Tokens
from irchat.client.exceptions import ClientError
from irchat.net.fingerprints import fingerprint_of, parse_fingerprint
from irchat.net.port_note import PortFile, default_directory
from irchat.protocol.rules import DEFAULT_PORT
from tests.helpers.bot_server import CHATS, BotServer, welcome
from tests.helpers.client_fakes import certificate

_ROOT = Path(__file__).parents[2]
_WRONG = "sha256:" + ":".join(["AB"] * 32)


def _answer(request: dict[str, Any]) -> list[dict[str, Any]]:
    replies = {"resume": welcome(), "chats": {"type": "chats", "chats": CHATS}}
    return [replies[request["type"]]] if request["type"] in replies else []


class VerifyingTests(SynchronousTestCase):
    """`Server`, and a bot that uses it, against a server with a certificate of its own."""

    def setUp(self) -> None:
        """Create a certificate, and an empty known_hosts."""
        self.context, der = certificate("localhost")
        self.fingerprint = fingerprint_of(der)
        self.config = Path(self.mktemp())
        self.known_hosts = self.config / "irchat" / "known_hosts"
        self.known_hosts.parent.mkdir(parents=True)
        self.notes: list[PortFile] = []
        self.addCleanup(self.remove_note)
        self.runtime = self.config / "run"
        self.runtime.mkdir(0o700)
        homes = {
            "XDG_CONFIG_HOME": str(self.config),
            "XDG_STATE_HOME": str(self.config),
            "XDG_RUNTIME_DIR": str(self.runtime.absolute()),
        }
        self.patch(os, "environ", {**os.environ, **homes})

    def connect(
        self,
        *,
        tls: bool = True,
        known: str = "",
        server_tls: bool = True,
        prepare: Callable[[int], object] = int,
        host: str = "",
        **how: Any,
    ) -> bytes:
        """Let a bot sign in and out. Return what the server received. ``prepare`` is called with the port before."""

        async def whole() -> bytes:
            async with BotServer(_answer, self.context if server_tls else None) as server:
                if known:
                    self.known_hosts.write_text(f"# a comment\n{server.address} {known}\n")
                prepare(int(server.address.rpartition(":")[2]))
                self.server = server
                async with asyncio.timeout(60), Bot(host or server.address, "secret", tls=tls, **how):
                    return server.received

        return asyncio.run(whole())

    def refused(self, wanted: str, **how: Any) -> None:
        """Check that a bot refuses to sign in, and that the server received nothing."""
        with self.assertRaises(BotError) as raised:
            self.connect(**how)
        self.assertIn(wanted, str(raised.exception))
        self.assertEqual(self.server.received, b"")

    def test_pinned(self) -> None:
        """The fingerprint that is given decides, also against known_hosts. With another one no token is sent."""
        self.assertIn(b"secret", self.connect(fingerprint=self.fingerprint.lower().replace(":", "")[6:], known=_WRONG))
        self.refused(f"The fingerprint of {'127.0.0.1'}", fingerprint=_WRONG, known=self.fingerprint)

    def test_known(self) -> None:
        """A server that the client accepted is known. With another certificate it gets no token."""
        self.assertIn(b"secret", self.connect(known=self.fingerprint))
        self.refused(f"{_WRONG} is expected", known=_WRONG)
        for damaged in "x", f"{self.fingerprint} x":
            self.refused("is damaged", known=damaged)

    def test_unknown(self) -> None:
        """A certificate that cannot be verified is refused, with its fingerprint."""
        self.refused(self.fingerprint)

    def test_valid(self) -> None:
        """A certificate that is valid for the host needs no fingerprint."""

        def trusting() -> ssl.SSLContext:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.load_verify_locations(cadata=certificate("localhost")[1])
            return context

        self.patch(ssl, "create_default_context", trusting)
        self.assertIn(b"secret", self.connect())

    def test_without_tls(self) -> None:
        """Without TLS the token goes only to a server that is not known to use it."""
        self.assertIn(b"secret", self.connect(tls=False, server_tls=False))
        self.refused("used TLS before", tls=False, server_tls=False, known=self.fingerprint)
        with self.assertRaisesRegex(ValueError, "needs TLS"):
            Bot("host", "secret", self.fingerprint, tls=False)
        self.refused("irchat/tokens", tls=False, server_tls=False, prepare=self.sign_in_over_tls)

    def sign_in_over_tls(self, port: int) -> None:
        """Keep a token in the client's file."""
        Tokens(self.config / "irchat" / "tokens").keep(f"127.0.0.1:{port}", "alice", "token", VERIFIED)

    def noting(self, *, tls: bool = True, fingerprint: str = "") -> Callable[[int], None]:
        """Return a call that writes the note of a server on this machine. It stands until the next one."""

        def write(port: int) -> None:
            self.remove_note()
            self.notes.append(PortFile(default_directory(), port=port, tls=tls, fingerprint=fingerprint))

        return write

    def remove_note(self) -> None:
        """Remove the note."""
        while self.notes:
            self.notes.pop().remove()

    def test_this_machine(self) -> None:
        """The server on this machine is found by its note, which has its port and its fingerprint."""
        for host in "localhost", "127.0.0.1", "":
            received = self.connect(host=host, prepare=self.noting(fingerprint=self.fingerprint))
            self.assertIn(b"secret", received)
        self.assertIn(b"secret", self.connect(host="127.0.0.1", server_tls=False, prepare=self.noting(tls=False)))
        for wrong in _WRONG, "":
            self.refused("cannot be verified", host="127.0.0.1", prepare=self.noting(fingerprint=wrong))
        self.refused(
            "expected", host="127.0.0.1", fingerprint=_WRONG, prepare=self.noting(fingerprint=self.fingerprint)
        )
        unencrypted = self.noting(tls=False)
        self.refused("runs without TLS", host="127.0.0.1", fingerprint=_WRONG, server_tls=False, prepare=unencrypted)

    def test_another_server(self) -> None:
        """A server that does not greet as IRChat gets no token."""

        async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"220 mail.example ESMTP\n")
            self.received = await reader.read()
            writer.close()

        async def whole() -> Connection:
            server = await asyncio.start_server(greet, "127.0.0.1", 0)
            async with server:
                address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
                return await Server(address, None, tls=False).connect()

        with self.assertRaisesRegex(BotError, "not an IRChat server"):
            asyncio.run(whole())

    def test_addresses(self) -> None:
        """An address has a host and may have a port."""
        for address in (
            "Chat.example",
            "h:1",
            "[::1]:2",
            "::1",
            "0:0::1",
            "[fe80::1%eth0]:5",
            "dotted.example.",
            "a:65535",
        ):
            parsed = parse_address(address)
            label = Target(parsed.host, parsed.port or DEFAULT_PORT, True).label
            self.assertEqual(Server(address, None, tls=True).label, label)
        for address in "", "alice@host", "host:x", "a b", "h:0", "h:65536", "a\nb", "[::1", "h:":
            self.assertRaises(ValueError, Server, address, None, tls=True)

    def test_as_the_client(self) -> None:
        """Fingerprints and known_hosts are read as the client reads them, from the client's file."""
        for text in self.fingerprint, self.fingerprint[7:], self.fingerprint.lower().replace(":", "")[6:]:
            self.assertEqual(read_fingerprint(text), parse_fingerprint(text))
        for text in "", "AB:CD", "g" * 64:
            self.assertRaises(ValueError, read_fingerprint, text)
            self.assertRaises(ValueError, parse_fingerprint, text)
        server = Server("host", None, tls=True)
        KnownHosts(self.known_hosts).remember(server.label, self.fingerprint)
        self.assertEqual(server._find_known(), self.fingerprint)
        self.assertIsNone(Server("other", None, tls=True)._find_known())
        for damaged in "host:7667", "host", "host:7667,other x", "HOST:7667 AB:CD":
            self.known_hosts.write_text(f"{damaged}\n")
            self.assertRaises(BotError, server._find_known)
            self.assertRaises(ClientError, KnownHosts(self.known_hosts).find, server.label)


class StandAloneTests(SynchronousTestCase):
    """The package without the rest of IRChat."""

    def test_imports(self) -> None:
        """A copy of the folder is imported with the standard library alone."""
        home = Path(self.mktemp())
        shutil.copytree(_ROOT / "irchat" / "bot", home / "irchat" / "bot")
        code = f"import sys; sys.path.insert(0, {str(home)!r}); import irchat.bot; print(irchat.bot.Bot.__name__)"
        done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=False)
        self.assertEqual((done.stdout, done.stderr), ("Bot\n", ""))
