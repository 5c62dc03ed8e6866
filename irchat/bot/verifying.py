"""A connection of a bot to a server that has proved its identity. Nothing is sent before."""

import asyncio
import hashlib
import os
import re
import ssl
import sys
from pathlib import Path
from typing import NamedTuple

_PORT = 7667
_LINE_BYTES = 1 << 19
_SECONDS = 20.0


class BotError(Exception):
    """The bot cannot go on. The text says why, and what to do."""


class Connection(NamedTuple):
    """A connection to a trusted server, after its greeting."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


class Server:
    """The server at ``address`` (``host`` or ``host:port``), known by the fingerprint ``pinned``.

    ``known_hosts``: the file of the client ``irchat``, in which the server is looked up if nothing is pinned. Raises
    ValueError for an address or a fingerprint that is none.
    """

    def __init__(self, address: str, pinned: str | None, *, tls: bool, known_hosts: Path | None = None) -> None:
        match = re.fullmatch(r"(?:\[([^][]+)]|([^][:@ ]+))(?::([0-9]{1,5}))?", address)
        if match is None:
            raise ValueError(f"{address!r} is not an address: write host, host:port or [IPv6 address]:port")
        self.host, self._port = (match[1] or match[2]).lower(), int(match[3] or _PORT)
        self.label = f"[{self.host}]:{self._port}" if ":" in self.host else f"{self.host}:{self._port}"
        if pinned is not None and not tls:
            raise ValueError("a fingerprint needs TLS, which has the certificate to compare with")
        self._pinned = None if pinned is None else read_fingerprint(pinned)
        self._tls = tls
        self._known_hosts = known_hosts or _client_file()

    async def connect(self) -> Connection:
        """Return a connection. Raises BotError if the server is not trusted, OSError if there is none now."""
        async with asyncio.timeout(_SECONDS):
            known = self._pinned or self._find_known()
            if not self._tls:
                if known is not None:
                    raise BotError(
                        f"{self.label} used TLS before, and this connection would not. Nothing was sent. If it now runs"
                        f" without TLS on purpose, delete its line in {self._known_hosts}."
                    )
                return await self._greeted(None)
            if known is not None:
                return await self._greeted(_unverifying(), known)
            try:
                return await self._greeted(ssl.create_default_context())
            except ssl.SSLCertVerificationError as unverified:
                reason = unverified.verify_message
            raise BotError(await self._explain(reason))

    async def _open(self, context: ssl.SSLContext | None) -> Connection:
        return Connection(*await asyncio.open_connection(self.host, self._port, ssl=context, limit=_LINE_BYTES))

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

    async def _explain(self, reason: str) -> str:
        connection = await self._open(_unverifying())
        found = _fingerprint(connection)
        connection.writer.close()
        return (
            f"The certificate of {self.label} cannot be verified: {reason}. Nothing was sent. Its fingerprint is"
            f" {found}. Compare it with the one that the server printed when it started, and pass it to Bot as"
            " fingerprint."
        )

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
            if words and words[0].lower() == self.label:
                try:
                    return read_fingerprint(words[1]) if len(words) == 2 else read_fingerprint("")
                except ValueError:
                    raise BotError(f"The line about {self.label} in {self._known_hosts} is damaged.") from None
        return None


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


def _client_file() -> Path:
    """Return the path of the client's known_hosts."""
    if sys.platform == "darwin":
        return Path.home() / "Library/Application Support/irchat/known_hosts"
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "irchat/known_hosts"
