"""A connection of a bot to a server that has proved its identity. Nothing is sent before."""

import asyncio
import hashlib
import os
import re
import ssl
import sys
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

from irchat.bot.this_machine import Noted, is_this_machine, noted_servers

_PORT = 7667
_LINE_BYTES = 1 << 19
_SECONDS = 20.0
# In the tokens file of the client: the server had no TLS.
_UNENCRYPTED = "unencrypted"


class BotError(Exception):
    """The bot cannot go on. The text says why, and what to do."""


class Connection(NamedTuple):
    """A connection to a trusted server, after its greeting."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


class Server:
    """The server at ``address`` (``host`` or ``host:port``), known by the fingerprint ``pinned``.

    Without a port, an address of this machine is the server that runs here, as for the client ``irchat``; then its own
    note decides about ``tls``. Raises ValueError for an address or a fingerprint that is none.
    """

    def __init__(self, address: str, pinned: str | None, *, tls: bool) -> None:
        self.host, self._given_port = _parse(address)
        if pinned is not None and not tls:
            raise ValueError("a fingerprint needs TLS, which has the certificate to compare with")
        self._pinned = None if pinned is None else read_fingerprint(pinned)
        self._target = Noted(self._given_port or _PORT, tls)
        self._is_found = self._given_port is not None
        self._known_hosts = _config_folder() / "known_hosts"
        self._tokens = _state_folder() / "tokens"

    @property
    def label(self) -> str:
        """The server as in messages and in known_hosts: ``host:port``, with an IPv6 address in brackets."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self._target.port}"

    async def connect(self) -> Connection:
        """Return a connection. Raises BotError if the server is not trusted, OSError if there is none now."""
        self._find()
        async with asyncio.timeout(_SECONDS):
            connection = await self._connect()
        self._is_found = True
        return connection

    async def _connect(self) -> Connection:
        known = self._pinned or self._find_known()
        if not self._target.tls:
            if self._pinned is not None:
                raise BotError(f"{self.label} runs without TLS, so it has no fingerprint. Leave it out.")
            if known is not None or self._has_token_over_tls():
                raise BotError(
                    f"{self.label} used TLS before, and this connection would not. Nothing was sent. If it now runs"
                    f" without TLS on purpose, delete its line in {self._known_hosts if known else self._tokens}."
                )
            return await self._greeted(None)
        if known is not None:
            return await self._greeted(_unverifying(), known)
        try:
            return await self._greeted(ssl.create_default_context())
        except ssl.SSLCertVerificationError as unverified:
            reason = unverified.verify_message
        connection = await self._open(_unverifying())
        found = _fingerprint(connection)
        connection.writer.close()
        if found == self._target.fingerprint:  # the server on this machine has written it down
            return await self._greeted(_unverifying(), found)
        raise BotError(
            f"The certificate of {self.label} cannot be verified: {reason}. Nothing was sent. Its fingerprint is"
            f" {found}. Compare it with the one that the server printed when it started, and pass it to Bot as"
            " fingerprint."
        )

    def _find(self) -> None:
        """Look for the server on this machine. It is not left once it was found. Raises BotError if there are more."""
        servers = noted_servers() if is_this_machine(self.host) else []
        if self._is_found:
            same = (server for server in servers if server[:2] == self._target[:2])
            self._target = next(same, self._target._replace(fingerprint=""))
        elif len(servers) > 1:
            ports = ", ".join(str(server.port) for server in servers)
            raise BotError(f"Several servers run on this machine. Add the port of one to the host: {ports}.")
        elif servers:
            self._target = servers[0]

    async def _open(self, context: ssl.SSLContext | None) -> Connection:
        # Certificates do not contain the zone of an IPv6 address.
        name = None if context is None else self.host.partition("%")[0]
        return Connection(
            *await asyncio.open_connection(
                self.host, self._target.port, ssl=context, server_hostname=name, limit=_LINE_BYTES
            )
        )

    async def _greeted(self, context: ssl.SSLContext | None, expected: str | None = None) -> Connection:
        """Return a connection after its greeting, and after its certificate was compared with what is ``expected``."""
        connection = await self._open(context)
        try:
            if expected is not None and (found := _fingerprint(connection)) != expected:
                raise BotError(
                    f"The fingerprint of {self.label} is {found}, and {expected} is expected. Somebody may be between"
                    " you and the server, or it has a new certificate. Nothing was sent. Ask its administrator."
                )
            greeting = await connection.reader.readline()
            if not greeting:
                raise ConnectionError(f"{self.label} closed the connection")
            if not greeting.startswith(b"IRChat/1 "):
                raise BotError(f"{self.label} is not an IRChat server that speaks version 1 of the protocol.")
        except BaseException:
            connection.writer.close()
            raise
        return connection

    def _find_known(self) -> str | None:
        """Return the fingerprint in known_hosts, or None. Raises BotError for a damaged line or an unreadable file."""
        try:
            text = self._known_hosts.read_text("utf-8", "surrogateescape")
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise BotError(f"{self._known_hosts} cannot be read: {error.strerror}. Let this user read it.") from None
        for line in text.removeprefix("\ufeff").split("\n"):
            words = line.split()
            if words and self._is_about(words[0].lower()):
                try:
                    host, fingerprint = words
                    if host.lower() == self.label:
                        return read_fingerprint(fingerprint)
                except ValueError:
                    pass
                raise BotError(
                    f"A line about {self.label} in {self._known_hosts} is damaged. Nothing was sent. Correct it, or"
                    " delete it and pass the fingerprint to Bot."
                )
        return None

    def _is_about(self, word: str) -> bool:
        """Return whether a line of known_hosts that begins with ``word`` is about the server, even if damaged."""
        rest = word.removeprefix(self.label)
        return (rest != word and not rest[:1].isdecimal()) or word == self.label.rpartition(":")[0]

    def _has_token_over_tls(self) -> bool:
        """Return whether the client has a token that this server issued over TLS."""
        try:
            lines = self._tokens.read_text("utf-8", "surrogateescape").split("\n")
        except OSError:
            return False
        words = (line.split() for line in lines)
        return any(
            len(line) == 4 and line[0] == self.label and line[2] != "-" and line[3] != _UNENCRYPTED for line in words
        )


def _parse(address: str) -> tuple[str, int | None]:
    """Return the host and the port of an address. Raises ValueError."""
    bracketed = f"[{address}]" if address.count(":") > 1 and "[" not in address else address
    match = re.fullmatch(r"(?:\[([^][@]+)]|([^][:@]+))(?::([0-9]{1,5}))?", bracketed)
    if match is None or not address.isprintable() or " " in address or not 1 <= int(match[3] or 1) <= 65_535:
        raise ValueError(f"{address!r} is not an address: write host, host:port or [IPv6 address]:port")
    host = match[1] or match[2]
    try:
        host = str(ip_address(host)).lower()
    except ValueError:
        host = host.lower().rstrip(".") or host
    return host, int(match[3]) if match[3] else None


def read_fingerprint(text: str) -> str:
    """Return a fingerprint as the server prints it. Its case, colons and prefix are optional. Raises ValueError."""
    digits = text.lower().removeprefix("sha256:").replace(":", "")
    if not re.fullmatch("[0-9a-f]{64}", digits):
        raise ValueError(f"{text!r} is not a SHA-256 fingerprint: it is 32 pairs of hex digits, AB:CD:...")
    return _write(bytes.fromhex(digits))


def _fingerprint(connection: Connection) -> str:
    certificate = connection.writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    return _write(hashlib.sha256(certificate or b"").digest())


def _write(digest: bytes) -> str:
    return "sha256:" + digest.hex(":").upper()


def _unverifying() -> ssl.SSLContext:
    """Return a TLS context without verification. The fingerprint is compared before anything is sent."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _config_folder() -> Path:
    """Return the folder of the client's known_hosts."""
    if sys.platform == "darwin":
        return Path.home() / "Library/Application Support/irchat"
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "irchat"


def _state_folder() -> Path:
    """Return the folder of the client's tokens."""
    if sys.platform == "darwin":
        return _config_folder()
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state") / "irchat"
